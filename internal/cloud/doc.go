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
// Parts are opened in Start from the ground up and closed in the reverse order.
package cloud
