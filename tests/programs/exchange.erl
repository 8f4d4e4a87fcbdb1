%% SPDX-License-Identifier: BSD-2-Clause
%% Erlang's gen_sctp: with itself both kinds of sockets, streams, options, events;
%% serve and talk are two sides that send each other back what comes.
-module(exchange).
-export([start/0, serve/1, talk/1]).
-include_lib("kernel/include/inet_sctp.hrl").

start() ->
    ok = one_to_many(),
    ok = one_to_one(),
    io:format("well~n"),
    halt(0).

serve([Port]) ->
    {ok, L} = gen_sctp:open(list_to_integer(Port), [{ip, {127, 0, 0, 1}}, {active, false}]),
    ok = gen_sctp:listen(L, true),
    echo(L).

echo(L) ->
    {ok, {_, _, [#sctp_sndrcvinfo{stream = S, assoc_id = A}], Data}} = data(L, infinity),
    ok = gen_sctp:send(L, A, S, Data),
    echo(L).

talk([Port]) ->
    {ok, C} = gen_sctp:open([{active, false}, {sctp_nodelay, true}]),
    {ok, #sctp_assoc_change{state = comm_up, assoc_id = A}} =
        gen_sctp:connect(C, {127, 0, 0, 1}, list_to_integer(Port), [{sctp_initmsg, #sctp_initmsg{num_ostreams = 5}}]),
    [begin
         ok = gen_sctp:send(C, A, S, integer_to_binary(N)),
         {ok, {_, _, [#sctp_sndrcvinfo{stream = S, assoc_id = A}], Got}} = data(C),
         N = binary_to_integer(Got)
     end || N <- lists:seq(1, 200), S <- [N rem 5]],
    ok = gen_sctp:eof(C, #sctp_assoc_change{assoc_id = A}),
    {ok, {_, _, _, #sctp_assoc_change{state = shutdown_comp}}} = gen_sctp:recv(C, 5000),
    io:format("well~n"),
    halt(0).

one_to_many() ->
    {ok, L} = gen_sctp:open([{ip, {127, 0, 0, 1}}, {active, false}, {recbuf, 65536}]),
    {ok, {_, Port}} = inet:sockname(L),
    ok = gen_sctp:listen(L, true),
    {ok, C} = gen_sctp:open([{active, false}, {sctp_nodelay, true}, {sctp_initmsg, #sctp_initmsg{num_ostreams = 5, max_instreams = 5}}]),
    {ok, #sctp_assoc_change{state = comm_up, assoc_id = A, outbound_streams = 5}} =
        gen_sctp:connect(C, {127, 0, 0, 1}, Port, []),
    {ok, {_, _, _, #sctp_assoc_change{state = comm_up, assoc_id = B}}} = gen_sctp:recv(L, 5000),
    [begin
         ok = gen_sctp:send(C, A, S, integer_to_binary(N)),
         {ok, {_, _, [#sctp_sndrcvinfo{stream = S, assoc_id = B}], Got}} = data(L),
         N = binary_to_integer(iolist_to_binary(Got))
     end || N <- lists:seq(1, 200), S <- [N rem 5]],
    ok = gen_sctp:send(L, B, 0, <<"back">>),
    {ok, {_, _, _, <<"back">>}} = data(C),
    ok = inet:setopts(C, [{sctp_nodelay, true}]),
    {ok, [{sctp_nodelay, true}]} = inet:getopts(C, [sctp_nodelay]),
    ok = gen_sctp:eof(C, #sctp_assoc_change{assoc_id = A}),
    {ok, {_, _, _, #sctp_shutdown_event{}}} = gen_sctp:recv(L, 5000),
    ok = gen_sctp:close(C),
    gen_sctp:close(L).

one_to_one() ->
    {ok, L} = gen_sctp:open([{type, seqpacket}, {ip, {127, 0, 0, 1}}, {active, once}]),
    {ok, {_, Port}} = inet:sockname(L),
    ok = gen_sctp:listen(L, true),
    {ok, C} = gen_sctp:open([{type, stream}, {active, true}]),
    {ok, _} = gen_sctp:connect(C, {127, 0, 0, 1}, Port, []),
    receive {sctp, L, _, _, {_, #sctp_assoc_change{state = comm_up, assoc_id = B}}} -> ok end,
    {ok, P} = gen_sctp:peeloff(L, B),
    ok = inet:setopts(P, [{active, true}]),
    Large = binary:copy(<<"0123456789">>, 10000),
    ok = gen_sctp:send(C, #sctp_sndrcvinfo{stream = 0}, Large),
    Large = whole(P, <<>>, byte_size(Large)),
    ok = gen_sctp:close(P),
    ok = gen_sctp:close(C),
    gen_sctp:close(L).

whole(_, Got, Size) when byte_size(Got) >= Size ->
    Got;
whole(S, Got, Size) ->
    receive {sctp, S, _, _, {_, Data}} when is_binary(Data); is_list(Data) ->
        whole(S, iolist_to_binary([Got, Data]), Size)
    after 5000 -> Got end.

data(S) ->
    data(S, 5000).

data(S, Time) ->
    case gen_sctp:recv(S, Time) of
        {ok, {Ip, Port, Anc, Data}} when is_binary(Data); is_list(Data) -> {ok, {Ip, Port, Anc, iolist_to_binary(Data)}};
        {ok, _} -> data(S, Time)
    end.
