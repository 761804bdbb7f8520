#include "bsserver/transport/block.h"

#include <stdlib.h>
#include <string.h>

#include "bsserver/transport/dtls_peek.h"
#include "tests/unit/unit.h"

#define C(c, d) ((uint8_t)((c) << 5 | (d)))
#define V(num, more, szx) ((uint32_t)((num) << 4 | (more) << 3 | (szx)))
#define NO UINT32_MAX

/* What the device answers, and what must come of it. Payloads of answers are of this length. */
struct row {
	uint8_t code;
	uint32_t block1, block2; /* NO: absent */
	size_t len;
	enum block_step step;
	uint32_t next1, next2; /* of the next message, or NO */
	const char *why;
};

struct script {
	const char *name;
	size_t payload;
	struct row rows[8];
};

static const struct script scripts[] = {
	{ "small", 1024, { { C(2, 4), NO, NO, 0, BLOCK_DONE, NO, NO, NULL } } },
	{ "error", 1024, { { C(4, 0), NO, NO, 9, BLOCK_DONE, NO, NO, NULL } } },
	{ "upload", 2500, {
		{ C(2, 31), V(0, 1, 6), NO, 0, BLOCK_NEXT, V(1, 1, 6), NO, NULL },
		{ C(2, 31), V(1, 1, 6), NO, 0, BLOCK_NEXT, V(2, 0, 6), NO, NULL },
		{ C(2, 4), V(2, 0, 6), NO, 0, BLOCK_DONE, NO, NO, NULL } } },
	{ "smaller blocks wanted", 1100, {
		{ C(2, 31), V(0, 1, 5), NO, 0, BLOCK_NEXT, V(2, 0, 5), NO, NULL },
		{ C(2, 4), V(2, 0, 5), NO, 0, BLOCK_DONE, NO, NO, NULL } } },
	{ "larger blocks offered", 2500, {
		{ C(2, 31), V(0, 1, 4), NO, 0, BLOCK_NEXT, V(4, 1, 4), NO, NULL },
		{ C(2, 31), V(4, 1, 6), NO, 0, BLOCK_NEXT, V(5, 1, 4), NO, NULL } } },
	{ "each block applied by itself", 1100, {
		{ C(2, 4), V(0, 0, 6), NO, 0, BLOCK_NEXT, V(1, 0, 6), NO, NULL },
		{ C(2, 4), V(1, 0, 6), NO, 0, BLOCK_DONE, NO, NO, NULL } } },
	{ "no Block1 in 2.31", 1100, {
		{ C(2, 31), NO, NO, 0, BLOCK_NEXT, V(1, 0, 6), NO, NULL } } },
	{ "too large, smaller blocks", 2500, {
		{ C(4, 13), V(0, 1, 4), NO, 0, BLOCK_NEXT, V(0, 1, 4), NO, NULL },
		{ C(2, 31), V(0, 1, 4), NO, 0, BLOCK_NEXT, V(1, 1, 4), NO, NULL } } },
	{ "too large", 2500, { { C(4, 13), NO, NO, 0, BLOCK_DONE, NO, NO, NULL } } },
	{ "too large once more", 2500, { { C(4, 13), V(0, 1, 6), NO, 0, BLOCK_DONE, NO, NO, NULL } } },
	{ "refused in the middle", 2500, {
		{ C(2, 31), V(0, 1, 6), NO, 0, BLOCK_NEXT, V(1, 1, 6), NO, NULL },
		{ C(4, 8), V(1, 1, 6), NO, 0, BLOCK_DONE, NO, NO, NULL } } },
	{ "no blocks known", 2500, {
		{ C(2, 4), NO, NO, 0, BLOCK_BROKEN, NO, NO,
		    "it answered the first blocks as if they were the whole payload" } } },
	{ "another block", 2500, {
		{ C(2, 31), V(1, 1, 6), NO, 0, BLOCK_BROKEN, NO, NO,
		    "Block1 of its answer names another block than was sent" } } },
	{ "never done", 1100, {
		{ C(2, 31), V(0, 1, 6), NO, 0, BLOCK_NEXT, V(1, 0, 6), NO, NULL },
		{ C(2, 31), V(1, 0, 6), NO, 0, BLOCK_BROKEN, NO, NO,
		    "it answered 2.31 Continue to the last block" } } },
	{ "reserved size", 1100, {
		{ C(2, 31), V(0, 1, 7), NO, 0, BLOCK_BROKEN, NO, NO,
		    "a block size of its answer is reserved" } } },
	{ "reserved size of the answer", 0, {
		{ C(2, 5), NO, V(0, 1, 7), 0, BLOCK_BROKEN, NO, NO,
		    "a block size of its answer is reserved" } } },
	{ "one block of an answer", 0, { { C(2, 5), NO, V(0, 0, 6), 10, BLOCK_DONE, NO, NO, NULL } } },
	{ "an answer in blocks", 0, {
		{ C(2, 5), NO, V(0, 1, 5), 512, BLOCK_NEXT, NO, V(1, 0, 5), NULL },
		{ C(2, 5), NO, V(1, 1, 5), 512, BLOCK_NEXT, NO, V(2, 0, 5), NULL },
		{ C(2, 5), NO, V(2, 0, 5), 0, BLOCK_DONE, NO, NO, NULL } } },
	{ "blocks shrink", 0, {
		{ C(2, 5), NO, V(0, 1, 5), 512, BLOCK_NEXT, NO, V(1, 0, 5), NULL },
		{ C(2, 5), NO, V(2, 1, 4), 256, BLOCK_NEXT, NO, V(3, 0, 4), NULL },
		{ C(2, 5), NO, V(3, 0, 4), 1, BLOCK_DONE, NO, NO, NULL } } },
	{ "an error in the middle", 0, {
		{ C(2, 5), NO, V(0, 1, 5), 512, BLOCK_NEXT, NO, V(1, 0, 5), NULL },
		{ C(4, 8), NO, NO, 3, BLOCK_DONE, NO, NO, NULL } } },
	{ "a block again", 0, {
		{ C(2, 5), NO, V(0, 1, 5), 512, BLOCK_NEXT, NO, V(1, 0, 5), NULL },
		{ C(2, 5), NO, V(0, 1, 5), 512, BLOCK_BROKEN, NO, NO,
		    "Block2 of its answer names another block than was asked for" } } },
	{ "the middle first", 0, {
		{ C(2, 5), NO, V(1, 0, 5), 5, BLOCK_BROKEN, NO, NO,
		    "Block2 of its answer names another block than was asked for" } } },
	{ "a short block", 0, {
		{ C(2, 5), NO, V(0, 1, 5), 511, BLOCK_BROKEN, NO, NO,
		    "a block of its answer has not the length that Block2 says" } } },
	{ "an empty block", 0, {
		{ C(2, 5), NO, V(0, 1, 0), 0, BLOCK_BROKEN, NO, NO,
		    "a block of its answer has not the length that Block2 says" } } },
	{ "a long last block", 0, {
		{ C(2, 5), NO, V(0, 1, 4), 256, BLOCK_NEXT, NO, V(1, 0, 4), NULL },
		{ C(2, 5), NO, V(1, 0, 4), 257, BLOCK_BROKEN, NO, NO,
		    "a block of its answer has not the length that Block2 says" } } },
	{ "the rest is missing", 0, {
		{ C(2, 5), NO, V(0, 1, 5), 512, BLOCK_NEXT, NO, V(1, 0, 5), NULL },
		{ C(2, 5), NO, NO, 512, BLOCK_BROKEN, NO, NO, "blocks of its answer are missing" } } },
	{ "upload with an answer in blocks", 1100, {
		{ C(2, 31), V(0, 1, 6), NO, 0, BLOCK_NEXT, V(1, 0, 6), NO, NULL },
		{ C(2, 4), V(1, 0, 6), V(0, 1, 2), 64, BLOCK_NEXT, NO, V(1, 0, 2), NULL },
		{ C(2, 4), NO, V(1, 0, 2), 1, BLOCK_DONE, NO, NO, NULL } } },
};

static uint8_t octets[70000];

static void
play(const struct script *s, struct block *b)
{
	for (size_t i = 0; s->rows[i].code != 0; i++) {
		const struct row *r = &s->rows[i];
		const struct block_answer a = { .code = r->code, .has_block1 = r->block1 != NO,
			.block1 = r->block1, .has_block2 = r->block2 != NO, .block2 = r->block2,
			.payload = octets + b->answer.len, .len = r->len };
		size_t gathered = b->answer.len, body_len = 0;
		const uint8_t *body = NULL;
		const char *why = NULL;
		struct block_message m;

		enum block_step step = block_answer(b, &a, &body, &body_len, &why);
		ck_assert_msg(step == r->step, "%s, row %zu: %d", s->name, i, (int)step);
		if (step == BLOCK_BROKEN)
			ck_assert_str_eq(why, r->why);
		if (step == BLOCK_DONE) {
			ck_assert_uint_eq(body_len, r->code >> 5 == 2 ? gathered + r->len : r->len);
			ck_assert_mem_eq(body, octets + (r->code >> 5 == 2 ? 0 : gathered), body_len);
		}
		if (step != BLOCK_NEXT)
			return;
		block_message(b, &m);
		ck_assert_msg(m.has_block1 == (r->next1 != NO) && m.has_block2 == (r->next2 != NO),
		    "%s, row %zu: options", s->name, i);
		ck_assert(!m.has_block1 || m.block1 == r->next1);
		ck_assert(!m.has_block2 || m.block2 == r->next2);
		ck_assert(!m.has_block2 || m.len == 0);
	}
}

START_TEST(a_transfer_follows_the_script)
{
	struct block b;
	struct block_message m;

	for (size_t i = 0; i < sizeof octets; i++)
		octets[i] = (uint8_t)(i * 31 >> 3);
	block_start(&b, octets, scripts[_i].payload, BLOCK_SZX);
	block_message(&b, &m);
	ck_assert(m.has_block1 == (scripts[_i].payload > 1024));
	ck_assert(m.has_size1 == m.has_block1);
	ck_assert_uint_eq(m.len, MIN(scripts[_i].payload, (size_t)1024));
	play(&scripts[_i], &b);
	block_clear(&b);
	block_clear(&b);
}
END_TEST

START_TEST(an_answer_without_end_is_cut_off)
{
	struct block b;
	enum block_step step = BLOCK_NEXT;
	const uint8_t *body;
	size_t len;
	const char *why = NULL;
	uint32_t num = 0;

	block_start(&b, NULL, 0, BLOCK_SZX);
	while (step == BLOCK_NEXT && num < 100) {
		const struct block_answer a = { .code = C(2, 5), .has_block2 = true,
			.block2 = V(num, 1, 6), .payload = octets, .len = 1024 };
		step = block_answer(&b, &a, &body, &len, &why);
		num++;
	}
	ck_assert_int_eq(step, BLOCK_BROKEN);
	ck_assert_str_eq(why, "its answer is larger than 65536 octets");
	ck_assert_uint_eq(num, 65);
	block_clear(&b);
}
END_TEST

START_TEST(an_answer_that_changes_is_not_mixed)
{
	static const struct {
		const char *first, *second;
		enum block_step step;
	} rows[] = { { "a", "a", BLOCK_DONE }, { "a", "b", BLOCK_BROKEN }, { "a", "ab", BLOCK_BROKEN },
		{ "a", NULL, BLOCK_DONE }, { NULL, "b", BLOCK_DONE } };
	struct block b;
	struct block_answer a = { .code = C(2, 5), .has_block2 = true, .block2 = V(0, 1, 0),
		.payload = octets, .len = 16 };
	const uint8_t *body;
	size_t len;
	const char *why = NULL;

	block_start(&b, NULL, 0, BLOCK_SZX);
	a.etag = (const uint8_t *)rows[_i].first;
	a.etag_len = rows[_i].first != NULL ? strlen(rows[_i].first) : 0;
	ck_assert_int_eq(block_answer(&b, &a, &body, &len, &why), BLOCK_NEXT);
	a.etag = (const uint8_t *)rows[_i].second;
	a.etag_len = rows[_i].second != NULL ? strlen(rows[_i].second) : 0;
	a.block2 = V(1, 0, 0);
	ck_assert_int_eq(block_answer(&b, &a, &body, &len, &why), rows[_i].step);
	block_clear(&b);
}
END_TEST

START_TEST(a_datagram_shows_its_hello_and_its_change_of_cipher)
{
	uint8_t d[200] = { 22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 50, 1 };
	struct dtls_peek p;

	d[16] = d[24] = 38; /* length, fragment_length */
	for (uint8_t i = 0; i < 32; i++)
		d[27 + i] = i;
	dtls_peek(d, 63, &p);
	ck_assert_ptr_eq(p.hello_random, d + 27);
	ck_assert_uint_eq(p.ccs, 0);
	static const uint8_t ccs[] = { 20, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1 };
	memcpy(d + 63, ccs, sizeof ccs);
	dtls_peek(d, 63 + sizeof ccs, &p);
	ck_assert_ptr_eq(p.hello_random, d + 27);
	ck_assert_uint_eq(p.ccs, 1);
	ck_assert_uint_eq(p.sealed, 0);
	d[63] = 22;
	d[63 + 4] = 1; /* epoch */
	dtls_peek(d, 63 + sizeof ccs, &p);
	ck_assert(p.ccs == 0 && p.sealed == 1);
	for (size_t n = 0; n < 63; n++) { /* cut off anywhere: nothing */
		dtls_peek(d, n, &p);
		ck_assert_ptr_null(p.hello_random);
		ck_assert(p.broken);
	}
	dtls_peek(d, 63, &p);
	ck_assert(!p.beyond);
	d[18] = 7; /* message_seq */
	dtls_peek(d, 63, &p);
	ck_assert(p.beyond);
	d[18] = 3;
	d[15] = 0x21; /* 8448 octets and more: longer than what comes behind a certificate */
	dtls_peek(d, 63, &p);
	ck_assert(p.beyond);
	d[18] = 2; /* a certificate may be */
	dtls_peek(d, 63, &p);
	ck_assert(!p.beyond);
	d[15] = 0;
	d[18] = 0;
	d[4] = 1; /* encrypted: epoch 1 */
	dtls_peek(d, 63, &p);
	ck_assert_ptr_null(p.hello_random);
	d[4] = 0;
	d[13] = 2; /* a ServerHello */
	dtls_peek(d, 63, &p);
	ck_assert_ptr_null(p.hello_random);
	d[13] = 1;
	d[12] = 30; /* too short for a hello */
	dtls_peek(d, 43, &p);
	ck_assert_ptr_null(p.hello_random);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_transfer_follows_the_script, N_ELEMS(scripts)),
	UNIT_CASE(an_answer_without_end_is_cut_off, 0),
	UNIT_CASE(an_answer_that_changes_is_not_mixed, 5),
	UNIT_CASE(a_datagram_shows_its_hello_and_its_change_of_cipher, 0),
};

UNIT_SUITE_MAIN("block", cases)
