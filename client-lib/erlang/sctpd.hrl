%% SPDX-License-Identifier: BSD-2-Clause
%%
%% A socket, as programs hold it: not to be looked into. Its process and that
%% one's connection, the daemon's handle, the source of message ids, and the
%% address family.
-record('$sctpd', {pid, tcp, sock, ids, family}).
