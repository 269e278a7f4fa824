package bill

import (
	"time"
)

// Usage is one metered invocation.
type Usage struct {
	// RequestID and Attempt (of an asynchronous event, from 1; 0 for a synchronous
	// call) are the invocation's identity: one recorded twice counts once.
	RequestID string
	Attempt   int

	Account, FunctionARN, Version string // Version is "$LATEST" or a number
	Architecture                  string // "x86_64" or "arm64"

	At                time.Time     // when it ended: the day it is billed on
	Billed            time.Duration // counted in whole milliseconds, rounded up
	MemoryMiB, TmpMiB int           // as configured
	Cold              bool          // it waited for a new environment
	Failed            bool          // it ended in an error
}

// billed is the time counted, in ms.
func (u *Usage) billed() int64 {
	return int64(max(0, u.Billed+time.Millisecond-1) / time.Millisecond)
}

// use is a Usage as it is kept; the rest is in its key.
type use struct {
	Version, Architecture string
	Account               string
	At                    int64 // ms since 1970
	Billed                int64 // ms
	MemoryMiB, TmpMiB     int
	Cold, Failed          bool
}

func (u *Usage) kept() use {
	return use{
		Version: u.Version, Architecture: u.Architecture, Account: u.Account, At: u.At.UnixMilli(), Billed: u.billed(),
		MemoryMiB: u.MemoryMiB, TmpMiB: u.TmpMiB, Cold: u.Cold, Failed: u.Failed,
	}
}

// sum adds up invocations.
type sum struct {
	Invocations, ColdStarts, Errors int64
	Billed                          int64 // ms
	Memory                          int64 // MiB x ms
	Tmp                             int64 // MiB x ms beyond freeTmp
}

// of is the sum of one invocation.
func (u *use) sum() sum {
	s := sum{Invocations: 1, Billed: u.Billed, Memory: u.Billed * int64(u.MemoryMiB), Tmp: u.Billed * int64(max(0, u.TmpMiB-freeTmp))}
	if u.Cold {
		s.ColdStarts = 1
	}
	if u.Failed {
		s.Errors = 1
	}
	return s
}

func (s *sum) add(o sum) {
	s.Invocations += o.Invocations
	s.ColdStarts += o.ColdStarts
	s.Errors += o.Errors
	s.Billed += o.Billed
	s.Memory += o.Memory
	s.Tmp += o.Tmp
}
