%% SPDX-License-Identifier: BSD-2-Clause
%%
%% A socket, as programs hold it: not to be looked into. Its process, the
%% connection that speaks for it, the daemon's handle, the address family, and
%% the connection's table of sctpd_window.erl.
-record('$sctpd', {pid, conn, sock, family, table}).
