%% SPDX-License-Identifier: BSD-2-Clause
%%
%% A socket, as programs hold it: not to be looked into. Its process, the
%% connection that speaks for it, the daemon's handle, and the address family.
-record('$sctpd', {pid, conn, sock, family}).
