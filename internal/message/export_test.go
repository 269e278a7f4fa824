package message

import "bytes"

// Decoders says whether bytes are a stored message or a lease, and whether what is
// decoded is encoded as the same.
func Decoders(b []byte) (message, lease, same bool) {
	var s stored
	same = true
	if s.decode(b) == nil {
		var again stored
		message = true
		same = again.decode(s.encode()) == nil && bytes.Equal(again.encode(), s.encode())
	}
	if l, err := decodeLease(b); err == nil {
		lease = true
		again, err := decodeLease(l.encode())
		same = same && err == nil && again == l
	}
	return message, lease, same
}

// Stored makes a stored message of texts.
func Stored(body, group, dedup, source string) []byte {
	return (&stored{Body: []byte(body), Group: group, Dedup: dedup, Source: source, Sent: 1, IDLow: 2}).encode()
}
