// Package record is the run log: an append-only file of everything that was
// true and everything that was seen, with the contract in front and the way
// the run ended behind. It is all that the score may look at.
//
//	w, err := record.Create("runs/first-light-42/record", meta)
//	w.Add(record.Scan{Task: 0, Seq: 1, At: at, Values: v, Quality: q})
//	err = w.Close(record.End{Reached: 2 * time.Hour})
//
//	log, err := record.Load("runs/first-light-42/record")
//
// A folder holds meta.json, rows.bin and end.json. A log whose run was cut
// off has no end.json and perhaps a torn last row; Load takes what is whole.
package record

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync"
)

// File names within a record folder.
const (
	metaFile = "meta.json"
	rowsFile = "rows.bin"
	endFile  = "end.json"
)

// flushAt is how much is gathered before it is handed to the file system.
const flushAt = 1 << 20

// backlog is how many such chunks may wait for a slow disk before Add does.
const backlog = 64

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// Writer appends rows. It may be used from several goroutines. Writing to the
// file is a goroutine of its own: a tap must not sit in a system call, least
// of all under the fake clock, where what else happens meanwhile would depend
// on how busy the machine is.
type Writer struct {
	mu     sync.Mutex // guards buf and open
	buf    []byte
	open   bool
	chunks chan []byte
	free   chan []byte
	done   chan error
	dir    string
	fail   chan struct{}
}

// Create starts a log in dir, which is made if need be and must hold no log.
func Create(dir string, meta Meta) (*Writer, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("record: cannot make the folder: %w", err)
	}
	meta.Schema = Schema
	if err := writeJSON(filepath.Join(dir, metaFile), meta); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	if err := os.Remove(filepath.Join(dir, endFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("record: cannot replace an older log: %w", err)
	}
	f, err := os.Create(filepath.Join(dir, rowsFile))
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	w := &Writer{dir: dir, open: true, chunks: make(chan []byte, backlog), free: make(chan []byte, backlog), done: make(chan error, 1), fail: make(chan struct{})}
	go w.write(f)
	return w, nil
}

// Amend replaces what stands before the rows of a closed log, where a plan was
// made while the run went on.
func Amend(dir string, meta Meta) error {
	meta.Schema = Schema
	if err := writeJSON(filepath.Join(dir, metaFile), meta); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return nil
}

// Add appends one row. It does not fail: the first error of the disk is kept,
// closes Failed, and is returned by Close; what was written before it stays.
func (w *Writer) Add(r Row) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.open {
		return
	}
	start := len(w.buf)
	w.buf = append(w.buf, kindOf(r), 0, 0, 0, 0, 0, 0, 0, 0)
	w.buf = appendRow(w.buf, r)
	body := w.buf[start+frameHeader:]
	binary.LittleEndian.PutUint32(w.buf[start+1:], uint32(len(body)))
	binary.LittleEndian.PutUint32(w.buf[start+5:], crc32.Checksum(body, crcTable))
	if len(w.buf) >= flushAt {
		w.flush()
	}
}

// Failed is closed when the disk under the record fails.
func (w *Writer) Failed() <-chan struct{} { return w.fail }

// flush hands the buffer over and takes a used one, if there is any.
func (w *Writer) flush() {
	if len(w.buf) == 0 {
		return
	}
	w.chunks <- w.buf
	select {
	case w.buf = <-w.free:
	default:
		w.buf = make([]byte, 0, flushAt+flushAt/8)
	}
}

// write is the goroutine that owns the file. After an error it throws away
// what comes.
func (w *Writer) write(f *os.File) {
	var err error
	for b := range w.chunks {
		if err == nil {
			if _, err = f.Write(b); err != nil {
				err = fmt.Errorf("record: %w", err)
				close(w.fail)
			}
		}
		select {
		case w.free <- b[:0]:
		default:
		}
	}
	w.done <- errors.Join(err, f.Close())
}

// Close writes what is left and how the run ended.
func (w *Writer) Close(end End) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.open {
		return nil
	}
	w.open = false
	w.flush()
	close(w.chunks)
	err := <-w.done
	if err != nil {
		end.Failed = err.Error()
	}
	return errors.Join(err, writeJSON(filepath.Join(w.dir, endFile), end))
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}
