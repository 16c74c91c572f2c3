// Package runbook reads a runbook: a YAML file that describes a procedure as
// a state machine. It checks everything that can be checked without touching
// the world, reports every mistake at once with its place, and compiles the
// result into a machine.Def with its guards.
//
// A runbook has flat states, each exactly one of do, wait, approve, assert and
// end. `then` maps every result that the kind of state can have to another
// state, or to `operator` (a person decides) or `reobserve` (look again);
// nothing falls through. A guard asks of a count only whether it is 0, because
// that is all that a proof can know of it. Every wait is bounded, every guard says why it
// matters and what makes it true, every effect says how it is undone, and
// every state cites the historical step it encodes or the property that made
// us add it.
package runbook

import (
	"time"

	"example.org/ims/internal/strictyaml"
)

// Doc is a runbook as written.
type Doc struct {
	APIVersion strictyaml.Text                 `yaml:"apiVersion"`
	Kind       strictyaml.Text                 `yaml:"kind"`
	Metadata   Metadata                        `yaml:"metadata"`
	Params     strictyaml.Map[Param]           `yaml:"params"`
	Assume     strictyaml.Map[strictyaml.Text] `yaml:"assume"`
	Defaults   Defaults                        `yaml:"defaults"`
	Begins     strictyaml.Text                 `yaml:"begins"` // serving, stopped, alone, joining; serving if it is not said
	Start      strictyaml.Text                 `yaml:"start"`
	States     strictyaml.Map[StateDoc]        `yaml:"states"`

	File   string
	Source []byte
	Digest string // SHA-256 of Source, hexadecimal
}

// Metadata names a runbook. Name equals the file's name without its ending.
type Metadata struct {
	Name   strictyaml.Text `yaml:"name"`
	Title  strictyaml.Text `yaml:"title"`
	Origin strictyaml.Text `yaml:"origin"`
}

// Param is a parameter that a run may set: `${name}` stands for its value.
type Param struct {
	Type    strictyaml.Text `yaml:"type"` // duration, text
	Default strictyaml.Text `yaml:"default"`
	Doc     strictyaml.Text `yaml:"doc"`
}

// Defaults apply to states that do not say otherwise.
type Defaults struct {
	Retry RetryDoc                        `yaml:"retry"`
	Poll  strictyaml.Text                 `yaml:"poll"`
	Then  strictyaml.Map[strictyaml.Text] `yaml:"then"`
}

// RetryDoc is how often a transient refusal is tried again.
type RetryDoc struct {
	Max    uint8           `yaml:"max"`
	First  strictyaml.Text `yaml:"first"`
	Factor float64         `yaml:"factor"`
	Cap    strictyaml.Text `yaml:"cap"`
}

// StateDoc is a state as written.
type StateDoc struct {
	strictyaml.At
	Title   strictyaml.Text                 `yaml:"title"`
	Cite    []strictyaml.Text               `yaml:"cite"`
	Because strictyaml.Text                 `yaml:"because"`
	Risk    strictyaml.Text                 `yaml:"risk"`
	Pre     []Cond                          `yaml:"pre"`
	Do      *DoDoc                          `yaml:"do"`
	Undo    *UndoDoc                        `yaml:"undo"`
	Retry   *RetryDoc                       `yaml:"retry"`
	Wait    *WaitDoc                        `yaml:"wait"`
	Approve *ApproveDoc                     `yaml:"approve"`
	Assert  []Cond                          `yaml:"assert"`
	End     strictyaml.Text                 `yaml:"end"`
	Then    strictyaml.Map[strictyaml.Text] `yaml:"then"`
}

// Cond is one condition: a guard, why it matters, and what makes it true.
type Cond struct {
	That strictyaml.Text `yaml:"that"`
	Why  strictyaml.Text `yaml:"why"`
	Fix  strictyaml.Text `yaml:"fix"`
}

// DoDoc is an effect.
type DoDoc struct {
	Action strictyaml.Text `yaml:"action"`
	With   WithDoc         `yaml:"with"`
}

// WithDoc holds an action's arguments; machine.ActionName.Forms says which each
// action takes.
type WithDoc struct {
	strictyaml.At
	Gateway     strictyaml.Text   `yaml:"gateway"` // "successor"; without it, the gateway of the run
	Mode        strictyaml.Text   `yaml:"mode"`
	Refuse      strictyaml.Text   `yaml:"refuse"`
	Retry       []strictyaml.Text `yaml:"retry"`
	Timeouts    strictyaml.Text   `yaml:"timeouts"`
	Restart     bool              `yaml:"restart"`
	Running     strictyaml.Text   `yaml:"running"`
	Empty       bool              `yaml:"empty"`
	Spaces      []strictyaml.Text `yaml:"spaces"` // "TYPE:PATTERN COST", several separated by commas
	Type        strictyaml.Text   `yaml:"type"`
	Successor   strictyaml.Text   `yaml:"successor"`
	NullMX      bool              `yaml:"null_mx"`
	Also        bool              `yaml:"also"`
	SPF         strictyaml.Text   `yaml:"spf"`
	Drain       bool              `yaml:"drain"`
	Select      strictyaml.Text   `yaml:"select"`
	OlderThan   strictyaml.Text   `yaml:"older_than"`
	MaxInbound  strictyaml.Text   `yaml:"max_inbound"`
	MaxOutbound strictyaml.Text   `yaml:"max_outbound"`
	Discard     bool              `yaml:"discard"`
}

// UndoDoc says how an effect is undone: exactly one of the three.
type UndoDoc struct {
	strictyaml.At
	Restore    bool            `yaml:"restore"`
	Nothing    strictyaml.Text `yaml:"nothing"`    // why there is nothing to undo
	Impossible strictyaml.Text `yaml:"impossible"` // why it cannot be undone
}

// WaitDoc is a wait.
type WaitDoc struct {
	strictyaml.At
	Until   []Cond          `yaml:"until"`
	Drift   []Cond          `yaml:"drift"` // when these pass, the world has drifted
	For     strictyaml.Text `yaml:"for"`
	Poll    strictyaml.Text `yaml:"poll"`
	Timeout strictyaml.Text `yaml:"timeout"`
	Follows strictyaml.Text `yaml:"follows"` // a clock fact: the time-out counts from its expiry
	Stall   *StallDoc       `yaml:"stall"`
}

// StallDoc says what must keep falling. A wait that cannot stall says why.
type StallDoc struct {
	Of   strictyaml.Text `yaml:"of"`
	For  strictyaml.Text `yaml:"for"`
	None strictyaml.Text `yaml:"none"`
}

// ApproveDoc is a question to people.
type ApproveDoc struct {
	When    []Cond                    `yaml:"when"`
	Ask     strictyaml.Text           `yaml:"ask"`
	Min     uint8                     `yaml:"min"`
	From    []strictyaml.Text         `yaml:"from"`
	NotSelf bool                      `yaml:"not_self"`
	Expires strictyaml.Text           `yaml:"expires"`
	Shows   []strictyaml.Text         `yaml:"shows"`
	Grants  strictyaml.Text           `yaml:"grants"`
	Names   strictyaml.Text           `yaml:"names"`
	Choices strictyaml.Map[ChoiceDoc] `yaml:"choices"`
}

// ChoiceDoc is one answer of several.
type ChoiceDoc struct {
	Title  strictyaml.Text `yaml:"title"`
	To     strictyaml.Text `yaml:"to"`
	Grants strictyaml.Text `yaml:"grants"`
	Names  strictyaml.Text `yaml:"names"`
}

// Binding is what a run fixes about a runbook when it opens.
type Binding struct {
	Gateway   string            `json:"gateway"`
	Successor string            `json:"successor"`
	Domains   []string          `json:"domains"` // one dns.rrset target each
	Params    map[string]string `json:"params"`  // values that differ from the defaults
	// Places say where each of Params was given: mistakes in it are there.
	Places map[string]strictyaml.Pos `json:"-"`
}

// Duration is a resolved duration parameter of a book.
func (b *Book) Duration(param string) (time.Duration, bool) {
	d, err := strictyaml.ParseDuration(b.Params[param])
	return d, err == nil
}
