package sandboxtest

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/sandboxtest/order"
)

func limited(l sandbox.Limits) func(*sandbox.Spec) {
	return func(s *sandbox.Spec) { s.Limits = l }
}

func (s *suite) tmpIsBounded(t *testing.T) {
	p := s.start(t, func(s *sandbox.Spec) { s.TmpBytes = 8 << 20 })
	a := p.do(order.Order{Op: order.Write, Path: "/tmp/big", N: 64 << 20})
	if a.Errno != int(syscall.ENOSPC) || a.N != 8<<20 {
		t.Errorf("wrote %d of %d, %q", a.N, 8<<20, a.Err)
	}
}

func (s *suite) processesAreBounded(t *testing.T) {
	const limit = 60 // threads count too, and each process of the program has some
	p := s.start(t, limited(sandbox.Limits{Processes: limit}))
	a := p.do(order.Order{Op: order.Fork, N: 10 * limit})
	if a.Err == "" || a.N > limit {
		t.Errorf("started %d processes, %q", a.N, a.Err)
	}
	if a := p.do(order.Order{Op: order.Read, Path: "/etc/passwd"}); a.Err != "" {
		t.Error("doesn't survive that:", a.Err)
	}
}

func (s *suite) filesAreBounded(t *testing.T) {
	const limit = 64
	p := s.start(t, limited(sandbox.Limits{OpenFiles: limit}))
	if a := p.do(order.Order{Op: order.Files, N: 1000}); a.N == 0 || a.N > limit {
		t.Errorf("opened %d files", a.N)
	}
}

func (s *suite) memoryIsBounded(t *testing.T) {
	limit := limited(sandbox.Limits{MemoryBytes: 64 << 20})
	hog, neighbour := s.start(t, limit), s.start(t, limit)
	if a := hog.do(order.Order{Op: order.Take, N: 40 << 20}); a.Err != "" {
		t.Error("not given its own:", a.Err)
	}
	if err := hog.send(order.Order{Op: order.Take, N: 256 << 20}); err != nil {
		t.Fatal(err)
	}
	if a, err := hog.receive(); err == nil {
		t.Fatalf("took 256 MiB of 64: %+v", a)
	}
	if e := hog.ended(); !e.OutOfMemory {
		t.Errorf("exit %+v, want out of memory", e)
	}
	if u := hog.Usage(); u.MemoryPeak < 40<<20 || u.MemoryPeak > 100<<20 {
		t.Errorf("peak of %d", u.MemoryPeak)
	}
	if a := neighbour.do(order.Order{Op: order.Take, N: 16 << 20}); a.Err != "" {
		t.Error("the neighbour suffers:", a.Err)
	}
	if err := neighbour.Resize(sandbox.Limits{MemoryBytes: 512 << 20}); err != nil {
		t.Fatal(err)
	}
	if a := neighbour.do(order.Order{Op: order.Take, N: 256 << 20}); a.Err != "" {
		t.Error("not given more:", a.Err)
	}
}

func (s *suite) cpuIsBounded(t *testing.T) {
	p := s.start(t)
	if err := p.Resize(sandbox.Limits{CPUs: 0.2}); err != nil {
		t.Fatal(err)
	}
	p.do(order.Order{Op: order.Spin, N: 2})
	const span = time.Second
	before := p.Usage().CPU
	time.Sleep(span) // the time measured over
	if used := p.Usage().CPU - before; used < span/20 || used > span*2/5 {
		t.Errorf("used %v of %v, allowed a fifth", used, span)
	}
}

func (s *suite) measures(t *testing.T) {
	p := s.start(t)
	before := p.Usage()
	p.do(order.Order{Op: order.Take, N: 50 << 20})
	after := p.Usage()
	if d := after.MemoryBytes - before.MemoryBytes; before.MemoryBytes == 0 || d < 49<<20 || d > 70<<20 {
		t.Errorf("took 50 MiB, seen as %d after %d", d, before.MemoryBytes)
	}
	if after.MemoryPeak < after.MemoryBytes {
		t.Errorf("at the most %d, now %d", after.MemoryPeak, after.MemoryBytes)
	}
	// Processor time is measured where it is bounded.
	if !slices.Contains(s.Driver.Info().Weaker, "CPU limit") && after.CPU <= before.CPU {
		t.Errorf("%v, then %v of processor time", before.CPU, after.CPU)
	}
	p.Kill()
	p.ended()
	if last := p.Usage(); last.CPU < after.CPU || last.MemoryPeak < after.MemoryPeak {
		t.Errorf("at the end %+v, before %+v", last, after)
	}
}

func (s *suite) freezes(t *testing.T) {
	p := s.start(t)
	p.do(order.Order{Op: order.Spin, N: 2})
	for range 5 {
		for range 2 {
			if err := p.Freeze(); err != nil {
				t.Fatal(err)
			}
		}
		before := p.Usage().CPU
		time.Sleep(50 * time.Millisecond) // a running loop would use most of it
		if used := p.Usage().CPU - before; used > 5*time.Millisecond {
			t.Fatalf("used %v while frozen", used)
		}
		for range 2 {
			if err := p.Thaw(); err != nil {
				t.Fatal(err)
			}
		}
		was := p.do(order.Order{Op: order.Spins}).N
		for end := time.Now().Add(deadline); p.do(order.Order{Op: order.Spins}).N == was; {
			if time.Now().After(end) {
				t.Fatal("stands still")
			}
		}
	}
}

func (s *suite) killsFrozen(t *testing.T) {
	for name, end := range map[string]func(*program){
		"killed": func(p *program) { p.Kill() },
		"closed": func(p *program) { p.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			p := s.start(t)
			p.do(order.Order{Op: order.Spin, N: 1})
			if err := p.Freeze(); err != nil {
				t.Fatal(err)
			}
			end(p)
			if e := p.ended(); e.Signal != int(syscall.SIGKILL) {
				t.Errorf("exit %+v", e)
			}
		})
	}
}

// diesAlone asks of sandboxes what can be asked while they end.
func (s *suite) diesAlone(t *testing.T) {
	neighbour := s.start(t)
	for range 5 {
		p := s.start(t)
		p.Kill()
		for ended := false; !ended; {
			_ = p.Freeze() // may fail by now
			p.Usage()
			_ = p.Thaw()
			select {
			case <-p.Done():
				ended = true
			default:
			}
		}
	}
	if a := neighbour.do(order.Order{Op: order.Read, Path: "/etc/passwd"}); a.Err != "" {
		t.Error("the neighbour suffers:", a.Err)
	}
}
