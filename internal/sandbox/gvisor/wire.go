package gvisor

import (
	"encoding/json"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// What node and launcher say to each other: one JSON text a packet, on a
// SOCK_SEQPACKET pair, descriptors beside it.
//
//	node ──▶ request   Start, Attach or Kill
//	     ◀── report    the answer to a request (Seq), or that a sandbox ended
const (
	maxPacket = 160 << 10 // below the default socket buffer
	maxFiles  = 8
)

// Descriptors inside a sandbox.
const (
	controlFD   = 3
	telemetryFD = 4
)

// setup is the launcher's only argument.
type setup struct {
	// Dir becomes the mount point of the launcher's own tmpfs.
	Dir      string
	Platform string
	Rootless bool
}

type request struct {
	Seq    uint64
	ID     string
	Start  *startRequest  `json:",omitempty"`
	Attach *attachRequest `json:",omitempty"`
	Kill   bool           `json:",omitempty"`
}

// startRequest comes with the files named by the start* indices.
type startRequest struct {
	Args, Env            []string
	Dir                  string
	Mounts               []bind
	TmpBytes             int64
	Processes, OpenFiles int
	Network              bool
	// Procs are the cgroup.procs files the sandbox's processes are written to.
	Procs []string
}

// The files of a start request, in order; the last only with Network.
const (
	startControl = iota
	startOutput
	startTelemetry
	startNetNS
)

type attachRequest bind

// bind shows Host at Inside, read-only.
type bind struct{ Host, Inside string }

// report comes with the sandbox's pidfd when it answers a start.
type report struct {
	Seq uint64 `json:",omitempty"`
	Err string `json:",omitempty"`
	// ID is set when a sandbox ended.
	ID           string `json:",omitempty"`
	Code, Signal int    `json:",omitempty"`
}

// send writes one packet. It is safe for concurrent use.
func send(c *net.UnixConn, v any, files ...int) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode packet: %w", err)
	}
	if len(b) > maxPacket {
		return fmt.Errorf("packet of %d bytes is over the limit of %d", len(b), maxPacket)
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

// receive reads one packet into v, by way of b, and returns the files that
// came with it.
func receive(c *net.UnixConn, b []byte, v any) ([]*os.File, error) {
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
		closeAll(files)
		return nil, fmt.Errorf("receive packet: truncated")
	}
	if err := json.Unmarshal(b[:n], v); err != nil {
		closeAll(files)
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
			closeAll(files)
			return nil, fmt.Errorf("parse descriptors: %w", err)
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "passed"))
		}
	}
	return files, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// socketPair returns the two ends of a socket of the given type as net.Conn
// for this process and as a file for another.
func socketPair(kind int) (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make socket pair: %w", err)
	}
	mine := os.NewFile(uintptr(fds[0]), "socket")
	defer mine.Close()
	theirs := os.NewFile(uintptr(fds[1]), "socket")
	c, err := net.FileConn(mine)
	if err != nil {
		theirs.Close()
		return nil, nil, fmt.Errorf("wrap socket: %w", err)
	}
	return c.(*net.UnixConn), theirs, nil
}
