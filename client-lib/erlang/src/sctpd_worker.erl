%% SPDX-License-Identifier: BSD-2-Clause
%%
%% @doc A behaviour for the processes that share a socket: members of a group, in as
%% many nodes as one likes. sctpd_pool starts several under a supervisor.
%% <pre>
%%	-module(echo).
%%	-behaviour(sctpd_worker).
%%	-export([init/1, handle_message/3]).
%%
%%	init(_) -> {ok, none}.
%%
%%	handle_message(S, {_IP, _Port, _Anc, Data}, St) when is_binary(Data) ->
%%	    {reply, Data, St};
%%	handle_message(_S, {_IP, _Port, _Anc, _Event}, St) ->
%%	    {ok, St}.
%% </pre>
%% A message is acknowledged when the callback has returned, and what it replied
%% was sent. So a worker that dies in a callback has lost nothing: the message,
%% and all after it, go to another worker, in order. That one cannot know what
%% the first did before it died.
-module(sctpd_worker).

-behaviour(gen_server).

-export([start_link/4, drain/1]).
-export([init/1, handle_continue/2, handle_call/3, handle_cast/2, handle_info/2, terminate/2,
         code_change/3]).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("kernel/include/logger.hrl").

-define(RETRY, 500).
-define(TOGETHER, 32).          % messages of one acknowledgement

-type message() :: {inet:ip_address(), inet:port_number(), Anc :: list(), Data :: term()}.
-type result() :: {ok, State :: term()} | {reply, iodata(), State :: term()} |
                  {stop, Reason :: term(), State :: term()}.

%% The beginning; it joins the group after that.
-callback init(Args :: term()) -> {ok, State :: term()} | {stop, Reason :: term()}.
%% A message, or an event (#sctp_assoc_change{} and the like), of a socket that
%% this worker has. {reply, Data, State} sends an answer on the same association
%% and stream, with the same ppid. After {stop, _, _} it is not acknowledged.
-callback handle_message(sctpd:socket(), message(), State :: term()) -> result().
%% A socket is this worker's now, or is not any more: it is another member's, or,
%% where Info is #{closed => true}, its association is over. Info is else a map
%% as in sctpd:join/2.
-callback handle_assigned(sctpd:socket(), Info :: map(), State :: term()) -> result().
-callback handle_unassigned(sctpd:socket(), Info :: map(), State :: term()) -> result().
%% Any other message to the process.
-callback handle_info(Message :: term(), State :: term()) -> result().
-callback terminate(Reason :: term(), State :: term()) -> term().
-callback code_change(Old :: term(), State :: term(), Extra :: term()) -> {ok, State :: term()}.
-optional_callbacks([handle_assigned/3, handle_unassigned/3, handle_info/2, terminate/2,
                     code_change/3]).

-record(state, {
    module, state, group, options,
    m,                          % undefined: it has not joined yet
    socks = #{},                % sockets that it has
    seq = 0, unacked = 0,
    draining = false, warned = false
}).

%% ---- for callers -------------------------------------------------------------

%% @doc Start a worker of a group. Options are those of sctpd:join/2, and {retry, Ms}:
%% how often it tries to join again while there is no daemon or no such group.
-spec start_link(Group :: iodata(), module(), Args :: term(), [term()]) ->
    {ok, pid()} | ignore | {error, term()}.
start_link(Group, Module, Args, Options) ->
    gen_server:start_link(?MODULE, {Group, Module, Args, Options}, []).

%% @doc Let a worker give its sockets to others, each when it has handled all that it
%% has of it, and end with {shutdown, drained} when it has none.
-spec drain(pid()) -> ok.
drain(Worker) -> gen_server:call(Worker, drain, infinity).

%% ---- the process -------------------------------------------------------------

init({Group, Module, Args, Options}) ->
    case Module:init(Args) of
        {ok, State} ->
            {ok, #state{module = Module, state = State, group = Group, options = Options},
             {continue, join}};
        {stop, Reason} ->
            {stop, Reason}
    end.

handle_continue(join, #state{group = Group, options = Options, warned = Warned} = St) ->
    case sctpd:join(Group, proplists:delete(retry, Options)) of
        {ok, M} -> {noreply, St#state{m = M, warned = false}};
        {error, Reason} ->
            Warned orelse ?LOG_WARNING("sctpd_worker: join ~ts: ~tp, ~ts; trying again",
                                       [Group, Reason, sctpd:error_text()]),
            _ = erlang:send_after(proplists:get_value(retry, Options, ?RETRY), self(), '$join'),
            {noreply, St#state{warned = true}}
    end.

handle_call(drain, _, #state{m = undefined} = St) ->
    {stop, {shutdown, drained}, ok, St};
handle_call(drain, _, #state{m = M, socks = Socks} = St) ->
    _ = sctpd:drain(M),
    case map_size(Socks) of
        0 -> {stop, {shutdown, drained}, ok, acked(St)};
        _ -> {reply, ok, St#state{draining = true}, 0}
    end;
handle_call(_, _, St) ->
    {reply, {error, badarg}, St, 0}.

handle_cast(_, St) -> {noreply, St, 0}.

handle_info({sctp, S, IP, Port, {Anc, Data}}, St) ->
    message(S, {IP, Port, Anc, Data}, St);
handle_info({sctp_error, S, IP, Port, {Anc, Data}}, St) ->
    message(S, {IP, Port, Anc, Data}, St);
handle_info({sctp_group, S, Seq, {assigned, Info}}, #state{socks = Socks} = St) ->
    optional(handle_assigned, [S, Info], Seq, St#state{socks = Socks#{S => true}});
handle_info({sctp_group, S, Seq, {unassigned, Info}}, #state{socks = Socks} = St) ->
    optional(handle_unassigned, [S, Info], Seq, St#state{socks = maps:remove(S, Socks)});
handle_info({sctp_group, S, Seq, closed}, #state{socks = Socks} = St) ->
    optional(handle_unassigned, [S, #{closed => true}], Seq, St#state{socks = maps:remove(S, Socks)});
handle_info({sctp_group, M, _, {left, Reason}}, #state{m = M, group = Group} = St) ->
    ?LOG_WARNING("sctpd_worker: taken out of the group ~ts: ~ts; joining again", [Group, Reason]),
    _ = sctpd:leave(M),
    {noreply, St#state{m = undefined, socks = #{}, seq = 0, unacked = 0}, {continue, join}};
handle_info(timeout, St) ->
    continued(acked(St));
handle_info('$join', St) ->
    {noreply, St, {continue, join}};
handle_info({sctp_closed, M}, #state{m = M} = St) ->
    %% The daemon is gone: what was not acknowledged is, too.
    {noreply, St#state{m = undefined, socks = #{}, seq = 0, unacked = 0}, {continue, join}};
handle_info(Message, St) ->
    optional(handle_info, [Message], none, St).

terminate(Reason, #state{module = Module, state = State}) ->
    erlang:function_exported(Module, terminate, 2) andalso Module:terminate(Reason, State).

code_change(Old, #state{module = Module, state = State} = St, Extra) ->
    case erlang:function_exported(Module, code_change, 3) of
        true ->
            {ok, New} = Module:code_change(Old, State, Extra),
            {ok, St#state{state = New}};
        false -> {ok, St}
    end.

%% ---- callbacks ---------------------------------------------------------------

message(S, {_, _, Anc, _} = Message, #state{module = Module, state = State} = St) ->
    {value, {seq, Seq}} = lists:search(fun(A) -> element(1, A) =:= seq end, Anc),
    result(Module:handle_message(S, Message, State), {S, Anc}, Seq, St).

optional(Name, Args, Seq, #state{module = Module, state = State} = St) ->
    case erlang:function_exported(Module, Name, length(Args) + 1) of
        true -> result(apply(Module, Name, Args ++ [State]), none, Seq, St);
        false -> result({ok, State}, none, Seq, St)
    end.

result({ok, State}, _, Seq, St) ->
    handled(Seq, St#state{state = State});
result({reply, Data, State}, {S, [#sctp_sndrcvinfo{stream = Stream, ppid = PPID, assoc_id = Id} | _]}, Seq, St) ->
    %% An association that is over takes no answer, and needs none.
    _ = sctpd:send(S, #sctp_sndrcvinfo{stream = Stream, ppid = PPID, assoc_id = Id}, Data),
    handled(Seq, St#state{state = State});
result({stop, Reason, State}, _, _, St) ->
    {stop, Reason, acked(St#state{state = State})}.

handled(none, St) ->
    continued(St);
handled(Seq, #state{unacked = N} = St) when N + 1 >= ?TOGETHER ->
    continued(acked(St#state{seq = Seq, unacked = N + 1}));
handled(Seq, #state{unacked = N} = St) ->
    continued(St#state{seq = Seq, unacked = N + 1}).

%% When nothing else waits, what was handled is acknowledged.
continued(#state{draining = true, socks = Socks} = St) when map_size(Socks) =:= 0 ->
    {stop, {shutdown, drained}, acked(St)};
continued(#state{unacked = 0} = St) ->
    {noreply, St};
continued(St) ->
    {noreply, St, 0}.

acked(#state{unacked = 0} = St) -> St;
acked(#state{m = undefined} = St) -> St#state{unacked = 0};
acked(#state{m = M, seq = Seq} = St) ->
    ok = sctpd:ack(M, Seq),
    St#state{unacked = 0}.
