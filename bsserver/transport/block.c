#include "bsserver/transport/block.h"

#include <string.h>

#define CODE_CONTINUE 0x5f  /* 2.31 */
#define CODE_TOO_LARGE 0x8d /* 4.13 */

static unsigned
code_class(uint8_t code)
{
	return code >> 5;
}

static size_t
block_size(unsigned szx)
{
	return (size_t)1 << (szx + 4);
}

static uint32_t
block_num(uint32_t value)
{
	return value >> 4;
}

static bool
block_more(uint32_t value)
{
	return (value & 8) != 0;
}

static uint8_t
block_szx(uint32_t value)
{
	return value & 7;
}

void
block_start(struct block *b, const uint8_t *payload, size_t len, uint8_t szx)
{
	*b = (struct block){ .payload = payload, .len = len, .szx1 = szx, .szx2 = BLOCK_SZX };
	b->upload = len > block_size(szx);
	b->answer.max = BLOCK_ANSWER_MAX;
}

static bool
last_of_upload(const struct block *b)
{
	return b->len - b->offset <= block_size(b->szx1);
}

void
block_message(const struct block *b, struct block_message *m)
{
	*m = (struct block_message){ .payload = b->payload, .len = b->len };
	if (b->upload) {
		bool last = last_of_upload(b);

		m->has_block1 = true;
		m->block1 = (uint32_t)(b->offset / block_size(b->szx1)) << 4 |
		    (last ? 0U : 8U) | b->szx1;
		m->has_size1 = b->offset == 0;
		m->size1 = (uint32_t)b->len;
		m->payload = b->payload + b->offset;
		m->len = last ? b->len - b->offset : block_size(b->szx1);
	} else if (b->answer.len > 0) {
		/* the request's own payload is not sent again (RFC 7959 section 3.3) */
		m->payload = NULL;
		m->len = 0;
		m->has_block2 = true;
		m->block2 = (uint32_t)(b->answer.len / block_size(b->szx2)) << 4 | b->szx2;
	}
}

static enum block_step
broken(const char **why, const char *text)
{
	*why = text;
	return BLOCK_BROKEN;
}

/* An answer to a block of the payload that is not the last. */
static enum block_step
continue_upload(struct block *b, const struct block_answer *a, const char **why)
{
	if (!a->has_block1 && a->code != CODE_CONTINUE)
		return broken(why, "it answered the first blocks as if they were the whole payload");
	if (a->has_block1 && block_num(a->block1) != b->offset / block_size(b->szx1))
		return broken(why, "Block1 of its answer names another block than was sent");
	b->offset += block_size(b->szx1);
	if (a->has_block1 && block_szx(a->block1) < b->szx1)
		b->szx1 = block_szx(a->block1);
	return BLOCK_NEXT;
}

static enum block_step
answered_upload(struct block *b, const struct block_answer *a, const char **why)
{
	if (a->code == CODE_TOO_LARGE && b->offset == 0 && a->has_block1 &&
	    block_szx(a->block1) < b->szx1) {
		b->szx1 = block_szx(a->block1);
		return BLOCK_NEXT;
	}
	if (code_class(a->code) == 2 && !last_of_upload(b))
		return continue_upload(b, a, why);
	if (a->code == CODE_CONTINUE)
		return broken(why, "it answered 2.31 Continue to the last block");
	return BLOCK_DONE;
}

static bool
same_etag(const struct block *b, const struct block_answer *a)
{
	/* not every client repeats it with every block */
	return a->etag == NULL || b->etag_len == 0 ||
	    (a->etag_len == b->etag_len && memcmp(a->etag, b->etag, b->etag_len) == 0);
}

static enum block_step
append(struct block *b, const struct block_answer *a, const char **why)
{
	uint8_t szx = block_szx(a->block2);

	if ((size_t)block_num(a->block2) * block_size(szx) != b->answer.len)
		return broken(why, "Block2 of its answer names another block than was asked for");
	if (a->len > block_size(szx) || (block_more(a->block2) && a->len != block_size(szx)))
		return broken(why, "a block of its answer has not the length that Block2 says");
	if (b->answer.len == 0 && a->etag != NULL && a->etag_len <= sizeof b->etag) {
		memcpy(b->etag, a->etag, a->etag_len);
		b->etag_len = (uint8_t)a->etag_len;
	} else if (b->answer.len > 0 && !same_etag(b, a)) {
		return broken(why, "its answer changed while it was read (ETag)");
	}
	gbuf_put(&b->answer, a->payload, a->len);
	if (b->answer.failed)
		return broken(why, "its answer is larger than 65536 octets");
	b->szx2 = szx;
	return block_more(a->block2) ? BLOCK_NEXT : BLOCK_DONE;
}

static enum block_step
download(struct block *b, const struct block_answer *a, const char **why)
{
	if (code_class(a->code) != 2)
		return BLOCK_DONE;
	if (!a->has_block2)
		return b->answer.len == 0 ? BLOCK_DONE : broken(why, "blocks of its answer are missing");
	if (b->answer.len == 0 && block_num(a->block2) == 0 && !block_more(a->block2))
		return BLOCK_DONE;
	return append(b, a, why);
}

enum block_step
block_answer(struct block *b, const struct block_answer *a, const uint8_t **body, size_t *body_len,
    const char **why)
{
	enum block_step step = BLOCK_DONE;

	if ((a->has_block1 && block_szx(a->block1) == 7) || (a->has_block2 && block_szx(a->block2) == 7))
		return broken(why, "a block size of its answer is reserved");
	if (b->upload) {
		step = answered_upload(b, a, why);
		if (step != BLOCK_DONE)
			return step;
		b->upload = false;
	}
	step = download(b, a, why);
	if (step != BLOCK_DONE)
		return step;
	bool gathered = b->answer.len > 0 && code_class(a->code) == 2;
	*body = gathered ? b->answer.data : a->payload;
	*body_len = gathered ? b->answer.len : a->len;
	return BLOCK_DONE;
}

void
block_clear(struct block *b)
{
	gbuf_clear(&b->answer);
}
