# SPDX-License-Identifier: BSD-2-Clause
#
# sctpd: all check demo bench lab doc install uninstall clean
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
UNITDIR		?= /usr/lib/systemd/system
SYSUSERSDIR	?= /usr/lib/sysusers.d
MODULESLOADDIR	?= /usr/lib/modules-load.d

B		= build
CC		?= cc
PKG_CONFIG	?= pkg-config
INSTALL		?= install

# msgpack-c's C library is called msgpack before its version 6.
MSGPACK		:= $(shell $(PKG_CONFIG) --exists msgpack-c 2>/dev/null && echo msgpack-c || echo msgpack)

WARN		= -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
		  -Wmissing-prototypes -Wpointer-arith -Wno-unknown-warning-option \
		  -Wno-format-truncation -Werror
HARDEN		= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection \
		  -fcf-protection
CFLAGS		?= -O2 -g
C_ALL		= -std=c11 -D_GNU_SOURCE -DSCTPD_VERSION='"$(VERSION)"' -Iproto -Iclient-lib \
		  -fPIC -fvisibility=hidden -MMD -MP $(WARN) $(CFLAGS)
LDHARDEN	= -pie -Wl,-z,relro,-z,now
LIBS_PROTO	= $(shell $(PKG_CONFIG) --libs $(MSGPACK))
LIBS_DAEMON	= $(LIBS_PROTO) $(shell $(PKG_CONFIG) --libs libevent_core 2>/dev/null || $(PKG_CONFIG) --libs libevent) \
		  $(shell $(PKG_CONFIG) --libs libsctp 2>/dev/null || echo -lsctp)
C_ALL		+= $(shell $(PKG_CONFIG) --cflags $(MSGPACK) libevent 2>/dev/null)

SRC_PROTO	= $(filter-out proto/doc.c,$(wildcard proto/*.c))
SRC_DAEMON	= $(wildcard daemon/*.c)
SRC_LIB		= $(filter-out client-lib/sctpctl%.c client-lib/example%.c,$(wildcard client-lib/*.c))
SRC_CTL		= $(wildcard client-lib/sctpctl*.c)

obj		= $(patsubst %.c,$(B)/obj/%.o,$(1))
Q		= $(if $(V),,@)

.PHONY: all check check-unit demo bench lab doc install uninstall clean deps
.DEFAULT_GOAL	= all

all: $(B)/sctpd $(B)/sctpctl $(B)/libsctpd.so $(B)/libsctpd.a $(B)/libsctpd.pc $(B)/proto-doc

$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC      $<")
	$(Q)$(CC) $(C_ALL) $(HARDEN) -c -o $@ $<

$(B)/sctpd: $(call obj,$(SRC_DAEMON) $(SRC_PROTO))
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) -o $@ $^ $(LDFLAGS) $(LIBS_DAEMON)

$(B)/sctpctl: $(call obj,$(SRC_CTL) $(SRC_PROTO)) $(B)/libsctpd.a
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) -o $@ $(call obj,$(SRC_CTL)) $(B)/libsctpd.a $(LDFLAGS) $(LIBS_PROTO)

$(B)/libsctpd.so.$(SOVERSION): $(call obj,$(SRC_LIB) $(SRC_PROTO)) client-lib/libsctpd.map
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) -shared -Wl,-z,relro,-z,now -Wl,-z,defs \
	    -Wl,-soname,libsctpd.so.$(SOVERSION) -Wl,--version-script=client-lib/libsctpd.map \
	    -o $@ $(filter %.o,$^) $(LDFLAGS) $(LIBS_PROTO)

$(B)/libsctpd.so: $(B)/libsctpd.so.$(SOVERSION)
	$(Q)ln -sf libsctpd.so.$(SOVERSION) $@

$(B)/libsctpd.a: $(call obj,$(SRC_LIB) $(SRC_PROTO))
	$(if $(V),,@echo "  AR      $@")
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/libsctpd.pc: client-lib/libsctpd.pc.in Makefile
	@mkdir -p $(@D)
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	    -e 's|@VERSION@|$(VERSION)|' -e 's|@MSGPACK@|$(MSGPACK)|' $< > $@

$(B)/proto-doc: $(call obj,$(SRC_PROTO) proto/doc.c)
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) -o $@ $^ $(LDFLAGS) $(LIBS_PROTO)

clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
