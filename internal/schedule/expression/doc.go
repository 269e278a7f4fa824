// Package expression reads schedule expressions and says when they are due.
//
//	e, err := expression.Parse("cron(0 8 ? * MON-FRI *)", expression.Scheduler)
//	e.Next(now, created, berlin)
//
// There are three: rate(5 minutes), cron(minutes hours day-of-month month day-of-week
// year), and, for Scheduler alone, at(2026-05-04T12:00:00).
//
// A cron time that a clock skips in spring is skipped, and one that it shows twice in
// autumn comes once, the first time. A rate in days keeps the time of day; minutes and
// hours are as long as ever.
//
// Not here: who fires what is due.
//
// Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
// and https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
package expression
