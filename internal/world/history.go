package world

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/ims/pkg/zone"
)

// subject is an RRset whose past decides until when an old one may be cached.
type subject struct{ name, typ string }

// memory names where the past of an RRset is remembered: what each server gave
// under the first name, and since when it is last known to give it under the
// second, which is all that changes while nothing changes.
func (s subject) memory() (given, seen string) {
	given = strings.ToLower(s.typ) + "." + s.name
	return given, given + ".seen"
}

// past is what was observed of an RRset so far, by this process or by one
// before it.
func (o *observer) past(s subject) []zone.Observation {
	if h, ok := o.history[s]; ok {
		return h
	}
	given, seen := s.memory()
	var obs []zone.Observation
	if json.Unmarshal([]byte(o.memory[given]), &obs) != nil {
		return nil
	}
	return thaw(obs, o.memory[seen])
}

// remember adds a round of observations to the past of an RRset.
func (o *observer) remember(s subject, round []zone.Observation) []zone.Observation {
	h := compact(append(o.past(s), round...))
	o.history[s] = h
	given, seen := s.memory()
	obs, times := freeze(h)
	if raw, err := json.Marshal(obs); err == nil {
		o.memory[given], o.memory[seen] = string(raw), times
	}
	return h
}

// freeze parts a compacted past into what stays as it is and the times at which
// each server's present answer was given last: "address=nanoseconds" each.
func freeze(obs []zone.Observation) (kept []zone.Observation, seen string) {
	last := map[string]int{} // per server: place of its newest answer
	for i, ob := range obs {
		last[ob.Server.Addr] = i
	}
	var times []string
	for i, ob := range obs {
		if ob.RTT = 0; last[ob.Server.Addr] != i || !repeats(obs, i) {
			kept = append(kept, ob)
			continue
		}
		times = append(times, ob.Server.Addr+"="+strconv.FormatInt(ob.At.UnixNano(), 10))
	}
	return kept, strings.Join(times, " ")
}

// repeats reports whether the answer at place i is the one that its server gave
// before.
func repeats(obs []zone.Observation, i int) bool {
	for j := i - 1; j >= 0; j-- {
		if obs[j].Server.Addr == obs[i].Server.Addr {
			return obs[j].RRset.Equal(obs[i].RRset)
		}
	}
	return false
}

// thaw puts a past together again.
func thaw(kept []zone.Observation, seen string) []zone.Observation {
	obs := slices.Clone(kept)
	for f := range strings.FieldsSeq(seen) {
		addr, text, _ := strings.Cut(f, "=")
		ns, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			continue
		}
		for _, ob := range slices.Backward(kept) {
			if ob.Server.Addr == addr {
				ob.At = time.Unix(0, ns)
				obs = append(obs, ob)
				break
			}
		}
	}
	return obs
}

// compact keeps of each server's answers the first and the last of every run
// of equal ones, which is all that the deadline depends on.
func compact(obs []zone.Observation) []zone.Observation {
	kept := make([]zone.Observation, 0, len(obs))
	last := map[string][]int{} // per server: places in kept of the run's answers
	for _, ob := range obs {
		if !ob.Counts() {
			continue
		}
		key := ob.Server.Addr
		run := last[key]
		if n := len(run); n == 2 && kept[run[0]].RRset.Equal(ob.RRset) && kept[run[1]].RRset.Equal(ob.RRset) {
			kept[run[1]] = ob
			continue
		}
		kept = append(kept, ob)
		run = append(run, len(kept)-1)
		if len(run) > 2 || (len(run) == 2 && !kept[run[0]].RRset.Equal(ob.RRset)) {
			run = run[len(run)-1:]
		}
		last[key] = run
	}
	return kept
}
