package launcher

import (
	"time"
	_ "unsafe" // for linkname

	_ "gvisor.dev/gvisor/pkg/sentry/platform/systrap"
)

// Systrap's fast path spins on a core while it waits for the guest. It pays while a
// runtime boots, a single thread of many system calls: Node says hello after 54
// instead of 65 ms, and has loaded its handler after 3 instead of 6. It doesn't
// once sandboxes outnumber cores, which here they do, and costs 40 % of the
// throughput then. gVisor can have it on or off, and reads which in this variable
// while the guest is busy.
//
//go:linkname neverEnableFastPath gvisor.dev/gvisor/pkg/sentry/platform/systrap.neverEnableFastPath
var neverEnableFastPath bool

// hurry is for how long a kernel has the fast path. It is left at the guest's next
// rest after that.
const hurry = time.Second

// endHurry needs no lock: one goroutine of gVisor's reads the variable, a byte.
func endHurry() { neverEnableFastPath = true }
