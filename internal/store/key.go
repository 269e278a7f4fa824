package store

import (
	"encoding/binary"
	"fmt"
)

// A key is a tuple whose encoding sorts as the tuple does, element by element.
// Its first element names the room that owns it.
//
//	string   0x02  bytes, 0x00 as 0x01 0x01 and 0x01 as 0x01 0x02   0x00
//	uint64   0x15  8 bytes big-endian
//
// No element's encoding begins another's, so the keys that begin with a tuple's
// are those of the tuples that begin with it.
const (
	tagString = 0x02
	tagUint   = 0x15
)

// Key encodes a tuple of strings, []byte, ints and uint64s. It panics on any
// other type and on a negative int: keys are spelt out in keys.go files, never
// made from what a caller sent.
func Key(parts ...any) []byte {
	k := make([]byte, 0, 64)
	for _, p := range parts {
		switch v := p.(type) {
		case string:
			k = appendString(k, v)
		case []byte:
			k = appendString(k, string(v))
		case uint64:
			k = binary.BigEndian.AppendUint64(append(k, tagUint), v)
		case int:
			if v < 0 {
				panic("store: negative int in a key")
			}
			k = binary.BigEndian.AppendUint64(append(k, tagUint), uint64(v))
		default:
			panic(fmt.Sprintf("store: %T in a key", p))
		}
	}
	return k
}

func appendString(k []byte, s string) []byte {
	k = append(k, tagString)
	for i := 0; i < len(s); i++ {
		if s[i] <= 1 {
			k = append(k, 1, s[i]+1)
		} else {
			k = append(k, s[i])
		}
	}
	return append(k, 0)
}

// Split decodes a key made by Key into its elements: strings and uint64s.
func Split(key []byte) ([]any, error) {
	var parts []any
	for len(key) > 0 {
		switch key[0] {
		case tagUint:
			if len(key) < 9 {
				return nil, fmt.Errorf("split key: short integer")
			}
			parts = append(parts, binary.BigEndian.Uint64(key[1:9]))
			key = key[9:]
		case tagString:
			s, rest, err := splitString(key[1:])
			if err != nil {
				return nil, err
			}
			parts, key = append(parts, s), rest
		default:
			return nil, fmt.Errorf("split key: unknown tag %#x", key[0])
		}
	}
	return parts, nil
}

func splitString(b []byte) (string, []byte, error) {
	var s []byte
	for i := 0; i < len(b); i++ {
		switch c := b[i]; c {
		case 0:
			return string(s), b[i+1:], nil
		case 1:
			if i++; i == len(b) || b[i] != 1 && b[i] != 2 {
				return "", nil, fmt.Errorf("split key: unknown escape")
			}
			s = append(s, b[i]-1)
		default:
			s = append(s, c)
		}
	}
	return "", nil, fmt.Errorf("split key: unterminated string")
}
