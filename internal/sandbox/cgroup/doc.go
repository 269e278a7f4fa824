// Package cgroup bounds, measures and freezes groups of processes with Linux
// control groups: version 1, version 2, or the hybrid of both.
//
// A node has one directory in every hierarchy it uses, and a group is a
// directory in each of these:
//
//	<memory hierarchy>/<place>/mayfly-<n>/<group>
//	<cpu hierarchy>/<place>/mayfly-<n>/<group>
//	...
//
// n is the lowest number no living node on the machine has: a node holds a lock
// on its directories for as long as it lives, so what an unlocked one holds is
// the rest of a dead node, and is removed.
//
// The place is the node's own group where groups can be made below it, so that
// bounds set on the node from outside hold for its groups as well. No process
// of the node is ever moved.
package cgroup
