package lab

import _ "embed" // of a runbook

// FolkName is the name of the runbook that people follow who read none.
const FolkName = "folk"

// Folk is that runbook: stop it, delete it. It loses mail, and a lab shows
// which.
//
//go:embed folk.yaml
var Folk string
