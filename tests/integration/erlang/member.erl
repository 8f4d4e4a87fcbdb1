%% SPDX-License-Identifier: BSD-2-Clause
%%
%% A member of the group "g" for the load of test_groupload.py, as Member of
%% crew.py is in Python: member:main([Path, Number, Log]). It sends each message
%% back with its number, acknowledges it then, and writes down both. SIGTERM: it
%% drains, and ends when it has nothing left.
-module(member).

-behaviour(gen_event).

-export([main/1]).
-export([init/1, handle_event/2, handle_call/2]).
-include_lib("kernel/include/inet_sctp.hrl").

-define(GROUP, "g").
-define(TOGETHER, 64).
-define(WRITE, 113).            % records: a pipe takes so much whole, whoever else writes

main([Path, Number, Log]) ->
    ok = gen_event:delete_handler(erl_signal_server, erl_signal_handler, []),
    ok = gen_event:add_handler(erl_signal_server, ?MODULE, self()),
    {ok, File} = file:open(Log, [raw, write, append]),
    N = list_to_integer(Number),
    try joined(Path, N, File), halt(0)
    catch Class:Why:Trace ->
        io:format(standard_error, "member ~w: ~p ~p ~p~n", [N, Class, Why, Trace]),
        halt(1)
    end.

init(Pid) -> {ok, Pid}.

handle_event(sigterm, Pid) -> Pid ! drain, {ok, Pid};
handle_event(_, Pid) -> {ok, Pid}.

handle_call(_, Pid) -> {ok, ok, Pid}.

joined(Path, Number, File) ->
    {ok, M} = sctpd:join(?GROUP, [{sctpd_socket, Path}, {name, ["m", integer_to_list(Number)]}]),
    serve(M, Path, Number, File, 0, false).

%% How many sockets it has, and whether it drains.
serve(M, Path, Number, File, Socks, Draining) ->
    receive
        drain ->
            {ok, _} = sctpd:drain(M),
            drained(M, Path, Number, File, Socks);
        Message ->
            case handled(batch([Message], ?TOGETHER - 1), M, Number, File, Socks) of
                left ->
                    note(File, Number, $T, [{0, 0, 0}]),
                    again(M, Path, Number, File, Draining);
                Left when Draining -> drained(M, Path, Number, File, Left);
                Left -> serve(M, Path, Number, File, Left, false)
            end
    end.

again(M, Path, Number, File, false) ->
    _ = sctpd:leave(M),
    joined(Path, Number + 1024, File);
again(_, _, _, _, true) ->
    ok.

drained(M, _, _, _, 0) -> ok = sctpd:leave(M);
drained(M, Path, Number, File, Socks) -> serve(M, Path, Number, File, Socks, true).

%% What has come, in order.
batch(Messages, 0) ->
    lists:reverse(Messages);
batch(Messages, N) ->
    receive M when M =/= drain -> batch([M | Messages], N - 1) after 0 -> lists:reverse(Messages) end.

handled(Messages, M, Number, File, Socks) ->
    Rows = [{S, numbers(Data)} || {sctp, S, _, _, {_, Data}} <- Messages, is_binary(Data)],
    note(File, Number, $H, [N || {_, N} <- Rows]),
    answered(Rows, Number),
    case lists:foldl(fun count/2, {Socks, 0, false}, Messages) of
        {_, _, true} -> left;
        {Left, Seq, false} ->
            ok = sctpd:ack(M, Seq, wait),
            note(File, Number, $A, maps:values(maps:from_list([{Peer, N} || {_, {Peer, _, _} = N} <- Rows]))),
            Left
    end.

%% A member waits for each send; so each association has a process, and none waits for another.
answered(Rows, Number) ->
    Senders = [spawn_monitor(fun() -> [ok = sctpd:send(S, 0, 0, answer(N, Number)) || N <- Ns] end)
               || {S, Ns} <- maps:to_list(maps:groups_from_list(fun({S, _}) -> S end, fun({_, N}) -> N end, Rows))],
    [receive {'DOWN', Ref, process, _, Why} -> normal = Why end || {_, Ref} <- Senders].

count({sctp, _, _, _, {_, #sctp_assoc_change{state = State}}} = Message, _) when State =/= comm_up ->
    error(Message);
count({sctp, _, _, _, {Anc, _}}, {Socks, _, Left}) -> {Socks, element(2, lists:keyfind(seq, 1, Anc)), Left};
count({sctp_group, _, Seq, {assigned, _}}, {Socks, _, Left}) -> {Socks + 1, Seq, Left};
count({sctp_group, _, Seq, {unassigned, _}}, {Socks, _, Left}) -> {Socks - 1, Seq, Left};
count({sctp_group, _, Seq, {left, _}}, {Socks, _, _}) -> {Socks, Seq, true};
count(Message, _) -> error(Message).

%% Peer, number, and when it was sent.
numbers(Data) ->
    [Peer, N, Sent | _] = [binary_to_integer(W) || W <- binary:split(Data, <<" ">>, [global])],
    {Peer, N, Sent}.

answer({Peer, N, Sent}, Number) -> io_lib:format("~b ~b ~b ~b", [Peer, N, Sent, Number]).

note(_, _, _, []) ->
    ok;
note(File, Number, Kind, Rows) ->
    Now = os:system_time(microsecond),
    {These, Rest} = lists:split(min(?WRITE, length(Rows)), Rows),
    ok = file:write(File, [<<Kind, 0, Number:16/little, Peer:32/little, N:64/little,
                             Now:64/little, Sent:64/little>> || {Peer, N, Sent} <- These]),
    note(File, Number, Kind, Rest).
