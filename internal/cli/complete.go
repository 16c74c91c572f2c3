package cli

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/pkg/gateway"
)

// completing bounds what a shell waits for after a press of Tab.
const completing = time.Second

// completeSite completes a flag with the configured sites.
func (s *session) completeSite(*cobra.Command) []string {
	c, err := s.configuration()
	if err != nil {
		return nil
	}
	var names []string
	for _, site := range c.Organization.Sites {
		names = append(names, site.Name)
	}
	return names
}

// completeEntry completes an id, after a gateway, with the messages in its queues.
func (s *session) completeEntry(cmd *cobra.Command, argv []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	queues, err := able[gateway.Queues](s, argv[0], "list its queues")
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completing)
	defer cancel()
	items, err := queues.List(ctx, gateway.Selection{Limit: 100})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var ids []cobra.Completion
	for _, it := range items {
		ids = append(ids, cobra.CompletionWithDesc(it.Message, output.Safe(it.Store.Title()+", to "+cmp.Or(it.Dest, rcptsWord(it.Rcpts)))))
	}
	return slices.Compact(ids), cobra.ShellCompDirectiveNoFileComp
}

// completePattern completes a flag with a gateway's address spaces.
func (s *session) completePattern(cmd *cobra.Command) []string {
	argv := cmd.Flags().Args()
	if len(argv) == 0 {
		return nil
	}
	gw, err := s.gateway(argv[0])
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completing)
	defer cancel()
	c, err := gw.Config(ctx)
	if err != nil {
		return nil
	}
	var patterns []string
	for _, sp := range c.Spaces {
		patterns = append(patterns, sp.Pattern)
	}
	return patterns
}

// completeRunbook completes one argument with the shipped runbooks, or files.
func (s *session) completeRunbook(cmd *cobra.Command, argv []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(argv) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeRunbooks(cmd, argv, word)
}

// completeRunbooks completes any number of arguments with them.
func (s *session) completeRunbooks(_ *cobra.Command, argv []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	names, err := s.shipped()
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var list []cobra.Completion
	for _, name := range names {
		if !slices.Contains(argv, name) {
			list = append(list, cobra.CompletionWithDesc(name, s.runbookTitle(name)))
		}
	}
	return list, cobra.ShellCompDirectiveDefault
}

// runbookTitle is the title of a shipped runbook, or nothing.
func (s *session) runbookTitle(name string) string {
	doc, ok := s.draft(name)
	if !ok {
		return ""
	}
	return doc.Metadata.Title.Value
}

// completeFolder completes a flag with folders.
func completeFolder(cmd *cobra.Command, flag string) {
	if err := cmd.MarkFlagDirname(flag); err != nil {
		panic(err) // the flag is added by the caller, just before
	}
}

// completeState completes a runbook, and then one of its states.
func (s *session) completeState(cmd *cobra.Command, argv []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(argv) != 1 {
		return s.completeRunbook(cmd, argv, word)
	}
	return s.states(argv[0]), cobra.ShellCompDirectiveNoFileComp
}
