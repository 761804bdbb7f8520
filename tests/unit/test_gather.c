#include "bsserver/transport/gather.h"

#include <string.h>

#include "tests/unit/unit.h"

#define V(num, more, szx) ((uint32_t)((num) << 4 | (more) << 3 | (szx)))
#define MAX_BODY 300
#define PLACES 2

/* One block after the other; what is sent is text[at], text[at + 1]... */
struct row {
	unsigned who;
	uint32_t block1, size1;
	size_t at, len;
	uint64_t after_ms;
	enum gather_step step;
	size_t whole; /* octets, from the start of text */
};

static const struct {
	const char *name;
	struct row rows[8];
} scripts[] = {
	{ "in two blocks", { { 0, V(0, 1, 3), 200, 0, 128, 0, GATHER_NEXT, 0 },
	    { 0, V(1, 0, 3), 0, 128, 72, 0, GATHER_WHOLE, 200 } } },
	{ "in one", { { 0, V(0, 0, 6), 0, 0, 77, 0, GATHER_WHOLE, 77 } } },
	{ "as much as may be", { { 0, V(0, 1, 4), 300, 0, 256, 0, GATHER_NEXT, 0 },
	    { 0, V(1, 0, 4), 0, 256, 44, 0, GATHER_WHOLE, 300 } } },
	{ "the last is empty", { { 0, V(0, 1, 0), 0, 0, 16, 0, GATHER_NEXT, 0 },
	    { 0, V(1, 0, 0), 0, 0, 0, 0, GATHER_WHOLE, 16 } } },
	{ "smaller from now on", { { 0, V(0, 1, 3), 0, 0, 128, 0, GATHER_NEXT, 0 },
	    { 0, V(4, 1, 1), 0, 128, 32, 0, GATHER_NEXT, 0 }, { 0, V(5, 0, 1), 0, 160, 5, 0, GATHER_WHOLE, 165 } } },
	{ "too large, by its own word", { { 0, V(0, 1, 4), 301, 0, 256, 0, GATHER_TOO_LARGE, 0 },
	    { 0, V(1, 0, 4), 0, 256, 44, 0, GATHER_INCOMPLETE, 0 } } },
	{ "too large, without a word", { { 0, V(0, 1, 4), 0, 0, 256, 0, GATHER_NEXT, 0 },
	    { 0, V(1, 0, 4), 0, 256, 45, 0, GATHER_TOO_LARGE, 0 }, { 0, V(1, 0, 4), 0, 256, 1, 0, GATHER_INCOMPLETE, 0 } } },
	{ "without the first", { { 0, V(1, 0, 3), 0, 128, 72, 0, GATHER_INCOMPLETE, 0 } } },
	{ "one is missing", { { 0, V(0, 1, 0), 0, 0, 16, 0, GATHER_NEXT, 0 },
	    { 0, V(2, 1, 0), 0, 32, 16, 0, GATHER_INCOMPLETE, 0 }, { 0, V(1, 0, 0), 0, 16, 16, 0, GATHER_INCOMPLETE, 0 } } },
	{ "one comes twice", { { 0, V(0, 1, 0), 0, 0, 16, 0, GATHER_NEXT, 0 },
	    { 0, V(1, 1, 0), 0, 16, 16, 0, GATHER_NEXT, 0 }, { 0, V(1, 1, 0), 0, 16, 16, 0, GATHER_NEXT, 0 },
	    { 0, V(2, 0, 0), 0, 32, 1, 0, GATHER_WHOLE, 33 } } },
	{ "one comes twice, and differs", { { 0, V(0, 1, 0), 0, 0, 16, 0, GATHER_NEXT, 0 },
	    { 0, V(1, 1, 0), 0, 16, 16, 0, GATHER_NEXT, 0 }, { 0, V(1, 1, 0), 0, 17, 16, 0, GATHER_INCOMPLETE, 0 } } },
	{ "the first begins anew", { { 0, V(0, 1, 0), 0, 50, 16, 0, GATHER_NEXT, 0 },
	    { 0, V(1, 1, 0), 0, 66, 16, 0, GATHER_NEXT, 0 }, { 0, V(0, 1, 0), 0, 0, 16, 0, GATHER_NEXT, 0 },
	    { 0, V(1, 0, 0), 0, 16, 4, 0, GATHER_WHOLE, 20 } } },
	{ "shorter than it says", { { 0, V(0, 1, 3), 0, 0, 127, 0, GATHER_WRONG, 0 } } },
	{ "longer than it says", { { 0, V(0, 0, 0), 0, 0, 17, 0, GATHER_WRONG, 0 } } },
	{ "each device for itself", { { 0, V(0, 1, 0), 0, 0, 16, 0, GATHER_NEXT, 0 },
	    { 1, V(1, 0, 0), 0, 16, 4, 0, GATHER_INCOMPLETE, 0 }, { 1, V(0, 1, 0), 0, 0, 16, 0, GATHER_NEXT, 0 },
	    { 0, V(1, 0, 0), 0, 16, 9, 0, GATHER_WHOLE, 25 }, { 1, V(1, 0, 0), 0, 16, 4, 0, GATHER_WHOLE, 20 } } },
	{ "no place", { { 0, V(0, 1, 0), 0, 0, 16, 0, GATHER_NEXT, 0 }, { 1, V(0, 1, 0), 0, 0, 16, 1, GATHER_NEXT, 0 },
	    { 2, V(0, 1, 0), 0, 0, 16, GATHER_IDLE_MS - 2, GATHER_FULL, 0 },
	    { 0, V(1, 0, 0), 0, 16, 9, 0, GATHER_WHOLE, 25 }, { 2, V(0, 1, 0), 0, 0, 16, 0, GATHER_NEXT, 0 } } },
	{ "the place of one that fell silent", { { 0, V(0, 1, 0), 0, 0, 16, 0, GATHER_NEXT, 0 },
	    { 1, V(0, 1, 0), 0, 0, 16, 1, GATHER_NEXT, 0 }, { 2, V(0, 1, 0), 0, 0, 16, GATHER_IDLE_MS - 1, GATHER_NEXT, 0 },
	    { 0, V(1, 0, 0), 0, 16, 9, 0, GATHER_INCOMPLETE, 0 }, { 1, V(1, 0, 0), 0, 16, 9, 0, GATHER_WHOLE, 25 } } },
	{ "forgotten", { { 0, V(0, 1, 0), 0, 0, 16, 0, GATHER_NEXT, 0 },
	    { 0, V(1, 1, 0), 0, 16, 16, GATHER_LIFETIME_MS - 1, GATHER_NEXT, 0 },
	    { 0, V(2, 0, 0), 0, 32, 9, GATHER_LIFETIME_MS, GATHER_INCOMPLETE, 0 } } },
	{ "the largest number there is", { { 0, V(0, 1, 6), 0, 0, 1024, 0, GATHER_TOO_LARGE, 0 },
	    { 0, V(0xfffff, 1, 6), 0, 0, 1024, 0, GATHER_INCOMPLETE, 0 } } },
};

static uint8_t text[2048];

static struct gather *
make(void)
{
	struct gather *g = NULL;

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (uint8_t)(i * 7);
	ck_assert_int_eq(gather_new(PLACES, unit_seed(), &g, NULL), ERR_OK);
	return g;
}

START_TEST(blocks_become_a_payload_or_are_refused)
{
	struct gather *g = make();
	uint64_t now_ms = 1000;

	for (const struct row *r = scripts[_i].rows; r->step != GATHER_NEXT || r->len > 0; r++) {
		const struct gather_key k = { .session = r->who, .port = 7 };
		const struct gather_block b = { r->block1, r->size1, text + r->at, r->len };
		const uint8_t *body = NULL;
		size_t len = 0, n = (size_t)(r - scripts[_i].rows);

		now_ms += r->after_ms;
		enum gather_step step = gather_take(g, &k, &b, MAX_BODY, now_ms, &body, &len);
		ck_assert_msg(step == r->step, "%s, block %zu: %d", scripts[_i].name, n, (int)step);
		ck_assert_msg(len == r->whole, "%s, block %zu: %zu octets", scripts[_i].name, n, len);
		ck_assert(len == 0 || memcmp(body, text, len) == 0);
		ck_assert_uint_le(gather_count(g), PLACES);
		if (n + 1 == N_ELEMS(scripts->rows))
			break;
	}
	gather_free(g);
}
END_TEST

START_TEST(what_differs_in_anything_is_another_payload)
{
	struct gather *g = make();
	const struct gather_key k = { 1, gather_option(g, 0, 11, "rd", 2), { 127, 0, 0, 1 }, 5683 };
	struct gather_key others[] = { k, k, k, k, k, k };
	const struct gather_block first = { V(0, 1, 0), 0, text, 16 }, last = { V(1, 0, 0), 0, text, 1 };
	const uint8_t *body;
	size_t len;

	others[0].session++;
	others[1].port++;
	others[2].addr[15]++;
	others[3].options = gather_option(g, 0, 15, "rd", 2);
	others[4].options = gather_option(g, k.options, 15, "ep=a", 4);
	others[5].options = gather_option(g, 0, 11, "rc", 2);
	ck_assert_int_eq(gather_take(g, &k, &first, MAX_BODY, 0, &body, &len), GATHER_NEXT);
	for (size_t i = 0; i < N_ELEMS(others); i++)
		ck_assert_int_eq(gather_take(g, &others[i], &last, MAX_BODY, 0, &body, &len), GATHER_INCOMPLETE);
	ck_assert_int_eq(gather_take(g, &k, &last, MAX_BODY, 0, &body, &len), GATHER_WHOLE);
	ck_assert_uint_eq(gather_option(g, 0, 6, "", 0), gather_option(g, 0, 6, NULL, 0));
	gather_free(g);
	gather_free(NULL);
}
END_TEST

static Suite *
suite(void)
{
	const struct unit_case cases[] = {
		UNIT_CASE(blocks_become_a_payload_or_are_refused, N_ELEMS(scripts)),
		UNIT_CASE(what_differs_in_anything_is_another_payload, 0),
	};

	return unit_suite("gather", cases, N_ELEMS(cases));
}

UNIT_MAIN(suite)
