# SPDX-License-Identifier: BSD-2-Clause
#
# check-unit: the unit tests, under ASan and UBSan, with all that they test
# compiled the same way, and without optimisation, which takes the compiler
# twice as long with the sanitizers. Included by the Makefile.

UNIT_SAN	= -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# ASan keeps book of all address space; the journal's need not be large here.
UNIT_SAN	+= -DJOURNAL_RESERVED=0x10000000
# More lots than a message brings, without the descriptors that are usual in them.
UNIT_SAN	+= -DFDPARK_LOT=4
UNIT_LIBS	= $(or $(call pc,--libs check),-lcheck)
# The daemon's files that need no SCTP and no event loop, and their tests: a
# program of their own, as daemon and library may use the same names.
SRC_PURE	= daemon/config.c $(addprefix daemon/,util/counter.c util/fault.c util/hash.c util/log.c util/logout.c util/mem.c \
		  service/fdstore.c service/notify.c service/fdclient.c journal/counters.c journal/fdpark.c journal/journal.c limits/user.c rpc/output.c rpc/turn.c stack/partial.c watch/damp.c)
TEST_PURE	= tests/unit/test_config.c tests/unit/test_counters.c tests/unit/test_damp.c tests/unit/test_journal.c tests/unit/test_mem.c tests/unit/test_park.c tests/unit/test_partial.c tests/unit/test_store.c tests/unit/test_turn.c
TEST_COMMON	= tests/unit/main.c tests/unit/text.c
TEST_UNIT	= $(filter-out $(TEST_PURE) $(TEST_COMMON),$(wildcard tests/unit/*.c))

# Tests may end a process in the midst of a commit.
$(B)/san/daemon/%.o: UNIT_SAN += -DFAULT_POINTS

san		= $(patsubst %.c,$(B)/san/%.o,$(1))

$(B)/san/%.o: %.c Makefile tests/unit/unit.mk $(B)/.needed
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC-SAN  $<")
	$(Q)$(CC) $(C_ALL) $(UNIT_SAN) -O0 -U_FORTIFY_SOURCE -c -o $@ $<

$(B)/unit: $(call san,$(TEST_COMMON) $(TEST_UNIT) $(SRC_PROTO) $(SRC_LIB))
$(B)/unit-daemon: $(call san,$(TEST_COMMON) $(TEST_PURE) $(SRC_PURE) proto/error.c proto/frame.c)
$(B)/unit $(B)/unit-daemon:
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) $(UNIT_SAN) -o $@ $^ $(LDFLAGS) $(LIBS_PROTO) $(UNIT_LIBS)

# One that hangs is ended; where others run beside it, 4 seconds are not enough for all.
check-unit: $(B)/unit $(B)/unit-daemon ## run the unit tests, which need no SCTP
	$(Q)CK_DEFAULT_TIMEOUT=60 $(B)/unit
	$(Q)CK_DEFAULT_TIMEOUT=60 $(B)/unit-daemon
