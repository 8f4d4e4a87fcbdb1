#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# deps.sh [--tell] GROUP...: sees to it that what building (build), testing on a kernel with SCTP (lab; lab2: in QEMU), what
# is measured against (bench), packages and images (deb, check-deb, check-image), programs that sctpctl run is tried with (programs) or testing in full (check: with build and
# lab) need is there. Says nothing if it is.
#
# What is missing is installed if this is Debian or Ubuntu and we are root; otherwise, and with --tell, the one command
# line that installs it is printed and the exit status is 1. Only packages of the distribution's own are asked for.

set -u
PATH=$PATH:/usr/sbin:/sbin
export PATH
here=$(dirname "$0")

# One need a line: how to look for it, its package for apt-get, its package for dnf.
# cmd:NAME is a command, file:PATH a file (a pattern may be given), pc:NAME[,NAME] any of these pkg-config modules.
needs() {
	case $1 in
	build)
		cat <<-'EOF'
			cmd:gcc gcc gcc
			file:/usr/include/stdio.h libc6-dev glibc-devel
			cmd:make make make
			cmd:pkg-config pkg-config pkgconf-pkg-config
			pc:libevent libevent-dev libevent-devel
			pc:msgpack-c,msgpack libmsgpack-c-dev msgpack-devel
			file:/usr/include/netinet/sctp.h libsctp-dev lksctp-tools-devel
			pc:check check check-devel
		EOF
		[ "${EDIT-yes}" = "" ] || echo "pc:libedit libedit-dev libedit-devel"
		[ "${SECCOMP-yes}" = "" ] || echo "pc:libseccomp libseccomp-dev libseccomp-devel"
		[ "${JEMALLOC-yes}" = "" ] || echo "pc:jemalloc libjemalloc-dev jemalloc-devel"
		[ "${CURSES-yes}" = "" ] || echo "pc:ncursesw,ncurses libncurses-dev ncurses-devel"
		[ "${NATS-yes}" = "" ] || printf '%s\n' "pc:libnats libnats-dev libnats-devel" "pc:openssl libssl-dev openssl-devel"
		[ "${USERLAND:-}" = no ] || echo "pc:usrsctp libusrsctp-dev usrsctp-devel"
		;;
	lab)
		echo "cmd:ip iproute2 iproute"
		# A kernel with SCTP is its own lab.
		if ! { found cmd:linux.uml && found cmd:modprobe; } && ! "$here/lab/has-sctp"; then
			cat <<-'EOF'
				cmd:linux.uml user-mode-linux kernel-modules-extra
				cmd:modprobe kmod kmod
			EOF
		fi
		;;
	bench)
		cat <<-'EOF'
			cmd:erl erlang-base erlang-kernel
			cmd:g++ g++ gcc-c++
			cmd:valgrind valgrind valgrind
			pc:grpc++ libgrpc++-dev grpc-devel
		EOF
		;;
	lab2)
		cat <<-'EOF'
			cmd:ip iproute2 iproute
			cmd:qemu-system-x86_64 qemu-system-x86 qemu-system-x86-core
			cmd:busybox busybox-static busybox
		EOF
		;;
	deb)
		needs build
		cat <<-'EOF'
			cmd:dpkg-buildpackage dpkg-dev dpkg-dev
			cmd:dh debhelper debhelper
			cmd:dh_python3 dh-python dh-python
			cmd:erlc erlang-base erlang-kernel
			cmd:erlang-depends erlang-dev erlang-kernel
			pc:systemd systemd-dev systemd
		EOF
		;;
	check-deb)
		cat <<-'EOF'
			cmd:autopkgtest autopkgtest autopkgtest
			cmd:debootstrap debootstrap debootstrap
			cmd:diffoscope diffoscope-minimal diffoscope
			cmd:lintian lintian lintian
		EOF
		;;
	check-image)
		cat <<-'EOF'
			cmd:buildah buildah buildah
			cmd:debootstrap debootstrap debootstrap
			cmd:crun crun crun
		EOF
		;;
	programs)
		needs build
		needs lab
		cat <<-'EOF'
			cmd:ncat ncat nmap-ncat
			cmd:socat socat socat
			cmd:iperf3 iperf3 iperf3
			cmd:sctp_test lksctp-tools lksctp-tools
			cmd:netperfmeter netperfmeter netperfmeter
			cmd:sipp sip-tester sipp
			cmd:osmo-stp osmo-stp libosmo-sigtran
			cmd:freeDiameterd freediameter freeDiameter
			cmd:nextepc-mmed nextepc-mme nextepc-mme
			cmd:openssl openssl openssl
			file:/usr/sbin/kamailio kamailio kamailio
			file:/usr/lib/*/kamailio/modules/sctp.so kamailio-sctp-modules kamailio-sctp
			cmd:erlc erlang-base erlang-kernel
			cmd:go golang-go golang
			cmd:javac default-jdk-headless java-latest-openjdk-devel
			file:/usr/bin/python3 python3 python3
			file:/usr/lib*/python3*/*-packages/msgpack python3-msgpack python3-msgpack
		EOF
		;;
	check)
		needs build
		needs lab
		cat <<-'EOF'
			cmd:bash bash bash
			cmd:abidiff abigail-tools libabigail
			cmd:clang clang clang
			file:/usr/lib/llvm*/lib/clang/*/lib/linux/libclang_rt.fuzzer*.a libclang-rt-dev compiler-rt
			cmd:erl erlang-base erlang-kernel
			file:/usr/lib*/erlang/lib/crypto-*/ebin/crypto.app erlang-crypto erlang-crypto
			cmd:dialyzer erlang-dialyzer erlang-dialyzer
			file:/usr/lib*/erlang/lib/eunit-*/ebin/eunit.app erlang-eunit erlang-eunit
			file:/usr/lib*/erlang/lib/diameter-*/ebin/diameter.app erlang-diameter erlang-diameter
			file:/usr/lib*/erlang/lib/diameter-*/include/diameter.hrl erlang-dev erlang-diameter
			file:/usr/lib*/erlang/lib/eunit-*/include/eunit.hrl erlang-dev erlang-eunit
			file:/usr/lib*/erlang/lib/edoc-*/ebin/edoc.app erlang-edoc erlang-edoc
			cmd:mix elixir elixir
			cmd:mandoc mandoc mandoc
			cmd:mypy mypy python3-mypy
			cmd:osmo-stp osmo-stp libosmo-sigtran
			cmd:prometheus prometheus golang-github-prometheus
			cmd:promtool prometheus golang-github-prometheus
			cmd:sctp_darn lksctp-tools lksctp-tools
			cmd:nats-server nats-server nats-server
			cmd:keepalived keepalived keepalived
			file:/usr/share/gocode/src/github.com/nats-io/nats.go golang-github-nats-io-go-nats-dev golang-github-nats-io-nats.go-devel
			cmd:openssl openssl openssl
			cmd:ncat ncat nmap-ncat
			cmd:bwrap bubblewrap bubblewrap
			cmd:zsh zsh zsh
			cmd:fish fish fish
			cmd:shellcheck shellcheck ShellCheck
			cmd:systemd-analyze systemd systemd
			cmd:tmux tmux tmux
			cmd:tshark tshark wireshark-cli
			cmd:valgrind valgrind valgrind
			file:/usr/bin/python3 python3 python3
			file:/usr/lib*/python3*/*-packages/msgpack python3-msgpack python3-msgpack
			file:/usr/lib*/python3*/*-packages/setuptools/build_meta.py python3-setuptools python3-setuptools
			file:/usr/lib*/python3*/*-packages/wheel python3-wheel python3-wheel
			file:/usr/lib*/python3*/ensurepip/__init__.py python3-venv python3
			cmd:lua5.3 lua5.3 lua
			file:/usr/share/lua/5.*/MessagePack.lua lua-messagepack lua-MessagePack
			file:/usr/lib/*/lua/5.3/socket/unix.so lua-socket lua-socket
			file:/usr/lib/*/perl5/*/Data/MessagePack.pm libdata-messagepack-perl perl-Data-MessagePack
			cmd:php php-cli php-cli
			file:/usr/lib*/php/*/msgpack.so php-msgpack php-pecl-msgpack
			cmd:node nodejs nodejs
			cmd:go golang-go golang
			file:/usr/share/gocode/src/github.com/vmihailenco/msgpack/v5/go.mod golang-github-vmihailenco-msgpack.v5-dev golang-github-vmihailenco-msgpack-devel
		EOF
		;;
	*)
		echo "deps: unknown group '$1'; the groups are build, lab, lab2, bench, deb, check-deb, check-image, programs and check" >&2
		exit 2
		;;
	esac
}

found() {
	case $1 in
	cmd:*) command -v "${1#cmd:}" >/dev/null ;;
	pc:*)
		for module in $(echo "${1#pc:}" | tr , ' '); do
			pkg-config --exists "$module" 2>/dev/null && return
		done
		return 1
		;;
	file:*)
		for file in ${1#file:}; do
			[ -e "$file" ] && return
		done
		return 1
		;;
	esac
}

# The missing ones of the needs read, as packages for apt-get (1) or dnf (2).
missing() {
	while read -r test apt dnf; do
		found "$test" && continue
		[ "$1" = 1 ] && echo "$apt" || echo "$dnf"
	done | sort -u | tr '\n' ' '
}

# Whether apt-get knows a package; where it has no lists yet it knows none.
offered() {
	apt-cache show "$1" 2>/dev/null | grep -q .
}

# Packages as they are called here: Debian had libmsgpack-dev, and no systemd-dev, until its version 12, and Ubuntu has no
# user-mode-linux.
here_called() {
	for package; do
		case $package in
		libmsgpack-c-dev) offered "$package" || package=libmsgpack-dev ;;
		systemd-dev) offered "$package" || package=systemd ;;
		user-mode-linux) offered "$package" || ! offered libc6-dev || continue ;;
		# Without them the tests of the Go library are left out, and say so.
		golang-go | golang-github-vmihailenco-*) offered "$package" || ! offered libc6-dev || continue ;;
		esac
		echo "$package"
	done | tr '\n' ' ' | sed 's/ $//'
}

# A machine with neither SCTP in its kernel nor User-Mode Linux tests all but the kernel's stack.
without_lab() {
	case " $packages " in *" user-mode-linux "*) ;; *) return ;; esac
	case " $wanted " in *" user-mode-linux "*) return ;; esac
	why="this kernel has no SCTP, and this distribution no package user-mode-linux"
	case " $groups " in
	*" check "*) echo "deps: $why: what tests the kernel's stack is left out" >&2 ;;
	*)
		echo "deps: $why; load the module (modprobe sctp; Ubuntu has it in linux-modules-extra-$(uname -r))," \
			"or take the lab in QEMU (tests/deps.sh lab2; tests/lab/run-qemu)" >&2
		exit 1
		;;
	esac
}

# What is to be installed, once it is known what there is.
choose() {
	# shellcheck disable=SC2086 # one word a package
	wanted=$(here_called $packages)
	without_lab
	[ "$wanted" ] || exit 0
}

install_now() {
	log=$(mktemp) || exit 1
	trap 'rm -f "$log"' EXIT
	DEBIAN_FRONTEND=noninteractive
	export DEBIAN_FRONTEND
	apt-get update >"$log" 2>&1 # if that fails, what is known already may do
	choose
	echo "installing: $wanted" >&2
	# shellcheck disable=SC2086 # one word a package
	apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 $wanted >>"$log" 2>&1 && return
	cat "$log" >&2
	echo "deps: apt-get could not install them; see above, then run it by hand: apt-get install $wanted" >&2
	exit 1
}

# Tests look up localhost, and a new system in a folder may not know it yet.
hosts() {
	case " $groups " in *" check "*) ;; *) return ;; esac
	[ ! -e /etc/hosts ] || return 0
	if [ "$tell" ] || [ "$(id -u)" -ne 0 ]; then
		echo "deps: there is no /etc/hosts; make one: echo 127.0.0.1 localhost | sudo tee /etc/hosts" >&2
		exit 1
	fi
	echo "making /etc/hosts, which knows localhost" >&2
	printf '127.0.0.1 localhost\n::1 localhost ip6-localhost\n' >/etc/hosts || exit 1
}

tell=
[ "${1-}" != --tell ] || { tell=yes; shift; }
[ $# -gt 0 ] || set -- ''
groups=$*
hosts
all=$(for group; do needs "$group" || exit; done) || exit
packages=$(echo "$all" | missing 1)
packages=${packages% }
[ "$packages" ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "missing; on Fedora and its kin: sudo dnf install $(echo "$all" | missing 2)" >&2
	exit 1
fi
[ "$packages" = user-mode-linux ] || [ "$tell" ] || [ "$(id -u)" -ne 0 ] || { install_now; exit 0; }
choose
if [ "$tell" ] || [ "$(id -u)" -ne 0 ]; then
	echo "missing; install with: $([ "$(id -u)" -eq 0 ] || echo "sudo ")apt-get install -y --no-install-recommends $wanted" >&2
	exit 1
fi
install_now
