/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Medians and the like.
 */
#ifndef STAT_H
#define STAT_H

#include <stddef.h>

void stat_sort(double *, size_t n);
double stat_at(const double *sorted, size_t n, double part);
double stat_median(const double *, size_t n);

#endif
