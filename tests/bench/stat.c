/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See stat.h.
 */
#include <err.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stat.h"

static int
compare(const void *a, const void *b)
{
	double	x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void
stat_sort(double *v, size_t n)
{
	qsort(v, n, sizeof *v, compare);
}

/* The value below which that part of them lies; 0 of none. */
double
stat_at(const double *sorted, size_t n, double part)
{
	size_t	i = (size_t)(part * (double)n);

	if (n == 0)
		return 0;
	return sorted[i < n ? i : n - 1];
}

double
stat_median(const double *v, size_t n)
{
	double	*copy = malloc((n + 1) * sizeof *copy), m;

	if (copy == NULL)
		err(1, "malloc");
	memcpy(copy, v, n * sizeof *v);
	stat_sort(copy, n);
	m = n == 0 ? NAN : (copy[(n - 1) / 2] + copy[n / 2]) / 2;
	free(copy);
	return m;
}
