%% SPDX-License-Identifier: BSD-2-Clause
%%
%% A socket's process: the one that reads its connection to the daemon.
%%
%% Whoever calls has its request written to the connection, after telling the
%% process which message id its answer will have; the process hands answers to
%% callers and events to the controlling process. It ends with that process, or
%% with the connection, and then the daemon closes the socket.
%%
%% The daemon may stop reading the connection for some seconds, when too much
%% waits for a peer that takes nothing. Then messages are unsent, and whatever
%% writes is suspended. Three rules keep that from everybody else. Nobody that
%% waits for anything writes: each request is written by a process of its own
%% (write/2). What ends something (close, eof, abort) goes over a connection of
%% its own while any request is unanswered (ask/3). What is unsent is dropped
%% when the process ends (linger, in connect/1): the daemon sees the end at
%% once, and nobody was told that it was sent.
%%
%% recv goes over a second connection, made when first needed, because the
%% daemon knows callers by their connections: when one ends while it waits,
%% closing that connection takes its recv back, and nothing is swallowed. What
%% came just then waits in stash.
-module(sctpd_socket).

-export([start/5, request/3, ask/3, recv/2, close/1, info/1, set_local/2, activate/2, give/2, given/1]).

-include("sctpd.hrl").

%% Chunks that may wait in the process until it has read them.
-define(CHUNKS, 32).
-define(FIRST_ID, 16).
-define(HELLO_ID, 0).
-define(SETUP_ID, 1).

%% How long the daemon may take to say hello to one that is in a hurry, ms.
-define(PATIENCE, 1000).

-record(reader, {tcp, buf = <<>>, calls = #{}}).
-record(state, {
    s,                          % the socket, as programs have it
    owner, mon,
    path,
    buf = <<>>,
    calls = #{},                % message id => who waits for its answer
    local,                      % options that the daemon does not know
    closing = false,            % close was asked over another connection
    active = false,             % what was set last, as far as it is not spent
    reader,                     % undefined, or the connection of recv
    stash = [],                 % what came for a recv whose caller was gone
    heir,                       % to whom it is being given, and meanwhile
    held = [],                  % messages, the last first
    accepted = #{}              % handles that become sockets => their events
}).

%% ---- for callers -------------------------------------------------------------

%% Make a socket of the caller's by open, peeloff or accept: {ok, {S, Result}}.
start(Path, Method, Args, Local, Family) ->
    Owner = self(),
    Tag = make_ref(),
    {Pid, Mon} = spawn_monitor(fun() ->
        init(Owner, {Tag, Owner}, Path, {Method, Args}, Local, Family)
    end),
    receive
        {Tag, Answer} -> demonitor(Mon, [flush]), Answer;
        {'DOWN', Mon, process, Pid, _} -> {error, closed}
    end.

%% Ask the daemon: {ok, Map} or {error, Text}; {error, closed} without a socket.
request(#'$sctpd'{pid = Pid, tcp = Tcp, ids = Ids}, Method, Args) ->
    Id = atomics:add_get(Ids, 1, 1) band 16#ffffffff,
    Frame = frame(Id, Method, Args),
    Mon = monitor(process, Pid, [{alias, reply_demonitor}]),
    Pid ! {expect, Id, asker(Method, Mon, Args)},
    write(Tcp, Frame),
    wait(Mon).

%% An association that comes up for a caller that is dead is its owner's to know.
asker(connect, Mon, #{addr := [{str, Addr} | _], port := Port}) ->
    {connect, Mon, self(), #{<<"addr">> => iolist_to_binary(Addr), <<"port">> => Port}};
asker(_, Mon, _) ->
    {reply, Mon}.

recv(S, Timeout) -> call(S, {recv, self(), Timeout}).

%% The same, not to wait behind what is unsent.
ask(S, Method, Args) -> call(S, {ask, Method, Args}).

close(#'$sctpd'{sock = Sock} = S) ->
    case ask(S, close, #{sock => Sock}) of
        {error, closed} -> ok;
        Answer -> Answer
    end.

%% The daemon's path and the options that are kept here.
info(S) -> call(S, info).

set_local(S, Options) -> call(S, {set_local, Options}).

%% To be called with options before they are set: gives them as the daemon has
%% to set them.
activate(S, Options) ->
    [case O of
         [active, Value] -> [active, value(call(S, {activate, Value}), Value)];
         _ -> O
     end || O <- Options].

value({ok, Value}, _) -> Value;
value({error, closed}, Value) -> Value.

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

frame(Id, Method, Args) ->
    [<<16#94, 0, 16#ce, Id:32>>, sctpd_msgpack:encode(Method), 16#91, sctpd_msgpack:encode(Args)].

%% ---- the process -------------------------------------------------------------

init(Owner, Starter, Path, First, Local, Family) ->
    Mon = monitor(process, Owner),
    case connect(Path) of
        {ok, Tcp} ->
            Ids = atomics:new(1, [{signed, false}]),
            atomics:put(Ids, 1, ?FIRST_ID),
            S = #'$sctpd'{pid = self(), tcp = Tcp, ids = Ids, family = Family},
            St = #state{s = S, owner = Owner, mon = Mon, path = Path, local = Local},
            loop(introduce(Starter, First, note_first(First, St)));
        {error, Reason} ->
            answer(Starter, {error, Reason})
    end.

connect(Path) ->
    gen_tcp:connect({local, Path}, 0, [binary, {active, ?CHUNKS}, {packet, raw},
                                       {buffer, 65536}, {recbuf, 262144}, {linger, {true, 0}}]).

%% Events of a socket that was opened in an active mode.
note_first({open, #{options := Options}}, St) ->
    case [V || [active, V] <- Options] of
        [] -> St;
        Values -> St#state{active = lists:last(Values)}
    end;
note_first(_, St) ->
    St.

introduce(Starter, First, #state{s = #'$sctpd'{tcp = Tcp}} = St) ->
    Name = {str, io_lib:format("erlang ~s ~w", [node(), St#state.owner])},
    Hello = frame(?HELLO_ID, hello, #{name => Name}),
    case First of
        adopt ->
            _ = gen_tcp:send(Tcp, Hello),
            St#state{calls = #{?HELLO_ID => {adopt, Starter}}};
        {Method, Args} ->
            _ = gen_tcp:send(Tcp, [Hello, frame(?SETUP_ID, Method, Args)]),
            St#state{calls = #{?HELLO_ID => ignore, ?SETUP_ID => {setup, Starter}}}
    end.

loop(#state{s = #'$sctpd'{tcp = Tcp}, mon = Mon} = St) ->
    receive
        {expect, Id, Who} ->
            loop(expect(Id, Who, St));
        {tcp, Tcp, Data} ->
            loop(read(St#state{buf = join(St#state.buf, Data)}));
        {tcp_passive, Tcp} ->
            _ = inet:setopts(Tcp, [{active, ?CHUNKS}]),
            loop(St);
        {tcp_closed, Tcp} ->
            ended(St);
        {tcp_error, Tcp, _} ->
            ended(St);
        {'DOWN', Mon, process, _, _} ->
            ok;
        {'DOWN', Other, process, _, _} ->
            loop(caller_gone(Other, St));
        Message ->
            loop(handle(Message, St))
    end.

join(<<>>, Data) -> Data;
join(Buf, Data) -> <<Buf/binary, Data/binary>>.

expect(Id, Who, #state{calls = Calls} = St) -> St#state{calls = Calls#{Id => Who}}.

answer({Tag, To}, Answer) -> To ! {Tag, Answer};
answer(Alias, Answer) -> Alias ! {Alias, Answer}.

%% The daemon is gone. Those who wait for answers see the process end.
ended(#state{active = false}) -> ok;
ended(#state{s = S} = St) -> deliver({sctp_closed, S}, St).

handle({{recv, Caller, Timeout}, Alias}, St) ->
    recv(Caller, Timeout, Alias, without_the_dead(St));
handle({info, Alias}, St) ->
    answer(Alias, {ok, {St#state.path, St#state.local}}),
    St;
handle({{set_local, Options}, Alias}, St) ->
    answer(Alias, ok),
    St#state{local = maps:merge(St#state.local, Options)};
handle({{activate, Value}, Alias}, St) ->
    {Now, St1} = activated(Value, St),
    answer(Alias, {ok, Now}),
    St1;
handle({{give, Caller, Pid}, Alias}, St) ->
    {Answer, St1} = begin_give(Caller, Pid, St),
    answer(Alias, Answer),
    St1;
handle({given, Alias}, St) ->
    answer(Alias, ok),
    end_give(St);
handle({{ask, Method, Args}, Alias}, #state{calls = Calls} = St) when map_size(Calls) > 0 ->
    ask_aside(Method, Args, Alias, St);
handle({{ask, Method, Args}, Alias}, St) ->
    send(Method, who_asked(Method, Alias), Args, St);
handle({asked, {Method, Args, Alias}, Answer}, St) ->
    asked_aside(Method, Args, Alias, Answer, St);
handle({adopter, Client, Handle}, St) ->
    send(controlling_process, ignore, #{sock => Handle, client => Client}, St);
handle({adopted, Handle, New}, #state{accepted = Accepted} = St) ->
    {{_, Name, Anc, {accept, Fields}}, Rest} = maps:take(Handle, Accepted),
    Body = {accept, New, maps:get(assoc_id, Fields)},
    deliver_event({event, Name, Anc, Body}, St#state{accepted = Rest});
handle({Kind, _} = M, #state{reader = #reader{}} = St)
  when Kind =:= tcp_closed; Kind =:= tcp_passive ->
    from_reader(M, St);
handle({tcp, _, _} = M, #state{reader = #reader{}} = St) ->
    from_reader(M, St);
handle(_, St) ->
    St.

%% The process itself asks something.
send(Method, Who, Args, #state{s = #'$sctpd'{tcp = Tcp, ids = Ids}} = St) ->
    Id = atomics:add_get(Ids, 1, 1) band 16#ffffffff,
    write(Tcp, frame(Id, Method, Args)),
    expect(Id, Who, St).

%% gen_tcp:send waits while much is unsent, and as long as it likes.
write(Tcp, Frame) -> spawn(fun() -> gen_tcp:send(Tcp, Frame) end).

who_asked(close, Alias) -> {close, Alias};
who_asked(_, Alias) -> {reply, Alias}.

%% ---- what does not wait -----------------------------------------------------------

ask_aside(Method, Args, Alias, #state{path = Path} = St) ->
    Process = self(),
    spawn(fun() -> Process ! {asked, {Method, Args, Alias}, ask_once(Path, Method, Args)} end),
    St#state{closing = St#state.closing orelse Method =:= close}.

%% A daemon that has max_clients takes no more for now. It is asked only when it
%% has answered hello: nothing is carried out after somebody else was asked.
ask_once(Path, Method, Args) ->
    case connect(Path) of
        {ok, Tcp} ->
            case ask_on(Tcp, hello, #{}, ?PATIENCE) of
                {ok, _} -> ask_on(Tcp, Method, Args, infinity);
                {error, _} -> {error, closed}
            end;
        {error, _} ->
            {error, closed}
    end.

ask_on(Tcp, Method, Args, Timeout) ->
    _ = gen_tcp:send(Tcp, frame(?FIRST_ID, Method, Args)),
    answer_on(Tcp, <<>>, Timeout).

answer_on(Tcp, Buf, Timeout) ->
    case sctpd_msgpack:decode(Buf) of
        {[1, ?FIRST_ID, Error, Result], <<>>} ->
            result(Error, Result);
        more ->
            receive
                {tcp, Tcp, Data} -> answer_on(Tcp, join(Buf, Data), Timeout);
                {tcp_closed, Tcp} -> {error, closed};
                {tcp_error, Tcp, _} -> {error, closed}
            after Timeout -> {error, closed}
            end
    end.

%% Where no other connection is to be had it waits behind the rest.
asked_aside(Method, Args, Alias, {error, closed}, St) ->
    send(Method, who_asked(Method, Alias), Args, St#state{closing = false});
asked_aside(Method, _, Alias, Answer, St) ->
    answered(who_asked(Method, Alias), Answer, St).

%% ---- what the daemon says -------------------------------------------------------

read(#state{buf = Buf} = St) ->
    case sctpd_msgpack:decode(Buf) of
        {Message, Rest} -> read(said(Message, St#state{buf = Rest}));
        more -> St
    end.

said([1, Id, Error, Result], #state{calls = Calls} = St) ->
    case maps:take(Id, Calls) of
        {Who, Rest} -> answered(Who, result(Error, Result), St#state{calls = Rest});
        error -> St
    end;
said([2, Event, [Fields]], St) ->
    happened(Event, Fields, St).

result(nil, Result) -> {ok, Result};
result(Text, _) -> {error, Text}.

answered(ignore, _, St) ->
    St;
answered({reply, Alias}, Answer, St) ->
    answer(Alias, Answer),
    St;
answered({connect, Alias, Caller, Peer}, Answer, St) ->
    case {Answer, is_alive(Caller)} of
        {{ok, Change}, false} ->
            Event = Change#{<<"event">> => <<"sctp_assoc_change">>, <<"from">> => Peer},
            has_come_up(sctpd_term:event(Event), St);
        _ ->
            answer(Alias, Answer),
            St
    end;
answered({close, Alias}, {error, <<"closed", _/binary>>}, _) ->
    answer(Alias, ok),
    exit(normal);
answered({close, Alias}, {ok, _}, _) ->
    answer(Alias, ok),
    exit(normal);
answered({close, Alias}, Error, St) ->
    answer(Alias, Error),
    St#state{closing = false};
answered({setup, Starter}, {ok, #{<<"accepted">> := Handle} = Result}, St) ->
    opened(Handle, Starter, Result, St);
answered({setup, Starter}, {ok, #{<<"sock">> := Handle} = Result}, St) ->
    opened(Handle, Starter, Result, St);
answered({setup, Starter}, Error, _) ->
    answer(Starter, Error),
    exit(normal);
answered({adopt, {Handle, Parent}}, {ok, #{<<"client">> := Client}}, St) ->
    Parent ! {adopter, Client, Handle},
    St#state{calls = #{}, accepted = #{Handle => Parent}}.

%% The daemon does not count it: where it would, it waits for who asks next, or
%% asks already, and then asks again.
has_come_up(Event, #state{active = true} = St) ->
    deliver_event(Event, St);
has_come_up(Event, #state{stash = Stash, reader = Reader} = St) ->
    St1 = St#state{stash = Stash ++ [Event]},
    case Reader of
        #reader{tcp = Tcp, calls = Calls} when map_size(Calls) > 0 -> take_back(Tcp, St1);
        _ -> St1
    end.

opened(Handle, Starter, Result, #state{s = S} = St) ->
    New = S#'$sctpd'{sock = Handle},
    answer(Starter, {ok, {New, Result}}),
    St#state{s = New}.

happened(<<"sctp_passive">>, Fields, St) ->
    deliver({sctp_passive, named(Fields, St)}, St#state{active = false});
happened(<<"sctp_closed">>, Fields, #state{active = Active, closing = false} = St)
  when Active =/= false ->
    deliver({sctp_closed, named(Fields, St)}, spend(St));
happened(<<"sctp_closed">>, _, St) ->
    St;
happened(<<"owner">>, #{<<"sock">> := Handle} = Fields, #state{accepted = Accepted} = St) ->
    case maps:take(Handle, Accepted) of
        {Parent, Rest} when is_pid(Parent) ->
            S = named(Fields, St),
            Parent ! {adopted, Handle, S},
            St#state{s = S, accepted = Rest};
        _ ->
            St
    end;
happened(<<"accept">>, #{<<"accepted">> := Handle} = Fields, St) ->
    #state{owner = Owner, path = Path, local = Local, s = S, accepted = Accepted} = St,
    Starter = {Handle, self()},
    spawn(fun() -> init(Owner, Starter, Path, adopt, Local, S#'$sctpd'.family) end),
    Event = sctpd_term:event(Fields#{<<"event">> => <<"accept">>}),
    St#state{accepted = Accepted#{Handle => Event}};
happened(Event, Fields, #state{s = S} = St) ->
    Came = with_mode(sctpd_term:event(Fields#{<<"event">> => Event}), St),
    St1 = case S#'$sctpd'.sock of
        undefined -> St#state{s = named(Fields, St)};
        _ -> St
    end,
    deliver_event(Came, spend(St1)).

%% An event may come before the answer to the open that it follows.
named(#{<<"sock">> := Handle}, #state{s = S}) -> S#'$sctpd'{sock = Handle}.

spend(#state{active = once} = St) -> St#state{active = false};
spend(St) -> St.

with_mode({data, Name, Anc, Data}, #state{local = #{mode := list}}) ->
    {data, Name, Anc, binary_to_list(Data)};
with_mode(Event, _) ->
    Event.

deliver_event({error, {IP, Port}, Anc, Record}, #state{s = S} = St) ->
    deliver({sctp_error, S, IP, Port, {Anc, Record}}, St);
deliver_event({_, {IP, Port}, Anc, Data}, #state{s = S} = St) ->
    deliver({sctp, S, IP, Port, {Anc, Data}}, St).

deliver(Message, #state{heir = undefined, owner = Owner} = St) ->
    Owner ! Message,
    St;
deliver(Message, #state{held = Held} = St) ->
    St#state{held = [Message | Held]}.

%% ---- recv ---------------------------------------------------------------------

recv(_, _, Alias, #state{stash = [Came | Rest]} = St) ->
    answer(Alias, {ok, Came}),
    St#state{stash = Rest};
recv(Caller, Timeout, Alias, #state{reader = undefined, path = Path} = St) ->
    case connect(Path) of
        {ok, Tcp} -> recv(Caller, Timeout, Alias, St#state{reader = #reader{tcp = Tcp}});
        {error, _} -> answer(Alias, {error, closed}), St
    end;
recv(Caller, Timeout, Alias, #state{reader = R, s = #'$sctpd'{sock = Sock, ids = Ids}} = St) ->
    Id = atomics:add_get(Ids, 1, 1) band 16#ffffffff,
    write(R#reader.tcp, frame(Id, recv, #{sock => Sock, timeout => Timeout})),
    Call = {Alias, Caller, monitor(process, Caller), Timeout},
    St#state{reader = R#reader{calls = (R#reader.calls)#{Id => Call}}}.

from_reader({tcp, Tcp, Data}, #state{reader = #reader{tcp = Tcp, buf = Buf} = R} = St) ->
    read_answers(St#state{reader = R#reader{buf = join(Buf, Data)}});
from_reader({tcp_passive, Tcp}, #state{reader = #reader{tcp = Tcp}} = St) ->
    _ = inet:setopts(Tcp, [{active, ?CHUNKS}]),
    St;
from_reader({tcp_closed, Tcp}, #state{reader = #reader{tcp = Tcp, calls = Calls}} = St) ->
    lists:foldl(fun again/2, St#state{reader = undefined}, maps:values(Calls));
from_reader(_, St) ->
    St.

read_answers(#state{reader = #reader{buf = Buf, calls = Calls} = R} = St) ->
    case sctpd_msgpack:decode(Buf) of
        {[1, Id, Error, Result], Rest} ->
            {Call, Left} = maps:take(Id, Calls),
            St1 = St#state{reader = R#reader{buf = Rest, calls = Left}},
            read_answers(received(Call, result(Error, Result), St1));
        more ->
            St
    end.

%% Another one's recv was taken back, and with it this one.
again({Alias, Caller, Mon, Timeout}, St) ->
    demonitor(Mon, [flush]),
    case is_alive(Caller) of
        true -> recv(Caller, Timeout, Alias, St);
        false -> St
    end.

received({Alias, Caller, Mon, _}, Answer, St) ->
    demonitor(Mon, [flush]),
    Came = case Answer of
        {ok, Map} -> {ok, with_mode(sctpd_term:event(Map), St)};
        {error, _} -> Answer
    end,
    case {Came, is_alive(Caller)} of
        {{ok, Event}, false} -> St#state{stash = St#state.stash ++ [Event]};
        _ -> answer(Alias, Came), St
    end.

is_alive(Pid) -> node(Pid) =/= node() orelse is_process_alive(Pid).

%% The daemon closes its side when it has taken the recv back, after all that
%% it had answered.
caller_gone(Mon, #state{reader = #reader{tcp = Tcp, calls = Calls}} = St) ->
    case [M || {_, _, M, _} <- maps:values(Calls), M =:= Mon] of
        [] -> St;
        _ -> take_back(Tcp, St)
    end;
caller_gone(_, St) ->
    St.

%% Who asks next may be faster than the news of a death.
without_the_dead(#state{reader = #reader{tcp = Tcp, calls = Calls}} = St) ->
    case [C || {_, C, _, _} <- maps:values(Calls), not is_alive(C)] of
        [] -> St;
        _ -> take_back(Tcp, St)
    end;
without_the_dead(St) ->
    St.

take_back(Tcp, St) ->
    _ = gen_tcp:shutdown(Tcp, write),
    drain(Tcp, St).

drain(Tcp, St) ->
    receive
        {tcp_closed, Tcp} = M -> from_reader(M, St);
        {tcp_error, Tcp, _} -> from_reader({tcp_closed, Tcp}, St);
        {_, Tcp} = M -> drain(Tcp, from_reader(M, St));
        {tcp, Tcp, _} = M -> drain(Tcp, from_reader(M, St))
    end.

%% ---- active, and another owner ------------------------------------------------------

%% What is in stash is delivered first, and counts.
activated(false, St) -> {false, St#state{active = false}};
activated(Value, #state{stash = []} = St) -> {Value, St#state{active = Value}};
activated(true, #state{stash = Stash} = St) ->
    {true, lists:foldl(fun deliver_event/2, St#state{active = true, stash = []}, Stash)};
activated(once, #state{stash = [Came | Rest]} = St) ->
    {false, deliver_event(Came, St#state{active = false, stash = Rest})};
activated(N, #state{stash = [Came | Rest]} = St) when is_integer(N), N > 0 ->
    {N - 1, deliver_event(Came, St#state{active = N, stash = Rest})};
activated(Value, St) -> {Value, St#state{active = Value}}.

begin_give(_, Pid, #state{owner = Pid} = St) ->
    {{ok, same}, St};
begin_give(Caller, _, #state{owner = Owner} = St) when Caller =/= Owner ->
    {{error, not_owner}, St};
begin_give(_, Pid, St) ->
    case is_alive(Pid) of
        true -> {{ok, begun}, St#state{heir = Pid}};
        false -> {{error, badarg}, St}
    end.

end_give(#state{heir = Pid, held = Held, mon = Mon} = St) ->
    demonitor(Mon, [flush]),
    _ = [Pid ! M || M <- lists:reverse(Held)],
    St#state{owner = Pid, mon = monitor(process, Pid), heir = undefined, held = []}.
