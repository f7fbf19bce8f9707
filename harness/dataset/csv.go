package dataset

import (
	"bufio"
	"io"
	"strconv"
)

// csvWriter writes tables below one another, with one line of names on top. A
// value that is not there is an empty field.
type csvWriter struct {
	w       *bufio.Writer
	columns []Column
	line    []byte
}

func newCSV(out io.Writer, columns []Column) *csvWriter {
	c := &csvWriter{w: bufio.NewWriterSize(out, 1<<18), columns: columns}
	for i, col := range columns {
		if i > 0 {
			c.line = append(c.line, ',')
		}
		c.line = append(c.line, col.Name...)
	}
	c.w.Write(append(c.line, '\n')) // an error sticks, and Flush tells
	return c
}

func (c *csvWriter) write(t *Table) error {
	for row := range t.Rows {
		c.line = c.line[:0]
		for i := range c.columns {
			if i > 0 {
				c.line = append(c.line, ',')
			}
			if !t.Blank[i] {
				c.line = c.columns[i].appendText(c.line, t.Values[i][row])
			}
		}
		if _, err := c.w.Write(append(c.line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

func (c *csvWriter) close() error { return c.w.Flush() }

// appendText writes a value as the column's kind has it.
func (c Column) appendText(b []byte, v float64) []byte {
	switch {
	case isNull(v):
		return b
	case c.Kind == Text:
		return append(b, c.Words[int(v)]...)
	case c.Kind == Float:
		return strconv.AppendFloat(b, float64(float32(v)), 'g', -1, 32)
	case c.Kind == Double:
		return strconv.AppendFloat(b, v, 'g', -1, 64)
	}
	return strconv.AppendInt(b, int64(v), 10)
}
