package model

import "example.org/ims/pkg/machine"

// Flags of the gateway that covers what this one does, and of the successor.
const (
	Mutes  Flags = 1 << 11 // the successor may stop sending, though it accepts; never changes
	Mute   Flags = 1 << 12 // it sends nothing
	Comes  Flags = 1 << 13 // another gateway may begin to carry mail beside the only one; never changes
	Wavers Flags = 1 << 23 // the other gateway may stop carrying mail, though the routes stay; never changes
	Idle   Flags = 1 << 24 // it carries nothing: Inbound Only, None, or stopped
)

// Swallowed is how many address spaces and sites another gateway would take and
// not carry: a black hole, of which no sender is told.
func (w *World) Swallowed() int {
	if !w.Other || w.Flags&Idle == 0 {
		return 0
	}
	return int(bit(w.Spaces) + bit(w.Sites))
}

// Gives reports whether an effect leaves address spaces to the successor, its
// part or all but the rest.
func Gives(args *machine.Args) bool { return split(args) != 0 }

// Silences reports whether an effect says that domains take no mail, or that
// nobody sends for them.
func Silences(args *machine.Args) bool { return record(args)&(Null|SPFNone) != 0 }

// other appends what becomes of other gateways: one that wavers stops carrying
// mail, or does again; one beside a gateway that is to be the last comes and goes.
func other(buf []Step, w *World) []Step {
	add := func(m Move) *World {
		buf = append(buf, Step{m, *w})
		return &buf[len(buf)-1].To
	}
	toggle := func(f Flags, stops, resumes Move) {
		m := stops
		if w.Flags&f != 0 {
			m = resumes
		}
		add(m).Flags ^= f
	}
	if w.Flags&Wavers != 0 {
		toggle(Idle, OtherIdles, OtherCarries)
	}
	if w.Flags&Mutes != 0 {
		toggle(Mute, SuccessorMute, SuccessorSends)
	}
	switch {
	case w.Flags&Alone == 0:
	case w.Other:
		add(OtherGoes).Other = false
	case w.Flags&Comes != 0:
		add(OtherComes).Other = true
	}
	return buf
}
