%% SPDX-License-Identifier: BSD-2-Clause
%%
%% A program for gen_sctp, in steps: run(gen_sctp, inet) and run(sctpd, sctpd)
%% print a line a step, its name and what was returned or received, with
%% sockets, ports and association ids replaced by names.
-module(scenario).

-export([run/2]).
-include_lib("kernel/include/inet_sctp.hrl").

-define(LO, {127, 0, 0, 1}).

run(M, I) ->
    put(m, M),
    put(i, I),
    opens(),
    names(),
    {L, S} = connects(),
    sends(L, S),
    receives(L, S),
    actives(L, S),
    options(L),
    ends(L, S),
    set_ups(L),
    hand_over(L),
    peels(L),
    streams(L),
    closes(L),
    strings().

%% ---- the steps ------------------------------------------------------------------

opens() ->
    step(open_negative_port, fun() -> m(open, [-1]) end),
    step(open_big_port, fun() -> m(open, [65536]) end),
    step(open_atom, fun() -> m(open, [foo]) end),
    step(open_string, fun() -> m(open, ["a"]) end),
    step(open_unknown_option, fun() -> m(open, [[{foo, 1}]]) end),
    step(open_bad_value, fun() -> m(open, [[{sctp_nodelay, 7}]]) end),
    step(open_bad_record, fun() -> m(open, [[{sctp_rtoinfo, #sctp_rtoinfo{max = -1}}]]) end),
    step(open_bad_type, fun() -> m(open, [[{type, dgram}]]) end),
    step(open_foreign_address, fun() -> m(open, [[{ip, {1, 2, 3, 4}}]]) end),
    step(open_malformed_address, fun() -> m(open, [[{ip, {1, 2, 3}}]]) end),
    step(open_inet_with_ipv6, fun() -> m(open, [[inet, {ip, {0, 0, 0, 0, 0, 0, 0, 1}}]]) end),
    step(open_same_address_twice, fun() -> m(open, [[{ip, ?LO}, {ip, ?LO}]]) end),
    step(open_any_and_another, fun() -> m(open, [[{ip, ?LO}, {ip, any}]]) end),
    step(open_no_such_device, fun() -> m(open, [[{bind_to_device, <<"nodev0">>}]]) end),
    step(open_no_such_netns, fun() -> m(open, [[{netns, "/no/such"}]]) end),
    step(open_debug, fun() -> {ok, D} = m(open, [[{debug, false}]]), m(close, [D]) end),
    step(open_bad_debug, fun() -> m(open, [[{debug, 7}]]) end),
    step(open_tclass_on_inet, fun() -> m(open, [[{tclass, 8}]]) end),
    A = opened(taker, [{ip, ?LO}]),
    step(open_taken_port, fun() -> m(open, [port(A), [{ip, ?LO}]]) end),
    step(open_bad_port_option, fun() -> m(open, [[{port, foo}]]) end),
    _ = m(close, [A]).

names() ->
    A = opened(two, [{ip, ?LO}, {ifaddr, {127, 0, 0, 2}}]),
    step(sockname_is_the_last, fun() -> i(sockname, [A]) end),
    step(socknames_are_all, fun() -> {ok, N} = i(socknames, [A]), lists:sort(N) end),
    step(port, fun() -> i(port, [A]) end),
    step(peername_of_many, fun() -> i(peername, [A]) end),
    step(peernames_of_many, fun() -> i(peernames, [A]) end),
    step(peernames_of_none, fun() -> i(peernames, [A, 77]) end),
    step(getstat, fun() -> i(getstat, [A]) end),
    step(getstat_some, fun() -> i(getstat, [A, [send_cnt, recv_cnt]]) end),
    step(close, fun() -> m(close, [A]) end),
    B = opened(loop, [{ip, loopback}]),
    step(sockname_of_loopback, fun() -> i(sockname, [B]) end),
    _ = m(close, [B]),
    C = opened(six, [inet6, {ip, {0, 0, 0, 0, 0, 0, 0, 1}}]),
    step(sockname_of_ipv6, fun() -> i(sockname, [C]) end),
    _ = m(close, [C]),
    D = opened(eight, [{ip, {0, 0, 0, 0, 0, 0, 0, 1}}]),
    step(ipv6_address_is_inet6, fun() -> i(sockname, [D]) end),
    step(getopts_tclass, fun() -> i(getopts, [D, [tclass, recvtclass]]) end),
    _ = m(close, [D]),
    E = opened(mapped, [inet6, {ip, ?LO}]),
    step(sockname_of_mapped, fun() -> i(sockname, [E]) end),
    _ = m(close, [E]).

connects() ->
    L = opened(listener, [{ip, ?LO}, {sctp_nodelay, true}]),
    S = opened(sender, [{ip, ?LO}]),
    P = port(L),
    step(listen_bad, fun() -> m(listen, [L, foo]) end),
    step(connect_refused, fun() -> m(connect, [S, ?LO, P, []]) end),
    step(listen, fun() -> m(listen, [L, true]) end),
    step(listen_number, fun() -> m(listen, [L, 10]) end),
    step(listen_negative, fun() -> m(listen, [L, -1]) end),
    step(connect_port_atom, fun() -> m(connect, [S, ?LO, foo, []]) end),
    step(connect_port_string, fun() -> m(connect, [S, ?LO, "7", []]) end),
    step(connect_big_port, fun() -> m(connect, [S, ?LO, 70000, []]) end),
    step(connect_bad_timeout, fun() -> m(connect, [S, ?LO, P, [], foo]) end),
    step(connect_bad_options, fun() -> m(connect, [S, ?LO, P, foo]) end),
    step(connect_unknown_option, fun() -> m(connect, [S, ?LO, P, [{foo, 1}]]) end),
    step(connect_bad_record, fun() ->
        m(connect, [S, ?LO, P, [{sctp_initmsg, #sctp_initmsg{num_ostreams = -1}}]])
    end),
    step(connect_no_name, fun() -> m(connect, [S, "no.such.invalid", P, []]) end),
    step(connect_any, fun() -> m(connect, [S, any, P, []]) end),
    step(connect_empty_name, fun() -> m(connect, [S, "", P, []]) end),
    step(connect_init_empty_name, fun() -> m(connect_init, [S, "", P, []]) end),
    step(connectx_init_empty_name, fun() -> m(connectx_init, [S, [""], P, []]) end),
    step(connect_no_address, fun() -> m(connect, [S, #{family => inet, port => P}, []]) end),
    step(connect_malformed, fun() -> m(connect, [S, {1, 2, 3}, P, []]) end),
    step(connect_broadcast, fun() -> m(connect, [S, {255, 255, 255, 255}, P, []]) end),
    step(connect, fun() ->
        connected(S, m(connect, [S, "localhost", P,
                                 [{sctp_initmsg, #sctp_initmsg{num_ostreams = 5}}], 5000]))
    end),
    step(connect_is_seen, fun() -> connected(L, recv(L)) end),
    step(connect_twice, fun() -> m(connect, [S, ?LO, P, []]) end),
    step(connect_kept_options, fun() ->
        {ok, [{_, O}]} = i(getopts, [S, [sctp_initmsg]]), O
    end),
    {L, S}.

sends(L, S) ->
    Id = id(S),
    A = #sctp_assoc_change{assoc_id = Id},
    step(send_record, fun() -> m(send, [S, A, 0, <<"one">>]) end),
    step(recv_record, fun() -> recv(L) end),
    step(send_id, fun() -> m(send, [S, Id, 1, ["t", <<"w">>, $o]]) end),
    step(recv_id, fun() -> recv(L) end),
    step(send_over_streams, fun() -> m(send, [S, A, 5, <<"x">>]) end),
    step(send_nothing, fun() -> m(send, [S, A, 0, <<>>]) end),
    step(send_no_iodata, fun() -> m(send, [S, A, 0, foo]) end),
    step(send_unknown_id, fun() -> m(send, [S, 99999, 0, <<"x">>]) end),
    step(send_id_zero, fun() -> m(send, [S, 0, 0, <<"x">>]) end),
    step(send_negative_id, fun() -> m(send, [S, -1, 0, <<"x">>]) end),
    step(send_negative_stream, fun() -> m(send, [S, Id, -1, <<"x">>]) end),
    step(send_bad_assoc, fun() -> m(send, [S, foo, 0, <<"x">>]) end),
    step(send_bad_socket, fun() -> m(send, [foo, A, 0, <<"x">>]) end),
    step(send_info, fun() ->
        m(send, [S, #sctp_sndrcvinfo{assoc_id = Id, stream = 2, ppid = 77, context = 5,
                                     flags = [unordered]}, <<"three">>])
    end),
    step(recv_info, fun() -> recv(L) end),
    step(send_info_ssn, fun() ->
        m(send, [S, #sctp_sndrcvinfo{assoc_id = Id, ssn = 1}, <<"x">>])
    end),
    step(send_info_flag, fun() ->
        m(send, [S, #sctp_sndrcvinfo{assoc_id = Id, flags = [foo]}, <<"x">>])
    end),
    step(send_info_ppid, fun() ->
        m(send, [S, #sctp_sndrcvinfo{assoc_id = Id, ppid = 16#100000000}, <<"x">>])
    end),
    step(default_send_param, fun() ->
        i(setopts, [S, [{sctp_default_send_param,
                         #sctp_sndrcvinfo{assoc_id = Id, ppid = 9, stream = 3}}]])
    end),
    step(send_default, fun() -> m(send, [S, Id, 1, <<"four">>]) end),
    step(recv_default, fun() -> recv(L) end),
    step(send_info_without_default, fun() ->
        m(send, [S, #sctp_sndrcvinfo{assoc_id = Id}, <<"five">>])
    end),
    step(recv_without_default, fun() -> recv(L) end),
    step(send_back, fun() -> m(send, [L, id(L), 0, <<"back">>]) end),
    step(recv_back, fun() -> recv(S) end),
    step(send_fragmented, fun() -> m(send, [S, Id, 0, binary:copy(<<"0123456789">>, 5000)]) end),
    step(recv_fragmented, fun() ->
        {ok, {_, _, _, Data}} = recv(L), {byte_size(Data), erlang:crc32(Data)}
    end).

receives(L, S) ->
    step(recv_none, fun() -> m(recv, [L, 0]) end),
    step(recv_time_out, fun() -> m(recv, [L, 50]) end),
    step(recv_bad_timeout, fun() -> m(recv, [L, foo]) end),
    step(recv_negative_timeout, fun() -> m(recv, [L, -1]) end),
    step(recv_bad_socket, fun() -> m(recv, [foo, 1]) end),
    Waiter = spawn_recv(L),
    step(recv_second, fun() -> m(recv, [L, 50]) end),
    _ = m(send, [S, id(S), 0, <<"for the waiter">>]),
    step(recv_waiter, fun() -> result(Waiter) end),
    step(mode_list, fun() -> i(setopts, [L, [{mode, list}]]) end),
    _ = m(send, [S, id(S), 0, <<"abc">>]),
    step(recv_list, fun() -> recv(L) end),
    step(get_mode, fun() -> i(getopts, [L, [mode]]) end),
    step(mode_binary, fun() -> i(setopts, [L, [binary]]) end),
    step(data_io_off, fun() -> events(L, #sctp_event_subscribe{data_io_event = false}) end),
    _ = m(send, [S, id(S), 0, <<"no info">>]),
    step(recv_no_info, fun() -> recv(L) end),
    step(data_io_on, fun() -> events(L, undefined) end),
    D = opened(deserted, [{ip, ?LO}]),
    _ = connected(D, m(connect, [D, ?LO, port(L), []])),
    _ = connected(L, recv(L)),
    Dead = spawn_recv(D),
    exit(Dead, kill),
    timer:sleep(20),
    _ = m(send, [L, id(L), 0, <<"after the dead">>]),
    step(recv_after_a_dead_waiter, fun() -> m(recv, [D, 500]) end),
    _ = m(close, [D]),
    _ = [recv(L), recv(L)].

actives(L, S) ->
    Say = fun(Data) -> ok = m(send, [S, id(S), 0, Data]) end,
    step(active_true, fun() -> active(L, true) end),
    Say(<<"1">>),
    step(active_true_message, fun() -> got() end),
    step(recv_while_active, fun() -> m(recv, [L, 0]) end),
    step(active_once, fun() -> active(L, once) end),
    Say(<<"2">>),
    Say(<<"3">>),
    step(active_once_message, fun() -> got() end),
    step(active_once_is_spent, fun() -> i(getopts, [L, [active]]) end),
    step(recv_what_came_later, fun() -> recv(L) end),
    step(active_two, fun() -> active(L, 2) end),
    step(active_two_more, fun() -> active(L, 1), i(getopts, [L, [active]]) end),
    Say(<<"4">>),
    Say(<<"5">>),
    Say(<<"6">>),
    step(active_count_messages, fun() -> [got(), got(), got(), got()] end),
    step(active_count_zero, fun() -> active(L, 0), got() end),
    step(active_count_under_zero, fun() -> active(L, 3), active(L, -7), got() end),
    step(active_count_silently_off, fun() -> active(L, 3), active(L, false), quiet() end),
    step(active_off, fun() -> active(L, false) end),
    Say(<<"7">>),
    Say(<<"8">>),
    step(active_takes_what_waits, fun() -> timer:sleep(50), active(L, once), got() end),
    step(recv_the_rest, fun() -> recv(L) end),
    step(active_at_open_zero, fun() ->
        {ok, A} = m(open, [[{active, 0}]]), M = got({sctp_passive, A}), _ = m(close, [A]), M
    end).

options(L) ->
    S = opened(chooser, [{ip, ?LO}]),
    _ = connected(S, m(connect, [S, ?LO, port(L), []])),
    _ = connected(L, recv(L)),
    Id = id(S),
    step(primary_addr, fun() ->
        i(getopts, [S, [{sctp_primary_addr, #sctp_prim{assoc_id = Id}}]])
    end),
    step(primary_addr_set, fun() ->
        i(setopts, [S, [{sctp_primary_addr, #sctp_prim{assoc_id = Id, addr = {?LO, port(L)}}}]])
    end),
    step(primary_addr_event, fun() -> recv(S) end),
    [step(Name, fun() -> i(getopts, [S, [Name]]) end)
     || Name <- [sctp_rtoinfo, sctp_associnfo, sctp_initmsg, sctp_autoclose, sctp_nodelay,
                 sctp_disable_fragments, sctp_i_want_mapped_v4_addr, sctp_maxseg,
                 sctp_adaptation_layer, sctp_peer_addr_params, sctp_events, linger, reuseaddr,
                 dontroute, priority, tos, ttl, recvtos, recvttl, bind_to_device, netns,
                 buffer, sndbuf, recbuf, sctp_status,
                 sctp_get_peer_addr_info, sctp_primary_addr, sctp_set_peer_primary_addr,
                 tclass, ipv6_v6only, recvtclass, no_such_option]],
    step(getopts_several, fun() -> i(getopts, [S, [active, mode, ttl, sctp_maxseg]]) end),
    step(getopts_one_unknown, fun() -> i(getopts, [S, [active, foo]]) end),
    set_get(S, rtoinfo_partial, {sctp_rtoinfo, #sctp_rtoinfo{max = 50000}}),
    set_get(S, associnfo_partial, {sctp_associnfo, #sctp_assocparams{cookie_life = 50000}}),
    set_get(S, initmsg_partial, {sctp_initmsg, #sctp_initmsg{max_attempts = 3}}),
    set_get(S, nodelay_set, {sctp_nodelay, true}),
    set_get(S, autoclose_set, {sctp_autoclose, 100}),
    set_get(S, disable_fragments_set, {sctp_disable_fragments, true}),
    step(send_too_long, fun() -> m(send, [S, Id, 0, binary:copy(<<0>>, 100000)]) end),
    set_get(S, disable_fragments_off, {sctp_disable_fragments, false}),
    set_get(S, mapped_off, {sctp_i_want_mapped_v4_addr, false}),
    set_get(S, maxseg_set, {sctp_maxseg, 1000}),
    set_get(S, adaptation_set, {sctp_adaptation_layer, #sctp_setadaptation{adaptation_ind = 5}}),
    set_get(S, params_hb, {sctp_peer_addr_params,
                           #sctp_paddrparams{hbinterval = 5000, flags = [hb_enable]}}),
    set_get(S, params_without_flag, {sctp_peer_addr_params, #sctp_paddrparams{hbinterval = 7000}}),
    step(default_param_partial, fun() ->
        Set = i(setopts, [S, [{sctp_default_send_param, #sctp_sndrcvinfo{ppid = 3}}]]),
        {ok, [{_, R}]} = i(getopts, [S, [sctp_default_send_param]]),
        {Set, R#sctp_sndrcvinfo.stream, R#sctp_sndrcvinfo.ppid, R#sctp_sndrcvinfo.flags}
    end),
    set_get(S, linger_set, {linger, {true, 2}}),
    set_get(S, linger_off, {linger, {false, 0}}),
    set_get(S, priority_set, {priority, 3}),
    set_get(S, ttl_set, {ttl, 10}),
    set_get(S, tos_set, {tos, 16}),
    set_get(S, reuseaddr_set, {reuseaddr, true}),
    set_get(S, recvtos_set, {recvtos, true}),
    set_get(S, buffer_zero, {buffer, 0}),
    set_get(S, sndbuf_set, {sndbuf, 100000}),
    set_get(S, events_partial, {sctp_events, #sctp_event_subscribe{address_event = false}}),
    step(events_partial_again, fun() ->
        events(S, #sctp_event_subscribe{peer_error_event = false}), i(getopts, [S, [sctp_events]])
    end),
    set_get(S, events_default, {sctp_events, undefined}),
    step(set_read_only, fun() -> i(setopts, [S, [{sctp_status, #sctp_status{}}]]) end),
    step(set_unknown, fun() -> i(setopts, [S, [{foo, 1}]]) end),
    step(set_bad_value, fun() -> i(setopts, [S, [{ttl, foo}]]) end),
    step(set_bad_list, fun() -> i(setopts, [S, [17]]) end),
    step(set_out_of_range, fun() ->
        i(setopts, [S, [{sctp_rtoinfo, #sctp_rtoinfo{max = 16#100000000}}]])
    end),
    step(set_raw, fun() -> i(setopts, [S, [{raw, 1, 2, <<0:32>>}]]) end),
    step(get_by_assoc, fun() ->
        i(getopts, [S, [{sctp_rtoinfo, #sctp_rtoinfo{assoc_id = Id}}]])
    end),
    step(get_by_unknown_assoc, fun() ->
        i(getopts, [S, [{sctp_rtoinfo, #sctp_rtoinfo{assoc_id = 99999}}]])
    end),
    step(get_with_more_than_keys, fun() ->
        i(getopts, [S, [{sctp_rtoinfo, #sctp_rtoinfo{max = 3}}]])
    end),
    step(status, fun() ->
        {ok, [{_, St}]} = i(getopts, [S, [{sctp_status, #sctp_status{assoc_id = Id}}]]),
        #sctp_status{state = State, instrms = In, outstrms = Out, primary = P} = St,
        {State, In, Out, P#sctp_paddrinfo.state, P#sctp_paddrinfo.address, P#sctp_paddrinfo.mtu}
    end),
    step(status_unknown, fun() ->
        i(getopts, [S, [{sctp_status, #sctp_status{assoc_id = 99999}}]])
    end),
    step(peer_addr_info, fun() ->
        Peer = {?LO, port(L)},
        Key = #sctp_paddrinfo{address = Peer},
        {ok, [{_, P}]} = i(getopts, [S, [{sctp_get_peer_addr_info, Key}]]),
        {P#sctp_paddrinfo.state, P#sctp_paddrinfo.address, P#sctp_paddrinfo.mtu}
    end),
    step(primary_addr_foreign, fun() ->
        i(setopts, [S, [{sctp_primary_addr, #sctp_prim{assoc_id = Id, addr = {{9, 9, 9, 9}, 9}}}]])
    end),
    step(peernames_of_assoc, fun() -> i(peernames, [S, Id]) end),
    step(socknames_of_assoc, fun() -> i(socknames, [S, #sctp_assoc_change{assoc_id = Id}]) end),
    _ = m(close, [S]),
    _ = [recv(L), recv(L)],
    failing_options().

%% On a socket of their own: after these gen_sctp's driver may lose messages.
failing_options() ->
    S = opened(scratch, [{ip, ?LO}]),
    set_get(S, maxseg_small, {sctp_maxseg, 3}),
    set_get(S, ttl_zero, {ttl, 0}),
    set_get(S, params_both, {sctp_peer_addr_params,
                             #sctp_paddrparams{flags = [hb_enable, hb_disable]}}),
    step(set_in_order, fun() ->
        {i(setopts, [S, [{ttl, 20}, {ttl, 0}, {ttl, 30}]]), i(getopts, [S, [ttl]])}
    end),
    step(active_overflow, fun() -> active(S, 32767), active(S, 1) end),
    step(active_after_overflow, fun() -> i(getopts, [S, [active]]) end),
    set_get(S, delayed_ack_set, {sctp_delayed_ack_time, #sctp_assoc_value{assoc_value = 100}}),
    step(delayed_ack_get, fun() -> i(getopts, [S, [sctp_delayed_ack_time]]) end),
    set_get(S, watermark_set, {high_msgq_watermark, 20000}),
    step(active_too_many, fun() -> active(S, 32768) end),
    step(active_too_few, fun() -> active(S, -32769) end),
    step(active_word, fun() -> active(S, sometimes) end),
    _ = m(close, [S]).

ends(L, S) ->
    A = #sctp_assoc_change{assoc_id = id(S)},
    step(eof_integer, fun() -> m(eof, [S, id(S)]) end),
    step(eof, fun() -> m(eof, [S, A]) end),
    step(eof_is_seen, fun() -> [recv(L), recv(L)] end),
    step(eof_ended, fun() -> recv(S) end),
    step(eof_again, fun() -> m(eof, [S, A]) end),
    step(send_after_eof, fun() -> m(send, [S, A, 0, <<"x">>]) end),
    step(connect_again, fun() -> connected(S, m(connect, [S, ?LO, port(L), []])) end),
    step(connect_again_is_seen, fun() -> connected(L, recv(L)) end),
    step(eof_with_data, fun() ->
        m(send, [S, #sctp_sndrcvinfo{assoc_id = id(S), flags = [eof]}, <<"x">>])
    end),
    step(abort_integer, fun() -> m(abort, [S, id(S)]) end),
    step(abort, fun() -> m(abort, [S, #sctp_assoc_change{assoc_id = id(S)}]) end),
    step(abort_is_seen, fun() -> recv(L) end),
    step(abort_ended, fun() -> recv(S) end),
    step(abort_again, fun() -> m(abort, [S, #sctp_assoc_change{assoc_id = id(S)}]) end),
    step(nothing_more, fun() -> [m(recv, [L, 50]), m(recv, [S, 50])] end),
    step(connect_for_eof_flag, fun() -> connected(S, m(connect, [S, ?LO, port(L), []])) end),
    _ = connected(L, recv(L)),
    step(eof_flag, fun() ->
        m(send, [S, #sctp_sndrcvinfo{assoc_id = id(S), flags = [eof]}, <<>>])
    end),
    step(eof_flag_seen, fun() -> [recv(L), recv(L), recv(S)] end),
    step(listen_off, fun() -> m(listen, [L, false]) end),
    step(connect_to_no_listener, fun() -> m(connect, [S, ?LO, port(L), []]) end),
    _ = m(listen, [L, true]),
    _ = m(close, [S]).

set_ups(L) ->
    A = opened(init, [{ip, ?LO}]),
    step(connect_init, fun() -> m(connect_init, [A, ?LO, port(L), []]) end),
    step(connect_init_up, fun() -> connected(A, recv(A)) end),
    step(connect_init_seen, fun() -> connected(L, recv(L)) end),
    step(connect_init_twice, fun() -> m(connect_init, [A, ?LO, port(L), []]) end),
    step(connect_init_bad_port, fun() -> m(connect_init, [A, ?LO, foo, []]) end),
    _ = m(close, [A]),
    _ = [recv(L), recv(L)],
    B = opened(initx, [{ip, ?LO}]),
    step(connectx_init, fun() ->
        {ok, Id} = m(connectx_init, [B, [?LO], port(L), []]), up(B, Id), {ok, {assoc, Id}}
    end),
    step(connectx_init_up, fun() -> connected(B, recv(B)) end),
    _ = connected(L, recv(L)),
    step(connectx_init_bad, fun() -> m(connectx_init, [B, foo, port(L), []]) end),
    step(connectx_init_no_name, fun() ->
        m(connectx_init, [B, ["no.such.invalid"], port(L), []])
    end),
    step(connectx_init_none, fun() -> m(connectx_init, [B, [], port(L), []]) end),
    _ = m(close, [B]),
    _ = [recv(L), recv(L)],
    C = opened(sockaddr, [{ip, ?LO}]),
    step(connect_sockaddr, fun() ->
        connected(C, m(connect, [C, #{family => inet, addr => ?LO, port => port(L)}, []]))
    end),
    _ = connected(L, recv(L)),
    _ = m(close, [C]),
    _ = [recv(L), recv(L)],
    D = opened(active, [{ip, ?LO}, {active, true}]),
    step(connect_active, fun() -> connected(D, m(connect, [D, ?LO, port(L), []])) end),
    _ = connected(L, recv(L)),
    step(connect_active_quiet, fun() -> quiet() end),
    step(eof_active, fun() -> m(eof, [D, #sctp_assoc_change{assoc_id = id(D)}]), got() end),
    _ = [recv(L), recv(L)],
    step(connect_active_once, fun() ->
        _ = active(D, once), connected(D, m(connect, [D, ?LO, port(L), []]))
    end),
    _ = connected(L, recv(L)),
    step(still_once, fun() -> i(getopts, [D, [active]]) end),
    step(connect_active_count, fun() ->
        _ = [active(D, false), active(D, 1)],
        _ = m(abort, [D, #sctp_assoc_change{assoc_id = id(D)}]),
        {got(), got()}
    end),
    _ = recv(L),
    step(connect_active_one, fun() ->
        _ = active(D, 1), connected(D, m(connect, [D, ?LO, port(L), []]))
    end),
    _ = connected(L, recv(L)),
    step(connect_spent_it, fun() -> [got(), i(getopts, [D, [active]])] end),
    _ = m(close, [D]),
    _ = [recv(L), recv(L)].

hand_over(L) ->
    S = opened(giver, [{ip, ?LO}]),
    _ = connected(S, m(connect, [S, ?LO, port(L), []])),
    _ = connected(L, recv(L)),
    Say = fun(Data) -> ok = m(send, [L, id(L), 0, Data]) end,
    step(give_no_pid, fun() -> m(controlling_process, [S, foo]) end),
    step(give_to_oneself, fun() -> m(controlling_process, [S, self()]) end),
    step(give_another_ones, fun() ->
        result(worker(fun() -> m(controlling_process, [S, self()]) end))
    end),
    step(owner_of_nothing_may_send, fun() ->
        result(worker(fun() -> m(send, [S, id(S), 0, <<"from a stranger">>]) end))
    end),
    _ = recv(L),
    Dead = spawn(fun() -> ok end),
    timer:sleep(20),
    _ = active(S, true),
    step(give_to_the_dead, fun() -> m(controlling_process, [S, Dead]) end),
    step(active_after_that, fun() -> i(getopts, [S, [active]]) end),
    _ = active(S, true),
    Say(<<"before 1">>),
    Say(<<"before 2">>),
    queued(2),
    Heir = heir(),
    step(give, fun() -> m(controlling_process, [S, Heir]) end),
    Say(<<"after">>),
    step(heir_has_all, fun() -> heard(Heir, 3) end),
    step(giver_has_none, fun() -> quiet() end),
    step(give_again, fun() -> m(controlling_process, [S, self()]) end),
    step(use_it_still, fun() -> i(getopts, [S, [active]]) end),
    Heir ! stop,
    step(heirs_death_closes, fun() -> [recv(L), recv(L)] end),
    T = opened(counter, [{ip, ?LO}]),
    _ = connected(T, m(connect, [T, ?LO, port(L), []])),
    _ = connected(L, recv(L)),
    _ = active(T, 1),
    Say(<<"the last">>),
    queued(2),
    Heir2 = heir(),
    step(give_counted, fun() -> m(controlling_process, [T, Heir2]) end),
    step(heir_of_passive, fun() -> heard(Heir2, 1) end),
    step(left_behind, fun() -> quiet() end),
    Heir2 ! stop,
    _ = [recv(L), recv(L)],
    Owner = owner_of(fun() -> {ok, O} = m(open, [[{ip, ?LO}]]), O end),
    U = result_of(Owner),
    note(orphan, U),
    Waiter = spawn_recv(U),
    Owner ! stop,
    step(recv_when_the_owner_dies, fun() -> result(Waiter) end).

peels(L) ->
    S = opened(many, [{ip, ?LO}]),
    _ = connected(S, m(connect, [S, ?LO, port(L), []])),
    Up = recv(L),
    Id = element(2, {connected(L, Up), id(L)}),
    step(peeloff_unknown, fun() -> m(peeloff, [L, 99999]) end),
    step(peeloff_zero, fun() -> m(peeloff, [L, 0]) end),
    step(peeloff_bad, fun() -> m(peeloff, [L, foo]) end),
    _ = m(send, [S, id(S), 0, <<"queued">>]),
    timer:sleep(20),
    {ok, P} = m(peeloff, [L, Id]),
    note(peeled, P),
    step(peeloff_takes_what_waits, fun() -> recv(P) end),
    step(peeloff_again, fun() -> m(peeloff, [L, Id]) end),
    step(peeled_port, fun() -> i(port, [P]) =:= i(port, [L]) end),
    step(peeled_sockname, fun() -> i(sockname, [P]) end),
    step(peeled_peername, fun() -> i(peername, [P]) end),
    step(peeled_peernames, fun() -> i(peernames, [P]) end),
    step(peeled_active, fun() -> i(getopts, [P, [active, mode]]) end),
    step(parent_sends, fun() -> m(send, [L, Id, 0, <<"x">>]) end),
    step(peeled_sends, fun() -> m(send, [P, Id, 0, <<"from the peeled">>]) end),
    step(peeled_was_heard, fun() -> recv(S) end),
    step(peeled_sends_any_id, fun() -> m(send, [P, 999, 0, <<"whoever">>]) end),
    step(peeled_was_heard_again, fun() -> recv(S) end),
    step(peeled_listen, fun() -> m(listen, [P, true]) end),
    step(peeled_peeloff, fun() -> m(peeloff, [P, Id]) end),
    step(peeled_connect, fun() -> m(connect, [P, ?LO, port(S), []]) end),
    step(peeled_eof, fun() -> m(eof, [P, #sctp_assoc_change{assoc_id = Id}]) end),
    step(peeled_eof_seen, fun() -> [recv(S), recv(S)] end),
    step(peeled_ended, fun() -> recv(P) end),
    step(peeled_after_the_end, fun() -> m(recv, [P, 50]) end),
    step(peeled_close, fun() -> m(close, [P]) end),
    _ = m(close, [S]).

streams(L) ->
    S = opened(stream, [{ip, ?LO}, {type, stream}]),
    step(stream_peername_before, fun() -> i(peername, [S]) end),
    step(stream_connect, fun() -> connected(S, m(connect, [S, ?LO, port(L), []])) end),
    _ = connected(L, recv(L)),
    step(stream_send, fun() -> m(send, [S, 0, 0, <<"by stream">>]) end),
    step(stream_heard, fun() -> recv(L) end),
    step(stream_peername, fun() -> i(peername, [S]) end),
    step(stream_peernames, fun() -> i(peernames, [S]) end),
    step(stream_connect_twice, fun() -> m(connect, [S, ?LO, port(L), []]) end),
    step(stream_peeloff, fun() -> m(peeloff, [S, id(S)]) end),
    step(stream_autoclose, fun() -> i(setopts, [S, [{sctp_autoclose, 5}]]) end),
    step(stream_close, fun() -> m(close, [S]) end),
    step(stream_close_seen, fun() -> [recv(L), recv(L)] end).

closes(L) ->
    S = opened(lingerer, [{ip, ?LO}, {linger, {true, 0}}]),
    _ = connected(S, m(connect, [S, ?LO, port(L), []])),
    _ = connected(L, recv(L)),
    step(close_abortive, fun() -> m(close, [S]) end),
    step(close_abortive_seen, fun() -> recv(L) end),
    A = #sctp_assoc_change{assoc_id = 3},
    step(close_bad, fun() -> m(close, [foo]) end),
    step(closed_close, fun() -> m(close, [S]) end),
    step(closed_listen, fun() -> m(listen, [S, true]) end),
    step(closed_connect, fun() -> m(connect, [S, ?LO, 7, []]) end),
    step(closed_connect_init, fun() -> m(connect_init, [S, ?LO, 7, []]) end),
    step(closed_recv, fun() -> m(recv, [S, 0]) end),
    step(closed_send, fun() -> m(send, [S, 3, 0, <<"x">>]) end),
    step(closed_eof, fun() -> m(eof, [S, A]) end),
    step(closed_abort, fun() -> m(abort, [S, A]) end),
    step(closed_peeloff, fun() -> m(peeloff, [S, 3]) end),
    step(closed_setopts, fun() -> i(setopts, [S, [{ttl, 3}]]) end),
    step(closed_getopts, fun() -> i(getopts, [S, [ttl]]) end),
    step(closed_getstat, fun() -> i(getstat, [S]) end),
    step(closed_sockname, fun() -> i(sockname, [S]) end),
    step(closed_controlling_process, fun() -> m(controlling_process, [S, heir()]) end),
    step(close_while_recv, fun() ->
        {ok, T} = m(open, []), Waiter = spawn_recv(T), _ = m(close, [T]), result(Waiter)
    end),
    _ = m(close, [L]).

strings() ->
    step(error_strings, fun() -> [m(error_string, [N]) || N <- lists:seq(0, 14)] end),
    step(error_string_of_3072, fun() -> m(error_string, [3072]) end),
    step(error_string_bad, fun() -> m(error_string, [foo]) end).

%% ---- what they are made of ------------------------------------------------------

m(F, Args) -> apply(get(m), F, Args).
i(F, Args) -> apply(get(i), F, Args).

step(Name, Do) ->
    Result = try Do() catch Class:Reason -> {Class, Reason} end,
    io:format("~s\t~0p~n", [Name, plain(Result)]).

recv(S) -> m(recv, [S, 3000]).

%% Open one and give it a name for the trace.
opened(Name, Opts) ->
    {ok, S} = m(open, [Opts]),
    note(Name, S).

note(Name, S) ->
    put({socket, S}, Name),
    {ok, Port} = i(port, [S]),
    put({port, Port}, Name),
    S.

port(S) -> {ok, P} = i(port, [S]), P.

%% Remember the association that just came up.
connected(S, {ok, #sctp_assoc_change{state = comm_up, assoc_id = Id}} = R) ->
    up(S, Id),
    R;
connected(S, {ok, {_, _, _, #sctp_assoc_change{state = comm_up, assoc_id = Id}}} = R) ->
    up(S, Id),
    R;
connected(_, Other) ->
    Other.

up(S, Id) ->
    put({id, S}, Id),
    is_atom(get({assoc, Id})) andalso get({assoc, Id}) =/= undefined orelse
        put({assoc, Id}, list_to_atom(lists:concat([named(S), "_", count(named(S))]))).

count(Name) ->
    N = case get({count, Name}) of undefined -> 1; Before -> Before + 1 end,
    put({count, Name}, N),
    N.

id(S) -> get({id, S}).

active(S, V) -> i(setopts, [S, [{active, V}]]).

events(S, E) -> i(setopts, [S, [{sctp_events, E}]]).

set_get(S, Name, {Option, _} = O) ->
    step(Name, fun() -> {i(setopts, [S, [O]]), i(getopts, [S, [Option]])} end).

got() ->
    receive M when element(1, M) =/= result -> M after 2000 -> nothing end.

got(M) -> receive M -> element(1, M) after 2000 -> nothing end.

quiet() -> receive M when element(1, M) =/= result -> M after 50 -> nothing end.

%% A process that does something of ours with our notes.
worker(Do) ->
    Me = self(),
    Notes = get(),
    spawn(fun() ->
        _ = [put(K, V) || {K, V} <- Notes],
        Me ! {result, self(), try Do() catch Class:Reason -> {Class, Reason} end}
    end).

spawn_recv(S) ->
    Pid = worker(fun() -> m(recv, [S, 5000]) end),
    timer:sleep(100),
    Pid.

result(Pid) -> receive {result, Pid, R} -> R after 6000 -> hangs end.

owner_of(Make) ->
    Me = self(),
    Notes = get(),
    spawn(fun() ->
        _ = [put(K, V) || {K, V} <- Notes],
        Me ! {result, self(), Make()},
        receive stop -> ok end
    end).

result_of(Pid) -> result(Pid).

heir() -> spawn(fun() -> heir([]) end).

heir(Heard) ->
    receive
        stop -> ok;
        {ask, Pid} -> Pid ! {result, self(), lists:reverse(Heard)}, heir(Heard);
        M -> heir([M | Heard])
    end.

%% What the heir heard, when that is N messages at least.
heard(Heir, N) ->
    Heir ! {ask, self()},
    case result(Heir) of
        Heard when length(Heard) >= N -> Heard;
        _ -> timer:sleep(20), heard(Heir, N)
    end.

%% Wait for N messages without taking them.
queued(N) ->
    {_, Length} = process_info(self(), message_queue_len),
    case Length >= N of
        true -> ok;
        false -> timer:sleep(10), queued(N)
    end.

%% ---- terms that are the same in every run ----------------------------------------

plain(R) when is_tuple(R), tuple_size(R) > 1 -> plain_tuple(R);
plain([H | T]) -> [plain(H) | plain(T)];
plain(B) when is_binary(B), byte_size(B) > 100 -> {bytes, byte_size(B)};
plain(T) when is_port(T) -> named(T);
plain(T) -> T.

plain_tuple({assoc, Id}) -> {assoc, assoc(Id)};
plain_tuple({type, {record, Which, _, _, Pos}}) -> {type, {record, Which, Pos}};
plain_tuple(#sctp_sndrcvinfo{} = R) ->
    #sctp_sndrcvinfo{ssn = Ssn, tsn = Tsn, cumtsn = Cum, assoc_id = Id} = R,
    R#sctp_sndrcvinfo{ssn = tsn(Ssn), tsn = tsn(Tsn), cumtsn = tsn(Cum), assoc_id = assoc(Id)};
plain_tuple({{A, B, C, D}, Port}) when is_integer(Port) -> {{A, B, C, D}, port_name(Port)};
plain_tuple({{_, _, _, _, _, _, _, _} = IP, Port}) when is_integer(Port) -> {IP, port_name(Port)};
plain_tuple({IP, Port, Anc, Data}) when is_tuple(IP), is_integer(Port), is_list(Anc) ->
    {IP, port_name(Port), plain(Anc), plain(Data)};
plain_tuple({Tag, S, IP, Port, What}) when is_tuple(IP), is_integer(Port) ->
    {Tag, named(S), IP, port_name(Port), plain(What)};
plain_tuple({ok, N}) when is_integer(N), N > 1024 -> {ok, port_name(N)};
plain_tuple(R) ->
    case is_atom(element(1, R)) andalso ids(element(1, R)) of
        Pos when is_integer(Pos) -> plain_list(setelement(Pos, R, assoc(element(Pos, R))));
        _ -> case named(R) of R -> plain_list(R); Name -> Name end
    end.

plain_list(R) -> list_to_tuple([plain(E) || E <- tuple_to_list(R)]).

%% Where the records have their association.
ids(sctp_assoc_change) -> #sctp_assoc_change.assoc_id;
ids(sctp_paddr_change) -> #sctp_paddr_change.assoc_id;
ids(sctp_shutdown_event) -> #sctp_shutdown_event.assoc_id;
ids(sctp_send_failed) -> #sctp_send_failed.assoc_id;
ids(sctp_rtoinfo) -> #sctp_rtoinfo.assoc_id;
ids(sctp_prim) -> #sctp_prim.assoc_id;
ids(_) -> none.

assoc(0) -> 0;
assoc(Id) -> case get({assoc, Id}) of undefined -> unknown; Name -> Name end.

tsn(N) when is_integer(N), N > 0 -> some;
tsn(N) -> N.

port_name(P) -> case get({port, P}) of undefined -> P; Name -> Name end.

named(S) -> case get({socket, S}) of undefined -> S; Name -> Name end.
