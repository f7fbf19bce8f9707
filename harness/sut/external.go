package sut

import (
	"context"
	"errors"
)

// external is a SUT that somebody else starts and ends.
type external struct{ base }

var errNotOurs = errors.New("sut: it was started by somebody else, and is not ours to touch")

func (x *external) Prepare(context.Context) (string, error) { return "", nil }

func (x *external) Start(_ context.Context, e Endpoints) error {
	return x.prepare(e, x.home())
}

func (x *external) Ready(ctx context.Context) error { return x.wait(ctx, nil) }
func (x *external) Kill() error                     { return errNotOurs }
func (x *external) Restart(context.Context) error   { return errNotOurs }
func (x *external) Pause(bool) error                { return errNotOurs }

func (x *external) Stop() error {
	if x.log != nil {
		x.log.close()
	}
	return nil
}
