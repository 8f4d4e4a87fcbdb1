%% SPDX-License-Identifier: BSD-2-Clause
%%
%% What an owner is told, and what it is not; sockets that another node takes over;
%% and an owner that does not take what it is sent. run/0 prints "ok NAME" for each.
-module(manners).

-export([run/0, holds/0, adopts/1, not_adopted/1]).
-include_lib("kernel/include/inet_sctp.hrl").

-define(LO, {127, 0, 0, 1}).
-define(MANY, 30000).
-define(MOST, 20000).

run() ->
    [check(Name, Do) || {Name, Do} <- [
        {an_end_is_not_told, fun an_end_is_not_told/0},
        {an_end_is_told, fun an_end_is_told/0},
        {a_process_dies, fun a_process_dies/0},
        {a_process_dies_after_a_hand_over, fun after_a_hand_over/0},
        {a_close_is_not_told, fun a_close_is_not_told/0},
        {the_application_stops, fun the_application_stops/0},
        {debug, fun debug/0},
        {a_sleeping_owner, fun a_sleeping_owner/0},
        {an_owner_with_other_messages, fun other_messages/0},
        {one_after_the_other, fun one_after_the_other/0}]],
    io:format("done~n").

check(Name, Do) ->
    Do(),
    nothing = receive M -> M after 0 -> nothing end,
    io:format("ok ~s~n", [Name]).

%% A stream socket that was accepted, its listener, and its peer.
accepted(Opts) ->
    {ok, L} = sctpd:open([{ip, ?LO}, {type, stream} | Opts]),
    ok = sctpd:listen(L, true),
    {ok, Port} = sctpd:port(L),
    {ok, S} = sctpd:open([{ip, ?LO}, {type, stream}]),
    {ok, _} = sctpd:connect(S, ?LO, Port, []),
    {ok, A} = sctpd:accept(L, 5000),
    {A, L, S}.

close(Sockets) -> [ok = sctpd:close(S) || S <- Sockets].

%% Who takes one message after the other, as each is answered, does not ask the daemon for each.
one_after_the_other() ->
    {A, L, S} = accepted([]),
    {ok, {_, _, _, #sctp_assoc_change{}}} = sctpd:recv(A),
    asked(fun recv/1, A, S, passive),
    asked(fun once/1, A, S, once),
    close([S, A, L]).

asked(Take, A, S, How) ->
    Conn = element(3, A),
    1 = erlang:trace(Conn, true, ['receive']),
    [begin
        ok = sctpd:send(S, 1, 0, <<N>>),
        <<N>> = Take(A)
     end || N <- lists:seq(1, 250)],
    1 = erlang:trace(Conn, false, ['receive']),
    Delivered = erlang:trace_delivered(Conn),
    receive {trace_delivered, Conn, Delivered} -> ok end,
    case options_set(0) of
        N when N =< 25 -> ok;
        N -> error({How, N})
    end.

options_set(N) ->
    receive
        {trace, _, 'receive', {'$req', _, plain, Body}} ->
            options_set(N + case iolist_to_binary(Body) of <<_, "setopts", _/binary>> -> 1; _ -> 0 end);
        {trace, _, 'receive', _} -> options_set(N)
    after 0 -> N
    end.

recv(S) ->
    {ok, {_, _, _, Data}} = sctpd:recv(S),
    iolist_to_binary(Data).

once(S) ->
    ok = sctpd:setopts(S, [{active, once}]),
    receive {sctp, S, _, _, {_, Data}} -> iolist_to_binary(Data) end.

%% As over gen_sctp: its events, and nothing else.
an_end_is_not_told() ->
    {A, L, S} = accepted([]),
    ok = sctpd:setopts(A, [{active, true}]),
    ok = sctpd:close(S),
    receive {sctp, A, _, _, {[], #sctp_assoc_change{state = shutdown_comp}}} -> ok end,
    ok = sctpd:setopts(A, [{active, false}]),
    [{error, closed} = sctpd:recv(A, 5000) || _ <- [1, 2]],
    [begin
        receive {sctp, A, _, _, {[], _}} -> ok end
     end || _ <- [comm_up, shutdown_event]],
    ok = sctpd:setopts(A, [{active, once}]),
    {ok, [{active, once}]} = sctpd:getopts(A, [active]),
    close([A, L]).

an_end_is_told() ->
    {A, L, S} = accepted([{show_closed, true}]),
    {ok, [{show_closed, true}]} = sctpd:getopts(A, [show_closed]),
    ok = sctpd:setopts(A, [{active, true}]),
    ok = sctpd:close(S),
    receive {sctp_closed, A} -> ok end,
    [receive {sctp, A, _, _, {[], _}} -> ok end || _ <- [comm_up, shutdown_event, shutdown_comp]],
    close([A, L]).

%% What no program does: an error of sctpd's, or of Erlang's.
kill(S) ->
    logger:set_primary_config(level, none),
    exit(element(2, S), kill),
    receive {sctp_closed, S} -> ok after 5000 -> error(not_told) end,
    logger:set_primary_config(level, notice).

a_process_dies() ->
    [begin
        {ok, S} = sctpd:open([{active, Active}]),
        kill(S),
        {error, closed} = sctpd:recv(S, 0),
        ok = sctpd:close(S)
     end || Active <- [true, false, once]].

after_a_hand_over() ->
    {ok, S} = sctpd:open(),
    Me = self(),
    Heir = spawn(fun() -> receive {sctp_closed, S} -> Me ! told end end),
    ok = sctpd:controlling_process(S, Heir),
    logger:set_primary_config(level, none),
    exit(element(2, S), kill),
    receive told -> ok after 5000 -> error(not_told) end,
    logger:set_primary_config(level, notice).

%% Nor by whom it was opened for, if it ends with its owner.
a_close_is_not_told() ->
    [begin
        {ok, S} = sctpd:open([{active, true}]),
        Mon = sctpd:monitor(S),
        ok = sctpd:close(S),
        receive {'DOWN', Mon, process, _, _} -> ok end
     end || _ <- lists:seq(1, 50)],
    _ = sys:get_state(sctpd_owners),
    0 = map_size(element(2, sys:get_state(sctpd_owners))).

the_application_stops() ->
    logger:set_primary_config(level, none),
    {ok, S} = sctpd:open([{active, true}]),
    ok = application:stop(sctpd),
    receive {sctp_closed, S} -> ok after 5000 -> error(not_told) end,
    {error, closed} = sctpd:recv(S, 0),
    logger:set_primary_config(level, notice).

debug() ->
    {ok, S} = sctpd:open([{debug, true}]),
    {ok, [{debug, true}]} = sctpd:getopts(S, [debug]),
    ok = sctpd:setopts(S, [{debug, false}]),
    {error, einval} = sctpd:setopts(S, [{debug, 7}]),
    close([S]).

%% ---- an owner that does not take what it is sent ------------------------------------

%% A listener with {active, true} whose owner Do is, with somebody who sends ?MANY numbers.
flood(Do) ->
    Me = self(),
    Owner = spawn(fun() ->
        {ok, L} = sctpd:open([{ip, ?LO}]),
        ok = sctpd:listen(L, true),
        Me ! {self(), L},
        Do(L)
    end),
    L = receive {Owner, Listener} -> Listener end,
    {ok, Port} = sctpd:port(L),
    spawn(fun() ->
        {ok, S} = sctpd:open([{ip, ?LO}]),
        {ok, A} = sctpd:connect(S, ?LO, Port, []),
        _ = lists:all(fun(N) -> sctpd:send(S, A, 0, <<N:32>>) =:= ok end, lists:seq(1, ?MANY)),
        receive {Owner, done} -> Me ! done end
    end),
    {Owner, L}.

a_sleeping_owner() ->
    Me = self(),
    {Owner, L} = flood(fun(L) ->
        ok = sctpd:setopts(L, [{active, true}]),
        receive awake -> ok end,
        numbers(L, 1),
        Me ! received
    end),
    stopped(L),
    {message_queue_len, N} = process_info(Owner, message_queue_len),
    true = N < ?MOST,
    Owner ! awake,
    receive received -> ok after 60000 -> error(not_received) end,
    {message_queue_len, 0} = {message_queue_len, left(Owner)}.

%% In order, and all of them.
numbers(_, N) when N > ?MANY -> ok;
numbers(L, N) ->
    receive
        {sctp, L, _, _, {_, <<N:32>>}} -> numbers(L, N + 1);
        {sctp, L, _, _, {_, #sctp_assoc_change{state = comm_up}}} -> numbers(L, N)
    end.

left(Pid) ->
    case process_info(Pid, message_queue_len) of
        {message_queue_len, N} -> N;
        undefined -> 0
    end.

%% The daemon was told not to send more.
stopped(L) ->
    Handle = sctpd:handle(L),
    {ok, #{<<"sockets">> := Sockets}} = sctpd_socket:request(L, sockets, #{}),
    case [Active || #{<<"sock">> := H, <<"active">> := Active} <- Sockets, H =:= Handle] of
        [false] -> ok;
        [_] -> stopped(L)
    end.

%% Its mailbox has more than that of others, for ever: what comes of the socket still arrives.
other_messages() ->
    Me = self(),
    {_, _} = flood(fun(L) ->
        [self() ! other || _ <- lists:seq(1, 10000)],
        ok = sctpd:setopts(L, [{active, true}]),
        numbers(L, 500, L),
        Me ! received
    end),
    receive received -> ok after 60000 -> error(not_received) end.

numbers(_, 0, _) -> ok;
numbers(L, N, _) ->
    receive {sctp, L, _, _, _} -> numbers(L, N - 1, L) end.

%% ---- another node takes a socket over ------------------------------------------------

%% Is told to end by a signal.
holds() ->
    {ok, L} = sctpd:open([{ip, ?LO}, {active, true}, {on_owner_exit, hold}, {hold_time, 60000}]),
    ok = sctpd:listen(L, true),
    {ok, Port} = sctpd:port(L),
    io:format("~w ~w~n", [sctpd:handle(L), Port]),
    receive {sctp, L, _, _, {[_], <<"first">>}} -> io:format("first~n") end,
    receive never -> ok end.

adopts(Handle) ->
    {ok, L} = sctpd:adopt(Handle, [{active, 1}]),
    Handle = sctpd:handle(L),
    {Id, Stream} = waiting(L),
    ok = sctpd:send(L, Id, Stream, <<"third">>),
    io:format("answered~n"),
    {ok, {_, _, [], #sctp_shutdown_event{}}} = sctpd:recv(L, 10000),
    {error, not_owner} = sctpd:adopt(Handle, [{sctpd_socket, os:getenv("SCTPD_SOCKET")}]),
    ok = sctpd:close(L),
    {error, closed} = sctpd:adopt(Handle),
    [badarg = try sctpd:adopt(H, O) catch error:Why -> Why end || {H, O} <- [{foo, []}, {1, [{recbuf, 7}]}, {1, foo}]],
    io:format("done~n").

%% What the other node was sent last may come again. Then it is passive.
waiting(L) ->
    receive
        {sctp, L, _, _, {[#sctp_sndrcvinfo{assoc_id = Id, stream = Stream}], <<"second">>}} ->
            receive {sctp_passive, L} -> {Id, Stream} end;
        {sctp, L, _, _, _} ->
            receive {sctp_passive, L} -> ok end,
            ok = sctpd:setopts(L, [{active, 1}]),
            waiting(L)
    end.

not_adopted(Handle) ->
    {error, not_owner} = sctpd:adopt(Handle),
    io:format("~s~ndone~n", [sctpd:error_text()]).
