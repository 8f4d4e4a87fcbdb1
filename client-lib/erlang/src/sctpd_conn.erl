%% SPDX-License-Identifier: BSD-2-Clause
%%
%% A connection to the daemon that many sockets share, as a session: it may
%% break, and the daemon die where something starts it again, and nobody that
%% uses it notices more than a pause. proto/README.md says what a session is.
%%
%% Whoever asks sends {'$req', To, Kind, Body}, and gets the answer as To says;
%% events go to the process of the socket that they are of. To is {alias, A}
%% ({A, Answer} is sent to A), {pid, Pid, Tag} ({answer, Tag, Answer}) or none.
%% Kind is what else there is to do:
%%
%%	plain		nothing
%%	{send, Key}	a message of an association: see below
%%	{setup, Pid}	what comes of it is a socket of this process
%%	{accept, Pid}	the same, but the socket has no process yet
%%	{close, Sock}	ends a socket
%%
%% A request is kept until it is answered. When the connection is restored, all
%% that are kept are written again, in order, with their ids: the daemon has
%% carried out none of them. Answers come once by their ids, events by their
%% numbers. What was given to a socket's process counts as handled; a member of
%% a group says itself what it has handled (member, in sctpd_member.erl).
%%
%% Sends have a window. The daemon stops reading who has too much waiting for
%% room, and that would be every socket here. So of an association no more is
%% written, before it is answered, than WINDOW, or one message; and of all
%% together half of what the daemon allows. The rest waits here, in order.
%%
%% The module socket is used because nothing may block this process: a daemon
%% that does not read until we do must be read.
-module(sctpd_conn).

-behaviour(gen_server).

-export([body/2, ack/2, info/1, session/1, reason/1]).
-export([start_link/2, init/1, handle_call/3, handle_cast/2, handle_info/2, code_change/3,
         format_status/2]).

-define(HELLO_ID, 0).
-define(FIRST_ID, 16).
-define(READ, 131072).          % bytes of a read
-define(READS, 4).              % before others are heard
-define(WRITE, 65536).          % bytes that may be before an acknowledgement
-define(IOV, 256).
-define(ACK_MESSAGES, 64).
-define(ACK_BYTES, 65536).
-define(ACK_TIME, 200).
-define(COST, 512).             % what the daemon charges beside the message, and more
-define(FIRST_PAUSE, 2).
-define(MOST_PAUSE, 500).
-define(GIVE_UP, 30000).        % resume_time of the daemon

-record(call, {n, to, kind, size = 0, body}).

-record(state, {
    path, name,
    member,                     % undefined, or the process that gets all events
    phase = new,                % away, greeting, up
    fd, recv_ref, send_ref,
    token, survives = false, client,
    greeted = [],               % who waits until it is up: session/1
    pause = ?FIRST_PAUSE, give_up,
    buf = <<>>,
    at = 0, seen = 0,           % number of the last message, and of the last that was new
    given = 0,                  % number of the last event that a member was given
    handled = 0, acked = 0, unacked = 0, ack_timer,
    next = ?FIRST_ID, calls = #{},
    rest = [],                  % of what is being written
    out = queue:new(),
    pids = #{},                 % process => {monitor, its sockets}
    routes = #{},               % socket => process
    setups = 0,                 % requests that make a socket
    waiting = #{},              % socket without a process => {parent, its events, the last first}
    flows = #{},                % {socket, association} => {bytes, what waits}
    window = 262144, most = 524288, flying = 0
}).

%% ---- for those that ask --------------------------------------------------------

%% A request, but for its id.
body(Method, Args) ->
    iolist_to_binary([sctpd_msgpack:encode(Method), 16#91, sctpd_msgpack:encode(Args)]).

%% A member has handled all messages up to this one.
ack(Conn, Seq) -> Conn ! {ack, Seq}, ok.

%% What it does: waiting are bytes that have no place in the window.
info(Conn) -> gen_server:call(Conn, info).

%% What another program needs to go on with the session, when there is one.
session(Conn) -> gen_server:call(Conn, session, infinity).

%% Why it has ended, as programs are told.
reason(lost) -> <<"closed: the daemon has ended, and did not come back with the session in reconnect_time">>;
reason(superseded) -> <<"closed: another program has taken the session over">>;
reason(no_session) -> <<"closed: the daemon does not know the session any more, and has closed its sockets">>;
reason(eproto) -> <<"closed: what the daemon said is no message of the protocol; is it sctpd that listens there?">>;
reason(Why) -> Why.

start_link(Path, Kind) -> gen_server:start_link(?MODULE, {Path, Kind}, []).

%% ---- the process -----------------------------------------------------------------

init({Path, Kind}) ->
    process_flag(message_queue_data, off_heap),
    St = #state{path = Path},
    case Kind of
        shared -> {ok, St};
        {member, Pid, Name} ->
            _ = monitor(process, Pid),
            {ok, St#state{member = Pid, name = Name}};
        {member, Pid, Name, #{token := Token, seq := Seq}} ->
            %% Its answers come again, and none of them is to be taken for ours.
            {ok, St1} = init({Path, {member, Pid, Name}}),
            {ok, St1#state{token = Token, acked = Seq, handled = Seq, seen = Seq, given = Seq,
                           next = rand:uniform(16#80000000) + ?FIRST_ID}}
    end.

handle_call(info, _, St) -> {reply, described(St), St, 0};
handle_call(session, _, #state{phase = up} = St) -> {reply, the_session(St), St, 0};
handle_call(session, From, #state{phase = new, greeted = Waiting} = St) ->
    done(try_connect(St#state{greeted = [From | Waiting]}));
handle_call(session, From, #state{greeted = Waiting} = St) ->
    {noreply, St#state{greeted = [From | Waiting]}};
handle_call(_, _, St) -> {reply, {error, badarg}, St, 0}.

handle_cast(_, St) -> {noreply, St, 0}.

handle_info({'$req', To, Kind, Body}, St) ->
    done(asked(To, Kind, Body, St));
handle_info(timeout, St) ->
    flushed(flush(St));
handle_info({'$socket', Fd, select, Ref}, #state{fd = Fd, recv_ref = Ref} = St) ->
    done(read(?READS, St#state{recv_ref = undefined}));
handle_info({'$socket', Fd, select, Ref}, #state{fd = Fd, send_ref = Ref} = St) ->
    flushed(flush(St#state{send_ref = undefined}));
handle_info({read, Fd}, #state{fd = Fd} = St) ->
    done(read(?READS, St));
handle_info({ack, Seq}, #state{handled = Handled} = St) ->
    done(acknowledge(handled(St#state{handled = max(Handled, Seq)})));
handle_info({timeout, T, ack}, #state{ack_timer = T} = St) ->
    done(acknowledge(St#state{ack_timer = undefined}));
handle_info({timeout, _, connect}, #state{phase = away} = St) ->
    done(try_connect(St));
handle_info({released, Sock}, St) ->
    done(forget(Sock, St));
handle_info({route, Sock, Pid}, St) ->
    done(found(Sock, Pid, watch(Pid, St)));
handle_info({'DOWN', _, process, Pid, _}, #state{member = Pid} = St) ->
    {stop, normal, St};
handle_info({'DOWN', _, process, Pid, _}, St) ->
    done(gone(Pid, St));
handle_info(_, St) ->
    done(St).

code_change(_, St, _) -> {ok, St}.

%% The token is a secret, and messages are somebody's.
format_status(_, [_, St]) -> [{data, [{"State", described(St)}]}].

described(#state{phase = Phase, path = Path, calls = Calls, routes = Routes, flows = Flows}) ->
    Waiting = [Size - ?COST || {_, Waits} <- maps:values(Flows), {_, Size, _} <- queue:to_list(Waits)],
    #{path => Path, phase => Phase, requests => map_size(Calls), sockets => map_size(Routes),
      waiting => lists:sum(Waiting)}.

%% What is to be written is written when nobody else asks.
done(#state{phase = up, send_ref = undefined, out = Out} = St) ->
    case queue:is_empty(Out) of
        true -> {noreply, St};
        false -> {noreply, St, 0}
    end;
done(St) ->
    {noreply, St}.

flushed(St) -> {noreply, St}.

%% Nobody waits for ever, and who asks later sees the process gone.
over(Why, #state{calls = Calls} = St) ->
    _ = [answer(To, {error, reason(Why)}) || #call{to = To} <- maps:values(Calls)],
    throw({stop, {shutdown, Why}, St}).

answer({alias, Alias}, Answer) -> Alias ! {Alias, Answer}, ok;
answer({pid, Pid, Tag}, Answer) -> Pid ! {answer, Tag, Answer}, ok;
answer(none, _) -> ok.

%% ---- requests --------------------------------------------------------------------

asked(To, {send, Key} = Kind, Body, #state{flows = Flows} = St) ->
    Size = byte_size(Body) + ?COST,
    case Flows of
        #{Key := {Bytes, Waits}} ->
            case queue:is_empty(Waits) andalso fits(Bytes, Size, St) of
                true -> send(To, Kind, Size, Body, Bytes, Waits, St);
                false ->
                    Waits1 = queue:in({To, Size, Body}, Waits),
                    St#state{flows = Flows#{Key := {Bytes, Waits1}}}
            end;
        _ ->
            send(To, Kind, Size, Body, 0, queue:new(), St)
    end;
asked(To, {setup, Pid} = Kind, Body, #state{setups = N} = St) ->
    request(#call{to = To, kind = Kind, body = Body}, watch(Pid, St#state{setups = N + 1}));
asked(To, {accept, _} = Kind, Body, #state{setups = N} = St) ->
    request(#call{to = To, kind = Kind, body = Body}, St#state{setups = N + 1});
asked(To, {close, Sock} = Kind, Body, St) ->
    request(#call{to = To, kind = Kind, body = Body}, unsend(Sock, St));
asked(To, Kind, Body, St) ->
    request(#call{to = To, kind = Kind, body = Body}, St).

request(Call, #state{next = N} = St) when N band 16#ffffffff =:= ?HELLO_ID ->
    request(Call, St#state{next = N + 1});
request(#call{body = Body} = Call, #state{next = N, calls = Calls} = St) ->
    Id = N band 16#ffffffff,
    write(frame(Id, Body), St#state{next = N + 1, calls = Calls#{Id => Call#call{n = N}}}).


frame(Id, Body) -> [<<16#94, 0, 16#ce, Id:32>>, Body].

write(Frame, #state{phase = up, out = Out} = St) -> St#state{out = queue:in(Frame, Out)};
write(_, #state{phase = new} = St) -> try_connect(St);
write(_, St) -> St.             % with all that is kept, when the session is up

%% ---- the window --------------------------------------------------------------------

fits(0, _, _) -> true;
fits(Bytes, Size, #state{window = Window, most = Most, flying = Flying}) ->
    Bytes + Size =< Window andalso Flying + Size =< Most.

send(To, {send, Key} = Kind, Size, Body, Bytes, Waits, #state{flows = Flows, flying = N} = St) ->
    request(#call{to = To, kind = Kind, size = Size, body = Body},
            St#state{flows = Flows#{Key => {Bytes + Size, Waits}}, flying = N + Size}).

was_sent(Key, Size, #state{flows = Flows, flying = Flying} = St) ->
    St1 = St#state{flying = Flying - Size},
    case Flows of
        #{Key := {Bytes, Waits}} -> release(Key, Bytes - Size, Waits, St1);
        _ -> St1
    end.

release(Key, Bytes, Waits, #state{flows = Flows} = St) ->
    case queue:peek(Waits) of
        {value, {To, Size, Body}} ->
            case fits(Bytes, Size, St) of
                true ->
                    Left = queue:drop(Waits),
                    St1 = send(To, {send, Key}, Size, Body, Bytes, Left, St),
                    release(Key, Bytes + Size, Left, St1);
                false ->
                    St#state{flows = Flows#{Key => {Bytes, Waits}}}
            end;
        empty when Bytes =< 0 ->
            St#state{flows = maps:remove(Key, Flows)};
        empty ->
            St#state{flows = Flows#{Key => {Bytes, Waits}}}
    end.

%% The socket is closed: what waits to be sent on it is not.
unsend(Sock, #state{flows = Flows} = St) ->
    St#state{flows = maps:map(fun
        ({S, _}, {Bytes, Waits}) when S =:= Sock ->
            _ = [answer(To, {error, closed}) || {To, _, _} <- queue:to_list(Waits)],
            {Bytes, queue:new()};
        (_, Flow) -> Flow
    end, Flows)}.

%% ---- sockets and their processes ------------------------------------------------------

watch(Pid, #state{pids = Pids} = St) ->
    case Pids of
        #{Pid := _} -> St;
        _ -> St#state{pids = Pids#{Pid => {monitor(process, Pid), []}}}
    end.

%% A socket has its process now; what came before that comes first.
found(Sock, Pid, #state{pids = Pids, routes = Routes, waiting = Waiting} = St) ->
    {_, Events} = maps:get(Sock, Waiting, {none, []}),
    _ = [Pid ! E || E <- lists:reverse(Events)],
    St1 = St#state{waiting = maps:remove(Sock, Waiting)},
    case Pids of
        #{Pid := {Mon, Socks}} ->
            St1#state{pids = Pids#{Pid := {Mon, [Sock | Socks]}},
                      routes = Routes#{Sock => Pid}};
        _ ->                    % it is gone
            close(Sock, St1)
    end.

%% Its sockets end with it, and those that wait for a process of their own.
gone(Pid, #state{pids = Pids, waiting = Waiting} = St) ->
    case maps:take(Pid, Pids) of
        {{_, Socks}, Rest} ->
            Orphans = [S || {S, {P, _}} <- maps:to_list(Waiting), P =:= Pid],
            lists:foldl(fun close/2, St#state{pids = Rest}, Socks ++ Orphans);
        error -> St
    end.

close(Sock, St) ->
    asked(none, {close, Sock}, body(close, #{sock => Sock}), forget(Sock, St)).

forget(Sock, #state{routes = Routes, pids = Pids, waiting = Waiting} = St) ->
    St1 = St#state{waiting = maps:remove(Sock, Waiting), routes = maps:remove(Sock, Routes)},
    case Routes of
        #{Sock := Pid} when is_map_key(Pid, Pids) ->
            {Mon, Socks} = map_get(Pid, Pids),
            St1#state{pids = Pids#{Pid := {Mon, lists:delete(Sock, Socks)}}};
        _ -> St1
    end.

%% ---- what the daemon says ---------------------------------------------------------------

read(0, #state{fd = Fd} = St) ->
    self() ! {read, Fd},
    St;
read(N, #state{phase = Phase, fd = Fd} = St) when Phase =/= away, Phase =/= new ->
    case socket:recv(Fd, 0, [], nowait) of
        {ok, Data} -> read(N - 1, heard(Data, St));
        {select, {select_info, _, Ref}} -> St#state{recv_ref = Ref};
        {select, {{select_info, _, Ref}, Data}} -> heard(Data, St#state{recv_ref = Ref});
        {error, _} -> broken(St)
    end;
read(_, St) ->
    St.

heard(Data, #state{buf = Buf, unacked = N} = St) ->
    St1 = parse(St#state{buf = join(Buf, Data), unacked = N + byte_size(Data)}),
    acknowledge_some(handled(St1)).

%% What a member was given is handled when it says so, and what came since with it.
handled(#state{member = undefined, at = At} = St) -> St#state{handled = At};
handled(#state{given = Given, handled = Handled, at = At} = St) when Handled >= Given ->
    St#state{handled = max(Handled, At)};
handled(St) -> St.

join(<<>>, Data) -> Data;
join(Buf, Data) -> <<Buf/binary, Data/binary>>.

parse(#state{buf = Buf} = St) ->
    case sctpd_msgpack:decode(Buf) of
        {Message, Rest} -> parse(said(Message, St#state{buf = Rest}));
        more -> St;
        bad -> over(eproto, St)
    end.

said([1, ?HELLO_ID, Error, Result], #state{phase = greeting} = St) ->
    hello(Error, Result, St);
said([1, Id, Error, Result], #state{at = At, seen = Seen, calls = Calls} = St) ->
    St1 = St#state{at = At + 1, seen = max(Seen, At + 1)},
    case maps:take(Id, Calls) of
        {Call, Rest} -> answered(Call, result(Error, Result), St1#state{calls = Rest});
        error -> St1
    end;
said([2, <<"superseded">>, _], St) ->
    over(superseded, St);
said([2, Event, [#{<<"seq">> := Seq} = Fields]], #state{seen = Seen} = St) when Seq > Seen ->
    happened(Event, Fields, St#state{at = Seq, seen = Seq});
said([2, _, [#{<<"seq">> := Seq}]], St) ->
    St#state{at = Seq};         % it came before
said([2, Event, [Fields]], #state{at = At, seen = Seen} = St) ->
    happened(Event, Fields, St#state{at = At + 1, seen = max(Seen, At + 1)});
said(_, St) ->
    over(eproto, St).

result(nil, Result) -> {ok, Result};
result(Text, _) -> {error, Text}.

answered(#call{to = To, kind = plain}, Answer, St) ->
    answer(To, Answer),
    St;
answered(#call{to = To, kind = {send, Key}, size = Size}, Answer, St) ->
    answer(To, Answer),
    was_sent(Key, Size, St);
answered(#call{to = To, kind = {close, Sock}}, Answer, St) ->
    answer(To, Answer),
    case Answer of
        {error, <<"closed", _/binary>>} -> forget(Sock, St);
        {error, _} -> St;
        {ok, _} -> forget(Sock, St)
    end;
answered(#call{to = To, kind = {setup, Pid}}, Answer, St) ->
    answer(To, Answer),
    without_strays(case Answer of
        {ok, #{<<"accepted">> := Sock}} -> found(Sock, Pid, St);
        {ok, #{<<"sock">> := Sock}} -> found(Sock, Pid, St);
        {error, _} -> unwatch(Pid, St)
    end);
answered(#call{to = To, kind = {accept, Pid}}, Answer, St) ->
    answer(To, Answer),
    without_strays(case Answer of
        {ok, #{<<"accepted">> := Sock}} -> waits(Sock, Pid, St);
        {error, _} -> St
    end).

unwatch(Pid, #state{pids = Pids} = St) ->
    case Pids of
        #{Pid := {Mon, []}} ->
            demonitor(Mon, [flush]),
            St#state{pids = maps:remove(Pid, Pids)};
        _ -> St
    end.

%% A socket of Pid's that is to have a process of its own.
waits(Sock, Pid, #state{pids = Pids, waiting = Waiting} = St) ->
    {_, Events} = maps:get(Sock, Waiting, {none, []}),
    St1 = St#state{waiting = Waiting#{Sock => {Pid, Events}}},
    case is_map_key(Pid, Pids) of
        true -> St1;
        false -> close(Sock, St1)
    end.

%% Events may come before the answer that says whose they are.
without_strays(#state{setups = N, waiting = Waiting} = St) when N > 1, map_size(Waiting) > 0 ->
    St#state{setups = N - 1};
without_strays(#state{setups = N, waiting = Waiting} = St) ->
    St#state{setups = N - 1,
             waiting = maps:filter(fun(_, {Parent, _}) -> Parent =/= none end, Waiting)}.

happened(Event, #{<<"seq">> := Seq} = Fields, #state{member = Member} = St)
  when is_pid(Member) ->
    Member ! {event, Seq, Event, Fields},
    St#state{given = Seq};
happened(Event, #{<<"sock">> := Sock} = Fields, #state{routes = Routes} = St) ->
    case Routes of
        #{Sock := Pid} ->
            Pid ! {event, Event, Fields},
            came_with(Event, Fields, Pid, St);
        _ ->
            stray(Sock, {event, Event, Fields}, St)
    end;
happened(_, _, St) ->
    St.

came_with(<<"accept">>, #{<<"accepted">> := Sock}, Pid, St) -> waits(Sock, Pid, St);
came_with(_, _, _, St) -> St.

stray(Sock, Event, #state{waiting = Waiting, setups = N} = St) ->
    case Waiting of
        #{Sock := {Parent, Events}} ->
            St#state{waiting = Waiting#{Sock := {Parent, [Event | Events]}}};
        _ when N > 0 ->
            St#state{waiting = Waiting#{Sock => {none, [Event]}}};
        _ ->
            St                  % of a socket that was closed
    end.

%% ---- acknowledgement ---------------------------------------------------------------------

acknowledge_some(#state{handled = Handled, acked = Acked, unacked = Bytes} = St)
  when Handled - Acked >= ?ACK_MESSAGES; Bytes >= ?ACK_BYTES ->
    acknowledge(St);
acknowledge_some(#state{handled = Handled, acked = Acked, ack_timer = undefined} = St)
  when Handled > Acked ->
    St#state{ack_timer = erlang:start_timer(?ACK_TIME, self(), ack)};
acknowledge_some(St) ->
    St.

%% Before all that is yet to be written: it makes room for the answers.
acknowledge(#state{phase = up, handled = Seq, acked = Acked, out = Out} = St) when Seq > Acked ->
    Ack = [<<16#93, 2>>, sctpd_msgpack:encode(ack), 16#91, sctpd_msgpack:encode(#{seq => Seq})],
    St#state{acked = Seq, unacked = 0, out = queue:in_r({ack, Ack}, without_ack(Out))};
acknowledge(St) ->
    St.

%% One that was not written yet is over: acknowledgements never go back.
without_ack(Out) ->
    case queue:peek(Out) of
        {value, {ack, _}} -> queue:drop(Out);
        _ -> Out
    end.

%% ---- writing ---------------------------------------------------------------------------

flush(#state{phase = up, send_ref = undefined, rest = [], out = Out} = St) ->
    case batch(Out, 0, []) of
        {[], _} -> St;
        {Frames, Left} ->
            Iov = erlang:iolist_to_iovec(lists:reverse(Frames)),
            flush(push(Iov, St#state{out = Left}))
    end;
flush(#state{phase = up, send_ref = undefined, rest = Iov} = St) ->
    flush(push(Iov, St));
flush(St) ->
    St.

batch(Out, Size, Frames) when Size < ?WRITE ->
    case queue:out(Out) of
        {{value, {ack, Frame}}, Left} -> batch(Left, Size, [Frame | Frames]);
        {{value, Frame}, Left} -> batch(Left, Size + iolist_size(Frame), [Frame | Frames]);
        {empty, _} -> {Frames, Out}
    end;
batch(Out, _, Frames) ->
    {Frames, Out}.

push([], St) ->
    St#state{rest = []};
push(Iov, #state{fd = Fd} = St) ->
    {Now, Later} = split(Iov),
    case socket:sendmsg(Fd, #{iov => Now}, [], nowait) of
        ok -> push(Later, St);
        {ok, Left} -> push(Left ++ Later, St);
        {select, {select_info, _, Ref}} -> St#state{rest = Iov, send_ref = Ref};
        {select, {{select_info, _, Ref}, Left}} -> St#state{rest = Left ++ Later, send_ref = Ref};
        {error, _} -> broken(St)
    end.

split(Iov) when length(Iov) =< ?IOV -> {Iov, []};
split(Iov) -> lists:split(?IOV, Iov).

%% ---- the session -----------------------------------------------------------------------

try_connect(#state{path = Path, token = Token, acked = Acked} = St) ->
    case connect(Path) of
        {ok, Fd} ->
            St1 = St#state{phase = greeting, fd = Fd, at = Acked, buf = <<>>},
            Args = case Token of
                undefined -> #{name => {str, name(St)}, resume => true};
                _ -> #{resume => {str, Token}, seq => Acked}
            end,
            case socket:send(Fd, frame(?HELLO_ID, body(hello, Args))) of
                ok -> read(?READS, St1);
                {error, _} -> broken(St1)
            end;
        {error, Reason} when Token =:= undefined, Reason =/= eagain ->
            over(Reason, St);
        {error, _} ->
            again(St)
    end.

name(#state{name = undefined}) -> ["erlang ", atom_to_list(node())];
name(#state{name = Name}) -> Name.

%% Its listening socket may have many that wait: eagain.
connect(Path) ->
    {ok, Fd} = socket:open(local, stream, default),
    ok = socket:setopt(Fd, {otp, rcvbuf}, ?READ),
    Address = #{family => local, path => unicode:characters_to_binary(Path)},
    try socket:connect(Fd, Address, nowait) of
        ok -> {ok, Fd};
        {select, _} -> _ = socket:close(Fd), {error, eagain};
        {error, Reason} -> _ = socket:close(Fd), {error, Reason}
    catch
        error:_ -> _ = socket:close(Fd), {error, einval}
    end.

again(#state{pause = Pause, give_up = GiveUp} = St) ->
    Now = erlang:monotonic_time(millisecond),
    Until = case GiveUp of
        undefined -> Now + application:get_env(sctpd, reconnect_time, ?GIVE_UP);
        _ -> GiveUp
    end,
    Now < Until orelse over(lost, St),
    _ = erlang:start_timer(Pause, self(), connect),
    St#state{phase = away, fd = undefined, pause = min(2 * Pause, ?MOST_PAUSE), give_up = Until}.

%% The connection is gone. A daemon that does not survive takes all with it.
broken(#state{phase = away} = St) ->
    St;
broken(#state{fd = Fd, survives = Survives} = St) ->
    _ = socket:close(Fd),
    St1 = St#state{phase = away, fd = undefined, recv_ref = undefined, send_ref = undefined,
                   buf = <<>>, rest = [], out = queue:new()},
    case Survives of
        true -> again(St1);
        false -> over(lost, St1)
    end.

hello(nil, #{<<"resume">> := Token, <<"seq">> := Seq} = Answer, #state{seen = Seen} = St) ->
    #{<<"features">> := Features, <<"client">> := Client, <<"limits">> := Limits} = Answer,
    Queue = maps:get(<<"client_queue">>, Limits, 1048576),
    St1 = St#state{phase = up, token = Token, client = Client, at = Seq, seen = max(Seen, Seq),
                   survives = lists:member(<<"survive">>, Features),
                   window = Queue div 4, most = Queue div 2,
                   pause = ?FIRST_PAUSE, give_up = undefined},
    _ = [gen_server:reply(From, the_session(St1)) || From <- St1#state.greeted],
    say_again(St1#state{greeted = []});
hello(<<"eacces", _/binary>>, _, #state{token = Token} = St) when Token =/= undefined ->
    over(no_session, St);
hello(Text, _, St) when is_binary(Text) ->
    over(Text, St);
hello(_, _, St) ->
    over(eproto, St).

the_session(#state{token = Token, handled = Seq, client = Client}) ->
    #{token => Token, seq => Seq, client => Client}.

say_again(#state{calls = Calls} = St) ->
    Kept = lists:sort([{N, Id, Body} || {Id, #call{n = N, body = Body}} <- maps:to_list(Calls)]),
    Frames = [frame(Id, Body) || {_, Id, Body} <- Kept],
    flush(St#state{out = queue:from_list(Frames)}).
