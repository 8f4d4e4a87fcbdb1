/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of the room supervise: see supervised.h. */
#include "socket/supervised.h"

const struct supervise_ops *supervise_ops;

void
supervised_tell(const struct supervise_ops *o)
{
	supervise_ops = o;
}
