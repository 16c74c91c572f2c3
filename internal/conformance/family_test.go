package conformance

import (
	"io/fs"
	"slices"
	"strings"
	"sync"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
	"example.org/ims/pkg/runbook"
	"example.org/ims/runbooks"
)

// family is what a runbook is about: the worlds in which it may begin, what it
// wants of them, and what it does to them.
type family struct {
	name   string
	params map[string]string
	own    []op // ops that only some families have
	lacks  []op // ops of all others
	book   *runbook.Book
	wish   wish
	asked  map[facts.ID]bool // what its guards name
}

// Ops that belong to some families.
var (
	moving = []op{"move mx"}
	aging  = []op{
		"hold what is old", "release what is held", "return what is held", "export what is held", "decide on old mail",
		"hold what is old", "decide on old mail",
	}
	replacing = []op{"drain A", "drain AAAA", "drain PTR", "drain SPF", "flip A", "flip AAAA"}
	ending    = []op{"null mx", "spf none", "null mx", "another gets routes", "another loses its routes"}
	joining   = []op{"split here", "split next", "limit here", "limit next", "name next"}
	lonely    = []op{
		"successor fails", "successor back", "successor sends nothing", "successor sends again", "settings taken", "decide on what differs",
	}
	leaving = []op{"remove spaces", "remove the gateway", "decide on what has no route"}
)

// families have a runbook for each kind of start and of wish. Spaces and limits
// of add-successor are such that nothing is as wanted yet, and that what the
// successor gets does not cover the rest.
var families = sync.OnceValue(func() []*family {
	all := []*family{
		{name: "q285090", own: slices.Concat(moving, aging)},
		{name: "rescue", own: slices.Concat(moving, aging)},
		{name: "replace", own: slices.Concat(replacing, aging)},
		{name: "last-gateway", own: slices.Concat(ending, aging), lacks: lonely},
		{name: "add-successor", own: joining, lacks: leaving, params: map[string]string{
			"next_spaces": nextSpaces, "here_spaces": hereSpaces,
			"next_inbound": "40", "next_outbound": "40", "here_inbound": "20", "here_outbound": "20",
		}},
	}
	for _, f := range all {
		f.bind()
	}
	return all
})

const (
	nextSpaces = "SMTP:*@" + far + " 1"
	hereSpaces = "SMTP:* 5"
)

// bind reads the runbook; one that cannot be read is a mistake of the tests.
func (f *family) bind() {
	src, err := fs.ReadFile(runbooks.FS, f.name+".yaml")
	if err != nil {
		panic(err)
	}
	doc, mistakes := runbook.Load(f.name+".yaml", src)
	if mistakes != nil {
		panic(mistakes)
	}
	b := runbook.Binding{Gateway: east, Successor: west, Domains: []string{domain}, Params: f.params}
	if f.alone() {
		b.Successor = ""
	}
	if f.book, mistakes = runbook.Bind(doc, b); mistakes != nil {
		panic(mistakes)
	}
	f.wish, f.asked = wishOf(f.book.Def), map[facts.ID]bool{}
	for _, g := range f.book.Guards {
		for _, id := range g.Refs() {
			f.asked[id] = true
		}
	}
}

func (f *family) alone() bool   { return f.name == "last-gateway" }
func (f *family) joining() bool { return f.name == "add-successor" }

// observed reports whether a fact that costs something to find out is found out:
// where no guard asks, nobody looks.
func (f *family) observed(id facts.ID) bool {
	switch id {
	case facts.GwAged, facts.SpfNone, facts.DrainNamed, facts.NextLimited, facts.NextSplit:
		return f.asked[id]
	case facts.NameHere, facts.NameWanted, facts.NameAgree, facts.NameExpired:
		return f.name == "replace"
	case facts.NextNamed: // elsewhere it is not asked whether the MX names both
		return f.wish.also
	}
	return true
}

// may reports whether an op is one of the family's.
func (f *family) may(o op) bool {
	for _, some := range [][]op{moving, aging, replacing, ending, joining} {
		if slices.Contains(some, o) {
			return slices.Contains(f.own, o)
		}
	}
	return !slices.Contains(f.lacks, o)
}

// beginning is where a sequence begins.
type beginning struct {
	*family
	model.Start
}

func (b beginning) String() string { return b.name + ": " + b.Words }

// beginnings are the worlds in which a sequence may begin, with all that can
// happen in them. There is one domain, so a successor cannot take some; and no
// report waits from the beginning.
var beginnings = sync.OnceValue(func() (all []beginning) {
	for _, f := range families() {
		for _, s := range bounds.Starts(f.book.Def.Begins) {
			s.World.Flags &^= model.Calm | model.Lean
			s.Words = strings.TrimSuffix(s.Words, "; no user sends")
			covered := s.World.Covers || f.alone()
			named := s.World.MXPrimary || f.name != "replace" // who takes over by a name, takes over what leads to it
			if s.World.MTSRep == 0 && covered && named {
				all = append(all, beginning{f, s})
			}
		}
		if f.book.Def.Begins == machine.BeginsServing { // what has no other route is not taken over
			s := bounds.Starts(machine.BeginsServing)[3]
			s.World.Differs = true
			s.Words += "; nobody said that the successor need not have it"
			all = append(all, beginning{f, s})
		}
	}
	return all
})

// of are the beginnings of a family.
func of(name string) []beginning {
	return slices.DeleteFunc(slices.Clone(beginnings()), func(b beginning) bool { return b.name != name })
}
