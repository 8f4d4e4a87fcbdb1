%% SPDX-License-Identifier: BSD-2-Clause
%%
%% @doc A pool of workers of a group, as a supervisor:
%% <pre>
%%	{ok, Pool} = sctpd_pool:start_link("amf", 4, my_worker, Args, [])
%% </pre>
%% A worker that crashes is started again; one that drained stays away.
-module(sctpd_pool).

-behaviour(supervisor).

-export([start_link/5, child_spec/5, workers/1, drain/1]).
-export([init/1]).

%% @doc Start Size workers; Options are those of sctpd_worker:start_link/4.
-spec start_link(Group :: iodata(), Size :: pos_integer(), module(), Args :: term(), [term()]) ->
    {ok, pid()} | ignore | {error, term()}.
start_link(Group, Size, Module, Args, Options) ->
    supervisor:start_link(?MODULE, {Group, Size, Module, Args, Options}).

%% @doc For a supervisor of the program's.
-spec child_spec(Group :: iodata(), Size :: pos_integer(), module(), Args :: term(), [term()]) ->
    supervisor:child_spec().
child_spec(Group, Size, Module, Args, Options) ->
    #{id => {?MODULE, Group}, type => supervisor,
      start => {?MODULE, start_link, [Group, Size, Module, Args, Options]}}.

%% @doc The processes of its workers, in no order.
-spec workers(pid()) -> [pid()].
workers(Pool) -> [Pid || {_, Pid, _, _} <- supervisor:which_children(Pool), is_pid(Pid)].

%% @doc Let all workers give what they have to those of other pools, and end. It
%% returns when they were told; one that nobody takes over from goes on.
-spec drain(pid()) -> ok.
drain(Pool) ->
    lists:foreach(fun(W) -> try sctpd_worker:drain(W) catch exit:_ -> ok end end, workers(Pool)).

init({Group, Size, Module, Args, Options}) ->
    {ok, {#{strategy => one_for_one, intensity => 10 * Size, period => 10},
          [#{id => N, restart => transient,
             start => {sctpd_worker, start_link, [Group, Module, Args, Options]}}
           || N <- lists:seq(1, Size)]}}.
