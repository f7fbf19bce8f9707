//go:build !unix || solaris || aix

package disk

// Lock cannot be had here.
func Lock(string) (unlock func(), err error) { return func() {}, nil }
