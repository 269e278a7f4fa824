// Command guest is the program that the suite runs inside sandboxes. It obeys
// orders on descriptor 3, one JSON object a line, and answers each with one.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/sandboxtest/order"
)

var (
	kept  [][]byte // memory taken, never given back
	spins atomic.Int64
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "sleep" {
		time.Sleep(time.Minute)
		return
	}
	control := os.NewFile(3, "control")
	out := json.NewEncoder(control)
	dir, _ := os.Getwd()
	if out.Encode(order.Answer{UID: os.Getuid(), Text: dir, List: os.Environ()}) != nil {
		return
	}
	in := bufio.NewScanner(control)
	for in.Scan() {
		var o order.Order
		if err := json.Unmarshal(in.Bytes(), &o); err != nil {
			return
		}
		a, err := obey(o)
		if err != nil {
			a.Err = err.Error()
			var no syscall.Errno
			if errors.As(err, &no) {
				a.Errno = int(no)
			}
		}
		if out.Encode(a) != nil {
			return
		}
	}
}

func obey(o order.Order) (a order.Answer, err error) {
	switch o.Op {
	case order.Read:
		var b []byte
		b, err = os.ReadFile(o.Path)
		a.Text = string(b)
	case order.List:
		var l []os.DirEntry
		l, err = os.ReadDir(o.Path)
		for _, e := range l {
			a.List = append(a.List, e.Name())
		}
	case order.Write:
		a.N, err = fill(o.Path, o.N)
	case order.Print:
		_, err = os.NewFile(uintptr(o.N), "out").WriteString(o.Text)
	case order.Take:
		b := make([]byte, o.N)
		for i := range b {
			b[i] = byte(i >> 12)
		}
		kept = append(kept, b)
	case order.Spin:
		for range o.N {
			go spin()
		}
	case order.Spins:
		a.N = spins.Load()
	case order.Fork:
		a.N, err = fork(o.N)
	case order.Dial:
		err = dial(o.Path)
	case order.Send:
		a.Text, err = send(o.Path, o.Text)
	case order.Find:
		ctx, cancel := context.WithTimeout(context.Background(), findTimeout)
		a.List, err = net.DefaultResolver.LookupHost(ctx, o.Path)
		cancel()
	case order.Exit:
		os.Exit(int(o.N))
	case order.Files:
		a.N = open(o.N)
	}
	return a, err
}

// fill writes n bytes to a file and returns how many it could.
func fill(path string, n int64) (int64, error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	b := []byte(strings.Repeat("x", 64<<10))
	var done int64
	for done < n {
		k, err := f.Write(b[:min(int64(len(b)), n-done)])
		done += int64(k)
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

func spin() {
	for i := 0; ; i++ {
		if i%1000 == 0 {
			spins.Add(1)
			runtime.Gosched()
		}
	}
}

// fork starts n processes and returns how many it could.
func fork(n int64) (int64, error) {
	for i := range n {
		if err := exec.Command("/proc/self/exe", "sleep").Start(); err != nil {
			return i, err
		}
	}
	return n, nil
}

func dial(addr string) error {
	c, err := net.DialTimeout("tcp4", addr, time.Second)
	if err != nil {
		return err
	}
	return c.Close()
}

// send sends a packet and returns the one that comes back.
func send(addr, text string) (string, error) {
	c, err := net.Dial("udp4", addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return "", err
	}
	if _, err := c.Write([]byte(text)); err != nil {
		return "", err
	}
	b := make([]byte, 2048)
	n, err := c.Read(b)
	return string(b[:n]), err
}

// findTimeout is longer than a name server that refuses takes, and shorter than
// the time after which the next is asked.
const findTimeout = 4 * time.Second

// open opens files until it can't, at most n, and returns how many it could.
func open(n int64) int64 {
	var files []*os.File
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	for i := range n {
		f, err := os.Open("/etc/passwd")
		if err != nil {
			return i
		}
		files = append(files, f)
	}
	return n
}
