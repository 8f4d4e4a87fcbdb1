/* SPDX-License-Identifier: BSD-2-Clause */
/* explain, up and down: commands that take the name of a supervised association. */
#include <string.h>

#include "sctpctl/call.h"
#include "sctpctl/out.h"
#include "sctpctl/supervised.h"

#define NAME_MAX_LEN	64

/* Ask the method of the command's name about that association. */
static int
ask(struct ctl *ctl, int argc, char **argv, const struct sctpd_value **v)
{
	char		 word[NAME_MAX_LEN + 8];
	const char	*words[] = { argv[0], word };

	if (argc != 2 || strlen(argv[1]) > NAME_MAX_LEN)
		return ctl_fail(CTL_USAGE, "%s takes the name of a supervised association: sctpctl %s NAME; supervised lists them",
		    argv[0], argv[0]);
	(void)snprintf(word, sizeof word, "%s%s", strncmp(argv[1], "name=", 5) == 0 ? "" : "name=", argv[1]);
	return call_ask(ctl, 2, words, v);
}

int
supervised_up_or_down(struct ctl *ctl, int argc, char **argv)
{
	const struct sctpd_value	*v;
	int				 fail = ask(ctl, argc, argv, &v);

	if (fail != CTL_OK)
		return fail;
	if (ctl->json)
		out_result(ctl, v);
	return out_flush();
}

static void
print_routes(const struct sctpd_value *routes)
{
	const struct sctpd_value	*r;
	const char			*from, *why;

	for (size_t i = 0; i < sctpd_count(routes); i++) {
		r = sctpd_item(routes, i);
		from = sctpd_get_str(r, "from");
		why = sctpd_get_str(r, "problem");
		printf("route   to %s%s%s%s%s\n", sctpd_get_str(r, "peer"), *from != '\0' ? " from " : "", from,
		    *why != '\0' ? ": " : "", why);
	}
}

int
supervised_explain(struct ctl *ctl, int argc, char **argv)
{
	const struct sctpd_value	*v, *list;
	int				 fail = ask(ctl, argc, argv, &v);

	if (fail != CTL_OK)
		return fail;
	if (ctl->json) {
		out_result(ctl, v);
		return out_flush();
	}
	list = sctpd_get(v, "local");
	for (size_t i = 0; i < sctpd_count(list); i++)
		printf("offers  %s\n", sctpd_str(sctpd_item(list, i), NULL));
	print_routes(sctpd_get(v, "routes"));
	list = sctpd_get(v, "problems");
	for (size_t i = 0; i < sctpd_count(list); i++)
		printf("problem %s\n", sctpd_str(sctpd_item(list, i), NULL));
	if (sctpd_count(list) == 0)
		puts("nothing is known against it");
	return out_flush();
}
