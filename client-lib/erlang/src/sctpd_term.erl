%% SPDX-License-Identifier: BSD-2-Clause
%%
%% Between gen_sctp's terms (the records of inet_sctp.hrl, {IP, Port}, options
%% in lists) and sctpd's (maps of fields, text addresses, [name, value]).
%%
%% Two tables say it all: fields/1 has the fields of each record with their
%% types, in the order of the record, and option/1 the type of each option.
%% What does not fit is thrown, as the term that gen_sctp gives as the reason.
-module(sctpd_term).

-export([event/1, sndrcvinfo/1, option_out/1, wanted_out/1, option_in/2, optional/1,
         own/1, ip_out/2, name_in/1, family/1, of_sockaddr/1, is_ipv6/1, argument_out/1, plain/1, assoc_of/1, error_string/1]).

-include_lib("kernel/include/inet_sctp.hrl").

%% ---- records ---------------------------------------------------------------

%% Types: u16, u32, bool, words and word, endpoint ({IP, Port}), bytes,
%% {record, Name}; {key, Type} is given when the option is read; got is a
%% number that is received only.
fields(sctp_initmsg) ->
    [{num_ostreams, u16}, {max_instreams, u16}, {max_attempts, u16}, {max_init_timeo, u16}];
fields(sctp_sndrcvinfo) ->
    [{stream, u16}, {ssn, got}, {flags, {words, [unordered, addr_over, abort, eof, sack_immediately]}},
     {ppid, u32}, {context, u32}, {timetolive, u32}, {tsn, got}, {cumtsn, got},
     {assoc_id, {key, u32}}];
fields(sctp_assoc_change) ->
    [{state, word}, {error, u32}, {outbound_streams, u16}, {inbound_streams, u16},
     {assoc_id, u32}];
fields(sctp_paddr_change) ->
    [{addr, endpoint}, {state, word}, {error, u32}, {assoc_id, u32}];
fields(sctp_remote_error) ->
    [{error, u32}, {assoc_id, u32}, {data, bytes}];
fields(sctp_send_failed) ->
    [{flags, bool}, {error, u32}, {info, {record, sctp_sndrcvinfo}}, {assoc_id, u32},
     {data, bytes}];
fields(sctp_shutdown_event) ->
    [{assoc_id, u32}];
fields(sctp_adaptation_event) ->
    [{adaptation_ind, u32}, {assoc_id, u32}];
fields(sctp_pdapi_event) ->
    [{indication, word}, {assoc_id, u32}];
fields(sctp_rtoinfo) ->
    [{assoc_id, {key, u32}}, {initial, u32}, {max, u32}, {min, u32}];
fields(sctp_assocparams) ->
    [{assoc_id, {key, u32}}, {asocmaxrxt, u16}, {number_peer_destinations, u16},
     {peer_rwnd, u32}, {local_rwnd, u32}, {cookie_life, u32}];
fields(sctp_prim) ->
    [{assoc_id, {key, u32}}, {addr, endpoint}];
fields(sctp_setpeerprim) ->
    [{assoc_id, {key, u32}}, {addr, endpoint}];
fields(sctp_setadaptation) ->
    [{adaptation_ind, u32}];
fields(sctp_paddrparams) ->
    [{assoc_id, {key, u32}}, {address, {key, endpoint}}, {hbinterval, u32},
     {pathmaxrxt, u16}, {pathmtu, u32}, {sackdelay, u32},
     {flags, {words, [hb_enable, hb_disable, hb_demand, pmtud_enable, pmtud_disable,
                      sackdelay_enable, sackdelay_disable]}}];
fields(sctp_event_subscribe) ->
    [{data_io_event, bool}, {association_event, bool}, {address_event, bool},
     {send_failure_event, bool}, {peer_error_event, bool}, {shutdown_event, bool},
     {partial_delivery_event, bool}, {adaptation_layer_event, bool},
     {authentication_event, bool}];
fields(sctp_assoc_value) ->
    [{assoc_id, {key, u32}}, {assoc_value, u32}];
fields(sctp_paddrinfo) ->
    [{assoc_id, {key, u32}}, {address, {key, endpoint}}, {state, word}, {cwnd, u32},
     {srtt, u32}, {rto, u32}, {mtu, u32}];
fields(sctp_status) ->
    [{assoc_id, {key, u32}}, {state, word}, {rwnd, u32}, {unackdata, u16}, {penddata, u16},
     {instrms, u16}, {outstrms, u16}, {fragmentation_point, u32},
     {primary, {record, sctp_paddrinfo}}];
fields(_) ->
    unknown.

%% A record as a map of the fields that are given. Which is set or get.
record_out(Which, Name, Record) ->
    Fields = fields(Name),
    is_tuple(Record) andalso tuple_size(Record) =:= length(Fields) + 1
        andalso element(1, Record) =:= Name
        orelse throw({type, {record, Which, Name, Record, 1}}),
    field_out(Which, Fields, 2, Record, #{}).

field_out(_, [], _, _, Map) ->
    Map;
field_out(Which, [{Field, Type} | Rest], Pos, Record, Map) ->
    case element(Pos, Record) of
        undefined ->
            field_out(Which, Rest, Pos + 1, Record, Map);
        Value ->
            Out = try value_out(Which, Type, Value)
                  catch throw:_ -> throw({type, {record, Which, element(1, Record), Record, Pos}})
                  end,
            field_out(Which, Rest, Pos + 1, Record, Map#{Field => Out})
    end.

value_out(_, {key, Type}, V) -> typed_out(Type, V);
value_out(get, _, _) -> throw(einval);
value_out(set, Type, V) -> typed_out(Type, V).

typed_out(u16, V) when is_integer(V), V >= 0, V < 16#10000 -> V;
typed_out(u32, V) when is_integer(V), V >= 0, V < 16#100000000 -> V;
typed_out(bool, V) when is_boolean(V) -> V;
typed_out({words, Words}, V) when is_list(V) ->
    lists:all(fun(W) -> lists:member(W, Words) end, V) orelse throw(einval),
    V;
typed_out(endpoint, {IP, Port}) when is_integer(Port), Port >= 0, Port < 16#10000 ->
    #{addr => ip_out(inet, IP), port => Port};
typed_out(_, _) -> throw(einval).

%% A map of fields as a record; what is absent is zero.
record_in(Name, Map) ->
    list_to_tuple([Name | [value_in(Type, maps:get(atom_to_binary(F), Map, absent))
                           || {F, Type} <- fields(Name)]]).

value_in({key, Type}, V) -> value_in(Type, V);
value_in({words, _}, absent) -> [];
value_in({words, _}, V) -> [binary_to_atom(W) || W <- V];
value_in({record, Name}, absent) -> record_in(Name, #{});
value_in({record, Name}, V) -> record_in(Name, V);
value_in(word, absent) -> undefined;
value_in(word, V) -> binary_to_atom(V);
value_in(bool, absent) -> false;
value_in(endpoint, absent) -> {{0, 0, 0, 0}, 0};
value_in(endpoint, V) -> name_in(V);
value_in(bytes, absent) -> <<>>;
value_in(bytes, V) -> own(V);
value_in(_, absent) -> 0;
value_in(_, V) -> V.

%% ---- addresses ---------------------------------------------------------------

%% An address as text; family inet6 shows IPv4's as IPv6's.
ip_out(_, any) -> {str, "any"};
ip_out(_, loopback) -> {str, "loopback"};
ip_out(inet6, {A, B, C, D}) -> ip_out(inet, inet:ipv4_mapped_ipv6_address({A, B, C, D}));
ip_out(_, {IP, Scope}) when tuple_size(IP) =:= 8 ->
    {str, [ip_text(IP), $%, integer_to_list(Scope)]};
ip_out(_, IP) ->
    {str, ip_text(IP)}.

%% An argument of a method: addresses, alone or in a list, are tuples or text.
argument_out(IP) when tuple_size(IP) =:= 4; tuple_size(IP) =:= 8 -> ip_out(inet, IP);
argument_out({IP, _} = Scoped) when tuple_size(IP) =:= 8 -> ip_out(inet6, Scoped);
argument_out(L) when is_list(L) -> [argument_out(V) || V <- L];
argument_out(V) -> V.

ip_text(IP) ->
    case inet:is_ip_address(IP) of
        true -> inet:ntoa(IP);
        false -> throw(einval)
    end.

%% {IP, Port} of a map with addr and port.
name_in(#{<<"addr">> := Addr, <<"port">> := Port}) -> {ip_in(Addr), Port};
name_in(_) -> {{0, 0, 0, 0}, 0}.

family(Addr) ->
    case binary:match(Addr, <<":">>) of
        nomatch -> inet;
        _ -> inet6
    end.

%% Of a map as socket:sockaddr_in() and sockaddr_in6() are: the address, {IP, Scope}
%% where only its interface makes it one, and the port.
of_sockaddr(#{family := Family} = A) ->
    IP = in_family(Family, maps:get(addr, A, any)),
    {scoped(IP, maps:get(scope_id, A, 0)), maps:get(port, A, 0)};
of_sockaddr(#{addr := IP} = A) ->
    {scoped(IP, maps:get(scope_id, A, 0)), maps:get(port, A, 0)};
of_sockaddr(_) -> error(badarg).

%% {} is no address, and is found out where addresses are.
in_family(inet, any) -> {0, 0, 0, 0};
in_family(inet, loopback) -> {127, 0, 0, 1};
in_family(inet, broadcast) -> {255, 255, 255, 255};
in_family(inet, IP) when tuple_size(IP) =:= 4 -> IP;
in_family(inet6, any) -> {0, 0, 0, 0, 0, 0, 0, 0};
in_family(inet6, loopback) -> {0, 0, 0, 0, 0, 0, 0, 1};
in_family(inet6, IP) when tuple_size(IP) =:= 8 -> IP;
in_family(_, _) -> {}.

%% An address that is not link-local has no scope.
scoped(IP, 0) -> IP;
scoped({A, _, _, _, _, _, _, _} = IP, Scope) when is_integer(Scope), Scope > 0 ->
    case A band 16#ffc0 of
        16#fe80 -> {IP, Scope};
        _ -> IP
    end;
scoped(_, _) -> error(badarg).

is_ipv6({IP, _}) -> is_ipv6(IP);
is_ipv6(IP) -> is_tuple(IP) andalso tuple_size(IP) =:= 8.

%% inet's tuples have no place for the interface of a link-local address.
ip_in(Text) ->
    [Addr | _] = binary:split(Text, <<"%">>),
    {ok, IP} = inet:parse_address(binary_to_list(Addr)),
    IP.

%% ---- messages and events ------------------------------------------------------

%% What came, from a map with event in it: {data, Name, Anc, Data} and {event,
%% Name, Anc, Record}, {error, Name, Anc, Record} for what gen_sctp calls errors.
event(#{<<"event">> := <<"data">>} = E) ->
    {data, name_in(maps:get(<<"from">>, E, #{})), anc(E), own(maps:get(<<"data">>, E))};
event(#{<<"event">> := Event} = E) ->
    Name = binary_to_atom(Event),
    {kind(Name), name_in(maps:get(<<"from">>, E, #{})), causes(E), body(Name, E)}.

kind(sctp_send_failed) -> error;
kind(sctp_remote_error) -> error;
kind(sctp_pdapi_event) -> error;
kind(_) -> event.

%% Events that gen_sctp has no record for are {Name, Map}.
body(Name, E) ->
    case fields(Name) of
        unknown -> {Name, plain(maps:without([<<"event">>, <<"sock">>, <<"from">>], E))};
        _ -> record_in(Name, E)
    end.

anc(E) -> info_in(E) ++ [{timestamp, maps:get(<<"timestamp">>, E)} || maps:is_key(<<"timestamp">>, E)].

info_in(#{<<"sctp_sndrcvinfo">> := Info}) -> [record_in(sctp_sndrcvinfo, Info)];
info_in(_) -> [].

%% The peer's reason for an abort, where it gave one: 4 bytes is none. And the daemon's,
%% for a message that it did not take.
causes(#{<<"reason">> := Text, <<"data">> := _}) -> [{reason, Text}];
causes(#{<<"info">> := B}) when is_binary(B), byte_size(B) > 4 -> [{info, own(B)}];
causes(_) -> [].

%% The association that a record is about, or none.
assoc_of({_, #{assoc_id := Id}}) -> Id;
assoc_of(Record) when is_tuple(Record), is_atom(element(1, Record)) ->
    case fields(element(1, Record)) of
        unknown -> none;
        Fields -> value_of(assoc_id, Fields, 2, Record)
    end;
assoc_of(_) -> none.

value_of(Name, [{Name, _} | _], Pos, Record) -> element(Pos, Record);
value_of(Name, [_ | Rest], Pos, Record) -> value_of(Name, Rest, Pos + 1, Record);
value_of(_, [], _, _) -> none.

%% Keep no buffer alive for the message in it, if that is not the most of it.
own(B) ->
    case binary:referenced_byte_size(B) > 2 * byte_size(B) of
        true -> binary:copy(B);
        false -> B
    end.

%% A map of the daemon's with atoms for keys.
plain(M) when is_map(M) ->
    maps:from_list([{binary_to_atom(K), plain(V)} || {K, V} <- maps:to_list(M)]);
plain(L) when is_list(L) -> [plain(V) || V <- L];
plain(V) -> V.

%% The record of a send as sctpd takes it, or a map, which has the fields that
%% the record lacks: #{assoc_id => Id, pr_policy => rtx, pr_value => 2}.
sndrcvinfo(#{} = Map) ->
    maps:map(fun(_, V) -> argument_out(V) end, Map);
sndrcvinfo(Record) ->
    record_out(set, sctp_sndrcvinfo, Record).

%% ---- options ---------------------------------------------------------------

%% The mode, whether messages are binaries or lists, is Erlang's own; who gets
%% what comes is known here (sctpd_socket.erl). With debug gen_sctp's driver prints
%% what it does; here it is only kept, as the daemon's log and sctpctl say that.
option(mode) -> {local, mode};
option(active) -> {local, active};
option(show_closed) -> {local, show_closed};
option(debug) -> {local, debug};
option(send_window) -> {local, send_window};
option(linger) -> linger;
option(sctp_maxseg) -> value;
option(sctp_initmsg) -> {record, sctp_initmsg};
option(sctp_rtoinfo) -> {record, sctp_rtoinfo};
option(sctp_associnfo) -> {record, sctp_assocparams};
option(sctp_primary_addr) -> {needs_key, sctp_prim};
option(sctp_set_peer_primary_addr) -> {needs_key, sctp_setpeerprim};
option(sctp_adaptation_layer) -> {record, sctp_setadaptation};
option(sctp_peer_addr_params) -> {record, sctp_paddrparams};
option(sctp_default_send_param) -> {record, sctp_sndrcvinfo};
option(sctp_events) -> {record, sctp_event_subscribe};
option(sctp_delayed_ack_time) -> {record, sctp_assoc_value};
option(sctp_status) -> {read_only, sctp_status};
option(sctp_get_peer_addr_info) -> {read_only, sctp_paddrinfo};
option(sctp_nodelay) -> bool;
option(sctp_disable_fragments) -> bool;
option(sctp_i_want_mapped_v4_addr) -> bool;
option(sctp_autoclose) -> uint;
option(reuseaddr) -> bool;
option(dontroute) -> bool;
option(ipv6_v6only) -> bool;
option(recvtos) -> bool;
option(recvttl) -> bool;
option(recvtclass) -> bool;
option(reuseport) -> bool;
option(timestamp) -> bool;
option(non_block_send) -> bool;
option(buffer) -> uint;
option(sndbuf) -> uint;
option(recbuf) -> uint;
option(priority) -> uint;
option(tos) -> uint;
option(ttl) -> uint;
option(tclass) -> uint;
option(high_msgq_watermark) -> uint;
option(low_msgq_watermark) -> uint;
option(send_timeout) -> any;
option(netns) -> text;
option(bind_to_device) -> text;
option(_) -> unknown.

%% May getopts leave it out where it has no value? gen_sctp refuses a list with
%% a name in it that it does not know.
optional(Name) -> option(Name) =/= unknown.

%% One option of a list to be set: {remote, [Name, Value]} or {local, Name, Value}.
option_out(binary) -> {local, mode, binary};
option_out(list) -> {local, mode, list};
option_out({Name, Value}) when is_atom(Name) -> option_out(option(Name), Name, Value);
option_out(_) -> throw(einval).

option_out({local, mode}, N, V) when V =:= list; V =:= binary ->
    {local, N, V};
option_out({local, active}, N, V) when is_boolean(V); V =:= once ->
    {local, N, V};
option_out({local, _}, N, V) when is_boolean(V), N =:= show_closed orelse N =:= debug ->
    {local, N, V};
option_out({local, active}, N, V) when is_integer(V), V >= -16#8000, V < 16#8000 ->
    {local, N, V};
option_out({local, send_window}, N, V) when V =:= auto; is_integer(V), V >= 0 ->
    {local, N, V};
option_out(text, N, V) when is_list(V); is_binary(V) ->
    {remote, [N, {str, V}]};
option_out(linger, N, {On, Seconds}) when is_boolean(On), is_integer(Seconds), Seconds >= 0 ->
    {remote, [N, #{on => On, seconds => Seconds}]};
option_out(value, N, V) when is_integer(V), V >= 0 ->
    {remote, [N, #{assoc_value => V}]};
option_out(value, N, #sctp_assoc_value{} = V) ->
    {remote, [N, record_out(set, sctp_assoc_value, V)]};
option_out(bool, N, V) when is_boolean(V) ->
    {remote, [N, V]};
option_out(uint, N, V) when is_integer(V), V >= 0, V < 16#100000000 ->
    {remote, [N, V]};
option_out(_, N, V) when is_map(V) ->
    {remote, [N, V]};
option_out({record, sctp_event_subscribe}, N, undefined) ->
    {remote, [N, default_events()]};
option_out({Kind, Name}, N, V) when Kind =:= record; Kind =:= needs_key ->
    {remote, [N, record_out(set, Name, V)]};
option_out(any, N, V) ->
    {remote, [N, V]};
option_out(unknown, N, V) when is_integer(V); is_atom(V); is_binary(V) ->
    {remote, [N, V]};
option_out(_, _, _) ->
    throw(einval).

default_events() ->
    Fields = [F || {F, _} <- fields(sctp_event_subscribe)],
    maps:from_list([{F, F =/= adaptation_layer_event andalso F =/= authentication_event}
                    || F <- Fields]).

%% One option of a list to be read, likewise: a name, or {Name, Record} where
%% the record says which association or address.
wanted_out(Name) when is_atom(Name) ->
    case option(Name) of
        {local, _} -> {local, Name};
        {_, Record} when Name =:= sctp_status; Name =:= sctp_primary_addr;
                         Name =:= sctp_set_peer_primary_addr ->
            throw({type, {record, get, Record, undefined, 2}});
        _ -> {remote, Name}
    end;
wanted_out({Name, Key}) when is_atom(Name), is_map(Key) ->
    {remote, [Name, Key]};
wanted_out({Name, Key}) when is_atom(Name), is_tuple(Key) ->
    case option(Name) of
        {Kind, Record} when Kind =/= local ->
            {remote, [Name, record_out(get, Record, Key)]};
        value -> {remote, [Name, record_out(get, sctp_assoc_value, Key)]};
        _ -> throw(einval)
    end;
wanted_out(_) ->
    throw(einval).

%% The value of an option that was read.
option_in(Name, V) -> {Name, option_value(option(Name), V)}.

option_value(linger, #{<<"on">> := On, <<"seconds">> := Seconds}) -> {On, Seconds};
option_value(value, #{<<"assoc_value">> := V}) -> V;
option_value({_, Record}, V) when is_map(V) -> record_in(Record, V);
option_value(any, Word) when is_binary(Word) -> binary_to_atom(Word);
option_value(_, V) -> plain(V).

%% ---- cause codes ---------------------------------------------------------------

%% RFC 9260, 3.3.10.
error_string(0) -> ok;
error_string(1) -> "Invalid Stream Identifier";
error_string(2) -> "Missing Mandatory Parameter";
error_string(3) -> "Stale Cookie Error";
error_string(4) -> "Out of Resource";
error_string(5) -> "Unresolvable Address";
error_string(6) -> "Unrecognized Chunk Type";
error_string(7) -> "Invalid Mandatory Parameter";
error_string(8) -> "Unrecognized Parameters";
error_string(9) -> "No User Data";
error_string(10) -> "Cookie Received While Shutting Down";
error_string(11) -> "Restart of an Association with New Addresses";
error_string(12) -> "User Initiated Abort";
error_string(13) -> "Protocol Violation";
error_string(N) when is_integer(N) -> unknown_error;
error_string(_) -> error(badarg).
