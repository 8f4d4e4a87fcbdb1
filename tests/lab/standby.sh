#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# standby.sh up|down|cut HOST|mend HOST|part HOST|join HOST|add HOST|remove HOST: two hosts that stand in for each other, and their peers, inside
# the lab.
#
# The namespaces east and west are the hosts, and peers is everybody else. They are on two networks: network N is the bridge
# netN in the namespace lan, and a device netN in each of the others, with 10.0.N.1 in peers, 10.0.N.11 in east and
# 10.0.N.12 in west. The namespace that calls this is on network 1, with 10.0.1.2. 10.0.1.10 and 10.0.2.10 are the
# addresses that move: add gives both to HOST, which tells nobody, and remove takes them away. cut takes both links of HOST
# down, and mend up again. part takes HOST out of network 1, on which the hosts see each other and the bus; its link stays up, so
# it does not know, and peers reach it on network 2. join puts it back.

set -eu

host() {
	cat <<-EOF
		netns add $1
		link add $1 netns lan mtu 1500 type veth peer name net1 netns $1
		link add $1-2 netns lan mtu 1500 type veth peer name net2 netns $1
	EOF
}

up_host() {
	ip -netns lan -batch - <<-EOF
		link set $1 master net1 up
		link set $1-2 master net2 up
	EOF
	ip -netns "$1" -batch - <<-EOF
		link set lo up
		address add 10.0.1.$2/24 dev net1
		address add 10.0.2.$2/24 dev net2
		link set net1 up
		link set net2 up
	EOF
}

up() {
	ip netns add lan
	ip -netns lan -batch - <<-EOF
		link add net1 up type bridge
		link add net2 up type bridge
	EOF
	for name in peers east west; do host $name; done | ip -batch -
	ip -batch - <<-EOF
		link add lab netns lan mtu 1500 type veth peer name net1
		address add 10.0.1.2/24 dev net1
		link set net1 up
	EOF
	ip -netns lan link set lab master net1 up
	up_host peers 1
	up_host east 11
	up_host west 12
	add east
}

down() {
	for name in peers east west lan; do ip netns del $name; done
}

link() {
	ip -netns lan -batch - <<-EOF
		link set $1 $2
		link set $1-2 $2
	EOF
}

master() {
	ip -netns lan link set "$@"
}

add() {
	ip -netns "$1" -batch - <<-EOF
		address replace 10.0.1.10/24 dev net1
		address replace 10.0.2.10/24 dev net2
	EOF
}

# A host that does not have them is right already.
remove() {
	ip -netns "$1" -force -batch - <<-EOF 2>/dev/null || :
		address delete 10.0.1.10/24 dev net1
		address delete 10.0.2.10/24 dev net2
	EOF
}

case ${1:-}/${2:-} in
up/) up ;;
down/) down ;;
cut/east | cut/west) link "$2" down ;;
mend/east | mend/west) link "$2" up ;;
part/east | part/west) master "$2" nomaster ;;
join/east | join/west) master "$2" master net1 ;;
add/east | add/west) add "$2" ;;
remove/east | remove/west) remove "$2" ;;
*)
	echo "usage: tests/lab/standby.sh up | down | cut HOST | mend HOST | part HOST | join HOST | add HOST | remove HOST;" \
		"HOST is east or west" >&2
	exit 2
	;;
esac
