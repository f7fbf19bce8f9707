// Command worker is what the tests of package virtual run under the fake clock.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/plantbed/plantbed/harness/virtual"
)

func main() {
	ctx, report := virtual.Attach(context.Background())
	switch os.Args[1] {
	case "hour":
		fmt.Fprintln(os.Stderr, "said on standard error")
		for range 60 {
			time.Sleep(time.Minute)
			report("a minute")
		}
	case "loopback":
		worst, err := virtual.Loopback(1000)
		if err != nil {
			panic(err)
		}
		report(worst.String())
	case "crash":
		time.Sleep(time.Hour)
		var m map[string]int
		m["x"] = 1
	case "forever":
		for ctx.Err() == nil {
			time.Sleep(time.Hour)
			report("still here")
		}
		report("wound up")
	case "hang":
		for { // never lets time pass
		}
	}
}
