%% SPDX-License-Identifier: BSD-2-Clause
%%
%% Groups in Erlang: members as processes that acknowledge, and as a pool of
%% workers that die. run/0 prints "ok NAME" for each.
-module(pool).

-behaviour(sctpd_worker).

-export([run/0]).
-export([init/1, handle_message/3, handle_assigned/3, handle_unassigned/3, handle_info/2]).
-include_lib("kernel/include/inet_sctp.hrl").

-define(LO, {127, 0, 0, 1}).
-define(LIMIT, 20000).
-define(KILLS, 20).

run() ->
    [ok = sctpd:close(element(2, sctpd:open())) || _ <- [1, 2, 3, 4]],   % connections stay
    Before = length(processes()),
    [check(Name, Do) || {Name, Do} <- [
        {refused, fun refused/0},
        {what_is_not_acknowledged_goes_on, fun not_acknowledged/0},
        {leave_and_drain, fun leave_and_drain/0},
        {requests_on_a_share, fun requests/0},
        {a_pool_echoes, fun a_pool_echoes/0},
        {a_worker_that_crashes_loses_nothing, fun crashes/0},
        {workers_are_killed, fun workers_are_killed/0},
        {a_pool_drains, fun a_pool_drains/0}]],
    wait(fun() -> length(processes()) =:= Before end),
    io:format("done~n").

check(Name, Do) ->
    Do(),
    nothing = receive M -> M after 0 -> nothing end,
    io:format("ok ~s~n", [Name]).

%% A group that listens: {its socket, its port}.
group(Name, Opts) ->
    {ok, L} = sctpd:open([{ip, ?LO}]),
    {ok, Port} = sctpd:port(L),
    ok = sctpd:listen(L, true),
    ok = sctpd:group(L, Name, Opts),
    {L, Port}.

ungroup(L, Name) ->
    ok = sctpd:ungroup(L, Name),
    ok = sctpd:close(L),
    no_news().

%% The socket of a group that ended is active, and its owner hears what is left.
no_news() ->
    receive {sctp, _, _, _, {_, M}} when is_tuple(M) -> no_news() after 0 -> ok end.

peer(Port) ->
    {ok, S} = sctpd:open([{ip, ?LO}]),
    {ok, #sctp_assoc_change{assoc_id = A}} = sctpd:connect(S, ?LO, Port, []),
    {S, A}.

%% A process that joins, tells us what comes, and does what it is told.
member(Name) -> member(Name, []).

member(Name, Opts) ->
    Me = self(),
    Pid = spawn(fun() ->
        {ok, M} = sctpd:join(Name, Opts),
        Me ! {self(), joined, M},
        tell(Me)
    end),
    receive {Pid, joined, M} -> {Pid, M} after ?LIMIT -> error(not_joined) end.

tell(Me) ->
    receive
        stop -> ok;
        {do, Do} -> Me ! {self(), did, Do()}, tell(Me);
        M -> Me ! {self(), M}, tell(Me)
    end.

do(Pid, Do) ->
    Pid ! {do, Do},
    receive {Pid, did, R} -> R after ?LIMIT -> error(not_done) end.

%% What came to a member next, but for news of addresses.
came(Pid) ->
    receive
        {Pid, {sctp, _, _, _, {_, #sctp_paddr_change{}}}} -> came(Pid);
        {Pid, M} -> M
    after ?LIMIT -> error(nothing_came)
    end.

refused() ->
    {error, Why} = sctpd:join("nobody's"),
    true = is_atom(Why),
    {error, enoent} = sctpd:join("g", [{sctpd_socket, "/nowhere/at/all"}]),
    {'EXIT', {badarg, _}} = (catch sctpd:join("g", foo)),
    {ok, S} = sctpd:open(),
    {error, einval} = sctpd:group(S, "g", #{policy => foo}),
    true = byte_size(sctpd:error_text()) > 0,
    ok = sctpd:close(S).

%% The first has handled one, and dies; the second gets the rest, in order.
not_acknowledged() ->
    {L, Port} = group("g", #{}),
    {One, _} = member("g"),
    {S, A} = peer(Port),
    {sctp_group, Share, _, {assigned, #{peer := {?LO, _}, group := <<"g">>}}} = came(One),
    {sctp, Share, _, _, {[{seq, Up}], #sctp_assoc_change{state = comm_up}}} = came(One),
    [ok = sctpd:send(S, A, 0, <<N>>) || N <- lists:seq(1, 5)],
    {sctp, Share, ?LO, _, {[#sctp_sndrcvinfo{stream = 0}, {seq, Seq}], <<1>>}} = came(One),
    true = Seq > Up,
    ok = sctpd:ack(Share, [{seq, Seq}]),
    [{sctp, Share, _, _, {_, <<N>>}} = came(One) || N <- lists:seq(2, 5)],
    {Two, M} = member("g", [{name, "two"}]),
    exit(One, kill),
    {sctp_group, Mine, _, {assigned, #{from_member := _}}} = came(Two),
    Last = [begin {sctp, Mine, _, _, {[_, {seq, Q}], <<N>>}} = came(Two), Q end || N <- lists:seq(2, 5)],
    ok = sctpd:ack(M, lists:last(Last), wait),
    ok = sctpd:send(Mine, 0, 0, <<"answer">>),
    {ok, {_, _, _, <<"answer">>}} = sctpd:recv(S, ?LIMIT),
    ok = do(Two, fun() -> sctpd:leave(M) end),
    {error, closed} = sctpd:leave(M),
    Two ! stop,
    ok = sctpd:close(S),
    ungroup(L, "g").

leave_and_drain() ->
    {L, Port} = group("g", #{}),
    {One, M1} = member("g"),
    {S, A} = peer(Port),
    {sctp_group, Share, _, {assigned, _}} = came(One),
    {sctp, Share, _, _, {[{seq, Up}], #sctp_assoc_change{}}} = came(One),
    ok = sctpd:ack(M1, Up),
    {Two, M2} = member("g"),
    ok = sctpd:send(S, A, 0, <<"before">>),
    {sctp, Share, _, _, {[_, {seq, Seq}], <<"before">>}} = came(One),
    {ok, 1} = sctpd:drain(M1),
    ok = sctpd:send(S, A, 0, <<"after">>),
    ok = sctpd:ack(M1, Seq),
    {sctp_group, Share, _, {unassigned, #{to_member := _}}} = came(One),
    {ok, 0} = sctpd:drain(M1),
    ok = do(One, fun() -> sctpd:leave(M1) end),
    {sctp_group, Other, _, {assigned, #{from_member := _}}} = came(Two),
    {sctp, Other, _, _, {_, <<"after">>}} = came(Two),
    %% Who leaves gives back what it has, and nothing of it stays in its mailbox.
    {Three, M3} = member("g"),
    ok = do(Two, fun() -> sctpd:leave(M2) end),
    {sctp_group, Third, _, {assigned, _}} = came(Three),
    {sctp, Third, _, _, {_, <<"after">>}} = came(Three),
    ok = sctpd:close(S),
    {sctp, Third, _, _, {_, #sctp_shutdown_event{}}} = came(Three),
    {sctp, Third, _, _, {[{seq, _}], #sctp_assoc_change{state = shutdown_comp}}} = came(Three),
    {sctp_group, Third, End, closed} = came(Three),
    ok = sctpd:ack(M3, End, wait),
    {error, closed} = sctpd:getopts(Third, [ttl]),
    [P ! stop || P <- [One, Two, Three]],
    ungroup(L, "g").

requests() ->
    {L, Port} = group("g", #{}),
    {One, M} = member("g", [{mode, list}]),
    {S, A} = peer(Port),
    {sctp_group, Share, _, {assigned, #{assoc_id := Id}}} = came(One),
    {sctp, Share, _, _, {_, #sctp_assoc_change{}}} = came(One),
    {ok, [{ttl, 64}, {mode, list}, {active, true}]} = sctpd:getopts(Share, [ttl, mode, active]),
    ok = sctpd:setopts(Share, [{sctp_nodelay, true}]),
    {error, einval} = sctpd:recv(Share, 0),
    {ok, [{?LO, _}]} = sctpd:peernames(Share, Id),
    ok = sctpd:send(S, A, 0, <<"list">>),
    {sctp, Share, _, _, {_, "list"}} = came(One),
    ok = sctpd:send(M, Id, 0, <<"on the group's">>),
    {ok, {_, _, _, <<"on the group's">>}} = sctpd:recv(S, ?LIMIT),
    ok = sctpd:close(S),
    {sctp, Share, _, _, {_, #sctp_shutdown_event{}}} = came(One),
    {sctp, Share, _, _, {_, #sctp_assoc_change{}}} = came(One),
    {sctp_group, Share, _, closed} = came(One),
    One ! stop,
    ungroup(L, "g").

%% ---- a pool of workers ------------------------------------------------------------

init(Me) -> {ok, Me}.

handle_message(_, {_, _, _, <<"crash", _/binary>> = Data}, Me) ->
    case ets:insert_new(pool, {Data, true}) of
        true -> Me ! {crashing, self()}, error(crash);
        false -> {reply, Data, Me}
    end;
handle_message(_, {_, _, _, Data}, Me) when is_binary(Data) ->
    {reply, Data, Me};
handle_message(_, {_, _, _, _}, Me) ->
    {ok, Me}.

handle_assigned(_, #{group := <<"g">>}, Me) -> {ok, Me}.
handle_unassigned(_, #{}, Me) -> {ok, Me}.
handle_info(_, Me) -> {ok, Me}.

pool(N) ->
    {ok, Pool} = sctpd_pool:start_link("g", N, ?MODULE, self(), [{retry, 100}]),
    Pool.

stop(Pool) ->
    Mon = monitor(process, Pool),
    unlink(Pool),
    exit(Pool, shutdown),
    receive {'DOWN', Mon, _, _, shutdown} -> ok end.

%% They may be started before there is a group.
a_pool_echoes() ->
    Level = logger:get_primary_config(),
    ok = logger:set_primary_config(level, none),
    Pool = pool(3),
    {L, Port} = group("g", #{}),
    Peers = [peer(Port) || _ <- lists:seq(1, 6)],
    [ok = sctpd:send(S, A, 3, <<N:32>>) || N <- lists:seq(1, 20), {S, A} <- Peers],
    [{ok, {_, _, [#sctp_sndrcvinfo{stream = 3}], <<N:32>>}} = sctpd:recv(S, ?LIMIT)
     || N <- lists:seq(1, 20), {S, _} <- Peers],
    [ok = sctpd:close(S) || {S, _} <- Peers],
    stop(Pool),
    ungroup(L, "g"),
    ok = logger:set_primary_config(Level).

crashes() ->
    Level = logger:get_primary_config(),
    ok = logger:set_primary_config(level, none),
    pool = ets:new(pool, [named_table, public]),
    {L, Port} = group("g", #{}),
    Pool = pool(2),
    {S, A} = peer(Port),
    [ok = sctpd:send(S, A, 0, D) || D <- [<<"1">>, <<"crash 1">>, <<"2">>, <<"crash 2">>, <<"3">>]],
    %% 1 is answered again if the worker dies before it is acknowledged.
    [<<"crash 1">>, <<"2">>, <<"crash 2">>, <<"3">>] = answers(S, <<"1">>, <<"3">>),
    [receive {crashing, _} -> ok end || _ <- [1, 2]],
    ok = sctpd:close(S),
    stop(Pool),
    ungroup(L, "g"),
    true = ets:delete(pool),
    ok = logger:set_primary_config(Level).

%% What came after the first, without what was answered before.
answers(S, First, Last) ->
    {ok, {_, _, _, First}} = sctpd:recv(S, ?LIMIT),
    answers(S, [First], Last, []).

answers(_, [Last | _], Last, New) ->
    lists:reverse(New);
answers(S, Before, Last, New) ->
    {ok, {_, _, _, Data}} = sctpd:recv(S, ?LIMIT),
    case lists:member(Data, Before) of
        true -> answers(S, Before, Last, New);
        false -> answers(S, [Data | Before], Last, [Data | New])
    end.

%% Each message is answered, and who takes over begins with nothing that is too new.
workers_are_killed() ->
    Level = logger:get_primary_config(),
    ok = logger:set_primary_config(level, none),
    {L, Port} = group("g", #{}),
    Pool = pool(3),
    Me = self(),
    Peers = [spawn(fun() -> {S, A} = peer(Port), Me ! {self(), done, talk(S, A, 0, 0, infinity)} end)
             || _ <- lists:seq(1, 8)],
    [kill_one(Pool) || _ <- lists:seq(1, ?KILLS)],
    [P ! enough || P <- Peers],
    Counts = [receive {P, done, N} -> N after ?LIMIT -> error(not_done) end || P <- Peers],
    io:format("~w messages, ~w workers killed~n", [lists:sum(Counts), ?KILLS]),
    stop(Pool),
    ungroup(L, "g"),
    ok = logger:set_primary_config(Level).

kill_one(Pool) ->
    timer:sleep(50),
    Workers = sctpd_pool:workers(Pool),
    exit(lists:nth(rand:uniform(length(Workers)), Workers), kill).

%% Ten are on the way at most; an answer may come again, none is left out.
talk(S, _, N, N, N) ->
    ok = sctpd:close(S),
    N;
talk(S, A, Sent, Top, infinity) when Sent =:= Top + 10 ->
    receive enough -> talk(S, A, Sent, Top, Sent)
    after 0 -> heard(S, A, Sent, Top, infinity)
    end;
talk(S, A, Sent, Top, N) when Sent < Top + 10, Sent < N ->
    ok = sctpd:send(S, A, 0, <<(Sent + 1):32>>),
    talk(S, A, Sent + 1, Top, N);
talk(S, A, Sent, Top, N) ->
    heard(S, A, Sent, Top, N).

heard(S, A, Sent, Top, N) ->
    {ok, {_, _, _, <<Got:32>>}} = sctpd:recv(S, ?LIMIT),
    true = Got =< Top + 1,
    talk(S, A, Sent, max(Got, Top), N).

a_pool_drains() ->
    {L, Port} = group("g", #{}),
    One = pool(2),
    Peers = [peer(Port) || _ <- lists:seq(1, 6)],
    Two = pool(2),
    Echo = fun(N) ->
        [ok = sctpd:send(S, A, 0, <<N>>) || {S, A} <- Peers],
        [{ok, {_, _, _, <<N>>}} = sctpd:recv(S, ?LIMIT) || {S, _} <- Peers]
    end,
    Echo(1),
    ok = sctpd_pool:drain(One),
    Echo(2),
    wait(fun() -> sctpd_pool:workers(One) =:= [] end),
    Echo(3),
    [_, _] = sctpd_pool:workers(Two),
    [ok = sctpd:close(S) || {S, _} <- Peers],
    [stop(P) || P <- [One, Two]],
    ungroup(L, "g").

wait(True) ->
    case True() of
        true -> ok;
        false -> timer:sleep(5), wait(True)
    end.
