%% SPDX-License-Identifier: BSD-2-Clause
%%
%% The driver of client-lib/erlang for tests/conformance: see README.md there.
%% What is under test is the connection, sctpd_conn, as members of groups have
%% it: what it gave is handled when the program says so.
%%
%% The library has no connections without a session: a plain one is a session
%% that waits for no daemon.
-module(driver).

-export([main/0]).
-include_lib("kernel/include/inet_sctp.hrl").

-record(state, {
    port, path, conn,
    client,                     % our number
    calls = #{},                % tag of a request => its ID
    events = #{},               % socket => events that were not taken, or the code of its end
    takers = [],                % sockets whose next event is waited for, in order
    taken = #{},                % socket => number of the event that was taken last
    given = []                  % numbers that were given and are not handled, in order
}).

main() ->
    [Path] = init:get_plain_arguments(),
    logger:set_primary_config(level, none),     % why a connection ends is said below
    Port = open_port({fd, 0, 1}, [binary, eof, {line, 1 bsl 25}]),
    loop(#state{port = Port, path = Path}).

loop(#state{port = Port, conn = Conn} = St) ->
    receive
        {Port, {data, {eol, Line}}} ->
            loop(said(binary:split(Line, <<" ">>, [global, trim_all]), St));
        {Port, eof} -> halt();
        {answer, Tag, Answer} -> loop(answered(Tag, Answer, St));
        {event, Seq, Name, Fields} -> loop(happened(Seq, Name, Fields, St));
        {data, Seq, Sock, Data} -> loop(happened(Seq, <<"data">>, fields(Sock, Data), St));
        {'EXIT', Conn, Why} -> loop(over(Why, St))
    end.

%% ---- lines ---------------------------------------------------------------------

said([<<"connect">>, Kind, Ms | Resume], St) ->
    Patience = case Kind of <<"plain">> -> 0; _ -> binary_to_integer(Ms) end,
    application:set_env(sctpd, reconnect_time, Patience),
    process_flag(trap_exit, true),
    {ok, Conn, _} = sctpd_conn:start_link(St#state.path, kind(Resume)),
    try sctpd_conn:session(Conn) of
        #{token := Token, client := Client} ->
            say(#{connected => true, token => Token}, St),
            St#state{conn = Conn, client = Client}
    catch
        exit:{{shutdown, Why}, _} -> say(#{connected => false, error => code(Why)}, St), St
    end;
said([<<"call">>, Ident, Method | Words], #state{conn = Conn, calls = Calls} = St) ->
    Tag = make_ref(),
    case is_process_alive(Conn) of
        true -> Conn ! {'$req', {pid, self(), Tag}, plain, body(Method, Words)};
        false -> ok             % that is told below
    end,
    St#state{calls = Calls#{Tag => Ident}};
said([<<"notify">>, Method | Words], #state{conn = Conn} = St) ->
    sctpd_conn:notify(Conn, body(Method, Words)),
    St;
said([<<"next">>, Sock], St) ->
    S = binary_to_integer(Sock),
    given(S, handled(S, St#state{takers = St#state.takers ++ [S]})).

kind([]) -> {member, self(), undefined};
kind([Token, Seq]) -> {member, self(), undefined, #{token => Token, seq => binary_to_integer(Seq)}}.

body(Method, Words) ->
    Args = maps:from_list([{Key, value(Value)} || Word <- Words, [Key, Value] <- [binary:split(Word, <<"=">>)]]),
    sctpd_conn:body(binary_to_atom(Method), Args).

value(Text) ->
    try binary_to_integer(Text) catch error:badarg -> {str, Text} end.

%% What of a message was read by hand is a term of gen_sctp's.
fields(Sock, {data, _, [#sctp_sndrcvinfo{assoc_id = Id, stream = Stream} | _], Data}) ->
    #{<<"sock">> => Sock, <<"sctp_sndrcvinfo">> => #{<<"assoc_id">> => Id, <<"stream">> => Stream}, <<"data">> => Data};
fields(Sock, {data, _, [], Data}) ->
    #{<<"sock">> => Sock, <<"data">> => Data}.

%% ---- what comes ------------------------------------------------------------------

answered(Tag, Answer, #state{calls = Calls} = St) ->
    {Ident, Left} = maps:take(Tag, Calls),
    case Answer of
        {ok, Result} -> say(#{id => Ident, ok => Result}, St);
        {error, Text} -> say(#{id => Ident, error => code(Text)}, St)
    end,
    St#state{calls = Left}.

%% Another client has the socket now: what waits of it is that one's.
happened(Seq, <<"owner">>, #{<<"sock">> := Sock, <<"owner">> := Owner}, #state{client = Client} = St)
  when Owner =/= Client ->
    given(Sock, ended(Sock, St#state{given = St#state.given ++ [{Sock, Seq}]}));
happened(Seq, Name, #{<<"sock">> := Sock} = Fields, #state{events = Events, given = Given} = St) ->
    Waiting = maps:get(Sock, Events, []),
    given(Sock, St#state{events = Events#{Sock => Waiting ++ [{Seq, Name, Fields}]},
                         given = Given ++ [{Sock, Seq}]});
happened(_, _, _, St) ->
    St.

ended(Sock, #state{events = Events, given = Given} = St) ->
    St#state{events = Events#{Sock => lost}, given = [G || {S, _} = G <- Given, S =/= Sock]}.

%% What is taken next of a socket, if somebody waits for it.
given(Sock, #state{takers = Takers, events = Events, taken = Taken} = St) ->
    case {lists:member(Sock, Takers), maps:get(Sock, Events, [])} of
        {true, lost} ->
            say(#{event => null, error => lost}, St),
            St#state{takers = lists:delete(Sock, Takers)};
        {true, [{Seq, Name, Fields} | Left]} ->
            say(#{event => Name, fields => Fields}, St),
            St#state{takers = lists:delete(Sock, Takers), events = Events#{Sock := Left},
                     taken = Taken#{Sock => Seq}};
        _ -> St
    end.

%% What was taken of a socket before is handled; the rest of what was given is not.
handled(Sock, #state{taken = Taken, given = Given, conn = Conn} = St) ->
    case Taken of
        #{Sock := Seq} ->
            {Done, Left} = lists:splitwith(fun({S, N}) -> S =:= Sock andalso N =< Seq end, Given),
            [sctpd_conn:ack(Conn, N) || {_, N} <- lists:sublist(lists:reverse(Done), 1)],
            St#state{given = Left, taken = maps:remove(Sock, Taken)};
        _ -> St
    end.

over({shutdown, Why}, #state{calls = Calls, takers = Takers} = St) ->
    _ = [say(#{id => Ident, error => code(Why)}, St) || Ident <- maps:values(Calls)],
    _ = [say(#{event => null, error => code(Why)}, St) || _ <- Takers],
    St#state{calls = #{}, takers = []}.

%% ---- JSON ------------------------------------------------------------------------

%% What programs are told of the end of a connection is closed; which end it was is
%% in the text.
code(Why) when is_atom(Why) -> Why;
code(Text) ->
    case [Why || Why <- [lost, superseded, no_session, eproto], sctpd_conn:reason(Why) =:= Text] of
        [Why] -> Why;
        [] -> hd(binary:split(Text, <<":">>))
    end.

say(What, #state{port = Port}) ->
    true = port_command(Port, [json(What), $\n]),
    ok.

json(Map) when is_map(Map) ->
    Pairs = [[json(Key), $:, json(K, V)] || {K, V} <- maps:to_list(Map), Key <- [text(K)]],
    [${, lists:join($,, Pairs), $}];
json(List) when is_list(List) -> [$[, lists:join($,, [json(V) || V <- List]), $]];
json({text, Text}) -> [$", [escaped(C) || <<C>> <= Text], $"];
json(nil) -> <<"null">>;
json(N) when is_integer(N) -> integer_to_binary(N);
json(F) when is_float(F) -> float_to_binary(F);
json(A) when A =:= true; A =:= false; A =:= null -> atom_to_binary(A);
json(V) -> json(text(V)).

%% Erlang's binaries are strings and bytes alike; sctpd's fields of bytes are these.
json(Key, Bytes) when is_binary(Bytes), Key =:= <<"data">> orelse Key =:= <<"info">> ->
    [<<"{\"bytes\":\"">>, << <<(digit(N))>> || <<N:4>> <= Bytes >>, <<"\"}">>];
json(_, V) -> json(V).

digit(N) when N < 10 -> $0 + N;
digit(N) -> $a + N - 10.

text(A) when is_atom(A) -> {text, atom_to_binary(A)};
text(B) when is_binary(B) -> {text, B}.

escaped(C) when C < 32; C =:= $"; C =:= $\\; C > 126 -> io_lib:format("\\u~4.16.0b", [C]);
escaped(C) -> C.
