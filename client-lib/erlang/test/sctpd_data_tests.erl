%% SPDX-License-Identifier: BSD-2-Clause
%%
%% What is read and written by hand is what sctpd_msgpack makes of it.
-module(sctpd_data_tests).

-include_lib("eunit/include/eunit.hrl").
-include_lib("kernel/include/inet_sctp.hrl").

%% A map with its keys in this order, as the daemon has them.
map(Pairs) -> [16#80 + length(Pairs), [[sctpd_msgpack:encode({str, K}), V] || {K, V} <- Pairs]].

int(N) -> sctpd_msgpack:encode(N).

event(Info, Data) -> event([], Info, Data).

event(Before, Info, Data) ->
    From = map([{"addr", sctpd_msgpack:encode({str, "10.0.0.1"})}, {"port", int(2905)}]),
    iolist_to_binary([16#93, 2, sctpd_msgpack:encode(data), 16#91, map(
        [{"seq", int(300)}, {"sock", int(70000)}, {"from", From}] ++ Info ++ Before
        ++ [{"data", sctpd_msgpack:encode(Data)}])]).

info(Pairs) -> [{"sctp_sndrcvinfo", map(Pairs)}].

infos() ->
    [[], info([]), info([{"stream", int(9)}, {"assoc_id", int(3)}]),
     info([{"stream", int(300)}, {"ssn", int(70)}, {"flags", sctpd_msgpack:encode([unordered])}, {"ppid", int(1 bsl 31)},
           {"context", int(5)}, {"tsn", int(70000)}, {"cumtsn", int(255)}, {"assoc_id", int(3)}])].

datas() -> [<<>>, <<"hello">>, binary:copy(<<"x">>, 300), binary:copy(<<"x">>, 70000)].

%% The same as read in general.
in_general(Bin) ->
    {[2, <<"data">>, [Fields]], <<>>} = sctpd_msgpack:decode(Bin),
    {data, Name, Anc, Data} = sctpd_term:event(Fields#{<<"event">> => <<"data">>}),
    {map_get(<<"seq">>, Fields), map_get(<<"sock">>, Fields), Name, Anc, Data}.

by_hand(Bin) ->
    {{Seq, Sock, From, Anc, Data}, Rest} = sctpd_data:event(<<Bin/binary, "rest">>),
    {Map, <<>>} = sctpd_msgpack:decode(From),
    {{Seq, Sock, sctpd_term:name_in(Map), Anc, Data}, Rest}.

read_test_() ->
    [?_assertEqual({in_general(Bin), <<"rest">>}, by_hand(Bin))
     || Info <- infos(), Data <- datas(), Before <- [[], [{"timestamp", <<16#cf, 99:64>>}]],
        Bin <- [event(Before, Info, Data)]].

%% Of what is cut off it is said how much is missing, as soon as that is known.
cut_test() ->
    Whole = event(info([{"stream", int(9)}]), <<"hello">>),
    Begin = byte_size(Whole) - 5,
    [?assertEqual(no, sctpd_data:event(binary:part(Whole, 0, N))) || N <- lists:seq(0, Begin - 1)],
    [?assertEqual({more, byte_size(Whole) - N}, sctpd_data:event(binary:part(Whole, 0, N)))
     || N <- lists:seq(Begin, byte_size(Whole) - 1)].

%% What is unusual is left to the others.
unusual_test_() ->
    [?_assertEqual(no, sctpd_data:event(Bin)) || Bin <- [
        event(info([{"wonder", int(1)}]), <<"x">>), event(info([{"stream", <<16#cb, 9.0/float>>}]), <<"x">>),
        event([{"wonder", int(1)}], [], <<"x">>), event(info([{"flags", sctpd_msgpack:encode([eof])}]), <<"x">>),
        <<16#93, 2, 16#a5, "other", 16#91, 16#80>>]].

sent(Body) ->
    {<<"send">>, <<16#91, Args/binary>>} = sctpd_msgpack:decode(iolist_to_binary(Body)),
    {Map, <<>>} = sctpd_msgpack:decode(Args),
    Map.

send_test_() ->
    [?_assertEqual(#{<<"sock">> => 70000, <<"assoc_id">> => 3, <<"stream">> => 9, <<"data">> => Data},
                   sent(sctpd_data:send(70000, 3, 9, Data))) || Data <- datas()].

send_record_test() ->
    ?assertEqual(#{<<"sock">> => 1, <<"data">> => <<"x">>, <<"sctp_sndrcvinfo">> =>
                   #{<<"stream">> => 9, <<"ppid">> => 46, <<"context">> => 0, <<"timetolive">> => 7, <<"assoc_id">> => 3}},
                 sent(sctpd_data:send(1, #sctp_sndrcvinfo{stream = 9, ppid = 46, timetolive = 7, assoc_id = 3}, <<"x">>))).

send_other_test_() ->
    [?_assertEqual(no, sctpd_data:send(1, Info, <<"x">>)) || Info <- [
        #sctp_sndrcvinfo{assoc_id = 3, flags = [unordered]}, #sctp_sndrcvinfo{assoc_id = -1},
        #sctp_sndrcvinfo{assoc_id = 3, ssn = 1}, #sctp_sndrcvinfo{assoc_id = 3, stream = 65536}]].
