/* SPDX-License-Identifier: BSD-2-Clause */
/* What libFuzzer calls, and what all fuzzers say with. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int	LLVMFuzzerInitialize(int *, char ***);
int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static inline void
must(bool ok)
{
	if (!ok)
		abort();
}

#endif
