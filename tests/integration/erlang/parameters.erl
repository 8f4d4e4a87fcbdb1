%% SPDX-License-Identifier: BSD-2-Clause
%%
%% What a message has in sctpd and not in gen_sctp: parameters in a map, the time
%% of its arrival, and others in the same request.
-module(parameters).

-export([run/0]).
-include_lib("kernel/include/inet_sctp.hrl").

-define(LO, {127, 0, 0, 1}).

run() ->
    {ok, L} = sctpd:open([{ip, ?LO}, {timestamp, true}]),
    {ok, {?LO, Port}} = sctpd:sockname(L),
    ok = sctpd:listen(L, true),
    {ok, M} = sctpd:open([{ip, ?LO}]),
    {ok, {?LO, Other}} = sctpd:sockname(M),
    ok = sctpd:listen(M, true),
    {ok, S} = sctpd:open([{ip, ?LO}]),
    {ok, #sctp_assoc_change{assoc_id = Id}} = sctpd:connect(S, ?LO, Port, [], 10000),
    {ok, {?LO, _, _, #sctp_assoc_change{state = comm_up}}} = sctpd:recv(L, 10000),
    ok = sctpd:send(S, #{assoc_id => Id, stream => 3, pr_policy => rtx, pr_value => 2,
                         flags => [sack_immediately]}, <<"policy">>),
    {ok, {?LO, _, Anc, <<"policy">>}} = sctpd:recv(L, 10000),
    [#sctp_sndrcvinfo{stream = 3}, {timestamp, At}] = Anc,
    true = abs(At - os:system_time(microsecond)) < 10000000,
    {error, einval} = sctpd:send(S, #{assoc_id => Id, pr_value => 2}, <<"none">>),
    {error, eaddrnotavail} = sctpd:send(one_to_one(Other), #{addr => {127, 0, 0, 9}}, <<"none">>),
    {ok, #{taken := 2}} = sctpd:call(S, send_many, #{assoc_id => Id, messages =>
        [#{data => <<"one">>}, #{data => <<"two">>, sctp_sndrcvinfo => #{stream => 4}}]}),
    Got = [begin {ok, {?LO, _, [#sctp_sndrcvinfo{stream = N} | _], Data}} = sctpd:recv(L, 10000), {N, Data} end
           || _ <- [1, 2]],
    [{0, <<"one">>}, {4, <<"two">>}] = lists:sort(Got),
    ok = sctpd:setopts(L, [{timestamp, false}]),
    {ok, [{timestamp, false}]} = sctpd:getopts(L, [timestamp]),
    [ok = sctpd:close(X) || X <- [L, M, S]],
    io:format("done~n").

one_to_one(Port) ->
    {ok, S} = sctpd:open([{ip, ?LO}, {type, stream}]),
    {ok, #sctp_assoc_change{}} = sctpd:connect(S, ?LO, Port, [], 10000),
    S.
