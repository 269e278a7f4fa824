// Package launcher is the side of the gVisor driver that runs gVisor. It alone
// imports runsc's packages, so that what uses the driver needn't be linked with
// them: sandbox/cmd calls Dispatch, nothing else does.
//
// Booting gVisor by executing oneself again is announced as deprecated upstream;
// gVisor's version is pinned in go.mod, and all that knows of it is here.
package launcher
