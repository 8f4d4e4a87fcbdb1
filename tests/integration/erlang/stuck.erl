%% SPDX-License-Identifier: BSD-2-Clause
%%
%% A peer that takes nothing stops what is sent to it, and nothing else: not the
%% other calls on its socket, not what is received, and not the end of it. run/0
%% prints "ok NAME" for each, with what each call took; daemon_dies/0 is told
%% when by its standard input.
-module(stuck).

-export([run/0, daemon_dies/0]).
-include_lib("kernel/include/inet_sctp.hrl").

-define(LO, {127, 0, 0, 1}).
-define(LIMIT, 20000).
-define(SOON, 3000).
-define(AT_ONCE, 100).

%% What waits, as {number of messages, bytes of each}. The last is more than the
%% daemon would take: it would not read the connection for queue_time, 30 seconds.
-define(MANY, {1500, 1000}).
-define(LARGE, {8, 150000}).
-define(UNREAD, {40, 200000}).

-record(stalled, {c, bad, good, to_bad, to_good, good_id, senders, owner}).

run() ->
    [check(Name, Do) || {Name, Do} <- [
        {many_wait, fun() -> all_else_goes_on(?MANY) end},
        {large_ones_wait, fun() -> all_else_goes_on(?LARGE) end},
        {close_many, fun() -> closes(?MANY) end},
        {close_large, fun() -> closes(?LARGE) end},
        {close_unread, fun() -> closes(?UNREAD) end},
        {close_unread_twice, fun closes_twice/0},
        {abort_unread, fun aborts_unread/0},
        {eof_unread, fun shuts_down_unread/0},
        {owner_killed, fun() -> owner_is_killed(?MANY) end},
        {owner_killed_unread, fun() -> owner_is_killed(?UNREAD) end},
        {owner_killed_while_it_closes, fun owner_is_killed_while_it_closes/0},
        {what_is_received_unread, fun what_is_received_is_seen/0},
        {recv_unread, fun recv_goes_on/0},
        {process_killed, fun() -> process_is_killed(?MANY) end},
        {process_killed_unread, fun() -> process_is_killed(?UNREAD) end},
        {answered_arrives, fun what_was_answered_arrives/0}]],
    all_at_once(get(took)),
    io:format("done~n").

check(Name, Do) ->
    Do(),
    nothing = receive M -> M after 0 -> nothing end,
    io:format("ok ~s~n", [Name]).

%% ---- a socket that has a peer that takes nothing, and one that does ------------

%% Its owner is a process of its own, which sends us what it is sent. The peer
%% aborts in the end: nothing is left that would wait for it.
stalled(What) -> stalled(What, []).

stalled({N, Size}, Opts) ->
    {Bad, BadPort} = listener([{recbuf, 4096}, {linger, {true, 0}}]),
    {Good, GoodPort} = listener([{active, true}]),
    Me = self(),
    Owner = spawn(fun() -> owner(Me, Size, BadPort, GoodPort, Opts) end),
    {C, ToBad, ToGood} = receive {Owner, up, Up} -> Up after ?LIMIT -> error(not_up) end,
    #sctp_assoc_change{state = comm_up, assoc_id = Id} = came(Good),
    Senders = [spawn(fun() -> sender(Me, C, ToBad, I, Size) end) || I <- lists:seq(1, N)],
    St = #stalled{c = C, bad = Bad, good = Good, to_bad = ToBad, to_good = ToGood, good_id = Id,
                  senders = Senders, owner = Owner},
    stands(St, {N, Size}, none, infinity).

listener(Opts) ->
    {ok, L} = sctpd:open([{ip, ?LO} | Opts]),
    ok = sctpd:listen(L, true),
    {ok, Port} = sctpd:port(L),
    {L, Port}.

owner(Parent, Size, BadPort, GoodPort, Opts) ->
    {ok, C} = sctpd:open([{ip, ?LO}, {sndbuf, max(8192, 2 * Size)} | Opts]),
    {ok, #sctp_assoc_change{assoc_id = ToBad}} = sctpd:connect(C, ?LO, BadPort, []),
    {ok, #sctp_assoc_change{assoc_id = ToGood}} = sctpd:connect(C, ?LO, GoodPort, []),
    Parent ! {self(), up, {C, ToBad, ToGood}},
    pass_on(Parent).

pass_on(Parent) ->
    receive stop -> ok; M -> Parent ! {self(), M}, pass_on(Parent) end.

sender(Parent, C, Id, I, Size) ->
    Parent ! {sent, I, sctpd:send(C, Id, 0, message(I, Size))}.

message(I, Size) -> <<I:32, 0:(8 * (Size - 4))>>.

%% All that can be are on their way: they wait in the daemon, or for a place in
%% the window, which is full then and stays as it is.
stands(#stalled{good = Good, c = C} = St, What, Before, Times) ->
    {ok, #{<<"send_pend">> := Bytes}} =
        sctpd_socket:request(Good, getstat, #{sock => element(4, C)}),
    #{waiting := Unsent} = sctpd_conn:info(element(3, C)),
    case {Bytes, Unsent} of
        _ when Times =:= 0 -> St;
        Before when Times =:= infinity -> stands(St, What, Before, infinity);
        Before -> stands(St, What, Before, Times - 1);
        Now -> stands(St, What, Now, times(What, Now))
    end.

%% How often it must be seen like that; not enough waits yet: for ever.
times(?UNREAD, {Bytes, Unsent}) when Bytes + Unsent < 7000000; Bytes =:= 0 -> infinity;
times(?UNREAD, _) -> 300;
times({N, Size}, {Bytes, Unsent}) when Bytes + Unsent < N * Size div 4 -> infinity;
times(_, _) -> 1.

came(S) ->
    receive {sctp, S, _, _, {_, What}} -> What after ?LIMIT -> error({nothing_came, S}) end.

%% The good peer sees its association end.
good_one_ends(#stalled{good = Good}) ->
    #sctp_shutdown_event{} = came(Good),
    #sctp_assoc_change{state = shutdown_comp} = came(Good).

%% What every sender was told.
told(#stalled{senders = Senders}) ->
    [receive {sent, I, R} -> {I, R} after ?LIMIT -> error({not_told, I}) end
     || I <- lists:seq(1, length(Senders))].

%% They are told that it is closed, if not that it was sent: not eagain, which
%% comes when the daemon reads on.
told_closed(St) ->
    [] = [R || {_, R} <- told(St), R =/= ok, R =/= {error, closed}],
    ok.

leave(#stalled{bad = Bad, good = Good, owner = Owner}) ->
    Owner ! stop,
    [ok = sctpd:close(S) || S <- [Bad, Good]].

%% Within ?SOON: the daemon reads on later. It is much faster, but for a processor that others have.
timed(Name, Do) ->
    Start = erlang:monotonic_time(microsecond),
    Result = Do(),
    Took = (erlang:monotonic_time(microsecond) - Start) / 1000,
    io:format("~s: ~.1f ms~n", [Name, Took]),
    true = Took < ?SOON,
    put(took, [Took | case get(took) of undefined -> []; Others -> Others end]),
    Result.

all_at_once(Took) ->
    Late = [T || T <- Took, T > ?AT_ONCE],
    true = length(Took) > 15 andalso length(Late) =< 2.

assoc(Id) -> #sctp_assoc_change{assoc_id = Id}.

%% ---- what is called --------------------------------------------------------------

all_else_goes_on(What) ->
    #stalled{c = C, to_bad = ToBad, to_good = ToGood, good = Good} = St = stalled(What),
    {ok, [{active, false}]} = timed(getopts, fun() -> sctpd:getopts(C, [active]) end),
    ok = timed(setopts, fun() -> sctpd:setopts(C, [{sctp_nodelay, true}]) end),
    ok = timed("send to another", fun() -> sctpd:send(C, ToGood, 0, <<"on">>) end),
    <<"on">> = came(Good),
    ok = timed(abort, fun() -> sctpd:abort(C, assoc(ToBad)) end),
    [] = [R || {_, R} <- told(St), R =/= ok, R =/= {error, epipe}],
    ok = sctpd:send(C, ToGood, 0, <<"and on">>),
    <<"and on">> = came(Good),
    ok = timed(close, fun() -> sctpd:close(C) end),
    good_one_ends(St),
    leave(St).

closes(What) ->
    #stalled{c = C} = St = stalled(What),
    ok = timed(close, fun() -> sctpd:close(C) end),
    told_closed(St),
    good_one_ends(St),
    {error, closed} = sctpd:getopts(C, [active]),
    leave(St).

%% By two at once, and in an active mode: nobody is told what it asked for.
closes_twice() ->
    #stalled{c = C, owner = Owner} = St = stalled(?UNREAD, [{active, true}]),
    Me = self(),
    [spawn(fun() -> Me ! {closed, sctpd:close(C)} end) || _ <- [1, 2]],
    [receive {closed, R} -> ok = R after ?LIMIT -> error(close) end || _ <- [1, 2]],
    told_closed(St),
    good_one_ends(St),
    Owner ! ping,
    receive {Owner, M} -> ping = M end,
    leave(St).

%% The rest is told, too, for the association is over.
aborts_unread() ->
    #stalled{c = C, to_bad = ToBad, to_good = ToGood, good = Good} = St = stalled(?UNREAD),
    ok = timed(abort, fun() -> sctpd:abort(C, assoc(ToBad)) end),
    [] = [R || {_, R} <- told(St), R =/= ok, R =/= {error, epipe}],
    ok = sctpd:send(C, ToGood, 0, <<"on">>),
    <<"on">> = came(Good),
    ok = sctpd:close(C),
    good_one_ends(St),
    leave(St).

shuts_down_unread() ->
    #stalled{c = C, to_good = ToGood} = St = stalled(?UNREAD),
    ok = timed(eof, fun() -> sctpd:eof(C, assoc(ToGood)) end),
    good_one_ends(St),
    ok = sctpd:close(C),
    told_closed(St),
    leave(St).

%% ---- deaths ----------------------------------------------------------------------

owner_is_killed(What) ->
    #stalled{owner = Owner} = St = stalled(What),
    exit(Owner, kill),
    timed("the peer sees the end", fun() -> good_one_ends(St) end),
    told_closed(St),
    leave(St).

owner_is_killed_while_it_closes() ->
    #stalled{owner = Owner, c = C} = St = stalled(?UNREAD),
    Me = self(),
    spawn(fun() -> Me ! {closed, sctpd:close(C)} end),
    exit(Owner, kill),
    timed("the peer sees the end", fun() -> good_one_ends(St) end),
    receive {closed, R} -> ok = R after ?LIMIT -> error(close) end,
    told_closed(St),
    leave(St).

process_is_killed(What) ->
    #stalled{c = C, owner = Owner} = St = stalled(What),
    exit(element(2, C), kill),
    told_closed(St),
    receive {Owner, {sctp_closed, C}} -> ok after ?LIMIT -> error(owner_not_told) end,
    timed("the peer sees the end", fun() -> good_one_ends(St) end),
    leave(St).

daemon_dies() ->
    St = stalled(?UNREAD),
    io:format("ready~n"),
    told_closed(St),
    io:format("done~n").

%% ---- what comes ------------------------------------------------------------------

what_is_received_is_seen() ->
    #stalled{good = Good, good_id = Id, c = C, owner = Owner} = St = stalled(?UNREAD, [{active, true}]),
    ok = sctpd:send(Good, Id, 0, <<"to you">>),
    receive {Owner, {sctp, C, _, _, {_, <<"to you">>}}} -> ok after ?LIMIT -> error(unseen) end,
    ok = sctpd:close(C),
    told_closed(St),
    good_one_ends(St),
    leave(St).

recv_goes_on() ->
    #stalled{good = Good, good_id = Id, c = C} = St = stalled(?UNREAD),
    ok = sctpd:send(Good, Id, 0, <<"to you">>),
    {ok, {_, _, _, <<"to you">>}} = timed(recv, fun() -> sctpd:recv(C, ?LIMIT) end),
    ok = sctpd:close(C),
    told_closed(St),
    good_one_ends(St),
    leave(St).

%% ok was the promise that it arrives, close or not.
what_was_answered_arrives() ->
    #stalled{c = C, bad = Bad} = St = stalled(?LARGE),
    ok = sctpd:close(C),
    Told = told(St),
    Arrived = all_that_comes(Bad),
    [] = [I || {I, ok} <- Told] -- Arrived,
    true = Arrived =/= [],
    good_one_ends(St),
    leave(St).

all_that_comes(S) ->
    case sctpd:recv(S, ?LIMIT) of
        {ok, {_, _, _, <<I:32, _/binary>>}} -> [I | all_that_comes(S)];
        {ok, {_, _, _, #sctp_assoc_change{state = comm_up}}} -> all_that_comes(S);
        {ok, {_, _, _, #sctp_shutdown_event{}}} -> []
    end.
