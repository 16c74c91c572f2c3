package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"example.org/ims/internal/output"
	"example.org/ims/internal/setting"
	"example.org/ims/pkg/gateway"
)

func gatewayPage(page *output.Page, c gateway.Config, n gateway.Census, d gatewayData, clients bool) {
	state := d.State
	if c.Running {
		state += ", started " + page.Time(c.StartedAt)
	}
	page.Line("gateway %s: %s", c.Name, state)
	page.Line("  listens at %s as %s", cmp.Or(c.Listen, "no address"), c.Hostname)
	page.Line("  generation %d, instance %s", c.Generation, c.Instance)
	for _, l := range c.Leftovers {
		page.Line("  left behind: %s", l)
	}
	if c.Exists {
		page.Blank()
		settingsTable(page, c)
		page.Blank()
		routesOf(page, c)
	}
	page.Blank()
	storesTable(page, n)
	if clients {
		page.Blank()
		clientsTable(page, d.Clients)
	}
}

// settingsTable shows what is stored and what is in effect, side by side.
func settingsTable(page *output.Page, c gateway.Config) {
	t := output.Table{Columns: output.Columns("SETTING", "STORED", "IN EFFECT")}
	effective := settingRows(c.Effective)
	differ := false
	for i, row := range settingRows(c.Stored) {
		e := effective[i][1]
		switch {
		case !c.Running:
			e = "not running"
		case e != row[1]:
			differ = true
			e += "  (until the service starts again)"
		}
		t.Add(row[0], row[1], e)
	}
	page.Table(t)
	switch {
	case differ && c.Paused:
		page.Line("What is stored differs from what is in effect.")
	case differ:
		page.Line("What is stored differs from what is in effect: ims gateway restart %s --reason …", c.Name)
	}
}

func settingRows(s gateway.Settings) [][2]string {
	rows := [][2]string{
		{"mode", s.Mode.Title()},
		{"refuse", s.Refuse.String()},
		{"retry", cmp.Or(durations(s.Retry), "never")},
		{"time-out urgent", duration(s.Timeouts.Urgent)},
		{"time-out normal", duration(s.Timeouts.Normal)},
		{"time-out non-urgent", duration(s.Timeouts.NonUrgent)},
		{"time-out report", duration(s.Timeouts.Report)},
		{"forward host", cmp.Or(s.ForwardHost, "none")},
	}
	rows = append(rows, [2]string{"domain hosts", cmp.Or(strings.Join(arrows(s.DomainHosts), ", "), "none")})
	size := "no limit"
	if s.MaxSize > 0 {
		size = output.Bytes(s.MaxSize)
	}
	return append(rows,
		[2]string{"largest message", size},
		[2]string{"sessions in", limitText(s.MaxInbound)},
		[2]string{"sessions out", limitText(s.MaxOutbound)},
		[2]string{"may connect", cmp.Or(strings.Join(admissionWords(s.Accept), ", "), "everybody")},
		[2]string{"may relay", cmp.Or(setting.Networks(s.Relay), "nobody")},
		[2]string{"rerouted", cmp.Or(strings.Join(arrows(s.Reroute), ", "), "none")},
		[2]string{"sent on demand", cmp.Or(strings.Join(arrows(s.ETRN), ", "), "none")},
	)
}

func limitText(n int) string {
	if n == 0 {
		return "the service's own limit"
	}
	return strconv.Itoa(n)
}

func admissionWords(list []gateway.Admission) []string {
	words := make([]string, len(list))
	for i, a := range list {
		words[i] = a.String()
	}
	return words
}

// arrows are the lines of a table of domains.
func arrows(table map[string]string) []string {
	var list []string
	for _, d := range slices.Sorted(maps.Keys(table)) {
		list = append(list, d+" → "+cmp.Or(table[d], "its MX"))
	}
	return list
}

// routesOf shows what makes the organization route mail to a gateway.
func routesOf(page *output.Page, c gateway.Config) {
	if len(c.Spaces)+len(c.Sites) == 0 {
		page.Line("No address space and no connected site: no new mail is routed here.")
		return
	}
	t := output.Table{Columns: output.Columns("ROUTE", "COST#", "SCOPE", "VIA")}
	for _, sp := range c.Spaces {
		t.Add(sp.Type+":"+sp.Pattern, sp.Cost, sp.Scope, "")
	}
	for _, site := range c.Sites {
		t.Add("site "+site.Name, site.Cost, "", site.RoutingAddress)
	}
	page.Table(t)
}

// storesTable shows the stores by their names of the Queues page.
func storesTable(page *output.Page, n gateway.Census) {
	t := output.Table{Columns: output.Columns("STORE", "QUEUES PAGE", "MESSAGES#", "RECIPIENTS#", "SIZE#", "OLDEST", "COUNT")}
	for st := gateway.MTA; st < gateway.NumStores; st++ {
		k := n.Stores[st]
		how := k.Known.String()
		if k.Why != "" {
			how += ", " + k.Why
		}
		switch {
		case k.Known == gateway.Unknown:
			t.Add(st, st.Title(), "unknown", "unknown", "unknown", "unknown", how)
		case k.Messages == 0:
			t.Add(st, st.Title(), 0, 0, "", "", how)
		default:
			t.Add(st, st.Title(), k.Messages, k.Recipients, output.Bytes(k.Bytes), page.Time(k.Oldest), how)
		}
	}
	page.Table(t)
	page.Line("%s", censusWords(n))
}

func censusWords(n gateway.Census) string {
	if n.AtRest {
		return "The service does not run: nothing is in flight."
	}
	return fmt.Sprintf("%s under way, %s open; since this instance began: %s accepted from the Internet, %d routed here",
		output.Count(n.InFlight, "attempt"), output.Count(n.Sessions, "inbound session"), output.Count(int64(n.Accepted), "message"), n.Routed)
}
