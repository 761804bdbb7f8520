#include "pki/rev_cache.h"

#include <stdlib.h>
#include <string.h>

/* The file: this line, then entries: key, when it was got (8 octets), length of the source (2),
 * the source, length of the response (4), the response. */
static const char head[] = "bsserver certificate status 1\n";

void
rev_cache_init(struct rev_cache *c, uint64_t seed, size_t max, size_t max_bytes)
{
	*c = (struct rev_cache){ .max = max, .max_bytes = max_bytes };
	table_init(&c->table, seed);
}

static void
unlink_entry(struct rev_cache *c, struct rev_entry *e)
{
	if (e->newer != NULL)
		e->newer->older = e->older;
	else
		c->newest = e->older;
	if (e->older != NULL)
		e->older->newer = e->newer;
	else
		c->oldest = e->newer;
	e->newer = e->older = NULL;
}

static void
link_newest(struct rev_cache *c, struct rev_entry *e)
{
	e->older = c->newest;
	if (c->newest != NULL)
		c->newest->newer = e;
	else
		c->oldest = e;
	c->newest = e;
}

void
rev_cache_drop(struct rev_cache *c, struct rev_entry *e)
{
	table_remove(&c->table, &e->node);
	unlink_entry(c, e);
	c->bytes -= e->len;
	free(e->response);
	free(e);
}

void
rev_cache_clear(struct rev_cache *c)
{
	while (c->newest != NULL)
		rev_cache_drop(c, c->newest);
	table_clear(&c->table);
}

struct rev_entry *
rev_cache_find(struct rev_cache *c, const uint8_t key[REV_KEY_LEN])
{
	struct table_node *node = table_first(&c->table, table_hash(&c->table, key, REV_KEY_LEN));

	for (; node != NULL; node = table_next(node)) {
		struct rev_entry *e = CONTAINER_OF(node, struct rev_entry, node);

		if (memcmp(e->key, key, REV_KEY_LEN) != 0)
			continue;
		unlink_entry(c, e);
		link_newest(c, e);
		return e;
	}
	return NULL;
}

struct rev_entry *
rev_cache_get(struct rev_cache *c, const uint8_t key[REV_KEY_LEN])
{
	struct rev_entry *e = rev_cache_find(c, key);

	if (e != NULL)
		return e;
	if (c->table.n >= c->max && c->oldest != NULL)
		rev_cache_drop(c, c->oldest);
	e = calloc(1, sizeof *e);
	if (e == NULL)
		return NULL;
	memcpy(e->key, key, REV_KEY_LEN);
	e->answer.crl_reason = -1;
	if (table_add(&c->table, &e->node, table_hash(&c->table, key, REV_KEY_LEN)) != ERR_OK) {
		free(e);
		return NULL;
	}
	link_newest(c, e);
	return e;
}

void
rev_cache_keep(struct rev_cache *c, struct rev_entry *e, const void *bytes, size_t n)
{
	uint8_t *copy = n > 0 ? malloc(n) : NULL;

	c->bytes -= e->len;
	free(e->response);
	e->response = copy;
	e->len = copy == NULL ? 0 : n;
	if (copy != NULL)
		memcpy(copy, bytes, n);
	c->bytes += e->len;
	c->changed = true;
	while (c->bytes > c->max_bytes && c->oldest != e)
		rev_cache_drop(c, c->oldest);
}

void
rev_cache_dump(struct rev_cache *c, struct gbuf *out)
{
	gbuf_put(out, head, sizeof head - 1);
	for (const struct rev_entry *e = c->oldest; e != NULL; e = e->newer) {
		size_t n = strlen(e->source);

		if (e->len == 0)
			continue;
		gbuf_put(out, e->key, sizeof e->key);
		gbuf_be(out, (uint64_t)e->got_s, 8);
		gbuf_be(out, n, 2);
		gbuf_put(out, e->source, n);
		gbuf_be(out, e->len, 4);
		gbuf_put(out, e->response, e->len);
	}
	c->changed = false;
}

static bool
load_one(struct rev_cache *c, struct rbuf *in)
{
	const uint8_t *key = rbuf_take(in, REV_KEY_LEN);
	int64_t got_s = (int64_t)rbuf_be(in, 8);
	size_t n = (size_t)rbuf_be(in, 2);
	const uint8_t *source = rbuf_take(in, n);
	size_t len = (size_t)rbuf_be(in, 4);
	const uint8_t *response = rbuf_take(in, len);

	if (in->overrun || len == 0 || len > PKI_OCSP_RESPONSE_MAX || got_s < 0)
		return false;
	struct rev_entry *e = rev_cache_get(c, key);
	if (e == NULL || n >= sizeof e->source)
		return false;
	memcpy(e->source, source, n);
	e->source[n] = '\0';
	e->got_s = got_s;
	e->verified = false;
	rev_cache_keep(c, e, response, len);
	return true;
}

enum err_code
rev_cache_load(struct rev_cache *c, const void *bytes, size_t n, struct err *e)
{
	struct rbuf in = rbuf_make(bytes, n);
	const uint8_t *line = rbuf_take(&in, sizeof head - 1);

	if (line == NULL || memcmp(line, head, sizeof head - 1) != 0)
		return err_set(
		    e, ERR_PARSE, "not a file of certificate status, or of another version");
	while (rbuf_left(&in) > 0)
		if (!load_one(c, &in))
			return err_set(e, ERR_PARSE, "damaged at octet %zu", in.pos);
	c->changed = false;
	return ERR_OK;
}

bool
rev_before(const struct rev_time *now, const struct rev_time *t)
{
	return now->mono_ms < t->mono_ms && now->wall_s < t->wall_s;
}

struct rev_time
rev_after(const struct rev_time *now, int64_t s)
{
	int64_t bounded = MAX(MIN(s, (int64_t)1 << 40), (int64_t)0);

	return (struct rev_time){ now->mono_ms + (uint64_t)bounded * 1000, now->wall_s + bounded };
}
