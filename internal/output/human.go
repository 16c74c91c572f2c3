package output

import (
	"fmt"
	"strconv"
	"time"
)

// Duration is a length of time for people, in its two largest units: "3d 4h",
// "1h 5m", "2m 30s", "45s", "250ms".
func Duration(d time.Duration) string {
	if d < 0 {
		return "-" + Duration(-d)
	}
	if d == 0 {
		return "0s"
	}
	if d < time.Second {
		return strconv.FormatInt(max(d.Milliseconds(), 1), 10) + "ms"
	}
	const day = 24 * time.Hour
	d = d.Truncate(time.Second)
	switch {
	case d >= day:
		return pair(int64(d/day), "d", int64(d%day/time.Hour), "h")
	case d >= time.Hour:
		return pair(int64(d/time.Hour), "h", int64(d%time.Hour/time.Minute), "m")
	case d >= time.Minute:
		return pair(int64(d/time.Minute), "m", int64(d%time.Minute/time.Second), "s")
	}
	return pair(int64(d/time.Second), "s", 0, "")
}

func pair(a int64, unit string, b int64, small string) string {
	if b == 0 {
		return strconv.FormatInt(a, 10) + unit
	}
	return fmt.Sprintf("%d%s %d%s", a, unit, b, small)
}

// Relative is a moment as seen from now: "3m ago", "in 2h 5m", "now".
func Relative(now, t time.Time) string {
	switch d := t.Sub(now); {
	case d >= time.Second:
		return "in " + Duration(d)
	case d <= -time.Second:
		return Duration(-d) + " ago"
	}
	return "now"
}

// Bytes is a size for people, in binary units: "512 B", "1.5 KiB".
func Bytes(n int64) string {
	if n < 1024 {
		return strconv.FormatInt(n, 10) + " B"
	}
	size, units := float64(n)/1024, []string{"KiB", "MiB", "GiB", "TiB"}
	for size >= 1024 && len(units) > 1 {
		size, units = size/1024, units[1:]
	}
	return fmt.Sprintf("%.1f %s", size, units[0])
}

// Count is a number of things: "1 message", "3 messages".
func Count(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + one + "s"
}
