/*
 * bsserver/transport/block.h: block-wise transfer (RFC 7959) for the requests that we send: Block1
 * for a payload that is too large for one message, Block2 for an answer that is. Pure: it says what
 * the next message carries and what to make of an answer. Each message is an exchange of its own.
 */
#ifndef BSSERVER_TRANSPORT_BLOCK_H
#define BSSERVER_TRANSPORT_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"

#define BLOCK_SZX 6		 /* 1024 octets, the largest */
#define BLOCK_ANSWER_MAX 65536	 /* octets of an answer, all blocks together */
#define BLOCK_NUM_MAX 0xfffff	 /* 20 bits */

struct block {
	const uint8_t *payload; /* borrowed */
	size_t len, offset;	/* of the payload; what the message that is under way carries */
	uint8_t szx1;
	bool upload; /* blocks of the payload are under way */
	struct gbuf answer; /* owned: blocks of the answer so far */
	uint8_t szx2;
	uint8_t etag[8], etag_len;
};

/* What the next message carries. Values are those of the options: num << 4 | more << 3 | szx. */
struct block_message {
	bool has_block1, has_block2, has_size1;
	uint32_t block1, block2, size1;
	const uint8_t *payload;
	size_t len;
};

struct block_answer {
	uint8_t code;
	bool has_block1, has_block2;
	uint32_t block1, block2;
	const uint8_t *etag; /* NULL: none */
	size_t etag_len;
	const uint8_t *payload;
	size_t len;
};

enum block_step {
	BLOCK_NEXT,  /* send another message */
	BLOCK_DONE,  /* *body and *body_len are the whole answer, valid until block_clear() */
	BLOCK_BROKEN /* *why says what is wrong with the answer */
};

/* szx: of the largest message that may be sent, 0..BLOCK_SZX; a payload that is longer goes in blocks of that. */
void block_start(struct block *b, const uint8_t *payload, size_t len, uint8_t szx);
void block_message(const struct block *b, struct block_message *m);
enum block_step block_answer(struct block *b, const struct block_answer *a, const uint8_t **body,
    size_t *body_len, const char **why);
void block_clear(struct block *b); /* wipes and frees; safe twice */

#endif
