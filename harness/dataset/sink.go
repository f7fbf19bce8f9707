package dataset

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
)

// File is one file of a data set.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// hashedFile is written under another name until it is whole.
type hashedFile struct {
	path string
	f    *os.File
	buf  *bufio.Writer
	sum  hash.Hash
	n    int64
}

func createHashed(path string) (*hashedFile, error) {
	f, err := os.Create(path + ".part")
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	h := &hashedFile{path: path, f: f, sum: sha256.New()}
	h.buf = bufio.NewWriterSize(io.MultiWriter(f, h.sum), 1<<18)
	return h, nil
}

func (h *hashedFile) Write(b []byte) (int, error) {
	n, err := h.buf.Write(b)
	h.n += int64(n)
	return n, err
}

// close makes the file durable and gives it its name.
func (h *hashedFile) close() (File, error) {
	err := errors.Join(h.buf.Flush(), h.f.Sync(), h.f.Close())
	h.f = nil
	if err == nil {
		err = os.Rename(h.path+".part", h.path)
	}
	if err != nil {
		return File{}, fmt.Errorf("dataset: %w", err)
	}
	return File{Name: filepath.Base(h.path), Bytes: h.n, SHA256: hex.EncodeToString(h.sum.Sum(nil))}, nil
}

// abandon removes a file that did not become whole.
func (h *hashedFile) abandon() error {
	if h.f == nil {
		return nil
	}
	err := errors.Join(h.f.Close(), os.Remove(h.path+".part"))
	h.f = nil
	return err
}

// encoder writes runs into the files of a shard.
type encoder interface {
	write(r *Result) error
	close() error
}

// sink is the files of one shard.
type sink struct {
	files    []*hashedFile
	encoders []encoder
}

func newSink(p *plan, lay *layout, shard int) (*sink, error) {
	s := &sink{}
	err := s.open(p, lay, shard)
	if err != nil {
		return nil, errors.Join(err, s.abandon())
	}
	return s, nil
}

func (s *sink) open(p *plan, lay *layout, shard int) error {
	switch p.opts.Format {
	case "csv":
		f, err := s.create(filepath.Join(p.opts.Dir, fmt.Sprintf("data-%05d.csv", shard)))
		if err != nil {
			return err
		}
		s.encoders = append(s.encoders, tables{newCSV(f, lay.columns)})
	case "cmapss":
		return s.openCMAPSS(p, lay, shard)
	default:
		f, err := s.create(filepath.Join(p.opts.Dir, fmt.Sprintf("data-%05d.parquet", shard)))
		if err != nil {
			return err
		}
		w, err := newParquet(f, "plantbed", lay.columns, p.opts.Version)
		if err != nil {
			return err
		}
		s.encoders = append(s.encoders, tables{w})
		if p.ds.BurstEvery == 0 {
			return nil
		}
		if f, err = s.create(filepath.Join(p.opts.Dir, fmt.Sprintf("bursts-%05d.parquet", shard))); err != nil {
			return err
		}
		s.encoders = append(s.encoders, waves{newBursts(f, p.opts.Version)})
	}
	return nil
}

// openCMAPSS opens the pieces that the shard adds to each machine's files.
func (s *sink) openCMAPSS(p *plan, lay *layout, shard int) error {
	for _, m := range p.sc.Machines {
		if _, served := lay.labels[m.Name]; !served {
			continue
		}
		var fs [3]*hashedFile
		for i, name := range cmapssNames(m.Name) {
			f, err := s.create(p.piece(shard, name))
			if err != nil {
				return err
			}
			fs[i] = f
		}
		s.encoders = append(s.encoders, newCMAPSS(m.Name, lay, int(p.ds.Cycle/p.ds.Every), fs[0], fs[1], fs[2]))
	}
	return nil
}

func cmapssNames(machine string) [3]string {
	return [3]string{"train_" + machine + ".txt", "test_" + machine + ".txt", "RUL_" + machine + ".txt"}
}

func (p *plan) piece(shard int, name string) string {
	return filepath.Join(p.opts.Dir, workDir, fmt.Sprintf("%05d-%s", shard, name))
}

func (s *sink) create(path string) (*hashedFile, error) {
	f, err := createHashed(path)
	if err == nil {
		s.files = append(s.files, f)
	}
	return f, err
}

func (s *sink) write(r *Result) error {
	for _, e := range s.encoders {
		if err := e.write(r); err != nil {
			return err
		}
	}
	return nil
}

// dataFile is the file that holds the shard's rows.
func (s *sink) dataFile() string { return filepath.Base(s.files[0].path) }

func (s *sink) close() ([]File, error) {
	for _, e := range s.encoders {
		if err := e.close(); err != nil {
			return nil, fmt.Errorf("dataset: %w", err)
		}
	}
	var out []File
	for _, f := range s.files {
		done, err := f.close()
		if err != nil {
			return nil, err
		}
		out = append(out, done)
	}
	return out, nil
}

func (s *sink) abandon() error {
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.abandon())
	}
	return errors.Join(errs...)
}

// tables and waves are the two halves of a result as an encoder takes them.
type tables struct {
	w interface {
		write(*Table) error
		close() error
	}
}

func (t tables) write(r *Result) error { return t.w.write(r.Table) }
func (t tables) close() error          { return t.w.close() }

type waves struct{ burstWriter }

func (w waves) write(r *Result) error { return w.burstWriter.write(r.Run.Index, r.Bursts) }
