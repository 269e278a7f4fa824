package cloud

import (
	"bufio"
	"context"
	"io"
	"net"
	"testing"

	"go.uber.org/goleak"
)

func TestForwardCarriesBothWaysUntilItEnds(t *testing.T) {
	defer goleak.VerifyNone(t)
	echo := listen(t)
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	defer echo.Close()
	door := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- forward(ctx, door, echo.Addr().String()) }()

	c, err := net.Dial("tcp", door.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "hello\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	if line, err := r.ReadString('\n'); line != "hello\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("forward ended with %v", err)
	}
	if _, err := r.ReadByte(); err == nil {
		t.Error("a connection outlived its forwarder")
	}
}

func TestForwardToNobodyClosesTheConnection(t *testing.T) {
	gone := listen(t)
	gone.Close()
	door := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- forward(ctx, door, gone.Addr().String()) }()
	c, err := net.Dial("tcp", door.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("read from a target that is not there")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}
