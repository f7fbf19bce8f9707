package opcua

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain lets many tests run at a time, since they wait more than they
// compute, and sees to it that none of their goroutines is left, of ours or of
// the library's.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "8")
	code := m.Run()
	if left := leaked(); left != "" && code == 0 {
		fmt.Println("goroutines left:\n" + left)
		code = 1
	}
	os.Exit(code)
}

// leaked are the goroutines that do not end within three seconds.
func leaked() string {
	buf := make([]byte, 1<<20)
	for end := time.Now().Add(3 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		var left []string
		for _, g := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")[1:] {
			if strings.Contains(g, "gopcua") || strings.Contains(g, "gateway/opcua") {
				left = append(left, g)
			}
		}
		if len(left) == 0 || time.Now().After(end) {
			return strings.Join(left, "\n\n")
		}
	}
}
