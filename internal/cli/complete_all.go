package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/internal/runner"
	"example.org/ims/internal/strictyaml"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/runbook"
	"example.org/ims/pkg/trace"
)

// completer completes one word of a command line.
type completer func(cmd *cobra.Command, argv []string, word string) ([]cobra.Completion, cobra.ShellCompDirective)

// completeAll gives every argument and flag of the tree that has none yet the
// completion of its name, so that the same word means the same everywhere.
func (s *session) completeAll(root *cobra.Command) {
	flags, words := s.flagCompleters(), s.wordCompleters()
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
		path := strings.TrimPrefix(cmd.CommandPath(), "ims ")
		for name, c := range flags {
			at, flag, special := strings.Cut(name, " --")
			if !special {
				flag = name
			}
			if special && at != path || cmd.LocalNonPersistentFlags().Lookup(flag) == nil {
				continue
			}
			if _, own := cmd.GetFlagCompletionFunc(flag); !own {
				if err := cmd.RegisterFlagCompletionFunc(flag, cobra.CompletionFunc(c)); err != nil {
					panic(err) // the flag was looked up just before
				}
			}
		}
		usage := strings.Fields(cmd.Use)[1:]
		if cmd.ValidArgsFunction == nil && (!cmd.HasSubCommands() || len(usage) > 0) {
			cmd.ValidArgsFunction = byPosition(usage, path, words)
		}
	}
	walk(root)
}

// byPosition completes each argument by its word in the usage; nil if one of
// them is not known.
func byPosition(usage []string, path string, words map[string]completer) cobra.CompletionFunc {
	var at []completer
	for _, u := range usage {
		u = strings.Trim(u, "[]…")
		c, ok := words[path+" "+u]
		if !ok {
			c, ok = words[u]
		}
		if !ok {
			return nil
		}
		at = append(at, c)
	}
	repeats := len(usage) > 0 && strings.Contains(usage[len(usage)-1], "…")
	return func(cmd *cobra.Command, argv []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		i := len(argv)
		if i >= len(at) && repeats {
			i = len(at) - 1
		}
		if i >= len(at) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return at[i](cmd, argv, word)
	}
}

// wordCompleters complete arguments, by the word in the usage line, or by the
// command and that word where it means something else there.
func (s *session) wordCompleters() map[string]completer {
	gateways := only(s.gatewayList)
	return map[string]completer{
		"GATEWAY": gateways, "NAME": gateways, "compare OLD": gateways, "compare NEW": gateways,
		"RUN": s.completeRuns,
		"RUN|GATEWAY": func(cmd *cobra.Command, argv []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
			runs, _ := s.completeRuns(cmd, argv, word)
			all, how := gateways(cmd, argv, word)
			return append(runs, all...), how
		},
		"FILE": files,
		"OLD":  files, "NEW": files,
		"ID":    s.completeEntry,
		"STATE": only(s.askedState),
	}
}

// flagCompleters complete flags, by name, or by command and name.
func (s *session) flagCompleters() map[string]completer {
	gateways, runbooks := only(s.gatewayList), completer(s.completeRunbooks)
	list := func(words ...string) completer {
		return only(func(*cobra.Command, []string) []cobra.Completion { return words })
	}
	byBook := func(f func(*session, string) []cobra.Completion) completer {
		return only(func(_ *cobra.Command, argv []string) []cobra.Completion {
			if len(argv) == 0 {
				return nil
			}
			return f(s, argv[0])
		})
	}
	return map[string]completer{
		"to": gateways, "gateway": gateways, "successor": gateways, "live": gateways,
		"runbook": runbooks, "demo --runbook": list(demoRunbooks...), "lab run --runbook": list(demoRunbooks...),
		"demo --sabotage": list(sabotages...),
		"param":           s.paramList,
		"choice":          only(s.choiceList),
		"dest":            only(s.destinations),
		"held-for":        only(s.reasons),
		"forward-host":    only(s.hostList),
		"type":            list("SMTP"),
		"why":             byBook((*session).states), "trace": byBook((*session).traceList),
		"plan --state": only(planStates),
		"via":          only(s.hostList),
		"dir":          folders, "state-dir": folders,
		"out": files, "diff": files, "plan": files, "by-hand": files, "bundle": files, "facts": files, "key-file": files, "baseline": files,
	}
}

func only(f func(cmd *cobra.Command, argv []string) []cobra.Completion) completer {
	return func(cmd *cobra.Command, argv []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return f(cmd, argv), cobra.ShellCompDirectiveNoFileComp
	}
}

func files(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

func folders(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// gatewayList is empty if the configuration has mistakes. It says what each
// gateway does now, if the service answers.
func (s *session) gatewayList(cmd *cobra.Command, argv []string) []cobra.Completion {
	c, err := s.configuration()
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completing)
	defer cancel()
	var names []cobra.Completion
	for _, g := range c.Gateways {
		if slices.Contains(argv, g.Name) {
			continue
		}
		what := g.Hostname
		if gw, err := s.gateway(g.Name); err == nil {
			if now, err := gw.Config(ctx); err == nil {
				what += ", " + stateWord(now) + ", " + now.Stored.Mode.String()
			}
		}
		names = append(names, cobra.CompletionWithDesc(g.Name, what))
	}
	return names
}

func (s *session) hostList(*cobra.Command, []string) []cobra.Completion {
	c, err := s.configuration()
	if err != nil {
		return nil
	}
	var names []cobra.Completion
	for _, g := range c.Gateways {
		names = append(names, cobra.CompletionWithDesc(g.Hostname, "gateway "+g.Name))
	}
	return names
}

// asked is the status of the run that the first argument names.
func (s *session) asked(cmd *cobra.Command, argv []string) (runner.Status, bool) {
	c, err := s.configuration()
	if err != nil || len(argv) == 0 {
		return runner.Status{}, false
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completing)
	defer cancel()
	st, err := present(ctx, c, argv[0])
	return st, err == nil
}

// askedState is the state whose question is open.
func (s *session) askedState(cmd *cobra.Command, argv []string) []cobra.Completion {
	st, ok := s.asked(cmd, argv)
	if !ok {
		return nil
	}
	return []cobra.Completion{cobra.CompletionWithDesc(st.State, st.Title)}
}

func (s *session) choiceList(cmd *cobra.Command, argv []string) []cobra.Completion {
	st, _ := s.asked(cmd, argv)
	var names []cobra.Completion
	for _, c := range st.Choices {
		names = append(names, cobra.CompletionWithDesc(c.Name, c.Title))
	}
	return names
}

// destinations are those that the gateway holds mail for.
func (s *session) destinations(cmd *cobra.Command, argv []string) []cobra.Completion {
	return s.queuedBy(cmd, argv, func(it gateway.Item) string { return it.Dest }) // "" is not routed yet
}

// reasons are those for which the gateway's mail is held.
func (s *session) reasons(cmd *cobra.Command, argv []string) []cobra.Completion {
	return s.queuedBy(cmd, argv, func(it gateway.Item) string { return it.Held })
}

// queuedBy counts what the gateway of a command holds by something of it.
func (s *session) queuedBy(cmd *cobra.Command, argv []string, of func(gateway.Item) string) []cobra.Completion {
	if len(argv) == 0 {
		return nil
	}
	queues, err := able[gateway.Queues](s, argv[0], "list its queues")
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completing)
	defer cancel()
	items, err := queues.List(ctx, gateway.Selection{Limit: defaultLimit})
	if err != nil {
		return nil
	}
	count := map[string]int64{}
	for _, it := range items {
		count[of(it)]++
	}
	var names []cobra.Completion
	delete(count, "")
	for name, n := range count {
		names = append(names, cobra.CompletionWithDesc(output.Safe(name), fmt.Sprintf("%d queued", n)))
	}
	slices.Sort(names)
	return names
}

// paramList are the parameters of the runbook that --runbook names, or the
// configuration.
func (s *session) paramList(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	name := ""
	if f := cmd.Flags().Lookup("runbook"); f != nil {
		name = f.Value.String()
	}
	if c, err := s.configuration(); err == nil && name == "" {
		name = c.Retire.Runbook
	}
	var list []cobra.Completion
	if doc, ok := s.draft(name); ok {
		for _, p := range doc.Params {
			list = append(list, cobra.CompletionWithDesc(p.Key.Value+"=", p.Value.Default.Value+": "+p.Value.Doc.Value))
		}
	}
	return list, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// draft reads a runbook without compiling its guards, because a shell waits.
func (s *session) draft(arg string) (*runbook.Doc, bool) {
	found, err := s.sources(arg)
	if err != nil || len(found) != 1 {
		return nil, false
	}
	doc := &runbook.Doc{}
	return doc, len(strictyaml.Decode(arg, found[0].data, doc)) == 0
}

// states are the states of a runbook with their titles.
func (s *session) states(arg string) []cobra.Completion {
	doc, ok := s.draft(arg)
	if !ok {
		return nil
	}
	var list []cobra.Completion
	for _, e := range doc.States {
		list = append(list, cobra.CompletionWithDesc(e.Key.Value, e.Value.Title.Value))
	}
	return list
}

// traceList are the traces beside a runbook.
func (s *session) traceList(arg string) []cobra.Completion {
	found, err := s.sources(arg)
	if err != nil || len(found) != 1 {
		return nil
	}
	_, source, err := s.traceFile(found[0].name)
	if err != nil {
		return nil
	}
	var doc trace.Doc
	_ = strictyaml.Decode(arg, source, &doc) // what can be read is enough
	var list []cobra.Completion
	for _, e := range doc.Traces {
		list = append(list, cobra.CompletionWithDesc(e.Key.Value, e.Value.Title.Value))
	}
	return list
}

// planStates are the states of the saved plan that --by-hand names.
func planStates(cmd *cobra.Command, _ []string) []cobra.Completion {
	f := cmd.Flags().Lookup("by-hand")
	if f == nil {
		return nil
	}
	text, err := os.ReadFile(f.Value.String())
	if err != nil {
		return nil
	}
	var p struct {
		States []struct{ ID, Title string }
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return nil
	}
	var list []cobra.Completion
	for _, st := range p.States {
		list = append(list, cobra.CompletionWithDesc(output.Safe(st.ID), output.Safe(st.Title)))
	}
	return list
}
