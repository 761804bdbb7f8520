#include "bsserver/store/sqlite_internal.h"

#include <stdlib.h>
#include <string.h>

static bool
dup_if(char **out, const char *s)
{
	*out = s == NULL ? NULL : strdup(s);
	return s == NULL || *out != NULL;
}

static void
item_clear(struct sq_feed_item *it)
{
	free(it->name);
	free(it->identity);
	free(it->doc);
	secret_clear(&it->key);
	sq_creds_clear(&it->creds);
}

enum err_code
sq_feed_add(struct sq_feed *f, const struct store_feed *what, struct err *e)
{
	struct sq_feed_item *v = grow(f->v, f->n, &f->cap, sizeof *v);
	if (v == NULL)
		return err_no_memory(e);
	f->v = v;
	v += f->n;
	*v = (struct sq_feed_item){ .f = *what };
	bool ok = dup_if(&v->name, what->name);
	ok = dup_if(&v->identity, what->identity) && ok;
	ok = dup_if(&v->doc, what->doc) && ok;
	if (ok && what->key != NULL)
		ok = secret_copy(&v->key, what->key, e) == ERR_OK;
	if (!ok) {
		item_clear(v);
		return err_no_memory(e);
	}
	f->n++;
	return ERR_OK;
}

void
sq_feed_cut(struct sq_feed *f, size_t n)
{
	while (f->n > n)
		item_clear(&f->v[--f->n]);
}

void
sq_feed_clear(struct sq_feed *f)
{
	sq_feed_cut(f, 0);
	free(f->v);
	*f = (struct sq_feed){ 0 };
}

void
sq_feed_tell(struct store *s, const struct sq_feed *f)
{
	for (size_t i = 0; i < f->n && s->feed != NULL; i++) {
		const struct sq_feed_item *it = &f->v[i];
		struct store_feed out = it->f;

		out.name = it->name;
		out.identity = it->identity;
		out.doc = it->doc;
		out.key = it->f.key == NULL ? NULL : &it->key;
		out.credentials = it->creds.v;
		out.n_credentials = it->creds.n;
		s->feed(s->feed_arg, &out);
	}
}

static void
tell(struct store *s, struct store_feed f)
{
	f.seq = s->tally.counts.seq;
	s->feed(s->feed_arg, &f);
}

static enum err_code
tell_device(struct store *s, struct sq_db *db, struct sq *q, struct err *e)
{
	size_t n;
	const char *endpoint = sq_get_text(q);
	enum store_state state = (enum store_state)sq_get_int(q);
	const char *identity = sq_get_text(q);
	const char *slot = sq_get_text(q);
	const void *sealed = sq_get_blob(q, &n);

	tell(s, (struct store_feed){ .kind = STORE_FEED_STATE, .name = endpoint, .state = state });
	if (slot != NULL) {
		struct secret key = SECRET_NONE;
		enum err_code rc = sq_unseal(db, "credential", SQ_DEVICE, endpoint, slot, sealed, n, &key, e);
		if (rc == ERR_OK && identity != NULL)
			tell(s, (struct store_feed){ .kind = STORE_FEED_IDENTITY,
			    .name = endpoint, .identity = identity, .key = &key });
		secret_clear(&key);
		if (rc != ERR_OK)
			return rc;
	}
	tell(s, (struct store_feed){ .kind = STORE_FEED_DEVICE, .name = endpoint });
	return ERR_OK;
}

static enum err_code
tell_registry_key(struct store *s, struct sq_db *db, struct sq *q, struct err *e)
{
	struct secret key = SECRET_NONE;
	size_t n;

	const char *endpoint = sq_get_text(q);
	const void *sealed = sq_get_blob(q, &n);
	const char *identity = sq_get_text(q);
	enum err_code rc = sq_unseal(db, "credential", SQ_DEVICE, endpoint, STORE_SLOT_REGISTRY, sealed, n, &key, e);
	if (rc == ERR_OK)
		tell(s, (struct store_feed){
		    .kind = STORE_FEED_REGISTRY_KEY, .name = endpoint, .identity = identity, .key = &key });
	secret_clear(&key);
	return rc;
}

static enum err_code
tell_profile(struct store *s, struct sq_db *db, struct sq *q, struct err *e)
{
	struct store_feed f = { .kind = STORE_FEED_PROFILE };
	struct sq_creds creds = { 0 };
	f.name = sq_get_text(q);
	f.doc = sq_get_text(q);
	f.revision = (uint64_t)sq_get_int(q);
	enum err_code rc = sq_creds_load(db, SQ_PROFILE, f.name, &creds, e);
	if (rc == ERR_OK) {
		f.credentials = creds.v;
		f.n_credentials = creds.n;
		tell(s, f);
	}
	sq_creds_clear(&creds);
	return rc;
}

static enum err_code
tell_revoked(struct store *s, struct sq_db *db, struct sq *q, struct err *e)
{
	struct store_feed f = { .kind = STORE_FEED_REVOKED };

	(void)db;
	(void)e;
	f.name = sq_get_text(q);
	f.doc = sq_get_text(q);
	tell(s, f);
	return ERR_OK;
}

static enum err_code
tell_rows(struct store *s, struct sq_db *db, struct sq *q,
    enum err_code (*row_fn)(struct store *, struct sq_db *, struct sq *, struct err *), struct err *e)
{
	bool row = false;
	enum err_code rc;

	while ((rc = sq_step(q, &row, e)) == ERR_OK && row) {
		rc = row_fn(s, db, q, e);
		if (rc != ERR_OK)
			break;
	}
	sq_end(q);
	return rc;
}

enum err_code
sq_feed_all(struct store *s, struct sq_db *db, struct err *e)
{
	if (s->feed == NULL)
		return ERR_OK;
	struct sq q = sq_use(db, SQ_PROFILE_LIST);
	sq_put_text(&q, "");
	enum err_code rc = tell_rows(s, db, &q, tell_profile, e);
	if (rc != ERR_OK)
		return rc;
	rc = sq_anchor_tell(s, db, e);
	if (rc != ERR_OK)
		return rc;
	q = sq_use(db, SQ_FEED_REVOKED);
	rc = tell_rows(s, db, &q, tell_revoked, e);
	if (rc != ERR_OK)
		return rc;
	q = sq_use(db, SQ_FEED_DEVICES);
	rc = tell_rows(s, db, &q, tell_device, e);
	if (rc != ERR_OK)
		return rc;
	q = sq_use(db, SQ_FEED_REGISTRY);
	return tell_rows(s, db, &q, tell_registry_key, e);
}
