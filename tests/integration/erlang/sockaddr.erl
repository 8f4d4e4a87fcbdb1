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
    connectx(),
    default_address(),
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

%% What is not said is any, and port 0.
default_address() ->
    [begin
        {ok, A} = sctpd:open([{ifaddr, #{family => Family}}]),
        {ok, {IP, _}} = sctpd:sockname(A),
        ok = sctpd:close(A)
     end || {Family, IP} <- [{inet, {0, 0, 0, 0}}, {inet6, ?ANY6}]],
    {ok, B} = sctpd:open([{ifaddr, #{family => inet, addr => loopback}}]),
    {ok, {_, Port}} = sctpd:sockname(B),
    ok = sctpd:close(B),
    {ok, C} = sctpd:open([{ifaddr, #{family => inet, addr => {127, 0, 0, 1}, port => Port}}]),
    {ok, {{127, 0, 0, 1}, Port}} = sctpd:sockname(C),
    {error, einval} = sctpd:connect(C, #{family => inet, addr => broadcast, port => Port}, []),
    ok = sctpd:close(C).

%% The last port that is not 0 is that of all.
connectx() ->
    {ok, L} = sctpd:open([{ip, {127, 0, 0, 1}}]),
    ok = sctpd:listen(L, true),
    {ok, Port} = sctpd:port(L),
    {ok, S} = sctpd:open([{active, true}]),
    {ok, Id} = sctpd:connectx_init(S, [#{family => inet, addr => loopback, port => Port}], []),
    receive {sctp, S, _, Port, {[], #sctp_assoc_change{state = comm_up, assoc_id = Id}}} -> ok end,
    badarg = fails(fun() -> sctpd:connectx_init(S, [#{family => inet, addr => loopback}], []) end),
    [ok = sctpd:close(X) || X <- [S, L]].

fails(Do) ->
    try Do() catch error:Why -> Why end.
