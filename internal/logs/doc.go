// Package logs is CloudWatch Logs: groups of streams of events, what functions
// write among them.
//
// Events come in two ways. PutLogEvents stores them before it answers. Append,
// which the invocation path uses, puts them into bounded queues and returns at
// once; Run stores them about 50 ms later, each function its share, so that one
// that floods its log delays and drops only its own lines, and says how many.
//
// Events are kept in chunks, many in one value, ordered by time within a group,
// with an index per stream. Reading merges chunks that overlap in time. What a
// retention policy has expired is not shown any more at once, and removed within
// the hour, together with streams that have nothing left.
//
// Not here: metric and subscription filters (their listings are empty), Insights
// queries, exports, account policies, encryption keys.
//
// Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/
package logs
