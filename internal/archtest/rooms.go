// Package archtest holds the plan of the house: which room may import which,
// and why. Its tests compare the plan with the code, so an arrow that nobody
// decided, a room that nobody placed, or a dependency that leaks out of its
// room fails the build. It refuses to be convenient: whoever adds a room or an
// arrow writes the reason here, in the same commit.
package archtest

import "maps"

// arrows are the rooms that a room may import, each with the reason.
type arrows map[string]string

// room is the place of a package in the plan.
type room struct {
	imports arrows
	tests   arrows // what its tests may import beside that

	knowsAll bool // may import every room that production code is made of
}

// Reasons that several rooms share.
const (
	theContract = "the contract that it implements"
	theSuite    = "the conformance suite of its contract"
	theWords    = "the vocabulary of gateways: modes, stores, settings"
	theRecords  = "the events that accounting is made from"
	theMachine  = "the machine whose steps it performs or predicts"
	theFacts    = "facts are what guards are about"
	theGuards   = "judges the guards that the machine asks for"
	theMail     = "the types that the parts of the mail service share"
	theMistakes = "mistakes in files have places"
	theNearest  = "names the nearest valid word"
	theAddress  = "an address is parsed and compared in one place"
	theRules    = "the rules of routing are pure, and the same for every organization"
	theServers  = "name servers on loopback for tests"
	theRights   = "who may do what at a socket is decided in one place"
	elsewhere   = "a killed runner whose gateways and zone live in another process"
	theSettings = "a setting has one name, one text and one command"
	theFiles    = "tests against the spool as it is"
	theForm     = "what is hashed has one form"
	thePatience = "one look asks whoever is silent once"
	theVerdicts = "says ready, asks, unknown or blocked as all do"
)

// house is every room of the module. What is not written is forbidden.
var house = joined(inside, outside)

func joined(parts ...map[string]room) map[string]room {
	all := map[string]room{}
	for _, p := range parts {
		maps.Copy(all, p)
	}
	return all
}

// inside are all rooms but the mail service and the adapters.
var inside = map[string]room{
	"cmd/ims": {imports: arrows{
		"internal/cli":  "runs the command line",
		"internal/wire": "hands the real dependencies to it",
	}, tests: arrows{
		"internal/mail/sink":   "mail hosts for the acceptance scripts",
		"internal/conformance": "demonstrated runs are compared with the model",
		"pkg/model":            "the model that they are compared with",

		"internal/gateway/mem":  "a gateway with much mail, to measure the monitor with",
		"internal/mail/control": "a socket to watch it over",
		"internal/mail/routing": theRules,
		"pkg/gateway":           theWords,
	}},
	"runbooks": {},

	// The core: pure, and free of everything below.
	"pkg/facts":   {},
	"pkg/machine": {imports: arrows{"pkg/facts": "grants and metrics are facts"}},
	"pkg/guard": {imports: arrows{
		"pkg/machine":      "a verdict is the machine's",
		"pkg/facts":        theFacts,
		"internal/suggest": theNearest,
	}},
	"pkg/runbook": {imports: arrows{
		"pkg/machine":         "a runbook compiles to a machine",
		"pkg/facts":           "parameters and grants name facts",
		"pkg/guard":           "guards are compiled when a runbook is bound",
		"internal/strictyaml": theMistakes,
		"internal/suggest":    theNearest,
	}, tests: arrows{"runbooks": "the shipped runbooks must load"}},
	"pkg/trace": {imports: arrows{
		"pkg/machine":         "steps the real machine",
		"pkg/guard":           theGuards,
		"pkg/facts":           theFacts,
		"pkg/runbook":         "traces are ways through a bound runbook",
		"internal/strictyaml": theMistakes,
		"internal/suggest":    theNearest,
	}, tests: arrows{"runbooks": "the traces of the shipped runbooks must hold"}},
	"pkg/ledger": {},
	"pkg/model": {imports: arrows{
		"pkg/machine": "its transitions are the machine's actions",
		"pkg/facts":   "its state is read as facts",
		"pkg/ledger":  "its mail obeys the conservation law",
	}},
	"pkg/check": {imports: arrows{
		"pkg/machine": "explores the real step",
		"pkg/model":   "explores it in the abstract world",
		"pkg/guard":   theGuards,
		"pkg/facts":   "shows guards what an observation would",
	}, tests: arrows{
		"pkg/runbook": "proves runbooks",
		"runbooks":    "proves the shipped ones",
	}},

	// Contracts.
	"pkg/gateway":             {imports: arrows{"pkg/ledger": theRecords}},
	"pkg/gateway/gatewaytest": {imports: arrows{"pkg/gateway": theContract, "pkg/ledger": theRecords}},
	"pkg/zone":                {},
	"pkg/zone/zonetest":       {imports: arrows{"pkg/zone": theContract}},

	// Leaves.
	"internal/suggest":    {},
	"internal/jcs":        {},
	"internal/strictyaml": {imports: arrows{"internal/suggest": theNearest}},
	"internal/output":     {},
	"internal/access":     {},
	"internal/patience":   {},
	"internal/archtest":   {},
	"internal/setting":    {imports: arrows{"pkg/gateway": theWords}},
	"internal/dependents": {imports: arrows{
		"pkg/gateway":      "reads and changes gateways through the contract",
		"internal/setting": theSettings,
	}, tests: arrows{"internal/gateway/mem": "gateways that name each other"}},
	"internal/compare": {imports: arrows{"pkg/gateway": theWords, "internal/setting": theSettings}},
	"internal/testsum": {},

	// Shells: never an adapter, never each other.
	"internal/journal": {imports: arrows{"internal/jcs": theForm, "pkg/machine": "its records are the machine's", "pkg/facts": "records hold observed facts"}},
	"internal/engine": {imports: arrows{
		"internal/journal": "intent before effect",
		"pkg/machine":      theMachine,
		"pkg/facts":        theFacts,
		"pkg/guard":        theGuards,
		"pkg/runbook":      "performs a bound runbook",
		"pkg/gateway":      "acts through the contract",
		"pkg/zone":         "acts through the contract",
		"pkg/ledger":       "accounts for messages",
	}, tests: arrows{
		"internal/conformance":     "runs are compared with the model",
		"pkg/model":                "the model that they are compared with",
		"internal/world/worldtest": "a small organization",
		"internal/gateway/fault":   "answers that get lost",
		"runbooks":                 "crash and abort tests perform the shipped runbooks",
		"internal/world":           "the world that its wiring gives it",
		"internal/gateway/mem":     "a gateway that can be crashed between two lines",
		"internal/dns/mem":         "a zone that can be crashed between two lines",
	}},
	"internal/world": {imports: arrows{
		"internal/compare":    "sees what the successor has taken over",
		"internal/patience":   thePatience,
		"internal/dependents": "changes what names a gateway elsewhere",
		"internal/engine":     "implements the world that the engine asks for",
		"pkg/machine":         "performs the machine's actions",
		"pkg/facts":           "observes the world as facts",
		"pkg/gateway":         "acts on gateways through the contract",
		"pkg/zone":            "acts on zones through the contract",
		"pkg/ledger":          "accounts for messages",
		"pkg/runbook":         "knows what a run is bound to",
		"pkg/guard":           theGuards,
	}, tests: arrows{
		"internal/gateway/fault":   "answers that get lost",
		"internal/gateway/mem":     "a gateway to act on",
		"internal/dns/mem":         "a zone to act on",
		"internal/world/worldtest": "a small organization",
		"runbooks":                 "the shipped runbooks must find their facts",
	}},
	"internal/world/worldtest": {imports: arrows{
		"internal/world":        "sets a small organization up",
		"internal/dependents":   "what of it names another part",
		"internal/engine":       "implements the world that the engine asks for",
		"internal/gateway/mem":  "its gateways",
		"internal/dns/mem":      "its zone",
		"internal/mail/routing": theRules,
		"pkg/facts":             theFacts,
		"pkg/gateway":           theWords,
		"pkg/ledger":            theRecords,
		"pkg/machine":           theMachine,
		"pkg/runbook":           "binds runbooks to its gateway",
		"pkg/zone":              "its RRsets",
		"runbooks":              "the shipped runbooks",
	}},
	"internal/conformance": {imports: arrows{
		"internal/engine":  "reads the records of runs",
		"internal/journal": "reads the journals of runs",
		"pkg/facts":        theFacts,
		"pkg/machine":      "follows a run through its machine",
		"pkg/model":        "the abstract world that is compared with what is real",
		"pkg/runbook":      "a journal names the runbook that it is of",
	}, tests: arrows{
		"internal/compare":       "differences that somebody waived",
		"runbooks":               "runs of the shipped runbooks",
		"internal/dns/mem":       "a zone around the gateway",
		"internal/mail/address":  theAddress,
		"internal/mail/delivery": "resolves names in a network of pipes",
		"internal/mail/probe":    "asks what a client would be told",
		"internal/mail/routing":  theRules,
		"internal/mail/service":  "the gateway that is compared",
		"internal/mail/smtpd":    "hosts that answer as told",
		"internal/mail/spool":    "a disk in memory",
		"internal/world":         "observes and changes the gateway as a run does",
		"pkg/gateway":            theWords,
		"pkg/zone":               "an MX to move",
	}},
	"internal/verdict": {imports: arrows{
		"pkg/machine": "knows what a state asks of people",
	}},
	"internal/plan": {imports: arrows{
		"internal/jcs":     theForm,
		"internal/setting": "binds to each setting by the name that its flag has",
		"internal/verdict": theVerdicts,
		"pkg/machine":      theMachine,
		"pkg/facts":        theFacts,
		"pkg/guard":        theGuards,
		"pkg/runbook":      "plans a bound runbook",
		"pkg/model":        "the abstract world that the dry run moves in",
		"pkg/gateway":      theWords,
		"pkg/zone":         "an RRset is part of a plan",
		"pkg/ledger":       "predicts the fate of every message",
	}, tests: arrows{
		"internal/world/worldtest": "a small organization",
		"runbooks":                 "plans the shipped runbooks",
		"internal/gateway/mem":     "a gateway to plan for",
		"internal/dns/mem":         "a zone to plan for",
	}},
	"internal/preflight": {imports: arrows{
		"pkg/machine":      "which states come before which, and what they change",
		"pkg/facts":        theFacts,
		"pkg/guard":        theGuards,
		"pkg/runbook":      "judges the guards of a bound runbook",
		"pkg/gateway":      "knows how a gateway stands, and an answer that did not come",
		"internal/plan":    "judges what a run would find as a dry run predicts it",
		"internal/setting": theSettings,
		"internal/suggest": theNearest,
		"internal/verdict": theVerdicts,
	}, tests: arrows{
		"runbooks":  "judges the shipped runbooks",
		"pkg/model": "what an effect changes, it changes there",
		"pkg/zone":  "an MX to read before it is moved",
	}},
	"internal/notify": {imports: arrows{
		"pkg/facts":   theFacts,
		"pkg/ledger":  "tells the account of messages, set by set",
		"pkg/machine": "tells what a run's records mean",
		"pkg/runbook": "knows titles and conditions of states",
	}, tests: arrows{"runbooks": "tells of a shipped runbook"}},
	"internal/runner": {imports: arrows{
		"internal/notify":  "tells people what happens in its runs",
		"internal/access":  theRights,
		"internal/engine":  "hosts it",
		"internal/journal": "is the only writer of journals",
		"pkg/machine":      "shows where a run stands",
		"pkg/facts":        "shows what was observed",
		"pkg/guard":        "shows what is missing",
		"pkg/runbook":      "opens runs of bound runbooks",
		"pkg/gateway":      theWords,
		"pkg/zone":         "an RRset is part of what a run shows",
		"pkg/ledger":       "shows the account of messages",
	}, tests: arrows{
		"pkg/zone":                  "puts an old MX back",
		"internal/world/worldtest":  "a small organization",
		"runbooks":                  "hosts the shipped runbooks",
		"internal/world":            "the world that its wiring gives it",
		"internal/gateway/mem":      "a gateway to retire",
		"internal/dns/mem":          "a zone to change",
		"internal/mail/control":     elsewhere,
		"internal/gateway/embedded": elsewhere,
		"internal/dns/rfc2136":      elsewhere,
		"internal/dns/tsig":         elsewhere,
		"internal/dns/watch":        elsewhere,
		"internal/dns/server":       elsewhere,
		"internal/dns/dnstest":      elsewhere,
	}},

	// People.
	"internal/report": {imports: arrows{
		"internal/runner":  "reads what the journal knows of a run",
		"internal/journal": "checks the chain of an export",
		"internal/compare": "shows what the successor had taken over",
		"pkg/facts":        "draws and explains what was observed",
		"pkg/ledger":       "accounts for every message",
		"pkg/machine":      "tells what people decided",
		"pkg/runbook":      "knows after how long a silence nobody looked",
	}, tests: arrows{
		"internal/access":          theRights,
		"internal/engine":          "the world of a run",
		"internal/gateway/mem":     "sends mail",
		"internal/world/worldtest": "a small organization",
		"internal/plan":            "a plan as a run keeps it",
	}},
	"internal/config": {imports: arrows{
		"internal/strictyaml": theMistakes,
		"internal/suggest":    theNearest,
		"pkg/gateway":         "reads modes, spaces and settings",
		"pkg/zone":            "reads names and RRsets",
		"pkg/runbook":         "reads parameters of runbooks",
		"internal/notify":     "reads whom it tells, and tries their templates",
	}},
	"internal/cli": {imports: arrows{
		"internal/access":     "tells who may not apart from what cannot be done",
		"internal/output":     "prints",
		"internal/patience":   thePatience,
		"internal/config":     "reads ims.yaml",
		"internal/runner":     "is a client of the runner",
		"internal/plan":       "shows dry runs",
		"internal/notify":     "tries whether people are told",
		"internal/report":     "writes and checks the evidence of a run",
		"internal/preflight":  "shows what stands in the way",
		"internal/verdict":    theVerdicts,
		"internal/compare":    "shows what a successor has taken over",
		"internal/dependents": "shows who names a gateway",
		"internal/setting":    theSettings,
		"internal/strictyaml": theMistakes,
		"internal/suggest":    theNearest,
		"internal/tui":        "shows a run on a terminal",

		"internal/tui/feed":    "reads what a monitor shows",
		"internal/tui/monitor": "says as lines what a monitor shows",
		"internal/tui/screen":  "knows what a terminal can show",

		"pkg/check":   "shows proofs and counterexamples",
		"pkg/facts":   theFacts,
		"pkg/gateway": theWords,
		"pkg/ledger":  "shows the account of messages",
		"pkg/machine": "shows states and outcomes",
		"pkg/runbook": "shows and lints runbooks",
		"pkg/trace":   "performs the traces of runbooks",
		"pkg/zone":    "shows RRsets",
	}, tests: arrows{"runbooks": "commands about shipped runbooks"}},
	"internal/tui": {imports: arrows{
		"internal/runner":      "tells the runner what people decide",
		"internal/output":      "text from strangers is made safe in one place",
		"internal/tui/feed":    "snapshots for the model",
		"internal/tui/monitor": "the model that it shows",
		"internal/tui/preset":  "goes before bubbletea",
		"internal/tui/screen":  "what a picture is made of",
		"pkg/gateway":          theWords,
	}, tests: arrows{"internal/gateway/mem": "mail that is acted on", "internal/mail/routing": theRules}},
	"internal/tui/preset": {},
	"internal/tui/screen": {imports: arrows{"internal/output": "text from strangers is made safe in one place"}},
	"internal/tui/monitor": {imports: arrows{
		"internal/runner":     "shows where a run stands",
		"internal/output":     "writes durations and sizes as everywhere",
		"internal/setting":    "writes words as a shell wants them",
		"internal/tui/screen": "draws on it",
		"pkg/gateway":         theWords,
	}, tests: arrows{"pkg/ledger": theRecords, "pkg/machine": "a run to show", "internal/engine": "a run to show"}},
	"internal/tui/feed": {imports: arrows{
		"internal/runner":      "reads runs",
		"internal/tui/monitor": "makes its snapshots",
		"pkg/gateway":          theContract,
	}, tests: arrows{"internal/gateway/mem": "a gateway to read", "internal/mail/routing": theRules}},
	"internal/lab/senders": {},
	"internal/lab": {imports: arrows{
		"internal/lab/senders": "its traffic",
		"internal/mail/sink":   "its remote hosts and mailboxes",
		"internal/dns/server":  "its zone",
		"internal/dns/resolve": "its senders follow MX",
		"internal/dns/rfc2136": "somebody else changes its zone",
		"internal/dns/tsig":    "the key of its zone",
		"pkg/zone":             "its RRsets",
	}},
	"internal/lab/demo": {imports: arrows{
		"internal/lab":          "the lab that it performs in",
		"internal/lab/senders":  "counts what senders were told",
		"internal/mail/control": "reads gateways as any client does",
		"internal/dns/resolve":  "sees when the MX has moved",
		"pkg/gateway":           theWords,
		"pkg/ledger":            "computes the account of messages",
	}},
	// wire connects every part, and alone knows the adapters.
	"internal/wire": {knowsAll: true, tests: arrows{"internal/dns/dnstest": theServers}},
}
