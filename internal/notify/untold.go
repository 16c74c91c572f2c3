package notify

import (
	"fmt"
	"slices"
	"time"
)

// Untold says, a line for each target, what of a run it was not told although
// that was tried.
func (n *Notifier) Untold(run string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var lines []string
	for i := range n.opts.Targets {
		target := n.opts.Targets[i].Name
		waiting, oldest := 0, (*refusal)(nil)
		for _, note := range n.box.pending[target] {
			if runOf(note.ID) != run {
				continue
			}
			waiting++
			if r := n.refused[target][note.ID]; r != nil && (oldest == nil || r.since.Before(oldest.since)) {
				oldest = r
			}
		}
		if oldest != nil {
			lines = append(lines, fmt.Sprintf("%s is not told since %s, %d to be told: %s", target, oldest.since.UTC().Format(time.DateTime+"Z"), waiting, oldest.why))
		}
		var lost []string
		for id := range n.box.lost[target] {
			if runOf(id) == run {
				lost = append(lost, id)
			}
		}
		if len(lost) > 0 {
			slices.Sort(lost)
			lines = append(lines, fmt.Sprintf("%s was never told %s: %s", target, some(lost), n.box.lost[target][lost[0]]))
		}
	}
	return lines
}

// some names the first of a list, and says how many there are.
func some(ids []string) string {
	if len(ids) == 1 {
		return ids[0]
	}
	return fmt.Sprintf("%s, and %d more", ids[0], len(ids)-1)
}
