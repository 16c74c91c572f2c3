package check

// property is what must always be true. S properties (safety) are violated by a
// state or by a transition; L properties (liveness), by what cannot follow from
// a state. S11 is about several runs: see Pool.
type property uint8

const (
	s1 property = iota
	s2a
	s2b
	s2c
	s3
	s4
	s5
	s6
	s7
	s8
	s9
	s10
	s12
	s13
	s14
	s15
	l1
	l2
	l3
	l4
	l5
	l6
	numProperties
)

var properties = [numProperties]struct{ id, title string }{
	s1:  {"S1", "no message is stranded or lost: a gateway that is gone holds nothing and nothing leads to it; one that holds mail is stopped only if a start is the next effect; None only when mts-out, in and mts-in are empty, Inbound Only never; no route goes, and none is given to the successor, while what would take its mail carries nothing"},
	s2a: {"S2a", "while an authoritative MX names the gateway, it accepts, except during a restart"},
	s2b: {"S2b", "while a cache may hold an MX that names the gateway, or a setting of another gateway names it, it accepts, except during a restart"},
	s2c: {"S2c", "after that it refuses only temporarily, never with 5xx; nor does it begin to while a client that does not follow MX came and nobody decided about it"},
	s3:  {"S3", "the last route of an address space goes only with consent"},
	s4:  {"S4", "no message is returned because of the run without a decision that covers it, by number"},
	s5:  {"S5", "no effect happens before its intent is durable, or on a guard that was judged before a crash"},
	s6:  {"S6", "no move of the world falsifies the guard of a destructive effect"},
	s7:  {"S7", "no effect that counts happens twice"},
	s8:  {"S8", "a destructive effect follows a decision on the configuration as it still is"},
	s9:  {"S9", "no mail is sent where its way leads back"},
	s10: {"S10", "abort is safe from everywhere, and reaches its end"},
	s12: {"S12", "what an abort leaves is the configuration of before, except one that held mail back"},
	s13: {"S13", "success is claimed only if it is so"},
	s14: {"S14", "mail older than release_max_age leaves by the run's doing only after a decision that names it"},
	s15: {"S15", "what is still to be sent leaves under a name that has its address, PTR and SPF; no domain begins to say that nobody sends while another gateway does"},
	l1:  {"L1", "no message is trapped where neither time nor an answer about it moves it; in a service that the run has stopped, only time counts"},
	l2:  {"L2", "every run ends, or waits for a person, and never turns in a circle"},
	l3:  {"L3", "from wherever a run waits, some answer leads to an end; from every start, success can be reached"},
	l4:  {"L4", "mail that does not move is reported as a stall, before a time-out"},
	l5:  {"L5", "when a run has ended, all mail in the gateway leaves by itself"},
	l6:  {"L6", "a crash changes nothing about where a run can end"},
}

// set is a set of properties.
type set uint32

func (s set) has(p property) bool { return s&(1<<p) != 0 }

func (s *set) add(p property, is bool) {
	if is {
		*s |= 1 << p
	}
}
