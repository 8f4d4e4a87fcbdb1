# SPDX-License-Identifier: BSD-2-Clause
#
# bench: what sctpd costs, side by side with what else there is. Included by
# the Makefile. BENCH has more for the program: make bench BENCH="-r 3 -v".

SRC_BENCH	= $(wildcard tests/bench/*.c)

bench: SHELL = /bin/sh
bench:
	@tests/deps.sh build lab
	@$(MAKE) --no-print-directory all $(B)/bench $(B)/gen_sctp_bench.beam
	@tests/lab/run --mem 3G --timeout 1800 -- $(B)/bench $(BENCH)

$(B)/bench: $(call obj,$(SRC_BENCH)) $(B)/libsctpd.a
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) -o $@ $^ $(LDFLAGS) $(LIBS_PROTO) $(or $(call pc,--libs libsctp),-lsctp) -lm

# Erlang is a contestant where it is installed.
$(B)/gen_sctp_bench.beam: tests/bench/gen_sctp_bench.erl
	$(Q)if command -v erlc >/dev/null; then erlc -o $(B) $<; fi
