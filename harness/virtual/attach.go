package virtual

import (
	"context"
	"os"
	"syscall"
	"time"
)

// heartbeat is below the 10 ms at which the runtime's monitor thread would
// poll the network itself, and shares no factor with any period of a plant.
const heartbeat = 9_700_313 * time.Nanosecond

// Attach joins a worker to its parent: the context ends when the parent
// closes the stop pipe or dies, and report sends one line of progress. In a
// binary with the fake clock it also starts the heartbeat.
func Attach(ctx context.Context) (context.Context, func(line string)) {
	if Clock {
		go func() {
			for {
				time.Sleep(heartbeat)
			}
		}()
	}
	ctx, cancel := context.WithCancel(ctx)
	syscall.SetNonblock(4, true) // else a read of it would stop the clock
	stop := os.NewFile(4, "stop")
	go func() {
		stop.Read(make([]byte, 1))
		cancel()
	}()
	progress := os.NewFile(3, "progress")
	return ctx, func(line string) { progress.WriteString(line + "\n") }
}
