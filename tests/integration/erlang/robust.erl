%% SPDX-License-Identifier: BSD-2-Clause
%%
%% What sctpd.erl does that gen_sctp does not, or not as well; run/0 prints "ok
%% NAME" for each, and daemon_dies/0 is told when by its standard input.
-module(robust).

-export([run/0, sends/0, modes/0, sends_and_stops/1, daemon_dies/0, connecting_caller_is_killed/0]).
-include_lib("kernel/include/inet_sctp.hrl").

-define(LO, {127, 0, 0, 1}).

run() ->
    [ok = sctpd:close(element(2, sctpd:open())) || _ <- [1, 2, 3, 4]],   % connections stay
    Before = length(processes()),
    [check(Name, Do) || {Name, Do} <- [
        {messagepack, fun messagepack/0},
        {no_daemon, fun no_daemon/0},
        {error_text, fun the_text_of_an_error/0},
        {two_recvs, fun two_recvs/0},
        {waiter_is_killed, fun waiter_is_killed/0},
        {waiter_is_killed_with_its_answer_on_the_way, fun answered_to_the_dead/0},
        {stash_counts_as_active, fun stash_counts_as_active/0},
        {owner_exits, fun owner_exits/0},
        {open_and_die, fun open_and_die/0},
        {foreign_close, fun foreign_close/0},
        {trapping_owner_sees_no_exit, fun trapping_owner/0},
        {large_message, fun large_message/0},
        {many_senders, fun many_senders/0},
        {bursts, fun bursts/0},
        {throughput, fun throughput/0},
        {abort_with_a_reason, fun abort_with_a_reason/0},
        {send_failed, fun send_failed/0},
        {accept, fun accepts/0},
        {accept_when_active, fun accepts_actively/0},
        {more_than_gen_sctp, fun more_than_gen_sctp/0},
        {any_method, fun any_method/0},
        {hand_over_moves_errors, fun hand_over_moves_errors/0},
        {connect_timeout, fun connect_timeout/0},
        {info_and_monitor, fun info_and_monitor/0},
        {loaded_anew_under_a_hundred_sockets, fun loaded_anew/0}]],
    timer:sleep(200),
    {processes, Before} = {processes, length(processes())},
    io:format("done~n").

check(Name, Do) ->
    Do(),
    nothing = receive M -> M after 0 -> nothing end,
    io:format("ok ~s~n", [Name]).

%% What send waits for: all of it holds on any stack.
sends() ->
    [check(Name, Do) || {Name, Do} <- [
        {sends_without_waiting, fun sends_without_waiting/0},
        {a_full_window, fun a_full_window/0},
        {no_window, fun no_window/0},
        {options_of_one_send, fun options_of_one_send/0},
        {what_was_refused_comes_back, fun what_was_refused_comes_back/0},
        {the_next_send_has_the_error, fun the_next_send_has_the_error/0}]],
    io:format("done~n").

%% On any stack, too.
modes() ->
    [check(Name, Do) || {Name, Do} <- [
        {modes_that_change_fast, fun modes_that_change_fast/0},
        {modes_that_change_in_a_flood, fun modes_that_change_in_a_flood/0}]],
    io:format("done~n").

%% A listener that has an association with a socket: {Listener, Id, Socket, Id}.
pair() -> pair([]).

pair(Opts) ->
    {ok, L} = sctpd:open([{ip, ?LO} | Opts]),
    ok = sctpd:listen(L, true),
    {ok, S} = sctpd:open([{ip, ?LO}]),
    {ok, Port} = sctpd:port(L),
    {ok, #sctp_assoc_change{assoc_id = A}} = sctpd:connect(S, ?LO, Port, []),
    {ok, {_, _, [], #sctp_assoc_change{state = comm_up, assoc_id = B}}} = sctpd:recv(L, 5000),
    {L, B, S, A}.

close(Sockets) -> [ok = sctpd:close(S) || S <- Sockets].

data(S) -> {ok, {_, _, _, Data}} = sctpd:recv(S, 5000), Data.

messagepack() ->
    Sizes = [0, 1, 31, 32, 255, 256, 65535, 65536],
    Terms = [0, 127, 128, 255, 256, 65535, 65536, 16#ffffffff, 16#100000000, -1, -32, -33, -128,
             -129, -32768, -32769, -16#80000000, -16#80000001, nil, true, false,
             [], lists:seq(1, 20), lists:seq(1, 70000), #{}, #{<<"a">> => #{<<"b">> => [1]}}]
        ++ [binary:copy(<<"x">>, N) || N <- Sizes],
    [round_trip(T, T) || T <- Terms],
    [round_trip({str, lists:duplicate(N, $x)}, binary:copy(<<"x">>, N)) || N <- Sizes],
    Whole = iolist_to_binary(sctpd_msgpack:encode(Terms)),
    more = sctpd_msgpack:decode(binary:part(Whole, 0, byte_size(Whole) - 1)),
    more = sctpd_msgpack:decode(<<>>).

round_trip(T, Back) ->
    {Back, <<"rest">>} = sctpd_msgpack:decode(iolist_to_binary([sctpd_msgpack:encode(T), "rest"])).

no_daemon() ->
    {error, enoent} = sctpd:open([{sctpd_socket, "/nowhere/at/all"}]).

the_text_of_an_error() ->
    {ok, S} = sctpd:open(),
    {error, einval} = sctpd:setopts(S, [{ttl, 9}, {ttl, 0}, {ttl, 8}]),
    {match, _} = re:run(sctpd:error_text(), "^einval: options\\.ttl.*1 of 3 were set"),
    {ok, [{ttl, 9}]} = sctpd:getopts(S, [ttl]),
    close([S]).

two_recvs() ->
    {L, _, S, A} = pair(),
    Waiter = waiter(L),
    {error, ealready} = sctpd:recv(L, 100),
    ok = sctpd:send(S, A, 0, <<"one">>),
    {ok, {_, _, _, <<"one">>}} = result(Waiter),
    ok = sctpd:send(S, A, 0, <<"two">>),
    <<"two">> = data(L),
    close([L, S]).

waiter(S) ->
    Me = self(),
    Pid = spawn(fun() -> Me ! {self(), sctpd:recv(S)} end),
    timer:sleep(100),
    Pid.

result(Pid) -> receive {Pid, R} -> R after 5000 -> error(no_result) end.

waiter_is_killed() ->
    {L, _, S, A} = pair(),
    [begin
         exit(waiter(L), kill),
         ok = sctpd:send(S, A, 0, <<N>>),
         <<N>> = data(L)
     end || N <- lists:seq(1, 5)],
    exit(waiter(L), kill),
    ok = sctpd:setopts(L, [{active, once}]),
    ok = sctpd:send(S, A, 0, <<"active">>),
    receive {sctp, L, ?LO, _, {[#sctp_sndrcvinfo{}], <<"active">>}} -> ok end,
    close([L, S]).

%% A mode is set before the daemon has answered for those before it, which do not count then.
modes_that_change_fast() ->
    {L, _, S, A} = pair(),
    [begin
         [ok = sctpd:setopts(L, [{active, M}]) || M <- Modes ++ [false]],
         ok = sctpd:send(S, A, 0, Data = term_to_binary(Modes)),
         {Modes, {ok, {_, _, _, Data}}} = {Modes, sctpd:recv(L, 5000)},
         [ok = sctpd:setopts(L, [{active, M}]) || M <- Modes ++ [once]],
         ok = sctpd:send(S, A, 0, Data),
         receive {sctp, L, _, _, {_, Data}} -> ok after 5000 -> error({nothing, Modes}) end
     end || Modes <- [[once, true], [3, true], [true, once, true], [once, true, false, once, true]]],
    sctp_passives_of(L),
    close([L, S]).

sctp_passives_of(L) -> receive {sctp_passive, L} -> sctp_passives_of(L) after 0 -> ok end.

%% Each message comes once, in order, whoever asks for it in whatever mode.
modes_that_change_in_a_flood() ->
    {L, _, S, A} = pair(),
    Many = 20000,
    {Pid, Mon} = spawn_monitor(fun() ->
        [ok = sctpd:send(S, A, 0, <<N:32, 0:(N rem 2000)/unit:8>>) || N <- lists:seq(0, Many - 1)] end),
    in_any_mode(L, 0, Many),
    receive {'DOWN', Mon, process, Pid, normal} -> ok end,
    close([L, S]).

in_any_mode(_, Many, Many) -> ok;
in_any_mode(L, N, Many) ->
    in_any_mode(L, case rand:uniform(4) of
        1 -> received(N, sctpd:recv(L, lists:nth(rand:uniform(3), [0, 5, infinity])));
        2 -> in_modes(L, N, [once]);
        3 -> in_modes(L, N, [lists:nth(rand:uniform(4), [once, true, 1, 100]) || _ <- lists:seq(1, rand:uniform(4))]);
        4 -> elsewhere(L, N)
    end, Many).

received(N, {ok, {_, _, _, <<N:32, _/binary>>}}) -> N + 1;
received(N, {error, timeout}) -> N.

in_modes(L, N, Modes) ->
    [ok = sctpd:setopts(L, [{active, M}]) || M <- Modes ++ [false]],
    taken(L, N).

taken(L, N) ->
    receive
        {sctp, L, _, _, {_, <<Seq:32, _/binary>>}} -> {N, taken} = {Seq, taken}, taken(L, N + 1);
        {sctp_passive, L} -> taken(L, N)
    after 0 -> N
    end.

%% Another process owns it for a while.
elsewhere(L, N) ->
    Me = self(),
    {Other, Mon} = spawn_monitor(fun() ->
        receive yours -> ok end,
        Now = in_modes(L, N, [lists:nth(rand:uniform(3), [once, true, 5])]),
        ok = sctpd:setopts(L, [{active, true}]),
        ok = sctpd:controlling_process(L, Me),
        exit({now, Now})
    end),
    ok = sctpd:setopts(L, [{active, once}]),
    ok = sctpd:controlling_process(L, Other),
    Other ! yours,
    Now = receive {'DOWN', Mon, process, Other, {now, At}} -> At end,
    ok = sctpd:setopts(L, [{active, false}]),
    taken(L, Now).

%% The daemon has answered, but the one that asked dies before it is told.
answered_to_the_dead() ->
    {L, _, S, A} = pair(),
    stash(L, S, A, <<"first">>),
    ok = sctpd:send(S, A, 0, <<"second">>),
    <<"first">> = data(L),
    <<"second">> = data(L),
    close([L, S]).

stash(L, S, A, Data) ->
    Waiter = waiter(L),
    Pid = element(2, L),
    true = erlang:suspend_process(Pid),
    ok = sctpd:send(S, A, 0, Data),
    timer:sleep(100),
    exit(Waiter, kill),
    timer:sleep(10),
    true = erlang:resume_process(Pid).

%% Its association comes up, and the socket's owner is told, in either mode. For
%% a network on which that takes a while.
connecting_caller_is_killed() ->
    [begin
         {ok, L} = sctpd:open([{ip, ?LO}]),
         ok = sctpd:listen(L, true),
         {ok, Port} = sctpd:port(L),
         {ok, S} = sctpd:open([{ip, ?LO}, {active, Active}]),
         Caller = spawn(fun() -> sctpd:connect(S, ?LO, Port, []) end),
         begun(S),
         exit(Caller, kill),
         #sctp_assoc_change{state = comm_up, assoc_id = A} = told(S, Port, Active),
         #sctp_assoc_change{state = comm_up} = data(L),
         ok = sctpd:send(S, A, 0, <<"x">>),
         <<"x">> = data(L),
         close([S, L])
     end || Active <- [true, false]],
    io:format("done~n").

begun(S) ->
    {ok, #{<<"assocs">> := Assocs}} = sctpd_socket:request(S, assocs, #{}),
    case [A || #{<<"state">> := <<"coming_up">>} = A <- Assocs] of
        [] -> begun(S);
        [_] -> ok
    end.

told(S, Port, true) ->
    receive {sctp, S, ?LO, Port, {[], Change}} -> Change after 5000 -> error(not_told) end;
told(S, Port, false) ->
    {ok, {?LO, Port, [], Change}} = sctpd:recv(S, 5000),
    Change.

stash_counts_as_active() ->
    {L, _, S, A} = pair(),
    Two = fun() -> stash(L, S, A, <<"one">>), ok = sctpd:send(S, A, 0, <<"two">>) end,
    Got = fun() -> receive {sctp, L, _, _, {_, Data}} -> Data after 1000 -> nothing end end,
    Two(),
    ok = sctpd:setopts(L, [{active, once}]),
    <<"one">> = Got(),
    <<"two">> = data(L),
    Two(),
    ok = sctpd:setopts(L, [{active, 1}]),
    <<"one">> = Got(),
    receive {sctp_passive, L} -> ok after 1000 -> error(still_active) end,
    <<"two">> = data(L),
    Two(),
    ok = sctpd:setopts(L, [{active, true}]),
    [<<"one">>, <<"two">>] = [Got(), Got()],
    close([L, S]).

owner_exits() ->
    {L, _, S, A} = pair(),
    Owner = spawn(fun() -> receive go -> ok end end),
    ok = sctpd:controlling_process(S, Owner),
    ok = sctpd:send(S, A, 0, <<"the last">>),
    Waiter = waiter(S),
    Owner ! go,
    {error, closed} = result(Waiter),
    <<"the last">> = data(L),
    #sctp_shutdown_event{} = data(L),
    #sctp_assoc_change{state = shutdown_comp} = data(L),
    {error, closed} = sctpd:send(S, A, 0, <<"x">>),
    ok = sctpd:close(S),
    close([L]).

open_and_die() ->
    {Pid, Mon} = spawn_monitor(fun() -> {ok, _} = sctpd:open(), {ok, _} = sctpd:open() end),
    receive {'DOWN', Mon, process, Pid, normal} -> ok end.

foreign_close() ->
    {L, _, S, _} = pair(),
    Me = self(),
    spawn(fun() -> Me ! {closed, sctpd:close(S)} end),
    receive {closed, ok} -> ok end,
    {error, closed} = sctpd:recv(S, 0),
    close([L]).

trapping_owner() ->
    process_flag(trap_exit, true),
    {ok, S} = sctpd:open(),
    ok = sctpd:close(S),
    timer:sleep(20),
    process_flag(trap_exit, false).

large_message() ->
    {L, _, S, A} = pair(),
    Large = binary:copy(<<"0123456789abcdef">>, 65536),
    ok = sctpd:send(S, A, 0, Large),
    Large = data(L),
    ok = sctpd:setopts(L, [{active, true}]),
    ok = sctpd:send(S, A, 1, Large),
    receive {sctp, L, _, _, {[#sctp_sndrcvinfo{stream = 1}], Large}} -> ok end,
    ok = sctpd:setopts(L, [{active, false}, {mode, list}]),
    ok = sctpd:send(S, A, 1, binary:part(Large, 0, 3)),
    "012" = data(L),
    close([L, S]).

%% Each one's messages come in its order.
many_senders() ->
    {L, _, S, A} = pair(),
    [spawn(fun() -> [ok = sctpd:send(S, A, N, <<I:32>>) || I <- lists:seq(1, 50)] end)
     || N <- lists:seq(0, 9)],
    Got = [begin {ok, {_, _, [Info], <<I:32>>}} = sctpd:recv(L, 5000),
                 {Info#sctp_sndrcvinfo.stream, I} end || _ <- lists:seq(1, 500)],
    Sent = lists:seq(1, 50),
    [Sent = [I || {M, I} <- Got, M =:= N] || N <- lists:seq(0, 9)],
    close([L, S]).

%% What waits comes before the answer to the request that lets it come.
bursts() ->
    {L, _, S, A} = pair(),
    Send = fun(Ns) -> [ok = sctpd:send(S, A, 0, <<N>>) || N <- Ns], timer:sleep(50) end,
    [begin
         Waiter = waiter(L),
         Send([N]),
         {ok, {_, _, _, <<N>>}} = result(Waiter),
         Send(lists:seq(1, 3 * N)),
         [<<I>> = data(L) || I <- lists:seq(1, 3 * N)]
     end || N <- lists:seq(1, 8)],
    [begin
         Send(lists:seq(1, N)),
         [begin
              ok = sctpd:setopts(L, [{active, once}]),
              receive {sctp, L, _, _, {_, <<I>>}} -> ok after 5000 -> error({nothing_came, I}) end
          end || I <- lists:seq(1, N)]
     end || N <- lists:seq(1, 20)],
    ok = sctpd:setopts(L, [{active, 50}]),
    Send(lists:seq(1, 40)),
    [receive {sctp, L, _, _, {_, <<I>>}} -> ok after 5000 -> error({nothing_came, I}) end || I <- lists:seq(1, 40)],
    close([L, S]).

throughput() ->
    {L, _, S, A} = pair(),
    ok = sctpd:setopts(L, [{active, true}]),
    Count = 4000,
    Data = binary:copy(<<"x">>, 100),
    Start = erlang:monotonic_time(microsecond),
    [spawn(fun() -> [ok = sctpd:send(S, A, 0, Data) || _ <- lists:seq(1, Count div 4)] end)
     || _ <- lists:seq(1, 4)],
    [receive {sctp, L, _, _, {_, Data}} -> ok end || _ <- lists:seq(1, Count)],
    Micros = erlang:monotonic_time(microsecond) - Start,
    io:format("~w messages of 100 bytes a second~n", [Count * 1000000 div Micros]),
    close([L, S]).

abort_with_a_reason() ->
    {L, _, S, A} = pair(),
    ok = sctpd:abort(S, #sctp_assoc_change{assoc_id = A}, "because"),
    {ok, {?LO, _, [{info, Causes}], #sctp_assoc_change{state = comm_lost, error = 12}}} =
        sctpd:recv(L, 5000),
    {_, _} = binary:match(Causes, <<"because">>),
    "User Initiated Abort" = sctpd:error_string(12),
    close([L, S]).

%% The peer does not read; what waits for it is given back.
send_failed() ->
    {L, B, S, A} = pair([{recbuf, 4096}]),
    Data = binary:copy(<<"x">>, 10000),
    [ok = sctpd:send(S, #sctp_sndrcvinfo{assoc_id = A, context = N, ppid = 7}, Data)
     || N <- lists:seq(1, 20)],
    ok = sctpd:abort(L, #sctp_assoc_change{assoc_id = B}),
    {ok, {_, Port, [], #sctp_assoc_change{state = comm_lost, error = 12}}} = sctpd:recv(S, 5000),
    {error, {?LO, Port, [], #sctp_send_failed{error = 12, assoc_id = A, data = Data, info = I}}} =
        sctpd:recv(S, 5000),
    #sctp_sndrcvinfo{ppid = 7, assoc_id = A, flags = [], context = N1} = I,
    ok = sctpd:setopts(S, [{active, once}]),
    receive
        {sctp_error, S, ?LO, Port, {[], #sctp_send_failed{info = #sctp_sndrcvinfo{context = N2}}}}
          when N2 =:= N1 + 1 -> ok
    end,
    close([L, S]).

accepts() ->
    {ok, L} = sctpd:open([{ip, ?LO}, {type, stream}]),
    ok = sctpd:listen(L, 5),
    {ok, Port} = sctpd:port(L),
    {error, timeout} = sctpd:accept(L, 0),
    {ok, S} = sctpd:open([{ip, ?LO}, {type, stream}]),
    {ok, _} = sctpd:connect(S, ?LO, Port, []),
    {ok, A} = sctpd:accept(L, 5000),
    #sctp_assoc_change{state = comm_up} = data(A),
    ok = sctpd:send(S, 0, 0, <<"to the accepted">>),
    <<"to the accepted">> = data(A),
    ok = sctpd:close(S),
    #sctp_shutdown_event{} = data(A),
    #sctp_assoc_change{state = shutdown_comp} = data(A),
    {error, closed} = sctpd:recv(A, 1000),
    close([A, L]).

accepts_actively() ->
    {ok, L} = sctpd:open([{ip, ?LO}, {type, stream}, {active, true}, {show_closed, true}]),
    ok = sctpd:listen(L, true),
    {ok, Port} = sctpd:port(L),
    {ok, S} = sctpd:open([{ip, ?LO}, {type, stream}]),
    {ok, _} = sctpd:connect(S, ?LO, Port, []),
    {ok, Mine} = sctpd:port(S),
    A = receive {sctp, L, ?LO, Mine, {[], {accept, New, _}}} -> New end,
    ok = sctpd:setopts(A, [{active, true}]),
    receive {sctp, A, ?LO, Mine, {[], #sctp_assoc_change{state = comm_up}}} -> ok end,
    ok = sctpd:send(S, 0, 0, <<"hello">>),
    receive {sctp, A, ?LO, Mine, {[_], <<"hello">>}} -> ok end,
    ok = sctpd:close(S),
    receive {sctp, A, _, _, {[], #sctp_shutdown_event{}}} -> ok end,
    receive {sctp, A, _, _, {[], #sctp_assoc_change{state = shutdown_comp}}} -> ok end,
    receive {sctp_closed, A} -> ok end,
    close([A, L]).

%% Options and events of the daemon's that gen_sctp has no record for.
more_than_gen_sctp() ->
    {L, _, S, A} = pair(),
    ok = sctpd:setopts(S, [{sctp_context, #{assoc_id => A, assoc_value => 5}},
                           {sctp_events, #{sender_dry_event => true}}, {reuseport, true}]),
    {ok, [{sctp_context, #{assoc_value := 5}}, {reuseport, true}]} =
        sctpd:getopts(S, [{sctp_context, #{assoc_id => A}}, reuseport]),
    ok = sctpd:send(S, A, 0, <<"x">>),
    {sctp_sender_dry_event, #{assoc_id := A}} = data(S),
    close([L, S]).

any_method() ->
    Opts = [{sctp_reconfig_supported, #{assoc_value => 1}},
            {sctp_enable_stream_reset, #{assoc_value => [reset_streams]}}],
    {ok, L} = sctpd:open([{ip, ?LO} | Opts]),
    ok = sctpd:listen(L, true),
    {ok, S} = sctpd:open([{ip, ?LO}, {sctp_events, #{stream_reset_event => true}} | Opts]),
    {ok, Port} = sctpd:port(L),
    {ok, #sctp_assoc_change{assoc_id = A}} = sctpd:connect(S, ?LO, Port, []),
    {ok, #{paths := [#{assoc_id := A, state := <<"active">>, primary := true}], more := false}} =
        sctpd:call(S, paths, #{assoc_id => A}),
    {ok, #{told := 0}} = sctpd:call(S, bindx_add, #{addrs => [{127, 0, 0, 8}]}),
    {ok, [_, _]} = sctpd:socknames(S),
    {ok, #{}} = sctpd:call(S, reset_streams, #{assoc_id => A, flags => [outgoing], streams => [1]}),
    {sctp_stream_reset_event, #{streams := [1], flags := [<<"outgoing">>]}} = data(S),
    {error, enosys} = sctpd:call(S, no_such_method, #{}),
    {error, einval} = sctpd:call(S, paths, #{assoc => A}),
    {'EXIT', {badarg, _}} = catch sctpd:call(S, close, #{}),
    close([L, S]).

hand_over_moves_errors() ->
    {ok, S} = sctpd:open([{active, 0}]),
    Me = self(),
    Heir = spawn(fun() -> receive M -> Me ! {self(), M} end, receive stop -> ok end end),
    timer:sleep(20),
    ok = sctpd:controlling_process(S, Heir),
    {sctp_passive, S} = result(Heir),
    {error, not_owner} = sctpd:controlling_process(S, Me),
    close([S]),
    Heir ! stop.

connect_timeout() ->
    {ok, S} = sctpd:open(),
    {error, timeout} = sctpd:connect(S, "localhost", 9, [], 0),
    {error, timeout} = sctpd:recv(S, 200),
    close([S]).

info_and_monitor() ->
    {ok, S} = sctpd:open([{active, once}, list]),
    Me = self(),
    #{owner := Me, active := once, mode := list, connection := up, handle := Handle} = sctpd:info(S),
    true = is_integer(Handle),
    true = sctpd:cancel_monitor(sctpd:monitor(S)),
    Mon = sctpd:monitor(S),
    ok = sctpd:close(S),
    receive {'DOWN', Mon, process, _, _} -> ok end,
    {error, closed} = sctpd:info(S).

%% Twice: code that was old is gone then, and who still ran it with it.
loaded_anew() ->
    {L, _, First, A1} = pair(),
    ok = sctpd:setopts(L, [{active, true}]),
    {ok, Port} = sctpd:port(L),
    Socks = [{First, A1} | [begin
        {ok, S} = sctpd:open([{ip, ?LO}]),
        {ok, #sctp_assoc_change{assoc_id = A}} = sctpd:connect(S, ?LO, Port, []),
        {S, A}
    end || _ <- lists:seq(1, 49)]],
    [receive {sctp, L, _, _, {_, #sctp_assoc_change{state = comm_up}}} -> ok end || _ <- tl(Socks)],
    Modules = [sctpd, sctpd_app, sctpd_conn, sctpd_conns, sctpd_data, sctpd_member, sctpd_msgpack,
               sctpd_pool, sctpd_socket, sctpd_term, sctpd_window, sctpd_worker],
    Waiter = waiter(First),
    [begin
         [begin _ = code:purge(M), {module, M} = code:load_file(M) end || M <- Modules],
         [ok = sctpd:send(S, A, 0, <<N>>) || {S, A} <- Socks],
         Back = [receive {sctp, L, _, _, {[#sctp_sndrcvinfo{assoc_id = B}], <<N>>}} -> B end || _ <- Socks],
         [ok = sctpd:send(L, B, 0, <<N>>) || B <- Back],
         [<<N>> = data(S) || {S, _} <- tl(Socks)]
     end || N <- [1, 2, 3]],
    {ok, {_, _, _, <<1>>}} = result(Waiter),
    [<<2>>, <<3>>] = [data(First), data(First)],
    close([L | [S || {S, _} <- Socks]]).

%% ---- what send waits for ----------------------------------------------------------

%% Nothing answers while the connection's process stands still.
standing_still(S, Do) ->
    true = erlang:suspend_process(element(3, S)),
    Result = Do(),
    true = erlang:resume_process(element(3, S)),
    Result.

sender(S, A, Ns) ->
    Me = self(),
    spawn(fun() -> [begin ok = sctpd:send(S, A, 0, <<N:32>>), Me ! {sent, N} end || N <- Ns] end).

sends_without_waiting() ->
    {L, _, S, A} = pair(),
    ok = sctpd:send(S, A, 1, <<"long enough">>),
    <<"long enough">> = data(L),
    standing_still(S, fun() ->
        [ok = sctpd:send(S, A, N rem 2, <<N:32>>) || N <- lists:seq(1, 20)],
        [ok = sctpd:send(S, #sctp_sndrcvinfo{assoc_id = A, ppid = N}, [<<N:16>>, "xx"]) || N <- [21, 22]]
    end),
    [<<N:32>> = data(L) || N <- lists:seq(1, 20)],
    [{ok, {_, _, [#sctp_sndrcvinfo{ppid = N}], <<N:16, "xx">>}} = sctpd:recv(L, 5000) || N <- [21, 22]],
    close([L, S]).

%% A sender waits for its place, and an option and another association do not.
a_full_window() ->
    {L, _, S, A} = pair(),
    {L2, _, S2, A2} = pair(),
    [ok = sctpd:send(X, I, 0, <<0:32>>) || {X, I} <- [{S, A}, {S2, A2}]],
    [<<0:32>> = data(X) || X <- [L, L2]],
    Sent = standing_still(S, fun() ->
        _ = sender(S, A, lists:seq(1, 2000)),
        N = count_sent(0),
        standing_still_too(S2, S, fun() -> ok = sctpd:send(S2, A2, 0, <<"on">>) end),
        N
    end),
    true = Sent > 50 andalso Sent < 1000,
    [<<N:32>> = data(L) || N <- lists:seq(1, 2000)],
    2000 = Sent + count_sent(0),
    <<"on">> = data(L2),
    close([L, S, L2, S2]).

standing_still_too(S, Same, Do) when element(3, S) =:= element(3, Same) -> Do();
standing_still_too(S, _, Do) -> standing_still(S, Do).

%% Until the sender sends no more.
count_sent(N) ->
    receive {sent, _} -> count_sent(N + 1) after 500 -> N end.

no_window() ->
    {L, _, S, A} = pair(),
    ok = sctpd:setopts(S, [{send_window, 0}]),
    {ok, [{send_window, 0}]} = sctpd:getopts(S, [send_window]),
    ok = sctpd:send(S, A, 0, <<0:32>>),
    0 = standing_still(S, fun() -> _ = sender(S, A, [1]), count_sent(0) end),
    1 = count_sent(0),
    ok = sctpd:setopts(S, [{send_window, auto}]),
    ok = sctpd:send(S, A, 0, <<2:32>>),
    1 = standing_still(S, fun() -> _ = sender(S, A, [3]), count_sent(0) end),
    [<<N:32>> = data(L) || N <- [0, 1, 2, 3]],
    {error, einval} = sctpd:setopts(S, [{send_window, -1}]),
    close([L, S]).

options_of_one_send() ->
    {ok, S} = sctpd:open([{send_timeout, 100}]),
    {ok, [{send_window, 0}]} = sctpd:getopts(S, [send_window]),
    {ok, T} = sctpd:open(),
    {ok, [{send_window, auto}]} = sctpd:getopts(T, [send_window]),
    ok = sctpd:setopts(T, [{non_block_send, true}]),
    {ok, [{send_window, 0}]} = sctpd:getopts(T, [send_window]),
    close([S, T]).

%% Of an association that is none: all come back, once and in order, with the reason.
what_was_refused_comes_back() ->
    {L, _, S, A} = pair(),
    ok = sctpd:setopts(S, [{active, true}]),
    Gone = A + 100000,
    Sock = element(4, S),
    [element(3, S) ! {'$send', {Sock, Gone}, 4, sctpd_data:send(Sock, Gone, 0, <<N:32>>)} || N <- lists:seq(1, 300)],
    [receive
         {sctp_error, S, _, _, {Anc, #sctp_send_failed{assoc_id = Gone, data = <<N:32>>, info = Info}}} ->
             #sctp_sndrcvinfo{assoc_id = Gone} = Info,
             <<"epipe: assoc_id", _/binary>> = proplists:get_value(reason, Anc)
     after 5000 -> error({not_back, N})
     end || N <- lists:seq(1, 300)],
    ok = sctpd:send(S, A, 0, <<"on">>),
    <<"on">> = data(L),
    close([S, L]).

the_next_send_has_the_error() ->
    {L, B, S, A} = pair(),
    [begin ok = sctpd:send(S, A, 0, <<"before">>), <<"before">> = data(L) end || _ <- [1, 2]],
    ok = sctpd:abort(L, #sctp_assoc_change{assoc_id = B}),
    {ok, {_, _, _, #sctp_assoc_change{state = comm_lost}}} = sctpd:recv(S, 5000),
    {error, epipe} = sctpd:send(S, A, 0, <<"after">>),
    {error, {type, _}} = sctpd:send(S, #sctp_sndrcvinfo{assoc_id = A, stream = 65536}, <<"x">>),
    close([S, L]).

%% What was sent is written when the program ends in order.
sends_and_stops(Port) ->
    {ok, S} = sctpd:open([{ip, ?LO}]),
    {ok, #sctp_assoc_change{assoc_id = A}} = sctpd:connect(S, ?LO, Port, []),
    [ok = sctpd:send(S, A, 0, <<N:32>>) || N <- lists:seq(1, 100)],
    init:stop(),
    receive after infinity -> ok end.

%% ---- the daemon is killed -----------------------------------------------------------

daemon_dies() ->
    {L, B, S, _} = pair(),
    Waiter = waiter(L),
    ok = sctpd:setopts(S, [{active, true}]),
    io:format("ready~n"),
    {error, closed} = result(Waiter),
    [receive {sctp_closed, X} -> ok end || X <- [S, L]],    % a passive one, too
    {error, closed} = sctpd:send(L, B, 0, <<"x">>),
    {error, closed} = sctpd:recv(L, 0),
    {error, closed} = sctpd:getopts(L, [active]),
    {error, closed} = sctpd:connect(L, ?LO, 7, []),
    {error, closed} = sctpd:peeloff(L, B),
    {error, closed} = sctpd:controlling_process(L, Waiter),
    gone(sctpd:open()),
    close([L, S]),
    io:format("done~n").

%% Its connections may be closed a moment before the socket that it listens on.
gone({error, econnrefused}) -> ok;
gone({error, closed}) -> gone(sctpd:open()).
