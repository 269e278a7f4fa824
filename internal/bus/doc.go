// Package bus is EventBridge: event buses, the rules that say which events go to which
// targets, archives and replays, and connections and API destinations for targets
// beyond the node.
//
//	PutEvents ─▶ the event's JSON ─▶ rules of its bus (in memory, see index.go)
//	                                   │ a Delivery for each target of each that matches
//	                                   ▼
//	          one transaction: archived events, and Queue.Enqueue of the deliveries
//	                                   ▼ reply: durable
//	          Deliver ─▶ a function, queue, topic, log group (Targets), another bus (here),
//	                     or HTTP (Config.HTTP) ─▶ or Undeliverable: the dead-letter queue
//
// The queue that carries deliveries is not here: it is handed in, calls Deliver until that
// succeeds, errors for good (Permanent) or the delivery's attempts or age are used up, and
// then Undeliverable.
//
// Rules are stored with their targets, one record each. Each node keeps the rules of a bus
// compiled and indexed, changes them with every change of its own before that is
// acknowledged, and reads them again when another node has changed some.
//
// The package pattern is the language of event patterns, input that of targets' inputs.
//
// Schedule rules are kept and listed here (Schedules), and Fire makes their event; what
// calls Fire in time is not here, so that without it they don't fire.
//
// Differences from AWS: an archive makes no managed rule on its bus, and its counters are
// exact at once. A connection's parameters are sealed in the store instead of a secret, so
// SecretArn is absent; private connectivity (VPC Lattice) is refused. Events of other
// accounts' buses, partner event sources, global endpoints, customer managed keys and bus
// logging are refused by name. Input of a bus target must make an event, or it is
// undeliverable. An event is forwarded from bus to bus at most 16 times.
//
// Sources: https://docs.aws.amazon.com/eventbridge/latest/APIReference/ and
// https://docs.aws.amazon.com/eventbridge/latest/userguide/
package bus
