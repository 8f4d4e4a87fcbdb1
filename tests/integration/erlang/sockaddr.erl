%% SPDX-License-Identifier: BSD-2-Clause
%%
%% Addresses as maps: family and scope_id count. run/1 is told the number of
%% the interface that has the link-local address ?LINK.
-module(sockaddr).

-export([run/1]).
-include_lib("kernel/include/inet_sctp.hrl").

-define(LINK, {16#fe80, 0, 0, 0, 0, 0, 0, 16#5d}).
-define(ANY6, {0, 0, 0, 0, 0, 0, 0, 0}).
-define(LO6, {0, 0, 0, 0, 0, 0, 0, 1}).

run(Scope) ->
    opened([], inet, any, {0, 0, 0, 0}),
    opened([], inet, loopback, {127, 0, 0, 1}),
    opened([], inet6, any, ?ANY6),
    opened([], inet6, loopback, ?LO6),
    opened([inet6], inet6, ?LO6, ?LO6),
    {ok, L} = sctpd:open([{ifaddr, (map(inet6, ?LINK))#{scope_id => Scope}}]),
    {ok, {?LINK, Port}} = sctpd:sockname(L),
    ok = sctpd:listen(L, true),
    {ok, S} = sctpd:open([inet6]),
    {ok, #sctp_assoc_change{}} =
        sctpd:connect(S, (map(inet6, ?LINK))#{port => Port, scope_id => Scope}, [], 10000),
    {ok, {?LINK, _, _, #sctp_assoc_change{state = comm_up}}} = sctpd:recv(L, 10000),
    connected(inet6, loopback, ?LO6),
    connected(inet, loopback, {127, 0, 0, 1}),
    Wrong = [map(inet, ?LO6), map(inet6, {127, 0, 0, 1}), map(unix, any)],
    NoMap = [#{port => 7}, (map(inet6, ?LINK))#{scope_id => lo}],
    [badarg = fails(fun() -> sctpd:open([{ip, A}]) end) || A <- Wrong ++ NoMap],
    [{error, einval} = sctpd:connect(S, A, []) || A <- Wrong],
    [badarg = fails(fun() -> sctpd:connect(S, A, []) end) || A <- NoMap],
    [ok = sctpd:close(X) || X <- [L, S]],
    io:format("done~n").

map(Family, Addr) -> #{family => Family, addr => Addr, port => 0}.

opened(Opts, Family, Addr, IP) ->
    {ok, S} = sctpd:open([{ifaddr, map(Family, Addr)} | Opts]),
    {ok, {IP, _}} = sctpd:sockname(S),
    ok = sctpd:close(S).

connected(Family, Addr, IP) ->
    {ok, L} = sctpd:open([{ip, IP}]),
    ok = sctpd:listen(L, true),
    {ok, Port} = sctpd:port(L),
    {ok, S} = sctpd:open([Family]),
    {ok, #sctp_assoc_change{}} = sctpd:connect(S, (map(Family, Addr))#{port => Port}, [], 10000),
    [ok = sctpd:close(X) || X <- [S, L]].

fails(Do) ->
    try Do() catch error:Why -> Why end.
