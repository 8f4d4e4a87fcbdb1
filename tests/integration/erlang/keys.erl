%% SPDX-License-Identifier: BSD-2-Clause
%%
%% Options that gen_sctp does not have are maps: keys, and lists in them.
-module(keys).

-export([run/0]).
-include_lib("kernel/include/inet_sctp.hrl").

-define(LO, {127, 0, 0, 1}).

run() ->
    Key = {sctp_auth_required, #{keynumber => 1, key => <<"a key">>, chunks => [data, asconf]}},
    {ok, L} = sctpd:open([{ip, ?LO}, Key]),
    {ok, {?LO, Port}} = sctpd:sockname(L),
    ok = sctpd:listen(L, true),
    {ok, S} = sctpd:open([{ip, ?LO}, Key]),
    {ok, #sctp_assoc_change{assoc_id = Id}} = sctpd:connect(S, ?LO, Port, [], 10000),
    ok = sctpd:send(S, Id, 0, <<"heard">>),
    {ok, {?LO, _, _, #sctp_assoc_change{state = comm_up}}} = sctpd:recv(L, 10000),
    {ok, {?LO, _, _, <<"heard">>}} = sctpd:recv(L, 10000),
    {ok, [{sctp_peer_auth_chunks, #{chunks := Chunks}}]} =
        sctpd:getopts(S, [{sctp_peer_auth_chunks, #{assoc_id => Id}}]),
    [true = lists:member(Type, Chunks) || Type <- [<<"data">>, <<"asconf">>]],
    ok = sctpd:setopts(S, [{sctp_auth_key, #{assoc_id => 2, keynumber => 2, key => <<1, 2>>}}]),
    [ok = sctpd:close(X) || X <- [L, S]],
    io:format("done~n").
