package record_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/record"
)

type inner struct{ N int }

type person struct {
	Name    string
	Bytes   []byte
	Tags    map[string]string
	Inner   *inner
	List    []inner
	At      time.Time
	Took    time.Duration
	Big     uint64
	private int
}

func TestRoundTrip(t *testing.T) {
	want := person{
		Name: "naïve\x00", Bytes: []byte{0, 255}, Tags: map[string]string{"b": "2", "a": "1"}, Inner: &inner{-7}, List: []inner{{1}, {2}},
		At: time.Date(2026, 5, 4, 12, 0, 0, 123456000, time.UTC), Took: time.Minute, Big: 1<<64 - 1,
	}
	b, err := record.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got person
	if err := record.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(person{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCanonical: equal values have equal bytes, whatever order a map was filled in.
func TestCanonical(t *testing.T) {
	first, err := record.Marshal(map[string]int{"a": 1, "b": 2, "c": 3})
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		m := map[string]int{}
		for _, k := range []string{"c", "a", "b"} {
			m[k] = int(k[0]-'a') + 1
		}
		if b, err := record.Marshal(m); err != nil || !bytes.Equal(b, first) {
			t.Fatalf("%x and %x, %v", first, b, err)
		}
	}
}

// TestEvolution: an older record lacks fields, a newer one has more; both are read.
func TestEvolution(t *testing.T) {
	type v1 struct{ Name string }
	type v2 struct {
		Name  string
		Added int
	}
	old, err := record.Marshal(v1{"a"})
	if err != nil {
		t.Fatal(err)
	}
	var new v2
	if err := record.Unmarshal(old, &new); err != nil || new != (v2{Name: "a"}) {
		t.Errorf("old read as new: %+v, %v", new, err)
	}
	newer, err := record.Marshal(v2{"b", 7})
	if err != nil {
		t.Fatal(err)
	}
	var back v1
	if err := record.Unmarshal(newer, &back); err != nil || back != (v1{"b"}) {
		t.Errorf("new read as old: %+v, %v", back, err)
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	good, err := record.Marshal(person{Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"nothing": nil, "cut off": good[:len(good)/2], "another type": {0x01}} {
		if err := record.Unmarshal(b, &person{}); err == nil {
			t.Errorf("%s was decoded", name)
		}
	}
}

// TestTime: what is read back is the same moment, in UTC, to the microsecond.
func TestTime(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 0, 0, 123456789, time.FixedZone("CEST", 2*3600))
	b, err := record.Marshal(person{At: at})
	if err != nil {
		t.Fatal(err)
	}
	var got person
	if err := record.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if want := at.UTC().Round(time.Microsecond); got.At != want {
		t.Errorf("%v came back as %v", at, got.At)
	}
}

func BenchmarkMarshal(b *testing.B) {
	v := person{Name: "a", Inner: &inner{1}, At: time.Unix(0, 0)}
	for b.Loop() {
		record.Marshal(v)
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	enc, _ := record.Marshal(person{Name: "a", Inner: &inner{1}, At: time.Unix(0, 0)})
	for b.Loop() {
		record.Unmarshal(enc, &person{})
	}
}

func FuzzUnmarshal(f *testing.F) {
	b, err := record.Marshal(person{Name: "a", Inner: &inner{1}, At: time.Unix(0, 0)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) { record.Unmarshal(b, &person{}) })
}
