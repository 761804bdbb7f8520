/*
 * The body of apply, up to the store: rows are found, documents read, keys taken out, resolved
 * against a shared profile and checked. What stays of a document reads back as itself, without
 * keys.
 */
#include <string.h>

#include "bsserver/api/apply.h"
#include "tests/fuzz/fuzz.h"

#define MAX_ROWS 64

static enum err_code
fingerprint(struct store *s, const struct secret *key, char out[CRYPT_FP_LEN + 1], struct err *e)
{
	(void)s;
	(void)e;
	memset(out, '0' + (int)(key->len % 10), CRYPT_FP_LEN);
	out[CRYPT_FP_LEN] = 0;
	return ERR_OK;
}

static void
again(struct api *a, const struct prep *p)
{
	struct prep *q = NULL;
	struct err e;

	FUZZ_MUST(prep_read(a, "again", 1, gbuf_cstr(&p->text), p->text.len, &q, &e) == ERR_OK,
	    "%s", e.msg);
	FUZZ_MUST(q->n_creds == 0, "a key stayed in the document");
	FUZZ_MUST(strcmp(gbuf_cstr(&q->text), gbuf_cstr(&p->text)) == 0, "reads back as: %s",
	    gbuf_cstr(&q->text));
	prep_free(q);
}

static void
one_row(struct api *a, const struct rows_doc *d, struct profile_fleet *fleet)
{
	struct job job = { .api = a, .kind = JOB_DIFF };
	struct row w = { .job = &job, .no = d->row };
	struct gbuf line = { 0 };
	struct err e;

	if (prep_read(a, d->file, d->line, d->doc, d->doc_len, &w.p, &e) != ERR_OK)
		return;
	again(a, w.p);
	if (prep_finish(w.p, PREP_MAKE_KEYS, fleet, &e) == ERR_OK)
		row_end(&w, w.p->findings.errors > 0 ? ROW_INVALID : ROW_CREATED, NULL);
	else
		row_end(&w, ROW_ERROR, &e);
	row_print(&w, &line);
	FUZZ_MUST(!line.failed && line.len > 2 && line.data[line.len - 1] == '\n', "no line");
	gbuf_clear(&line);
	prep_free(w.p);
}

static struct shelf *
one_profile(void)
{
	static const char doc[] =
	    "{\"profile_format\":1,\"profile\":\"meter\",\"servers\":{\"dm\":{\"short_server_id\":"
	    "101,\"uri\":"
	    "\"coaps://"
	    "dm.example.com\",\"security\":{\"mode\":\"psk\",\"identity\":\"${endpoint}\",\"key\":"
	    "{\"generate\":16}},\"lifetime\":\"1d\",\"binding\":\"U\"}}}";
	struct store_feed f = {
		.kind = STORE_FEED_PROFILE, .name = "meter", .doc = doc, .revision = 1
	};
	struct shelf *s = shelf_new(1);

	FUZZ_MUST(s != NULL && shelf_feed(s, &f, NULL) == ERR_OK, "no shelf");
	return s;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct store_ops ops = { .name = "none", .fingerprint = fingerprint };
	struct shelf *shelf = one_profile();
	struct api a = { .c = { .ops = &ops, .shelf = shelf, .model = lwm2m_model_builtin() } };
	struct profile_fleet *fleet = profile_fleet_new();
	struct rows rs;
	struct rows_doc d;
	enum err_code rc;
	struct err e;

	rows_open(&rs, (const char *)data, size);
	for (unsigned i = 0; i < MAX_ROWS && rows_next(&rs, &d, &rc, &e); i++)
		if (rc == ERR_OK)
			one_row(&a, &d, fleet);
	profile_fleet_free(fleet);
	shelf_free(shelf);
	return 0;
}
