#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# two-hosts.sh up|down|cut N|mend N|netem N [ARG...]|mtu N MTU: two hosts with two networks between them, inside the lab.
#
# The hosts are the network namespaces left and right (ip netns exec left COMMAND). Network N, 1 or 2, is a pair of
# veth devices both called netN, with 10.0.N.1 and fd00:N::1 at the left and 10.0.N.2 and fd00:N::2 at the right.
# cut takes network N down and mend up again. netem sets its delay, loss and so on in both directions, for
# instance: netem 1 delay 20ms loss 1%; without ARGs it is perfect again. mtu sets that of both its ends.

set -eu

# Batches, because every new process takes 40 ms in User-Mode Linux. IPv6 addresses work at once (nodad: they have no
# duplicates) and stay when a network is cut, which the kernel must be told to do.
up() {
	ip -batch - <<-EOF
		netns add left
		netns add right
		link add net1 netns left mtu 1500 type veth peer name net1 netns right mtu 1500
		link add net2 netns left mtu 1500 type veth peer name net2 netns right mtu 1500
	EOF
	up_host left 1
	up_host right 2
}

up_host() {
	ip netns exec "$1" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/keep_addr_on_down'
	ip -netns "$1" -batch - <<-EOF
		link set lo up
		address add 10.0.1.$2/24 dev net1
		address add 10.0.2.$2/24 dev net2
		address add fd00:1::$2/64 dev net1 nodad
		address add fd00:2::$2/64 dev net2 nodad
		link set net1 up
		link set net2 up
	EOF
}

down() {
	ip netns del left
	ip netns del right
}

# link N up|down
link() {
	ip -netns left link set "net$1" "$2"
	ip -netns right link set "net$1" "$2"
}

netem() {
	dev=net$1
	shift
	for host in left right; do
		if [ $# -gt 0 ]; then
			tc -netns "$host" qdisc replace dev "$dev" root netem "$@"
		else
			tc -netns "$host" qdisc del dev "$dev" root 2>/dev/null || : # it had none
		fi
	done
}

mtu() {
	ip -netns left link set "net$1" mtu "$2"
	ip -netns right link set "net$1" mtu "$2"
}

usage() {
	echo "usage: tests/lab/two-hosts.sh up | down | cut N | mend N | netem N [ARG...] | mtu N MTU" >&2
	exit 2
}

case ${1:-}/${2:-} in
up/) up ;;
down/) down ;;
cut/[12]) link "$2" down ;;
mend/[12]) link "$2" up ;;
netem/[12])
	shift
	netem "$@"
	;;
mtu/[12]) mtu "$2" "${3:-1500}" ;;
*) usage ;;
esac
