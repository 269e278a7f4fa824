package launch

import (
	"encoding/json"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Names the binary goes by (argv[0]) in the parts it plays.
const (
	LauncherName = "mayfly-launcher"
	ProbeName    = "mayfly-probe"
)

// ProbeAnswer is what the probe says on its control socket.
const ProbeAnswer = "alive"

// MaxPacket bounds a packet, in bytes, below a socket's default buffer.
const MaxPacket = 160 << 10

const maxFiles = 8

// Descriptors of a sandbox besides the standard ones. ControlFD is also the
// launcher's end of its socket.
const (
	ControlFD   = 3
	TelemetryFD = 4
)

// Setup is the launcher's only argument.
type Setup struct {
	// Dir becomes the mount point of the launcher's own tmpfs.
	Dir string
	// Platform is gVisor's: "systrap" or "kvm". Others have none.
	Platform string
	// Rootless says that root in the launcher is an ordinary user outside.
	Rootless bool
	// Gateway is the address at which sandboxes reach their node, under the name
	// host.mayfly.internal; empty where they can't.
	Gateway string
}

// Request is the node's. One of Start to Abandon is set.
type Request struct {
	Seq    uint64
	ID     string // the sandbox's
	Start  *Start `json:",omitempty"`
	Attach *Bind  `json:",omitempty"`
	// Pause stops the tasks of a sandbox's own kernel, Resume lets them go on.
	Pause  bool `json:",omitempty"`
	Resume bool `json:",omitempty"`
	// Measure asks how much memory the sandbox takes.
	Measure bool `json:",omitempty"`
	// Abandon ends a sandbox that is still being started as soon as can be.
	Abandon bool `json:",omitempty"`
}

// Start comes with the files named by the File constants.
type Start struct {
	Args, Env            []string
	Dir                  string
	Mounts               []Bind
	TmpBytes             int64
	Processes, OpenFiles int
	Network              bool
	// Procs are the cgroup.procs files the sandbox's processes are written to.
	Procs []string
}

// The files of a Start, in order; the last only with Network.
const (
	FileControl = iota
	FileOutput
	FileTelemetry
	FileNetNS
)

// Bind shows Host at Inside, read-only.
type Bind struct{ Host, Inside string }

// Report comes with the sandbox's pidfd when it answers a Start.
type Report struct {
	Seq uint64 `json:",omitempty"`
	Err string `json:",omitempty"`
	// Memory answers a Measure, in bytes.
	Memory int64 `json:",omitempty"`
	// ID is set when a sandbox ended: with a status, or by a signal.
	ID           string `json:",omitempty"`
	Code, Signal int    `json:",omitempty"`
}

// Send writes one packet. It is safe for concurrent use.
func Send(c *net.UnixConn, v any, files ...int) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode packet: %w", err)
	}
	if len(b) > MaxPacket {
		return fmt.Errorf("packet of %d bytes is over the limit of %d", len(b), MaxPacket)
	}
	var rights []byte
	if len(files) > 0 {
		rights = unix.UnixRights(files...)
	}
	if _, _, err := c.WriteMsgUnix(b, rights, nil); err != nil {
		return fmt.Errorf("send packet: %w", err)
	}
	return nil
}

// Receive reads one packet into v, by way of b, and returns the files that came
// with it. io.EOF means that the other side is gone.
func Receive(c *net.UnixConn, b []byte, v any) ([]*os.File, error) {
	rights := make([]byte, unix.CmsgSpace(4*maxFiles))
	n, rn, flags, _, err := c.ReadMsgUnix(b, rights)
	if err != nil {
		return nil, fmt.Errorf("receive packet: %w", err)
	}
	files, err := parseFiles(rights[:rn])
	if err != nil {
		return nil, err
	}
	if flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
		Close(files)
		return nil, fmt.Errorf("receive packet: truncated")
	}
	if err := json.Unmarshal(b[:n], v); err != nil {
		Close(files)
		return nil, fmt.Errorf("decode packet: %w", err)
	}
	return files, nil
}

func parseFiles(rights []byte) ([]*os.File, error) {
	if len(rights) == 0 {
		return nil, nil
	}
	msgs, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		return nil, fmt.Errorf("parse control message: %w", err)
	}
	var files []*os.File
	for _, m := range msgs {
		fds, err := unix.ParseUnixRights(&m)
		if err != nil {
			Close(files)
			return nil, fmt.Errorf("parse descriptors: %w", err)
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "passed"))
		}
	}
	return files, nil
}

// Close closes files whose errors don't matter: none were written to.
func Close(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// AnswerProbe is the program of the sandbox that proves a driver works; it
// returns the exit status.
func AnswerProbe() int {
	f := os.NewFile(ControlFD, "control socket")
	if _, err := f.WriteString(ProbeAnswer); err != nil {
		return 1
	}
	return 0
}
