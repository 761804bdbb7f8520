#include "bsserver/handoff/step.h"

#include <stdio.h>

#include "tests/unit/unit.h"

#define GRACE 86400000
#define ORPHAN 600000

static const struct handoff_rules one = { .one_secret = true, .grace_ms = GRACE, .retry_ms = 1000, .retry_max_ms = 60000,
	.orphan_ms = ORPHAN };
static const struct handoff_rules several = { .grace_ms = GRACE, .retry_ms = 1000, .retry_max_ms = 60000,
	.orphan_ms = ORPHAN };

static struct secret
text(const char *s)
{
	struct secret v = SECRET_NONE;

	ck_assert_int_eq(secret_set(&v, s, strlen(s), NULL), ERR_OK);
	return v;
}

static const char *
shown(const struct secret *s)
{
	return s->len == 0 ? "-" : (const char *)s->data;
}

/*
 * A row's way: each word is what happens, "b:NEW" begins, "l:NEW" begins one that is told late; then
 * "STATE KNOWN OTHER CALL" must be there.
 */
struct step {
	const char *event, *after;
};

#define STEPS_MAX 12
static const struct {
	const char *name;
	const struct handoff_rules *rules;
	struct step steps[STEPS_MAX];
} ways[] = {
	{ "a new device", &one,
	    { { "b:new", "intent - new tell" }, { "taken", "told - new nothing +" }, { "finish", "finishing - new nothing" },
		{ "good", "settled new - nothing" }, { "b:new", "settled new - nothing +" } } },
	{ "a session that fails takes a new device from the server again", &one,
	    { { "b:new", "intent - new tell" }, { "taken", "told - new nothing +" }, { "bad", "returning - new forget" },
		{ "taken", "held - new nothing" }, { "b:new", "intent - new tell" } } },
	{ "a server of one secret gets the old one back", &one,
	    { { "b:old", "intent - old tell" }, { "taken", "told - old nothing +" }, { "good", "settled old - nothing" },
		{ "b:new", "intent old new tell" }, { "taken", "told old new nothing +" }, { "bad", "returning old new tell back" },
		{ "nobody", "returning old new tell back" }, { "taken", "held old new nothing" } } },
	{ "a server of several drops the new one, and later the old one", &several,
	    { { "b:old", "intent - old tell" }, { "taken", "told - old nothing +" }, { "good", "settled old - nothing" },
		{ "b:new", "intent old new tell" }, { "taken", "told old new nothing +" }, { "bad", "returning old new drop" },
		{ "b:new", "intent old new tell" }, { "taken", "told old new nothing +" }, { "good", "retiring new old drop" },
		{ "taken", "settled new - nothing" } } },
	{ "nothing that a server knows is forgotten for a newer one", &several,
	    { { "b:old", "intent - old tell" }, { "taken", "told - old nothing +" }, { "good", "settled old - nothing" },
		{ "b:new", "intent old new tell" }, { "taken", "told old new nothing +" }, { "good", "retiring new old drop" },
		{ "b:newest", "retiring new old drop wait" }, { "taken", "settled new - nothing" },
		{ "b:newest", "intent new newest tell" } } },
	{ "the old one goes as soon as the device was seen", &several,
	    { { "b:old", "intent - old tell" }, { "taken", "told - old nothing +" }, { "good", "settled old - nothing" },
		{ "b:new", "intent old new tell" }, { "seen", "intent old new tell" }, { "taken", "told old new nothing +" },
		{ "finish", "finishing old new nothing" }, { "seen", "finishing old new nothing" }, { "good", "retiring new old drop" },
		{ "seen", "retiring new old drop" }, { "taken", "settled new - nothing" } } },
	{ "the same one again is told while the old one is still to go", &several,
	    { { "b:old", "intent - old tell" }, { "taken", "told - old nothing +" }, { "good", "settled old - nothing" },
		{ "b:new", "intent old new tell" }, { "taken", "told old new nothing +" }, { "good", "retiring new old drop" },
		{ "b:new", "retiring new old drop +" } } },
	{ "a refusal leaves the server as it was", &one,
	    { { "b:old", "intent - old tell" }, { "taken", "told - old nothing +" }, { "good", "settled old - nothing" },
		{ "b:new", "intent old new tell" }, { "refused", "held old new nothing -" }, { "bad", "held old new nothing" } } },
	{ "nobody answers, and there is no more time", &one,
	    { { "b:new", "intent - new tell" }, { "nobody", "intent - new tell" }, { "nobody!", "returning - new forget -" },
		{ "bad", "returning - new forget" }, { "taken", "held - new nothing" } } },
	{ "killed before Finish: the device has the old one", &one,
	    { { "b:new", "intent - new tell" }, { "taken", "told - new nothing +" }, { "doubt", "returning - new forget" } } },
	{ "killed while it was told", &one, { { "b:new", "intent - new tell" }, { "doubt", "returning - new forget" } } },
	{ "killed at Finish: the new one stays, and the device's next session decides", &one,
	    { { "b:new", "intent - new tell" }, { "taken", "told - new nothing +" }, { "finish", "finishing - new nothing" },
		{ "doubt", "finishing - new nothing" }, { "b:new", "finishing - new nothing +" }, { "good", "settled new - nothing" } } },
	{ "a doubt stays one when the next session comes to nothing", &one,
	    { { "b:old", "intent - old tell" }, { "taken", "told - old nothing +" }, { "good", "settled old - nothing" },
		{ "b:new", "intent old new tell" }, { "taken", "told old new nothing +" }, { "finish", "finishing old new nothing" },
		{ "doubt", "finishing old new nothing" }, { "b:new", "finishing old new nothing +" },
		{ "bad", "finishing old new nothing" }, { "due", "settled new - nothing" } } },
	{ "a third one in a doubt: the newer of the two counts, and is given back", &one,
	    { { "b:old", "intent - old tell" }, { "taken", "told - old nothing +" }, { "good", "settled old - nothing" },
		{ "b:new", "intent old new tell" }, { "taken", "told old new nothing +" }, { "finish", "finishing old new nothing" },
		{ "doubt", "finishing old new nothing" }, { "b:newest", "intent new newest tell" },
		{ "bad", "returning new newest tell back" }, { "taken", "held new newest nothing" } } },
	{ "a server of several knows no third one in a doubt", &several,
	    { { "b:old", "intent - old tell" }, { "taken", "told - old nothing +" }, { "good", "settled old - nothing" },
		{ "b:new", "intent old new tell" }, { "taken", "told old new nothing +" }, { "finish", "finishing old new nothing" },
		{ "doubt", "finishing old new nothing" }, { "b:newest", "retiring new old drop wait" },
		{ "taken", "settled new - nothing" }, { "b:newest", "intent new newest tell" } } },
	{ "what a session told and left is dropped before another one is told", &several,
	    { { "b:old", "intent - old tell" }, { "taken", "told - old nothing +" }, { "good", "settled old - nothing" },
		{ "b:new", "intent old new tell" }, { "taken", "told old new nothing +" }, { "b:newest", "returning old new drop wait" },
		{ "taken", "held old new nothing" }, { "b:newest", "intent old newest tell" } } },
	{ "what a session was about to tell is dropped too", &several,
	    { { "b:new", "intent - new tell" }, { "b:newest", "returning - new forget wait" }, { "taken", "held - new nothing" },
		{ "b:newest", "intent - newest tell" } } },
	{ "a refusal after an attempt that nobody answered: it may have been taken", &one,
	    { { "b:new", "intent - new tell" }, { "nobody", "intent - new tell" }, { "refused", "returning - new forget -" } } },
	{ "a refusal of what may have been told by a session that left no word", &one,
	    { { "b:new", "intent - new tell" }, { "taken", "told - new nothing +" }, { "b:newest", "intent - newest tell" },
		{ "refused", "returning - newest forget -" } } },
	{ "a doubt ends with the time of grace", &one,
	    { { "b:new", "intent - new tell" }, { "taken", "told - new nothing +" }, { "finish", "finishing - new nothing" },
		{ "doubt", "finishing - new nothing" }, { "due", "settled new - nothing" } } },
	{ "a Finish that the device refused", &one,
	    { { "b:new", "intent - new tell" }, { "taken", "told - new nothing +" }, { "finish", "finishing - new nothing" },
		{ "bad", "returning - new forget" } } },
	{ "late: told when the device has it", &one,
	    { { "l:new", "intent - new nothing +" }, { "finish", "finishing - new nothing" }, { "good", "late - new tell" },
		{ "nobody", "late - new tell" }, { "refused", "late - new tell" }, { "taken", "settled new - nothing" } } },
	{ "late, and the device comes again before the server heard: it still will", &one,
	    { { "l:new", "intent - new nothing +" }, { "good", "late - new tell" }, { "l:new", "late - new tell +" },
		{ "bad", "late - new tell" }, { "taken", "settled new - nothing" } } },
	{ "late, and another one before the server heard: it hears of the one that the device has first", &one,
	    { { "l:new", "intent - new nothing +" }, { "good", "late - new tell" }, { "l:newest", "late - new tell wait" },
		{ "taken", "settled new - nothing" }, { "l:newest", "intent new newest nothing +" },
		{ "bad", "held new newest nothing" } } },
	{ "late, killed at Finish, and the device comes again", &one,
	    { { "l:new", "intent - new nothing +" }, { "finish", "finishing - new nothing" }, { "l:new", "late - new tell +" } } },
	{ "late, and the session came to nothing: the server never heard", &one,
	    { { "l:new", "intent - new nothing +" }, { "bad", "held - new nothing" } } },
	{ "late, and nobody knows what the device has: the server must know", &one,
	    { { "l:new", "intent - new nothing +" }, { "finish", "finishing - new nothing" }, { "doubt", "late - new tell" } } },
	{ "a session that left no word is found out", &one,
	    { { "b:new", "intent - new tell" }, { "taken", "told - new nothing +" }, { "due", "returning - new forget" } } },
	{ "the answer to what is no longer wanted changes nothing", &one,
	    { { "b:new", "intent - new tell" }, { "taken", "told - new nothing +" }, { "taken", "told - new nothing" },
		{ "refused", "told - new nothing" }, { "nobody", "told - new nothing" }, { "retry", "told - new nothing" } } },
};

static bool
happen(struct store_handoff *h, const struct handoff_rules *r, const char *ev, int64_t now, struct handoff_outcome *out)
{
	struct handoff_step s = { .now_ms = now, .give_up_ms = strchr(ev, '!') != NULL ? now : now + 50000, .text = "why" };
	size_t n = strcspn(ev, "!");

	if (ev[1] == ':') {
		struct secret other = text(ev + 2);
		bool begun = handoff_begin(h, r, &other, ev[0] == 'l', 7, now, out);
		secret_clear(&other);
		return begun;
	}
	for (s.event = 0; s.event < HANDOFF_EV__COUNT; s.event++)
		if (strncmp(handoff_event_name(s.event), ev, n) == 0 && handoff_event_name(s.event)[n] == 0)
			break;
	ck_assert_msg(s.event < HANDOFF_EV__COUNT, "%s", ev);
	handoff_step(h, r, &s, out);
	return true;
}

START_TEST(each_way_ends_where_it_should)
{
	struct store_handoff h = { 0 };

	for (size_t k = 0; k < STEPS_MAX && ways[_i].steps[k].event != NULL; k++) {
		const struct step *st = &ways[_i].steps[k];
		struct handoff_outcome out;
		struct store_handoff before = h;
		char is[160];
		int64_t now = 1000000 * (int64_t)(k + 1);
		bool begun = happen(&h, ways[_i].rules, st->event, now, &out);

		(void)snprintf(is, sizeof is, "%s %s %s %s%s%s", store_handoff_state_name(h.state), shown(&h.known), shown(&h.other),
		    handoff_call_name(handoff_wants(&h, ways[_i].rules)), begun ? "" : " wait",
		    out.told > 0 ? " +" : out.told < 0 ? " -" : "");
		ck_assert_msg(strcmp(is, st->after) == 0, "%s, %zu %s: %s and not %s", ways[_i].name, k, st->event, is, st->after);
		ck_assert_msg(out.changed || before.state == h.state, "%s, %zu: a change that is not kept", ways[_i].name, k);
		/* what is to be done is found again after a crash */
		ck_assert_msg(h.due_ms > 0 || h.state == STORE_HANDOFF_HELD || h.state == STORE_HANDOFF_SETTLED,
		    "%s, %zu: nobody would look at it again", ways[_i].name, k);
	}
	store_handoff_clear(&h);
}
END_TEST

START_TEST(pauses_double_up_to_the_longest)
{
	static const int64_t pauses[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
	struct store_handoff h = { .state = STORE_HANDOFF_LATE };
	struct handoff_outcome out;

	for (size_t i = 0; i < N_ELEMS(pauses); i++) {
		ck_assert(happen(&h, &one, "nobody", 5, &out));
		ck_assert_int_eq(h.due_ms, 5 + pauses[i]);
		ck_assert_uint_eq(h.attempts, i + 1);
		ck_assert_str_eq(h.error, "why");
	}
	ck_assert(happen(&h, &one, "retry", 9, &out));
	ck_assert_int_eq(h.due_ms, 9);
	store_handoff_clear(&h);
}
END_TEST

START_TEST(a_device_that_is_gone_is_forgotten)
{
	struct store_handoff h = { .state = STORE_HANDOFF_LEAVING, .due_ms = 1 };
	struct handoff_outcome out;

	ck_assert_int_eq(handoff_wants(&h, &one), HANDOFF_CALL_FORGET);
	ck_assert(happen(&h, &one, "refused", 5, &out));
	ck_assert(out.changed && !out.gone);
	ck_assert_int_eq(h.due_ms, 60005);
	ck_assert(happen(&h, &one, "taken", 6, &out));
	ck_assert(out.gone);
	store_handoff_clear(&h);
}
END_TEST

START_TEST(an_old_one_is_due_when_the_device_was_seen)
{
	struct store_handoff h = { .state = STORE_HANDOFF_RETIRING, .due_ms = GRACE };
	struct handoff_outcome out;

	ck_assert(happen(&h, &several, "seen", 5, &out));
	ck_assert(out.changed);
	ck_assert_int_eq(h.due_ms, 5);
	/* a pause after an attempt is not made longer by that */
	ck_assert(happen(&h, &several, "seen", 7, &out));
	ck_assert(!out.changed);
	ck_assert_int_eq(h.due_ms, 5);
	h.state = STORE_HANDOFF_FINISHING;
	h.due_ms = GRACE;
	ck_assert(happen(&h, &several, "seen", 9, &out));
	ck_assert(!out.changed);
	ck_assert_int_eq(h.due_ms, GRACE);
	store_handoff_clear(&h);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(each_way_ends_where_it_should, N_ELEMS(ways)),
	UNIT_CASE(pauses_double_up_to_the_longest, 0),
	UNIT_CASE(a_device_that_is_gone_is_forgotten, 0),
	UNIT_CASE(an_old_one_is_due_when_the_device_was_seen, 0),
};
UNIT_SUITE_MAIN("handoff_step", cases)
