%% SPDX-License-Identifier: BSD-2-Clause
%%
%% gen_sctp's terms and sctpd's: options, records, addresses and events.
-module(sctpd_term_tests).

-include_lib("eunit/include/eunit.hrl").
-include_lib("kernel/include/inet_sctp.hrl").

-define(LO6, {0, 0, 0, 0, 0, 0, 0, 1}).

%% ---- options that are set ------------------------------------------------------

set_test_() ->
    [?_assertEqual(Out, sctpd_term:option_out(Option)) || {Option, Out} <- [
        {binary, {local, mode, binary}},
        {list, {local, mode, list}},
        {{mode, list}, {local, mode, list}},
        {{active, once}, {local, active, once}},
        {{active, -32768}, {local, active, -32768}},
        {{active, 32767}, {local, active, 32767}},
        {{show_closed, true}, {local, show_closed, true}},
        {{debug, false}, {local, debug, false}},
        {{send_window, auto}, {local, send_window, auto}},
        {{send_window, 0}, {local, send_window, 0}},
        {{recbuf, 65536}, {remote, [recbuf, 65536]}},
        {{sctp_nodelay, true}, {remote, [sctp_nodelay, true]}},
        {{linger, {true, 2}}, {remote, [linger, #{on => true, seconds => 2}]}},
        {{sctp_maxseg, 512}, {remote, [sctp_maxseg, #{assoc_value => 512}]}},
        {{netns, "/run/netns/blue"}, {remote, [netns, {str, "/run/netns/blue"}]}},
        {{bind_to_device, <<"eth0">>}, {remote, [bind_to_device, {str, <<"eth0">>}]}},
        {{sctp_initmsg, #sctp_initmsg{num_ostreams = 5}}, {remote, [sctp_initmsg, #{num_ostreams => 5}]}},
        {{sctp_primary_addr, #sctp_prim{assoc_id = 3, addr = {{10, 0, 0, 1}, 7}}},
         {remote, [sctp_primary_addr, #{assoc_id => 3, addr => #{addr => {str, "10.0.0.1"}, port => 7}}]}},
        {{sctp_default_send_param, #sctp_sndrcvinfo{ppid = 46, flags = [unordered]}},
         {remote, [sctp_default_send_param, #{ppid => 46, flags => [unordered]}]}},
        {{stall, #{time => 5}}, {remote, [stall, #{time => 5}]}},
        {{hold_time, 1000}, {remote, [hold_time, 1000]}}]].

%% sctp_events without a record are gen_sctp's defaults.
default_events_test() ->
    {remote, [sctp_events, Events]} = sctpd_term:option_out({sctp_events, undefined}),
    ?assertEqual(9, map_size(Events)),
    ?assertEqual([adaptation_layer_event, authentication_event],
                 lists:sort([E || {E, false} <- maps:to_list(Events)])).

einval_test_() ->
    [?_assertThrow(einval, sctpd_term:option_out(Option)) || Option <- [
        {active, 32768}, {active, foo}, {show_closed, 1}, {debug, 7}, {send_window, -1}, {mode, utf8}, {recbuf, -1}, {recbuf, 16#100000000}, {sctp_nodelay, 7},
        {linger, {true, -1}}, {linger, true}, {netns, 7}, foo, {"name", 1}, {unknown, {1, 2}}]].

%% The record, and the place of the field in it.
type_test_() ->
    [?_assertThrow({type, {record, set, Name, Record, Pos}}, sctpd_term:option_out({Option, Record}))
     || {Option, Name, Record, Pos} <- [
        {sctp_rtoinfo, sctp_rtoinfo, #sctp_rtoinfo{max = -1}, 4},
        {sctp_initmsg, sctp_initmsg, #sctp_initmsg{num_ostreams = 65536}, 2},
        {sctp_initmsg, sctp_initmsg, #sctp_rtoinfo{}, 1},
        {sctp_peer_addr_params, sctp_paddrparams, #sctp_paddrparams{flags = [foo]}, 8},
        {sctp_default_send_param, sctp_sndrcvinfo, #sctp_sndrcvinfo{tsn = foo}, 8}]].

%% ---- options that are read -----------------------------------------------------

wanted_test_() ->
    [?_assertEqual(Out, sctpd_term:wanted_out(Wanted)) || {Wanted, Out} <- [
        {active, {local, active}},
        {recbuf, {remote, recbuf}},
        {{sctp_status, #sctp_status{assoc_id = 3}}, {remote, [sctp_status, #{assoc_id => 3}]}},
        {{sctp_get_peer_addr_info, #sctp_paddrinfo{assoc_id = 3, address = {?LO6, 7}}},
         {remote, [sctp_get_peer_addr_info,
                   #{assoc_id => 3, address => #{addr => {str, "::1"}, port => 7}}]}},
        {{sctp_maxseg, #sctp_assoc_value{assoc_id = 3}}, {remote, [sctp_maxseg, #{assoc_id => 3}]}},
        {{stats, #{assoc_id => 3}}, {remote, [stats, #{assoc_id => 3}]}}]].

wanted_wrongly_test_() ->
    [?_assertThrow({type, {record, get, _, _, _}}, sctpd_term:wanted_out(Wanted)) || Wanted <- [
        sctp_status, sctp_primary_addr,
        {sctp_status, #sctp_status{assoc_id = 3, rwnd = 1}},
        {sctp_rtoinfo, #sctp_rtoinfo{initial = 1}}]]
        ++ [?_assertThrow(einval, sctpd_term:wanted_out(W)) || W <- ["recbuf", {recbuf, {1}}, {active, {1}}]].

read_test_() ->
    [?_assertEqual({Name, Value}, sctpd_term:option_in(Name, Said)) || {Name, Said, Value} <- [
        {recbuf, 65536, 65536},
        {linger, #{<<"on">> => false, <<"seconds">> => 0}, {false, 0}},
        {sctp_maxseg, #{<<"assoc_id">> => 0, <<"assoc_value">> => 512}, 512},
        {sctp_rtoinfo, #{<<"assoc_id">> => 3, <<"initial">> => 1, <<"max">> => 3, <<"min">> => 2, <<"new">> => 1},
         #sctp_rtoinfo{assoc_id = 3, initial = 1, max = 3, min = 2}},
        {sctp_peer_addr_params,
         #{<<"assoc_id">> => 3, <<"address">> => #{<<"addr">> => <<"::1">>, <<"port">> => 7},
           <<"flags">> => [<<"hb_enable">>]},
         #sctp_paddrparams{assoc_id = 3, address = {?LO6, 7}, hbinterval = 0, pathmaxrxt = 0, pathmtu = 0,
                           sackdelay = 0, flags = [hb_enable]}},
        {send_timeout, <<"infinity">>, infinity},
        {send_timeout, 100, 100},
        {stall, #{<<"time">> => 5}, #{time => 5}}]].

%% ---- addresses -----------------------------------------------------------------

address_test_() ->
    [?_assertEqual(iolist_to_binary(Text), begin {str, T} = sctpd_term:ip_out(Family, IP), iolist_to_binary(T) end)
     || {Family, IP, Text} <- [
        {inet, {10, 0, 0, 1}, "10.0.0.1"},
        {inet6, {10, 0, 0, 1}, "::ffff:10.0.0.1"},
        {inet6, ?LO6, "::1"},
        {inet, any, "any"}, {inet6, loopback, "loopback"},
        {inet6, {{16#fe80, 0, 0, 0, 0, 0, 0, 1}, 2}, "fe80::1%2"}]]
        ++ [?_assertThrow(einval, sctpd_term:ip_out(inet, IP)) || IP <- [{1, 2, 3}, {1, 2, 3, 256}, {}, foo]].

sockaddr_test_() ->
    Link = {16#fe80, 0, 0, 0, 0, 0, 0, 1},
    [?_assertEqual(Is, sctpd_term:of_sockaddr(Map)) || {Map, Is} <- [
        {#{family => inet}, {{0, 0, 0, 0}, 0}},
        {#{family => inet6, port => 7}, {{0, 0, 0, 0, 0, 0, 0, 0}, 7}},
        {#{family => inet, addr => any, port => 7}, {{0, 0, 0, 0}, 7}},
        {#{family => inet, addr => loopback}, {{127, 0, 0, 1}, 0}},
        {#{family => inet, addr => broadcast}, {{255, 255, 255, 255}, 0}},
        {#{family => inet6, addr => loopback}, {?LO6, 0}},
        {#{family => inet, addr => {10, 0, 0, 1}, port => 2905}, {{10, 0, 0, 1}, 2905}},
        {#{addr => {10, 0, 0, 1}, port => 2905}, {{10, 0, 0, 1}, 2905}},
        {#{family => inet6, addr => Link, scope_id => 2}, {{Link, 2}, 0}},
        {#{family => inet6, addr => ?LO6, scope_id => 2, flowinfo => 0}, {?LO6, 0}},
        {#{family => inet, addr => ?LO6}, {{}, 0}}, {#{family => unix, addr => any}, {{}, 0}}]]
        ++ [?_assertError(badarg, sctpd_term:of_sockaddr(Map)) || Map <- [
            #{port => 7}, #{family => inet6, addr => Link, scope_id => lo}, foo]].

family_test_() ->
    [?_assertEqual(inet, sctpd_term:family(<<"10.0.0.1">>)), ?_assertEqual(inet6, sctpd_term:family(<<"fe80::1%eth0">>))].

name_test_() ->
    [?_assertEqual(Name, sctpd_term:name_in(Map)) || {Map, Name} <- [
        {#{<<"addr">> => <<"10.0.0.1">>, <<"port">> => 7}, {{10, 0, 0, 1}, 7}},
        {#{<<"addr">> => <<"fe80::1%eth0">>, <<"port">> => 7}, {{16#fe80, 0, 0, 0, 0, 0, 0, 1}, 7}},
        {#{}, {{0, 0, 0, 0}, 0}}]].

arguments_test_() ->
    [?_assertEqual(Out, sctpd_term:argument_out(V)) || {V, Out} <- [
        {[{10, 0, 0, 1}, <<"stp">>], [{str, "10.0.0.1"}, <<"stp">>]}, {7, 7}, {sticky, sticky}]].

%% ---- what comes ------------------------------------------------------------------

from() -> #{<<"addr">> => <<"10.0.0.1">>, <<"port">> => 7}.
event(Name, Fields) -> sctpd_term:event(Fields#{<<"event">> => Name, <<"from">> => from()}).

data_test() ->
    {data, {{10, 0, 0, 1}, 7}, Anc, <<"hi">>} =
        event(<<"data">>, #{<<"data">> => <<"hi">>, <<"timestamp">> => 99, <<"sctp_sndrcvinfo">> =>
            #{<<"stream">> => 1, <<"ppid">> => 46, <<"assoc_id">> => 3, <<"flags">> => [<<"unordered">>]}}),
    ?assertEqual([#sctp_sndrcvinfo{stream = 1, ssn = 0, flags = [unordered], ppid = 46, context = 0, timetolive = 0,
                                   tsn = 0, cumtsn = 0, assoc_id = 3}, {timestamp, 99}], Anc).

up_test() ->
    ?assertEqual({event, {{10, 0, 0, 1}, 7}, [],
                  #sctp_assoc_change{state = comm_up, outbound_streams = 10, inbound_streams = 5, assoc_id = 3}},
                 event(<<"sctp_assoc_change">>, #{<<"state">> => <<"comm_up">>, <<"outbound_streams">> => 10,
                                                  <<"inbound_streams">> => 5, <<"assoc_id">> => 3})).

%% Only a reason of more than 4 bytes is one.
abort_test_() ->
    [?_assertMatch({event, _, Anc, #sctp_assoc_change{state = comm_lost, error = 12}},
                   event(<<"sctp_assoc_change">>, #{<<"state">> => <<"comm_lost">>, <<"error">> => 12, <<"info">> => Info}))
     || {Info, Anc} <- [{<<0, 12, 0, 4>>, []}, {<<0, 12, 0, 7, "why">>, [{info, <<0, 12, 0, 7, "why">>}]}]].

errors_test_() ->
    [?_assertMatch({error, {{10, 0, 0, 1}, 7}, [], Record} when element(1, Record) =:= Kind,
                   event(atom_to_binary(Kind), #{<<"assoc_id">> => 3}))
     || Kind <- [sctp_send_failed, sctp_remote_error, sctp_pdapi_event]].

%% Events without a record.
other_events_test() ->
    ?assertEqual({event, {{10, 0, 0, 1}, 7}, [], {stalled, #{assoc_id => 3, time => 5}}},
                 event(<<"stalled">>, #{<<"assoc_id">> => 3, <<"time">> => 5, <<"sock">> => 9})).

association_test_() ->
    [?_assertEqual(Id, sctpd_term:assoc_of(What)) || {Id, What} <- [
        {3, #sctp_shutdown_event{assoc_id = 3}}, {3, #sctp_send_failed{assoc_id = 3}}, {3, {stalled, #{assoc_id => 3}}},
        {none, {timestamp, 7}}, {none, <<"data">>}]].

%% RFC 9260 names 13 causes.
error_string_test() ->
    ?assertEqual(ok, sctpd:error_string(0)),
    [?assertEqual(gen_sctp:error_string(N), sctpd:error_string(N)) || N <- lists:seq(1, 14) ++ [-1, 1 bsl 40]],
    ?assertError(badarg, sctpd:error_string("1")).
