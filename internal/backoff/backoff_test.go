package backoff

import (
	"context"
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	now := time.Unix(0, 0)
	p := Pace{Min: 200 * time.Millisecond, Max: 2 * time.Second, Rand: Rand(1, "x")}
	for i, want := range []time.Duration{0, 200, 400, 800, 1600, 2000, 2000} {
		want *= time.Millisecond
		d := p.Next(now)
		if i == 0 && (d < time.Millisecond || d > 10*time.Millisecond) || i > 0 && (d > want || d < want*3/4) {
			t.Errorf("pause %d is %v, want about %v", i, d, want)
		}
		p.Attempt(now)
	}
	if d := p.Next(now.Add(time.Minute)); d > 10*time.Millisecond {
		t.Errorf("%v after an attempt that hung for a minute", d)
	}
	p.Reset()
	if d := p.Next(now); d > 10*time.Millisecond {
		t.Errorf("%v after a good connection", d)
	}
}

func TestSeeded(t *testing.T) {
	draw := func(seed uint64, name string) (out [40]time.Duration) {
		rng := Rand(seed, name)
		for n := range out {
			limit := Double(100*time.Millisecond, time.Second, n)
			if out[n] = Half(rng, limit); out[n] < limit/2 || out[n] > limit || limit > time.Second || n > 4 && limit != time.Second {
				t.Fatalf("pause %d is %v of %v", n, out[n], limit)
			}
		}
		return out
	}
	first, again := draw(1, "x"), draw(1, "x")
	if first != again {
		t.Error("the same seed and name give other pauses")
	}
	if first == draw(2, "x") || first == draw(1, "y") {
		t.Error("another seed or name gives the same pauses")
	}
}

func TestSleep(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	if !Sleep(ctx, time.Nanosecond) || !Sleep(ctx, 0) {
		t.Error("a sleep that ended was not told")
	}
	cancel()
	if Sleep(ctx, time.Hour) || Sleep(ctx, 0) {
		t.Error("a sleep went on after its context")
	}
}
