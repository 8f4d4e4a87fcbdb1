%% SPDX-License-Identifier: BSD-2-Clause
%%
%% MessagePack, both ways.
-module(sctpd_msgpack_tests).

-include_lib("eunit/include/eunit.hrl").

-import(sctpd_msgpack, [encode/1, decode/1]).

packed(Term) -> iolist_to_binary([encode(Term)]).

integers() ->
    lists:usort(lists:append([[N - 1, N, -N, -N - 1] || K <- lists:seq(0, 63), N <- [1 bsl K]])
                -- [-(1 bsl 63) - 1]) ++ [(1 bsl 64) - 1].

sizes() -> [0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536].

terms() ->
    integers() ++ [nil, true, false]
        ++ [binary:copy(<<"x">>, N) || N <- sizes()]
        ++ [lists:duplicate(N, N) || N <- sizes()]
        ++ [maps:from_list([{integer_to_binary(I), [I]} || I <- lists:seq(1, N)]) || N <- [0, 1, 15, 16, 300]]
        ++ [#{<<"a">> => #{<<"b">> => [1, #{}, [<<0>>]]}}].

there_and_back_test_() ->
    [?_assertEqual({Term, <<"rest">>}, decode(<<(packed(Term))/binary, "rest">>)) || Term <- terms()].

%% Each number has the shortest form, as other libraries write it.
shortest_test_() ->
    [?_assertEqual(Size, byte_size(packed(N))) || {N, Size} <- [
        {0, 1}, {127, 1}, {128, 2}, {255, 2}, {256, 3}, {65535, 3}, {65536, 5}, {16#ffffffff, 5},
        {16#100000000, 9}, {-1, 1}, {-32, 1}, {-33, 2}, {-128, 2}, {-129, 3}, {-32768, 3},
        {-32769, 5}, {-16#80000000, 5}, {-16#80000001, 9}]].

strings_test_() ->
    [?_assertEqual({unicode:characters_to_binary(Text), <<>>}, decode(packed({str, Text})))
     || Text <- ["", "stp", "käse", [$x || _ <- lists:seq(1, 70000)]]]
        ++ [?_assertEqual(<<16#a3, "sck">>, packed(sck)), ?_assertEqual(<<16#c4, 3, "sck">>, packed(<<"sck">>)),
            ?_assertEqual(<<16#81, 16#a1, $a, 1>>, packed(#{a => 1}))].

%% Of whatever is cut off more is to come.
cut_test() ->
    Whole = packed([packed(N) || N <- [1, 300]] ++ [#{<<"k">> => -70000}, {str, "text"}, 1 bsl 40, nil]),
    [?assertEqual(more, decode(binary:part(Whole, 0, N))) || N <- lists:seq(0, byte_size(Whole) - 1)].

%% What sctpd does not say today, and may.
others_test_() ->
    [?_assertEqual({Term, <<>>}, decode(Bin)) || {Term, Bin} <- [
        {7, <<16#cb, 7.0:64/float>>}, {-2, <<16#ca, -2.0:32/float>>}, {2.5, <<16#cb, 2.5:64/float>>},
        {nil, <<16#cb, 16#7ff0000000000000:64>>}, {nil, <<16#ca, 16#7fc00000:32>>},
        {{extension, 5, <<1>>}, <<16#d4, 5, 1>>}, {{extension, -1, <<0:64>>}, <<16#d7, -1, 0:64>>},
        {{extension, 1, <<0:128>>}, <<16#d8, 1, 0:128>>}, {{extension, 1, <<>>}, <<16#c7, 0, 1>>},
        {{extension, 9, <<2, 3>>}, <<16#c8, 2:16, 9, 2, 3>>}, {{extension, 9, <<2>>}, <<16#c9, 1:32, 9, 2>>},
        {[1], <<16#dd, 1:32, 1>>}, {#{<<"a">> => 1}, <<16#df, 1:32, 16#a1, $a, 1>>},
        {1, <<16#d3, 1:64>>}, {<<"a">>, <<16#db, 1:32, $a>>}]].

no_messagepack_test_() ->
    [?_assertEqual(bad, decode(Bin)) || Bin <- [<<16#c1>>, <<16#92, 1, 16#c1>>, <<16#81, 16#c1>>]].
