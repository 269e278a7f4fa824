// Package rootfs makes the read-only roots of sandboxes: a view of the host's
// programs and libraries, a few files of ours, and places to which code can be
// attached while a sandbox runs. It works on the mount namespace of the process
// that calls it, which must be a launcher's.
package rootfs
