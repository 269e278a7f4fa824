package logs

import (
	"errors"

	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// What the store holds for this room. Every key begins with "logs".
//
//	"group"   GROUP                       Group
//	"size"    GROUP                       size      bytes in all chunks
//	"stream"  GROUP  STREAM               Stream
//	"chunk"   GROUP  TIME  SEQ            chunk     events of one stream
//	"index"   GROUP  STREAM  TIME  SEQ    size      of that chunk
//
// TIME is that of a chunk's first event, in ms; its last is less than chunkSpan
// later. SEQ grows with every chunk stored. Chunks of a group lie in the order
// of time, whatever their stream, so a search reads one range; the index gives
// those of one stream.
const room = "logs"

func groupKey(group string) []byte          { return store.Key(room, "group", group) }
func sizeKey(group string) []byte           { return store.Key(room, "size", group) }
func streamKey(group, stream string) []byte { return store.Key(room, "stream", group, stream) }

func chunkKey(group string, at position) []byte {
	return store.Key(room, "chunk", group, uint64(at.time), at.seq)
}

func indexKey(group, stream string, at position) []byte {
	return store.Key(room, "index", group, stream, uint64(at.time), at.seq)
}

// below is the prefix of all keys that begin with the parts.
func below(parts ...any) []byte { return store.Key(append([]any{room}, parts...)...) }

// beginning is the prefix of all keys whose last part begins with a text. Names
// hold no zero bytes, so all but the end mark of a text is such a prefix.
func beginning(parts ...any) []byte {
	k := below(parts...)
	return k[:len(k)-1]
}

// load reads a record. It returns missing, if given, when it is not there.
func load[T any](r store.Reader, key []byte, missing error) (*T, error) {
	b, err := r.Get(key)
	if errors.Is(err, store.ErrNotFound) && missing != nil {
		return nil, missing
	}
	if err != nil {
		return nil, err
	}
	v := new(T)
	if err := record.Unmarshal(b, v); err != nil {
		return nil, err
	}
	return v, nil
}

func save(tx store.Tx, key []byte, v any) error {
	b, err := record.Marshal(v)
	if err != nil {
		return err
	}
	return tx.Set(key, b)
}
