# SPDX-License-Identifier: BSD-2-Clause
#
# sctpd: all check delay soak demo readme bench lab doc install uninstall clean
#
# No configure step. make V=1 shows the commands. CC, CPPFLAGS, CFLAGS, LDFLAGS,
# PREFIX and DESTDIR are honoured; so are AR, OBJCOPY and PKG_CONFIG, which follow
# CC=TRIPLET-gcc by themselves. What was built with other settings is built anew.
# USERLAND=no leaves the userland stack out, WERROR=yes makes warnings errors.
# demo and check first see to the packages they need.

VERSION		= 0.1.0
SOVERSION	= 0

PREFIX		?= /usr/local
BINDIR		?= $(PREFIX)/bin
SBINDIR		?= $(PREFIX)/sbin
LIBDIR		?= $(PREFIX)/lib
INCLUDEDIR	?= $(PREFIX)/include
MANDIR		?= $(PREFIX)/share/man
DOCDIR		?= $(PREFIX)/share/doc/sctpd
COMPLETIONDIR	?= $(PREFIX)/share/bash-completion/completions
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
C_ALL		= -std=c11 -D_GNU_SOURCE -DSCTPD_VERSION='"$(VERSION)"' -Iproto -Iclient-lib \
		  -fPIC -fvisibility=hidden -MMD -MP $(WARN) $(filter -W%,$(KNOWN)) $(INCLUDED) $(CPPFLAGS) $(CFLAGS)
LDHARDEN	= -pie -Wl,-z,relro,-z,now
LIBS_PROTO	:= $(or $(call pc,--libs $(MSGPACK)),-lmsgpackc)
LIBS_SCTP	:= $(or $(call pc,--libs libsctp),-lsctp)
LIBS_DAEMON	:= -pthread $(LIBS_PROTO) $(or $(call pc,--libs libevent_core),$(call pc,--libs libevent),-levent_core) \
		  $(LIBS_SCTP)

# The userland stack, where usrsctp is installed and USERLAND=no does not forbid it.
ifneq ($(USERLAND),no)
USRSCTP		:= $(if $(call pc,--modversion usrsctp),yes)
endif
ifeq ($(USRSCTP),yes)
INCLUDED	+= -DUSERLAND $(call pc,--cflags usrsctp)
LIBS_USRSCTP	:= $(call pc,--libs usrsctp)
LIBS_DAEMON	+= $(LIBS_USRSCTP)
SRC_USERLAND	= $(wildcard daemon/userland*.c) daemon/stack-userland.c
endif

SRC_PROTO	= $(filter-out proto/doc.c,$(wildcard proto/*.c))
SRC_DAEMON	= $(filter-out daemon/userland% daemon/stack-userland.c,$(wildcard daemon/*.c)) \
		  $(SRC_USERLAND)
SRC_LIB		= $(filter-out client-lib/sctpctl%.c client-lib/example%.c,$(wildcard client-lib/*.c))
SRC_CTL		= $(wildcard client-lib/sctpctl*.c)

obj		= $(patsubst %.c,$(B)/obj/%.o,$(1))
Q		= $(if $(V),,@)

.PHONY: all check check-unit delay soak demo readme bench lab doc install uninstall clean
.DEFAULT_GOAL	= all

# All that is installed is made here: "sudo make install" leaves no files of root's in build/.
all: $(B)/sctpd $(B)/sctpctl $(B)/libsctpd.so $(B)/libsctpd.a $(B)/libsctpd.pc $(B)/proto-doc made-installed

# Two files hold the settings: those that compile and link, and the paths. One
# that is other than it was is written, and what is made with it is made anew.
# So each is read and written here: two makes at a time see no change.
keep		= $(if $(call differ,$(strip $(file <$(B)/.$(1))),$(strip $(2))),$(shell mkdir -p $(B))$(file >$(B)/.$(1),$(strip $(2))))
differ		= $(if $(1),$(if $(2),$(subst x$(1)x,,x$(2)x),yes),yes)
ifneq ($(filter-out clean uninstall,$(or $(MAKECMDGOALS),all)),)
$(call keep,flags,$(CC) $(C_ALL) $(HARDEN) $(LDHARDEN) $(LDFLAGS) $(LIBS_DAEMON) $(OBJCOPY) $(AR))
$(call keep,paths,$(PREFIX) $(LIBDIR) $(INCLUDEDIR) $(SBINDIR) $(LIBS_PROTO))
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

# The stack's functions are the kernel's own in its files.
$(B)/obj/daemon/kernel%.o $(B)/obj/daemon/stack-kernel.o: C_ALL += -include daemon/kernel-names.h

$(B)/sctpd: $(call obj,$(SRC_DAEMON) $(SRC_PROTO))
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) -o $@ $^ $(LDFLAGS) $(LIBS_DAEMON)
	$(if $(SRC_USERLAND)$(USERLAND),,@echo "  NOTE    sctpd has no userland stack, as usrsctp is not here (libusrsctp-dev); USERLAND=no says that it is right so")

$(B)/sctpctl: $(call obj,$(SRC_CTL) $(SRC_PROTO)) $(B)/libsctpd.a
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) -o $@ $^ $(LDFLAGS) $(LIBS_PROTO)

$(B)/libsctpd.so.$(SOVERSION): $(call obj,$(SRC_LIB) $(SRC_PROTO)) client-lib/libsctpd.map
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) -shared -Wl,-z,relro,-z,now -Wl,-z,defs \
	    -Wl,-soname,libsctpd.so.$(SOVERSION) -Wl,--version-script=client-lib/libsctpd.map \
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

$(B)/libsctpd.pc: client-lib/libsctpd.pc.in Makefile $(B)/.paths
	@mkdir -p $(@D)
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	    -e 's|@VERSION@|$(VERSION)|' -e 's|@LIBS_PRIVATE@|$(LIBS_PROTO)|' $< > $@

$(B)/proto-doc: $(call obj,$(SRC_PROTO) proto/doc.c)
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) -o $@ $^ $(LDFLAGS) $(LIBS_PROTO)

# README's C example, built as its reader builds it but for the paths.
$(B)/example: client-lib/example.c client-lib/sctpd.h $(B)/libsctpd.a
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -Iclient-lib -o $@ $< $(B)/libsctpd.a $(LDFLAGS) $(LIBS_PROTO)

# What the tables say, as text and as a manual page; both are committed.
doc: $(B)/proto-doc
	$(Q)$(B)/proto-doc markdown > proto/REFERENCE.md
	$(Q)$(B)/proto-doc man > proto/sctpd-protocol.7

# Each of these first sees to what it needs, then is made again with it there.
# The daemon of tests: it dies where it is told to, and is of another version.
.PHONY: $(B)/fault/sctpd
$(B)/fault/sctpd:
	@$(MAKE) --no-print-directory B=$(B)/fault $(B)/fault/sctpd \
	    CFLAGS="$(CFLAGS) -DFAULT_POINTS -DJOURNAL_VERSION=2"

demo:
	@tests/deps.sh build $(if $(filter no,$(USERLAND)),lab)
	@$(MAKE) --no-print-directory all $(B)/example
	@if tests/lab/has-sctp || $(B)/sctpd -c /dev/null --stack userland -t 2>/dev/null; then \
	    tests/demo.sh; else tests/lab/run -- tests/demo.sh; fi

check:
	@tests/deps.sh check
	@$(MAKE) --no-print-directory all $(B)/example $(B)/unit $(B)/fault/sctpd bench-build
	@tests/check.sh

# What README says, done in a fresh system of SUITE; see the script.
SUITE		?= bookworm
readme:
	@tests/readme.sh $(SUITE)

# The integration tests on a network on which each packet needs 20 ms.
delay:
	@tests/deps.sh check
	@$(MAKE) --no-print-directory all $(B)/example $(B)/fault/sctpd
	@tests/check.sh all_delayed

# Two hosts on which all is killed again and again; for SOAK_SECONDS.
soak:
	@tests/deps.sh check
	@$(MAKE) --no-print-directory all $(B)/fault/sctpd
	@tests/soak/run

lab:
	@tests/deps.sh lab
	@tests/lab/run --shell

include tests/bench/bench.mk
include tests/unit/unit.mk
include tests/fuzz/fuzz.mk
include tests/hostile/hostile.mk
include tests/fuzz/random.mk
include tests/faults/faults.mk

# Source, folder below DESTDIR, mode; installed and uninstalled by this list.
INSTALLED	= \
	$(B)/sctpd:$(SBINDIR):755 \
	$(B)/sctpctl:$(BINDIR):755 \
	$(B)/libsctpd.so.$(SOVERSION):$(LIBDIR):755 \
	$(B)/libsctpd.a:$(LIBDIR):644 \
	$(B)/libsctpd.pc:$(LIBDIR)/pkgconfig:644 \
	client-lib/sctpd.h:$(INCLUDEDIR):644 \
	$(foreach f,$(wildcard client-lib/erlang/*),$(f):$(LIBDIR)/sctpd/erlang:644) \
	client-lib/sctpctl.1:$(MANDIR)/man1:644 \
	client-lib/libsctpd.3:$(MANDIR)/man3:644 \
	daemon/sctpd.conf.5:$(MANDIR)/man5:644 \
	proto/sctpd-protocol.7:$(MANDIR)/man7:644 \
	daemon/sctpd.8:$(MANDIR)/man8:644 \
	proto/REFERENCE.md:$(DOCDIR):644 \
	README.md:$(DOCDIR):644 \
	LICENSE:$(DOCDIR):644 \
	$(B)/sctpd.service:$(UNITDIR):644 \
	systemd/sctpd.socket:$(UNITDIR):644 \
	$(B)/systemd/sysusers/sctpd.conf:$(SYSUSERSDIR):644 \
	$(B)/systemd/modules-load/sctpd.conf:$(MODULESLOADDIR):644 \
	$(B)/completion/sctpctl:$(COMPLETIONDIR):644

part		= $(word $(2),$(subst :, ,$(1)))
install_one	= $(INSTALL) -D -m $(call part,$(1),3) $(call part,$(1),1) \
		  "$(DESTDIR)$(call part,$(1),2)/$(notdir $(call part,$(1),1))"

$(B)/sctpd.service: systemd/sctpd.service.in Makefile $(B)/.paths
	@mkdir -p $(@D)
	$(Q)sed 's|@SBINDIR@|$(SBINDIR)|' $< > $@

# The same file under the name that its folder wants.
$(B)/systemd/sysusers/sctpd.conf: systemd/sctpd.sysusers
$(B)/systemd/modules-load/sctpd.conf: systemd/sctpd.modules-load
$(B)/completion/sctpctl: client-lib/sctpctl.bash
$(B)/systemd/sysusers/sctpd.conf $(B)/systemd/modules-load/sctpd.conf $(B)/completion/sctpctl:
	@mkdir -p $(@D)
	$(Q)cp $< $@

.PHONY: made-installed
made-installed: $(filter $(B)/%,$(foreach i,$(INSTALLED),$(call part,$(i),1)))

install: all
	$(Q)$(foreach i,$(INSTALLED),$(call install_one,$(i)) &&) true
	$(Q)ln -sf libsctpd.so.$(SOVERSION) "$(DESTDIR)$(LIBDIR)/libsctpd.so"
	$(Q)$(INSTALL) -d "$(DESTDIR)$(CONFDIR)"
	@$(if $(DESTDIR),,echo "Installed. To run it as a service:" && \
	    echo "  ldconfig && systemd-sysusers && systemctl daemon-reload && systemctl enable --now sctpd.socket")

uninstall:
	$(Q)$(foreach i,$(INSTALLED),rm -f "$(DESTDIR)$(call part,$(i),2)/$(notdir $(call part,$(i),1))" &&) true
	$(Q)rm -f "$(DESTDIR)$(LIBDIR)/libsctpd.so"
	$(Q)for d in "$(LIBDIR)/sctpd/erlang" "$(LIBDIR)/sctpd" "$(DOCDIR)" "$(CONFDIR)"; do \
	    rmdir "$(DESTDIR)$$d" 2>/dev/null; done; true

clean:
	rm -rf $(B)

-include $(shell find $(B)/obj $(B)/san -type f -name '*.d' 2>/dev/null)
