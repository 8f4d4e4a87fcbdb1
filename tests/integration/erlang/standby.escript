#!/usr/bin/env escript
%% SPDX-License-Identifier: BSD-2-Clause
%% Sockets of gen_sctp with an association each, which send back what comes, and
%% say what becomes of the associations: standby.escript LOCAL PEER PORT COUNT.

-include_lib("kernel/include/inet_sctp.hrl").

main([Local, Peer, Port, Count]) ->
    {ok, Here} = inet:parse_address(Local),
    {ok, There} = inet:parse_address(Peer),
    Main = self(),
    N = list_to_integer(Count),
    [spawn_link(fun() -> start(Main, Here, There, list_to_integer(Port)) end) || _ <- lists:seq(1, N)],
    [receive up -> ok end || _ <- lists:seq(1, N)],
    io:format("ready~n"),
    receive after infinity -> ok end.

start(Main, Here, There, Port) ->
    {ok, S} = gen_sctp:open([{ip, Here}, {active, true}, {recbuf, 212992}, {sndbuf, 212992}]),
    ok = gen_sctp:connect_init(S, There, Port, []),
    receive
        {sctp, S, _, _, {_, #sctp_assoc_change{state = comm_up, assoc_id = Id}}} -> ok
    end,
    Main ! up,
    talk(S, Id).

talk(S, Id) ->
    receive
        {sctp, S, _, _, {_, #sctp_assoc_change{state = State}}} ->
            io:format("~s~n", [case State of restart -> restart; _ -> closed end]),
            talk(S, Id);
        {sctp, S, _, _, {_, Data}} when is_binary(Data) ->
            ok = gen_sctp:send(S, Id, 0, Data),
            talk(S, Id);
        {sctp, S, _, _, _} ->
            talk(S, Id);
        {sctp_error, S, _, _, _} ->
            io:format("closed~n"),
            talk(S, Id)
    end.
