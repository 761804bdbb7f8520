/* Blocks of three devices' payloads, one after the other (who, Block1, Size1, length, time); two places. */
#include "bsserver/transport/gather.h"
#include "lib/base/buf.h"
#include "tests/fuzz/fuzz.h"

#define BODY_MAX 3000
#define BLOCK_MAX 1100

static const uint8_t octets[BLOCK_MAX];

static void
take(struct gather *g, struct rbuf *r, uint64_t *now_ms)
{
	const struct gather_key k = { .port = (uint16_t)(rbuf_u8(r) % 3) };
	struct gather_block b = { .block1 = (uint32_t)rbuf_be(r, 3), .size1 = (uint32_t)rbuf_be(r, 2), .payload = octets };
	const uint8_t *body = octets;
	size_t len = 0;

	b.len = rbuf_be(r, 2) % BLOCK_MAX;
	*now_ms += rbuf_u8(r) * 1000U;
	if ((b.block1 & 7) == 7)
		return;
	enum gather_step step = gather_take(g, &k, &b, BODY_MAX, *now_ms, &body, &len);
	FUZZ_MUST(step != GATHER_WHOLE || len <= BODY_MAX, "%zu octets", len);
	FUZZ_MUST(step != GATHER_WHOLE || len >= b.len, "less than came last");
	for (size_t i = 0; i < len; i++)
		FUZZ_MUST(body[i] == 0, "octets that nobody sent");
	FUZZ_MUST(gather_count(g) <= 2, "more than there are places");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbuf r = rbuf_make(data, size);
	struct gather *g = NULL;
	uint64_t now_ms = 0;

	FUZZ_MUST(gather_new(2, 1, &g, NULL) == ERR_OK, "no memory");
	while (rbuf_left(&r) >= 9)
		take(g, &r, &now_ms);
	gather_free(g);
	return 0;
}
