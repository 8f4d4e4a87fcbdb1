%% SPDX-License-Identifier: BSD-2-Clause
%%
%% Which connection a new socket gets: each daemon has a few, which its sockets
%% take in turn. One that ended is forgotten.
-module(sctpd_conns).

-behaviour(gen_server).

-export([get/1]).
-export([start_link/0, init/1, handle_call/3, handle_cast/2, handle_info/2, code_change/3]).

%% More than one lets several schedulers work; more than that is of no use.
-define(MOST, 4).

-type conn() :: {pid(), sctpd_window:table()}.

%% conns: path => connections, the one to be taken next first.
-record(state, {conns = #{} :: #{term() => [conn()]}}).

%% A connection to the daemon at Path, with its table of sctpd_window.erl.
-spec get(term()) -> {ok, conn()} | {error, term()}.
get(Path) ->
    case sctpd_app:ensure_started() of
        ok -> gen_server:call(?MODULE, {get, Path}, infinity);
        {error, _} = E -> E
    end.

start_link() -> gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).

init([]) -> {ok, #state{}}.

handle_call({get, Path}, _, #state{conns = Conns} = St) ->
    %% One that is over is not given out, also if we are yet to be told of its end.
    Live = [C || {Pid, _} = C <- maps:get(Path, Conns, []), is_process_alive(Pid)],
    {Conn, Rest} = case length(Live) < most() of
        true -> {new(Path), Live};
        false -> {hd(Live), tl(Live)}
    end,
    {reply, {ok, Conn}, St#state{conns = Conns#{Path => Rest ++ [Conn]}}};
handle_call(_, _, St) ->
    {reply, {error, badarg}, St}.

handle_cast(_, St) -> {noreply, St}.

handle_info({'DOWN', _, process, Conn, _}, #state{conns = Conns} = St) ->
    Left = maps:map(fun(_, L) -> lists:keydelete(Conn, 1, L) end, Conns),
    {noreply, St#state{conns = maps:filter(fun(_, L) -> L =/= [] end, Left)}};
handle_info(_, St) ->
    {noreply, St}.

code_change(_, St, _) -> {ok, St}.

most() ->
    application:get_env(sctpd, connections, min(?MOST, erlang:system_info(schedulers_online))).

new(Path) ->
    {ok, Pid, Table} = supervisor:start_child(sctpd_conn_sup, [Path, shared]),
    _ = monitor(process, Pid),
    {Pid, Table}.
