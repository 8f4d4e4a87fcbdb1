# SPDX-License-Identifier: BSD-2-Clause
#
# fuzz: what clients send to the daemon, and it to them, under libFuzzer, ASan and UBSan, for FUZZ_SECONDS.
# fuzz-smoke: the same for five seconds, or nothing where clang has no
# libFuzzer. What it found in earlier runs is kept in build/fuzz-corpus.
# Included by the Makefile.

FUZZ_CC		?= clang
FUZZ_SECONDS	?= 60
FUZZ_SAN	= -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
# The warnings are CC's; clang may not know them all.
FUZZ_C		= $(filter-out -MMD -MP,$(C_ALL)) -Wno-unknown-warning-option
FUZZ_DEPS	= $(SRC_PROTO) $(SRC_LIB) $(wildcard proto/*.h proto/*.def client-lib/*.h) Makefile \
		  tests/fuzz/fuzz.mk
FUZZ_HAVE	= echo 'int LLVMFuzzerTestOneInput(const char *p, unsigned long n); \
		  int LLVMFuzzerTestOneInput(const char *p, unsigned long n) { return !p || n > 9; }' | \
		  $(FUZZ_CC) -fsanitize=fuzzer -x c -o $(B)/fuzz-have - >/dev/null 2>&1

.PHONY: fuzz fuzz-smoke

$(B)/fuzz-seeds: tests/fuzz/seeds.c $(FUZZ_DEPS)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC      $<")
	$(Q)$(FUZZ_CC) $(FUZZ_C) -o $@ $< $(SRC_PROTO) $(LDFLAGS) $(LIBS_PROTO)

$(B)/fuzz-%: tests/fuzz/fuzz_%.c $(FUZZ_DEPS)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC-FUZZ $<")
	$(Q)$(FUZZ_CC) $(FUZZ_C) $(FUZZ_SAN) -o $@ $< $(SRC_PROTO) $(SRC_LIB) $(LDFLAGS) $(LIBS_PROTO)

fuzz: fuzz-of-frame fuzz-of-lib

fuzz-of-%: $(B)/fuzz-% $(B)/fuzz-seeds
	$(Q)$(B)/fuzz-seeds $(B)/fuzz-seed
	@mkdir -p $(B)/fuzz-corpus-$*
	$(Q)$< -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -print_final_stats=1 \
	    -artifact_prefix=$(B)/ $(B)/fuzz-corpus-$* $(B)/fuzz-seed > $(B)/fuzz-$*.log 2>&1 || \
	    { tail -60 $(B)/fuzz-$*.log; exit 1; }
	@grep stat::number_of_executed_units $(B)/fuzz-$*.log

fuzz-smoke:
	@mkdir -p $(B)
	$(Q)if $(FUZZ_HAVE); then $(MAKE) fuzz FUZZ_SECONDS=5; \
	    else echo "fuzz-smoke: $(FUZZ_CC) has no libFuzzer; skipped"; fi
