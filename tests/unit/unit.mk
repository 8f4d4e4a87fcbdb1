# SPDX-License-Identifier: BSD-2-Clause
#
# check-unit: the unit tests, under ASan and UBSan, with all that they test
# compiled the same way. Included by the Makefile.

UNIT_SAN	= -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
UNIT_LIBS	= $(shell $(PKG_CONFIG) --libs check)
SRC_UNIT	= $(wildcard tests/unit/*.c)
# The files of the daemon that need no SCTP and no event loop to be tested.
SRC_UNIT_DAEMON	= daemon/config.c daemon/hash.c daemon/log.c daemon/mem.c

san		= $(patsubst %.c,$(B)/san/%.o,$(1))

$(B)/san/%.o: %.c Makefile tests/unit/unit.mk
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC-SAN  $<")
	$(Q)$(CC) $(C_ALL) $(UNIT_SAN) -Idaemon -c -o $@ $<

$(B)/unit: $(call san,$(SRC_UNIT) $(SRC_PROTO) $(SRC_LIB) $(SRC_UNIT_DAEMON))
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) $(UNIT_SAN) -o $@ $^ $(LDFLAGS) $(LIBS_PROTO) $(UNIT_LIBS)

check-unit: $(B)/unit
	$(Q)$(B)/unit
