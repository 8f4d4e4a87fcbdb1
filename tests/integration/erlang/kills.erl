%% SPDX-License-Identifier: BSD-2-Clause
%%
%% Programs under which the daemon is killed again and again: echoes of numbered
%% messages over one association for each way to receive, and one that connects
%% and closes. run(Seconds) prints what came; whatever is lost, doubled, out of
%% order or an error ends it.
-module(kills).

-export([run/1]).
-include_lib("kernel/include/inet_sctp.hrl").

-define(LO, {127, 0, 0, 1}).
-define(AHEAD, 16).
-define(LIMIT, 60000).

run(Seconds) ->
    End = erlang:monotonic_time(millisecond) + 1000 * Seconds,
    Pids = [spawn_monitor(fun() -> exit({done, echoed(Mode, End)}) end)
            || Mode <- [true, once, 10, false]]
        ++ [spawn_monitor(fun() -> exit({done, come_and_go(End, 0)}) end)],
    io:format("ready~n"),
    Counts = [receive {'DOWN', Mon, process, Pid, {done, N}} -> io:format("over ~w~n", [N]), N;
                      {'DOWN', _, process, _, Why} when element(1, Why) =/= done -> error(Why) end
              || {Pid, Mon} <- Pids],
    io:format("~w~ndone~n", [Counts]).

%% Both ends receive in the same way.
echoed(Mode, End) ->
    {ok, L} = sctpd:open([{ip, ?LO}, {active, Mode}]),
    ok = sctpd:listen(L, true),
    {ok, Port} = sctpd:port(L),
    Me = self(),
    {Echo, Mon} = spawn_monitor(fun() -> receive go -> echo(L, Mode, 0, Me) end end),
    ok = sctpd:controlling_process(L, Echo),
    Echo ! go,
    {ok, S} = sctpd:open([{ip, ?LO}]),
    {ok, #sctp_assoc_change{state = comm_up, assoc_id = A}} = sctpd:connect(S, ?LO, Port, []),
    ok = sctpd:setopts(S, [{active, Mode}]),
    N = talk(S, A, Mode, 0, 0, End),
    ok = sctpd:close(S),
    receive {'DOWN', Mon, process, Echo, Why} -> {heard, N} = Why after ?LIMIT -> error(echo) end,
    N.

talk(S, A, Mode, Sent, Heard, End) ->
    case erlang:monotonic_time(millisecond) < End of
        true when Sent < Heard + ?AHEAD ->
            ok = sctpd:send(S, A, Sent rem 2, <<Sent:64>>),
            talk(S, A, Mode, Sent + 1, Heard, End);
        false when Sent =:= Heard ->
            Heard;
        _ ->
            {_, <<Heard:64>>} = next(S, Mode),
            talk(S, A, Mode, Sent, Heard + 1, End)
    end.

%% Streams may overtake each other on the way, but not on this one, where nothing is lost.
echo(L, Mode, N, Parent) ->
    case next(L, Mode) of
        {[#sctp_sndrcvinfo{assoc_id = A, stream = Stream}], <<N:64>> = Data} ->
            ok = sctpd:send(L, A, Stream, Data),
            echo(L, Mode, N + 1, Parent);
        {[], #sctp_assoc_change{state = comm_up}} ->
            {ok, [{active, _}, {ttl, 64}]} = sctpd:getopts(L, [active, ttl]),
            echo(L, Mode, N, Parent);
        {[], #sctp_shutdown_event{}} ->
            echo(L, Mode, N, Parent);
        {[], #sctp_assoc_change{state = shutdown_comp}} ->
            ok = sctpd:close(L),
            exit({heard, N})
    end.

next(S, Mode) ->
    case came(S, Mode) of
        {_, #sctp_paddr_change{}} -> next(S, Mode);
        What -> What
    end.

came(S, false) ->
    {ok, {_, _, Anc, Data}} = sctpd:recv(S, ?LIMIT),
    {Anc, Data};
came(S, Mode) ->
    receive
        {sctp, S, _, _, What} ->
            ok = case Mode of once -> sctpd:setopts(S, [{active, once}]); _ -> ok end,
            What;
        {sctp_passive, S} when is_integer(Mode) ->
            ok = sctpd:setopts(S, [{active, Mode}]),
            came(S, Mode);
        Other ->
            error({came, Other})
    after ?LIMIT -> error({nothing_came, Mode})
    end.

%% How often an association was set up, used and shut down.
come_and_go(End, N) ->
    case erlang:monotonic_time(millisecond) < End of
        true ->
            {ok, L} = sctpd:open([{ip, ?LO}]),
            ok = sctpd:listen(L, true),
            {ok, Port} = sctpd:port(L),
            {ok, S} = sctpd:open([{ip, ?LO}]),
            {ok, #sctp_assoc_change{state = comm_up, assoc_id = A}} = sctpd:connect(S, ?LO, Port, []),
            ok = sctpd:send(S, A, 0, <<N:64>>),
            {[], #sctp_assoc_change{state = comm_up, assoc_id = B}} = next(L, false),
            {[_], <<N:64>>} = next(L, false),
            {ok, P} = sctpd:peeloff(L, B),
            ok = sctpd:close(S),
            {[], #sctp_shutdown_event{}} = next(P, false),
            {[], #sctp_assoc_change{state = shutdown_comp}} = next(P, false),
            [ok = sctpd:close(X) || X <- [P, L]],
            come_and_go(End, N + 1);
        false ->
            N
    end.
