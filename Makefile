# SPDX-License-Identifier: BSD-2-Clause
#
# sctpd: "make help" prints the targets, each with the text behind ## on its
# line, and the variables, which are the lines that begin with "#:".
#
# No configure step. What was built with other settings is built anew. demo,
# check, delay, soak and lab first install the packages that they need, or print
# the command that does.
#
#: CC CPPFLAGS CFLAGS LDFLAGS	compiler and flags; with CC=TRIPLET-gcc, AR, OBJCOPY and PKG_CONFIG follow
#: PREFIX DESTDIR			where to install: /usr/local, and what to put in front
#: B				directory for everything that is built: build
#: USERLAND=no			leave out the userland stack
#: CURSES=			leave out the screen of sctpctl top
#: NATS=			leave out the bridge to NATS
#: EDIT=			leave out the editing of lines in sctpctl shell
#: SECCOMP=		leave out sctpctl run
#: JEMALLOC=		leave out jemalloc, with which the userland stack is faster
#: PROGRAMS			those that run-programs tries, by words of their names: all
#: WERROR=yes			treat warnings as errors
#: V=1				show the commands

# The version is here; where the Python and Erlang libraries have it, make compares. A release is a commit with the tag
# vVERSION; "make dist" refuses a commit that is tagged otherwise.
VERSION		= 0.1.0
SOVERSION	= 0

PREFIX		?= /usr/local
BINDIR		?= $(PREFIX)/bin
SBINDIR		?= $(PREFIX)/sbin
LIBDIR		?= $(PREFIX)/lib
INCLUDEDIR	?= $(PREFIX)/include
MANDIR		?= $(PREFIX)/share/man
DOCDIR		?= $(PREFIX)/share/doc/sctpd
DATADIR		?= $(PREFIX)/share/sctpd
COMPLETIONDIR	?= $(PREFIX)/share/bash-completion/completions
ZSHDIR		?= $(PREFIX)/share/zsh/site-functions
FISHDIR		?= $(PREFIX)/share/fish/vendor_completions.d
# Where Wireshark looks, if it has the same PREFIX and LIBDIR.
EXTCAPDIR	?= $(LIBDIR)/wireshark/extcap
# The daemon looks for its settings there, whatever PREFIX is.
CONFDIR		= /etc/sctpd

B		= build
INSTALL		?= install

# The tools of CC's kind: TRIPLET- where CC is TRIPLET-gcc, in whichever folder.
CROSS		:= $(filter %-,$(subst -gcc,- ,$(CC)))
TRIPLET		:= $(patsubst %-,%,$(notdir $(CROSS)))
ifeq ($(origin AR),default)
AR		= $(CROSS)ar
endif
OBJCOPY		?= $(CROSS)objcopy
# A pkg-config for the target, or this machine's with the target's folders.
ifneq ($(and $(CROSS),$(wildcard /usr/lib/$(TRIPLET) /usr/$(TRIPLET))),)
PKG_CONFIG	?= $(or $(shell command -v $(CROSS)pkg-config),env \
		  PKG_CONFIG_LIBDIR=/usr/lib/$(TRIPLET)/pkgconfig:/usr/$(TRIPLET)/lib/pkgconfig:/usr/share/pkgconfig pkg-config)
endif
PKG_CONFIG	?= pkg-config
pc		= $(shell $(PKG_CONFIG) $(1) 2>/dev/null)
# Those of some flags that CC knows: asked for all at once, as it knows most.
try		= $(shell echo 'int x;' | $(CC) -Werror $(1) -x c -c -o /dev/null - 2>/dev/null && echo '$(1)')
known		= $(or $(call try,$(1)),$(foreach f,$(1),$(call try,$(f))))

# systemd says where its things belong; the defaults are its own.
systemd_dir	= $(or $(call pc,--variable=$(1) systemd),$(2))
UNITDIR		?= $(call systemd_dir,systemdsystemunitdir,/usr/lib/systemd/system)
SYSUSERSDIR	?= $(call systemd_dir,sysusersdir,/usr/lib/sysusers.d)
CATALOGDIR	?= $(call systemd_dir,catalogdir,/usr/lib/systemd/catalog)
MODULESLOADDIR	?= $(call systemd_dir,modulesloaddir,/usr/lib/modules-load.d)

# msgpack-c's C library is called msgpack before its version 6.
MSGPACK		:= $(if $(call pc,--modversion msgpack-c),msgpack-c,msgpack)

# Texts for people may be cut short.
WARN		= -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
		  -Wmissing-prototypes -Wpointer-arith $(if $(filter yes,$(WERROR)),-Werror)
CFLAGS		?= -O2 -g
# Without optimisation there is no _FORTIFY_SOURCE; CFLAGS or the compiler itself may have set one.
PREDEFINED	:= $(shell $(CC) $(CPPFLAGS) $(CFLAGS) -dM -E - </dev/null 2>/dev/null | \
		  grep -ow '__OPTIMIZE__\|_FORTIFY_SOURCE')
FORTIFY		= $(if $(filter _FORTIFY_SOURCE,$(PREDEFINED)),,$(if $(PREDEFINED),-D_FORTIFY_SOURCE=2))
KNOWN		:= $(call known,-Wno-format-truncation -fstack-protector-strong -fstack-clash-protection -fcf-protection)
HARDEN		= $(FORTIFY) $(filter -fstack% -fcf%,$(KNOWN))
INCLUDED	:= $(call pc,--cflags $(MSGPACK) libevent)
C_ALL		= -std=c11 -D_GNU_SOURCE -DSCTPD_VERSION='"$(VERSION)"' -I. -Idaemon -Iclient-lib \
		  -fPIC -fvisibility=hidden -MMD -MP $(WARN) $(filter -W%,$(KNOWN)) $(INCLUDED) $(CPPFLAGS) $(CFLAGS)
# The tables are full of addresses. Packed, they take a program less to read at its start: glibc can from 2.36 on.
PACKED		:= $(shell echo 'int main(void) { _Static_assert(100 * __GLIBC__ + __GLIBC_MINOR__ >= 236, ""); return 0; }' | \
		  $(CC) $(CFLAGS) -pie -fPIC -Wl,--fatal-warnings,-z,pack-relative-relocs -include features.h -x c -o /dev/null - 2>/dev/null && \
		  echo ,-z,pack-relative-relocs)
LDHARDEN	= -pie -Wl,-z,relro,-z,now$(PACKED)
LIBS_PROTO	:= $(or $(call pc,--libs $(MSGPACK)),-lmsgpackc)
LIBS_SCTP	:= $(or $(call pc,--libs libsctp),-lsctp)
LIBS_DAEMON	:= -pthread $(LIBS_PROTO) $(or $(call pc,--libs libevent_core),$(call pc,--libs libevent),-levent_core) \
		  $(LIBS_SCTP)

# What is only sctpctl's: an HTTP server.
LIBS_CTL	:= $(or $(call pc,--libs libevent_extra libevent_core),-levent_extra -levent_core) -lm

# The userland stack, where usrsctp is installed and USERLAND=no does not forbid it.
ifneq ($(USERLAND),no)
USRSCTP		:= $(if $(call pc,--modversion usrsctp),yes)
endif
ifeq ($(USRSCTP),yes)
INCLUDED	+= -DUSERLAND $(call pc,--cflags usrsctp)
LIBS_USRSCTP	:= $(call pc,--libs usrsctp)
LIBS_DAEMON	+= $(LIBS_USRSCTP)
SRC_USERLAND	= $(wildcard daemon/userland/*.c)
endif

# What sctpd allocates with, where jemalloc is installed (5.3: see daemon/util/mem.c). A sanitizer has an allocator of its own.
JEMALLOC	:= $(if $(findstring -fsanitize,$(CFLAGS)),,$(if $(call pc,--modversion 'jemalloc >= 5.3'),yes))
ifneq ($(JEMALLOC),)
LIBS_MALLOC	:= $(call pc,--libs jemalloc)
endif

SRC_PROTO	= $(filter-out proto/doc.c proto/json.c proto/mdoc.c,$(wildcard proto/*.c))
SRC_DAEMON	= $(filter-out daemon/config-doc.c daemon/userland/%,$(wildcard daemon/*.c daemon/*/*.c)) $(SRC_USERLAND)
SRC_LIB		= $(filter-out client-lib/lib/example.c,$(wildcard client-lib/lib/*.c))
SRC_CTL		= $(filter-out client-lib/sctpctl/doc.c,$(wildcard client-lib/sctpctl/*.c)) $(SRC_RUN)

# Editing of lines in sctpctl shell, where libedit is installed.
EDIT		:= $(if $(call pc,--modversion libedit),yes)
ifneq ($(EDIT),)
INCLUDED	+= -DEDIT
LIBS_CTL	+= $(call pc,--libs libedit)
endif

# sctpctl run, where libseccomp is installed, on the architecture whose calls it knows.
SECCOMP		:= $(if $(call pc,--modversion libseccomp),yes)
ifneq ($(SECCOMP),)
INCLUDED	+= -DSECCOMP $(call pc,--cflags libseccomp)
LIBS_CTL	+= $(call pc,--libs libseccomp)
SRC_RUN		= $(wildcard client-lib/run/*.c)
endif

# A screen for sctpctl, where ncurses is installed. sctpd is not linked with it.
CURSES		:= $(firstword $(foreach n,ncursesw ncurses,$(if $(call pc,--modversion $(n)),$(n))))
ifneq ($(CURSES),)
INCLUDED	+= -DCURSES
LIBS_CTL	+= $(call pc,--libs $(CURSES))
endif

# The bridge to NATS, where libnats and OpenSSL are installed and NATS= does not leave it out.
NATS		:= $(if $(call pc,--modversion libnats openssl),yes)
ifneq ($(NATS),)
INCLUDED	+= $(call pc,--cflags libnats)
LIBS_NATS	:= $(call pc,--libs libnats openssl) $(or $(call pc,--libs libevent_core),-levent_core) -pthread
endif
SRC_NATS	= $(filter-out client-lib/nats/doc.c client-lib/nats/example%,$(wildcard client-lib/nats/*.c))

obj		= $(patsubst %.c,$(B)/obj/%.o,$(1))
Q		= $(if $(V),,@)

.PHONY: groups standby model help all check check-unit delay soak watch supervise demo readme bench lab doc dist install uninstall clean
.DEFAULT_GOAL	= all

# All that is installed is made here: "sudo make install" leaves no files of root's in build/.
all: $(B)/sctpd $(B)/sctpctl $(if $(NATS),$(B)/sctpd-nats) $(B)/libsctpd.so $(B)/libsctpd.a $(B)/libsctpd.pc $(B)/proto-doc $(B)/config-doc $(B)/sctpctl-doc $(B)/nats-doc made-installed ## build everything that is installed (the default)

# Two files hold the settings: those that compile and link, and the paths. One
# that is other than it was is written, and what is made with it is made anew.
# So each is read and written here: two makes at a time see no change.
keep		= $(if $(call differ,$(strip $(file <$(B)/.$(1))),$(strip $(2))),$(shell mkdir -p $(B))$(file >$(B)/.$(1),$(strip $(2))))
differ		= $(if $(1),$(if $(2),$(subst x$(1)x,,x$(2)x),yes),yes)
ifneq ($(filter-out clean uninstall,$(or $(MAKECMDGOALS),all)),)
$(call keep,flags,$(CC) $(C_ALL) $(HARDEN) $(LDHARDEN) $(LDFLAGS) $(LIBS_MALLOC) $(LIBS_DAEMON) $(LIBS_CTL) $(LIBS_NATS) $(OBJCOPY) $(AR))
$(call keep,paths,$(PREFIX) $(LIBDIR) $(INCLUDEDIR) $(SBINDIR) $(BINDIR) $(LIBS_PROTO))
endif
$(B)/.flags $(B)/.paths: ;

# Before the first file is compiled: is there what it takes? Else what to do.
$(B)/.needed: $(B)/.flags
	$(Q)command -v $(lastword $(PKG_CONFIG)) >/dev/null && \
	    printf '#include <%s>\n' event2/event.h msgpack.h netinet/sctp.h | \
	    $(CC) $(C_ALL) -MF /dev/null -E -o /dev/null -x c - || { tests/deps.sh --tell build && \
	    echo "make: $(CC) does not find what is installed; for another machine than this it needs that machine's packages" >&2; exit 1; }
	@touch $@

$(B)/obj/%.o: %.c Makefile $(B)/.needed
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC      $<")
	$(Q)$(CC) $(C_ALL) $(HARDEN) -c -o $@ $<

$(B)/sctpd: $(call obj,$(SRC_DAEMON) $(SRC_PROTO))
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) -o $@ $^ $(LDFLAGS) $(LIBS_MALLOC) $(LIBS_DAEMON)
	$(if $(SRC_USERLAND)$(USERLAND),,@echo "  NOTE    sctpd has no userland stack, because usrsctp (libusrsctp-dev) is not installed; USERLAND=no silences this note")

$(B)/sctpctl: $(call obj,$(SRC_CTL) $(SRC_PROTO)) $(B)/libsctpd.a
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) -o $@ $^ $(LDFLAGS) $(LIBS_PROTO) $(LIBS_CTL)

$(B)/sctpd-nats: $(call obj,$(SRC_NATS) $(SRC_PROTO)) $(B)/libsctpd.a
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) -o $@ $^ $(LDFLAGS) $(LIBS_PROTO) $(LIBS_NATS)

$(B)/libsctpd.so.$(SOVERSION): $(call obj,$(SRC_LIB) $(SRC_PROTO)) client-lib/lib/libsctpd.map
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) -shared -Wl,-z,relro,-z,now$(PACKED) -Wl,-z,defs \
	    -Wl,-soname,libsctpd.so.$(SOVERSION) -Wl,--version-script=client-lib/lib/libsctpd.map \
	    -o $@ $(filter %.o,$^) $(LDFLAGS) $(LIBS_PROTO)

$(B)/libsctpd.so: $(B)/libsctpd.so.$(SOVERSION)
	$(Q)ln -sf libsctpd.so.$(SOVERSION) $@

# One object whose names are local but for the library's own: a static user's
# program may have a frame_scan or an addr_parse of its own. What LTO
# keeps has no local names: these objects are machine code whatever CFLAGS say.
$(call obj,$(SRC_LIB) $(SRC_PROTO)): C_ALL += -fno-lto
$(B)/libsctpd.a: $(call obj,$(SRC_LIB) $(SRC_PROTO))
	$(if $(V),,@echo "  AR      $@")
	$(Q)rm -f $@ && $(CC) $(CFLAGS) -fno-lto -r -nostdlib -o $(B)/libsctpd.o $^ && \
	    $(OBJCOPY) --localize-hidden $(B)/libsctpd.o && $(AR) rcs $@ $(B)/libsctpd.o

$(B)/libsctpd.pc: client-lib/lib/libsctpd.pc.in Makefile $(B)/.paths
	@mkdir -p $(@D)
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	    -e 's|@VERSION@|$(VERSION)|' -e 's|@LIBS_PRIVATE@|$(LIBS_PROTO)|' $< > $@

# The programs that print what the tables say.
$(B)/proto-doc: $(call obj,$(SRC_PROTO) proto/doc.c proto/json.c proto/mdoc.c)
$(B)/config-doc: $(call obj,daemon/config-doc.c daemon/config.c daemon/lines.c daemon/util/log.c daemon/util/logout.c daemon/util/mem.c $(SRC_PROTO) proto/mdoc.c)
$(B)/sctpctl-doc: $(call obj,$(filter-out %/main.c,$(SRC_CTL)) client-lib/sctpctl/doc.c $(SRC_PROTO) proto/mdoc.c) $(B)/libsctpd.a
$(B)/sctpctl-doc: LIBS_PROTO += $(LIBS_CTL)
$(B)/nats-doc: $(call obj,$(addprefix client-lib/nats/,doc.c config.c log.c mem.c metrics.c) proto/mdoc.c)
$(B)/proto-doc $(B)/config-doc $(B)/sctpctl-doc $(B)/nats-doc:
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) -o $@ $^ $(LDFLAGS) $(LIBS_PROTO)

# README's C example, built as its reader builds it but for the paths.
$(B)/example: client-lib/lib/example.c client-lib/lib/sctpd.h $(B)/libsctpd.a
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -Iclient-lib/lib -o $@ $< $(B)/libsctpd.a $(LDFLAGS) $(LIBS_PROTO)

# The Erlang library, compiled as an application: the same bytes wherever it is made.
ERLANG		= $(wildcard client-lib/erlang/src/*.erl)
.PHONY: erlang erlang-dist erlang-built
erlang: $(B)/erlang/ebin/sctpd.app ## compile the Erlang library into build/erlang/ebin
erlang-built: erlang-dist
	$(Q)/usr/bin/python3 tests/integration/beams.py
$(B)/erlang/ebin/sctpd.app: client-lib/erlang/src/sctpd.app.src $(ERLANG) $(wildcard client-lib/erlang/include/*.hrl) Makefile
	@mkdir -p $(@D)
	@grep -q '{vsn, "$(VERSION)"}' $< || { echo "make: VERSION in the Makefile is $(VERSION); set vsn in $< to it" >&2; exit 1; }
	$(Q)erlc +deterministic +debug_info -Werror -I client-lib/erlang/include -o $(@D) $(ERLANG)
	$(Q)cp $< $@

# Its package for hex.pm: the same bytes wherever it is made.
erlang-dist: erlang ## build the package of the Erlang library for hex.pm in build/erlang
	$(Q)escript client-lib/erlang/package.escript $(B)/erlang

# The Python library as a wheel and an sdist: the same bytes wherever they are made from the same commit.
PYTHON_FILES	= $(wildcard client-lib/python/src/sctpd/* client-lib/python/examples/* client-lib/python/*.*)
.PHONY: python python-built
python: $(B)/python/.made ## build the wheel and the sdist of the Python library into build/python
$(B)/python/.made: $(PYTHON_FILES) LICENSE Makefile
	@mkdir -p $(@D)
	$(Q)time=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || stat -c %Y LICENSE)}; echo $$time >$(@D)/time; \
	    SOURCE_DATE_EPOCH=$$time /usr/bin/python3 client-lib/python/package.py $(@D) $(VERSION) 2>$(@D)/log || { cat $(@D)/log >&2; exit 1; }
	@touch $@

# The wheel in an environment of its own, where tests use it. Nothing is fetched: msgpack is the system's.
python-built: $(B)/python/venv/.made
$(B)/python/venv/.made: $(B)/python/.made
	$(Q)rm -rf $(@D) && /usr/bin/python3 -m venv --system-site-packages $(@D) && \
	    $(@D)/bin/python -m pip install -q --no-index --disable-pip-version-check $(B)/python/sctpd-*.whl
	@touch $@

# The Go module as a tarball, and as a folder for GOPROXY: the same bytes wherever they are made from the same commit.
GO_FILES	= $(wildcard client-lib/go/*.* client-lib/go/sctp/* client-lib/go/examples/*/*)
.PHONY: go-dist go-built
go-dist: $(B)/go/dist/.made ## pack the Go module into build/go/dist, as a tarball and for GOPROXY=file://
$(B)/go/dist/.made: $(GO_FILES) LICENSE Makefile
	@mkdir -p $(@D)
	$(Q)time=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || stat -c %Y LICENSE)}; echo $$time >$(@D)/time; \
	    SOURCE_DATE_EPOCH=$$time /usr/bin/python3 client-lib/go/package.py $(@D) $(VERSION)
	@touch $@

# The programs of Go that tests use, built once.
go-built: $(B)/go/.made
$(B)/go/.made: $(GO_FILES) $(B)/go/dist/.made $(wildcard tests/integration/go/*.go) tests/conformance/driver.go tests/bench/languages/speed.go tests/go-build
	$(Q)tests/go-build $(@D) $(VERSION)
	@touch $@

# The Node library as a package for npm: the same bytes wherever it is made. Its time is npm's own.
NODE_PACKAGE	= $(B)/node/sctpd-$(VERSION).tgz
.PHONY: node-dist node-built
node-dist: $(NODE_PACKAGE) ## build the package of the Node library for npm in build/node
$(NODE_PACKAGE): $(wildcard client-lib/node/src/* client-lib/node/examples/* client-lib/node/*.*) LICENSE Makefile
	$(Q)/usr/bin/python3 client-lib/node/package.py $(@D) $(VERSION) >/dev/null

# The package in a folder of its own, where tests use it. Nothing is fetched.
node-built: $(B)/node/installed/.made
$(B)/node/installed/.made: $(NODE_PACKAGE) tests/integration/node/install.py
	$(Q)/usr/bin/python3 tests/integration/node/install.py $(NODE_PACKAGE) $(@D) && touch $@

# The C programs of tests, which a lab would take long to compile.
.PHONY: programs-built
programs-built: all
	$(Q)/usr/bin/python3 tests/integration/programs.py

# What the tables say, as text and as manual pages; all are committed.
doc: $(B)/proto-doc $(B)/config-doc $(B)/sctpctl-doc $(B)/nats-doc ## print REFERENCE.md and the manual pages that follow from tables anew
	$(Q)$(B)/proto-doc markdown > proto/REFERENCE.md
	$(Q)$(B)/proto-doc man > proto/sctpd-protocol.7
	$(Q)$(B)/proto-doc page client-lib/n2/README.md > client-lib/n2/sctpd-n2.7
	$(Q)$(B)/proto-doc json > $(B)/tables.json
	$(Q)/usr/bin/python3 client-lib/python/generate.py < $(B)/tables.json > client-lib/python/src/sctpd/_tables.py
	$(Q)/usr/bin/python3 client-lib/node/generate.py client-lib/node/src < $(B)/tables.json
	$(Q)/usr/bin/python3 client-lib/go/generate.py < $(B)/tables.json > client-lib/go/tables.go
	$(Q)$(B)/config-doc daemon/sctpd.conf.5.in > daemon/sctpd.conf.5
	$(Q)$(B)/config-doc daemon/sctpd.8.in > daemon/sctpd.8
	$(Q)$(B)/nats-doc < client-lib/nats/sctpd-nats.8.in > client-lib/nats/sctpd-nats.8
	$(Q)$(B)/config-doc --catalog > systemd/sctpd.catalog
	$(Q)$(B)/sctpctl-doc < client-lib/sctpctl/sctpctl.1 > $(B)/sctpctl.1 && cp $(B)/sctpctl.1 client-lib/sctpctl/

# What tests/abi keeps of libsctpd's ABI, written anew: after a function was added.
.PHONY: abi
abi: $(B)/libsctpd.so ## write down the ABI of libsctpd anew, after a change that keeps it
	$(Q)B=$(B) tests/abi/check --renew

# Each of these first sees to what it needs, then is made again with it there.
# The daemon of tests: it dies where it is told to, and is of another version; the compiler need not take its time over it.
.PHONY: $(B)/fault/sctpd
$(B)/fault/sctpd:
	@$(MAKE) --no-print-directory B=$(B)/fault $(B)/fault/sctpd \
	    CFLAGS="$(CFLAGS) -O0 -U_FORTIFY_SOURCE -DFAULT_POINTS -DJOURNAL_VERSION=99"

demo: ## try it: two programs talk SCTP through the daemon
	@tests/deps.sh build $(if $(filter no,$(USERLAND)),lab)
	@$(MAKE) --no-print-directory all $(B)/example
	@if tests/lab/has-sctp || $(B)/sctpd -c /dev/null --stack userland -t 2>/dev/null; then \
	    tests/demo.sh; else tests/lab/run -- tests/demo.sh; fi

# Several files at a time, unless make was told how many: until the tests begin the other processors have nothing to do.
check: ## run all tests
	@tests/deps.sh check
	@$(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$$(nproc)) \
	    all $(B)/example $(B)/unit $(B)/fault/sctpd bench-build hostile-built programs-built erlang-built python-built go-built node-built
	@tests/check.sh

# Programs of the field under sctpctl run, on both stacks; PROGRAMS are words of their tests' names.
.PHONY: run-programs
run-programs: ## run iperf3, sipp, osmo-stp, freeDiameter, kamailio, Java and others under sctpctl run, unchanged
	@tests/deps.sh programs
	@$(MAKE) --no-print-directory all
	@tests/programs/func-tests $(B)/lksctp
	@TEST_DIR=tests/programs TEST_STACK=userland tests/native.sh /usr/bin/python3 tests/integration/run.py $(PROGRAMS)
	@tests/lab/run -- env TEST_DIR=tests/programs /usr/bin/python3 tests/integration/run.py $(PROGRAMS)

# What README says, done in a fresh system of SUITE; see the script.
SUITE		?= bookworm
readme: ## run the commands of README.md in a fresh system, SUITE=bookworm
	@tests/readme.sh $(SUITE)

# The integration tests on a network on which each packet needs 20 ms.
delay: ## run the integration tests on a network with a delay of 20 ms
	@tests/deps.sh check
	@$(MAKE) --no-print-directory all $(B)/example $(B)/fault/sctpd
	@tests/check.sh all_delayed

# Two hosts on which all is killed again and again; for SOAK_SECONDS.
soak: ## kill daemons and clients for SOAK_SECONDS; no message may be lost
	@tests/deps.sh check
	@$(MAKE) --no-print-directory all $(B)/fault/sctpd
	@tests/soak/run

# What must raise no alarm, and a path that flaps; for WATCH_SECONDS each, side by side.
WATCH_SECONDS	?= 3600
watch: ## watch a lossy network, a slow reader and a path that flaps for WATCH_SECONDS
	@tests/deps.sh check
	@$(MAKE) --no-print-directory all
	@tests/watch.sh $(WATCH_SECONDS)

# A group under load whose members are killed, drained and joined every second, and whose daemon
# is killed every ten, on the kernel's stack, where all share one processor: so with GROUPS_RATE
# messages a second. And without the latter on the userland stack, as fast as they go.
GROUPS_SECONDS	?= 600
GROUPS_ASSOCIATIONS ?= 200
GROUPS_RATE	?= 1000
groups: ## kill, drain and join members of a group, and kill the daemon, under load for GROUPS_SECONDS on each stack
	@tests/deps.sh check
	@$(MAKE) --no-print-directory all
	@set -- GROUPS_SECONDS=$(GROUPS_SECONDS) GROUPS_ASSOCIATIONS=$(GROUPS_ASSOCIATIONS) \
	    GROUPS_EVERY=1 GROUPS_DEATHS=10 TEST_LIMIT=$$(($(GROUPS_SECONDS) + 300)); \
	tests/lab/run --mem 3G --timeout $$(($(GROUPS_SECONDS) + 600)) -- \
	    env "$$@" GROUPS_RATE=$(GROUPS_RATE) /usr/bin/python3 tests/integration/run.py groupload.the_daemon_dies && \
	env "$$@" GROUPS_RATE=1000000 TEST_STACK=userland tests/native.sh /usr/bin/python3 tests/integration/run.py groupload.members_come

# Everything of the bridge to NATS killed at random: servers, bridges, programs behind it, the network; on the kernel's stack
# the daemons as well. And a bus that is stopped for a minute under load. The nats-server is the first one on the PATH.
NATS_SECONDS	?= 600
NATS_STOP	?= 60
.PHONY: nats
nats: ## kill all that the bridge to NATS is made of for NATS_SECONDS on each stack, and stop the bus for NATS_STOP
	@tests/deps.sh check
	@$(MAKE) --no-print-directory all
	@set -- NATS_SECONDS=$(NATS_SECONDS) NATS_STOP=$(NATS_STOP) NATS_SERVERS=3 TEST_LIMIT=$$(($(NATS_SECONDS) + 600)); \
	env "$$@" TEST_STACK=userland tests/native.sh /usr/bin/python3 tests/integration/run.py natskills. nats.while_the_bus && \
	tests/lab/run --mem 2G --timeout $$(($(NATS_SECONDS) + 900)) -- \
	    env "$$@" /usr/bin/python3 tests/integration/run.py natskills. nats.while_the_bus

# How fast the bridge to NATS is, next to what it is made of.
.PHONY: nats-speed
nats-speed: all ## measure the bridge to NATS against sctpd and JetStream alone, on each stack
	$(Q)$(CC) $(CFLAGS) -Iclient-lib/lib $(INCLUDED) -o $(B)/nats-speed tests/bench/nats/speed.c $(B)/libsctpd.a $(LDFLAGS) $(LIBS_NATS) $(LIBS_PROTO)
	@TEST_STACK=userland tests/native.sh /usr/bin/python3 tests/bench/nats/speed.py; userland=$$?; \
	tests/lab/run --mem 2G --timeout 1800 -- /usr/bin/python3 tests/bench/nats/speed.py 20000 && exit $$userland

# A peer that is killed 100 times, and 1,000 associations to one that is.
supervise: ## kill peers under supervised associations
	@tests/deps.sh check
	@$(MAKE) --no-print-directory all
	@tests/supervise.sh

# Another host takes associations over, and then nobody does; the latter takes minutes, as long as the peers' own timers.
STANDBY		?= 1000
standby: ## measure how fast another host has STANDBY associations, and what peers do without one
	@tests/deps.sh check
	@$(MAKE) --no-print-directory all programs-built erlang-built
	@for n in 100 300 $(STANDBY); do \
	    TEST_WAIT=60 tests/lab/run --mem 3G -- /usr/bin/python3 tests/integration/standby_figures.py $$n && \
	    TEST_WAIT=60 tests/lab/run --mem 3G -- /usr/bin/python3 tests/integration/standby_figures.py $$n bridge || exit; done
	@TEST_WAIT=60 tests/lab/run --mem 3G --timeout 3600 -- /usr/bin/python3 tests/integration/standby_figures.py $(STANDBY) without

# Many hosts, simulated; MODEL="hosts=400 storms=0" changes what tests/model/model.py lists.
model: ## simulate 200 hosts with 100,000 associations that stand in for each other, and say what limits them: MODEL
	@tests/model/model.py --check
	@tests/model/model.py $(MODEL)

lab: ## open a shell in the virtual machine of the tests
	@tests/deps.sh lab
	@tests/lab/run --shell

# The targets and variables of this Makefile and of those that it includes.
help: ## print this list
	@awk -F ' *## *' '/^[a-z-]+:.* ## / { sub(/:.*/, "", $$1); printf "%-18s%s\n", $$1, $$2 }' $(MAKEFILE_LIST) | sort
	@echo
	@sed -n 's/^#: *//p' Makefile | expand -t 8

# The tree as a tarball: the same bytes wherever it is made from the same commit.
# Without git it is all files, and SOURCE_DATE_EPOCH or LICENSE gives the time.
DIST		= sctpd-$(VERSION)
dist: ## make build/sctpd-VERSION.tar.gz from the tree
	@mkdir -p $(B)
	$(Q)tag=; if git ls-files --error-unmatch Makefile >/dev/null 2>&1; then \
	    list="git ls-files -co --exclude-standard -z"; time=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)}; \
	    tag=$$(git tag --points-at HEAD --list 'v[0-9]*') && \
	    case $$tag in ''|v$(VERSION)) ;; *) echo "dist: this commit has the tag $$tag, and VERSION in the Makefile is $(VERSION)" >&2; exit 1;; esac; \
	    [ -z "$$(git status --porcelain)" ] || echo "dist: the tree has changes that are not committed; they are in the tarball" >&2; \
	else \
	    list="find . ( -path ./build -o -path ./$(B) ) -prune -o ( -type f -o -type l ) -printf %P\\0"; \
	    time=$${SOURCE_DATE_EPOCH:-$$(stat -c %Y LICENSE)}; \
	fi && \
	$$list >$(B)/dist.list && LC_ALL=C sort -z -o $(B)/dist.list $(B)/dist.list && \
	tar --null --no-recursion -T $(B)/dist.list --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
	    --mtime="@$$time" --format=ustar --ignore-failed-read --transform='s|^|$(DIST)/|' -cf $(B)/dist.tar && \
	gzip -n9 <$(B)/dist.tar >$(B)/$(DIST).tar.gz && rm -f $(B)/dist.list $(B)/dist.tar
	@echo "$(B)/$(DIST).tar.gz"

include tests/bench/bench.mk
include tests/unit/unit.mk
include tests/fuzz/fuzz.mk
include tests/hostile/hostile.mk
include tests/fuzz/random.mk
include tests/faults/faults.mk
include .packaging/packaging.mk

# The pages of section 3, and a page for each other name in a page's NAME that
# leads there: "man sctpd_close" shows sctpd_open(3).
MAN3		= $(wildcard client-lib/lib/*.3)
MAN3_LINKS	:= $(shell awk 'FNR == 1 { page = FILENAME; sub(".*/", "", page) } \
		  /^\.Sh/ { name = $$2 == "NAME" } name && $$1 == ".Nm" && $$2 ".3" != page { print $$2 ".3:" page }' $(MAN3))

# Source, folder below DESTDIR, mode; installed and uninstalled by this list.
INSTALLED	= \
	$(B)/sctpd:$(SBINDIR):755 \
	$(B)/sctpctl:$(BINDIR):755 \
	$(B)/libsctpd.so.$(SOVERSION):$(LIBDIR):755 \
	$(B)/libsctpd.a:$(LIBDIR):644 \
	$(B)/libsctpd.pc:$(LIBDIR)/pkgconfig:644 \
	client-lib/lib/sctpd.h:$(INCLUDEDIR):644 \
	$(foreach f,client-lib/erlang/README.md client-lib/erlang/rebar.config,$(f):$(LIBDIR)/sctpd/erlang:644) \
	$(foreach d,src include,$(foreach f,$(wildcard client-lib/erlang/$(d)/*),$(f):$(LIBDIR)/sctpd/erlang/$(d):644)) \
	client-lib/sctpctl/sctpctl.1:$(MANDIR)/man1:644 \
	client-lib/run/sctpctl-run.1:$(MANDIR)/man1:644 \
	$(foreach f,$(MAN3),$(f):$(MANDIR)/man3:644) \
	$(foreach l,$(MAN3_LINKS),$(B)/man3/$(call part,$(l),1):$(MANDIR)/man3:644) \
	daemon/sctpd.conf.5:$(MANDIR)/man5:644 \
	proto/sctpd-protocol.7:$(MANDIR)/man7:644 \
	client-lib/n2/sctpd-n2.7:$(MANDIR)/man7:644 \
	$(foreach f,$(wildcard client-lib/n2/*.py),$(f):$(DOCDIR)/examples/n2:644) \
	daemon/sctpd.8:$(MANDIR)/man8:644 \
	$(if $(NATS),$(B)/sctpd-nats:$(SBINDIR):755 client-lib/nats/sctpd-nats.8:$(MANDIR)/man8:644 $(B)/sctpd-nats.service:$(UNITDIR):644 \
	    client-lib/nats/README.md:$(DOCDIR)/examples/nats:644 \
	    $(foreach f,$(wildcard client-lib/nats/examples/*),$(f):$(DOCDIR)/examples/nats/examples:644)) \
	proto/REFERENCE.md:$(DOCDIR):644 \
	README.md:$(DOCDIR):644 \
	LICENSE:$(DOCDIR):644 \
	$(B)/sctpd.service:$(UNITDIR):644 \
	systemd/sctpd.catalog:$(CATALOGDIR):644 \
	systemd/sctpd.socket:$(UNITDIR):644 \
	$(B)/sctpd-metrics.service:$(UNITDIR):644 \
	systemd/sctpd-metrics.socket:$(UNITDIR):644 \
	$(B)/sctpd-textfile.service:$(UNITDIR):644 \
	systemd/sctpd-textfile.timer:$(UNITDIR):644 \
	$(foreach f,$(wildcard systemd/metrics/*),$(f):$(DATADIR):644) \
	$(B)/sctpd@.service:$(UNITDIR):644 \
	systemd/sctpd@.socket:$(UNITDIR):644 \
	$(B)/systemd/sysusers/sctpd.conf:$(SYSUSERSDIR):644 \
	$(B)/systemd/modules-load/sctpd.conf:$(MODULESLOADDIR):644 \
	$(B)/completion/sctpctl:$(COMPLETIONDIR):644 \
	client-lib/sctpctl/sctpd-extcap:$(EXTCAPDIR):755 \
	$(B)/completion/_sctpctl:$(ZSHDIR):644 \
	client-lib/sctpctl/sctpctl.fish:$(FISHDIR):644

part		= $(word $(2),$(subst :, ,$(1)))
install_one	= $(INSTALL) -D -m $(call part,$(1),3) $(call part,$(1),1) \
		  "$(DESTDIR)$(call part,$(1),2)/$(notdir $(call part,$(1),1))"

$(B)/sctpd.service $(B)/sctpd-metrics.service $(B)/sctpd-textfile.service $(B)/sctpd-nats.service: $(B)/%.service: systemd/%.service.in Makefile $(B)/.paths
	@mkdir -p $(@D)
	$(Q)sed -e 's|@SBINDIR@|$(SBINDIR)|' -e 's|@BINDIR@|$(BINDIR)|' $< > $@

$(B)/sctpd@.service: $(B)/sctpd.service systemd/sctpd@.sed
	$(Q)sed -f systemd/sctpd@.sed $< > $@

# The same file under the name that its folder wants.
$(B)/systemd/sysusers/sctpd.conf: systemd/sctpd.sysusers
$(B)/systemd/modules-load/sctpd.conf: systemd/sctpd.modules-load
$(B)/completion/sctpctl: client-lib/sctpctl/sctpctl.bash
$(B)/completion/_sctpctl: client-lib/sctpctl/sctpctl.zsh
$(B)/systemd/sysusers/sctpd.conf $(B)/systemd/modules-load/sctpd.conf $(B)/completion/sctpctl $(B)/completion/_sctpctl:
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(foreach l,$(MAN3_LINKS),$(B)/man3/$(call part,$(l),1)): $(B)/man3/%: $(MAN3) Makefile
	@mkdir -p $(@D)
	$(Q)echo ".so man3/$(patsubst $*:%,%,$(filter $*:%,$(MAN3_LINKS)))" > $@

.PHONY: made-installed
made-installed: $(filter $(B)/%,$(foreach i,$(INSTALLED),$(call part,$(i),1)))

install: all ## install below PREFIX; DESTDIR is put in front
	$(Q)$(foreach i,$(INSTALLED),$(call install_one,$(i)) &&) true
	$(Q)ln -sf libsctpd.so.$(SOVERSION) "$(DESTDIR)$(LIBDIR)/libsctpd.so"
	$(Q)$(INSTALL) -d "$(DESTDIR)$(CONFDIR)"
	@$(if $(DESTDIR),,echo "Installed. To run it as a service:" && \
	    echo "  ldconfig && systemd-sysusers && systemctl daemon-reload && systemctl enable --now sctpd.socket")

uninstall: ## remove what install installed
	$(Q)$(foreach i,$(INSTALLED),rm -f "$(DESTDIR)$(call part,$(i),2)/$(notdir $(call part,$(i),1))" &&) true
	$(Q)rm -f "$(DESTDIR)$(LIBDIR)/libsctpd.so"
	$(Q)for d in "$(DATADIR)" "$(LIBDIR)/sctpd/erlang/src" "$(LIBDIR)/sctpd/erlang/include" "$(LIBDIR)/sctpd/erlang" "$(LIBDIR)/sctpd" "$(DOCDIR)/examples/n2" "$(DOCDIR)/examples/nats/examples" "$(DOCDIR)/examples/nats" "$(DOCDIR)/examples" "$(DOCDIR)" "$(CONFDIR)"; do \
	    rmdir "$(DESTDIR)$$d" 2>/dev/null; done; true

clean: ## remove what was built
	rm -rf $(B)

-include $(shell find $(B)/obj $(B)/san -type f -name '*.d' 2>/dev/null)
