// Package order is what the suite and the program it runs inside sandboxes say
// to each other.
package order

// Op tells orders apart.
type Op string

// The orders, and which fields of Order and Answer they use.
const (
	Read  Op = "read"  // Path; Text
	List  Op = "list"  // Path; List
	Write Op = "write" // Path, N bytes; N written
	Print Op = "print" // Text, to descriptor N
	Take  Op = "take"  // N bytes of memory, for good
	Spin  Op = "spin"  // N threads that never stop
	Spins Op = "spins" // N: how far they have come
	Fork  Op = "fork"  // N processes that sleep; N started
	Files Op = "files" // N files opened at once; N opened
	Dial  Op = "dial"  // Path: a TCP address
	Send  Op = "send"  // Text in a packet, to Path: a UDP address; Text that comes back
	Find  Op = "find"  // Path: a host's name; List of addresses
	Exit  Op = "exit"  // with status N
)

// Order is one line to the program.
type Order struct {
	Op   Op
	Path string
	Text string
	N    int64
}

// Answer is the line that answers it. The first, unasked, has the user id, the
// working directory (Text) and the environment (List).
type Answer struct {
	UID   int
	Text  string
	List  []string
	N     int64
	Err   string
	Errno int
}
