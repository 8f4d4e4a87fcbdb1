/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of log lines. */
#include "lines.h"

const struct log_line line_table[LINE_COUNT] = {
#define LINE(NAME, PRIORITY, ID, TEXT, DOC)				\
	[LINE_##NAME] = { .name = #NAME, .priority = LOG_##PRIORITY, .id = ID, .text = TEXT, .doc = DOC },
#include "lines.def"
};

const struct line_field_desc line_field_table[LINE_FIELD_COUNT] = {
#define LINE_FIELD(NAME, DOC) [LINE_FIELD_##NAME] = { #NAME, DOC },
#include "lines.def"
};
