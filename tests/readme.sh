#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# readme.sh [SUITE]: does what README.md says, block by block in the order in which they stand, as its reader would, in a
# file system of its own: a fresh one of Debian or Ubuntu that debootstrap makes (bookworm, noble...), or else this
# machine's own files, with nothing written to them. Needs root, and says "skipped" where that cannot be.
#
# The reader is root, who has no sudo. "make check" is a word of README's as well, and takes its time: README_CHECK=yes
# does it too. README_MIRROR says where debootstrap finds the suite, README_KEYRING whose keys it trusts.

set -eu

# ---- the reader, inside: readme.sh --read BLOCKS ------------------------------------------------------------------

sudo() {
	"$@"
}

# No systemd runs here that would start the unit; the step "systemd" of make check does that.
systemctl() {
	case $1 in
	enable) command systemctl enable "${!#}" ;;
	*) command systemctl "$@" ;;
	esac
}

# Wait for a while until a command succeeds.
until_true() {
	local _
	for _ in $(seq 200); do
		! "$@" >/dev/null 2>&1 || return 0
		sleep 0.1
	done
	echo "readme: in vain awaited: $*" >&2
	exit 1
}

listeners() {
	[ "$(sctpctl -j sockets | grep -o '"listening": true' | wc -l)" -ge "$1" ]
}

# A person does not type on before what was begun in the background is there.
settle() {
	case $1 in
	"sctpd "*) until_true sctpctl status ;;
	"sctpctl listen"* | "./example server"*)
		listening=$((listening + 1))
		until_true listeners "$listening"
		;;
	*)
		echo "readme: how is it seen that \"$1\" is there? Say it in tests/readme.sh" >&2
		exit 1
		;;
	esac
}

# In a terminal, for which script(1) stands here; the reader has seen enough, and types q.
on_screen() {
	echo q | TERM=xterm script -qec "$1" /dev/null >screen
	[ -s screen ]
}

type_line() {
	local command=${1%%  \#*}
	command=${command%"${command##*[! ]}"}
	[ "$command" ] || return 0
	if [ "$command" = "make check" ] && [ "${README_CHECK-}" != yes ]; then
		echo "readme: not done: make check (README_CHECK=yes does it)"
		return
	fi
	printf '$ %s\n' "$command"
	case $command in
	"sctpctl top") on_screen "$command" ;;
	*) eval "$command" ;;
	esac
	case $command in *"&") settle "$command" ;; esac
}

read_all() {
	listening=0
	USER=${USER:-root}
	for block in "$1"/*; do
		case $block in
		*.sh)
			while read -r line <&3; do
				type_line "$line"
			done 3<"$block"
			;;
		*.c) cp "$block" example.c ;;
		*.python) cp "$block" example.py ;;
		esac
	done
	until_true grep -qx hello "$1/../said"
	# shellcheck disable=SC2046 # one word a process
	kill $(jobs -p) 2>/dev/null || true
	wait
}

if [ "${1-}" = --read ]; then
	cd /tmp/readme/sctpd
	read_all "$2" </dev/null
	exit
fi

# ---- the file system, outside --------------------------------------------------------------------------------------

skip() {
	echo "readme: $*; skipped"
	exit 0
}

cd "$(dirname "$0")/.."
[ "$(id -u)" -eq 0 ] || skip "it needs root, for a file system of its own"
# All mounts are this process's own, and end with it.
if [ "${README_INSIDE-}" != yes ]; then
	# Its own network as well, unless packages come over it.
	flags=-mpf
	[ $# -gt 0 ] || flags=-nmpf
	unshare "$flags" --kill-child true 2>/dev/null || skip "no namespaces can be made here"
	README_INSIDE=yes exec unshare "$flags" --kill-child "$0" "$@"
fi

top=$PWD/build/readme
mkdir -p "$top"
mount -t tmpfs -o size=4G none "$top"
root=$top/root
mkdir "$root" "$top/upper" "$top/work"
if [ $# -gt 0 ]; then
	command -v debootstrap >/dev/null || skip "there is no debootstrap"
	# Ubuntu's suites are all made alike, and debootstrap may not know the last.
	script=
	[ -e "/usr/share/debootstrap/scripts/$1" ] || script=/usr/share/debootstrap/scripts/gutsy
	[ -z "$script" ] || [ "${README_MIRROR-}" ] || skip "set README_MIRROR to where $1 is"
	# shellcheck disable=SC2086 # none of them may be there
	debootstrap --variant=minbase --include=git,make,ca-certificates,systemd ${README_KEYRING:+--keyring="$README_KEYRING"} ${script:+--components=main,universe} \
	    "$1" "$root" ${README_MIRROR-} $script >"$top/log" || {
		cat "$top/log" >&2
		exit 1
	}
	cp /etc/resolv.conf "$root/etc/resolv.conf"
else
	mount -t overlay -o "lowerdir=/,upperdir=$top/upper,workdir=$top/work" none "$root" 2>/dev/null ||
		skip "no overlay of this file system can be made"
	ip link set lo up
fi
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 none "$root/dev"
for name in null zero full random urandom; do
	touch "$root/dev/$name"
	mount --bind "/dev/$name" "$root/dev/$name"
done
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 none "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
for dir in tmp run; do
	mount -t tmpfs -o mode=1777 none "$root/$dir"
done

# What README says, each block a file, and the tree as one gets it.
mkdir -p "$root/tmp/readme/blocks" "$root/tmp/readme/sctpd"
awk -v to="$root/tmp/readme/blocks/" '
	/^```[a-z]/ { file = sprintf("%s%02d.%s", to, ++n, substr($0, 4)); next }
	/^```/ { file = "" }
	file { print >file }' README.md
{ git ls-files -z 2>/dev/null || find . \( -path ./build -o -path ./.git \) -prune -o -type f -print0; } |
	tar --null -T - -c | tar -C "$root/tmp/readme/sctpd" -x

status=0
flags=
# On this machine's own files it is built without optimisation: half of the time, and README says the same.
[ $# -gt 0 ] || flags=CFLAGS=-O0
# shellcheck disable=SC2086 # there may be none
env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root USER=root README_CHECK="${README_CHECK-}" $flags \
    chroot "$root" bash /tmp/readme/sctpd/tests/readme.sh --read /tmp/readme/blocks >"$root/tmp/readme/said" 2>&1 || status=$?
cat "$root/tmp/readme/said"
[ "$status" = 0 ] || exit "$status"
for words in "through sctpd" '^refused: ' "passive: b'hello'" 'from port'; do
	grep -q "$words" "$root/tmp/readme/said" || { echo "readme: nothing said \"$words\"" >&2; exit 1; }
done
