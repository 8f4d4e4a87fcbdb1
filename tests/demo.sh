#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The example of gen_sctp's manual page, through sctpd: a server and a client,
# each a program that knows nothing of SCTP but the daemon's socket. Run by
# "make demo", on a kernel with SCTP or on the userland stack, and needs no
# privileges and no network of its own; ends by itself.

set -u
build=$(cd "$(dirname "$0")/../build" && pwd) || exit 1
dir=$(mktemp -d) || exit 1
SCTPD_SOCKET=$dir/sctpd.sock
export SCTPD_SOCKET

# Who says what, a line at a time.
say() {
	sed -u "s|$dir/||; s/^/$(printf '%-6s' "$1") | /"
}

end() {
	for pid in ${server:-} ${daemon:-}; do
		kill "$pid" 2>/dev/null
	done
	wait
	rm -rf "$dir"
}
trap end EXIT

# Wait for a program to say a thing: a line of its copy in a file. Who copies it ends last, when all is there.
await() {
	timeout 20 tail -n +1 --pid="$copies" -f "$2" | grep -q -m 1 "$1"
}

# start NAME COMMAND...: run it, say what it says, and keep a copy.
start() {
	name=$1
	shift
	mkfifo "$dir/$name.pipe"
	: >"$dir/$name"
	tee "$dir/$name" <"$dir/$name.pipe" | say "$name" &
	copies=$!
	"$@" >"$dir/$name.pipe" 2>&1 </dev/null &
}

# The userland stack's UDP port: one that nobody has.
port=9899
while grep -qs "$(printf ':%04X ' "$port")" /proc/net/udp /proc/net/udp6; do
	port=$((port + 1))
done
printf '%s\n' "udp_port = $port" "peer_udp_port = $port" >"$dir/sctpd.conf"
start sctpd "$build/sctpd" -c "$dir/sctpd.conf" -s "$SCTPD_SOCKET"
daemon=$!
await ready "$dir/sctpd" || exit 1
start server "$build/sctpctl" --color=never listen -v 2006
server=$!
await listening "$dir/server" || exit 1

# The client: README's C example. Its second message has no stream to go on.
"$build/example" 127.0.0.1 2>&1 | say client
await comm_lost "$dir/server" || exit 1
grep -q 'data="Test 0"' "$dir/server" || exit 1
wait "$server"
server=
echo
stack=$(sed -n 's/.* ready at .*, stack \(.*\)/\1/p' "$dir/sctpd" | head -1)
echo "That was SCTP between two programs, through sctpd, on ${LAB_KERNEL:-Linux $(uname -r)}."
echo "SCTP stack: ${stack%%:*}, because${stack#*:}."
