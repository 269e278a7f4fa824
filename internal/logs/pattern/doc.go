// Package pattern is the filter pattern language of CloudWatch Logs. A pattern
// has one of three forms, told by its first character:
//
//	ERROR "exit code" -debug      terms: all must occur, those with - must not
//	?ERROR ?WARN                  terms, one of which must occur
//	%4[0-9]{2}%                   a regular expression, as a term
//	{ $.level = "ERROR" && ($.status >= 500 || $.tags[0] NOT EXISTS) }
//	                              conditions on a message that is a JSON object
//	[ip, user, ..., status = 4*, bytes > 1000]
//	                              conditions on the words of a message, where
//	                              "..." and [...] are one word each
//
// Terms are case-sensitive and may occur inside words. Values may have * for any
// text, or be a %regular expression%. Comparisons on what is absent, or is an
// object or a list, are false, != included. Terms with ? are passed over where
// there are terms without, as AWS does.
//
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
package pattern
