package launcher

import (
	"sync"
	_ "unsafe" // for linkname

	"gvisor.dev/gvisor/pkg/seccomp/precompiledseccomp"
	_ "gvisor.dev/gvisor/runsc/boot/filter"
	_ "gvisor.dev/gvisor/runsc/fsgofer/filter"
)

// gVisor compiles its system call filters at each start, 9 ms of processor
// time, unless they are registered in these variables, which its own build fills
// and its Go packages leave empty. A test compiles ours again and compares.
// Under any other configuration than theirs, filters are compiled as before.

//go:linkname bootPrograms gvisor.dev/gvisor/runsc/boot/filter.precompiledPrograms
var bootPrograms map[string]precompiledseccomp.Program

//go:linkname bootOnce gvisor.dev/gvisor/runsc/boot/filter.registerPrecompiledProgramsOnce
var bootOnce sync.Once

//go:linkname goferPrograms gvisor.dev/gvisor/runsc/fsgofer/filter.precompiledPrograms
var goferPrograms map[string]precompiledseccomp.Program

//go:linkname goferOnce gvisor.dev/gvisor/runsc/fsgofer/filter.registerPrecompiledProgramsOnce
var goferOnce sync.Once

// registerFilters must come before gVisor's own command line.
func registerFilters() {
	bootOnce.Do(func() { bootPrograms = compiledBoot() })
	goferOnce.Do(func() { goferPrograms = compiledGofer() })
}
