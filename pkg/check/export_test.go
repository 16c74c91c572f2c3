package check

import "example.org/ims/pkg/machine"

// Step is the machine's step.
type Step = func(machine.State, machine.Event) machine.State

// Broken lets a check explore a machine that was broken on purpose.
func Broken(o Options, breakIt func(*machine.Def) Step) Options {
	o.step = breakIt
	return o
}
