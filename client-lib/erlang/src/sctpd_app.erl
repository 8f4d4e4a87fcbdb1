%% SPDX-License-Identifier: BSD-2-Clause
%%
%% The application, and its supervisors. Sockets are temporary processes, and so
%% are the connections that speak for them; one process knows the connections.
%%
%%	sctpd_sup (rest_for_one)
%%	    sctpd_conn_sup	a sctpd_conn for each connection to a daemon
%%	    sctpd_owners	whose the sockets are
%%	    sctpd_socket_sup	a sctpd_socket for each socket
%%	    sctpd_member_sup	a sctpd_member for each membership in a group
%%	    sctpd_conns		which connection a new socket gets
%%
%% When a connection ends for good its sockets end, and their owners are told.
%% When a socket's process ends its connection closes the socket; when it dies,
%% its owner is told.
-module(sctpd_app).

-behaviour(application).
-behaviour(supervisor).

-export([ensure_started/0]).
-export([start/2, stop/1]).
-export([start_link/2, init/1]).

%% Programs that use sctpd name it among their applications. For those that do
%% not, and have perhaps no sctpd.app, it is started when it is first used.
-spec ensure_started() -> ok | {error, term()}.
ensure_started() ->
    case whereis(sctpd_conns) of
        undefined -> started(application:ensure_all_started(sctpd));
        _ -> ok
    end.

started({ok, _}) ->
    ok;
started({error, {sctpd, {"no such file or directory", _}}}) ->
    _ = application:load({application, sctpd, [
        {vsn, ""}, {mod, {?MODULE, []}}, {applications, [kernel, stdlib]},
        {registered, [sctpd_sup, sctpd_conn_sup, sctpd_owners, sctpd_socket_sup,
                      sctpd_member_sup, sctpd_conns]}]}),
    case application:ensure_all_started(sctpd) of
        {ok, _} -> ok;
        {error, _} = E -> E
    end;
started({error, _} = E) ->
    E.

start(_, _) -> start_link(sctpd_sup, top).

stop(_) -> ok.

start_link(Name, Which) -> supervisor:start_link({local, Name}, ?MODULE, Which).

init(top) ->
    {ok, {#{strategy => rest_for_one, intensity => 5, period => 10},
          [sup(sctpd_conn_sup, sctpd_conn),
           #{id => sctpd_owners, start => {sctpd_owners, start_link, []}},
           sup(sctpd_socket_sup, sctpd_socket), sup(sctpd_member_sup, sctpd_member),
           #{id => sctpd_conns, start => {sctpd_conns, start_link, []}}]}};
init(Module) ->
    {ok, {#{strategy => simple_one_for_one},
          [#{id => Module, start => {Module, start_link, []}, restart => temporary,
             shutdown => 1000}]}}.

sup(Name, Module) ->
    #{id => Name, start => {?MODULE, start_link, [Name, Module]}, type => supervisor}.
