%% SPDX-License-Identifier: BSD-2-Clause
%%
%% A membership in a group, for the process that joined: its messages are those
%% of sctpd:join/2. It has a connection, a session, of its own, because the
%% daemon counts acknowledgements by sessions: who handles messages slowly holds
%% up only what is its own.
%%
%% When the process that joined dies, the membership leaves the group, so that
%% all that was not acknowledged goes to other members at once and in order, and
%% no grace is waited for. When the node dies the daemon sees that itself.
-module(sctpd_member).

-behaviour(gen_server).

-export([join/2, group/1, leave/1]).
-export([start_link/1, init/1, handle_call/3, handle_cast/2, handle_info/2, code_change/3]).

-include("sctpd.hrl").

-define(PATIENCE, 2000).        % ms that leave may take when nobody waits for it

-record(state, {
    m,                          % the group's socket, as programs have it
    starter, owner, mon, conn, conn_mon,
    group,
    mode = binary,
    families = #{},             % sockets => address family
    early = []                  % events before the answer to join, the last first
}).

%% ---- for callers -------------------------------------------------------------

join(Group, #{path := Path} = Opts) ->
    case sctpd_app:ensure_started() of
        ok ->
            Tag = make_ref(),
            {ok, Pid} = supervisor:start_child(sctpd_member_sup, [
                Opts#{group => Group, path => Path, owner => self(), starter => {Tag, self()}}]),
            Mon = monitor(process, Pid),
            receive
                {Tag, Answer} -> demonitor(Mon, [flush]), Answer;
                {'DOWN', Mon, process, Pid, _} -> {error, closed}
            end;
        {error, _} = E -> E
    end.

group(M) -> call(M, group).

call(#'$sctpd'{pid = Pid}, What) ->
    Mon = monitor(process, Pid, [{alias, reply_demonitor}]),
    Pid ! {What, Mon},
    receive
        {Mon, Answer} -> Answer;
        {'DOWN', Mon, process, _, _} -> {error, closed}
    end.

%% When this has returned nothing more comes of the group.
leave(#'$sctpd'{pid = Pid} = M) ->
    Answer = call(M, leave),
    discard(Pid),
    Answer.

discard(Pid) ->
    receive
        {sctp, #'$sctpd'{pid = Pid}, _, _, _} -> discard(Pid);
        {sctp_error, #'$sctpd'{pid = Pid}, _, _, _} -> discard(Pid);
        {sctp_group, #'$sctpd'{pid = Pid}, _, _} -> discard(Pid);
        {sctp_closed, #'$sctpd'{pid = Pid}} -> discard(Pid)
    after 0 -> ok
    end.

%% ---- the process -------------------------------------------------------------

start_link(How) -> gen_server:start_link(?MODULE, How, []).

init(#{group := Group, path := Path, owner := Owner, starter := Starter} = How) ->
    process_flag(message_queue_data, off_heap),
    {ok, Conn, _} = supervisor:start_child(sctpd_conn_sup, [Path, {member, self(), maps:get(name, How, undefined)}]),
    Args = maps:with([priority], How),
    ask(Conn, join, join, Args#{name => {str, Group}}),
    {ok, #state{starter = Starter, owner = Owner, mon = monitor(process, Owner), conn = Conn,
                conn_mon = monitor(process, Conn), group = Group,
                mode = maps:get(mode, How, binary)}}.

handle_call(_, _, St) -> {reply, {error, badarg}, St}.

handle_cast(_, St) -> {noreply, St}.

handle_info({event, _, _, _} = Event, #state{m = undefined, early = Early} = St) ->
    {noreply, St#state{early = [Event | Early]}};
handle_info({data, _, _, _} = Event, #state{m = undefined, early = Early} = St) ->
    {noreply, St#state{early = [Event | Early]}};
handle_info({event, _, _, _} = Event, St) ->
    {noreply, came(Event, St)};
handle_info({data, _, _, _} = Event, St) ->
    {noreply, came(Event, St)};
handle_info({answer, join, {ok, #{<<"sock">> := Sock}}}, #state{conn = Conn, early = Early} = St) ->
    M = #'$sctpd'{pid = self(), conn = Conn, sock = Sock, family = inet},
    answer(St#state.starter, {ok, M}),
    St1 = St#state{m = M, starter = undefined, early = []},
    {noreply, lists:foldr(fun came/2, St1, Early)};
handle_info({answer, join, Error}, #state{starter = Starter} = St) ->
    answer(Starter, Error),
    {stop, normal, St};
handle_info({answer, {leave, Who}, Answer}, St) ->
    left(Who, Answer, St);
handle_info({leave, Alias}, #state{group = Group, conn = Conn} = St) ->
    ask(Conn, {leave, Alias}, leave, #{name => {str, Group}}),
    {noreply, St};
handle_info({'DOWN', Mon, process, _, _}, #state{mon = Mon, conn = Conn, group = Group} = St) ->
    ask(Conn, {leave, none}, leave, #{name => {str, Group}}),
    _ = erlang:send_after(?PATIENCE, self(), stop),
    {noreply, St};
handle_info(stop, St) ->
    {stop, normal, St};
handle_info({'DOWN', Mon, process, _, Why}, #state{conn_mon = Mon} = St) ->
    ended(Why, St),
    {stop, normal, St};
handle_info({What, Alias}, St) when is_reference(Alias) ->
    answer(Alias, asked(What, St)),
    {noreply, St};
handle_info(_, St) ->
    {noreply, St}.

code_change(_, St, _) -> {ok, St}.

ask(Conn, Tag, Method, Args) ->
    Conn ! {'$req', {pid, self(), Tag}, plain, sctpd_conn:body(Method, Args)},
    ok.

answer({Tag, To}, Answer) -> To ! {Tag, Answer}, ok;
answer(none, _) -> ok;
answer(Alias, Answer) -> Alias ! {Alias, Answer}, ok.

%% What sctpd_socket does for its sockets, as far as members have a use for it.
asked(info, #state{mode = Mode, owner = Owner}) -> {ok, #{mode => Mode, active => true, owner => Owner, send_window => 0}};
asked(group, #state{group = Group}) -> {ok, Group};
asked(_, _) -> {error, einval}.

left(Who, {ok, _}, St) ->
    answer(Who, ok),
    {stop, normal, St};
left(none, _, St) ->
    {stop, normal, St};
left(Alias, Error, St) ->       % it is no member any more
    answer(Alias, Error),
    {stop, normal, St}.

ended({shutdown, Why}, #state{starter = Starter}) when Starter =/= undefined ->
    answer(Starter, {error, sctpd_conn:reason(Why)});
ended(_, #state{starter = Starter}) when Starter =/= undefined ->
    answer(Starter, {error, closed});
ended(_, #state{owner = Owner, m = M}) ->
    Owner ! {sctp_closed, M},
    ok.

%% ---- what comes ----------------------------------------------------------------

came({event, Seq, Event, Fields}, St) ->
    happened(Event, Seq, Fields, St);
came({data, Seq, Sock, {data, {IP, Port}, Anc, Data}}, #state{mode = Mode} = St) ->
    Message = case Mode of list -> binary_to_list(Data); binary -> Data end,
    tell({sctp, socket(Sock, St), IP, Port, {Anc ++ [{seq, Seq}], Message}}, St).

happened(<<"assigned">>, Seq, #{<<"sock">> := Sock} = Fields, #state{families = Families} = St) ->
    Family = case Fields of
        #{<<"peer">> := #{<<"addr">> := Addr}} -> sctpd_term:family(Addr);
        _ -> inet
    end,
    St1 = St#state{families = Families#{Sock => Family}},
    tell({sctp_group, socket(Sock, St1), Seq, {assigned, info(Fields)}}, St1);
happened(<<"unassigned">>, Seq, #{<<"sock">> := Sock} = Fields, #state{families = Families} = St) ->
    St1 = tell({sctp_group, socket(Sock, St), Seq, {unassigned, info(Fields)}}, St),
    St1#state{families = maps:remove(Sock, Families)};
happened(<<"left">>, Seq, Fields, #state{m = M} = St) ->
    tell({sctp_group, M, Seq, {left, maps:get(<<"reason">>, Fields, <<>>)}}, St);
happened(<<"sctp_closed">>, Seq, #{<<"sock">> := Sock}, #state{families = Families} = St) ->
    St1 = tell({sctp_group, socket(Sock, St), Seq, closed}, St),
    St1#state{families = maps:remove(Sock, Families)};
happened(Event, Seq, #{<<"sock">> := Sock} = Fields, St) ->
    S = socket(Sock, St),
    case sctpd_term:event(Fields#{<<"event">> => Event}) of
        {error, {IP, Port}, Anc, Record} ->
            tell({sctp_error, S, IP, Port, {Anc ++ [{seq, Seq}], Record}}, St);
        {data, _, _, _} = Data ->
            came({data, Seq, Sock, Data}, St);
        {event, {IP, Port}, Anc, Record} ->
            tell({sctp, S, IP, Port, {Anc ++ [{seq, Seq}], Record}}, St)
    end;
happened(_, _, _, St) ->
    St.

tell(Message, #state{owner = Owner} = St) ->
    Owner ! Message,
    St.

socket(Sock, #state{m = #'$sctpd'{} = M, families = Families}) ->
    M#'$sctpd'{sock = Sock, family = maps:get(Sock, Families, inet)}.

info(Fields) ->
    Info = sctpd_term:plain(maps:without([<<"sock">>, <<"seq">>, <<"peer">>], Fields)),
    case Fields of
        #{<<"peer">> := Peer} -> Info#{peer => sctpd_term:name_in(Peer)};
        _ -> Info
    end.
