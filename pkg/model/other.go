package model

// Flags of the gateway that covers what this one does.
const (
	Wavers Flags = 1 << 23 // it may stop carrying mail, though the routes stay; never changes
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

// other appends what becomes of the other gateway: one that wavers stops
// carrying mail, or does again; one beside a gateway that is to be the last goes.
func other(buf []Step, w *World) []Step {
	if w.Flags&Wavers != 0 {
		m := OtherIdles
		if w.Flags&Idle != 0 {
			m = OtherCarries
		}
		buf = append(buf, Step{m, *w})
		buf[len(buf)-1].To.Flags ^= Idle
	}
	if w.Flags&Alone != 0 && w.Other {
		buf = append(buf, Step{OtherGoes, *w})
		buf[len(buf)-1].To.Other = false
	}
	return buf
}
