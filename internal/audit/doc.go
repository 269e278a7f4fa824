// Package audit is the account's audit trail: who did what, when, from where, and
// what became of it. It serves CloudTrail's event history (LookupEvents) and the
// pages of `mayfly audit` and `mayfly why-denied`.
//
// # What is kept
//
// An Entry for every request that changes or reads something of the account's, and
// for every refusal of permission, which also says why: the policies that were looked
// at, the statements that denied it, and the smallest ones that would allow it. As in
// CloudTrail, what is done with the contents of things (data events: lambda:Invoke,
// logs:PutLogEvents, dynamodb:GetItem) is not kept; unlike there, its refusals are.
// Nothing of requests' bodies or answers is kept, and no secret of any credential.
//
//	kind      what                                  durable
//	change    a request that may change something   before Record returns
//	refusal   one that permission was refused       before Record returns
//	read      one that changes nothing              within 100 ms; before Record returns
//	                                                if it hands out secrets or credentials
//
// Record is called once what was asked for is done, or refused. A refusal is answered
// after it; of a change, what fits into the connection's buffers (4 KB) is held back
// until it returns. So a crash may leave a change without its record that nobody was
// told of, or of whose long answer somebody got the beginning. It may lose the last
// 100 ms of reads. A change costs one more write that is shared with whatever
// is written at the same time; a warm call of a function costs a look into a table.
// A store that takes longer than a second holds nobody up: then the answer goes out,
// and the record waits in memory.
//
// What waits is bounded. Reads may fill half of that room, so that changes and
// refusals find theirs. What doesn't fit is dropped, counted, and said: in the log of
// the node and in an entry of its own (AuditEventsLost).
//
// # How long
//
// For 90 days, as CloudTrail's event history has it, and at most Config.MaxEvents
// entries of each kind, so that a flood of one kind takes no room from the others.
//
// # What it doesn't do
//
// Trails, event data stores, insights and their like are not offered: there are none
// to list. Records have no requestParameters and responseElements. LookupEvents takes
// any number of requests a second, and finds refused data events, with managementEvent
// false. An EventName is found with and without the date that CloudTrail adds to
// Lambda's ("CreateFunction20150331"). Following the trail by Mayfly's own page leaves
// no entries, or a follower would follow itself.
//
// Sources: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html,
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html,
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
package audit
