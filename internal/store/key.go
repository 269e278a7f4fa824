package store

import (
	"encoding/binary"
	"fmt"
)

// A key is a tuple whose encoding sorts as the tuple does, element by element.
// Its first element names the room that owns it.
//
//	string   0x02  bytes, 0x00 as 0x00 0xff   0x00
//	uint64   0x15  8 bytes big-endian
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
		k = append(k, s[i])
		if s[i] == 0 {
			k = append(k, 0xff)
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
		if b[i] != 0 {
			s = append(s, b[i])
			continue
		}
		if i+1 < len(b) && b[i+1] == 0xff {
			s = append(s, 0)
			i++
			continue
		}
		return string(s), b[i+1:], nil
	}
	return "", nil, fmt.Errorf("split key: unterminated string")
}
