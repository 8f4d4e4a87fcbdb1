%% SPDX-License-Identifier: BSD-2-Clause
%% gen_sctp, which listens here, takes numbered messages of mixed sizes of the
%% first peer that comes, checks each, and sends one of its own for each:
%% many:run([Address, Port, Count]). numbered() of test_interop.py has the same.
-module(many).

-export([run/1]).
-include_lib("kernel/include/inet_sctp.hrl").

-define(WORDS, {1, 4, 25, 125, 250, 363, 364, 750, 2500, 8192}).
-define(CREDIT, 1000).

run([Address, Port, Count]) ->
    {ok, Ip} = inet:parse_address(Address),
    N = list_to_integer(Count),
    {ok, S} = gen_sctp:open([{ip, Ip}, {port, list_to_integer(Port)}, {active, ?CREDIT},
                             {recbuf, 212992}, {sndbuf, 212992}, {buffer, 65536}]),
    ok = gen_sctp:listen(S, true),
    io:format("listening~n"),
    Assoc = receive
        {sctp, S, _, _, {_, #sctp_assoc_change{state = comm_up, assoc_id = Id}}} -> Id
    end,
    talk(S, Assoc, 0, N),
    io:format("all came~n"),
    ended(S),
    halt().

message(N) ->
    binary:copy(<<N:32>>, element(1 + N * 7 rem tuple_size(?WORDS), ?WORDS)).

talk(_, _, N, N) ->
    ok;
talk(S, Assoc, I, N) ->
    take(S, I),
    send(S, Assoc, message(I)),
    talk(S, Assoc, I + 1, N).

send(S, Assoc, Data) ->
    case gen_sctp:send(S, Assoc, 0, Data) of
        ok ->
            ok;
        {error, eagain} ->      % nothing tells when there is room again
            receive after 1 -> send(S, Assoc, Data) end
    end.

take(S, I) ->
    case next(S) of
        {[#sctp_sndrcvinfo{stream = 0}], Data} when is_binary(Data) ->
            Data =:= message(I) orelse wrong(I, Data);
        {_, #sctp_paddr_change{}} ->
            take(S, I);
        Other ->
            wrong(I, Other)
    end.

%% In active mode with a count, which is given anew when it has run out.
next(S) ->
    receive
        {sctp_passive, S} ->
            ok = inet:setopts(S, [{active, ?CREDIT}]),
            next(S);
        {sctp, S, _, _, What} ->
            What
    end.

ended(S) ->
    case next(S) of
        {_, #sctp_shutdown_event{}} -> io:format("over~n");
        _ -> ended(S)
    end.

wrong(I, Got) ->
    io:format("instead of message ~b: ~P~n", [I, Got, 20]),
    halt(1).
