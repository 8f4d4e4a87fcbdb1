%% SPDX-License-Identifier: BSD-2-Clause
%%
%% How fast the Erlang library is: main server, which prints its port, and main client PORT N. See run.
-module(speed).

-export([main/1]).
-include_lib("kernel/include/inet_sctp.hrl").

-define(LO, {127, 0, 0, 1}).
-define(SIZE, 100).

main(["server"]) ->
    {ok, S} = sctpd:open(0, [binary, {ip, ?LO}, {active, true}]),
    ok = sctpd:listen(S, true),
    {ok, Port} = sctpd:port(S),
    io:format("~b~n", [Port]),
    serve(S),
    halt();
main(["client", Port, N]) ->
    {ok, S} = sctpd:open(0, [binary, {active, true}]),
    {ok, #sctp_assoc_change{assoc_id = Id}} = sctpd:connect(S, ?LO, list_to_integer(Port), []),
    Count = list_to_integer(N),
    Times = lists:sort([trip(S, Id) || _ <- lists:seq(1, Count div 10)]),
    {Us, ok} = timer:tc(fun() -> one_way(Count, S, Id) end),
    io:format("~f ~f~n", [Count / Us * 1.0e6, float(lists:nth(length(Times) div 2 + 1, Times))]),
    ok = sctpd:close(S),
    halt().

%% Echoes what begins with e, and ends when it has echoed what begins with q.
serve(S) ->
    receive
        {sctp, S, _, _, {[#sctp_sndrcvinfo{assoc_id = Id}], <<C, _/binary>> = Data}} when C =:= $e; C =:= $q ->
            ok = sctpd:send(S, Id, 0, Data),
            case C of
                $e -> serve(S);
                $q -> receive {sctp, S, _, _, {_, #sctp_assoc_change{state = shutdown_comp}}} -> ok end
            end;
        {sctp, S, _, _, _} -> serve(S)
    end.

trip(S, Id) ->
    {Us, ok} = timer:tc(fun() -> passed($e, S, Id) end),
    Us.

passed(C, S, Id) ->
    ok = sctpd:send(S, Id, 0, message(C)),
    receive {sctp, S, _, _, {_, <<C, _/binary>>}} -> ok end.

one_way(0, S, Id) -> passed($q, S, Id);
one_way(N, S, Id) -> ok = sctpd:send(S, Id, 0, message($x)), one_way(N - 1, S, Id).

message(C) -> binary:copy(<<C>>, ?SIZE).
