package sdkhttp_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/sdkhttp"
)

// closed is a body that was closed by the time somebody looks for its end.
type closed struct{ text io.Reader }

func (c closed) Read(p []byte) (int, error) {
	if n, err := c.text.Read(p); err == nil {
		return n, nil
	}
	return 0, errors.New("read after close")
}

func (closed) Close() error { return nil }

func TestBodiesEndWhereTheySaidTheyWould(t *testing.T) {
	const text = "four score and seven"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, err := io.ReadAll(r.Body)
		if err != nil || string(got) != text {
			t.Errorf("the server got %q, %v", got, err)
		}
		io.WriteString(w, strings.Repeat("answer", 1000))
	}))
	defer server.Close()
	client := http.Client{Transport: sdkhttp.Over(server.Client().Transport)}
	for range 50 {
		r, err := http.NewRequest(http.MethodPost, server.URL, closed{strings.NewReader(text)})
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = int64(len(text))
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(res.Body); err != nil {
			t.Fatalf("the answer was cut off: %v", err)
		}
		res.Body.Close()
	}
}
