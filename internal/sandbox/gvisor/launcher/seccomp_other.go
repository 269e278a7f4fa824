//go:build !amd64

package launcher

import "gvisor.dev/gvisor/pkg/seccomp/precompiledseccomp"

func compiledBoot() map[string]precompiledseccomp.Program  { return nil }
func compiledGofer() map[string]precompiledseccomp.Program { return nil }
