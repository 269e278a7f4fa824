package cloud

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A data folder may have a longer path than a socket, and the socket of a node that
// was killed is still there.
func TestPortsInALongFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 40), "ports")
	p, err := newPorts(dir, []uint16{4566})
	if err != nil {
		t.Fatal(err)
	}
	defer p.dir.Close()
	if err := os.WriteFile(filepath.Join(dir, "4566"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := p.listen(4566)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if c, err := l.Accept(); err == nil {
			io.WriteString(c, "hello")
			c.Close()
		}
	}()
	t.Chdir(dir)
	c, err := net.Dial("unix", "4566")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if said, err := io.ReadAll(c); string(said) != "hello" {
		t.Errorf("got %q, %v", said, err)
	}
	if st, err := os.Stat("4566"); err != nil || st.Mode().Perm() != 0o666 {
		t.Errorf("the socket is not open to sandboxes: %v, %v", st.Mode(), err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat("4566"); !os.IsNotExist(err) {
		t.Errorf("the socket is left: %v", err)
	}
}

func TestPrivilegedPortsCanNotBeAllowed(t *testing.T) {
	n := &Node{cfg: Config{Data: t.TempDir(), Listen: "127.0.0.1:80", Allow: []string{"db:5432", "web:443"}}}
	if err := n.openPorts(); err == nil || !strings.Contains(err.Error(), "web:443") {
		t.Errorf("got %v, want a refusal of web:443", err)
	}
	n.cfg.Allow = n.cfg.Allow[:1]
	if err := n.openPorts(); err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if got := n.insideEndpoint(); got != "http://127.0.0.1:4566" {
		t.Errorf("the endpoint is %s", got)
	}
}
