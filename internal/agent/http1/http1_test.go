package http1_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mayfly-cloud/mayfly/internal/agent/http1"
)

// wire is a connection whose input is known beforehand.
type wire struct {
	io.Reader
	out bytes.Buffer
}

func (w *wire) Write(p []byte) (int, error) { return w.out.Write(p) }

func conn(in string) (*http1.Conn, *wire) {
	w := &wire{Reader: strings.NewReader(in)}
	return http1.NewConn(w), w
}

func TestRequestsOnOneConnection(t *testing.T) {
	in := "GET /2018-06-01/runtime/invocation/next?x=1 HTTP/1.1\r\nHost: h\r\nuser-agent:\t a b \r\n\r\n" +
		"POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello" +
		"POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n3;ext=1\r\nhel\r\n2\r\nlo\r\n0\r\nX-Error: oops\r\n\r\n" +
		"POST /unread HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz" +
		"PUT /c HTTP/1.0\r\n\r\n"
	for name, reader := range map[string]func(io.Reader) io.Reader{
		"at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "with EOF": iotest.DataErrReader,
	} {
		t.Run(name, func(t *testing.T) {
			c := http1.NewConn(&wire{Reader: reader(strings.NewReader(in))})
			for _, want := range []struct{ method, path, body, trailer string }{
				{"GET", "/2018-06-01/runtime/invocation/next", "", ""},
				{"POST", "/a", "hello", ""},
				{"POST", "/b", "hello", "oops"},
				{"POST", "/unread", "-", ""},
				{"PUT", "/c", "", ""},
			} {
				req, err := c.Next()
				if err != nil {
					t.Fatalf("%s: %v", want.path, err)
				}
				if string(req.Method) != want.method || string(req.Path) != want.path {
					t.Errorf("got %s %s, want %s %s", req.Method, req.Path, want.method, want.path)
				}
				if want.path == "/c" != req.Close {
					t.Errorf("%s: close is %v", want.path, req.Close)
				}
				if want.body == "-" {
					continue
				}
				body, err := c.ReadBody(nil, 100)
				if err != nil || string(body) != want.body {
					t.Errorf("%s: body %q, %v, want %q", want.path, body, err, want.body)
				}
				if got := string(c.Trailer("x-error")); got != want.trailer {
					t.Errorf("%s: trailer %q, want %q", want.path, got, want.trailer)
				}
			}
			if _, err := c.Next(); err != io.EOF {
				t.Errorf("at the end: %v, want io.EOF", err)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	c, _ := conn("GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: \t a b \r\nEmpty:\r\n\r\n")
	req, err := c.Next()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"host": "h", "USER-AGENT": "a b", "Empty": ""} {
		if got := req.Get(name); string(got) != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := req.Get("Absent"); len(got) > 0 {
		t.Errorf("Absent is %q", got)
	}
}

func TestRefusedHeads(t *testing.T) {
	for name, in := range map[string]string{
		"no version":             "GET /\r\n\r\n",
		"another version":        "GET / HTTP/2.0\r\n\r\n",
		"no path":                "GET * HTTP/1.1\r\n\r\n",
		"absolute target":        "GET http://x/ HTTP/1.1\r\n\r\n",
		"space in the target":    "GET /a b HTTP/1.1\r\n\r\n",
		"control in the target":  "GET /a\x01 HTTP/1.1\r\n\r\n",
		"bad method":             "G(T / HTTP/1.1\r\n\r\n",
		"no colon":               "GET / HTTP/1.1\r\nHost\r\n\r\n",
		"space before the colon": "GET / HTTP/1.1\r\nHost : h\r\n\r\n",
		"folded header":          "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
		"bare line feed":         "GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n",
		"NUL in a value":         "GET / HTTP/1.1\r\nA: \x00\r\n\r\n",
		"negative length":        "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
		"signed length":          "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
		"huge length":            "POST / HTTP/1.1\r\nContent-Length: 9999999999999999\r\n\r\n",
		"two lengths":            "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
		"length and chunks":      "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"unknown coding":         "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		"too many headers":       "GET / HTTP/1.1\r\n" + strings.Repeat("A: b\r\n", 65) + "\r\n",
		"head over the limit":    "GET / HTTP/1.1\r\nA: " + strings.Repeat("a", http1.MaxHead) + "\r\n\r\n",
		"endless first line":     strings.Repeat("A", 2*http1.MaxHead),
	} {
		c, _ := conn(in)
		if _, err := c.Next(); !errors.Is(err, http1.ErrMalformed) && !errors.Is(err, http1.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRefusedBodies(t *testing.T) {
	const chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
	for name, c := range map[string]struct {
		in   string
		want error
	}{
		"short of its length":   {"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc", io.ErrUnexpectedEOF},
		"length over the limit": {"POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n01234567890", http1.ErrTooLarge},
		"chunks over the limit": {chunked + "6\r\n012345\r\n6\r\n012345\r\n0\r\n\r\n", http1.ErrTooLarge},
		"short chunk":           {chunked + "5\r\nabc", io.ErrUnexpectedEOF},
		"no last chunk":         {chunked + "3\r\nabc\r\n", io.ErrUnexpectedEOF},
		"no end of trailers":    {chunked + "0\r\nA: b\r\n", io.ErrUnexpectedEOF},
		"bad chunk size":        {chunked + "x\r\n", http1.ErrMalformed},
		"negative chunk size":   {chunked + "-1\r\n", http1.ErrMalformed},
		"no line after a chunk": {chunked + "3\r\nabcd\r\n0\r\n\r\n", http1.ErrMalformed},
		"endless chunk line":    {chunked + strings.Repeat("1", 1000), http1.ErrMalformed},
		"bad trailer":           {chunked + "0\r\nA b\r\n\r\n", http1.ErrMalformed},
	} {
		conn, _ := conn(c.in)
		if _, err := conn.Next(); err != nil {
			t.Errorf("%s: head: %v", name, err)
			continue
		}
		if _, err := conn.ReadBody(nil, 10); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestLargeBodyLeavesTheConnectionUsable(t *testing.T) {
	c, _ := conn("POST /a HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100000) + "GET /b HTTP/1.1\r\n\r\n")
	if _, err := c.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadBody(nil, 10); !errors.Is(err, http1.ErrTooLarge) {
		t.Fatalf("got %v, want %v", err, http1.ErrTooLarge)
	}
	if req, err := c.Next(); err != nil || string(req.Path) != "/b" {
		t.Errorf("next request: %v", err)
	}
}

func TestContinueIsSentWhenTheBodyIsWanted(t *testing.T) {
	r, w := io.Pipe()
	out := &wire{Reader: r}
	c := http1.NewConn(out)
	go func() {
		_, _ = io.WriteString(w, "POST /a HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
		_, _ = io.WriteString(w, "ok")
	}()
	if _, err := c.Next(); err != nil {
		t.Fatal(err)
	}
	if out.out.Len() > 0 {
		t.Fatalf("sent %q before the body was read", out.out.String())
	}
	body, err := c.ReadBody(nil, 10)
	if err != nil || string(body) != "ok" {
		t.Errorf("body %q, %v", body, err)
	}
	if got := out.out.String(); got != "HTTP/1.1 100 Continue\r\n\r\n" {
		t.Errorf("sent %q", got)
	}
}

func TestReplies(t *testing.T) {
	c, w := conn("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nConnection: close\r\n\r\n")
	large := bytes.Repeat([]byte("x"), 100000)
	for _, body := range [][]byte{[]byte("{}"), large} {
		if _, err := c.Next(); err != nil {
			t.Fatal(err)
		}
		h := http1.AppendField(c.Head(200), "X-A", "evil\r\nX-B: 1")
		if err := c.ReplyHead(h, body); err != nil {
			t.Fatal(err)
		}
	}
	r := bufio.NewReader(&w.out)
	for i, want := range [][]byte{[]byte("{}"), large} {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || !bytes.Equal(body, want) || resp.Close != (i == 1) {
			t.Errorf("answer %d: %d bytes, close %v, %v", i, len(body), resp.Close, err)
		}
		if got := resp.Header.Get("X-A"); got != "evil  X-B: 1" || resp.Header.Get("X-B") != "" {
			t.Errorf("header %q", got)
		}
	}
}

// Whatever is understood here, net/http understands the same way.
func FuzzConn(f *testing.F) {
	f.Add([]byte("GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n"))
	f.Add([]byte("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nHost: h\r\n\r\n"))
	f.Add([]byte("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n"))
	f.Add([]byte("POST /a HTTP/1.0\r\nConnection: keep-alive, x\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		c, _ := conn(string(in))
		theirs := bufio.NewReader(bytes.NewReader(in))
		for range 4 {
			req, err := c.Next()
			if err != nil {
				return
			}
			want, err := http.ReadRequest(theirs)
			if err != nil {
				// It refuses hosts and such that mean nothing here.
				return
			}
			if want.Method != string(req.Method) || !strings.HasPrefix(want.RequestURI, string(req.Path)) {
				t.Fatalf("%s %s, net/http says %s %s", req.Method, req.Path, want.Method, want.RequestURI)
			}
			body, err := c.ReadBody(nil, 1<<16)
			if err != nil {
				return
			}
			wantBody, err := io.ReadAll(want.Body)
			if err != nil || !bytes.Equal(body, wantBody) {
				t.Fatalf("body %q, net/http says %q, %v", body, wantBody, err)
			}
		}
	})
}
