package faults

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/BurntSushi/toml"

	"github.com/plantbed/plantbed/internal/strict"
)

// DecodeJSON reads a fault that was written as a JSON object with the keys of a
// [[fault]] table. It is as strict as a scenario: an unknown key, a duration
// without a unit, each is a problem.
func DecodeJSON(text []byte) (c Config, ps strict.Problems) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var keys map[string]any
	err := dec.Decode(&keys)
	if err == nil && keys == nil {
		err = errors.New("null is no object")
	}
	if err == nil {
		if _, more := dec.Token(); more != io.EOF {
			err = errors.New("something stands behind the object")
		}
	}
	var table bytes.Buffer
	if err == nil {
		err = encodeTOML(&table, keys)
	}
	if err != nil {
		ps.Add("", fmt.Sprintf("not a JSON object with the keys of a fault: %v", err))
		return c, ps
	}
	_, ps = strict.Decode("", table.Bytes(), &c)
	for i := range ps {
		ps[i].File, ps[i].Line = "", 0 // of the TOML in between
	}
	return c, ps
}

// encodeTOML writes what a fault can hold, and refuses what TOML has no form for.
func encodeTOML(w io.Writer, keys map[string]any) (err error) {
	for key, v := range keys {
		switch v.(type) {
		case string, bool, json.Number, []any:
		default:
			return fmt.Errorf("%q is neither text, number, truth value nor list", key)
		}
		if list, ok := v.([]any); ok {
			for _, e := range list {
				if _, ok := e.(string); !ok {
					return fmt.Errorf("%q is not a list of texts", key)
				}
			}
		}
	}
	return toml.NewEncoder(w).Encode(keys)
}
