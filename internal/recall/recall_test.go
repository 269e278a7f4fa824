package recall_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/mayfly-cloud/mayfly/internal/recall"
)

func TestCache(t *testing.T) {
	var g recall.Generation
	var c recall.Cache[string, int]
	reads := 0
	get := func(err error) (int, error) {
		return c.Get(&g, "k", func() (int, error) { reads++; return reads, err })
	}
	failed := errors.New("failed")
	if _, err := get(failed); err != failed {
		t.Errorf("%v", err)
	}
	for range 3 { // an error was not remembered, and what was read is
		if v, err := get(nil); v != 2 || err != nil {
			t.Errorf("%d %v", v, err)
		}
	}
	g.Forget()
	if v, _ := get(nil); v != 3 {
		t.Errorf("%d is what was before a change", v)
	}
}

// What is read while something changes does not count afterwards.
func TestChangeDuringARead(t *testing.T) {
	var g recall.Generation
	var c recall.Cache[string, int]
	c.Get(&g, "k", func() (int, error) { g.Forget(); return 1, nil })
	if v, _ := c.Get(&g, "k", func() (int, error) { return 2, nil }); v != 2 {
		t.Errorf("%d was read before the change", v)
	}
}

func TestBound(t *testing.T) {
	var g recall.Generation
	var c recall.Cache[int, int]
	reads := 0
	for k := range 1<<14 + 1 {
		c.Get(&g, k, func() (int, error) { reads++; return 0, nil })
	}
	c.Get(&g, 0, func() (int, error) { reads++; return 0, nil })
	if reads != 1<<14+2 {
		t.Errorf("%d reads: the cache has no bound", reads)
	}
}

// Readers never see less than what was changed before they asked.
func TestBoundOfTexts(t *testing.T) {
	var g recall.Generation
	var c recall.Cache[string, int]
	reads := 0
	get := func(k string) { c.Get(&g, k, func() (int, error) { reads++; return 0, nil }) }
	long := strings.Repeat("x", 1<<20)
	for n := range 32 {
		get(fmt.Sprint(n, long))
	}
	get("0" + long)
	if reads != 32 {
		t.Errorf("%d reads: 32 MiB are not remembered", reads)
	}
	get("32" + long)
	get("0" + long)
	if reads != 34 {
		t.Errorf("%d reads: texts have no bound but their number", reads)
	}
}

func TestNothingIsStale(t *testing.T) {
	var g recall.Generation
	var c recall.Cache[string, int64]
	var stored, acknowledged atomic.Int64
	var all errgroup.Group
	all.Go(func() error {
		for range 2000 {
			stored.Add(1)
			g.Forget()
			acknowledged.Add(1)
		}
		return nil
	})
	for range 4 {
		all.Go(func() error {
			for acknowledged.Load() < 2000 {
				least := acknowledged.Load()
				if v, _ := c.Get(&g, "k", func() (int64, error) { return stored.Load(), nil }); v < least {
					return errors.New("a stale value")
				}
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		t.Error(err)
	}
}
