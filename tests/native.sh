#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# native.sh COMMAND [ARG...]: runs a command on this machine's own kernel, whether it has SCTP or not, in a network of
# its own: what is tested there on the userland stack meets nobody else's ports. Needs root, or user namespaces.

set -u
flags=-nmpf
[ "$(id -u)" -eq 0 ] || flags=-Urnmpf
# shellcheck disable=SC2016 # the inner shell's
exec unshare "$flags" --mount-proc sh -c '
	mkdir -p /run/netns && mount -t tmpfs none /run/netns && ip link set lo up || exit 125
	exec "$@"' sh "$@"
