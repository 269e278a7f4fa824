package forward

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// The words after which the agent's arguments are this package's.
const (
	// Ports comes before DIR, the ports, and the command to become.
	Ports = "ports"
	// Served is how a forwarder is called: DIR and the ports follow, and the
	// listeners are its descriptors from 3 on.
	Served = "forward"
)

// firstListener is a forwarder's descriptor of the first port.
const firstListener = 3

// own are the runtime's descriptors, which a forwarder must not hold open.
var own = []int{3, 4}

// Args are the arguments, the agent's path first, that give a command ports whose
// sockets are in dir.
func Args(agent, dir string, ports []uint16, command []string) []string {
	texts := make([]string, len(ports))
	for i, p := range ports {
		texts[i] = strconv.Itoa(int(p))
	}
	return append([]string{agent, Ports, dir, strings.Join(texts, ",")}, command...)
}

// Become listens on the ports, starts the forwarder, and turns this process into
// the command. args are what follows Ports. It returns only if that fails.
func Become(args []string) error {
	if len(args) < 3 {
		return errors.New("want DIR PORTS COMMAND")
	}
	dir, ports, command := args[0], args[1], args[2:]
	files, err := listen(strings.Split(ports, ","))
	if err != nil {
		return err
	}
	held, err := hold(own)
	if err != nil {
		return err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open input: %w", err)
	}
	attr := &syscall.ProcAttr{Dir: "/", Env: []string{}, Files: []uintptr{null.Fd(), null.Fd(), null.Fd()}}
	for _, f := range files {
		attr.Files = append(attr.Files, f.Fd())
	}
	if _, err := syscall.ForkExec("/proc/self/exe", []string{os.Args[0], Served, dir, ports}, attr); err != nil {
		return fmt.Errorf("start forwarder: %w", err)
	}
	for _, fd := range held {
		if err := setFlags(fd, 0); err != nil {
			return err
		}
	}
	// What was opened here closes by itself in the exec.
	return fmt.Errorf("execute %s: %w", command[0], syscall.Exec(command[0], command, os.Environ()))
}

// listen gives a listener for each port.
func listen(ports []string) ([]*os.File, error) {
	var files []*os.File
	for _, p := range ports {
		l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", p))
		if err != nil {
			return nil, err
		}
		f, err := l.(*net.TCPListener).File()
		if err != nil {
			return nil, fmt.Errorf("share port %s: %w", p, err)
		}
		files = append(files, f)
	}
	return files, nil
}

// hold keeps descriptors from a child, and returns those that were open.
func hold(fds []int) ([]int, error) {
	var held []int
	for _, fd := range fds {
		err := setFlags(fd, syscall.FD_CLOEXEC)
		if errors.Is(err, syscall.EBADF) {
			continue
		}
		if err != nil {
			return nil, err
		}
		held = append(held, fd)
	}
	return held, nil
}

func setFlags(fd int, flags uintptr) error {
	if _, _, e := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_SETFD, flags); e != 0 {
		return fmt.Errorf("set flags of descriptor %d: %w", fd, e)
	}
	return nil
}

// Serve is a forwarder's main function. args are what follows Served.
func Serve(args []string) error {
	if len(args) != 2 {
		return errors.New("want DIR PORTS")
	}
	ended := make(chan error)
	for i, port := range strings.Split(args[1], ",") {
		f := os.NewFile(uintptr(firstListener+i), port)
		l, err := net.FileListener(f)
		f.Close()
		if err != nil {
			return fmt.Errorf("take port %s: %w", port, err)
		}
		go func() { ended <- newForwarder(l, filepath.Join(args[0], port)).run() }()
	}
	return <-ended // the process, and every other port with it
}
