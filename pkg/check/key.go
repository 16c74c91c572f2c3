package check

import (
	"math/bits"

	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// key is a state, of the world and of the machine, packed. Two states are the
// same if their keys are equal.
type key [5]uint64

func pack(s machine.State, w *model.World) key {
	p := w.Pack()
	m := uint64(s.Cur) | uint64(s.Phase)<<8 | uint64(s.Looks)<<11 | uint64(s.Why)<<16 | uint64(s.Target)<<24 | uint64(s.Attempt)<<32 |
		uint64(s.Grants)<<40 | uint64(s.Timers)<<48
	if s.Undoing {
		m |= 1<<56 | uint64(s.Back)<<57
	}
	return key{p[0], p[1], p[2], m, s.Changed}
}

func (k *key) unpack() (machine.State, model.World) {
	p := model.Pack{k[0], k[1], k[2]}
	return k.machine(), p.Unpack()
}

func (k *key) machine() machine.State {
	m := k[3]
	return machine.State{
		Cur: uint8(m), Phase: machine.Phase(m >> 8 & 7), Looks: uint8(m >> 11 & 31), Why: machine.Result(uint8(m >> 16)), Target: uint8(m >> 24),
		Attempt: uint8(m >> 32), Grants: uint8(m >> 40), Timers: uint8(m >> 48), Undoing: m>>56&1 == 1, Back: uint8(m >> 57), Changed: k[4],
	}
}

func (k *key) hash() uint64 {
	const a, b = 0x9e3779b97f4a7c15, 0xd6e8feb86659fd93
	h := k[0]*a ^ bits.RotateLeft64(k[3]*b, 31)
	hi, lo := bits.Mul64(h^k[1]^bits.RotateLeft64(k[2], 17), b^k[4])
	hi2, lo2 := bits.Mul64(hi^lo^a, k[0]^bits.RotateLeft64(k[3], 29)^b)
	return hi2 ^ lo2
}

// table finds the number of a state by its key: open addressing, at most two
// thirds full, each slot the upper half of a hash and a state's number plus one.
type table struct {
	slots []uint64
	mask  uint64
}

const emptySlots = 1 << 12

func newTable() table { return table{make([]uint64, emptySlots), emptySlots - 1} }

// bytes is what the table takes until it holds n states: while it grows, the
// one that it is copied from is there, too.
func (t *table) bytes(n int) int64 {
	slots := int64(len(t.slots))
	grows := int64(0)
	for int64(n)*3 >= slots*2 {
		grows, slots = slots, 2*slots
	}
	return (grows + slots) * slotBytes
}

// find returns the number of k among states, or where in the table it belongs.
func (t *table) find(states *list[key], k *key, h uint64) (n int32, slot uint64, found bool) {
	tag := h >> 32
	for i := h & t.mask; ; i = (i + 1) & t.mask {
		s := t.slots[i]
		if s == 0 {
			return 0, i, false
		}
		if s>>32 == tag && *states.at(int(uint32(s)) - 1) == *k {
			return int32(uint32(s) - 1), i, true
		}
	}
}

// put notes the newest key at the place that find gave.
func (t *table) put(states *list[key], slot, h uint64) {
	t.slots[slot] = h>>32<<32 | uint64(states.len())
	if uint64(states.len())*3 < t.mask*2 {
		return
	}
	old := t.slots
	t.slots = make([]uint64, 2*len(old))
	t.mask = uint64(len(t.slots) - 1)
	for _, s := range old {
		if s == 0 {
			continue
		}
		i := states.at(int(uint32(s))-1).hash() & t.mask
		for t.slots[i] != 0 {
			i = (i + 1) & t.mask
		}
		t.slots[i] = s
	}
}
