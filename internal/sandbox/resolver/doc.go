// Package resolver is the name server that sandboxes are told of. It answers for
// the node itself, so that hosts like BUCKET.s3.REGION.localhost lead to it, and
// asks the machine's own name servers for the rest where sandboxes may reach the
// internet; where they may not, it refuses at once, and says so.
//
//	sandbox ── gateway:53, by the packet filter ──▶ Resolver ──▶ /etc/resolv.conf's
//
// It is no open door: a query is read, limited and written anew, of types that
// programs ask for, and so is its answer. An answer that points where sandboxes
// can't go (a private address behind a public name, as in DNS rebinding) is
// refused whole, and so are reverse names of such addresses. Sandboxes have no
// IPv6, so there are no AAAA records in answers.
//
// It keeps nothing: what is worth keeping, the machine's name servers keep.
// DNSSEC data is not passed on. Zone transfers, updates and HTTPS records are not
// served.
package resolver
