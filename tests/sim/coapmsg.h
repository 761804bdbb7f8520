/*
 * tests/sim/coapmsg.h: CoAP messages over UDP (RFC 7252 section 3, RFC 7959 section 2.2), written
 * anew for the tests so that nothing here shares a mistake with the daemon's transport.
 */
#ifndef TESTS_SIM_COAPMSG_H
#define TESTS_SIM_COAPMSG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"

enum coapmsg_type { CM_CON, CM_NON, CM_ACK, CM_RST };

#define CM_CODE(class, detail) ((uint8_t)((class) << 5 | (detail)))
enum coapmsg_code {
	CM_EMPTY = 0,
	CM_GET = 1,
	CM_POST = 2,
	CM_PUT = 3,
	CM_DELETE = 4,
	CM_CREATED = CM_CODE(2, 1),
	CM_DELETED = CM_CODE(2, 2),
	CM_CHANGED = CM_CODE(2, 4),
	CM_CONTENT = CM_CODE(2, 5),
	CM_CONTINUE = CM_CODE(2, 31),
	CM_BAD_REQUEST = CM_CODE(4, 0),
	CM_BAD_OPTION = CM_CODE(4, 2),
	CM_NOT_FOUND = CM_CODE(4, 4),
	CM_NOT_ALLOWED = CM_CODE(4, 5),
	CM_NOT_ACCEPTABLE = CM_CODE(4, 6),
	CM_INCOMPLETE = CM_CODE(4, 8),
	CM_TOO_LARGE = CM_CODE(4, 13),
	CM_BAD_FORMAT = CM_CODE(4, 15),
	CM_INTERNAL = CM_CODE(5, 0),
	CM_NOT_IMPLEMENTED = CM_CODE(5, 1),
	CM_UNAVAILABLE = CM_CODE(5, 3)
};

enum coapmsg_option_number {
	CM_OPT_URI_HOST = 3,
	CM_OPT_URI_PORT = 7,
	CM_OPT_URI_PATH = 11,
	CM_OPT_CONTENT_FORMAT = 12,
	CM_OPT_MAX_AGE = 14,
	CM_OPT_URI_QUERY = 15,
	CM_OPT_ACCEPT = 17,
	CM_OPT_BLOCK2 = 23,
	CM_OPT_BLOCK1 = 27,
	CM_OPT_SIZE2 = 28,
	CM_OPT_SIZE1 = 60
};

#define CM_OPTIONS_MAX 32
#define CM_DATAGRAM_MAX 1500 /* the largest that anybody here sends */

struct coapmsg_option {
	uint16_t number, len;
	const uint8_t
	    *value; /* borrowed, from the datagram, the caller, or the message's numbers */
};

/* A message taken apart, or one to be written. Moving it in memory breaks its number options. */
struct coapmsg {
	enum coapmsg_type type;
	uint8_t code;
	uint16_t mid;
	uint8_t token[8], token_len;
	struct coapmsg_option opt[CM_OPTIONS_MAX]; /* in order of number */
	size_t n_opt;
	uint8_t numbers[CM_OPTIONS_MAX][4]; /* values of options added as numbers */
	const uint8_t *payload;             /* borrowed */
	size_t payload_len;
};

struct coapmsg_block {
	uint32_t num;
	bool more;
	uint8_t szx; /* 0..6: blocks of 2^(szx+4) octets */
};
#define CM_BLOCK_SIZE(szx) ((size_t)16 << (szx))

/* ERR_PARSE for what is no CoAP message, ERR_LIMIT for more than CM_OPTIONS_MAX options. */
enum err_code coapmsg_parse(struct coapmsg *m, const uint8_t *p, size_t n, struct err *e);
/* Appends the datagram; gbuf_check() says whether it fitted. */
void coapmsg_write(const struct coapmsg *m, struct gbuf *out);

/* Starts a message without options and payload; token may be NULL when its length is 0. */
void coapmsg_init(struct coapmsg *m, enum coapmsg_type type, uint8_t code, uint16_t mid,
    const uint8_t *token, size_t token_len);
/* Adds an option behind those with the same number. More than CM_OPTIONS_MAX is the caller's bug.
 */
void coapmsg_add(struct coapmsg *m, uint16_t number, const void *value, size_t len);
void coapmsg_add_str(struct coapmsg *m, uint16_t number, const char *s); /* s is borrowed */
void coapmsg_add_uint(struct coapmsg *m, uint16_t number, uint32_t v);
void coapmsg_add_block(struct coapmsg *m, uint16_t number, struct coapmsg_block b);
/* "/bs", "/1/0": one Uri-Path per segment; path is borrowed. */
void coapmsg_add_path(struct coapmsg *m, const char *path);

/* The first option with that number, or NULL. */
const struct coapmsg_option *coapmsg_find(const struct coapmsg *m, uint16_t number);
/* Its value as a number; absent when there is none or it has more than four octets. */
uint32_t coapmsg_uint(const struct coapmsg *m, uint16_t number, uint32_t absent);
/* false when there is none, or it is none that is defined (szx 7). */
bool coapmsg_block(const struct coapmsg *m, uint16_t number, struct coapmsg_block *out);
/* The path as text: "/", "/bs", "/1/0"; segments with a slash or control inside make it "?".
 * Appended. */
void coapmsg_path(const struct coapmsg *m, struct gbuf *out);
/* The number of a critical option that is none of enum coapmsg_option_number; 0 when there is none.
 */
uint16_t coapmsg_unknown_critical(const struct coapmsg *m);

static inline bool
coapmsg_is_request(const struct coapmsg *m)
{
	return m->code >= 1 && m->code < 32;
}

static inline bool
coapmsg_is_response(const struct coapmsg *m)
{
	return m->code >= CM_CODE(2, 0) && m->code < CM_CODE(6, 0);
}

/* To be printed at once: coapmsg_code_str(c).s is "4.06". */
struct coapmsg_code_str {
	char s[8];
};
struct coapmsg_code_str coapmsg_code_str(uint8_t code);
/* "4.06" and "406" alike; 0 when it is neither. */
uint8_t coapmsg_code_parse(const char *s);

/*
 * Puts the blocks of one body together. A block with number 0 begins anew; one out of order or
 * beyond max is refused, and what was there is forgotten.
 */
struct coapmsg_body {
	struct gbuf bytes;
	uint8_t code; /* of the request it belongs to */
	struct gbuf path;
};
enum coapmsg_body_state { CM_BODY_MORE, CM_BODY_WHOLE, CM_BODY_GAP, CM_BODY_TOO_LARGE };
enum coapmsg_body_state coapmsg_body_add(
    struct coapmsg_body *b, const struct coapmsg *m, struct coapmsg_block block, size_t max);
void coapmsg_body_clear(struct coapmsg_body *b);

#endif
