package message

import (
	"encoding/base64"
	"encoding/binary"
)

// Receipt is what one receive of a message gives, to delete or hide it with. Its
// number is random, so that no receipt can be made from another.
type Receipt struct {
	Queue  QueueID
	id     ID
	at     int64 // when it is visible again; of FIFO queues, the message's number in its group
	number uint64
	group  string
}

// IsZero says whether it is no receipt.
func (r Receipt) IsZero() bool { return r == Receipt{} }

const (
	receiptVersion = 1
	receiptFixed   = 1 + 5*8
	maxReceipt     = 1024
)

// String gives the receipt as text, for ParseReceipt.
func (r Receipt) String() string {
	b := append(make([]byte, 0, receiptFixed+len(r.group)), receiptVersion)
	for _, n := range []uint64{uint64(r.Queue), r.id.hi, r.id.lo, uint64(r.at), r.number} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return base64.URLEncoding.EncodeToString(append(b, r.group...))
}

// ParseReceipt reads what String gave, or returns ErrReceipt.
func ParseReceipt(s string) (Receipt, error) {
	if len(s) > maxReceipt {
		return Receipt{}, ErrReceipt
	}
	b, err := base64.URLEncoding.DecodeString(s)
	if err != nil || len(b) < receiptFixed || b[0] != receiptVersion {
		return Receipt{}, ErrReceipt
	}
	n := func(i int) uint64 { return binary.BigEndian.Uint64(b[1+8*i:]) }
	r := Receipt{Queue: QueueID(n(0)), id: ID{n(1), n(2)}, at: int64(n(3)), number: n(4), group: string(b[receiptFixed:])}
	if r.at < 0 || r.String() != s {
		return Receipt{}, ErrReceipt
	}
	return r, nil
}
