%% SPDX-License-Identifier: BSD-2-Clause
%%
%% MessagePack. Erlang/OTP has none of its own, and a module that runs on a bare
%% erlang-base cannot ask for a package of somebody's. Nothing is encoded that
%% sctpd's protocol does not use: no floating-point numbers, no extension types.
%%
%% In Erlang: a map has binaries for keys, strings and bytes are binaries, nil,
%% true and false are atoms; a whole number is an integer, however it came. To be encoded, an atom is a string, and {str, S}
%% is one too.
-module(sctpd_msgpack).

-export([encode/1, decode/1]).

%% A term as iodata.
encode(nil) -> 16#c0;
encode(false) -> 16#c2;
encode(true) -> 16#c3;
encode(A) when is_atom(A) -> string(atom_to_binary(A));
encode({str, S}) -> string(unicode:characters_to_binary(S));
encode(I) when is_integer(I), I >= 0 -> natural(I);
encode(I) when is_integer(I) -> negative(I);
encode(B) when is_binary(B) -> bytes(B);
encode(L) when is_list(L) -> [array(length(L)) | [[encode(E)] || E <- L]];
encode(M) when is_map(M) ->
    [map(map_size(M)) | [[encode_key(K), encode(V)] || {K, V} <- maps:to_list(M)]].

encode_key(K) when is_atom(K) -> string(atom_to_binary(K));
encode_key(K) when is_binary(K) -> string(K).

natural(I) when I < 16#80 -> I;
natural(I) when I < 16#100 -> <<16#cc, I>>;
natural(I) when I < 16#10000 -> <<16#cd, I:16>>;
natural(I) when I < 16#100000000 -> <<16#ce, I:32>>;
natural(I) when I < 16#10000000000000000 -> <<16#cf, I:64>>.

negative(I) when I >= -32 -> <<I>>;
negative(I) when I >= -16#80 -> <<16#d0, I>>;
negative(I) when I >= -16#8000 -> <<16#d1, I:16>>;
negative(I) when I >= -16#80000000 -> <<16#d2, I:32>>;
negative(I) when I >= -16#8000000000000000 -> <<16#d3, I:64>>.

string(B) when byte_size(B) < 32 -> [16#a0 + byte_size(B), B];
string(B) when byte_size(B) < 16#100 -> [<<16#d9, (byte_size(B))>>, B];
string(B) when byte_size(B) < 16#10000 -> [<<16#da, (byte_size(B)):16>>, B];
string(B) -> [<<16#db, (byte_size(B)):32>>, B].

bytes(B) when byte_size(B) < 16#100 -> [<<16#c4, (byte_size(B))>>, B];
bytes(B) when byte_size(B) < 16#10000 -> [<<16#c5, (byte_size(B)):16>>, B];
bytes(B) -> [<<16#c6, (byte_size(B)):32>>, B].

array(N) when N < 16 -> 16#90 + N;
array(N) when N < 16#10000 -> <<16#dc, N:16>>;
array(N) -> <<16#dd, N:32>>.

map(N) when N < 16 -> 16#80 + N;
map(N) -> <<16#de, N:16>>.

%% {Term, Rest}, more if there is no whole term yet, or bad if there is none.
decode(Bin) ->
    try value(Bin) catch throw:Why -> Why end.

value(<<0:1, I:7, R/binary>>) -> {I, R};
value(<<2#1000:4, N:4, R/binary>>) -> pairs(N, R, []);
value(<<2#1001:4, N:4, R/binary>>) -> elements(N, R, []);
value(<<2#101:3, N:5, S:N/binary, R/binary>>) -> {S, R};
value(<<16#c0, R/binary>>) -> {nil, R};
value(<<16#c2, R/binary>>) -> {false, R};
value(<<16#c3, R/binary>>) -> {true, R};
value(<<16#c4, N, B:N/binary, R/binary>>) -> {B, R};
value(<<16#c5, N:16, B:N/binary, R/binary>>) -> {B, R};
value(<<16#c6, N:32, B:N/binary, R/binary>>) -> {B, R};
value(<<16#cc, I, R/binary>>) -> {I, R};
value(<<16#cd, I:16, R/binary>>) -> {I, R};
value(<<16#ce, I:32, R/binary>>) -> {I, R};
value(<<16#cf, I:64, R/binary>>) -> {I, R};
value(<<16#d0, I:8/signed, R/binary>>) -> {I, R};
value(<<16#d1, I:16/signed, R/binary>>) -> {I, R};
value(<<16#d2, I:32/signed, R/binary>>) -> {I, R};
value(<<16#d3, I:64/signed, R/binary>>) -> {I, R};
value(<<16#d9, N, S:N/binary, R/binary>>) -> {S, R};
value(<<16#da, N:16, S:N/binary, R/binary>>) -> {S, R};
value(<<16#db, N:32, S:N/binary, R/binary>>) -> {S, R};
value(<<16#dc, N:16, R/binary>>) -> elements(N, R, []);
value(<<16#dd, N:32, R/binary>>) -> elements(N, R, []);
value(<<16#de, N:16, R/binary>>) -> pairs(N, R, []);
value(<<16#df, N:32, R/binary>>) -> pairs(N, R, []);
value(<<2#111:3, I:5, R/binary>>) -> {I - 32, R};
value(<<16#c1, _/binary>>) -> throw(bad);
value(<<16#ca, F:32/float, R/binary>>) -> {number(F), R};
value(<<16#cb, F:64/float, R/binary>>) -> {number(F), R};
value(<<16#ca, _:32, R/binary>>) -> {nil, R};   % infinite, or no number
value(<<16#cb, _:64, R/binary>>) -> {nil, R};
value(<<2#110101:6, K:2, T:8/signed, R/binary>>) -> extension(1 bsl K, T, R);
value(<<16#d8, T:8/signed, R/binary>>) -> extension(16, T, R);
value(<<16#c7, N, T:8/signed, R/binary>>) -> extension(N, T, R);
value(<<16#c8, N:16, T:8/signed, R/binary>>) -> extension(N, T, R);
value(<<16#c9, N:32, T:8/signed, R/binary>>) -> extension(N, T, R);
value(_) -> throw(more).

number(F) when F == trunc(F) -> trunc(F);
number(F) -> F.

extension(N, Type, Bin) ->
    case Bin of
        <<B:N/binary, R/binary>> -> {{extension, Type, B}, R};
        _ -> throw(more)
    end.

elements(0, R, Acc) ->
    {lists:reverse(Acc), R};
elements(N, Bin, Acc) ->
    {V, R} = value(Bin),
    elements(N - 1, R, [V | Acc]).

pairs(0, R, Acc) ->
    {maps:from_list(Acc), R};
pairs(N, Bin, Acc) ->
    {K, R1} = value(Bin),
    {V, R2} = value(R1),
    pairs(N - 1, R2, [{K, V} | Acc]).
