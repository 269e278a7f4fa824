package pattern

import (
	"bytes"
	"fmt"
)

// Error says why a pattern is none.
type Error struct {
	// Reason is what is wrong, in AWS's words.
	Reason string
	// Text is the pattern, or its beginning; Line and Column, from 1, are where
	// reading it ended. They are zero where no place is to blame.
	Text         string
	Line, Column int
}

// maxQuoted is how much of a pattern an error quotes.
const maxQuoted = 500

// Error gives the reason and its place as EventBridge prints them, behind "Event
// pattern is not valid. Reason: ".
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Reason
	}
	return fmt.Sprintf("%s\n at [Source: (String)\"%s\"; line: %d, column: %d]", e.Reason, e.Text, e.Line, e.Column)
}

// errorAt makes an error about the byte before text[offset].
func errorAt(text []byte, offset int, format string, args ...any) *Error {
	offset = min(offset, len(text))
	quoted := string(text)
	if len(text) > maxQuoted {
		quoted = fmt.Sprintf("%s\"[truncated %d chars]", text[:maxQuoted], len(text)-maxQuoted)
	}
	return &Error{
		Reason: fmt.Sprintf(format, args...),
		Text:   quoted,
		Line:   1 + bytes.Count(text[:offset], []byte("\n")),
		Column: offset - bytes.LastIndexByte(text[:offset], '\n'),
	}
}
