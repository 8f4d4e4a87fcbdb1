#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# native.sh COMMAND [ARG...]: runs a command on this machine's own kernel, whether it has SCTP or not, in a network of
# its own: what is tested there on the userland stack meets nobody else's ports. Needs root, or user namespaces.

set -u
flags=-nmpf
[ "$(id -u)" -eq 0 ] || flags=-Urnmpf
if ! why=$(unshare "$flags" --mount-proc true 2>&1); then
	echo "native: $why: no namespaces can be made here; run it as root, allow user namespaces (in Ubuntu:" \
		"sysctl kernel.apparmor_restrict_unprivileged_userns=0), or start the container with --privileged" >&2
	exit 125
elif ! PATH=$PATH:/usr/sbin:/sbin command -v ip >/dev/null; then
	echo "native: there is no command ip; run: tests/deps.sh lab" >&2
	exit 125
fi
# shellcheck disable=SC2016 # the inner shell's
exec unshare "$flags" --mount-proc sh -c '
	mkdir -p /run/netns && mount -t tmpfs none /run/netns && ip link set lo up || exit 125
	exec "$@"' sh "$@"
