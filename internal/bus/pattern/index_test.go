package pattern_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/bus/pattern"
)

// maker makes small patterns and events out of few names and values, so that they meet.
type maker struct{ *rand.Rand }

func (m maker) one(list ...string) string { return list[m.IntN(len(list))] }

func (m maker) scalar() string {
	return m.one(`"a"`, `"ab"`, `"abc"`, `"B"`, `"b"`, `""`, `"10.0.0.1"`, `"10.0.0.200"`, `"::1"`, `0`, `1`, `2.5`, `-3`, `7e9`, `true`, `false`, `null`)
}

func (m maker) condition() string {
	return m.one(m.scalar(), m.scalar(), m.scalar(), `{"prefix":"a"}`, `{"prefix":"ab"}`, `{"prefix":{"equals-ignore-case":"A"}}`, `{"suffix":"c"}`, `{"suffix":"b"}`,
		`{"suffix":{"equals-ignore-case":"BC"}}`, `{"equals-ignore-case":"b"}`, `{"equals-ignore-case":"AB"}`, `{"wildcard":"a*c"}`, `{"wildcard":"*b*"}`, `{"wildcard":"*"}`,
		`{"numeric":[">",0]}`, `{"numeric":["<",2.5]}`, `{"numeric":[">=",-3,"<",1]}`, `{"numeric":["=",1]}`, `{"numeric":[">",1,"<=",1.000001]}`,
		`{"cidr":"10.0.0.0/24"}`, `{"cidr":"10.0.0.128/25"}`, `{"cidr":"10.0.0.3/24"}`, `{"cidr":"::/64"}`,
		`{"anything-but":"a"}`, `{"anything-but":["ab","b"]}`, `{"anything-but":[1,2.5]}`, `{"anything-but":{"prefix":"a"}}`, `{"anything-but":{"suffix":["c","b"]}}`,
		`{"anything-but":{"equals-ignore-case":"B"}}`, `{"anything-but":{"wildcard":"a*"}}`, `{"exists":true}`, `{"exists":false}`)
}

func (m maker) pattern(depth int) string {
	var fields []string
	for _, name := range []string{"x", "y", "z", "x.y"} {
		switch n := m.IntN(6); {
		case n < 2:
			var list []string
			for range 1 + m.IntN(3) {
				list = append(list, m.condition())
			}
			fields = append(fields, fmt.Sprintf("%q:[%s]", name, strings.Join(list, ",")))
		case n == 2 && depth > 0:
			fields = append(fields, fmt.Sprintf("%q:%s", name, m.pattern(depth-1)))
		}
	}
	if m.IntN(8) == 0 && depth > 0 {
		fields = append(fields, fmt.Sprintf(`"$or":[%s,%s]`, m.pattern(depth-1), m.pattern(depth-1)))
	}
	if len(fields) == 0 {
		return m.pattern(depth)
	}
	return "{" + strings.Join(fields, ",") + "}"
}

func (m maker) value(depth int) string {
	switch n := m.IntN(10); {
	case n < 2 && depth > 0:
		return m.event(depth - 1)
	case n < 5 && depth > 0:
		var list []string
		for range m.IntN(4) {
			list = append(list, m.value(depth-1))
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	return m.scalar()
}

func (m maker) event(depth int) string {
	var fields []string
	for _, name := range []string{"x", "y", "z", "other"} {
		if m.IntN(3) > 0 {
			fields = append(fields, fmt.Sprintf("%q:%s", name, m.value(depth)))
		}
	}
	return "{" + strings.Join(fields, ",") + "}"
}

// An index finds what matches one by one, while patterns come, are replaced and go.
func TestIndexFindsWhatMatchesOneByOne(t *testing.T) {
	m := maker{rand.New(rand.NewPCG(1, 2))}
	var x pattern.Index[int]
	all := map[int]*pattern.Pattern{}
	texts := map[int]string{}
	matches := 0
	for round := range 3000 {
		k := m.IntN(300)
		if m.IntN(3) == 0 {
			x.Remove(k)
			delete(all, k)
		} else {
			texts[k] = m.pattern(2)
			all[k] = parse(t, texts[k])
			x.Add(k, all[k])
		}
		text := m.event(3)
		e := event(t, text)
		var want []int
		for k, p := range all {
			if p.Match(e) {
				want = append(want, k)
			}
		}
		got := x.Match(e)
		slices.Sort(want)
		slices.Sort(got)
		matches += len(want)
		if !slices.Equal(want, got) {
			for _, k := range append(want, got...) {
				if slices.Contains(want, k) != slices.Contains(got, k) {
					t.Errorf("%s alone: %v", texts[k], slices.Contains(want, k))
				}
			}
			t.Fatalf("round %d: %s: want %v, got %v", round, text, want, got)
		}
	}
	if x.Len() != len(all) || matches < 10000 {
		t.Errorf("%d patterns, want %d; %d matches", x.Len(), len(all), matches)
	}
	for k := range all {
		x.Remove(k)
	}
	if x.Len() != 0 || len(x.Match(event(t, `{"x":1}`))) != 0 {
		t.Error("something is left")
	}
}

// What arrays mean, by definition: of every array one object or array is chosen, and
// its plain values are there whatever is chosen. Some choice must match.
func TestArraysByDefinition(t *testing.T) {
	m := maker{rand.New(rand.NewPCG(3, 4))}
	matched := 0
	for range 20000 {
		want := map[string]string{}
		for _, path := range []string{"x", "y", "x.y", "x.z", "x.y.z", "y.z"} {
			if m.IntN(3) == 0 {
				want[path] = m.one("a", "b", "")
			}
		}
		if len(want) == 0 {
			continue
		}
		var fields []string
		for path, v := range want {
			fields = append(fields, fmt.Sprintf("%q:[%q]", path, v))
		}
		p := parse(t, "{"+strings.Join(fields, ",")+"}")
		text := m.tree(4)
		var tree any
		if err := json.Unmarshal([]byte(text), &tree); err != nil {
			t.Fatal(err)
		}
		expect := slices.ContainsFunc(worlds(tree, ""), func(w map[string][]string) bool {
			for path, v := range want {
				if !slices.Contains(w[path], v) {
					return false
				}
			}
			return true
		})
		if got := p.Match(event(t, text)); got != expect {
			t.Fatalf("%v in %s: got %v", want, text, got)
		}
		if expect {
			matched++
		}
	}
	if matched < 300 {
		t.Errorf("only %d matched", matched)
	}
}

// tree makes an event of objects and arrays.
func (m maker) tree(depth int) string {
	var fields []string
	for _, name := range []string{"x", "y", "z"} {
		if v := m.branch(depth); m.IntN(4) > 0 {
			fields = append(fields, fmt.Sprintf("%q:%s", name, v))
		}
	}
	return "{" + strings.Join(fields, ",") + "}"
}

func (m maker) branch(depth int) string {
	switch n := m.IntN(8); {
	case n < 3 && depth > 0:
		return m.tree(depth - 1)
	case n < 6 && depth > 0:
		var list []string
		for range m.IntN(3) {
			list = append(list, m.branch(depth-2))
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	return m.one(`"a"`, `"b"`, `""`)
}

// worlds are all that a value can be read as.
func worlds(v any, path string) []map[string][]string {
	one := []map[string][]string{{}}
	switch v := v.(type) {
	case string:
		return []map[string][]string{{path: {v}}}
	case map[string]any:
		for name, below := range v {
			inner := worlds(below, strings.TrimPrefix(path+"."+name, "."))
			var both []map[string][]string
			for _, a := range one {
				for _, b := range inner {
					both = append(both, merged(a, b))
				}
			}
			one = both
		}
	case []any:
		plain := map[string][]string{}
		var chosen []map[string][]string
		for _, e := range v {
			if s, ok := e.(string); ok {
				plain[path] = append(plain[path], s)
			} else {
				chosen = append(chosen, worlds(e, path)...)
			}
		}
		if len(chosen) == 0 {
			return []map[string][]string{plain}
		}
		for i := range chosen {
			chosen[i] = merged(plain, chosen[i])
		}
		return chosen
	}
	return one
}

func merged(a, b map[string][]string) map[string][]string {
	all := map[string][]string{}
	for _, m := range []map[string][]string{a, b} {
		for k, v := range m {
			all[k] = append(all[k], v...)
		}
	}
	return all
}

func TestIndexIsSafeForConcurrentUse(t *testing.T) {
	var x pattern.Index[int]
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			m := maker{rand.New(rand.NewPCG(5, uint64(w)))}
			for range 200 {
				x.Add(m.IntN(50), parse(t, m.pattern(1)))
				x.Match(event(t, m.event(2)))
				x.Remove(m.IntN(50))
			}
		})
	}
	wg.Wait()
}
