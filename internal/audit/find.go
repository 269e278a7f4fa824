package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/page"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// maxLooked is how many entries one search looks at; a token continues it.
const maxLooked = 5000

// search is what entries are asked for.
type search struct {
	listing string    // name of the listing, for its tokens
	by      attribute // what all have; none for all entries
	from    time.Time // inclusive; zero for the first
	to      time.Time // exclusive; zero for the last
	// also, unless nil, says which of those found are meant.
	also  func(*Entry) bool
	limit int
	token string
}

// name names a listing by what is asked for, so that its tokens continue nothing else.
// It is short whatever is asked for.
func (s *search) name(listing, asked string) {
	sum := sha256.Sum256([]byte(asked))
	s.listing = listing + " " + hex.EncodeToString(sum[:8])
}

// find gives the newest entries first, and a token if there may be more.
func (t *Trail) find(ctx context.Context, s search) (list []Entry, token string, err error) {
	keys, err := s.keys()
	if err != nil {
		return nil, "", err
	}
	err = t.cfg.Store.View(ctx, func(r store.Reader) error {
		list, token = nil, ""
		looked := 0
		for pair, err := range r.Scan(keys) {
			if err != nil {
				return err
			}
			p, err := placeOf(pair.Key)
			if err != nil {
				return err
			}
			e, ok, err := load[Entry](r, p.key())
			if err != nil {
				return err
			}
			if ok && (s.also == nil || s.also(&e)) {
				list = append(list, e)
			}
			if looked++; len(list) == s.limit || looked == maxLooked {
				token = page.Token(s.listing, fmt.Sprintf("%d.%d", p.time, p.seq))
				return nil
			}
		}
		return nil
	})
	return list, token, err
}

// keys is the range of the keys to look at, backwards.
func (s *search) keys() (store.Range, error) {
	prefix := func(more ...any) []byte { return store.Key(append([]any{room, "entry"}, more...)...) }
	if s.by.name != "" {
		prefix = func(more ...any) []byte {
			return store.Key(append([]any{room, "by", s.by.name, s.by.value}, more...)...)
		}
	}
	r := store.Prefix(prefix())
	r.Reverse = true
	if !s.from.IsZero() {
		r.Start = prefix(uint64(max(0, s.from.UnixMilli())))
	}
	if !s.to.IsZero() {
		r.End = prefix(uint64(max(0, s.to.UnixMilli())))
	}
	after, err := page.After(s.listing, s.token)
	if err != nil || after == "" {
		return r, err
	}
	ms, seq, _ := strings.Cut(after, ".")
	at, err1 := strconv.ParseUint(ms, 10, 64)
	n, err2 := strconv.ParseUint(seq, 10, 64)
	if err1 != nil || err2 != nil {
		return r, page.ErrInvalid
	}
	r.End = prefix(at, n)
	return r, nil
}
