package spool

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// Setting reads a value that Tx.Set stored; ok is false if there is none.
func (s *Spool) Setting(gw, key string) (value []byte, ok bool, err error) {
	s.view.RLock()
	defer s.view.RUnlock()
	v, closer, err := s.db.Get(settingKey(gw, key))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read setting %q of gateway %q: %w", key, gw, err)
	}
	return slices.Clone(v), true, closer.Close()
}

// Settings calls fn for each setting of a gateway whose key begins with
// prefix, in order of the keys, until fn returns false. value is fn's to keep.
func (s *Spool) Settings(gw, prefix string, fn func(key string, value []byte) bool) error {
	it, err := s.iter(settingKey(gw, prefix), nil)
	if err == nil {
		skip := len(settingKey(gw, ""))
		err = walk(it, func(k, v []byte) error {
			if !fn(string(k[skip:]), slices.Clone(v)) {
				return errStop
			}
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("read settings of gateway %q: %w", gw, err)
	}
	return nil
}
