package sparkplug

// UUID is that of a payload, "" where it has none. An edge node of this package
// writes the dedup key of its first sample there.
func UUID(p []byte) (uuid string) {
	fields(p, func(number int, _ uint64, body []byte) {
		if number == 4 && body != nil {
			uuid = string(body)
		}
	})
	return uuid
}

// Sequence is a payload's sequence number; ok is false where there is none.
func Sequence(p []byte) (seq uint64, ok bool) {
	fields(p, func(number int, v uint64, _ []byte) {
		if number == 3 {
			seq, ok = v, true
		}
	})
	return seq, ok
}

// BdSeq is the number that ties a death to its birth.
func BdSeq(p []byte) (seq uint64, ok bool) { return bdSeqOf(p) }
