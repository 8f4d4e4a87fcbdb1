# SPDX-License-Identifier: BSD-2-Clause
"""Tests that say nothing about the userland stack: by the row of the table
of differences between the stacks (proto/difference.c) that tells why. A name
that ends with a dot is a whole module."""
import os

from harness import ROOT, STACK

USERLAND = {
    "one path": (
        "connect.a_list_of_addresses", "event.addresses_are_confirmed",
        "event.a_primary_address_is_made", "names.socknames_of_one_association",
        "option.the_primary_path_is_chosen", "order."),
    "namespace": (
        "netns.", "option.netns_is_for_open_alone", "option.netns_of_its_own_kind_is_as_none"),
    "options": (
        "accept.a_peeled_socket_inherits_options_but_not_active", "option.bind_to_device",
        "option.every_option_that_can_be_read_is_answered_or_says_why_not",
        "option.recvtos_and_recvttl_are_taken_and_bring_nothing",
        "option.what_is_read_can_be_set_again"),
    "option values": ("option.those_to_come_have_what_the_socket_has",),
    "buffers": (
        "difference.the_receive_buffer_of_an_association_is_five_times_that",
        "difference.the_window_is_that_of_the_buffer_it_began_with"),
    "descriptors": ("clean.associations_without_descriptors", "clean.accept_without_room"),
    "fragments": ("data.a_message_beyond_the_fragmentation_point_needs_fragments",),
    "reasons": ("end.the_peer_sees_the_reason_of_an_abort",),
    "aborted messages": ("event.send_failed_comes_once_with_the_whole_message",),
    "kernel programs": (
        "erlang.server_and_client", "erlang.two_associations", "erlang.same_as_gen_sctp",
        "peer_erlang.", "peer_lksctp."),
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
