package wire_test

import (
	"math"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/smithy-go/traits"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// record has what few of AWS's shapes have, for the corners of every codec.
type record struct {
	Name    *string
	Wide    *int64
	Narrow  *int32
	Double  *float64
	Single  *float32
	Flag    *bool
	Blob    []byte
	Blobs   [][]byte
	Epoch   *time.Time
	Date    *time.Time
	HTTP    *time.Time
	Sparse  []*string
	Gaps    map[string]*string
	Matrix  [][]int64
	ByName  map[string][]string
	Flat    map[string]string
	Next    *record
	Records []record
}

var recordTraits = wire.Traits{
	"record.Epoch":        {&traits.TimestampFormat{Format: "epoch-seconds"}},
	"record.Date":         {&traits.TimestampFormat{Format: "date-time"}},
	"record.HTTP":         {&traits.TimestampFormat{Format: "http-date"}},
	"record.Flat":         {&traits.XMLFlattened{}, &traits.XMLName{Name: "FlatEntry"}},
	"record.Flat.key":     {&traits.XMLName{Name: "K"}},
	"record.Flat.value":   {&traits.XMLName{Name: "V"}},
	"record.Records":      {&traits.XMLFlattened{}, &traits.XMLName{Name: "Record"}},
	"record.Blobs.member": {&traits.XMLName{Name: "Blob"}},
}

// TestCodecsReadWhatTheyWrite answers with a struct and decodes the answer as a
// request.
func TestCodecsReadWhatTheyWrite(t *testing.T) {
	at := time.Date(1969, 7, 20, 20, 17, 40, 250e6, time.UTC)
	whole := at.Truncate(time.Second)
	deep := &record{Name: ptr("leaf")}
	for range 30 {
		deep = &record{Next: deep}
	}
	for name, want := range map[string]*record{
		"nothing": {},
		"strings": {Name: ptr("a\u2028<&>\"'é😀"), Sparse: []*string{ptr("a"), ptr("")}, ByName: map[string][]string{"a": {"b", "c"}, "": {}}},
		"spaces":  {Name: ptr(" a\r\n\tb ")},
		"numbers": {Wide: ptr(int64(math.MinInt64)), Narrow: ptr(int32(math.MaxInt32)), Double: ptr(5e-324), Single: ptr(float32(1.1)), Flag: ptr(false), Matrix: [][]int64{{1, math.MaxInt64}, {}, {-24, -25}}},
		"NaN":     {Double: ptr(math.NaN()), Single: ptr(float32(math.Inf(1)))},
		"minus":   {Double: ptr(math.Inf(-1)), Single: ptr(float32(math.Copysign(0, -1)))},
		"large":   {Double: ptr(math.MaxFloat64), Single: ptr(float32(math.MaxFloat32))},
		"times":   {Epoch: &at, Date: &at, HTTP: &whole},
		"blobs":   {Blob: []byte{}, Blobs: [][]byte{{0, 255}, {}}},
		"flat":    {Flat: map[string]string{"a": "1", "b": "2"}, Records: []record{{Name: ptr("x")}, {Flag: ptr(true)}}},
		"deep":    deep,
	} {
		for _, p := range []wire.Protocol{wire.RestJSON, wire.JSON10, wire.JSON11, wire.CBOR, wire.RestXML} {
			t.Run(p.String()+"/"+name, func(t *testing.T) {
				if diff := cmp.Diff(want, throughWire(t, p, want), cmpopts.EquateNaNs()); diff != "" {
					t.Errorf("(-written +read):\n%s", diff)
				}
			})
		}
	}
	gaps := &record{Sparse: []*string{nil, ptr("b"), nil}, Gaps: map[string]*string{"a": nil, "b": ptr("c")}}
	for _, p := range []wire.Protocol{wire.RestJSON, wire.JSON11, wire.CBOR} { // XML has no null
		if diff := cmp.Diff(gaps, throughWire(t, p, gaps)); diff != "" {
			t.Errorf("%s (-written +read):\n%s", p, diff)
		}
	}
}

// throughWire writes out as an answer and reads it as an input.
func throughWire(t *testing.T, p wire.Protocol, out *record) *record {
	t.Helper()
	var e *echo
	e = &echo{out: out}
	router := newRouter(t, wire.API{
		Service: "records", Target: "Records", Protocols: []wire.Protocol{p}, Traits: recordTraits, Namespace: "http://example.com/",
		Operations: []wire.Operation{echoOp[record, record](&e, wire.Routed("Echo", "POST", "/echo", 200))},
	})
	req := httptest.NewRequest("POST", "/echo", nil)
	if p == wire.CBOR {
		req.URL.Path = "/service/Records/operation/Echo"
	}
	req.Header.Set("X-Amz-Target", "Records.Echo")
	call, err := router.Match(req)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := call.Serve(t.Context(), w, &record{}, "id"); err != nil {
		t.Fatal(err)
	}
	in, err := call.Decode(req, w.Body.Bytes())
	if err != nil {
		t.Fatalf("decode %q: %v", w.Body, err)
	}
	return in.(*record)
}

func ptr[T any](v T) *T { return &v }

// bound has a member in every place of an HTTP message.
type bound struct {
	Label   *int32
	Rest    *string
	When    *time.Time
	Numbers []int32
	Others  map[string]string
	Word    *string
	Dates   []time.Time
	Words   []string
	Secret  *string
	Binary  []byte
	Real    *float64
	Extra   map[string]string
	Code    *int32
	Body    *string
}

var boundTraits = wire.Traits{
	"bound.Label":   {&traits.HTTPLabel{}},
	"bound.Rest":    {&traits.HTTPLabel{}},
	"bound.When":    {&traits.HTTPQuery{Name: "when"}},
	"bound.Numbers": {&traits.HTTPQuery{Name: "n"}},
	"bound.Others":  {&traits.HTTPQueryParams{}},
	"bound.Word":    {&traits.HTTPHeader{Name: "X-Word"}},
	"bound.Dates":   {&traits.HTTPHeader{Name: "X-Dates"}},
	"bound.Words":   {&traits.HTTPHeader{Name: "X-Words"}},
	"bound.Secret":  {&traits.HTTPHeader{Name: "X-Secret"}, &traits.MediaType{Type: "application/json"}},
	"bound.Binary":  {&traits.HTTPHeader{Name: "X-Binary"}},
	"bound.Real":    {&traits.HTTPHeader{Name: "X-Real"}},
	"bound.Extra":   {&traits.HTTPPrefixHeaders{Prefix: "X-Extra-"}},
	"bound.Code":    {&traits.HTTPResponseCode{}},
	"bound.Body":    {&traits.HTTPPayload{}},
}

func TestBindings(t *testing.T) {
	day := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	want := &bound{
		Label: ptr(int32(-7)), Rest: ptr("a b/c"), When: &day, Numbers: []int32{3, 1}, Others: map[string]string{"x": "1", "y": ""},
		Word: ptr("hello"), Dates: []time.Time{day, day.Add(time.Hour)}, Words: []string{"a", "b, c", `d"e`}, Secret: ptr(`{"a":1}`),
		Binary: []byte{1, 2}, Real: ptr(math.Inf(1)), Extra: map[string]string{"one": "1"}, Body: ptr("text"),
	}
	var e *echo
	e = &echo{out: want}
	router := newRouter(t, wire.API{
		Service: "bound", Protocols: []wire.Protocol{wire.RestJSON}, Traits: boundTraits,
		Operations: []wire.Operation{echoOp[bound, bound](&e, wire.Routed("Bind", "POST", "/b/{Label}/{Rest+}", 200))},
	})
	req := httptest.NewRequest("POST", "/b/-7/a%20b/c?when=2026-02-03T04:05:06Z&n=3&n=1&x=1&y", nil)
	w := httptest.NewRecorder()
	call, err := router.Match(req)
	if err != nil {
		t.Fatal(err)
	}
	want.Code = ptr(int32(201))
	if err := call.Serve(t.Context(), w, want, "id"); err != nil {
		t.Fatal(err)
	}
	if w.Code != 201 || w.Body.String() != "text" || w.Header().Get("Content-Type") != "text/plain" {
		t.Errorf("status %d, type %s, body %s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	req.Header = w.Header() // headers are written as they are read
	got, err := call.Decode(req, w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	want.Code = nil // no request has one
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
