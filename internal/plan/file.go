package plan

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"example.org/ims/internal/jcs"
	"example.org/ims/pkg/machine"
)

// Schema names the shape of a saved plan, and of what a dry run prints.
const Schema = "ims/plan/v1"

// Errors of Read.
var (
	// ErrAltered says that a file is not what was saved.
	ErrAltered = errors.New("the plan was altered")
	// ErrVersion says that another version of this program made the plan, and
	// reads a runbook differently.
	ErrVersion = errors.New("the plan was made by another version")
)

// file is a plan with its schema.
type file struct {
	Schema string `json:"schema"`
	*Plan
}

// Save gives the plan a nonce and a seal, and returns it as canonical JSON with
// a final line break. A plan that was saved twice has two nonces, and so can be
// performed twice, if it still holds then.
func (p *Plan) Save() ([]byte, error) {
	p.Format, p.Nonce = Format, rand.Text()
	_, seal, err := sealed(p)
	if err != nil {
		return nil, fmt.Errorf("save plan: %w", err)
	}
	p.Seal = seal
	raw, _, err := canonical(p)
	if err != nil {
		return nil, fmt.Errorf("save plan: %w", err)
	}
	return append(raw, '\n'), nil
}

// sealed is the canonical form without the seal, and its seal.
func sealed(p *Plan) ([]byte, string, error) {
	one := *p
	one.Seal = ""
	return canonical(&one)
}

func canonical(p *Plan) (raw []byte, sum string, err error) {
	if raw, err = json.Marshal(file{Schema, p}); err != nil {
		return nil, "", err
	}
	if raw, err = jcs.Canonical(raw); err != nil {
		return nil, "", err
	}
	h := sha256.Sum256(raw)
	return raw, "sha256:" + hex.EncodeToString(h[:]), nil
}

// Read reads a saved plan and verifies its seal, its runbook and its identity.
// Errors: ErrAltered, ErrVersion, or what makes the text no saved plan.
func Read(text []byte) (*Plan, error) {
	f := file{Plan: &Plan{}}
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("read plan: it is not JSON as a plan is: %w", err)
	}
	p := f.Plan
	switch {
	case f.Schema != Schema:
		return nil, fmt.Errorf("read plan: its schema is %q, want %q; ims retire --dry-run --out FILE makes one", f.Schema, Schema)
	case p.Seal == "" || p.Nonce == "":
		return nil, errors.New("read plan: it was printed, not saved: only ims retire --dry-run --out FILE makes one that can be performed")
	case p.Format != Format:
		return nil, fmt.Errorf("read plan: %w of this program: its format is %d, this one has %d", ErrVersion, p.Format, Format)
	case p.ID.Core != machine.CoreVersion:
		return nil, fmt.Errorf("read plan: %w of this program: its core is %s, this one has %s", ErrVersion, p.ID.Core, machine.CoreVersion)
	}
	if err := p.verify(text); err != nil {
		return nil, fmt.Errorf("read plan: %w since it was saved: %w", ErrAltered, err)
	}
	return p, p.number()
}

// number gives the states their numbers in a plan that was saved without them.
func (p *Plan) number() error {
	if len(p.States) == 0 || p.States[0].Number > 0 {
		return nil
	}
	book, err := p.book()
	if err != nil {
		return err
	}
	for i := range p.States {
		p.States[i].Number = book.Def.Number(book.Def.Find(p.States[i].ID))
	}
	return nil
}

// verify compares the file with what it says of itself. Members that this
// program does not know are under the seal too.
func (p *Plan) verify(text []byte) error {
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &members); err != nil {
		return err
	}
	delete(members, "seal")
	raw, err := json.Marshal(members)
	if err != nil {
		return err
	}
	if raw, err = jcs.Canonical(raw); err != nil {
		return err
	}
	h := sha256.Sum256(raw)
	runbook := sha256.Sum256([]byte(p.Definition.Source))
	switch {
	case p.Seal != "sha256:"+hex.EncodeToString(h[:]):
		return errors.New("its content does not match its seal")
	case p.Definition.Digest != hex.EncodeToString(runbook[:]):
		return errors.New("its runbook does not match its digest")
	case p.ID.Hash != p.identity():
		return errors.New("what it does does not match its hash")
	}
	return nil
}

// Keep is the plan as a run keeps it: without the messages, whose number has no
// bound, and which are a prediction about that moment.
func (p *Plan) Keep() (json.RawMessage, error) {
	one := *p
	one.Messages.Fates = nil
	raw, _, err := canonical(&one)
	return bytes.TrimSpace(raw), err
}
