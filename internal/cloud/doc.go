// Package cloud is the composition root: it builds a node from its parts and
// runs its life. It is the only place that knows every room; each room knows the
// others by small interfaces of its own, and is handed implementations here.
//
//	gateway ── function ── invoke ── placement ── worker ── sandbox
//	        ├─ logs                                      ├─ runtime, agent, code
//	        ├─ iam, sts, key, parameter, secret, audit
//	        └─ bill          all of them on store and blob
//
// Sandboxes reach the front door, and what Config.Allow names, at the gateway of
// their network, or where this user can't make networks, through unix sockets in a
// folder that they see (ports). Either way nothing else of the host is reachable,
// and functions find the address in AWS_ENDPOINT_URL. A network may lead further, to
// what Config.AllowNet and Config.Internet open (egress); its names are the node's.
//
// The store is the data folder's own, or a database (store.go). Nodes that share a
// database are one cloud for whoever calls them: functions, identities, events, logs
// and the bill are the store's. They must have the same root.json and node.key, which
// a start checks (owner.go), and the same folder of blobs. What each node still has to
// itself:
//
//   - environments, and so the limits on how many calls run at once, reserved and
//     provisioned concurrency: each node has all of them;
//   - caches of what the store says, which hear of another node's change a moment
//     after it, or when the connection that was lost meanwhile is back;
//   - credentials of running functions, which only their own node's door accepts.
//
// Parts are opened in Start from the ground up and closed in the reverse order.
package cloud
