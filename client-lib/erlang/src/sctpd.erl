%% SPDX-License-Identifier: BSD-2-Clause
%%
%% @doc Erlang's gen_sctp over sctpd: the same functions, records, messages and
%% errors, and those of inet that SCTP programs call. A program of gen_sctp's
%% runs after gen_sctp: and, for its SCTP sockets, inet: were renamed to sctpd:.
%% README.md beside this file has the differences.
%%
%% A socket has a process, in sctpd_socket.erl, and shares a connection to the
%% daemon with others, in sctpd_conn.erl; this module checks arguments, asks, and
%% gives answers gen_sctp's shape. Any process may use a socket; what comes in an
%% active mode is sent to its controlling process, with which it ends.
%%
%% Addresses are tuples, host names, or maps as socket:sockaddr_in() has them;
%% times are milliseconds or infinity; bad types are badarg exceptions.
-module(sctpd).

-export([open/0, open/1, open/2, close/1, listen/2, accept/1, accept/2, peeloff/2,
         connect/3, connect/4, connect/5, connect_init/3, connect_init/4, connect_init/5,
         connectx_init/3, connectx_init/4, connectx_init/5,
         send/3, send/4, recv/1, recv/2, eof/2, abort/2, abort/3,
         controlling_process/2, handle/1, adopt/1, adopt/2, error_string/1, error_text/0, call/3]).
-export([info/1, monitor/1, cancel_monitor/1]).
-export([group/3, ungroup/2, join/1, join/2, ack/2, ack/3, drain/1, leave/1]).
-export([setopts/2, getopts/2, getstat/1, getstat/2, port/1, sockname/1, socknames/1,
         socknames/2, peername/1, peernames/1, peernames/2]).

-include_lib("kernel/include/inet_sctp.hrl").
-include("sctpd.hrl").

-export_type([socket/0, sctp_socket/0, assoc_id/0, sockaddr/0, option/0, option_name/0, option_value/0]).
-opaque socket() :: #'$sctpd'{}.
-type sctp_socket() :: socket().        % its name in gen_sctp
-type assoc_id() :: non_neg_integer().
-type assoc() :: #sctp_assoc_change{} | assoc_id().
-type address() :: inet:ip_address() | inet:hostname().
-type sockaddr() :: #{family => inet | inet6, addr => any | loopback | broadcast | inet:ip_address(),
                      port => inet:port_number(), scope_id => non_neg_integer(), flowinfo => non_neg_integer()}.
-type name() :: {inet:ip_address(), inet:port_number()}.
-type option_name() :: atom().
-type option_value() :: term().
-type option() :: {option_name(), option_value()} | inet | inet6 | list | binary.
-type reason() :: inet:posix() | closed | timeout | {type, term()}.
-type message() :: {inet:ip_address(), inet:port_number(), Anc :: list(),
                    Data :: binary() | string() | tuple()}.
-type received() :: {ok, message()} | {error, message() | reason()}.

%% ---- open and close ----------------------------------------------------------

%% @doc Open a socket, bind it and be its controlling process. Options, besides
%% those of setopts: {ip, IP} or {ifaddr, IP}, once for each local address (a
%% tuple, any, loopback, or a sockaddr map); {port, Port}; inet or inet6;
%% {send_window, auto | Bytes}, of send/4, which is 0 where non_block_send or
%% send_timeout is set;
%% {type, seqpacket | stream}; {sctpd_socket, Path} to say where the daemon is,
%% else the application variable sctpd:socket, the environment variable
%% SCTPD_SOCKET, or /run/sctpd/sctpd.sock.
-spec open() -> {ok, socket()} | {error, reason()}.
open() -> open([]).

%% @doc The same with a port, or with options.
-spec open(inet:port_number() | [option()]) -> {ok, socket()} | {error, reason()}.
open(Opts) when is_list(Opts) -> open(0, Opts);
open(Port) when is_integer(Port) -> open(Port, []);
open(_) -> error(badarg).

%% @doc The same with a port and options.
-spec open(inet:port_number(), [option()]) -> {ok, socket()} | {error, reason()}.
open(Port, Opts) when is_integer(Port), Port >= 0, Port < 16#10000, is_list(Opts) ->
    case try_throw(fun() -> open_args(Opts, #{port => Port}, [], []) end) of
        {ok, {Path, Args, Local}} ->
            Family = maps:get(family, Args, inet),
            opened(sctpd_socket:start(Path, open, Args, Local, Family));
        {error, _} = E -> opened(E)
    end;
open(_, _) -> error(badarg).

%% Whatever is wrong with the arguments is an exception.
opened({ok, _} = Answer) -> Answer;
opened({error, Reason}) when is_binary(Reason) -> opened(failed(Reason));
opened({error, einval}) -> error(badarg);
opened({error, eafnosupport}) -> error(badarg);
opened({error, {type, _}}) -> error(badarg);
opened({error, _} = E) -> E.

open_args([], Args, IPs, Opts) ->
    Family = maps:get(family, Args, inet),
    Addrs = [sctpd_term:ip_out(Family, IP) || IP <- lists:reverse(IPs)],
    Path = maps:get(sctpd_socket, Args, default_path()),
    {Locals, Remotes} = split_options(last_of_each(lists:reverse(Opts))),
    Args1 = maps:without([sctpd_socket], Args),
    Args2 = case Addrs of [] -> Args1; _ -> Args1#{ip => Addrs} end,
    {Path, Args2#{options => Remotes}, maps:merge(#{mode => binary}, Locals)};
open_args([Opt | Rest], Args, IPs, Opts) ->
    case Opt of
        {ip, IP} -> open_ip(IP, Rest, Args, IPs, Opts);
        {ifaddr, IP} -> open_ip(IP, Rest, Args, IPs, Opts);
        {port, P} -> open_args(Rest, Args#{port => port_number(P)}, IPs, Opts);
        inet -> open_args(Rest, Args#{family => inet}, IPs, Opts);
        inet6 -> open_args(Rest, Args#{family => inet6}, IPs, Opts);
        {type, T} when T =:= seqpacket; T =:= stream ->
            open_args(Rest, Args#{type => T}, IPs, Opts);
        {type, _} -> throw(einval);
        {sctpd_socket, Path} -> open_args(Rest, Args#{sctpd_socket => Path}, IPs, Opts);
        _ -> open_args(Rest, Args, IPs, [Opt | Opts])
    end.

open_ip(#{} = Sockaddr, Rest, Args, IPs, Opts) ->
    {IP, Port} = sctpd_term:of_sockaddr(Sockaddr),
    Args1 = case Port of 0 -> Args; _ -> Args#{port => Port} end,
    open_ip(IP, Rest, Args1, IPs, Opts);
open_ip(IP, Rest, Args, IPs, Opts) ->
    Args1 = case sctpd_term:is_ipv6(IP) andalso not is_map_key(family, Args) of
        true -> Args#{family => inet6};
        false -> Args
    end,
    open_args(Rest, Args1, [IP | IPs], Opts).

default_path() ->
    case application:get_env(sctpd, socket) of
        {ok, Path} -> Path;
        undefined -> os:getenv("SCTPD_SOCKET", "/run/sctpd/sctpd.sock")
    end.

%% The last of several of one name counts.
last_of_each(Opts) ->
    [O || {I, O} <- lists:zip(lists:seq(1, length(Opts)), Opts),
          not lists:any(fun(Later) -> option_name(Later) =:= option_name(O) end,
                        lists:nthtail(I, Opts))].

option_name({Name, _}) -> Name;
option_name(list) -> mode;
option_name(binary) -> mode;
option_name(Other) -> Other.

%% Options that the module keeps, as a map, and those for the daemon.
split_options(Opts) ->
    Out = [sctpd_term:option_out(O) || O <- Opts],
    Remote = [NV || {remote, NV} <- Out],
    {maps:merge(no_window(Remote), maps:from_list([{N, V} || {local, N, V} <- Out])), Remote}.

%% Options that say how each send is to be waited for.
no_window(Remote) ->
    case [N || [N, V] <- Remote, {N, V} =:= {non_block_send, true} orelse N =:= send_timeout andalso V =/= infinity] of
        [] -> #{};
        _ -> #{send_window => 0}
    end.

%% @doc Close a socket and all its associations; what was sent still arrives, unless
%% linger says otherwise. Closing it twice is ok.
-spec close(socket()) -> ok | {error, reason()}.
close(S) ->
    case sctpd_socket:close(socket(S)) of
        {error, Text} when is_binary(Text) -> failed(Text);
        ok -> ok
    end.

%% @doc Take new associations (true, or any number but 0), or no more. Those of a
%% stream socket are taken by accept.
-spec listen(socket(), boolean() | integer()) -> ok | {error, reason()}.
listen(S, Backlog) when is_boolean(Backlog) -> done(request(S, listen, #{backlog => Backlog}));
listen(S, Backlog) when is_integer(Backlog) ->
    done(request(S, listen, #{backlog => Backlog band 16#ffff}));
listen(_, _) -> error(badarg).

%% @doc Not in gen_sctp: the next association of a listening stream socket, as a
%% socket of its own with the caller as its controlling process.
-spec accept(socket()) -> {ok, socket()} | {error, reason()}.
accept(S) -> accept(S, infinity).

%% @doc The same for so many ms, then {error, timeout}.
-spec accept(socket(), timeout()) -> {ok, socket()} | {error, reason()}.
accept(S, Timeout) ->
    is_timeout(Timeout) orelse error(badarg),
    case sctpd_socket:accept(socket(S), Timeout) of
        {ok, _} = Answer -> Answer;
        {error, Reason} -> failed(Reason)
    end.

%% @doc Branch an association off into a socket of its own, which the caller controls.
-spec peeloff(socket(), assoc()) -> {ok, socket()} | {error, reason()}.
peeloff(S, #sctp_assoc_change{assoc_id = Id}) -> peeloff(S, Id);
peeloff(S, Id) when is_integer(Id) ->
    with_id(Id, fun() -> peel_off(socket(S), Id) end);
peeloff(_, _) -> error(function_clause).

peel_off(#'$sctpd'{sock = Sock, family = Family, table = Table} = S, Id) ->
    sctpd_window:cool(Table, Sock),
    case sctpd_socket:info(S) of
        {ok, Local} ->
            Args = #{sock => Sock, assoc_id => Id},
            case sctpd_socket:start(S, peeloff, Args, maps:with([mode, send_window, show_closed], Local), Family) of
                {ok, _} = Answer -> Answer;
                {error, Reason} -> failed(Reason)
            end;
        {error, closed} = E -> E
    end.

%% ---- associations ------------------------------------------------------------

%% @doc Set an association up and wait for its #sctp_assoc_change{}. Options are set
%% first. A timeout takes the attempt back.
-spec connect(socket(), sockaddr(), [option()]) ->
    {ok, #sctp_assoc_change{}} | {error, #sctp_assoc_change{} | reason()}.
connect(S, Sockaddr, Opts) -> connect(S, Sockaddr, Opts, infinity).

%% @doc The same with a timeout, or with an address and a port.
-spec connect(socket(), sockaddr(), [option()], timeout()) ->
    {ok, #sctp_assoc_change{}} | {error, #sctp_assoc_change{} | reason()};
    (socket(), address(), inet:port_number(), [option()]) ->
    {ok, #sctp_assoc_change{}} | {error, #sctp_assoc_change{} | reason()}.
connect(S, #{} = Sockaddr, Opts, Timeout) ->
    {Addr, Port} = sctpd_term:of_sockaddr(Sockaddr),
    connect(S, Addr, Port, Opts, Timeout);
connect(S, Addr, Port, Opts) ->
    connect(S, Addr, Port, Opts, infinity).

%% @doc The same with a port and a timeout: ms for all of it.
-spec connect(socket(), address(), inet:port_number(), [option()], timeout()) ->
    {ok, #sctp_assoc_change{}} | {error, #sctp_assoc_change{} | reason()}.
connect(S, Addr, Port, Opts, Timeout) ->
    case set_up(S, connect, [Addr], Port, Opts, Timeout) of
        {ok, Result} ->
            {event, _, _, Change} =
                sctpd_term:event(Result#{<<"event">> => <<"sctp_assoc_change">>}),
            {ok, Change};
        {error, <<"cant_assoc", _/binary>> = Text} ->
            _ = failed(Text),
            {error, cant_assoc(Text)};
        {error, Text} -> failed(Text)
    end.

%% The daemon's sentence has the numbers.
cant_assoc(Text) ->
    Number = fun(What) ->
        case re:run(Text, [What, " (\\d+)"], [{capture, [1], list}]) of
            {match, [N]} -> list_to_integer(N);
            nomatch -> 0
        end
    end,
    #sctp_assoc_change{state = cant_assoc, error = Number("error"), assoc_id = Number("assoc_id")}.

%% @doc Begin to set an association up. How it ends comes as #sctp_assoc_change{};
%% Timeout is for the resolution of the name.
-spec connect_init(socket(), sockaddr(), [option()]) ->
    ok | {error, reason()}.
connect_init(S, Sockaddr, Opts) -> connect_init(S, Sockaddr, Opts, infinity).

%% @doc The same with a timeout, or with an address and a port.
-spec connect_init(socket(), sockaddr(), [option()], timeout()) ->
    ok | {error, reason()};
    (socket(), address(), inet:port_number(), [option()]) ->
    ok | {error, reason()}.
connect_init(S, #{} = Sockaddr, Opts, Timeout) ->
    {Addr, Port} = sctpd_term:of_sockaddr(Sockaddr),
    connect_init(S, Addr, Port, Opts, Timeout);
connect_init(S, Addr, Port, Opts) ->
    connect_init(S, Addr, Port, Opts, infinity).

%% @doc The same with a port and a timeout: ms for the name.
-spec connect_init(socket(), address(), inet:port_number(), [option()], timeout()) ->
    ok | {error, reason()}.
connect_init(S, Addr, Port, Opts, Timeout) ->
    done(set_up(S, connect_init, [Addr], Port, Opts, Timeout)).

%% @doc The same with several addresses of the peer; gives the association's id.
-spec connectx_init(socket(), [sockaddr()], [option()]) ->
    {ok, assoc_id()} | {error, reason()}.
connectx_init(S, Sockaddrs, Opts) -> connectx_init(S, Sockaddrs, Opts, infinity).

%% @doc The same with a timeout, or with an address and a port.
-spec connectx_init(socket(), [sockaddr()], [option()], timeout()) ->
    {ok, assoc_id()} | {error, reason()};
    (socket(), [address()], inet:port_number(), [option()]) ->
    {ok, assoc_id()} | {error, reason()}.
connectx_init(S, [#{} | _] = Sockaddrs, Opts, Timeout) ->
    {Addrs, Ports} = lists:unzip([sctpd_term:of_sockaddr(A) || A <- Sockaddrs]),
    case [P || P <- Ports, P =/= 0] of
        [] -> error(badarg);
        Given -> connectx_init(S, Addrs, lists:last(Given), Opts, Timeout)
    end;
connectx_init(S, Addrs, Port, Opts) ->
    connectx_init(S, Addrs, Port, Opts, infinity).

%% @doc The same with a port and a timeout: ms for the names.
-spec connectx_init(socket(), [address()], inet:port_number(), [option()], timeout()) ->
    {ok, assoc_id()} | {error, reason()}.
connectx_init(S, Addrs, Port, Opts, Timeout) when is_list(Addrs) ->
    lists:member("", Addrs) andalso error(badarg),
    case set_up(S, connect_init, Addrs, Port, Opts, Timeout) of
        {ok, #{<<"assoc_id">> := Id}} -> {ok, Id};
        {error, nxdomain} -> error(badarg);
        {error, Reason} -> failed(Reason)
    end;
connectx_init(_, _, _, _, _) -> error(badarg).

%% What they have in common: resolve the names, then ask, in one Timeout.
set_up(S, Method, Addrs, Port, Opts, Timeout) ->
    is_timeout(Timeout) andalso is_list(Opts) orelse error(badarg),
    #'$sctpd'{family = Family} = socket(S),
    Deadline = deadline(Timeout),
    Prepare = fun() ->
        {Local, Remote} = split_options(Opts),
        {Local, #{addr => [resolve(A, Family, Deadline) || A <- Addrs],
                  port => port_number(Port), options => Remote}}
    end,
    case try_throw(Prepare) of
        {ok, {Local, Args}} ->
            case sctpd_socket:set_local(S, Local) of
                ok -> begin_to_connect(S, Method, Args, Deadline);
                {error, _} = E -> E
            end;
        {error, _} = E ->
            case is_open(S) of true -> E; false -> {error, closed} end
    end.

begin_to_connect(S, connect, Args, Deadline) ->
    sctpd_socket:connect(S, Args#{timeout => left(Deadline)});
begin_to_connect(S, connect_init, Args, _) ->
    request(S, connect_init, Args).

port_number(Port) when is_integer(Port), Port >= 0, Port < 16#10000 -> Port;
port_number(Name) when is_atom(Name) ->
    case inet:getservbyname(Name, sctp) of
        {ok, Port} -> Port;
        {error, _} -> throw(einval)
    end;
port_number(_) -> throw(einval).

%% In a process of its own where a name server may have to be asked.
resolve(IP, Family, _) when is_tuple(IP) ->
    _ = Family =:= inet andalso sctpd_term:is_ipv6(IP) andalso throw(eafnosupport),
    sctpd_term:ip_out(Family, IP);
resolve(Name, Family, Deadline) when is_atom(Name); is_list(Name), Name =/= "" ->
    {Pid, Mon} = spawn_monitor(fun() -> exit({addr, inet:getaddr(Name, Family)}) end),
    receive
        {'DOWN', Mon, _, _, {addr, {ok, IP}}} -> sctpd_term:ip_out(Family, IP);
        {'DOWN', Mon, _, _, {addr, {error, Why}}} -> throw(Why);
        {'DOWN', Mon, _, _, _} -> throw(einval)
    after left(Deadline) ->
        exit(Pid, kill),
        demonitor(Mon, [flush]),
        throw(timeout)
    end;
resolve(_, _, _) ->
    throw(einval).

deadline(infinity) -> infinity;
deadline(Timeout) -> erlang:monotonic_time(millisecond) + Timeout.

left(infinity) -> infinity;
left(Deadline) -> max(0, Deadline - erlang:monotonic_time(millisecond)).

%% @doc Shut an association down once all that was sent has arrived.
-spec eof(socket(), #sctp_assoc_change{}) -> ok | {error, reason()}.
eof(S, #sctp_assoc_change{assoc_id = Id}) -> end_assoc(S, eof, Id, #{});
eof(_, _) -> error(badarg).

%% @doc End an association at once. Not in gen_sctp: bytes that the peer sees as the
%% reason, as {info, Causes} beside its comm_lost.
-spec abort(socket(), #sctp_assoc_change{}) -> ok | {error, reason()}.
abort(S, #sctp_assoc_change{assoc_id = Id}) -> end_assoc(S, abort, Id, #{});
abort(_, _) -> error(badarg).

%% @doc The same with a reason.
-spec abort(socket(), #sctp_assoc_change{}, iodata()) -> ok | {error, reason()}.
abort(S, #sctp_assoc_change{assoc_id = Id}, Reason) ->
    end_assoc(S, abort, Id, #{reason => iolist_to_binary(Reason)});
abort(_, _, _) -> error(badarg).

end_assoc(S, Method, Id, Args) ->
    with_id(Id, fun() -> sent(request(S, Method, Args#{assoc_id => Id})) end).

%% ---- messages ----------------------------------------------------------------

%% @doc Send one message with all its parameters; what is undefined is zero. Not in
%% gen_sctp: a map in place of the record has all fields of sctpd's
%% sctp_sndrcvinfo, such as pr_policy.
%%
%% ok says that the message is on its way, in order. One that finds no room waits for
%% it. What can be known to be wrong is the error of this call; what turns out to be
%% so later comes as sctp_send_failed: see sctpd_window.erl. With {send_window, 0}
%% ok says that the stack has taken the message, and all errors are those of calls.
-spec send(socket(), #sctp_sndrcvinfo{} | map(), iodata()) -> ok | {error, reason()}.
send(S, #sctp_sndrcvinfo{} = Info, Data) ->
    Bin = data(Data),
    case is_binary(Bin) andalso sctpd_data:send(handle(S), Info, Bin) of
        false -> send_slowly(S, Info, Data);
        no -> send_slowly(S, Info, Bin);
        Body ->
            #sctp_sndrcvinfo{assoc_id = Id, stream = Stream} = Info,
            send_body(S, Id, case Stream of undefined -> 0; _ -> Stream end, byte_size(Bin), Body)
    end;
send(S, Info, Data) when is_map(Info) ->
    send_slowly(S, Info, Data);
send(S, _, _) ->
    _ = socket(S),
    error(badarg).

send_slowly(S, Info, Data) ->
    Prepare = fun() -> {sctpd_term:sndrcvinfo(Info), bytes(Data)} end,
    case try_throw(Prepare) of
        {ok, {#{flags := Flags} = Map, Bin}} when Flags =/= [] -> send_flags(S, Flags, Map, Bin);
        {ok, {Map, Bin}} -> send_map(S, Map, Bin);
        {error, _} = E -> E
    end.

%% Waited for, and nothing like it is sent without that: it may have any parameter.
send_map(S, Map, Bin) ->
    #'$sctpd'{sock = Sock} = socket(S),
    Key = {Sock, maps:get(assoc_id, Map, 0)},
    Kind = {send, no, Key, -1, byte_size(Bin)},
    sent(sctpd_socket:request(S, Kind, send, #{sock => Sock, sctp_sndrcvinfo => Map, data => Bin})).

%% Is the place in the window there, so that nobody need be waited for?
send_body(#'$sctpd'{conn = Conn, sock = Sock, table = Table} = S, Id, Stream, Length, Body) ->
    Key = {Sock, Id},
    case sctpd_window:take(Table, Key, Stream, Length) of
        taken -> Conn ! {'$send', Key, Length, Body}, ok;
        Why -> sent(sctpd_socket:asks(S, {send, Why, Key, Stream, Length}, Body))
    end.

%% The flags that end an association are methods of the daemon's.
send_flags(S, Flags, Map, Bin) ->
    Id = maps:get(assoc_id, Map, 0),
    case {lists:member(abort, Flags), lists:member(eof, Flags)} of
        {true, _} -> end_assoc(S, abort, Id, abort_reason(#{}, Bin));
        {_, true} when Bin =:= <<>> -> end_assoc(S, eof, Id, #{});
        {_, true} -> {error, einval};
        _ -> send_map(S, Map, Bin)
    end.

abort_reason(Args, <<>>) -> Args;
abort_reason(Args, Bin) -> Args#{reason => Bin}.

%% @doc Send one message on a stream of an association; the rest is taken from
%% sctp_default_send_param.
-spec send(socket(), assoc(), Stream :: 0..65535, iodata()) -> ok | {error, reason()}.
send(S, #sctp_assoc_change{assoc_id = Id}, Stream, Data) ->
    send(S, Id, Stream, Data);
send(S, Id, Stream, Data) when is_integer(Id), is_integer(Stream) ->
    Bin = data(Data),
    case is_binary(Bin) andalso Id >= 0 andalso Id < 16#100000000 andalso Stream >= 0 andalso Stream < 16#10000 of
        true -> send_body(S, Id, Stream, byte_size(Bin), sctpd_data:send(handle(S), Id, Stream, Bin));
        false ->
            _ = socket(S),
            sent(try_throw(fun() ->
                _ = sctpd_term:sndrcvinfo(#sctp_sndrcvinfo{assoc_id = Id, stream = Stream}),
                bytes(Data)
            end))
    end;
send(_, _, _, _) -> error(badarg).

%% As one binary; what is none is found out where errors are.
data(Data) when is_binary(Data) -> Data;
data(Data) ->
    try iolist_to_binary(Data) catch error:badarg -> none end.

%% To no association at all is epipe.
sent({error, <<"badarg: assoc_id", _/binary>> = Text}) ->
    _ = failed(Text),
    {error, epipe};
sent(Answer) ->
    done(Answer).

bytes(Data) ->
    try iolist_to_binary(Data) catch error:badarg -> throw(einval) end.

%% @doc The next message or event of a passive socket. Events that gen_sctp takes
%% for errors are {error, {IP, Port, Anc, Record}}.
-spec recv(socket()) -> received().
recv(S) -> recv(S, infinity).

%% @doc The same for so many ms, then {error, timeout}.
-spec recv(socket(), timeout()) -> received().
recv(S, Timeout) ->
    _ = socket(S),
    case is_timeout(Timeout) of
        true -> received(sctpd_socket:recv(S, Timeout));
        false -> {error, einval}
    end.

received({ok, {error, {IP, Port}, Anc, Record}}) -> {error, {IP, Port, Anc, Record}};
received({ok, {_, {IP, Port}, Anc, Data}}) -> {ok, {IP, Port, Anc, Data}};
received({error, Reason}) -> failed(Reason).

%% ---- ownership ---------------------------------------------------------------

%% @doc Give a socket to another process, with what it sent that was not yet received.
-spec controlling_process(socket(), pid()) -> ok | {error, closed | not_owner | badarg}.
controlling_process(S, Pid) when is_pid(Pid) ->
    case sctpd_socket:give(socket(S), Pid) of
        {ok, same} -> ok;
        {ok, begun} ->
            move_messages(S, Pid),
            sctpd_socket:given(S);
        {error, _} = E -> E
    end;
controlling_process(_, _) -> error(badarg).

%% @doc Not in gen_sctp: the daemon's number of a socket, by which another node takes it
%% over when this one is dead (adopt/2), and sctpctl knows it.
-spec handle(socket()) -> non_neg_integer().
handle(S) -> #'$sctpd'{sock = Sock} = socket(S), Sock.

%% @doc Not in gen_sctp: take over a socket whose node is dead, by its handle, with its
%% associations and what waits in it. It must have the option {on_owner_exit, hold};
%% the caller controls it then. What the other node was sent last may come once more.
%% Options: mode, active, show_closed, send_window and sctpd_socket.
-spec adopt(Handle :: non_neg_integer()) -> {ok, socket()} | {error, reason()}.
adopt(Handle) -> adopt(Handle, []).

%% @doc The same with options.
-spec adopt(Handle :: non_neg_integer(), [option()]) -> {ok, socket()} | {error, reason()}.
adopt(Handle, Opts) when is_integer(Handle), Handle >= 0, is_list(Opts) ->
    {Path, Local} = case lists:partition(fun(O) -> option_name(O) =:= sctpd_socket end, Opts) of
        {[], Others} -> {default_path(), Others};
        {Given, Others} -> {element(2, lists:last(Given)), Others}
    end,
    case try_throw(fun() -> split_options(Local) end) of
        {ok, {Kept, []}} ->
            case sctpd_socket:adopt(Path, Handle, Kept) of
                {ok, _} = Answer -> Answer;
                {error, Reason} -> failed(Reason)
            end;
        _ -> error(badarg)
    end;
adopt(_, _) -> error(badarg).

move_messages(S, Pid) ->
    receive
        {sctp, S, _, _, _} = M -> Pid ! M, move_messages(S, Pid);
        {sctp_error, S, _, _, _} = M -> Pid ! M, move_messages(S, Pid);
        {sctp_passive, S} = M -> Pid ! M, move_messages(S, Pid);
        {sctp_closed, S} = M -> Pid ! M, move_messages(S, Pid)
    after 0 -> ok
    end.

%% @doc As inet:info/1: who owns a socket, its mode, the daemon's handle of it, and the
%% state of the connection (up; away while the daemon is).
-spec info(socket()) -> #{owner := pid(), active := option_value(), mode := binary | list,
                          send_window := auto | non_neg_integer(),
                          handle := non_neg_integer(), connection := atom()} | {error, closed}.
info(S) ->
    #'$sctpd'{conn = Conn, sock = Sock} = socket(S),
    case sctpd_socket:info(S) of
        {ok, Info} ->
            try sctpd_conn:info(Conn) of
                #{phase := Phase} -> Info#{handle => Sock, connection => Phase}
            catch exit:_ -> {error, closed}
            end;
        {error, closed} = E -> E
    end.

%% @doc As inet:monitor/1: {'DOWN', Ref, process, _, _} comes when the socket is closed,
%% by whomever, or with its owner or the daemon.
-spec monitor(socket()) -> reference().
monitor(S) ->
    #'$sctpd'{pid = Pid} = socket(S),
    monitor(process, Pid).

%% @doc As inet:cancel_monitor/1.
-spec cancel_monitor(reference()) -> boolean().
cancel_monitor(Ref) -> demonitor(Ref, [flush, info]).

%% ---- groups -------------------------------------------------------------------

%% Not in gen_sctp: several processes, in as many nodes, own a socket together;
%% proto/README.md says what a group is.

%% @doc Make a group of a socket's, which the daemon owns from now on: its associations
%% go to those who join. Opts are the arguments of the method group, such as
%% #{policy => sticky, by => load, grace => 1000}. The caller is its owner.
-spec group(socket(), Name :: iodata(), #{atom() => term()}) -> ok | {error, reason()}.
group(S, Name, Opts) when is_map(Opts) ->
    #'$sctpd'{conn = Conn, sock = Sock} = socket(S),
    case setopts(S, [{active, true}]) of
        ok ->
            ok = sctpd_conn:ack(Conn, 0),
            case done(request(S, group, Opts#{name => {str, Name}})) of
                ok -> Conn ! {released, Sock}, ok;
                {error, _} = E -> E
            end;
        {error, _} = E -> E
    end;
group(_, _, _) -> error(badarg).

%% @doc End a group of S, which is as it was before then. Members keep what they have.
-spec ungroup(socket(), Name :: iodata()) -> ok | {error, reason()}.
ungroup(S, Name) ->
    #'$sctpd'{pid = Pid, conn = Conn} = socket(S),
    case sctpd_socket:request(S, ungroup, #{name => {str, Name}}) of
        {ok, #{<<"sock">> := Sock}} -> Conn ! {route, Sock, Pid}, ok;
        {error, Reason} -> failed(Reason)
    end.

%% @doc Join a group; {ok, M}. The caller is sent
%% <pre>
%%	{sctp_group, S, Seq, {assigned, Info}}	S is this member's: Info has its
%%		assoc_id, peer ({IP, Port}), group, and from_member, who had it before
%%	{sctp, S, IP, Port, {Anc, Data}}, and sctp_error: as of any socket, with
%%		{seq, Seq} at the end of Anc
%%	{sctp_group, S, Seq, {unassigned, Info}}	it is another member's
%%	{sctp_group, S, Seq, closed}	its association has ended, nothing more comes;
%%		S is closed when that is acknowledged
%%	{sctp_group, M, Seq, {left, Reason}}	the daemon took this member out
%%	{sctp_closed, M}	the daemon is gone, and the membership
%% </pre>
%% and acknowledges with ack/2 what it has handled. S is for send, getopts and so
%% on. On M, send goes to any association of the group, by its id. When the caller
%% dies, what it did not acknowledge goes to other members, in order.
%%
%% Options: {priority, N}, {name, Name} in lists of members, {mode, binary | list},
%% {sctpd_socket, Path}. A behaviour that does all of this is sctpd_worker.
-spec join(Name :: iodata()) -> {ok, socket()} | {error, reason()}.
join(Name) -> join(Name, []).

%% @doc The same with options.
-spec join(Name :: iodata(), [option()]) -> {ok, socket()} | {error, reason()}.
join(Name, Opts) when is_list(Opts) ->
    Given = maps:from_list([O || {_, _} = O <- Opts]),
    How = maps:with([priority, name, mode], Given),
    Path = case Given of #{sctpd_socket := P} -> P; _ -> default_path() end,
    case sctpd_member:join(Name, How#{path => Path}) of
        {ok, _} = Answer -> Answer;
        {error, Reason} -> failed(Reason)
    end;
join(_, _) -> error(badarg).

%% @doc All messages up to Seq were handled: the daemon may forget them. It takes no
%% time, and what comes later is acknowledged with it.
-spec ack(socket(), Seq :: non_neg_integer() | (Anc :: list())) -> ok.
ack(S, Seq) when is_integer(Seq) ->
    #'$sctpd'{conn = Conn} = socket(S),
    sctpd_conn:ack(Conn, Seq);
ack(S, Anc) when is_list(Anc) ->
    {seq, Seq} = lists:keyfind(seq, 1, Anc),
    ack(S, Seq).

%% @doc The same, and wait until the daemon has it.
-spec ack(socket(), Seq :: non_neg_integer(), wait) -> ok | {error, reason()}.
ack(S, Seq, wait) when is_integer(Seq) ->
    ok = ack(S, Seq),
    done(sctpd_socket:request(socket(S), ack, #{seq => Seq})).

%% @doc Take this member out of service: it gets nothing new, and each of its sockets
%% goes to another when it has acknowledged all that it has of it. How many it
%% still has; when that is 0, leave/1.
-spec drain(socket()) -> {ok, non_neg_integer()} | {error, reason()}.
drain(M) ->
    case sctpd_member:group(socket(M)) of
        {ok, Group} ->
            case sctpd_socket:request(M, drain_member, #{name => {str, Group}}) of
                {ok, #{<<"sockets">> := N}} -> {ok, N};
                {error, Reason} -> failed(Reason)
            end;
        {error, _} = E -> E
    end.

%% @doc Leave a group: what was not acknowledged goes to others at once. Nothing more
%% comes of the group after that, and what the caller has in its mailbox is taken out.
-spec leave(socket()) -> ok | {error, reason()}.
leave(M) ->
    case sctpd_member:leave(socket(M)) of
        ok -> ok;
        {error, Reason} -> failed(Reason)
    end.

%% ---- options, as inet has them -------------------------------------------------

%% @doc Set options, from left to right; the first that fails ends it, and
%% error_text/0 says which that was. undefined fields keep their value.
-spec setopts(socket(), [option()]) -> ok | {error, reason()}.
setopts(S, Opts) when is_list(Opts) ->
    _ = socket(S),
    case try_throw(fun() -> [sctpd_term:option_out(O) || O <- Opts] end) of
        {ok, Out} -> set_in_turn(S, Out);
        {error, _} = E -> E
    end;
setopts(_, _) -> error(badarg).

set_in_turn(S, [{local, Name, Value} | Rest]) ->
    case sctpd_socket:set_local(S, #{Name => Value}) of
        ok -> set_in_turn(S, Rest);
        {error, _} = E -> E
    end;
set_in_turn(S, [_ | _] = Out) ->
    {Now, Rest} = lists:splitwith(fun(O) -> element(1, O) =:= remote end, Out),
    Options = [NV || {remote, NV} <- Now],
    case sctpd_socket:set_local(S, no_window(Options)) of
        ok -> set_remote(S, Options, Rest);
        {error, _} = E -> E
    end;
set_in_turn(_, []) ->
    ok.

set_remote(S, Options, Rest) ->
    case request(S, setopts, #{options => Options}) of
        {ok, _} -> set_in_turn(S, Rest);
        {error, Reason} -> failed(Reason)
    end.

%% @doc Read options: names, or {Name, Record} with the record's keys set.
-spec getopts(socket(), [atom() | {atom(), tuple() | map()}]) ->
    {ok, [{atom(), term()}]} | {error, reason()}.
getopts(S, Wanted) when is_list(Wanted) ->
    _ = socket(S),
    case try_throw(fun() -> [sctpd_term:wanted_out(W) || W <- Wanted] end) of
        {ok, Out} ->
            case sctpd_socket:info(S) of
                {ok, Local} -> get_in_turn(S, Out, Local, []);
                {error, _} = E -> E
            end;
        {error, _} = E -> E
    end;
getopts(_, _) -> error(badarg).

get_in_turn(_, [], _, Acc) ->
    {ok, lists:append(lists:reverse(Acc))};
get_in_turn(S, [{local, Name} | Rest], Local, Acc) ->
    Value = [{Name, maps:get(Name, Local)} || is_map_key(Name, Local)],
    get_in_turn(S, Rest, Local, [Value | Acc]);
get_in_turn(S, Out, Local, Acc) ->
    {Now, Rest} = lists:splitwith(fun(O) -> element(1, O) =:= remote end, Out),
    case get_remote(S, [W || {remote, W} <- Now]) of
        {ok, Values} -> get_in_turn(S, Rest, Local, [Values | Acc]);
        {error, _} = E -> E
    end.

%% Several at once; one by one if one of them has no value.
get_remote(S, Wanted) ->
    case request(S, getopts, #{options => Wanted}) of
        {ok, #{<<"options">> := Values}} -> {ok, [got(V) || V <- Values]};
        {error, closed} = E -> E;
        {error, _} when length(Wanted) > 1 -> get_each(S, Wanted, []);
        {error, Reason} -> left_out(hd(Wanted), Reason)
    end.

get_each(_, [], Acc) ->
    {ok, lists:append(lists:reverse(Acc))};
get_each(S, [W | Rest], Acc) ->
    case get_remote(S, [W]) of
        {ok, Values} -> get_each(S, Rest, [Values | Acc]);
        {error, _} = E -> E
    end.

got([Name, Value]) -> sctpd_term:option_in(binary_to_atom(Name), Value).

left_out(_, <<"closed", _/binary>> = Text) -> failed(Text);
left_out([Name, _], Text) -> left_out(Name, Text);
left_out(Name, Text) ->
    case sctpd_term:optional(Name) of
        true -> {ok, []};
        false -> failed(Text)
    end.

%% @doc Counters.
-spec getstat(socket()) -> {ok, [{atom(), non_neg_integer()}]} | {error, reason()}.
getstat(S) -> getstat(S, stats()).

%% @doc The same of these counters.
-spec getstat(socket(), [atom()]) -> {ok, [{atom(), non_neg_integer()}]} | {error, reason()}.
getstat(S, Names) when is_list(Names) ->
    case {Names -- stats(), request(S, getstat, #{})} of
        {[], {ok, Map}} -> {ok, [{N, maps:get(atom_to_binary(N), Map, 0)} || N <- Names]};
        {_, {ok, _}} -> {error, einval};
        {_, {error, Reason}} -> failed(Reason)
    end;
getstat(_, _) -> error(badarg).

%% recv_dvi is always 0.
stats() ->
    [recv_oct, recv_cnt, recv_max, recv_avg, recv_dvi,
     send_oct, send_cnt, send_max, send_avg, send_pend].

%% ---- names, as inet has them ----------------------------------------------------

%% @doc The local port.
-spec port(socket()) -> {ok, inet:port_number()} | {error, reason()}.
port(S) ->
    case sockname(S) of
        {ok, {_, Port}} -> {ok, Port};
        {error, _} = E -> E
    end.

%% @doc The local address, the last one given at open, and port.
-spec sockname(socket()) -> {ok, name()} | {error, reason()}.
sockname(S) -> name(request(S, sockname, #{})).

%% @doc The peer's primary address and port; one-to-one sockets only.
-spec peername(socket()) -> {ok, name()} | {error, reason()}.
peername(S) -> name(request(S, peername, #{})).

name({ok, Map}) -> {ok, sctpd_term:name_in(Map)};
name({error, Reason}) -> failed(Reason).

%% @doc All local addresses, of the socket or as an association has them.
-spec socknames(socket()) -> {ok, [name()]} | {error, reason()}.
socknames(S) -> names(request(S, socknames, #{})).

%% @doc The same of an association.
-spec socknames(socket(), assoc()) -> {ok, [name()]} | {error, reason()}.
socknames(S, #sctp_assoc_change{assoc_id = Id}) -> socknames(S, Id);
socknames(S, 0) -> socknames(S);
socknames(S, Id) -> with_id(Id, fun() -> names(request(S, socknames, #{assoc_id => Id})) end).

%% @doc All addresses of a peer; those of one-to-one sockets need no association.
-spec peernames(socket()) -> {ok, [name()]} | {error, reason()}.
peernames(S) ->
    names(request(S, peernames, #{})).

%% @doc The same of an association.
-spec peernames(socket(), assoc()) -> {ok, [name()]} | {error, reason()}.
peernames(S, #sctp_assoc_change{assoc_id = Id}) -> peernames(S, Id);
peernames(S, Id) -> with_id(Id, fun() -> names(request(S, peernames, #{assoc_id => Id})) end).

names({ok, #{<<"addresses">> := Names}}) -> {ok, [sctpd_term:name_in(N) || N <- Names]};
names({error, Reason}) ->
    case failed(Reason) of
        {error, epipe} -> {error, einval};
        E -> E
    end.

%% ---- errors ------------------------------------------------------------------

%% @doc The text of a cause code, ok, or unknown_error.
-spec error_string(integer()) -> ok | string() | unknown_error.
error_string(Code) -> sctpd_term:error_string(Code).

%% @doc Not in gen_sctp: what the daemon said of the last call of this process that
%% failed: which argument, what was wrong, and what would be right.
-spec error_text() -> binary().
error_text() ->
    case get('$sctpd_error') of
        undefined -> <<>>;
        Text -> Text
    end.

%% @doc Not in gen_sctp: a method of the daemon's that this module has no function
%% for, by its name and arguments in proto/REFERENCE.md, without sock. Addresses
%% may be tuples. The results are a map with atoms for keys.
-spec call(socket(), atom(), #{atom() => term()}) -> {ok, #{atom() => term()}} | {error, reason()}.
call(S, Method, Args) when is_atom(Method), is_map(Args) ->
    lists:keymember(Method, 1, ?MODULE:module_info(exports)) andalso error(badarg),
    case request(S, Method, maps:map(fun(_, V) -> sctpd_term:argument_out(V) end, Args)) of
        {ok, Map} -> {ok, sctpd_term:plain(Map)};
        {error, Reason} -> failed(Reason)
    end;
call(_, _, _) -> error(badarg).

%% The daemon's code in front of the colon, as gen_sctp has it.
failed(Reason) when is_binary(Reason) ->
    put('$sctpd_error', Reason),
    [Code | _] = binary:split(Reason, <<":">>),
    {error, code(Code)};
failed(Reason) ->
    {error, Reason}.

code(<<"badarg">>) -> einval;
code(<<"enoprotoopt">>) -> einval;
code(<<"limit">>) -> emfile;
code(Code) -> binary_to_atom(Code).

%% ---- what they share ------------------------------------------------------------

request(S, Method, Args) ->
    #'$sctpd'{sock = Sock, table = Table} = socket(S),
    only_looks(Method) orelse sctpd_window:cool(Table, Sock),
    sctpd_socket:request(S, Method, Args#{sock => Sock}).

%% Nothing changes by which a send might be refused.
only_looks(Method) ->
    lists:member(Method, [getopts, getstat, sockname, socknames, peername, peernames, listen]).

done({ok, _}) -> ok;
done({error, Reason}) -> failed(Reason).

socket(#'$sctpd'{} = S) -> S;
socket(_) -> error(badarg).

is_open(S) -> sctpd_socket:info(S) =/= {error, closed}.

is_timeout(infinity) -> true;
is_timeout(T) -> is_integer(T) andalso T >= 0 andalso T < 16#ffffffff.

with_id(Id, Do) when is_integer(Id), Id >= 0, Id < 16#100000000 -> Do();
with_id(_, _) -> {error, einval}.

try_throw(Do) ->
    try {ok, Do()} catch throw:Reason -> {error, Reason} end.
