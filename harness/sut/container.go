package sut

import (
	"context"
	"errors"
)

// container is a SUT that is an image.
type container struct{ base }

var errSoon = errors.New("sut: containers: not yet")

func (c *container) Prepare(context.Context) (string, error) { return "", errSoon }
func (c *container) Ready(context.Context) error             { return errSoon }
func (c *container) Start(context.Context, Endpoints) error  { return errSoon }
func (c *container) Kill() error                             { return errSoon }
func (c *container) Restart(context.Context) error           { return errSoon }
func (c *container) Pause(bool) error                        { return errSoon }
func (c *container) Stop() error                             { return nil }
