%% SPDX-License-Identifier: BSD-2-Clause
%%
%% Erlang's gen_sctp as a contestant: erl -noshell -run gen_sctp_bench main
%% call|serve active|passive ADDR PORT. It does what link.c describes, and is
%% told what to do in the same lines.
-module(gen_sctp_bench).

-export([main/1]).
-include_lib("kernel/include/inet_sctp.hrl").

-define(BUFFER, 4194304).

main([What, Mode, Addr, Port]) ->
    {ok, Ip} = inet:parse_address(Addr),
    run(What, Mode =:= "active", Ip, list_to_integer(Port)),
    halt().

options(Ip) ->
    [binary, {ip, Ip}, {recbuf, ?BUFFER}, {sndbuf, ?BUFFER}, {buffer, 2097152}, {sctp_nodelay, true}, {active, false}].

run("serve", Active, Ip, _) ->
    {ok, S} = gen_sctp:open(0, options(Ip)),
    ok = gen_sctp:listen(S, true),
    {ok, Port} = inet:port(S),
    io:format("port ~b~n", [Port]),
    {ok, {_, _, _, #sctp_assoc_change{state = comm_up, assoc_id = Id}}} = gen_sctp:recv(S),
    ok = inet:setopts(S, [{active, Active}]),
    serve(S, Id, Active, 0);
run("call", Active, Ip, Port) ->
    {ok, S} = gen_sctp:open(0, options(any)),
    {ok, #sctp_assoc_change{assoc_id = Id}} = gen_sctp:connect(S, Ip, Port, []),
    ok = inet:setopts(S, [{active, Active}]),
    io:format("up~n"),
    orders({S, Id, Active}).

%% The next message.
take(S, true) ->
    receive
        {sctp, S, _, _, {_, Data}} when is_binary(Data) -> Data;
        {sctp, S, _, _, {_, #sctp_assoc_change{state = comm_up}}} -> take(S, true);
        {sctp, S, _, _, {_, #sctp_paddr_change{}}} -> take(S, true);
        {sctp, S, _, _, _} -> halt()
    end;
take(S, false) ->
    case gen_sctp:recv(S) of
        {ok, {_, _, _, Data}} when is_binary(Data) -> Data;
        {ok, {_, _, _, #sctp_paddr_change{}}} -> take(S, false);
        _ -> halt()
    end.

%% The buffer may be full: then all of 4 MiB is under way, and a rest is no loss.
put_data(S, Id, Data) ->
    case gen_sctp:send(S, Id, 0, Data) of
        ok -> ok;
        {error, eagain} -> timer:sleep(1), put_data(S, Id, Data)
    end.

serve(S, Id, Active, Seen) ->
    case take(S, Active) of
        <<$e, _/binary>> = Data ->
            put_data(S, Id, Data),
            serve(S, Id, Active, Seen);
        <<$c, _/binary>> ->
            serve(S, Id, Active, Seen + 1);
        <<$l, _/binary>> ->
            put_data(S, Id, <<$d, (Seen + 1):32>>),
            serve(S, Id, Active, 0)
    end.

orders(Link) ->
    case io:get_line("") of
        End when not is_list(End) ->
            halt();
        Line ->
            [[Work], Bytes, Count, Flight] = string:lexemes(Line, " \n"),
            {Us, P99} = work(Work, list_to_integer(Bytes), list_to_integer(Count),
                             list_to_integer(Flight), Link),
            io:format("~.3f ~.3f~n", [Us, P99]),
            orders(Link)
    end.

now_us() -> erlang:monotonic_time(nanosecond) / 1000.

work($r, Bytes, Count, Flight, Link) ->
    Data = <<$e, (binary:copy(<<"x">>, Bytes - 1))/binary>>,
    Start = now_us(),
    Ring = send(min(Flight, Count), Data, Link, queue:new()),
    Trips = trips(Count, max(0, Count - Flight), Data, Link, Ring, []),
    {now_us() - Start, lists:nth(trunc(Count * 0.99) + 1, lists:sort(Trips))};
work($o, Bytes, Count, _, {S, Id, Active}) ->
    Pad = binary:copy(<<"x">>, Bytes - 1),
    Start = now_us(),
    one_way(Count, <<$c, Pad/binary>>, S, Id),
    put_data(S, Id, <<$l, Pad/binary>>),
    <<$d, Count:32>> = take(S, Active),
    {now_us() - Start, 0.0};
work($p, Bytes, Count, Senders, {S, Id, Active}) ->
    Pad = binary:copy(<<"x">>, Bytes - 1),
    Start = now_us(),
    Each = (Count - 1) div Senders,
    Pids = [spawn_monitor(fun() -> one_way(Each + 1, <<$c, Pad/binary>>, S, Id) end)
            || _ <- lists:seq(1, Senders)],
    _ = [receive {'DOWN', Mon, process, Pid, normal} -> ok end || {Pid, Mon} <- Pids],
    one_way(Count - Senders * Each, <<$c, Pad/binary>>, S, Id),
    put_data(S, Id, <<$l, Pad/binary>>),
    <<$d, Count:32>> = take(S, Active),
    {now_us() - Start, 0.0}.

send(0, _, _, Ring) ->
    Ring;
send(N, Data, {S, Id, _} = Link, Ring) ->
    At = now_us(),
    put_data(S, Id, Data),
    send(N - 1, Data, Link, queue:in(At, Ring)).

trips(0, _, _, _, _, Trips) ->
    Trips;
trips(Left, ToSend, Data, {S, _, Active} = Link, Ring, Trips) ->
    _ = take(S, Active),
    {{value, At}, Rest} = queue:out(Ring),
    Trip = now_us() - At,
    More = min(1, ToSend),
    trips(Left - 1, ToSend - More, Data, Link, send(More, Data, Link, Rest), [Trip | Trips]).

one_way(1, _, _, _) ->
    ok;
one_way(N, Data, S, Id) ->
    put_data(S, Id, Data),
    one_way(N - 1, Data, S, Id).
