// SPDX-License-Identifier: BSD-2-Clause
// SCTP through the daemon sctpd: see README.md, and index.d.ts for all there is.
"use strict";

const { Daemon, connect } = require("./daemon.js");
const { LostError, SctpdError } = require("./errors.js");
const { SctpEvent } = require("./events.js");
const { Group } = require("./group.js");
const { Attached, Socket } = require("./socket.js");
const { ERRORS, PPIDS } = require("./tables.js");

module.exports = { Attached, Daemon, ERRORS, Group, LostError, PPIDS, SctpEvent, SctpdError, Socket, connect };
