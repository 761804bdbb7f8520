/* Answers to block-wise requests, one after the other (code, Block1, Block2, length). */
#include "bsserver/transport/block.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t payload[3000];

static enum block_step
step(struct block *b, struct rbuf *r)
{
	struct block_answer a = { .code = rbuf_u8(r) };
	const uint8_t *body = NULL;
	size_t len = 0;
	const char *why = NULL;

	a.block1 = (uint32_t)rbuf_be(r, 3);
	a.has_block1 = (a.block1 & 0x800000) == 0;
	a.block2 = (uint32_t)rbuf_be(r, 3);
	a.has_block2 = (a.block2 & 0x800000) == 0;
	a.len = rbuf_be(r, 2) % 1100;
	a.payload = payload;
	enum block_step s = block_answer(b, &a, &body, &len, &why);
	FUZZ_MUST(s != BLOCK_BROKEN || why != NULL, "broken without a word");
	FUZZ_MUST(s != BLOCK_DONE || len <= BLOCK_ANSWER_MAX, "%zu octets", len);
	return s;
}

static void
check_message(const struct block *b)
{
	struct block_message m;

	block_message(b, &m);
	FUZZ_MUST(m.len <= 1024, "a message of %zu octets", m.len);
	FUZZ_MUST(m.len == 0 || (m.payload >= payload && m.payload + m.len <= payload + sizeof payload),
	    "a block outside the payload");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbuf r = rbuf_make(data, size);
	struct block b;

	block_start(&b, payload, rbuf_be(&r, 2) % sizeof payload, BLOCK_SZX);
	check_message(&b);
	while (rbuf_left(&r) >= 9 && step(&b, &r) == BLOCK_NEXT)
		check_message(&b);
	block_clear(&b);
	return 0;
}
