# SPDX-License-Identifier: BSD-2-Clause
#
# sctpd: all check delay soak demo bench lab doc install uninstall clean
#
# No configure step. make V=1 shows the commands; CC, CFLAGS, PREFIX and
# DESTDIR are honoured. demo and check first see to the packages they need.

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
SYSCONFDIR	?= /etc

B		= build
PKG_CONFIG	?= pkg-config
INSTALL		?= install
pc		= $(shell $(PKG_CONFIG) $(1) 2>/dev/null)

# systemd says where its things belong; the defaults are its own.
systemd_dir	= $(or $(call pc,--variable=$(1) systemd),$(2))
UNITDIR		?= $(call systemd_dir,systemdsystemunitdir,/usr/lib/systemd/system)
SYSUSERSDIR	?= $(call systemd_dir,sysusersdir,/usr/lib/sysusers.d)
MODULESLOADDIR	?= $(call systemd_dir,modulesloaddir,/usr/lib/modules-load.d)

# msgpack-c's C library is called msgpack before its version 6.
MSGPACK		:= $(shell $(PKG_CONFIG) --exists msgpack-c 2>/dev/null && echo msgpack-c || echo msgpack)

WARN		= -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
		  -Wmissing-prototypes -Wpointer-arith $(WARN_GCC) -Werror
# Texts for people may be cut short. clang does not know the warning.
WARN_GCC	= $(if $(findstring clang,$(CC)),,-Wno-format-truncation)
HARDEN		= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection \
		  $(if $(filter x86_64 i686,$(shell uname -m)),-fcf-protection)
CFLAGS		?= -O2 -g
C_ALL		= -std=c11 -D_GNU_SOURCE -DSCTPD_VERSION='"$(VERSION)"' -Iproto -Iclient-lib \
		  -fPIC -fvisibility=hidden -MMD -MP $(WARN) $(CFLAGS)
LDHARDEN	= -pie -Wl,-z,relro,-z,now
LIBS_PROTO	= $(call pc,--libs $(MSGPACK))
LIBS_DAEMON	= -pthread $(LIBS_PROTO) $(or $(call pc,--libs libevent_core),$(call pc,--libs libevent)) \
		  $(or $(call pc,--libs libsctp),-lsctp)
C_ALL		+= $(call pc,--cflags $(MSGPACK) libevent)

# The userland stack, where usrsctp is installed and USERLAND=no does not forbid it.
ifneq ($(USERLAND),no)
USRSCTP		:= $(shell $(PKG_CONFIG) --exists usrsctp 2>/dev/null && echo yes)
endif
ifeq ($(USRSCTP),yes)
C_ALL		+= -DUSERLAND $(call pc,--cflags usrsctp)
LIBS_DAEMON	+= $(call pc,--libs usrsctp)
SRC_USERLAND	= $(wildcard daemon/userland*.c) daemon/stack-userland.c
endif

SRC_PROTO	= $(filter-out proto/doc.c,$(wildcard proto/*.c))
SRC_DAEMON	= $(filter-out daemon/userland% daemon/stack-userland.c,$(wildcard daemon/*.c)) \
		  $(SRC_USERLAND)
SRC_LIB		= $(filter-out client-lib/sctpctl%.c client-lib/example%.c,$(wildcard client-lib/*.c))
SRC_CTL		= $(wildcard client-lib/sctpctl*.c)

obj		= $(patsubst %.c,$(B)/obj/%.o,$(1))
Q		= $(if $(V),,@)

.PHONY: all check check-unit delay soak demo bench lab doc install uninstall clean
.DEFAULT_GOAL	= all

all: $(B)/sctpd $(B)/sctpctl $(B)/libsctpd.so $(B)/libsctpd.a $(B)/libsctpd.pc $(B)/proto-doc

$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC      $<")
	$(Q)$(CC) $(C_ALL) $(HARDEN) -c -o $@ $<

# The stack's functions are the kernel's own in its files.
$(B)/obj/daemon/kernel%.o $(B)/obj/daemon/stack-kernel.o: C_ALL += -include daemon/kernel-names.h

$(B)/sctpd: $(call obj,$(SRC_DAEMON) $(SRC_PROTO))
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) -o $@ $^ $(LDFLAGS) $(LIBS_DAEMON)

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
# program may have a frame_scan or an addr_parse of its own.
$(B)/libsctpd.a: $(call obj,$(SRC_LIB) $(SRC_PROTO))
	$(if $(V),,@echo "  AR      $@")
	$(Q)rm -f $@ && $(LD) -r -o $(B)/libsctpd.o $^ && \
	    objcopy --localize-hidden $(B)/libsctpd.o && ar rcs $@ $(B)/libsctpd.o

$(B)/libsctpd.pc: client-lib/libsctpd.pc.in Makefile
	@mkdir -p $(@D)
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	    -e 's|@VERSION@|$(VERSION)|' -e 's|@LIBS_PRIVATE@|$(LIBS_PROTO)|' $< > $@

$(B)/proto-doc: $(call obj,$(SRC_PROTO) proto/doc.c)
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) -o $@ $^ $(LDFLAGS) $(LIBS_PROTO)

# README's C example, built as its reader builds it but for the paths.
$(B)/example: client-lib/example.c client-lib/sctpd.h $(B)/libsctpd.a
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) -Iclient-lib -o $@ $< $(B)/libsctpd.a $(LIBS_PROTO)

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
	@if tests/lab/has-sctp || ! $(B)/sctpd -c /dev/null --stack userland -t 2>/dev/null; then \
	    tests/lab/run -- tests/demo.sh; else tests/native.sh tests/demo.sh; fi

check:
	@tests/deps.sh check
	@$(MAKE) --no-print-directory all $(B)/example $(B)/unit $(B)/fault/sctpd bench-build
	@tests/check.sh

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

$(B)/sctpd.service: systemd/sctpd.service.in Makefile
	@mkdir -p $(@D)
	$(Q)sed 's|@SBINDIR@|$(SBINDIR)|' $< > $@

# The same file under the name that its folder wants.
$(B)/systemd/sysusers/sctpd.conf: systemd/sctpd.sysusers
$(B)/systemd/modules-load/sctpd.conf: systemd/sctpd.modules-load
$(B)/completion/sctpctl: client-lib/sctpctl.bash
$(B)/systemd/sysusers/sctpd.conf $(B)/systemd/modules-load/sctpd.conf $(B)/completion/sctpctl:
	@mkdir -p $(@D)
	$(Q)cp $< $@

install: all $(foreach i,$(INSTALLED),$(call part,$(i),1))
	$(Q)$(foreach i,$(INSTALLED),$(call install_one,$(i)) &&) true
	$(Q)ln -sf libsctpd.so.$(SOVERSION) "$(DESTDIR)$(LIBDIR)/libsctpd.so"
	@$(if $(DESTDIR),,echo "Installed. To run it as a service:" && \
	    echo "  ldconfig && systemd-sysusers && systemctl daemon-reload && systemctl enable --now sctpd.socket")

uninstall:
	$(Q)$(foreach i,$(INSTALLED),rm -f "$(DESTDIR)$(call part,$(i),2)/$(notdir $(call part,$(i),1))" &&) true
	$(Q)rm -f "$(DESTDIR)$(LIBDIR)/libsctpd.so"

clean:
	rm -rf $(B)

-include $(shell find $(B)/obj $(B)/san -type f -name '*.d' 2>/dev/null)
