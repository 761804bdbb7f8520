/* pki/rev_cache.h: what responders said, least recently used out first; inside revocation.c only.
 */
#ifndef PKI_REV_CACHE_H
#define PKI_REV_CACHE_H

#include "lib/base/table.h"
#include "pki/revocation.h"

#define REV_KEY_LEN PKI_SHA256_LEN

struct rev_time {
	uint64_t mono_ms;
	int64_t wall_s;
};

struct rev_entry {
	struct table_node node;
	struct rev_entry *newer, *older;
	uint8_t key[REV_KEY_LEN];
	bool verified;            /* by this process; otherwise only the bytes are known */
	struct pki_answer answer; /* UNUSABLE: none */
	struct rev_time expires;  /* ask anew then, by either clock */
	struct rev_time until;    /* it has run out then */
	int64_t got_s;            /* wall clock */
	uint64_t fail_until_ms;   /* asked in vain: not again before */
	char detail[200];         /* why */
	char source[256];
	uint8_t *response; /* owned */
	size_t len;
};

struct rev_cache {
	struct table table;
	struct rev_entry *newest, *oldest;
	size_t max, max_bytes, bytes;
	bool changed;
};

void rev_cache_init(struct rev_cache *c, uint64_t seed, size_t max, size_t max_bytes);
void rev_cache_clear(struct rev_cache *c);
/* NULL; becomes the newest. */
struct rev_entry *rev_cache_find(struct rev_cache *c, const uint8_t key[REV_KEY_LEN]);
/* The one of that key, made when there is none; NULL when memory is short. */
struct rev_entry *rev_cache_get(struct rev_cache *c, const uint8_t key[REV_KEY_LEN]);
/* Its response becomes these bytes; without them when memory is short. */
void rev_cache_keep(struct rev_cache *c, struct rev_entry *e, const void *bytes, size_t n);
void rev_cache_drop(struct rev_cache *c, struct rev_entry *e);

void rev_cache_dump(struct rev_cache *c, struct gbuf *out);
enum err_code rev_cache_load(struct rev_cache *c, const void *bytes, size_t n, struct err *e);

/* By neither clock is it t yet. */
bool rev_before(const struct rev_time *now, const struct rev_time *t);
/* now and s seconds, for both clocks. */
struct rev_time rev_after(const struct rev_time *now, int64_t s);

#endif
