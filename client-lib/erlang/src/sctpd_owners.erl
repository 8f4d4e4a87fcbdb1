%% SPDX-License-Identifier: BSD-2-Clause
%%
%% Whose each socket is, for the case that a socket's process dies of something
%% else than its end: it cannot say so itself, and its owner may wait for what
%% never comes. In gen_sctp the port is linked to its owner. Here the owner is
%% sent {sctp_closed, S}, as when the daemon ends, because no program knows the
%% process of a socket, and an exit signal would name that.
-module(sctpd_owners).

-behaviour(gen_server).

-export([own/2, claim/2, forget/1]).
-export([start_link/0, init/1, handle_call/3, handle_cast/2, handle_info/2, code_change/3]).

-include("sctpd.hrl").

%% By the sockets' processes: {monitor, the socket, its owner}.
-record(state, {sockets = #{} :: #{pid() => {reference(), #'$sctpd'{}, pid()}}}).

%% S is Owner's now. Only the socket's process says so, and forget/1 before it ends.
-spec own(#'$sctpd'{}, pid()) -> ok.
own(S, Owner) -> gen_server:cast(?MODULE, {own, S, Owner}).

%% The same, for a socket that nobody here may have already.
-spec claim(#'$sctpd'{}, pid()) -> boolean().
claim(S, Owner) -> gen_server:call(?MODULE, {claim, S, Owner}, infinity).

-spec forget(#'$sctpd'{}) -> ok.
forget(#'$sctpd'{pid = Pid}) -> gen_server:cast(?MODULE, {forget, Pid}).

start_link() -> gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).

init([]) -> {ok, #state{}}.

handle_call({claim, #'$sctpd'{conn = Conn, sock = Sock} = S, Owner}, _, #state{sockets = Sockets} = St) ->
    case [Pid || {Pid, {_, #'$sctpd'{conn = C, sock = K}, _}} <- maps:to_list(Sockets), C =:= Conn, K =:= Sock] of
        [] -> {reply, true, owned(S, Owner, St)};
        _ -> {reply, false, St}
    end;
handle_call(_, _, St) ->
    {reply, {error, badarg}, St}.

handle_cast({own, S, Owner}, St) ->
    {noreply, owned(S, Owner, St)};
handle_cast({forget, Pid}, St) ->
    {noreply, taken(Pid, fun({Mon, _, _}) -> demonitor(Mon, [flush]) end, St)};
handle_cast(_, St) ->
    {noreply, St}.

handle_info({'DOWN', _, process, Pid, _}, St) ->
    {noreply, taken(Pid, fun({_, S, Owner}) -> Owner ! {sctp_closed, S} end, St)};
handle_info(_, St) ->
    {noreply, St}.

owned(#'$sctpd'{pid = Pid} = S, Owner, #state{sockets = Sockets} = St) ->
    Mon = case Sockets of
        #{Pid := {M, _, _}} -> M;
        _ -> monitor(process, Pid)
    end,
    St#state{sockets = Sockets#{Pid => {Mon, S, Owner}}}.

taken(Pid, Do, #state{sockets = Sockets} = St) ->
    case maps:take(Pid, Sockets) of
        {Socket, Rest} -> _ = Do(Socket), St#state{sockets = Rest};
        error -> St
    end.

code_change(_, St, _) -> {ok, St}.
