%% SPDX-License-Identifier: BSD-2-Clause
%%
%% The messages of the data path, written and read by hand: sctpd_msgpack does
%% the same for everything, in ten times the time. What is not as the daemon
%% ordinarily writes it is left to that.
-module(sctpd_data).

-export([send/4, send/3, event/1]).
-export_type([event/0]).

-include_lib("kernel/include/inet_sctp.hrl").

-define(SEND, 16#a4, "send", 16#91).
-define(U32(V), 16#ce, (V):32).
-define(IS_U16(V), is_integer(V), V >= 0, V < 16#10000).
-define(IS_U32(V), is_integer(V), V >= 0, V < 16#100000000).

%% From is the peer as it is packed. The message refers to what was read.
-type event() :: {Seq :: non_neg_integer(), Sock :: non_neg_integer(), From :: binary(),
                  Anc :: list(), Data :: binary()}.

%% ---- what is sent: all but type and id -------------------------------------------

-spec send(non_neg_integer(), non_neg_integer(), 0..65535, binary()) -> iolist().
send(Sock, Id, Stream, Data) ->
    [<<?SEND, 16#84, 16#a4, "sock", ?U32(Sock), 16#a8, "assoc_id", ?U32(Id),
       16#a6, "stream", 16#cd, Stream:16, 16#a4, "data", 16#c6, (byte_size(Data)):32>>, Data].

%% With all parameters, or no: what this record has in it is not for here.
-spec send(non_neg_integer(), #sctp_sndrcvinfo{}, binary()) -> iolist() | no.
send(Sock, #sctp_sndrcvinfo{stream = Stream, ssn = undefined, flags = Flags, ppid = PPID,
                            context = Context, timetolive = TTL, tsn = undefined,
                            cumtsn = undefined, assoc_id = Id}, Data)
  when ?IS_U32(Id), Flags =:= undefined orelse Flags =:= [] ->
    case {zero(Stream), zero(PPID), zero(Context), zero(TTL)} of
        {S, P, C, T} when ?IS_U16(S), ?IS_U32(P), ?IS_U32(C), ?IS_U32(T) ->
            [<<?SEND, 16#83, 16#a4, "sock", ?U32(Sock),
               16#af, "sctp_sndrcvinfo", 16#85, 16#a6, "stream", 16#cd, S:16, 16#a4, "ppid", ?U32(P),
               16#a7, "context", ?U32(C), 16#aa, "timetolive", ?U32(T), 16#a8, "assoc_id", ?U32(Id),
               16#a4, "data", 16#c6, (byte_size(Data)):32>>, Data];
        _ -> no
    end;
send(_, _, _) ->
    no.

zero(undefined) -> 0;
zero(V) -> V.

%% ---- what comes -------------------------------------------------------------------

%% The event data that a buffer begins with, and what follows; {more, N}: N bytes of it
%% are missing; no: it is none, not as usual, or not there yet as far as the data.
-spec event(binary()) -> {event(), binary()} | no | {more, pos_integer()}.
event(<<16#93, 2, 16#a4, "data", 16#91, 2#1000:4, N:4, 16#a3, "seq", R/binary>>) ->
    seq(R, N - 1);
event(_) ->
    no.

seq(<<0:1, Seq:7, R/binary>>, N) -> sock(R, N, Seq);
seq(<<16#cc, Seq, R/binary>>, N) -> sock(R, N, Seq);
seq(<<16#cd, Seq:16, R/binary>>, N) -> sock(R, N, Seq);
seq(<<16#ce, Seq:32, R/binary>>, N) -> sock(R, N, Seq);
seq(<<16#cf, Seq:64, R/binary>>, N) -> sock(R, N, Seq);
seq(_, _) -> no.

sock(<<16#a4, "sock", 0:1, Sock:7, R/binary>>, N, Seq) -> from(R, N - 1, Seq, Sock);
sock(<<16#a4, "sock", 16#cc, Sock, R/binary>>, N, Seq) -> from(R, N - 1, Seq, Sock);
sock(<<16#a4, "sock", 16#cd, Sock:16, R/binary>>, N, Seq) -> from(R, N - 1, Seq, Sock);
sock(<<16#a4, "sock", 16#ce, Sock:32, R/binary>>, N, Seq) -> from(R, N - 1, Seq, Sock);
sock(_, _, _) -> no.

%% {addr, port}: a long address is not for here, nor a port below 256.
from(<<16#a4, "from", R/binary>>, N, Seq, Sock) ->
    case R of
        <<16#82, 16#a4, "addr", 2#101:3, L:5, _:L/binary, 16#a4, "port", 16#cd, _:16, After/binary>> ->
            info(After, N - 1, Seq, Sock, binary:part(R, 0, 15 + L));
        _ -> no
    end;
from(_, _, _, _) ->
    no.

info(<<16#af, "sctp_sndrcvinfo", 2#1000:4, K:4, R/binary>>, N, Seq, Sock, From) ->
    field(R, K, N - 1, Seq, Sock, From,
          #sctp_sndrcvinfo{stream = 0, ssn = 0, flags = [], ppid = 0, context = 0, timetolive = 0,
                           tsn = 0, cumtsn = 0, assoc_id = 0});
info(R, N, Seq, Sock, From) ->
    rest(R, N, Seq, Sock, From, []).

field(R, 0, N, Seq, Sock, From, Info) ->
    rest(R, N, Seq, Sock, From, [Info]);
field(<<16#a6, "stream", R/binary>>, K, N, Seq, Sock, From, Info) ->
    number(R, #sctp_sndrcvinfo.stream, K, N, Seq, Sock, From, Info);
field(<<16#a3, "ssn", R/binary>>, K, N, Seq, Sock, From, Info) ->
    number(R, #sctp_sndrcvinfo.ssn, K, N, Seq, Sock, From, Info);
field(<<16#a4, "ppid", R/binary>>, K, N, Seq, Sock, From, Info) ->
    number(R, #sctp_sndrcvinfo.ppid, K, N, Seq, Sock, From, Info);
field(<<16#a3, "tsn", R/binary>>, K, N, Seq, Sock, From, Info) ->
    number(R, #sctp_sndrcvinfo.tsn, K, N, Seq, Sock, From, Info);
field(<<16#a6, "cumtsn", R/binary>>, K, N, Seq, Sock, From, Info) ->
    number(R, #sctp_sndrcvinfo.cumtsn, K, N, Seq, Sock, From, Info);
field(<<16#a8, "assoc_id", R/binary>>, K, N, Seq, Sock, From, Info) ->
    number(R, #sctp_sndrcvinfo.assoc_id, K, N, Seq, Sock, From, Info);
field(<<16#a7, "context", R/binary>>, K, N, Seq, Sock, From, Info) ->
    number(R, #sctp_sndrcvinfo.context, K, N, Seq, Sock, From, Info);
field(<<16#a5, "flags", 16#91, 16#a9, "unordered", R/binary>>, K, N, Seq, Sock, From, Info) ->
    field(R, K - 1, N, Seq, Sock, From, Info#sctp_sndrcvinfo{flags = [unordered]});
field(_, _, _, _, _, _, _) ->
    no.

number(<<0:1, V:7, R/binary>>, At, K, N, Seq, Sock, From, Info) ->
    field(R, K - 1, N, Seq, Sock, From, setelement(At, Info, V));
number(<<16#cc, V, R/binary>>, At, K, N, Seq, Sock, From, Info) ->
    field(R, K - 1, N, Seq, Sock, From, setelement(At, Info, V));
number(<<16#cd, V:16, R/binary>>, At, K, N, Seq, Sock, From, Info) ->
    field(R, K - 1, N, Seq, Sock, From, setelement(At, Info, V));
number(<<16#ce, V:32, R/binary>>, At, K, N, Seq, Sock, From, Info) ->
    field(R, K - 1, N, Seq, Sock, From, setelement(At, Info, V));
number(_, _, _, _, _, _, _, _) ->
    no.

rest(<<16#a4, "data", R/binary>>, 1, Seq, Sock, From, Anc) ->
    data(R, Seq, Sock, From, Anc);
rest(<<16#a9, "timestamp", 16#cf, Us:64, R/binary>>, 2, Seq, Sock, From, Anc) ->
    rest(R, 1, Seq, Sock, From, Anc ++ [{timestamp, Us}]);
rest(_, _, _, _, _, _) ->
    no.

data(<<16#c4, L, Data:L/binary, R/binary>>, Seq, Sock, From, Anc) -> {{Seq, Sock, From, Anc, Data}, R};
data(<<16#c5, L:16, Data:L/binary, R/binary>>, Seq, Sock, From, Anc) -> {{Seq, Sock, From, Anc, Data}, R};
data(<<16#c6, L:32, Data:L/binary, R/binary>>, Seq, Sock, From, Anc) -> {{Seq, Sock, From, Anc, Data}, R};
data(<<16#c4, L, R/binary>>, _, _, _, _) -> {more, L - byte_size(R)};
data(<<16#c5, L:16, R/binary>>, _, _, _, _) -> {more, L - byte_size(R)};
data(<<16#c6, L:32, R/binary>>, _, _, _, _) -> {more, L - byte_size(R)};
data(_, _, _, _, _) -> no.
