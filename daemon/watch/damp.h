/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The penalty of a path that fails, as in route flap damping (RFC 2439): each
 * failure adds DAMP_FAILURE, and it halves with the half-life. From
 * DAMP_SUPPRESS on the path is damped, until the penalty is below DAMP_REUSE. It
 * grows to DAMP_MOST, so the longest wait is three half-lives.
 */
#ifndef DAMP_H
#define DAMP_H

#include <stdint.h>

#define DAMP_FAILURE	1000u
#define DAMP_SUPPRESS	2500u
#define DAMP_REUSE	1000u
#define DAMP_MOST	8000u

/* What is left of a penalty after so many ms. */
uint32_t damp_decay(uint32_t penalty, uint64_t ms, uint64_t half_life);

/* It fails once more. */
uint32_t damp_fail(uint32_t penalty);

/* The ms until it is below DAMP_REUSE. */
uint64_t damp_wait(uint32_t penalty, uint64_t half_life);

#endif
