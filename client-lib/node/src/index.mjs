// SPDX-License-Identifier: BSD-2-Clause
// The same for import: its classes are those that require gives, so a program may have both.
import sctpd from "./index.js";

export const { Attached, Daemon, ERRORS, Group, LostError, PPIDS, SctpEvent, SctpdError, Socket, connect } = sctpd;
export default sctpd;
