%% SPDX-License-Identifier: BSD-2-Clause
%%
%% A socket's process: it knows the owner, the mode, and what came and was not
%% taken yet. It ends with the owner, or with the connection (sctpd_conn.erl),
%% and then the daemon closes the socket.
%%
%% Whoever sends, sets or reads options asks the connection itself (request/3).
%% The process is asked for what changes who gets what comes: recv, accept,
%% connect, close, the option active, and another owner.
%%
%% To the daemon a socket is active for as many events as somebody waits for
%% here, and some more if they are taken as fast as they come (grow). What came
%% and has no taker waits in stash; so a recv may end with its caller, and
%% nothing is swallowed. The modes that a program sees are this module's, with
%% gen_sctp's arithmetic. Only with {active, true} the daemon knows no limit, as
%% long as the owner takes what it is sent (looked).
%%
%% The first recv asks the daemon whether something waits (poll), so that one
%% with a timeout of 0 finds it, and errors are the daemon's.
-module(sctpd_socket).

-behaviour(gen_server).

-export([start/5, adopt/3, request/3, request/4, asks/3, recv/2, accept/2, connect/2, close/1, info/1,
         set_local/2, give/2, given/1]).
-export([start_link/1, init/1, handle_call/3, handle_cast/2, handle_info/2, terminate/2,
         code_change/3]).

-include("sctpd.hrl").

-define(HEAP, 610).             % words: some messages are handled between two collections
-define(ACTIVE_MAX, 32767).
-define(GROW_MAX, 64).          % events that may come before they are asked for
-define(COUNT_MAX, 1024).       % the same where the program said how many it takes
-define(LOOK, 256).             % messages after which to look at how many the owner has
-define(OWNER_MOST, 4096).      % and how many those may be,
-define(LOOK_TIME, 10).         % or else it is looked again so many ms later

-record(waiter, {
    what,                       % recv or accept
    alias, caller, mon,
    timer,                      % undefined: none
    once = false                % it does not wait: its timeout is 0
}).

-record(state, {
    s,                          % the socket, as programs have it
    starter,                    % who waits for it to be made, until it is
    parent,                     % the process, and the association, that it is peeled off
    owner, mon, conn_mon,
    local = #{},                % options that the daemon does not know
    active = false,             % as the program sees it
    all = false,                % the daemon knows no limit
    told = 0, full = false,     % messages since the owner was looked at; has it too many?
    credit = 0,                 % events that the daemon may send
    asked = 0,                  % and those that it was not yet told that it may
    anews = 0,                  % how often it was told to begin anew, and has not answered
    grow = 1,
    polls = false,              % it was asked whether something waits
    waiter,                     % undefined or the #waiter{}
    stash = queue:new(),        % what came: events, {accept, _, _, _} or closed
    closing = false,
    heir,                       % to whom it is being given, and meanwhile
    held = []                   % messages, the last first
}).

%% ---- for callers -------------------------------------------------------------

%% Make a socket of the caller's by open, peeloff or accept: {ok, S}. From is the
%% path of the daemon, or the socket that it comes of.
start(From, Method, Args, Local, Family) ->
    case connection(From) of
        {ok, {Conn, Table}} ->
            make(#{conn => Conn, table => Table, parent => From, method => Method, args => Args,
                   local => Local, family => Family});
        {error, _} = E -> E
    end.

connection(#'$sctpd'{conn = Conn, table = Table}) -> {ok, {Conn, Table}};
connection(Path) -> sctpd_conns:get(Path).

%% Take over a socket that the daemon holds, by its handle. Its family is that of its name.
adopt(Path, Sock, Local) ->
    case sctpd_conns:get(Path) of
        {ok, {Conn, Table}} ->
            case ask_conn(Conn, sockname, #{sock => Sock}) of
                {ok, #{<<"addr">> := Addr}} ->
                    make(#{conn => Conn, table => Table, parent => none, method => adopt, args => #{},
                           sock => Sock, local => Local, family => sctpd_term:family(Addr)});
                {error, _} = E -> E
            end;
        {error, _} = E -> E
    end.

ask_conn(Conn, Method, Args) ->
    Mon = monitor(process, Conn, [{alias, reply_demonitor}]),
    Conn ! {'$req', {alias, Mon}, plain, sctpd_conn:body(Method, Args)},
    wait(Mon).

make(How) ->
    Tag = make_ref(),
    {ok, Pid} = supervisor:start_child(sctpd_socket_sup, [How#{owner => self(), starter => {Tag, self()}}]),
    Mon = monitor(process, Pid),
    receive
        {Tag, Answer} -> demonitor(Mon, [flush]), Answer;
        {'DOWN', Mon, process, Pid, _} -> {error, closed}
    end.

%% Ask the daemon: {ok, Map} or {error, Text}; {error, closed} without a socket.
request(S, Method, Args) -> request(S, plain, Method, Args).

request(S, Kind, Method, Args) -> asks(S, Kind, sctpd_conn:body(Method, Args)).

asks(#'$sctpd'{pid = Pid, conn = Conn}, Kind, Body) ->
    Mon = monitor(process, Pid, [{alias, reply_demonitor}]),
    Conn ! {'$req', {alias, Mon}, Kind, Body},
    wait(Mon).

recv(S, Timeout) -> call(S, {recv, self(), Timeout}).
accept(S, Timeout) -> call(S, {accept, self(), Timeout}).
connect(S, Args) -> call(S, {connect, self(), Args}).

close(S) ->
    case call(S, close) of
        {error, closed} -> ok;
        Answer -> Answer
    end.

%% The options that are kept here.
info(S) -> call(S, info).

set_local(_, Options) when map_size(Options) =:= 0 -> ok;
set_local(S, Options) -> call(S, {set_local, Options}).

%% Give the socket to Pid: {ok, begun}, and given/1 when the messages that the
%% caller has were moved; {ok, same} if there is nothing to do.
give(S, Pid) -> call(S, {give, self(), Pid}).
given(S) -> call(S, given).

call(#'$sctpd'{pid = Pid}, What) ->
    Mon = monitor(process, Pid, [{alias, reply_demonitor}]),
    Pid ! {What, Mon},
    wait(Mon).

wait(Mon) ->
    receive
        {Mon, Answer} -> Answer;
        {'DOWN', Mon, process, _, _} -> {error, closed}
    end.

%% ---- the process -------------------------------------------------------------

start_link(How) -> gen_server:start_link(?MODULE, How, [{spawn_opt, [{min_heap_size, ?HEAP}]}]).

init(#{conn := Conn, table := Table, owner := Owner, family := Family, local := Local} = How) ->
    process_flag(message_queue_data, off_heap),
    S = #'$sctpd'{pid = self(), conn = Conn, sock = maps:get(sock, How, undefined), family = Family,
                  table = Table},
    St = #state{s = S, owner = Owner, mon = monitor(process, Owner),
                conn_mon = monitor(process, Conn), starter = maps:get(starter, How, undefined),
                parent = parent(How),
                local = maps:merge(#{mode => binary, send_window => auto}, maps:remove(active, Local)),
                active = active_at_first(How)},
    _ = case How of
        #{method := adopt} -> begin_adopt(St);
        #{sock := Sock} ->
            limit_window(S, Local),
            sctpd_owners:own(S, Owner),
            Conn ! {route, Sock, self()};
        #{method := Method, args := Args} ->
            Conn ! {'$req', {pid, self(), setup}, {setup, self()}, sctpd_conn:body(Method, Args)}
    end,
    {ok, St}.

%% What comes before the answer to adopt waits for it.
active_at_first(#{method := adopt}) -> false;
active_at_first(#{local := Local}) -> maps:get(active, Local, false).

handle_call(_, _, St) -> {reply, {error, badarg}, St}.

handle_cast(_, St) -> {noreply, St}.

handle_info({data, What}, St) ->
    {noreply, came(What, counted(St))};
handle_info({event, <<"sctp_send_failed">> = Event, #{<<"reason">> := _} = Fields}, St) ->
    {noreply, happened(Event, Fields, St)};     % by the daemon, and it does not count
handle_info({event, Event, Fields}, St) ->
    {noreply, happened(Event, Fields, counted(St))};
handle_info({'DOWN', Mon, process, _, _}, #state{mon = Mon, parent = {adopting, _}} = St) ->
    {noreply, St};              % it is not known yet whether there is anything to close
handle_info({'DOWN', Mon, process, _, _}, #state{mon = Mon} = St) ->
    {stop, normal, St};
handle_info({'DOWN', Mon, process, _, Why}, #state{conn_mon = Mon} = St) ->
    _ = ended(Why, St),
    {stop, normal, St};
handle_info({answer, setup, Answer}, St) ->
    set_up(Answer, St);
handle_info({answer, adopted, Answer}, St) ->
    adopted(Answer, St);
handle_info({refused, Text}, #state{starter = Starter} = St) ->
    answer(Starter, {error, Text}),
    {stop, normal, St};
handle_info({answer, {close, Alias}, Answer}, St) ->
    closed(Alias, Answer, St);
handle_info({'DOWN', Mon, process, _, _}, #state{waiter = #waiter{mon = Mon}} = St) ->
    {noreply, St#state{waiter = undefined}};
handle_info(Message, St) ->
    {noreply, handle(Message, St)}.

terminate(normal, #state{s = S}) -> sctpd_owners:forget(S);
terminate(_, _) -> ok.

code_change(_, St, _) -> {ok, St}.

handle({{What, Caller, Timeout}, Alias}, St) when What =:= recv; What =:= accept ->
    wait_for(What, Caller, Timeout, Alias, without_the_dead(St));
handle({{connect, Caller, Args}, Alias}, St) ->
    ask({connect, Alias, Caller, peer(Args)}, plain, connect, Args, St);
handle({close, Alias}, #state{s = #'$sctpd'{sock = Sock}} = St) ->
    ask({close, Alias}, {close, Sock}, close, #{}, St#state{closing = true});
handle({info, Alias}, #state{local = Local, active = Active, owner = Owner} = St) ->
    answer(Alias, {ok, Local#{active => Active, owner => Owner}}),
    St;
handle({{set_local, Options}, Alias}, St) ->
    {Answer, St1} = set(Options, St),
    answer(Alias, Answer),
    St1;
handle({{give, Caller, Pid}, Alias}, St) ->
    {Answer, St1} = begin_give(Caller, Pid, St),
    answer(Alias, Answer),
    St1;
handle({given, Alias}, St) ->
    answer(Alias, ok),
    end_give(St);
handle({take, Ref, Pid, Id}, St) ->
    {Taken, Left} = lists:partition(fun(E) -> is_of(Id, E) end, queue:to_list(St#state.stash)),
    Pid ! {Ref, Taken},
    St#state{stash = queue:from_list(Left)};
handle({answer, {connect, Alias, Caller, Peer}, Answer}, St) ->
    connected(Alias, Caller, Peer, Answer, St);
handle({answer, {poll, What}, Answer}, St) ->
    polled(What, Answer, St#state{polls = false});
handle({answer, {credit, N}, Answer}, St) ->
    granted(N, Answer, St);
handle(look, St) ->
    look_again(looked(St));
handle({timeout, T, waiter}, #state{waiter = #waiter{timer = T}} = St) ->
    time_out(St);
handle(_, St) ->
    St.

%% The process itself asks something.
ask(Tag, Kind, Method, Args, #state{s = #'$sctpd'{conn = Conn, sock = Sock}} = St) ->
    Conn ! {'$req', {pid, self(), Tag}, Kind, sctpd_conn:body(Method, Args#{sock => Sock})},
    St.

answer({Tag, To}, Answer) -> To ! {Tag, Answer}, ok;
answer(Alias, Answer) -> Alias ! {Alias, Answer}, ok.

is_alive(Pid) -> node(Pid) =/= node() orelse is_process_alive(Pid).

%% ---- its beginning and its end ---------------------------------------------------

%% The daemon sends at once what its last owner was to have. That does not count, and
%% how many may come is begun anew.
set_up({ok, _}, #state{parent = {adopting, _}} = St) ->
    {noreply, active(false, adopted, St)};
set_up(Error, #state{parent = {adopting, _}, s = #'$sctpd'{conn = Conn, sock = Sock}, starter = Starter} = St) ->
    Conn ! {released, Sock},    % it is not ours to be closed
    answer(Starter, Error),
    {stop, normal, St};
set_up({ok, Result}, #state{s = S, owner = Owner, starter = Starter, active = Active, local = Local} = St) ->
    Sock = case Result of #{<<"accepted">> := A} -> A; #{<<"sock">> := A} -> A end,
    New = S#'$sctpd'{sock = Sock},
    limit_window(New, Local),
    sctpd_owners:own(New, Owner),
    St1 = taken_along(St#state{s = New, starter = undefined, active = false}),
    answer(Starter, {ok, New}),
    {_, St2} = set(#{active => Active}, St1),
    {noreply, St2};
set_up(Error, #state{starter = Starter} = St) ->
    answer(Starter, Error),
    {stop, normal, St}.

%% The daemon knows connections, and several sockets of a node have one.
begin_adopt(#state{s = #'$sctpd'{conn = Conn, sock = Sock} = S, owner = Owner} = St) ->
    case sctpd_owners:claim(S, Owner) of
        true ->
            Conn ! {route, Sock, self()},
            ask(setup, plain, adopt, #{}, St);
        false ->
            self() ! {refused, <<"not_owner: a process of this node has the socket; it can give it away with controlling_process">>},
            St
    end.

adopted({ok, _}, #state{parent = {adopting, Local}, s = S, owner = Owner, starter = Starter} = St) ->
    limit_window(S, Local),
    answer(Starter, {ok, S}),
    {_, St1} = set(#{active => maps:get(active, Local, false)}, St#state{starter = undefined, parent = undefined}),
    case is_alive(Owner) of
        true -> {noreply, St1};
        false -> {stop, normal, St1}
    end;
adopted(Error, #state{starter = Starter} = St) ->
    answer(Starter, Error),
    {stop, normal, St}.

%% What the parent has of an association that is peeled off comes first.
taken_along(#state{parent = {Parent, Id}} = St) when is_pid(Parent) ->
    Mon = monitor(process, Parent),
    Parent ! {take, Mon, self(), Id},
    receive
        {Mon, Events} ->
            demonitor(Mon, [flush]),
            St#state{stash = queue:from_list(Events), parent = undefined};
        {'DOWN', Mon, process, _, _} ->
            St#state{parent = undefined}
    end;
taken_along(St) ->
    St.

parent(#{method := adopt, local := Local}) -> {adopting, Local};
parent(#{parent := #'$sctpd'{pid = Parent}, args := #{assoc_id := Id}}) -> {Parent, Id};
parent(_) -> undefined.

is_of(Id, {_, _, Anc, Data}) -> lists:member(Id, [sctpd_term:assoc_of(X) || X <- [Data | Anc]]);
is_of(_, _) -> false.

%% The daemon is gone. Those who wait for answers see the process end.
ended({shutdown, Why}, #state{starter = Starter}) when Starter =/= undefined ->
    answer(Starter, {error, sctpd_conn:reason(Why)});
ended(_, #state{starter = Starter}) when Starter =/= undefined ->
    answer(Starter, {error, closed});
ended(_, #state{s = S} = St) -> deliver({sctp_closed, S}, St).

closed(Alias, {error, <<"closed", _/binary>>}, St) -> closed(Alias, {ok, #{}}, St);
closed(Alias, {ok, _}, St) ->
    answer(Alias, ok),
    {stop, normal, St};
closed(Alias, Error, St) ->
    answer(Alias, Error),
    {noreply, St#state{closing = false}}.

%% ---- what comes ----------------------------------------------------------------

%% What waited in the daemon comes before the answer to the request for it, and
%% the credit is below 0 until then.
counted(#state{anews = Anews} = St) when Anews > 0 -> St;
counted(#state{credit = N, asked = Asked} = St) when N > 0; Asked > 0 -> St#state{credit = N - 1};
counted(St) -> St.

happened(<<"sctp_passive">>, _, #state{anews = Anews} = St) when Anews > 0 ->
    St;
happened(<<"sctp_passive">>, _, #state{asked = 0} = St) ->
    more(St#state{credit = 0});
happened(<<"sctp_passive">>, _, #state{credit = N} = St) ->
    more(St#state{credit = N + 1});     % it is no event that counts
happened(<<"sctp_closed">>, _, #state{closing = true} = St) ->
    St;
happened(<<"sctp_closed">>, #{<<"reason">> := <<"the association is over">>}, #state{local = Local} = St)
  when not is_map_key(show_closed, Local); map_get(show_closed, Local) =:= false ->
    came(over, St);
happened(<<"sctp_closed">>, _, St) ->
    came(closed, St);
happened(<<"owner">>, _, St) ->
    St;
happened(<<"accept">>, #{<<"accepted">> := Sock} = Fields, St) ->
    {event, Name, Anc, {accept, #{assoc_id := Id}}} =
        sctpd_term:event(Fields#{<<"event">> => <<"accept">>}),
    came({accept, Sock, Name, {Anc, Id}}, St);
happened(Event, Fields, St) ->
    came(sctpd_term:event(Fields#{<<"event">> => Event}), St).

%% It is the owner's, or the waiter's, or waits.
came(What, #state{stash = Stash} = St) ->
    more(take(St#state{stash = queue:in(What, Stash)})).

take(#state{active = false, waiter = undefined} = St) ->
    St;
take(#state{active = Active, stash = Stash} = St) when Active =/= false ->
    case queue:out(Stash) of
        {{value, over}, _} -> St;
        {{value, What}, Left} -> take(spent(given_to_owner(What, St#state{stash = Left})));
        {empty, _} -> St
    end;
take(#state{waiter = #waiter{what = recv} = W, stash = Stash} = St) ->
    case {queue:out(Stash), is_alive(W#waiter.caller)} of
        {_, false} -> end_wait(St);
        {{empty, _}, _} -> St;
        {{{value, End}, _}, _} when End =:= closed; End =:= over -> answered({error, closed}, St);
        {{{value, {accept, _, _, _}}, _}, _} -> St;
        {{{value, Event}, Left}, _} -> answered({ok, with_mode(Event, St)}, St#state{stash = Left})
    end;
take(#state{waiter = #waiter{what = accept, caller = Caller}, stash = Stash} = St) ->
    Taken = [E || E <- queue:to_list(Stash), is_accept(E)],
    case {Taken, is_alive(Caller)} of
        {_, false} -> end_wait(St);
        {[], _} -> St;
        {[{accept, Sock, _, _} = E | _], _} ->
            New = socket_of(Sock, Caller, St),
            answered({ok, New}, St#state{stash = queue:filter(fun(X) -> X =/= E end, Stash)})
    end.

is_accept(E) -> is_tuple(E) andalso element(1, E) =:= accept.

socket_of(Sock, Owner, #state{s = #'$sctpd'{conn = Conn, table = Table, family = Family} = S, local = Local}) ->
    {ok, Pid} = supervisor:start_child(sctpd_socket_sup, [#{
        conn => Conn, table => Table, owner => Owner, family => Family, local => Local, sock => Sock}]),
    S#'$sctpd'{pid = Pid, sock = Sock}.

given_to_owner(closed, #state{s = S} = St) ->
    deliver({sctp_closed, S}, St);
given_to_owner({accept, Sock, {IP, Port}, {Anc, Id}}, #state{s = S, owner = Owner} = St) ->
    New = socket_of(Sock, Owner, St),
    deliver({sctp, S, IP, Port, {Anc, {accept, New, Id}}}, St);
given_to_owner({error, {IP, Port}, Anc, Record}, #state{s = S} = St) ->
    deliver({sctp_error, S, IP, Port, {Anc, Record}}, St);
given_to_owner(Event, #state{s = S} = St) ->
    {_, {IP, Port}, Anc, Data} = with_mode(Event, St),
    deliver({sctp, S, IP, Port, {Anc, Data}}, St).

with_mode({data, Name, Anc, Data}, #state{local = #{mode := list}}) ->
    {data, Name, Anc, binary_to_list(Data)};
with_mode(Event, _) ->
    Event.

deliver(Message, #state{heir = undefined, owner = Owner} = St) ->
    Owner ! Message,
    St;
deliver(Message, #state{held = Held} = St) ->
    St#state{held = [Message | Held]}.

%% ---- those that wait ------------------------------------------------------------

wait_for(_, _, _, Alias, #state{active = Active} = St) when Active =/= false ->
    answer(Alias, {error, einval}),
    St;
wait_for(_, _, _, Alias, #state{waiter = #waiter{}} = St) ->
    answer(Alias, {error, ealready}),
    St;
wait_for(What, Caller, Timeout, Alias, St) ->
    Timer = case Timeout of
        infinity -> undefined;
        _ -> erlang:start_timer(Timeout, self(), waiter)
    end,
    W = #waiter{what = What, alias = Alias, caller = Caller, mon = monitor(process, Caller),
                timer = Timer, once = Timeout =:= 0},
    case take(St#state{waiter = W}) of
        #state{waiter = undefined} = St1 -> more(St1);
        #state{credit = N, asked = 0} = St1 when N =< 0 -> poll(What, St1);
        #state{waiter = #waiter{once = true}} = St1 -> time_out(St1);
        St1 -> more(St1)
    end.

%% Does something wait in the daemon? It says so at once.
poll(_, #state{polls = true} = St) -> St;
poll(_, #state{grow = Grow, waiter = #waiter{once = false}} = St) when Grow > 1 -> more(St);
poll(recv, St) ->
    ask({poll, recv}, recv, recv, #{timeout => 0}, St#state{polls = true});
poll(accept, St) ->
    ask({poll, accept}, {accept, self()}, accept, #{timeout => 0}, St#state{polls = true}).

polled(recv, {ok, Map}, St) ->
    #{<<"event">> := Event} = Map,
    happened(Event, Map, St);
polled(accept, {ok, #{<<"accepted">> := Sock} = Map}, St) ->
    Id = maps:get(<<"assoc_id">>, Map, 0),
    Name = sctpd_term:name_in(maps:get(<<"from">>, Map, #{})),
    came({accept, Sock, Name, {[], Id}}, St);
polled(_, {error, <<"timeout", _/binary>>}, #state{waiter = #waiter{once = true}} = St) ->
    time_out(St);
polled(_, {error, <<"timeout", _/binary>>}, St) ->
    more(St);
polled(_, {error, _}, #state{waiter = undefined} = St) ->
    St;
polled(_, {error, _} = E, St) ->
    answered(E, St).

%% One whose timeout is 0 waits for the answer to its poll.
time_out(#state{waiter = #waiter{once = true}, polls = true} = St) -> St;
time_out(St) -> answered({error, timeout}, St#state{grow = 1}).

answered(Answer, #state{waiter = #waiter{alias = Alias}} = St) ->
    answer(Alias, Answer),
    end_wait(St).

end_wait(#state{waiter = #waiter{mon = Mon, timer = Timer}} = St) ->
    demonitor(Mon, [flush]),
    _ = Timer =/= undefined andalso erlang:cancel_timer(Timer),
    St#state{waiter = undefined}.

%% Who asks next may be faster than the news of a death.
without_the_dead(#state{waiter = #waiter{caller = Caller}} = St) ->
    case is_alive(Caller) of
        true -> St;
        false -> end_wait(St)
    end;
without_the_dead(St) ->
    St.

%% ---- how many may come -------------------------------------------------------------

%% Let the daemon send as many as are wanted.
more(#state{starter = Starter} = St) when Starter =/= undefined -> St;
more(#state{active = true, full = true, all = false} = St) -> St;
more(#state{active = true, full = false, all = true} = St) -> St;
more(#state{active = true, full = true} = St) -> anew(false, St);
more(#state{active = true} = St) -> anew(true, St);
more(#state{all = true} = St) -> more(anew(false, St));
more(#state{credit = Credit, asked = Asked} = St) ->
    Have = Credit + Asked,
    case wanted(St) of
        {0, St1} -> St1;
        {N, St1} when Have < N, 2 * Have =< N, N > 0 ->
            let_come(N - Have, St1);
        {_, St1} -> St1
    end.

wanted(#state{waiter = #waiter{what = recv, once = false}, polls = false} = St) -> growing(St);
wanted(#state{waiter = #waiter{what = accept, once = false}, polls = false} = St) -> {1, St};
wanted(#state{active = once} = St) -> growing(St);
wanted(#state{active = N} = St) when is_integer(N) -> {min(N, ?COUNT_MAX), St};
wanted(St) -> {0, St}.

%% Twice as many as the last time, if half of those were taken: who takes one after the
%% other does not ask for each of them.
growing(#state{credit = Credit, asked = Asked, grow = N} = St) when 2 * (Credit + Asked) =< N div 2 ->
    {N, St#state{grow = min(2 * N, ?GROW_MAX)}};
growing(St) ->
    {0, St}.

let_come(N, #state{asked = Asked} = St) ->
    active(N, {credit, N}, St#state{asked = Asked + N}).

%% All or none may come from now on. What comes before the answer was let come before that, and
%% answers to that are void.
anew(All, #state{anews = N} = St) ->
    active(All, {credit, anew}, St#state{all = All, credit = 0, asked = 0, anews = N + 1}).

active(Value, Tag, St) ->
    ask(Tag, plain, setopts, #{options => [[active, Value]]}, St).

granted(anew, _, #state{anews = N} = St) -> St#state{anews = N - 1};
granted(_, {ok, _}, #state{anews = Anews} = St) when Anews > 0 -> St;
granted(N, {ok, _}, #state{asked = Asked, credit = Credit} = St) -> St#state{asked = Asked - N, credit = Credit + N};
granted(N, {error, _} = E, #state{anews = 0, asked = Asked} = St) -> refused(E, St#state{asked = Asked - N});
granted(_, {error, _} = E, St) -> refused(E, St).

refused(_, #state{waiter = undefined} = St) -> St;
refused(E, St) -> answered(E, St).

%% ---- the mode, and other options ------------------------------------------------------

set(Options, #state{s = S, local = Local} = St) ->
    limit_window(S, Options),
    case activated(maps:get(active, Options, keep), St) of
        error -> {{error, einval}, St};
        St1 ->
            St2 = St1#state{local = maps:merge(Local, maps:remove(active, Options))},
            {ok, more(take(St2))}
    end.

limit_window(#'$sctpd'{conn = Conn, sock = Sock}, #{send_window := Size}) ->
    Conn ! {window, Sock, Size},
    ok;
limit_window(_, _) ->
    ok.

activated(keep, St) -> St;
activated(N, #state{active = Active} = St) when is_integer(N) ->
    Before = case is_integer(Active) of true -> Active; false -> 0 end,
    case N + Before of
        Sum when Sum > ?ACTIVE_MAX -> error;
        Sum when Sum > 0 -> St#state{active = Sum};
        _ -> passive(St)
    end;
activated(Value, St) -> St#state{active = Value}.

passive(#state{s = S} = St) -> deliver({sctp_passive, S}, St#state{active = false}).

spent(#state{active = once} = St) -> St#state{active = false};
spent(#state{active = 1} = St) -> passive(St);
spent(#state{active = N} = St) when is_integer(N) -> St#state{active = N - 1};
spent(#state{active = true, full = false, told = N} = St) when N >= ?LOOK -> looked(St);
spent(#state{active = true, told = N} = St) -> St#state{told = N + 1};
spent(St) -> St.

%% With {active, true} nothing says how fast the owner is, but its mailbox does. It may
%% be full of other things: so one message a look comes all the same.
looked(#state{owner = Owner, full = Full} = St) ->
    Most = case Full of true -> ?OWNER_MOST div 2; false -> ?OWNER_MOST end,
    case node(Owner) =:= node() andalso process_info(Owner, message_queue_len) of
        {message_queue_len, N} when N > Most ->
            _ = erlang:send_after(?LOOK_TIME, self(), look),
            St#state{full = true, told = 0};
        _ -> St#state{full = false, told = 0}
    end.

look_again(#state{active = true, full = true, all = false, credit = Credit, asked = Asked} = St)
  when Credit + Asked =< 0 ->
    let_come(1, St);
look_again(St) ->
    more(St).

%% ---- connect ----------------------------------------------------------------------

peer(#{addr := [{str, Addr} | _], port := Port}) ->
    #{<<"addr">> => iolist_to_binary(Addr), <<"port">> => Port}.

%% An association that comes up for a caller that is dead is its owner's to know.
connected(Alias, Caller, Peer, {ok, Change} = Answer, St) ->
    case is_alive(Caller) of
        true ->
            answer(Alias, Answer),
            counts(St);
        false ->
            Event = Change#{<<"event">> => <<"sctp_assoc_change">>, <<"from">> => Peer},
            came(sctpd_term:event(Event), counted(St))
    end;
connected(Alias, _, _, {error, <<"cant_assoc", _/binary>>} = Answer, St) ->
    answer(Alias, Answer),
    counts(St);
connected(Alias, _, _, Answer, St) ->
    answer(Alias, Answer),
    St.

%% It counts like a message, but the mode once stays armed (gen_sctp).
counts(#state{active = N} = St) when is_integer(N) -> more(spent(counted(St)));
counts(St) -> more(counted(St)).

%% ---- another owner -------------------------------------------------------------------

begin_give(_, Pid, #state{owner = Pid} = St) ->
    {{ok, same}, St};
begin_give(Caller, _, #state{owner = Owner} = St) when Caller =/= Owner ->
    {{error, not_owner}, St};
begin_give(_, Pid, St) ->
    case is_alive(Pid) of
        true -> {{ok, begun}, St#state{heir = Pid}};
        false -> {{error, badarg}, St}
    end.

end_give(#state{s = S, heir = Pid, held = Held, mon = Mon} = St) ->
    demonitor(Mon, [flush]),
    sctpd_owners:own(S, Pid),
    _ = [Pid ! M || M <- lists:reverse(Held)],
    St#state{owner = Pid, mon = monitor(process, Pid), heir = undefined, held = []}.
