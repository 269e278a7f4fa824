// Package bill meters: it counts every invocation once, adds them up by day and
// function, and says what they cost at AWS's prices.
//
//	cost = invocations x price of a request
//	     + billed time x memory x price of a GB-second
//	     + billed time x (/tmp beyond 512 MiB) x price of a GB-second of storage
//
// A synchronous call is recorded off its caller's path and durable within 100 ms;
// a crash may lose that window, in the customer's favour. An asynchronous one is
// recorded in the transaction that completes it, so it is counted if and only if
// it is done. Records are keyed by request id and attempt: the same one recorded
// again changes nothing.
//
// Each record is kept for a week, so that a line of the bill can be followed down
// to its invocations; the sums are kept for good. Quantities are integers
// (milliseconds, MiB x milliseconds) and so is money (nano-dollars); a sum's cost
// is rounded once, whatever it is grouped by, so totals are the sums of lines.
package bill
