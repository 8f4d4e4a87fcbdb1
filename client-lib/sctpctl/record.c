/* SPDX-License-Identifier: BSD-2-Clause */
/* What the flight recorder has of an association. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sctpctl/call.h"
#include "sctpctl/out.h"
#include "sctpctl/record.h"

int
record_run(struct ctl *ctl, int argc, char **argv)
{
	char				 sock[32], assoc[32];
	const char			*words[] = { "record", sock, assoc };
	const struct sctpd_value	*v;
	const char			*p;
	size_t				 len;
	int				 fail;

	if (argc < 2 || argc > 3 || strlen(argv[1]) > 20 || (argc == 3 && strlen(argv[2]) > 10))
		return ctl_fail(CTL_USAGE, "record takes a socket, and an association if that has several: sctpctl record SOCK [ASSOC_ID] > FILE; assocs lists both");
	if (!ctl->json && isatty(STDOUT_FILENO))
		return ctl_fail(CTL_USAGE, "record writes a pcapng file, which a terminal cannot show: sctpctl record SOCK [ASSOC_ID] > FILE, or | tshark -r -");
	(void)snprintf(sock, sizeof sock, "sock=%s", argv[1]);
	(void)snprintf(assoc, sizeof assoc, "assoc_id=%s", argc == 3 ? argv[2] : "");
	if ((fail = call_ask(ctl, argc, words, &v)) != CTL_OK)
		return fail;
	p = sctpd_str(sctpd_get(v, "pcapng"), &len);
	if (ctl->json)
		out_result(ctl, v);
	else
		(void)fwrite(p, 1, len, stdout);
	return out_flush();
}
