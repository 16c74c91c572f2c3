package cli

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"example.org/ims/internal/output"
)

type object map[string]any

// sarif is SARIF 2.1.0: a rule for each property, a result for each that is
// not proved, its trace a code flow through the file. A waiver is a
// suppression.
func (s findingSet) sarif() ([]byte, error) {
	rules, known, results := []object{}, map[string]bool{}, []object{}
	marks := map[string]int{}
	for _, f := range s.all {
		if !known[f.id] {
			known[f.id] = true
			rules = append(rules, object{"id": f.id, "shortDescription": object{"text": output.Safe(f.title)}})
		}
		if f.kind != output.Done {
			mark := strings.TrimSuffix(f.suite+"/"+f.id+"/"+f.mark, "/")
			marks[mark]++
			if n := marks[mark]; n > 1 {
				mark += "#" + strconv.Itoa(n)
			}
			results = append(results, s.result(f, mark))
		}
	}
	b, err := json.MarshalIndent(object{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
		"runs": []object{{"tool": object{"driver": object{"name": "ims", "version": s.version, "rules": rules}}, "results": results}},
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode SARIF: %w", err)
	}
	return append(b, '\n'), nil
}

// result is a finding. Its mark tells it from all others, and stays the same
// when lines are added above it.
func (s findingSet) result(f finding, mark string) object {
	level := "error"
	switch {
	case f.note:
		level = "note"
	case f.kind == output.Unknown || f.kind == output.Waiting:
		level = "warning"
	}
	text := f.suite + ": " + f.text
	if f.fix != "" {
		text += "; fix: " + f.fix
	}
	r := object{
		"ruleId": f.id, "level": level, "message": object{"text": output.Safe(text)},
		"partialFingerprints": object{"ims/v1": output.Safe(mark)},
	}
	if f.file != "" {
		r["locations"] = []object{f.sarif("")}
	}
	if f.waived != "" {
		r["suppressions"] = []object{{"kind": "external", "status": "accepted", "justification": output.Safe(f.waived)}}
	}
	if s.compared {
		r["baselineState"] = "new"
		if f.known {
			r["baselineState"] = "unchanged"
		}
	}
	if len(f.steps) > 0 {
		flow := []object{}
		for _, st := range f.steps {
			flow = append(flow, object{"location": st.sarif(st.text)})
		}
		r["codeFlows"] = []object{{"threadFlows": []object{{"locations": flow}}}}
	}
	return r
}

func (p place) sarif(text string) object {
	region := object{"startLine": max(p.line, 1)}
	if p.col > 0 {
		region["startColumn"] = p.col
	}
	loc := object{"physicalLocation": object{"artifactLocation": object{"uri": p.uri()}, "region": region}}
	if text != "" {
		loc["message"] = object{"text": output.Safe(text)}
	}
	return loc
}
