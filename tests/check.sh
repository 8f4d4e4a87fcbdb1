#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# All tests, four steps at a time: what "make check" runs when everything is
# built. check.sh [STEP...] runs only those. The last line counts the tests of
# all steps: "N passed, N failed, N skipped".

set -u
cd "$(dirname "$0")/.." || exit 2
mkdir -p build/check
passed=0 failed=0 skipped=0 notes="" failures="" which=""

# Where no kernel with SCTP can be had, what needs one is left out, and says so.
command -v linux.uml >/dev/null || tests/lab/has-sctp || export LAB=none

# The steps are functions; what they print is kept, and shown as it comes
# where it is short or, for the long ones, in full.

step_unit() { # under ASan and UBSan, no SCTP needed
	make -s --no-print-directory check-unit
}

step_reference() { # REFERENCE.md, the records of client libraries and what is made of sctpd-protocol(7), sctpd-n2(7), sctpd.conf(5) and sctpctl(1) are what the tables say
	if ! build/proto-doc markdown | diff proto/REFERENCE.md - ||
	    ! build/proto-doc json | /usr/bin/python3 client-lib/python/generate.py | diff client-lib/python/src/sctpd/_tables.py - ||
	    ! { mkdir -p build/check/node && build/proto-doc json | /usr/bin/python3 client-lib/node/generate.py build/check/node; } ||
	    ! diff client-lib/node/src/tables.js build/check/node/tables.js || ! diff client-lib/node/src/tables.d.ts build/check/node/tables.d.ts ||
	    ! build/proto-doc json | /usr/bin/python3 client-lib/go/generate.py | diff client-lib/go/tables.go - ||
	    ! build/proto-doc man | diff proto/sctpd-protocol.7 - ||
	    ! build/proto-doc page client-lib/n2/README.md | diff client-lib/n2/sctpd-n2.7 - ||
	    ! build/config-doc daemon/sctpd.conf.5.in | diff daemon/sctpd.conf.5 - ||
    ! build/config-doc daemon/sctpd.8.in | diff daemon/sctpd.8 - ||
	    ! build/nats-doc <client-lib/nats/sctpd-nats.8.in | diff client-lib/nats/sctpd-nats.8 - ||
    ! build/config-doc --catalog | diff systemd/sctpd.catalog - ||
	    ! build/sctpctl-doc <client-lib/sctpctl/sctpctl.1 >build/check/sctpctl.1 ||
	    ! diff client-lib/sctpctl/sctpctl.1 build/check/sctpctl.1; then
		echo 'run "make doc" and commit what changed'
		return 1
	fi
}

step_conformance() { # each client library does what the protocol asks of it, whatever the daemon says and whenever it dies
	TEST_WAIT=60 /usr/bin/python3 tests/conformance/run
}

# The Python library is typed. The wheel and the sdist are the same bytes elsewhere and under another umask, and the sdist makes the same wheel.
step_python() {
	local there=$PWD/build/check/python epoch wheel
	(cd client-lib/python && mypy --enable-incomplete-feature=Unpack --cache-dir ../../build/check/mypy) || return 1
	rm -rf "$there" && mkdir -p "$there/sdist" && make -s --no-print-directory python-built &&
	wheel=$(basename build/python/sctpd-*.whl) && epoch=$(cat build/python/time) || return 1
	(umask 077 && export TZ=Asia/Tokyo && SOURCE_DATE_EPOCH=$epoch /usr/bin/python3 client-lib/python/package.py \
	    "$there/other" "$(sed -n 's/^VERSION\t*= //p' Makefile)") 2>"$there/log" || { cat "$there/log"; return 1; }
	cmp "build/python/$wheel" "$there/other/$wheel" && (cd build/python && cmp sctpd-*.tar.gz "$there"/other/*.tar.gz) &&
	tar -C "$there/sdist" -xzf "$there"/other/*.tar.gz &&
	(cd "$there"/sdist/* && SOURCE_DATE_EPOCH=$epoch /usr/bin/python3 -c \
	    'from setuptools import build_meta; build_meta.build_wheel("..")' >../log 2>&1) &&
	cmp "build/python/$wheel" "$there/sdist/$wheel" && build/python/venv/bin/python -c 'import sctpd; print(sctpd.__file__)' | grep venv
}

step_erlang() { # the unit tests pass, dialyzer and EDoc say nothing, the tarball for hex.pm is reproducible, and rebar3 builds what depends on the library
	tests/erlang/check
}

step_go() { # the Go library is as gofmt and vet would have it, bytes of all sorts do it no harm, and it is packed reproducibly
	if ! command -v go >/dev/null || [ ! -e /usr/share/gocode/src/github.com/vmihailenco/msgpack/v5/go.mod ]; then
		echo "go: there is no Go, or no msgpack for it; tests/deps.sh check installs them; skipped"
		return
	fi
	local wrong
	wrong=$(gofmt -l client-lib/go tests/integration/go tests/conformance/*.go tests/bench/languages/*.go) || return 1
	[ -z "$wrong" ] || { echo "gofmt -w $wrong"; return 1; }
	(cd client-lib/go && export GO111MODULE=on GOPROXY=off GOWORK=off GOFLAGS=-modfile=debian.mod && go vet ./... && go vet "$OLDPWD"/tests/integration/go/*_test.go &&
	    go test -timeout 60s ./...) &&
	diff <(sed '/^require/!d' client-lib/go/go.mod) <(sed '/^require/!d' client-lib/go/debian.mod) || return 1
	# What is packed is the same bytes elsewhere and under another umask.
	local there=$PWD/build/check/go
	rm -rf "$there" && mkdir -p "$there" && make -s --no-print-directory go-dist &&
	(umask 077 && TZ=Asia/Tokyo SOURCE_DATE_EPOCH=$(cat build/go/dist/time) /usr/bin/python3 client-lib/go/package.py \
	    "$there" "$(sed -n 's/^VERSION\t*= //p' Makefile)") && diff -r -x time -x .made build/go/dist "$there"
}

# The Node library's package is the same bytes elsewhere and under another umask, and has what npm would put into it, and the
# licence. It is for import and for require, and both give the same.
step_node() {
	local there=$PWD/build/check/node-dist ball
	rm -rf "$there" && make -s --no-print-directory node-built && ball=$(basename build/node/sctpd-*.tgz) &&
	(umask 077 && TZ=Asia/Tokyo /usr/bin/python3 client-lib/node/package.py "$there" "$(sed -n 's/^VERSION\t*= //p' Makefile)") &&
	cmp "build/node/$ball" "$there/$ball" && tar -C "$there" -xzf "$there/$ball" || return 1
	if command -v npm >/dev/null; then
		(cd "$there/package" && npm pack --dry-run --json --cache "$there/cache") >"$there/npm.json" &&
		/usr/bin/python3 -c 'import json, sys; print(*(f["path"] for f in json.load(sys.stdin)[0]["files"]), sep="\n")' \
		    <"$there/npm.json" | sort | diff - <(cd "$there/package" && find . -type f -printf '%P\n' | sort) || return 1
	fi
	command -v node >/dev/null || { echo "node: there is no node; tests/deps.sh check installs it"; return 1; }
	cd build/node/installed && node --input-type=module -e '
	    import { createRequire } from "node:module"; import * as esm from "sctpd";
	    const cjs = createRequire(process.cwd() + "/")("sctpd"), names = Object.keys(cjs).sort();
	    if (names.join() !== Object.keys(esm).filter((name) => name !== "default").sort().join()) throw new Error(names);
	    for (const name of names) if (cjs[name] !== esm[name]) throw new Error(name);
	    console.log(names.join(" "));'
}

# TypeScript finds right what is right in tests/integration/node/types.ts, and wrong what is wrong, as an ES module and as a
# CommonJS one. npm fetches it into the build directory; no distribution has it with the types of Node.
step_types() {
	local there=$PWD/build/node/types kind
	if [ ! -x "$there/node_modules/.bin/tsc" ]; then
		command -v npm >/dev/null || { echo "types: there is no npm to fetch TypeScript with; skipped"; return; }
		mkdir -p "$there" || return 1
		timeout 120 npm install --prefix "$there" --no-audit --no-fund --fetch-retries=0 typescript@5 @types/node@18 >"$there/log" 2>&1 ||
		    { echo "types: npm cannot fetch TypeScript; skipped"; return; }
	fi
	make -s --no-print-directory node-built && ln -sfn ../../installed/node_modules/sctpd "$there/node_modules/sctpd" || return 1
	local all=--skipDefaultLibCheck # the second time the package's types need no other look
	for kind in mts cts; do
		cp tests/integration/node/types.ts "$there/types.$kind" && "$there/node_modules/.bin/tsc" --noEmit --strict $all --module node16 \
		    --target es2022 --typeRoots "$there/node_modules/@types" --types node "$there/types.$kind" || return 1
		all=--skipLibCheck
	done
}

step_rooms() { # an include points down the order of the rooms, and so does a call; never in a circle
	/usr/bin/python3 tests/rooms.py
}

step_help() { # make help has every target that one may want
	local name helped
	helped=$(make -s --no-print-directory help) || return 1
	for name in $(sed -n 's/^\.PHONY: *//p' Makefile tests/*/*.mk .packaging/*.mk | tr ' ' '\n' | grep -v '[$/]\|^made-\|-smoke$\|-built$\|-build$\|-of-'); do
		grep -q "^$name " <<<"$helped" || { echo "make help does not have $name: put its text behind ##"; return 1; }
	done
}

step_manuals() { # every page is clean mdoc; every function of sctpd.h is exported, and stands in the NAME and SYNOPSIS of one; links lead somewhere
	mandoc -Tlint -Wwarning client-lib/*/*.[1-8] daemon/*.[1-8] proto/*.[1-8] || return 1
	local functions part page link
	while IFS=: read -r page link; do
		[ -e "$(dirname "$page")/$link" ] || { echo "$page: $link, which it has a link to, is not there"; return 1; }
	done < <(git ls-files '*.md' | xargs grep -o '](\([^):#]*\)[)#]' | sed 's/](\(.*\)[)#]$/\1/' | grep -v ':$')
	functions=$(tr '\n' ' ' <client-lib/lib/sctpd.h | grep -o 'SCTPD_API [^;(]*(' | grep -o 'sctpd_[a-z_]*(' | tr -d '(' | sort)
	[ "$(wc -w <<<"$functions")" -ge 50 ] || return 1
	diff <(echo "$functions") <(sed -n 's/^\t*\(sctpd_[a-z_]*\);$/\1/p' client-lib/lib/libsctpd.map | sort) || return 1
	for part in '.Nm' '.Fn'; do
		diff <(echo "$functions") <(awk -v part="$part" '/^\.Sh/ { on = $2 == (part == ".Nm" ? "NAME" : "SYNOPSIS") }
		    on && $1 == part && $2 != "libsctpd" && $2 !~ /_fn$/ { print $2 }' client-lib/lib/*.3 | sort) || return 1
	done
}

step_metrics() { # the alert rules are well-formed, and each of them fires as it should
	promtool check rules systemd/metrics/sctpd.rules.yml && promtool test rules tests/integration/alerts.yml
}

step_abi() { # libsctpd has the functions and types that programs were compiled with
	tests/abi/check
}

step_clang() { # a second compiler finds no fault either
	make -s --no-print-directory CC=clang B=build/clang CFLAGS=-O0 WERROR=yes all
}

# Built from the tarball, without the userland stack, ncurses, jemalloc and optimisation, sctpd has none of the stack's code;
# it takes a configuration of another sctpd, and says what to do where one asks for it. The tarball makes itself.
step_without() {
	local d=build/without/sctpd ball said there
	ball=$(make -s --no-print-directory dist) && there=build/dist/$(basename "$ball" .tar.gz) || return 1
	rm -rf build/dist build/without && mkdir -p build/dist && tar -C build/dist -xzf "$ball" &&
	make -s --no-print-directory -C "$there" USERLAND=no CURSES= JEMALLOC= B="$PWD/build/without" CFLAGS=-O0 WERROR=yes \
	    "$PWD/$d" "$PWD/build/without/sctpctl" &&
	make -s --no-print-directory -C "$there" dist && cmp "$ball" "$there/$ball" || return 1
	nm $d >build/check/without && ldd $d >>build/check/without &&
	! grep -i 'usrsctp\|userland_\|jemalloc\.so' build/check/without &&
	[[ $(build/without/sctpctl top 2>&1) == *"built without ncurses"* ]] &&
	build/sctpd -c /dev/null -T >build/check/without.conf && $d -c build/check/without.conf -t || return 1
	said=$($d -c /dev/null --stack userland -t 2>&1) && return 1
	echo "$said"
	[[ $said == *"install usrsctp (Debian: libusrsctp-dev) and build sctpd again"* ]]
}

# As distributions build: with link-time optimisation, which the library for static programs has none of, and all its
# names but its functions' local. Other flags make all anew, another PREFIX what contains it.
step_flags() {
	local b=build/flags root=$PWD/build/flags/root
	local make=(make -s --no-print-directory "B=$b" WERROR=yes
	    CPPFLAGS=-D_FORTIFY_SOURCE=3 "CFLAGS=-O2 -flto=auto -ffat-lto-objects")
	rm -rf "$root"
	"${make[@]}" all "$b/example" &&
	! nm -g --defined-only "$b/libsctpd.a" | grep ' [A-Z] ' | grep -v ' T sctpd_' &&
	"${make[@]}" install PREFIX=/opt/a DESTDIR="$root" >/dev/null &&
	"${make[@]}" install PREFIX=/opt/b DESTDIR="$root" >/dev/null &&
	grep -q '^prefix=/opt/b$' "$root/opt/b/lib/pkgconfig/libsctpd.pc" &&
	grep -q '^ExecStart=/opt/b/' "$b/sctpd.service" &&
	"${make[@]}" -q PREFIX=/opt/b "$b/sctpd" || return 1
	! "${make[@]}" -q CFLAGS=-O1 "$b/sctpd"
}

step_shellcheck() {
	shellcheck tests/*.sh tests/go-build tests/programs/func-tests tests/lab/run tests/lab/run-qemu tests/lab/has-sctp tests/lab/inside \
	    tests/lab/uml-init tests/lab/qemu-init tests/lab/systemd-init tests/lab/systemd-inside tests/lab/*.sh tests/soak/run .ci/run client-lib/sctpctl/sctpctl.bash tests/abi/check tests/erlang/check \
	    .packaging/deb .packaging/check-deb* .packaging/check-kubernetes .packaging/image* .packaging/debian/tests/[!c]* .packaging/debian/sctpd.p* &&
	bash -n client-lib/sctpctl/sctpctl.bash
}

step_units() { # systemd-analyze finds no fault in the units, and the sandbox tight
	local unit
	rm -rf build/verify
	mkdir -p build/verify
	make -s build/sctpd.service build/sctpd@.service build/sctpd-metrics.service build/sctpd-textfile.service build/sctpd-nats.service || return 1
	for unit in sctpd sctpd@; do
		sed "s|^\(Exec[A-Za-z]*=\)[^ ]*/sctpd|\1$PWD/build/sctpd|" "build/$unit.service" >"build/verify/$unit.service"
		cp "systemd/$unit.socket" build/verify/
	done
	for unit in sctpd-metrics sctpd-textfile; do
		sed "s|^\(ExecStart=\)[^ ]*/sctpctl|\1$PWD/build/sctpctl|" "build/$unit.service" >"build/verify/$unit.service"
	done
	sed "s|^\(Exec[A-Za-z]*=\)[^ ]*/sctpd-nats|\1$PWD/build/sctpd-nats|" build/sctpd-nats.service >build/verify/sctpd-nats.service
	cp systemd/sctpd-metrics.socket systemd/sctpd-textfile.timer build/verify/
	systemd-analyze verify --man=no build/verify/sctpd.service build/verify/sctpd.socket \
	    build/verify/sctpd-metrics.service build/verify/sctpd-metrics.socket \
	    build/verify/sctpd-textfile.service build/verify/sctpd-textfile.timer \
	    build/verify/sctpd-nats.service \
	    build/verify/sctpd@blue.service build/verify/sctpd@blue.socket >build/verify/log 2>&1
	# It reads units of the machine's own too, which are not ours to mend.
	! grep -i sctpd build/verify/log || return 1
	systemd-analyze --help | grep -q -- --offline || return 0 # before version 250
	for unit in sctpd:18 sctpd-metrics:8 sctpd-textfile:10 sctpd-nats:15; do
		systemd-analyze security --no-pager --offline=true --threshold="${unit#*:}" "build/verify/${unit%:*}.service" |
		    grep 'Overall exposure'
		[ "${PIPESTATUS[0]}" = 0 ] || return 1
	done
}

# Each file that was installed below a directory with the default paths is in a Debian package, or is left out by name.
packaged() {
	local file pattern patterns found=
	# shellcheck disable=SC2016 # debhelper expands it
	patterns=$(sed 's/^#.*//; s/ .*//; s|^\${env:UNITDIR}|*lib/systemd/system|; s|^usr/lib/\*/|usr/lib/|' \
	    .packaging/debian/*.install .packaging/debian/not-installed)
	while read -r file; do
		found=
		for pattern in $patterns; do
			# shellcheck disable=SC2254 # it is a pattern
			case $file in $pattern | $pattern/*) found=yes ;; esac
		done
		[ "$found" ] || { echo "no package has $file: name it in .packaging/debian/*.install or not-installed"; return 1; }
	done < <(find "$1" -type f -printf '%P\n' | sed 's|^usr/local/|usr/|')
	[ "$found" ]
}

step_install() { # what is installed is enough to compile README's example with, and packaged
	local root=$PWD/build/root flags
	rm -rf "$root"
	make -s --no-print-directory install DESTDIR="$root" &&
	awk '/^```/ { on = $0 == "```c"; next } on' README.md >build/check/example.c &&
	cmp build/check/example.c client-lib/lib/example.c &&
	read -ra flags < <(PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_PATH=$root/usr/local/lib/pkgconfig \
	    pkg-config --cflags --libs libsctpd) &&
	cc -Wall -Wextra -o build/check/example build/check/example.c "${flags[@]}" &&
	LD_LIBRARY_PATH=$root/usr/local/lib ldd build/check/example | grep libsctpd &&
	packaged "$root" &&
	make -s --no-print-directory uninstall DESTDIR="$root" &&
	test -z "$(find "$root" -type f -o -type l -o -name '*sctpd*')"
}

step_readme() { # README's blocks in their order; "make readme" does them in a fresh system
	tests/readme.sh
}

step_model() { # the model of many hosts is right where the result is known
	tests/model/model.py --check
}

step_acceptance() { # each statement about the behaviour has a test, each row of the tables a statement
	/usr/bin/python3 tests/acceptance.py
}

# The daemon on the kernel's SCTP. Not here: what takes long and says nothing about the kernel (coming., extreme., wire.two_udp_ports:
# their daemons have the userland stack on whatever kernel there is; lib_group.valgrind: it looks at the library alone; cli.help,
# cli_completion.: sctpctl itself knows that).
on_the_kernel() {
	TEST_PART=$1 TEST_NOT_HERE="cli.help:asan cli_completion.:userland coming.:asan extreme.:asan lib_group.valgrind:asan metrics.prometheus:userland n2.each_message:userland nats.:userland node.a_thousand:userland python.a_thousand:userland udp.:userland wire.two_udp_ports:userland" TEST_ELSEWHERE="rawip.:userland" TEST_MANY=10000 \
	    in_lab_with_names --timeout 1800 -- /usr/bin/python3 tests/integration/run.py -s
}

step_integration() { # every third module, so that the three can run side by side
	on_the_kernel 1/3
}

step_integration_second() {
	on_the_kernel 2/3
}

step_integration_third() {
	on_the_kernel 3/3
}

# What is tested under ASan and UBSan on the userland stack, and so not under valgrind on the kernel's, which takes ten
# times as long: it is about the code above the stacks, or about the userland stack.
sanitized="admin. bundle. clean. cli. coming. data. end. extreme. group. large. lib_group. lib_session. limits. log. loghosts. \
    privilege. recorder. resolve. run. schedule. session. storm. stuck. supervise. trace."
# So is this, which measures memory as well: it also runs without ASan, which keeps what is freed.
measured="refuse. udp."

# shellcheck disable=SC2086 # they are several
step_asan() {
	make -s --no-print-directory hostile-built || return 1
	TEST_SCTPD=$PWD/build/asan/sctpd TEST_STACK=userland TEST_ELSEWHERE="run.what_was_done:integration" \
	    tests/native.sh /usr/bin/python3 tests/integration/run.py -s $sanitized $measured
}

# shellcheck disable=SC2086
step_userland() { # the same on the userland stack, on this machine's own kernel, below a shell that ignores ^C
	trap '' INT
	TEST_STACK=userland TEST_ELSEWHERE="order.:loss wire.:loss roundtrip.:loss erlang.connect_whose:loss interop:integration" \
	TEST_NOT_HERE="natskills.:nats$(printf ' %s:asan' $sanitized)" TEST_MANY=10000 \
	    tests/native.sh /usr/bin/python3 tests/integration/run.py -s
}

step_nats() { # three NATS servers, two bridges, and what is around them, killed for a minute
	NATS_SERVERS=3 NATS_SECONDS=60 TEST_STACK=userland tests/native.sh /usr/bin/python3 tests/integration/run.py natskills.
}

step_loss() { # those that need netem, which this machine's kernel may not have
	TEST_STACK=userland tests/lab/run -- /usr/bin/python3 tests/integration/run.py order. wire.loss roundtrip. erlang.connect_whose
}

step_delay() { # where a packet needs 20 ms: what is done while an association comes or goes
	TEST_DELAY=20 tests/lab/run -- /usr/bin/python3 tests/integration/run.py \
	    connect. event. hold. leave. roundtrip. setup. stream_socket.
}

step_all_delayed() { # the whole list so: make delay
	TEST_DELAY=20 TEST_MANY=20000 tests/lab/run --timeout 3600 -- /usr/bin/python3 tests/integration/run.py
}

# in_lab_with_names [OPTION...] -- COMMAND...: in the lab, with no more of the C library's debugging symbols than valgrind needs
# there, the names of functions. It reads all of them with each start, a quarter of which is that in User-Mode Linux.
in_lab_with_names() {
	local names=$PWD/build/check/names-$BASHPID file id there options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	for file in $(ldd build/sctpd | grep -o '/[^ ]*'); do
		id=$(readelf -n "$file" | sed -n 's/.*Build ID: //p')
		there=.build-id/${id:0:2}/${id:2}.debug
		[ ! -e "/usr/lib/debug/$there" ] || { mkdir -p "$names/${there%/*}" && objcopy --strip-debug "/usr/lib/debug/$there" "$names/$there"; } ||
		    return 1
	done
	[ ! -d "$names" ] || set -- sh -c "mount --bind '$names' /usr/lib/debug && exec \"\$@\"" sh "$@"
	tests/lab/run "${options[@]}" -- "$@"
}

# What is not tested under valgrind: what takes too long there, or has other programs to test. The daemons of survive. and
# places. are such programs (they die where they are told to), so that all would be the same once more; what takes over after
# a death is keeper.'s there.
on_the_kernel_alone="chunks. cli_ damped. erlang. go. half.the_requests_of_a_paused interleave.an_urgent interop. lib_lend.batches \
    lib_lend.valgrind losses. memory.peers memory.senders memory.what_peers metrics. n2. nats. natskills. natsstandby. node. onwire. \
    pathmanager.a_ pathmanager.linux pathmanager.off places. python. scale.watcher stall.it_is stall.who survive. tap. \
    top. view."

# The same, the daemon under valgrind: no error, no leak, no descriptor left.
# shellcheck disable=SC2086
under_valgrind() {
	TEST_PART=$1 TEST_ELSEWHERE="erlang.same_as_gen_sctp:integration rawip.:userland" \
	TEST_NOT_HERE="cli_completion.:userland groupload.:userland wire.two_udp_ports:userland$(printf ' %s:integration' $on_the_kernel_alone)$(printf ' %s:asan' $sanitized $measured)" \
	TEST_WRAP="valgrind -q --error-exitcode=99 --leak-check=full --track-fds=yes" \
	    in_lab_with_names --timeout 1800 -- /usr/bin/python3 tests/integration/run.py -s
}

step_valgrind_odd() { # likewise
	under_valgrind 1/2
}

step_valgrind_even() {
	under_valgrind 2/2
}

step_systemd() { # the installed units under a systemd of their own
	if ! command -v linux.uml >/dev/null; then
		echo "systemd: there is no User-Mode Linux to run one in; skipped"
		return
	fi
	# A start of a unit takes a second and more where other steps run beside: ten of them have to fit into the wait.
	tests/lab/run --systemd --timeout 600 -- env TEST_WAIT=60 /usr/bin/python3 tests/integration/systemd.py
}

step_soak() { # a minute in which daemons and clients are killed all the time, and no message is lost
	# It has to kill and to count in time, whatever runs beside it; where this may not be, it is run as it is.
	SOAK_SECONDS=60 BURSTS_MESSAGES=20000 nice -n -5 tests/soak/run
}

step_fuzz() { # a few seconds of what hostile clients and peers might send
	make -s --no-print-directory fuzz-smoke hostile-smoke
}

step_random() { # random clients, many at once, for half a minute on either stack, and kills
	# The step fuzz builds and uses the same daemon.
	while [ -e build/check/fuzz.taken ] && [ ! -e build/check/fuzz.status ]; do
		sleep 1
	done
	make -s --no-print-directory random-smoke
}

step_faults() { # whatever call of libc's fails, nothing is lost, and nobody else notices
	make -s --no-print-directory faults-smoke
}

step_bench() { # every figure is measured; what they are is no matter here
	TEST_STACK=userland tests/native.sh /usr/bin/python3 tests/bench/crowd.py 200 0.5 &&
	tests/lab/run --timeout 300 -- /usr/bin/python3 tests/bench/crowd.py 200 0.5 &&
	TEST_STACK=userland tests/native.sh /usr/bin/python3 tests/bench/top.py 200 0.5 &&
	TEST_STACK=userland tests/native.sh tests/bench/languages/run 500 &&
	tests/native.sh build/bench --native -q >build/check/bench-native || return
	[ "${LAB-}" != none ] || { tests/lab/run -- true; return; }
	tests/lab/run --timeout 600 -- build/bench -q -n build/check/bench-native -o build/check/bench.json >build/check/bench.txt &&
	/usr/bin/python3 tests/bench/check.py build/check/bench.json
}

step_demo() { # what README promises first, on either stack; where there are no namespaces as well
	tests/lab/run --timeout 300 -- tests/demo.sh && tests/demo.sh
}

# Add up what a step counted; a step that counts nothing is one test.
count() {
	local log=$1 status=$2 p=0 f=0 s=0 a b
	while read -r a b; do
		p=$((p + a - b))
		f=$((f + b))
	done < <(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\)$/\1 \2 \3/p' "$log" |
	    awk '{ print $1, $2 + $3 }')
	if read -r a b c < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$log" | tail -1); then
		p=$a f=$b s=$c
	fi
	if [ $((p + f + s)) = 0 ]; then
		if grep -q '; skipped$' "$log"; then s=1; else p=1; fi
		[ "$status" = 0 ] || p=0 f=1 s=0
	elif [ "$status" != 0 ] && [ "$f" = 0 ]; then
		f=1
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	notes+=$(grep '^skipped .*: \|; skipped$' "$log" | sed 's/^/  /')$'\n'
	# Where no test says that it failed, how the step ended.
	[ "$f" != 0 ] || return
	failures+="  $name: $(reasons "$log" | grep . || tail -25 "$log")"$'\n'
	which+=$(sed -n "s/^FAILED  */  $name: /p; s/.*:[FE]:\([^:]*:[^:]*\):.*/  $name: \1/p" "$log" | sort -u | grep . || echo "  $name")$'\n'
}

# Which tests of a step failed and why, once each: what they said is far above, where a log that was cut has it no more.
reasons() {
	awk '/^FAILED/ { left = seen[$0]++ ? 0 : 70 } /^(ok|skipped|elsewhere|left out|slow) / { left = 0 } left-- > 0 || /:[FE]:/' "$1" | head -250
}

# What a step says, as it says it; then how it went.
show() {
	local name=$1 status=$2 start=$3
	printf '    %s: %s, %d s\n' "$name" "$([ "$status" = 0 ] && echo ok || echo FAILED)" $((SECONDS - start))
	count "build/check/$name.log" "$status"
}

run() {
	local name=$1 start=$SECONDS
	printf -- '--- %s\n' "$name"
	("step_$name") 2>&1 | tee "build/check/$name.log" | sed -u 's/^/    /'
	show "$name" "${PIPESTATUS[0]}" "$start"
}

# There are two processors, and a lab waits a third of the time: so three workers
# take the steps, one after the other, and each step is told when it is over. The
# ones that take long come first, so that none waits for them in the end; then the
# quick ones, because they say soon what is wrong; the others from the longest to
# the shortest. Those that wait most of their time have a worker of their own, and
# whoever has nothing left takes what the others have.
longest="integration_third integration integration_second"
quick="conformance python go node types erlang rooms reference help manuals acceptance model shellcheck units install metrics abi"
long="systemd valgrind_even valgrind_odd fuzz bench flags asan random soak unit readme clang without"
waiting="userland nats loss faults delay demo"

work() {
	local name start
	for name; do
		mkdir "build/check/$name.taken" 2>/dev/null || continue
		start=$SECONDS
		("step_$name") >"build/check/$name.log" 2>&1 </dev/null
		echo "$? $((SECONDS - start))" >"build/check/$name.new"
		mv "build/check/$name.new" "build/check/$name.status"
	done
}

tell() {
	local status seconds
	read -r status seconds <"build/check/$1.status"
	printf -- '--- %s\n' "$1"
	sed 's/^/    /' "build/check/$1.log"
	show "$1" "$status" $((SECONDS - seconds))
}

# Those of the steps that are not over; and once in a while that they are not.
tell_all() {
	local left="$*" name still said=$SECONDS over
	while [ -n "$left" ]; do
		# shellcheck disable=SC2086 # they are several
		kill -0 $workers 2>/dev/null && over=no || over=yes
		still=
		for name in $left; do
			if [ -e "build/check/$name.status" ]; then
				tell "$name"
			elif [ "$over" = yes ]; then	# its worker was ended
				echo '1 0' >"build/check/$name.status"
				: >>"build/check/$name.log"
				still="$still $name"
			else
				still="$still $name"
			fi
		done
		left=$still
		if [ $((SECONDS - said)) -ge 30 ]; then
			said=$SECONDS
			echo "... $said s, still to come:$left"
		fi
		sleep 0.5
	done
}

if [ $# -gt 0 ]; then
	for name; do
		run "$name"
	done
else
	rm -rf build/check/*.log build/check/*.status build/check/*.taken
	workers=
	for _ in 1 2 3; do
		# shellcheck disable=SC2086 # they are several
		work $longest $quick $long $waiting &
		workers="$workers $!"
	done
	# shellcheck disable=SC2086
	work $waiting $long &
	workers="$workers $!"
	trap 'kill $workers 2>/dev/null' EXIT
	# shellcheck disable=SC2086
	tell_all $longest $quick $long $waiting
	trap - EXIT
fi
echo "kernel of the integration tests: $(sed -n 's/^kernel: //p' build/check/integration.log 2>/dev/null | tail -1)"
notes=$(grep . <<<"$notes" | sort -u)
[ -z "$notes" ] || printf 'skipped:\n%s\n' "$notes"
# Which failed comes last: who reads the end alone knows that.
[ -z "$failures" ] || printf 'failed:\n%s\nfailed:\n%s' "$failures" "$which"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
