// SPDX-License-Identifier: BSD-2-Clause

package sctpd

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
)

// Code says what kind of error it is: `errors.Is(err, sctpd.Eaddrinuse)`. Those of
// the daemon are in tables.go; these are the library's own.
type Code string

const (
	Lost       Code = "lost"       // the connection to the daemon ended for good; its sockets are gone
	Superseded Code = "superseded" // another program has taken over the session
	NoSession  Code = "no_session" // the daemon does not know the session any more
)

func (c Code) Error() string { return string(c) }

// Error is a request that was refused, or could not be made. Code is for programs;
// the text is for people, and says what would be right.
type Error struct {
	Code Code
	Text string
	over bool // it ended the connection
}

func (e *Error) Error() string { return e.Text }

// Is finds codes. What ended the connection is Lost, whatever its own code is. Errors that Go
// has a name for are that as well: syscall.EADDRINUSE, net.ErrClosed, os.ErrDeadlineExceeded.
func (e *Error) Is(target error) bool {
	switch t := target.(type) {
	case Code:
		return t == e.Code || t == Lost && e.over
	case syscall.Errno:
		return errnos[e.Code] == t && t != 0
	}
	switch target {
	case net.ErrClosed:
		return e.Code == Closed
	case os.ErrDeadlineExceeded, context.DeadlineExceeded:
		return e.Timeout()
	}
	return false
}

// Timeout is so if it took longer than one wanted to wait.
func (e *Error) Timeout() bool { return e.Code == Timeout }

// Temporary is so if it may succeed later; with Timeout it makes this a net.Error.
func (e *Error) Temporary() bool { return e.Timeout() || e.Code == Eagain }

// fromText is the error that stands in an answer.
func fromText(text string) *Error {
	code, _, _ := strings.Cut(text, ":")
	return &Error{Code: Code(strings.TrimSpace(code)), Text: text}
}

// over is an error that ends the connection.
func over(code Code, text string) *Error {
	return &Error{Code: code, Text: string(code) + ": " + text, over: true}
}

// unreachable says what to do where the daemon cannot be connected to.
func unreachable(path string, err error) *Error {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return &Error{Code: Eio, Text: "eio: cannot connect to " + path + ": " + err.Error()}
	}
	code := Eio
	for c, e := range errnos {
		if e == errno {
			code = c
		}
	}
	text := "cannot connect to " + path + ": " + errno.Error()
	switch code {
	case Enoent, Econnrefused:
		text = "no sctpd listens at " + path + "; start it, or set SCTPD_SOCKET to the path of its socket"
	case Eacces:
		text = "the permissions of " + path + " do not admit this program; add its user to the group sctp"
	}
	return &Error{Code: code, Text: string(code) + ": " + text}
}

// ended says why a connection broke.
func ended(err error) *Error {
	if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF {
		return over(Lost, "the connection to sctpd ended")
	}
	return over(Lost, "the connection to sctpd ended: "+err.Error())
}
