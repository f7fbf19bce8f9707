package reports

import (
	"fmt"

	"github.com/plantbed/plantbed/harness/score"
)

// controlSentence says whose the missed detections are, with the space before it;
// "" where no control was run.
func controlSentence(c *score.Control) string {
	switch {
	case c == nil:
		return ""
	case c.Events == 0:
		return " There was nothing to detect, in the run or in its control."
	case c.Missed == 0 && c.Later == 0:
		return fmt.Sprintf(" No detection of %s was missed.", count(c.Events))
	case c.Missed == 0:
		return fmt.Sprintf(" No detection of %s was missed; the pipe delayed %s.", count(c.Events), count(c.Later))
	}
	of := fmt.Sprintf(" Of %s, %s %s the model's and %s %s the pipe's", plural(c.Missed, "missed detection"), count(c.Model), isAre(c.Model), count(c.Pipe), isAre(c.Pipe))
	if c.Later > 0 {
		of += fmt.Sprintf(", which delayed %s more", count(c.Later))
	}
	return of + "."
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
