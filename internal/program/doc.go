// Package program carries the programs that a node runs beside itself, embedded
// in its binary, and puts them where they can be executed:
//
//	mayfly-agent     process 1 of sandboxes whose runtime can't speak Mayfly's own
//	                 protocol (agent/cmd)
//	mayfly-sandbox   what starts sandboxes, and what they are made of (sandbox/cmd)
//
// They could be parts that mayfly itself plays, and are programs of their own
// because their size is paid for by every sandbox: a gVisor kernel that carries
// the node's packages along starts 7 ms later and takes 4 MiB more, twice.
package program
