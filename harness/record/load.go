package record

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
)

// Log is a loaded record.
type Log struct {
	Meta Meta
	// End is nil for a log whose run was cut off without a word.
	End      *End
	Scans    []Scan
	Sends    []Send
	Delivers []Deliver
	Seen     []Seen
	Marks    []Mark
	Events   []Event
	Alarms   []Alarm
	Scores   []Score
	Notes    []Note
	// Torn is the number of bytes at the tail that made no whole row.
	Torn int
}

// Load reads a record folder. A torn tail is no error, a damaged row is.
func Load(dir string) (*Log, error) {
	l := new(Log)
	if err := readJSON(filepath.Join(dir, metaFile), &l.Meta); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	if l.Meta.Schema != Schema {
		return nil, fmt.Errorf("record: %s: schema is %q, this version reads %q", filepath.Join(dir, metaFile), l.Meta.Schema, Schema)
	}
	var end End
	switch err := readJSON(filepath.Join(dir, endFile), &end); {
	case err == nil:
		l.End = &end
	case !errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("record: %w", err)
	}
	b, err := os.ReadFile(filepath.Join(dir, rowsFile))
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	if err := l.addAll(b); err != nil {
		return nil, fmt.Errorf("record: %s: %w", filepath.Join(dir, rowsFile), err)
	}
	return l, nil
}

func (l *Log) addAll(b []byte) error {
	for at := 0; len(b) > 0; {
		if len(b) < frameHeader {
			l.Torn = len(b)
			return nil
		}
		n := int(binary.LittleEndian.Uint32(b[1:]))
		if n > len(b)-frameHeader {
			l.Torn = len(b)
			return nil
		}
		row := b[frameHeader : frameHeader+n]
		if crc32.Checksum(row, crcTable) != binary.LittleEndian.Uint32(b[5:]) {
			return fmt.Errorf("the row at byte %d is damaged (its checksum does not match)", at)
		}
		r, err := decodeRow(b[0], row)
		if err != nil {
			return fmt.Errorf("the row at byte %d: %w", at, err)
		}
		l.Add(r)
		at += frameHeader + n
		b = b[frameHeader+n:]
	}
	return nil
}

// Add sorts one row into its list; tests build logs with it.
func (l *Log) Add(r Row) {
	switch r := r.(type) {
	case Scan:
		l.Scans = append(l.Scans, r)
	case Send:
		l.Sends = append(l.Sends, r)
	case Deliver:
		l.Delivers = append(l.Delivers, r)
	case Seen:
		l.Seen = append(l.Seen, r)
	case Mark:
		l.Marks = append(l.Marks, r)
	case Event:
		l.Events = append(l.Events, r)
	case Alarm:
		l.Alarms = append(l.Alarms, r)
	case Score:
		l.Scores = append(l.Scores, r)
	case Note:
		l.Notes = append(l.Notes, r)
	}
}

func readJSON(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
