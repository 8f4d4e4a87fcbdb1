%% SPDX-License-Identifier: BSD-2-Clause
%% Peers that know nothing of sctpd and of standbys: sockets of gen_sctp, with an
%% association to PORT each, which send back what comes: main COUNT LOCAL,LOCAL REMOTE PORT.
%% Every other socket is bound to the first address alone.
%%
%% The first line of output is "ready". A line of input is answered with a line, by
%% names, as that of standby_peers.c. The end of an association counts as that of its
%% socket: each has one.
-module(standby_peers).
-export([main/1]).

-include_lib("kernel/include/inet_sctp.hrl").

-define(NAMES, [open, closed, restarts, echoes]).

main([Count, Local, Remote, Port]) ->
    Here = [address(A) || A <- string:split(Local, ",", all)],
    N = list_to_integer(Count),
    Counts = counters:new(length(?NAMES), []),
    Main = self(),
    [spawn_link(fun() -> start(Main, Counts, bound(I, Here), address(Remote), list_to_integer(Port)) end)
     || I <- lists:seq(1, N)],
    [receive up -> ok end || _ <- lists:seq(1, N)],
    io:format("ready~n"),
    report(Counts).

address(Text) ->
    {ok, Address} = inet:parse_address(Text),
    Address.

bound(I, [First | _]) when I rem 2 =:= 1 -> [First];
bound(_, All) -> All.

report(Counts) ->
    case io:get_line("") of
        eof ->
            halt();
        _ ->
            io:format("~s~n", [lists:join(" ", [io_lib:format("~s=~b", [Name, counters:get(Counts, place(Name))])
                                                || Name <- ?NAMES])]),
            report(Counts)
    end.

place(Name) ->
    1 + length(lists:takewhile(fun(N) -> N =/= Name end, ?NAMES)).

start(Main, Counts, Here, There, Port) ->
    {ok, S} = gen_sctp:open([{ip, A} || A <- Here] ++ [{active, true}, {recbuf, 212992}, {sndbuf, 212992}]),
    ok = gen_sctp:connect_init(S, There, Port, []),
    receive
        {sctp, S, _, _, {_, #sctp_assoc_change{state = comm_up, assoc_id = Id}}} -> ok
    end,
    counters:add(Counts, place(open), 1),
    Main ! up,
    talk(Counts, S, Id).

talk(Counts, S, Id) ->
    receive
        {sctp, S, _, _, {_, #sctp_assoc_change{state = restart}}} ->
            counters:add(Counts, place(restarts), 1),
            talk(Counts, S, Id);
        {sctp, S, _, _, {_, #sctp_assoc_change{}}} ->
            over(Counts, S);
        {sctp, S, _, _, {_, Data}} when is_binary(Data) ->
            ok = gen_sctp:send(S, Id, 0, Data),
            counters:add(Counts, place(echoes), 1),
            talk(Counts, S, Id);
        {sctp, S, _, _, _} ->
            talk(Counts, S, Id);
        {sctp_error, S, _, _, _} ->
            over(Counts, S)
    end.

over(Counts, S) ->
    counters:sub(Counts, place(open), 1),
    counters:add(Counts, place(closed), 1),
    gen_sctp:close(S).
