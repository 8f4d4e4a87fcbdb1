# SPDX-License-Identifier: BSD-2-Clause
"""Tests that say nothing about the userland stack: by the row of the table
of differences between the stacks (proto/difference.c) that tells why. A name
that ends with a dot is a whole module."""
import os

from harness import ROOT, STACK

USERLAND = {
    "wire": ("remote.", "supervise.a_peer_that_is_killed_is_associated_again_within_the_pause", "supervise.associations_that_ended_together_do_not_come_back_together", "setup.eof_and_abort_of_a_stream_socket_that_is_over_unread"),
    "survival": ("group.a_process_that_died_with_the_daemon_is_not_waited_for_as_one_that_lives", "go.an_echo_survives_kills", "node.an_echo_survives_kills", "node.an_echo_that_listens_survives_kills", "python.a_blocking_echo_survives_kills", "python.an_echo_survives_kills", "python.what_is_told_of_a_kill_may_fail", "admin.a_drained_daemon_stays_so_over_a_kill", "lib_session.", "cli.talk_goes_on_when_the_daemon_dies", "keeper.an_association_survives_kills",
                 "erlang.daemon_is_killed_every_second",
                 "keeper.an_association_survives_restarts",
                 "keeper.killed_the_keeper_leaves_a_daemon_that_ends_well",
                 "keeper.an_association_survives_a_daemon_that_hangs",
                 "keeper.a_configuration_that_was_spoiled_meanwhile_ends_nothing",
                 "memory.what_survives_a_restart_is_charged_to_its_user_again",
                 "order.the_peers_process_is_killed",
                 "partial.the_senders_process_may_be_killed", "stall.it_is_known_over_a_kill_and_found_again", "survive.", "places.", "supervise.what_does_not_read_in_the_next_process_is_closed", "group.all_of_it_outlives_the_daemon", "group.a_daemon_that_dies_as_it_hands_over", "group.the_longest_name_is_whole_when_the_daemon_has_died", "group.spread_outlives_the_daemon", "group.after_a_death_only_what_is_the_associations_is_waited_for", "group.a_group_of_a_supervised_association_outlives_the_daemon", "groupload.the_daemon_dies_as_well",
                 "lib_group.the_daemon_dies_as_it_joins_and_leaves", "lib_group.a_member_is_there_again_after_the_daemon_died",
                 "lib_group.who_comes_back_too_late_lost_what_it_had_not_taken", "lib_group.what_waits_of_a_socket_that_another_adopted_is_the_others",
                 "lib_group.whose_session_has_ended_does_not_get_what_is_anothers",
                 "stock.a_member_of_a_group_and_the_daemon_dies", "trace.the_counters_outlive_the_daemon"),
    "one path": (
        "bindx.", "supervise.interfaces_and_addresses_that_come_and_go", "supervise.explain_offers_what_the_init_does", "connect.a_list_of_addresses", "event.addresses_are_confirmed",
        "event.a_primary_address_is_made", "loghosts.the_primary_path_changes", "names.socknames_of_one_association",
        "damped.", "losses.", "option.the_primary_path_is_chosen", "pathmanager.", "paths.all_addresses_and_which_is_primary",
        "paths.of_more_paths_than_one_answer_holds_it_says_so",
        "order.addresses_come_and_go", "order.one_path_fails_and_works_again",
        "order.the_peer_may_not_restart_with_more_addresses", "order.the_peer_restarts_with_fewer_addresses",
        "order.who_did_not_agree_is_told_of_no_address", "record.of_a_path",
        "setup.connectx_init_of_several_addresses"),
    "namespace": (
        "netns.", "option.netns_is_for_open_alone", "option.netns_of_its_own_kind_is_as_none",
        "privilege.netns_users_names_who_else_may_open_there", "privilege.no_file_is_opened_that_is_no_namespace",
        "privilege.other_networks_are_for_root",
        "privilege.netns_is_a_feature_where_it_can_work", "privilege.sctpctl_opens_in_another_network"),
    "options": (
        "interleave.",
        "erlang.better",
        "accept.a_peeled_socket_inherits_options_but_not_active", "option.bind_to_device",
        "option.every_option_that_can_be_read_is_answered_or_says_why_not",
        "standby.", "natsstandby.",
        "option.a_socket_binds_an_address_that_is_not_here_yet", "option.the_counters_of_an_association",
        "option.recvtos_and_recvttl_are_taken_and_bring_nothing",
        "option.what_is_read_can_be_set_again",
        "set.every_option_reads_back_what_was_set", "set.every_option_can_be_given_at_open",
        "set.every_option_refuses_an_association_that_is_not",
        "set.every_option_refuses_values_of_other_types",
        "set.every_readable_option_has_the_fields_of_the_table",
        "set.messages_that_were_given_up_are_counted", "set.six_options_are_inherited_too",
        "set.so_has_an_accepted_one", "set.the_peer_is_asked_for_its_primary_address",
        "set.a_peeled_socket_has_the_options_that_were_given_at_open",
        "privilege.a_reused_port_is_shared_by_one_users_sockets_only", "privilege.high_priorities_are_for_root",
        "privilege.large_buffers_that_all_may_have_take_no_capability",
        "set.tos_and_priority_do_not_change_each_other"),
    "option values": (
        "auth.without_auth_the_options_about_keys_are_eacces",
        "option.those_to_come_have_what_the_socket_has",
        "set.autoclose_is_not_for_stream_sockets", "set.every_field_alone_changes_no_other",
        "set.every_option_of_one_association_is_of_that_alone",
        "set.every_option_of_those_to_come_is_not_of_those_that_are",
        "set.values_that_the_kernel_refuses"),
    "buffers": (
        "difference.the_receive_buffer_of_an_association_is_five_times_that",
        "difference.the_window_is_that_of_the_buffer_it_began_with",
        "memory.in_another_network_namespace_the_kernels_limit_is_estimated",
        "memory.too_little_memory_for_max_associations_is_logged"),
    "descriptors": ("clean.associations_without_descriptors", "clean.accept_without_room", "lend.", "lib_lend."),
    "fragments": ("data.a_message_beyond_the_fragmentation_point_needs_fragments",),
    "aborted messages": ("event.send_failed_comes_once_with_the_whole_message",),
    "reasons": ("end.the_peer_sees_the_reason_of_an_abort",),
    "resets": ("reset.this_side_does_not_allow_it",),
    "a closed listener": ("setup.who_was_not_accepted_is_told_when_the_listener_closes",),
    "kernel programs": (
        "cli_talk.ncat_is_echoed", "cli_talk.sctp_darn_takes_several_associations",
        "auth.a_plain_peer_with_the_key_is_heard", "rawopt.lengths_are_those_of_the_kernel",
        "rawip.it_does_not_start_where_the_kernel_has_sctp",
        "auth.a_plain_peer_with_the_empty_key_or_a_wrong_one_is_not_heard",
        "auth.a_plain_peer_without_auth_is_aborted", "auth.keys_change_under_traffic",
        "auth.without_the_requirement_the_empty_key_is_valid",
        "deaf.",
        "erlang.server_and_client", "erlang.two_associations", "erlang.same_as_gen_sctp",
        "hold.a_plain_peer_is_blocked_and_nothing_grows",
        "memory.peers_of_who_does_not_read_stop_nobody_else",
        "bundle.", "chunks.", "onwire.", "peer_erlang.", "peer_lksctp.", "random.", "reconfig.", "record.of_an_association_that_the_peer_resets",
        "record.of_resets_that_are_not_wanted", "record.of_streams_that_the_peer_resets",
        "record.what_python_sends_comes_and_what_is_sent_arrives",
        "partial.in_active_mode", "partial.others_messages_come_between_its_pieces",
        "partial.the_receiver_aborts", "partial.the_sender_aborts",
        "partial.the_sender_aborts_while_nobody_reads",
        "partial.unwanted_the_event_does_not_come_and_the_pieces_go",
        "stall.a_plain_program_that_stops_reading", "tap.osmo_stp_is_the_peer"),
}


def rows():
    """The keys that the reference has."""
    with open(os.path.join(ROOT, "proto", "REFERENCE.md"), encoding="utf-8") as f:
        text = f.read()
    table = text[text.index("## Differences between the stacks"):]
    return {line.split("|")[1].strip() for line in table[:table.index("\n## ")].splitlines()
            if line.startswith("| ")}


def why(name):
    """The key of the row because of which this test is left out, or None."""
    if STACK != "userland":
        return None
    for key, names in USERLAND.items():
        if any(name == n or n.endswith(".") and name.startswith(n) for n in names):
            return key
    return None


assert set(USERLAND) <= rows(), set(USERLAND) - rows()
