package plan

import (
	"fmt"
	"path/filepath"
	"strings"

	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// most is how many entries a command is about at once: all that can be listed.
const most = "--limit 99999"

// queue writes the commands of an effect on queued mail. What was held is known
// by the reason that was given: what somebody else holds, stays.
func (c *commands) queue(h *Hand) {
	name := word(c.p.Gateway)
	h.See = append(h.See, "ims queue list "+name)
	mine := "--store out --without-reports" // as a run does: nobody is told of a report that is given up
	if c.do.Args.Select == machine.SelectHeld || c.do.Action == machine.QueueRelease {
		mine = "--store hold --held-for " + word(c.held)
		if c.held == "" { // any reason
			h.Nothing = append(h.Nothing, "the state that holds them is not known")
			return
		}
	}
	switch c.do.Action {
	case machine.QueueReturn:
		h.Do = append(h.Do, fmt.Sprintf("ims queue return %s %s %s --yes --reason %s", name, mine, most, c.reason()))
	case machine.QueueRetry:
		h.Do = append(h.Do, fmt.Sprintf("ims queue retry %s --store out %s --reason %s", name, most, c.reason()))
	case machine.QueueHold:
		for _, s := range []gateway.Store{gateway.MTA, gateway.MTSOut, gateway.Out} { // what a mode that sends releases
			h.Do = append(h.Do, fmt.Sprintf("ims queue hold %s --store %s --older-than %s %s --reason %s", name, s, c.do.Args.OlderThan, most, word(c.held)))
		}
		h.Undo = append(h.Undo, fmt.Sprintf("ims queue release %s --store hold --held-for %s %s --reason %s", name, word(c.held), most, c.reason()))
	case machine.QueueRelease:
		h.Do = append(h.Do, fmt.Sprintf("ims queue release %s %s %s --reason %s", name, mine, most, c.reason()))
	default: // queue.export: write has the rest
		h.Do = append(h.Do, c.export(mine))
	}
}

// export writes each entry to a file beside a list with the envelopes, and takes
// out what was written only if all of it was. The folder must be new: pasted
// twice, the second list would replace the envelopes of what is out already.
func (c *commands) export(mine string) string {
	name := word(c.p.Gateway)
	return strings.Join([]string{
		"(set -e; dir=" + word(filepath.Join(c.p.Places.ArchiveDir, c.p.Gateway+"-by-hand-"+c.state)) + `; mkdir -p "$(dirname "$dir")"; mkdir -m 700 "$dir"`,
		fmt.Sprintf(`ims queue list %s %s %s -o json >"$dir/list.json"`, name, mine, most),
		`tr , '\n' <"$dir/list.json" | sed -n 's/.*"entry":"\([^"]*\)"$/\1/p' >"$dir/entries"`,
		fmt.Sprintf(`while read -r id; do curl --fail --silent --show-error --unix-socket %s -o "$dir/$id.eml" "http://ims/v1/gateways/%s/body?entry=$id"; done <"$dir/entries"`,
			word(c.p.Places.Socket), c.p.Gateway),
		`(cd "$dir" && sha256sum -- list.json *.eml >manifest.sha256)`,
		fmt.Sprintf(`while read -r id; do ims queue delete %s "$id" %s --yes --reason %s; done <"$dir/entries")`, name, mine, c.reason()),
	}, "\n")
}
