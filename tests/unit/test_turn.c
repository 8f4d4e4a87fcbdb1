/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose requests are served in a turn, and how many: counted, not timed.
 */
#include <event2/event.h>

#include "rpc/client.h"
#include "rpc/turn.h"
#include "unit.h"

#define LATELY	10000	/* turns after which another user is forgotten, at least */
#define MANY	512	/* sends of a user that is alone in its turn */
#define FEW	32	/* and beside another */

/* Nobody waits for a descriptor here. */
int
event_del(struct event *ev)
{
	(void)ev;
	return 0;
}

/* Sends that it has left in this turn. */
static int
sends(struct user *u)
{
	int	n = 0;

	for (; turn_is(u); n++)
		turn_spend_send(u);
	return n;
}

START_TEST(a_user_has_a_large_turn_alone_and_a_small_one_beside_another)
{
	struct user	*alice = user_get(1001), *bob = user_get(1002);

	turn_begin();
	ck_assert_int_eq(sends(alice), MANY);
	turn_begin();
	ck_assert(turn_is(bob));
	ck_assert_int_eq(sends(bob), FEW);
	ck_assert_int_eq(sends(alice), FEW);
	for (int i = 0; i < LATELY; i++) {
		turn_begin();
		ck_assert(turn_is(alice));
	}
	ck_assert(!turn_is_shared());
	turn_begin();
	(void)sends(alice);
	turn_begin();
	ck_assert_int_eq(sends(alice), MANY);
	(void)user_put(alice);
	(void)user_put(bob);
}
END_TEST

START_TEST(a_connection_and_what_is_read_cost_something)
{
	struct user	*alice = user_get(1001), *bob = user_get(1002);

	turn_begin();
	turn_spend_connection(bob);
	turn_spend_connection(alice);
	ck_assert(turn_is_shared());
	ck_assert_int_lt(sends(alice), FEW);
	turn_begin();
	ck_assert(turn_is(alice));
	turn_spend_read(alice, 1 << 20);
	ck_assert_int_eq(sends(alice), 0);
	(void)user_put(alice);
	(void)user_put(bob);
}
END_TEST

START_TEST(what_cost_more_than_there_was_is_paid_in_later_turns)
{
	struct user	*alice = user_get(1001);
	int		 turns = 0;

	turn_begin();
	ck_assert(turn_is(alice));
	turn_cost(3 * MANY);
	turn_spend(alice, 0);
	for (; !turn_is(alice); turns++)
		turn_begin();
	ck_assert_int_eq(turns, 3);
	(void)user_put(alice);
}
END_TEST

Suite *
turn_suite(void)
{
	Suite	*s = suite_create("turn");
	TCase	*t = tcase_create("turn");

	tcase_add_test(t, a_user_has_a_large_turn_alone_and_a_small_one_beside_another);
	tcase_add_test(t, a_connection_and_what_is_read_cost_something);
	tcase_add_test(t, what_cost_more_than_there_was_is_paid_in_later_turns);
	suite_add_tcase(s, t);
	return s;
}
