package main

import (
	"fmt"

	"github.com/plantbed/plantbed/harness/score"
)

// The exit codes, which scripts rely on.
const (
	codePass        = 0
	codeInternal    = 1
	codeUsage       = 2
	codeFail        = 10
	codeUnknown     = 11
	codeInvalid     = 12
	codeInterrupted = 130
)

// exit is an error that knows its exit code; one without a cause has been
// explained already.
type exit struct {
	code  int
	cause error
}

func (e *exit) Error() string {
	if e.cause == nil {
		return ""
	}
	return e.cause.Error()
}

func (e *exit) Unwrap() error { return e.cause }

func internal(err error) error { return &exit{codeInternal, err} }
func usage(format string, a ...any) error {
	return &exit{codeUsage, fmt.Errorf(format, a...)}
}
func invalid(err error) error { return &exit{codeInvalid, err} }

// worst orders exit codes: an internal error above everything, then an
// interrupt, an invalid scenario, a failure, an unknown, a pass.
func worst(a, b int) int {
	order := []int{codeInternal, codeUsage, codeInterrupted, codeInvalid, codeFail, codeUnknown}
	for _, c := range order {
		if a == c || b == c {
			return c
		}
	}
	return codePass
}

func verdictCode(v score.Verdict) int {
	switch v {
	case score.Pass:
		return codePass
	case score.Fail:
		return codeFail
	}
	return codeUnknown
}
