// SPDX-License-Identifier: BSD-2-Clause
// Errors: what the daemon answers, and what becomes of the connection.
"use strict";

// The code of an error is the word before its first colon.
function codeOf(text) {
    return text.split(":", 1)[0].trim();
}

// A request was refused, or could not be made. code is for programs, a key of ERRORS or "timeout"; the message is
// for people, and says what would be right.
class SctpdError extends Error {
    constructor(text, code = codeOf(text)) {
        super(text);
        this.code = code;
    }

    // The same with the stack of who gets it.
    again() {
        return new this.constructor(this.message, this.code);
    }
}

// The connection to the daemon ended for good, and its sockets are gone. code is "lost"; "superseded": another program
// has taken over the session; "no_session": the daemon does not know it any more; "eproto": it sent what is no message.
class LostError extends SctpdError {}

for (const Class of [SctpdError, LostError])
    Object.defineProperty(Class.prototype, "name", { value: Class.name });

// The error that stands in an answer.
function errorFrom(text) {
    return new SctpdError(String(text));
}

module.exports = { SctpdError, LostError, errorFrom };
