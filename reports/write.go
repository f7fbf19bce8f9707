package reports

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/plantbed/plantbed/harness/score"
)

// Write puts card.json, report.html, report.md and junit.xml into a folder,
// which it makes if need be. scenarioTOML is the resolved scenario, for the
// page. Everything is rendered before the first file is touched, so that a
// failure leaves what was there before.
func Write(dir string, r score.Result, scenarioTOML []byte) error {
	files := []struct {
		name string
		draw func(io.Writer) error
	}{
		{"card.json", func(w io.Writer) error { return JSON(w, r) }},
		{"report.html", func(w io.Writer) error { return HTML(w, r, scenarioTOML) }},
		{"report.md", func(w io.Writer) error { return Markdown(w, r) }},
		{"junit.xml", func(w io.Writer) error { return JUnit(w, r) }},
	}
	texts := make([]bytes.Buffer, len(files))
	for i, f := range files {
		if err := f.draw(&texts[i]); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	for i, f := range files {
		if err := replace(filepath.Join(dir, f.name), texts[i].Bytes()); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
	return nil
}

// replace writes a file beside its final place and then moves it there: a full
// disk leaves no half of a report.
func replace(path string, text []byte) error {
	beside := path + ".part"
	if err := os.WriteFile(beside, text, 0o644); err != nil {
		os.Remove(beside)
		return err
	}
	return os.Rename(beside, path)
}
