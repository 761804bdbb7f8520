#include "lwm2m-prov/batch.h"

#include <poll.h>
#include <stdlib.h>

#include <jansson.h>

#include "lwm2m-prov/interrupt.h"
#include "lwm2m-prov/remote.h"

#define BUSY_TRIES 5
#define BUSY_WAIT_MS 1000

struct chunk {
	struct gbuf body;
	size_t places[2 * BATCH_ROWS]; /* of each row */
	size_t n, repeated;            /* the first rows are of profiles that were sent before */
};

void
batch_put(const struct doc_item *item, struct gbuf *out)
{
	json_t *source = json_string(item->source);
	char *text = source != NULL ? json_dumps(source, JSON_ENCODE_ANY) : NULL;

	gbuf_printf(out, "{\"source\":%s,\"doc\":", text != NULL ? text : "null");
	profile_doc_write(item->doc, true, out);
	while (out->len > 0 && out->data[out->len - 1] == '\n')
		out->data[--out->len] = '\0';
	gbuf_str(out, "}\n");
	free(text);
	json_decref(source);
}

static bool
is_shared(const struct batch *b, size_t place)
{
	return profile_doc_kind(b->docs->v[b->order[place]].doc) == PROFILE_SHARED;
}

static void
put(const struct batch *b, struct chunk *c, size_t place)
{
	batch_put(&b->docs->v[b->order[place]], &c->body);
	c->places[c->n++] = place;
}

/* Fills a request from this place on; the place behind it. */
static size_t
fill(const struct batch *b, struct chunk *c, size_t from)
{
	size_t place = from;

	gbuf_reset(&c->body);
	c->n = 0;
	for (size_t i = 0; b->dry && i < from && c->n < BATCH_ROWS; i++)
		if (!b->skip[i] && is_shared(b, i))
			put(b, c, i);
	c->repeated = c->n;
	for (; place < b->n && c->n < c->repeated + BATCH_ROWS && c->body.len < BATCH_OCTETS;
	     place++)
		if (!b->skip[place])
			put(b, c, place);
	return place;
}

static enum err_code
post(const struct batch *b, const struct chunk *c, json_t **rows, struct err *e)
{
	enum err_code rc = remote_rows(b->cli, b->path, &c->body, rows, e);

	for (int tries = 1; rc == ERR_BUSY && tries < BUSY_TRIES && !interrupted(); tries++) {
		(void)poll(NULL, 0, BUSY_WAIT_MS);
		rc = remote_rows(b->cli, b->path, &c->body, rows, e);
	}
	return rc;
}

static enum err_code
report(const struct batch *b, const struct chunk *c, const json_t *rows, struct err *e)
{
	enum err_code rc = ERR_OK;

	if (json_array_size(rows) != c->n)
		return err_set(e, ERR_INTERNAL, "the daemon answered %zu rows to %zu documents",
		    json_array_size(rows), c->n);
	for (size_t i = c->repeated; rc == ERR_OK && i < c->n; i++)
		rc = b->on_row(b->arg, c->places[i], json_array_get(rows, i), e);
	return rc;
}

enum err_code
batch_run(const struct batch *b, struct err *e)
{
	struct chunk *c = calloc(1, sizeof *c);
	enum err_code rc = c == NULL ? err_no_memory(e) : ERR_OK;
	bool stop = false;

	for (size_t place = 0; rc == ERR_OK && !stop && place < b->n;) {
		json_t *rows = NULL;

		c->body.max = 4 * BATCH_OCTETS;
		place = fill(b, c, place);
		if (c->n == c->repeated)
			continue;
		rc = gbuf_check(&c->body, e);
		if (rc == ERR_OK)
			rc = post(b, c, &rows, e);
		if (rc == ERR_OK)
			rc = report(b, c, rows, e);
		json_decref(rows);
		if (rc == ERR_OK && b->on_chunk != NULL)
			rc = b->on_chunk(b->arg, &stop, e);
	}
	if (c != NULL)
		gbuf_clear(&c->body);
	free(c);
	return rc;
}
