/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/counter.h"

uint64_t counters[COUNTERS];
