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
%%	recv		what comes of it is an event
%%	{send, Why, Key, Stream, Length}	a message, of an association
%%	{setup, Pid}	what comes of it is a socket of this process
%%	{accept, Pid}	the same, but the socket has no process yet
%%	{close, Sock}	ends a socket
%%
%% sctpd_window.erl says which sends are waited for (Why is no), and which only
%% for a place (full). What has its place already comes as {'$send', Key, Length,
%% Body}. If the daemon refuses what nobody waits for, that comes as sctp_send_failed.
%%
%% A request is kept until it is answered, and a notification until a request that
%% was written after it is. When the connection is restored, all that are kept are
%% written again, in order, but for the notifications that the daemon says it has:
%% it has carried out none of them. Answers come once by their ids, events by their
%% numbers. What was given to a socket's process counts as handled; a member of
%% a group says itself what it has handled (member, in sctpd_member.erl).
%%
%% What is to be written is written when nobody else asks, in one piece. Of gen_tcp
%% only the port is used, by messages, because nothing may block this process. What
%% the daemon does not read yet waits here: the window bounds that, and that
%% everybody else waits for an answer. It reads all that comes: the daemon bounds
%% that, because it keeps what is not acknowledged and stops at client_queue bytes.
-module(sctpd_conn).

-behaviour(gen_server).

-export([body/2, notify/2, ack/2, info/1, session/1, reason/1]).
-export([start_link/2, init/1, handle_call/3, handle_cast/2, handle_info/2, terminate/2,
         code_change/3, format_status/2]).

-define(HEAP, 8192).            % words: many messages are handled between two collections
-define(HELLO_ID, 0).
-define(FIRST_ID, 16).
-define(LONGEST, 16777216 + 65536).  % bytes of a message to sctpd, with what is beside the data
-define(READ, 131072).          % bytes of a read
-define(WRITE, 65536).          % bytes that are written together
-define(KEPT, 128).             % notifications that are kept before there is a request,
-define(KEPT_BYTES, 262144).    % and their bytes
-define(NAMES, 1024).           % of peers that are known
-define(ACK_MESSAGES, 64).
-define(ACK_BYTES, 65536).
-define(ACK_TIME, 200).
-define(FIRST_PAUSE, 2).
-define(MOST_PAUSE, 500).
-define(GIVE_UP, 30000).        % resume_time of the daemon

-record(call, {n, to, kind, weight = 0, body}).

-record(state, {
    path, name,
    member,                     % undefined, or the process that gets all events
    phase = new,                % away, greeting, up
    port,
    token, survives = false, client,
    greeted = [],               % who waits until it is up: session/1
    pause = ?FIRST_PAUSE, give_up,
    buf = <<>>,
    parts = [], missing = 0,    % what came after buf, the last first, and what is to come
    at = 0, seen = 0,           % number of the last message, and of the last that was new
    given = 0,                  % number of the last event that a member was given
    handled = 0, acked = 0, unacked = 0, ack_timer,
    next = ?FIRST_ID, calls = #{},
    notes = 0,                  % notifications of this session, and those that are kept:
    kept = queue:new(),         % {n, how many with it, bytes, body}
    kept_n = 0, kept_bytes = 0,
    ack = false,                % is acked to be written?
    busy = false,               % does the port have enough to write?
    out = [], out_bytes = 0,    % what is to be written, the last first
    names = #{},                % peers, by how they are packed
    pids = #{},                 % process => {monitor, its sockets}
    routes = #{},               % socket => process
    setups = 0,                 % requests that make a socket
    waiting = #{},              % socket without a process => {parent, its events, the last first}
    table, window               % of sctpd_window.erl
}).

%% ---- for those that ask --------------------------------------------------------

%% A request, but for its id.
body(Method, Args) ->
    iolist_to_binary([sctpd_msgpack:encode(Method), 16#91, sctpd_msgpack:encode(Args)]).

%% A notification: it is carried out once, in order with what is asked, and not answered.
notify(Conn, Body) -> Conn ! {'$note', Body}, ok.

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

%% Gives its table of sctpd_window.erl, too.
start_link(Path, Kind) ->
    case gen_server:start_link(?MODULE, {Path, Kind}, [{spawn_opt, [{min_heap_size, ?HEAP}]}]) of
        {ok, Conn} -> {ok, Conn, gen_server:call(Conn, table)};
        Other -> Other
    end.

%% ---- the process -----------------------------------------------------------------

init({Path, Kind}) ->
    process_flag(message_queue_data, off_heap),
    process_flag(trap_exit, true),      % to write what was sent when the application is stopped
    {Table, Window} = sctpd_window:new(),
    St = #state{path = Path, table = Table, window = Window},
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
handle_call(table, _, #state{table = Table} = St) -> {reply, Table, St, 0};
handle_call(session, _, #state{phase = up} = St) -> {reply, the_session(St), St, 0};
handle_call(session, From, #state{phase = new, greeted = Waiting} = St) ->
    done(try_connect(St#state{greeted = [From | Waiting]}));
handle_call(session, From, #state{greeted = Waiting} = St) ->
    {noreply, St#state{greeted = [From | Waiting]}};
handle_call(_, _, St) -> {reply, {error, badarg}, St, 0}.

handle_cast(_, St) -> {noreply, St, 0}.

handle_info({'$send', Key, Length, Body}, St) ->
    done(sent(Key, Length, Body, St));
handle_info({'$note', Body}, St) ->
    done(noted(byte_size(Body), Body, St));
handle_info({tcp, Port, Data}, #state{port = Port} = St) ->
    done(heard(Data, St));
handle_info({inet_reply, Port, Result}, #state{port = Port} = St) ->
    done(case Result of ok -> St; {error, _} -> broken(St) end);
handle_info({'$req', To, Kind, Body}, St) ->
    done(asked(To, Kind, Body, St));
handle_info(timeout, St) ->
    {noreply, flush(St)};
handle_info({free, Port}, #state{port = Port} = St) ->
    {noreply, flush(St#state{busy = false})};
handle_info({tcp_closed, Port}, #state{port = Port} = St) ->
    done(broken(St));
handle_info({tcp_error, Port, _}, #state{port = Port} = St) ->
    done(broken(St));
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
handle_info({window, Sock, Size}, #state{window = W} = St) ->
    done(St#state{window = sctpd_window:resize(Sock, Size, W)});
handle_info({'DOWN', _, process, Pid, _}, #state{member = Pid} = St) ->
    {stop, normal, St};
handle_info({'DOWN', _, process, Pid, _}, St) ->
    done(gone(Pid, St));
handle_info(_, St) ->
    done(St).

%% The port writes what it has before it ends.
terminate(_, St) ->
    case all_sent(St) of
        #state{phase = up, port = Port, out = Out} = St1 ->
            _ = put_out(Port, whole(ack_frame(St1), Out), [force]),
            ok;
        _ -> ok
    end.

code_change(_, St, _) -> {ok, St}.

%% The token is a secret, and messages are somebody's.
format_status(_, [_, St]) -> [{data, [{"State", described(St)}]}].

described(#state{phase = Phase, path = Path, calls = Calls, routes = Routes, window = W}) ->
    #{path => Path, phase => Phase, requests => map_size(Calls), sockets => map_size(Routes),
      waiting => sctpd_window:waiting(W)}.

%% What is to be written is written when nobody else asks, or there is much of it.
done(#state{out = [], ack = false} = St) -> {noreply, St};
done(#state{out_bytes = N} = St) when N >= ?WRITE -> {noreply, flush(St)};
done(#state{phase = up} = St) ->
    case process_info(self(), message_queue_len) of
        {_, 0} -> {noreply, flush(St)};
        _ -> {noreply, St, 0}
    end;
done(St) -> {noreply, St}.

%% Nobody waits for ever, and who asks later sees the process gone.
over(Why, #state{calls = Calls} = St) ->
    _ = [answer(To, {error, reason(Why)}) || #call{to = To} <- maps:values(Calls)],
    throw({stop, {shutdown, Why}, St}).

answer({alias, Alias}, Answer) -> Alias ! {Alias, Answer}, ok;
answer({pid, Pid, Tag}, Answer) -> Pid ! {answer, Tag, Answer}, ok;
answer(none, _) -> ok.

%% ---- requests --------------------------------------------------------------------

%% sctpd would end the connection for a message that is too long, and we would say it again and again.
asked(To, Kind, Body, St) ->
    case too_long(Kind, Body) of
        true ->
            answer(To, {error, <<"emsgsize: the request is longer than 16 MiB, which is what sctpd takes">>}),
            St;
        false ->
            taken(To, Kind, Body, St)
    end.

too_long({send, _, _, _, Length}, _) -> Length > ?LONGEST;
too_long(_, Body) -> iolist_size(Body) > ?LONGEST.

taken(To, {send, Why, Key, _, Length} = Kind, Body, #state{window = W} = St) ->
    case sctpd_window:ask(Key, Why, Length, {To, Kind, Body}, W) of
        {wait, W1} -> St#state{window = W1};
        {Weight, W1} -> placed({Weight, {To, Kind, Body}}, St#state{window = W1})
    end;
taken(To, {setup, Pid} = Kind, Body, #state{setups = N} = St) ->
    request(#call{to = To, kind = Kind, body = Body}, watch(Pid, St#state{setups = N + 1}));
taken(To, {accept, _} = Kind, Body, #state{setups = N} = St) ->
    request(#call{to = To, kind = Kind, body = Body}, St#state{setups = N + 1});
taken(To, {close, Sock} = Kind, Body, St) ->
    request(#call{to = To, kind = Kind, body = Body}, unsend(Sock, all_sent(St)));
taken(To, Kind, Body, St) ->
    request(#call{to = To, kind = Kind, body = Body}, St).

request(Call, #state{next = N} = St) when N band 16#ffffffff =:= ?HELLO_ID ->
    request(Call, St#state{next = N + 1});
request(#call{body = Body} = Call, #state{next = N, calls = Calls} = St) ->
    Id = N band 16#ffffffff,
    write(frame(Id, Body), iolist_size(Body),
          St#state{next = N + 1, calls = Calls#{Id => Call#call{n = N}}}).

frame(Id, Body) -> [<<16#94, 0, 16#ce, Id:32>>, Body].

note(Body) -> [<<16#93, 2>>, Body].

write(Frame, Size, #state{phase = up, out = Out, out_bytes = N} = St) ->
    St#state{out = [Frame | Out], out_bytes = N + Size};
write(_, _, #state{phase = new} = St) -> try_connect(St);
write(_, _, St) -> St.          % with all that is kept, when the session is up

%% ---- messages ------------------------------------------------------------------------

%% One that has its place, and that nobody waits for.
sent(Key, Length, Body, #state{window = W, kept_n = K, kept_bytes = B} = St) ->
    case sctpd_window:taken(Key, Length, K >= ?KEPT orelse B >= ?KEPT_BYTES, W) of
        {note, W1} ->
            noted(Length, Body, St#state{window = W1});
        {Weight, W1} ->
            request(#call{to = none, kind = {anchor, Key}, weight = Weight, body = Body},
                    St#state{window = W1})
    end.

%% A notification, or, where as many are kept already as may be, a request whose answer lets them go.
noted(_, Body, #state{kept_n = K} = St) when K >= ?KEPT ->
    request(#call{to = none, kind = plain, body = Body}, St);
noted(Length, Body, #state{next = N, notes = No, kept = Kept, kept_n = K, kept_bytes = B} = St) ->
    write(note(Body), Length, St#state{
        next = N + 1, notes = No + 1, kept_n = K + 1, kept_bytes = B + Length,
        kept = queue:in({N, No + 1, Length, Body}, Kept)}).

%% All that come before a close, or an end, also if those are faster: they come by other processes.
all_sent(St) ->
    receive {'$send', Key, Length, Body} -> all_sent(sent(Key, Length, Body, St))
    after 0 -> St
    end.

%% One that waited for its place, or found it free.
placed({Weight, {To, {send, full, Key, _, _}, Body}}, St) ->
    answer(To, {ok, #{}}),
    request(#call{to = none, kind = {anchor, Key}, weight = Weight, body = Body}, St);
placed({Weight, {To, {send, no, Key, Stream, Length}, Body}}, St) ->
    request(#call{to = To, kind = {send, Key, Stream, Length}, weight = Weight, body = Body}, St).

was_sent(Key, Weight, #state{window = W} = St) ->
    {Ready, W1} = sctpd_window:done(Key, Weight, W),
    lists:foldl(fun placed/2, St#state{window = W1}, Ready).

%% The daemon has all notifications that were written before an answered request.
arrived(N, #state{kept = Kept, kept_n = K, kept_bytes = B} = St) -> arrived(N, Kept, K, B, St).

arrived(N, Kept, K, B, St) ->
    case queue:peek(Kept) of
        {value, {M, _, Bytes, _}} when M < N -> arrived(N, queue:drop(Kept), K - 1, B - Bytes, St);
        _ when K =:= St#state.kept_n -> St;
        _ -> St#state{kept = Kept, kept_n = K, kept_bytes = B}
    end.

%% The socket is closed: what waits to be sent on it is not.
unsend(Sock, #state{window = W} = St) ->
    {Waiters, W1} = sctpd_window:close(Sock, W),
    _ = [answer(To, {error, closed}) || {To, _, _} <- Waiters],
    St#state{window = W1}.

%% An anchor was refused, and nobody waits: it is told as the daemon tells of a notification.
given_back(Text, Body, St) ->
    {<<"send">>, <<16#91, Packed/binary>>} = sctpd_msgpack:decode(iolist_to_binary(Body)),
    {#{<<"sock">> := Sock, <<"data">> := Data} = Args, <<>>} = sctpd_msgpack:decode(Packed),
    Info = maps:get(<<"sctp_sndrcvinfo">>, Args, maps:with([<<"assoc_id">>, <<"stream">>], Args)),
    happened(<<"sctp_send_failed">>, #{
        <<"sock">> => Sock, <<"info">> => Info, <<"assoc_id">> => maps:get(<<"assoc_id">>, Info),
        <<"data">> => Data, <<"reason">> => Text}, St).

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
    asked(none, {close, Sock}, body(close, #{sock => Sock}), forget(Sock, all_sent(St))).

forget(Sock, #state{routes = Routes, pids = Pids, waiting = Waiting, window = W} = St) ->
    {Waiters, W1} = sctpd_window:forget(Sock, W),
    _ = [answer(To, {error, closed}) || {To, _, _} <- Waiters],
    St1 = St#state{waiting = maps:remove(Sock, Waiting), routes = maps:remove(Sock, Routes), window = W1},
    case Routes of
        #{Sock := Pid} when is_map_key(Pid, Pids) ->
            {Mon, Socks} = map_get(Pid, Pids),
            St1#state{pids = Pids#{Pid := {Mon, lists:delete(Sock, Socks)}}};
        _ -> St1
    end.

%% ---- what the daemon says ---------------------------------------------------------------

heard(Data, #state{buf = Buf, parts = Parts, missing = Missing, unacked = N} = St) ->
    St1 = St#state{unacked = N + byte_size(Data)},
    case Missing - byte_size(Data) of
        Left when Left > 0 ->
            St1#state{parts = [Data | Parts], missing = Left};
        _ ->
            Whole = joined(Buf, Parts, Data),
            acknowledge_some(handled(parse(Whole, St1#state{parts = [], missing = 0})))
    end.

joined(<<>>, [], Data) -> Data;
joined(Buf, Parts, Data) -> iolist_to_binary([Buf | lists:reverse(Parts, [Data])]).

%% What a member was given is handled when it says so, and what came since with it.
handled(#state{member = undefined, at = At} = St) -> St#state{handled = At};
handled(#state{given = Given, handled = Handled, at = At} = St) when Handled >= Given ->
    St#state{handled = max(Handled, At)};
handled(St) -> St.

%% Most of what comes is data, and answers that say no more than done.
parse(<<>>, #state{buf = <<>>} = St) ->
    St;
parse(<<>>, St) ->
    St#state{buf = <<>>};
parse(<<16#93, 2, 16#a4, "data", _/binary>> = Bin, St) ->
    case sctpd_data:event(Bin) of
        {more, Missing} -> St#state{buf = Bin, missing = Missing};
        {Event, Rest} -> parse(Rest, data(Event, St));
        no -> parse_any(Bin, St)
    end;
parse(<<16#94, 1, 0:1, Id:7, 16#c0, 16#80, Rest/binary>>, St) when Id =/= ?HELLO_ID ->
    parse(Rest, responded(Id, nil, #{}, St));
parse(<<16#94, 1, 16#cc, Id, 16#c0, 16#80, Rest/binary>>, St) ->
    parse(Rest, responded(Id, nil, #{}, St));
parse(<<16#94, 1, 16#cd, Id:16, 16#c0, 16#80, Rest/binary>>, St) ->
    parse(Rest, responded(Id, nil, #{}, St));
parse(<<16#94, 1, 16#ce, Id:32, 16#c0, 16#80, Rest/binary>>, St) ->
    parse(Rest, responded(Id, nil, #{}, St));
parse(Bin, St) ->
    parse_any(Bin, St).

parse_any(Bin, St) ->
    case sctpd_msgpack:decode(Bin) of
        {Message, Rest} -> parse(Rest, said(Message, St));
        more -> St#state{buf = Bin};
        bad -> over(eproto, St)
    end.

data({Seq, Sock, From, Anc, Data}, #state{seen = Seen} = St) when Seq > Seen ->
    {Name, St1} = name_of(From, St),
    data_of(Sock, {data, Name, Anc, sctpd_term:own(Data)}, St1#state{at = Seq, seen = Seq});
data({Seq, _, _, _, _}, St) ->
    St#state{at = Seq}.         % it came before

data_of(Sock, Event, #state{member = Member, at = Seq} = St) when is_pid(Member) ->
    Member ! {data, Seq, Sock, Event},
    St#state{given = Seq};
data_of(Sock, Event, #state{routes = Routes} = St) ->
    case Routes of
        #{Sock := Pid} -> Pid ! {data, Event}, St;
        _ -> stray(Sock, {data, Event}, St)
    end.

name_of(From, #state{names = Names} = St) ->
    case Names of
        #{From := Name} ->
            {Name, St};
        _ ->
            {Map, <<>>} = sctpd_msgpack:decode(From),
            Name = sctpd_term:name_in(Map),
            Known = case map_size(Names) < ?NAMES of true -> Names; false -> #{} end,
            {Name, St#state{names = Known#{binary:copy(From) => Name}}}
    end.

said([1, ?HELLO_ID, Error, Result], #state{phase = greeting} = St) ->
    hello(Error, Result, St);
said([1, Id, Error, Result], St) ->
    responded(Id, Error, Result, St);
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

responded(Id, Error, Result, #state{at = At, seen = Seen, calls = Calls} = St) ->
    St1 = St#state{at = At + 1, seen = max(Seen, At + 1)},
    case maps:take(Id, Calls) of
        {#call{n = N} = Call, Rest} ->
            answered(Call, result(Error, Result), arrived(N, St1#state{calls = Rest}));
        error -> St1
    end.

result(nil, Result) -> {ok, Result};
result(Text, _) -> {error, Text}.

answered(#call{to = To, kind = plain}, Answer, St) ->
    answer(To, Answer),
    St;
answered(#call{to = To, kind = recv}, Answer, St) ->
    St1 = case Answer of
        {ok, #{<<"event">> := Event} = Fields} -> ended(Event, Fields, St);
        {error, _} -> St
    end,
    answer(To, Answer),
    St1;
answered(#call{kind = {anchor, Key}, weight = Weight, body = Body}, Answer, St) ->
    St1 = was_sent(Key, Weight, St),
    case Answer of
        {ok, _} -> St1;
        {error, Text} -> given_back(Text, Body, St1)
    end;
answered(#call{to = To, kind = {send, Key, Stream, Length}, weight = Weight}, Answer, St) ->
    #state{window = W, member = Member} = St,
    W1 = case Answer of
        {ok, _} when Member =:= undefined -> sctpd_window:warm(Key, Stream, Length, W);
        {ok, _} -> W;
        {error, _} -> sctpd_window:ended(Key, W)
    end,
    answer(To, Answer),
    was_sent(Key, Weight, St#state{window = W1});
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
    St1 = ended(Event, Fields, St),
    case Routes of
        #{Sock := Pid} ->
            Pid ! {event, Event, Fields},
            came_with(Event, Fields, Pid, St1);
        _ ->
            stray(Sock, {event, Event, Fields}, St1)
    end;
happened(_, _, St) ->
    St.

%% Events after which a send may be refused.
ended(<<"sctp_assoc_change">>, #{<<"state">> := <<"comm_up">>}, St) -> St;
ended(Event, #{<<"sock">> := Sock, <<"assoc_id">> := Id}, #state{window = W} = St)
  when Event =:= <<"sctp_assoc_change">>; Event =:= <<"sctp_shutdown_event">>;
       Event =:= <<"sctp_send_failed">> ->
    St#state{window = sctpd_window:ended({Sock, Id}, W)};
ended(_, _, St) -> St.

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
acknowledge(#state{phase = up, handled = Seq, acked = Acked} = St) when Seq > Acked ->
    St#state{acked = Seq, unacked = 0, ack = true};     % of several that wait only the last is written
acknowledge(St) ->
    St.

%% ---- writing ---------------------------------------------------------------------------

%% In pieces, and the next one when the port has written the last: what it has comes
%% before an acknowledgement, and a daemon that waits for that might not read on.
flush(#state{phase = up, busy = false, port = Port, out = Out} = St) when Out =/= []; St#state.ack ->
    {Now, Later, Bytes} = piece(St),
    case put_out(Port, whole(ack_frame(St), Now), [nosuspend]) of
        true -> flush(St#state{out = Later, out_bytes = Bytes, ack = false});
        false -> tell_when_free(Port), St#state{busy = true};
        gone -> broken(St)
    end;
flush(St) ->
    St.

piece(#state{out = Out, out_bytes = Bytes}) when Bytes =< 2 * ?WRITE -> {Out, [], 0};
piece(#state{out = Out, out_bytes = Bytes}) -> piece(lists:reverse(Out), [], 0, Bytes).

piece([Frame | Frames], Now, Size, Bytes) when Size < ?WRITE ->
    piece(Frames, [Frame | Now], Size + iolist_size(Frame), Bytes);
piece([], Now, _, _) -> {Now, [], 0};
piece(Later, Now, Size, Bytes) -> {Now, lists:reverse(Later), max(0, Bytes - Size)}.

%% A command waits while the port is busy; this one writes nothing.
tell_when_free(Port) ->
    Conn = self(),
    _ = spawn(fun() ->
        _ = put_out(Port, <<>>, []),
        Conn ! {free, Port}
    end),
    ok.

ack_frame(#state{ack = false}) -> [];
ack_frame(#state{acked = Seq}) ->
    [<<16#93, 2>>, sctpd_msgpack:encode(ack), 16#91, sctpd_msgpack:encode(#{seq => Seq})].

%% Of many parts the port would write 16 at a time.
whole([], [Frame]) -> Frame;
whole(Ack, Out) -> iolist_to_binary([Ack | lists:reverse(Out)]).

%% The port says {inet_reply, Port, Result}.
put_out(Port, Data, How) ->
    try erlang:port_command(Port, Data, How) catch error:badarg -> gone end.

%% ---- the session -----------------------------------------------------------------------

try_connect(#state{path = Path, token = Token, acked = Acked} = St) ->
    case connect(Path) of
        {ok, Port} ->
            St1 = St#state{phase = greeting, port = Port, at = Acked, buf = <<>>},
            Args = case Token of
                undefined -> #{name => {str, name(St)}, resume => true};
                _ -> #{resume => {str, Token}, seq => Acked}
            end,
            case put_out(Port, frame(?HELLO_ID, body(hello, Args)), [force]) of
                true -> St1;
                gone -> broken(St1)
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
    Address = {local, unicode:characters_to_binary(Path)},
    Options = [{inet_backend, inet}, local, binary, {packet, raw}, {active, true}, {buffer, ?READ}],
    try gen_tcp:connect(Address, 0, Options) of
        {ok, Port} -> connected(Port, inet:peername(Port));
        {error, _} = E -> E
    catch
        _:_ -> {error, einval}
    end.

%% The port takes eagain, too, for a connection that is begun.
connected(Port, {ok, _}) -> {ok, Port};
connected(Port, {error, _}) -> port_close(Port), {error, eagain}.

again(#state{pause = Pause, give_up = GiveUp} = St) ->
    Now = erlang:monotonic_time(millisecond),
    Until = case GiveUp of
        undefined -> Now + application:get_env(sctpd, reconnect_time, ?GIVE_UP);
        _ -> GiveUp
    end,
    Now < Until orelse over(lost, St),
    _ = erlang:start_timer(Pause, self(), connect),
    St#state{phase = away, port = undefined, pause = min(2 * Pause, ?MOST_PAUSE), give_up = Until}.

%% The connection is gone. A daemon that does not survive takes all with it.
broken(#state{phase = away} = St) ->
    St;
broken(#state{port = Port, token = Token, survives = Survives} = St) ->
    try port_close(Port) catch error:badarg -> true end,
    St1 = St#state{phase = away, port = undefined, buf = <<>>, parts = [], missing = 0,
                   out = [], out_bytes = 0, ack = false, busy = false},
    %% One that dies before there is a session is waited for as well.
    case Survives orelse Token =:= undefined of
        true -> again(St1);
        false -> over(lost, St1)
    end.

hello(nil, #{<<"resume">> := Token, <<"seq">> := Seq} = Answer, #state{seen = Seen, window = W} = St) ->
    #{<<"features">> := Features, <<"client">> := Client, <<"limits">> := Limits} = Answer,
    Queue = maps:get(<<"client_queue">>, Limits, 1048576),
    St1 = St#state{phase = up, token = Token, client = Client, at = Seq, seen = max(Seen, Seq),
                   survives = lists:member(<<"survive">>, Features),
                   window = sctpd_window:limit(Queue, W),
                   pause = ?FIRST_PAUSE, give_up = undefined},
    _ = [gen_server:reply(From, the_session(St1)) || From <- St1#state.greeted],
    say_again(maps:get(<<"notifications">>, Answer, 0), St1#state{greeted = []});
hello(<<"eacces", _/binary>>, _, #state{token = Token} = St) when Token =/= undefined ->
    over(no_session, St);
hello(Text, _, St) when is_binary(Text) ->
    over(Text, St);
hello(_, _, St) ->
    over(eproto, St).

the_session(#state{token = Token, handled = Seq, client = Client}) ->
    #{token => Token, seq => Seq, client => Client}.

%% The daemon has so many notifications: the others, and all requests, in order.
say_again(Had, #state{calls = Calls, notes = No, kept = Kept} = St) ->
    Notes = [Note || {_, Nth, _, _} = Note <- queue:to_list(Kept), Nth > Had],
    Frames = [{N, frame(Id, Body)} || {Id, #call{n = N, body = Body}} <- maps:to_list(Calls)]
        ++ [{N, note(Body)} || {N, _, _, Body} <- Notes],
    flush(St#state{out = [Frame || {_, Frame} <- lists:reverse(lists:keysort(1, Frames))],
                   notes = max(No, Had), kept = queue:from_list(Notes), kept_n = length(Notes),
                   kept_bytes = lists:sum([Bytes || {_, _, Bytes, _} <- Notes])}).
