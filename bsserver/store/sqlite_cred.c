#include "bsserver/store/sqlite_internal.h"

#include <string.h>

#include "lib/base/str.h"

#define KNOCKING STORE_SLOT_BOOTSTRAP /* the slot whose identity is a name of the device */

static const struct store_credential *
find_slot(const struct store_credential *v, size_t n, const char *slot)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(v[i].slot, slot) == 0)
			return &v[i];
	}
	return NULL;
}

static bool
is_kept(const struct store_change *c, const char *slot)
{
	for (size_t i = 0; i < c->n_keep_slots; i++) {
		if (strcmp(c->keep_slots[i], slot) == 0)
			return true;
	}
	return false;
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
is_same(const struct store_credential *a, const struct store_credential *b)
{
	return same_text(a->identity, b->identity) && a->generated == b->generated &&
	    secret_equal(&a->key, &b->key);
}

static bool
to_be_put(const struct store_change *c, const struct sq_creds *have, const struct store_credential *want)
{
	const struct store_credential *old = find_slot(have->v, have->n, want->slot);

	return old == NULL || (!is_kept(c, want->slot) && !is_same(old, want));
}

static bool
to_be_removed(const struct store_change *c, const struct store_credential *old)
{
	return find_slot(c->credentials, c->n_credentials, old->slot) == NULL && !is_kept(c, old->slot);
}

static enum err_code
check_identity(struct sq_db *db, const struct sq_change *ch, const struct store_credential *want, struct err *e)
{
	struct sq q;
	bool row;

	enum err_code rc = sq_find(&q, db, SQ_CRED_BY_IDENTITY, want->identity, &row, e);
	const char *owner = rc == ERR_OK && row ? sq_get_text(&q) : NULL;
	if (owner != NULL && strcmp(owner, ch->c->name) != 0) {
		struct gbuf quoted = { .max = 200 };
		str_quote(&quoted, want->identity, strlen(want->identity));
		rc = err_set(e, ERR_EXISTS, "identity \"%s\" is that of device %s", gbuf_cstr(&quoted), owner);
		gbuf_clear(&quoted);
	}
	sq_end(&q);
	return rc;
}

enum err_code
sq_creds_diff(struct store *s, struct sq_db *db, const struct sq_change *ch, const struct sq_creds *have,
    bool *differ, struct err *e)
{
	const struct store_change *c = ch->c;

	(void)s;
	*differ = false;
	for (size_t i = 0; i < c->n_credentials; i++) {
		const struct store_credential *want = &c->credentials[i];
		if (want->slot == NULL || find_slot(c->credentials, i, want->slot) != NULL)
			return err_set(e, ERR_USAGE, "credential %zu: its slot is missing or named twice", i);
		if (!to_be_put(c, have, want))
			continue;
		*differ = true;
		if (ch->kind == SQ_DEVICE && want->identity != NULL && strcmp(want->slot, KNOCKING) == 0) {
			enum err_code rc = check_identity(db, ch, want, e);
			if (rc != ERR_OK)
				return rc;
		}
	}
	for (size_t i = 0; i < have->n; i++)
		*differ |= to_be_removed(c, &have->v[i]);
	return ERR_OK;
}

/* The old identity is told first: it may already be another device's in the same batch. */
static enum err_code
feed_identity(const struct sq_change *ch, const struct store_credential *old,
    const struct store_credential *now, struct err *e)
{
	struct store_feed f = { .seq = ch->seq, .name = ch->c->name };
	enum err_code rc = ERR_OK;

	if (ch->kind == SQ_DEVICE && strcmp(old == NULL ? now->slot : old->slot, STORE_SLOT_REGISTRY) == 0) {
		f.kind = STORE_FEED_REGISTRY_KEY;
		f.key = now == NULL ? NULL : &now->key;
		f.identity = now == NULL ? NULL : now->identity;
		return sq_feed_add(ch->feed, &f, e);
	}
	if (ch->kind != SQ_DEVICE || strcmp(old == NULL ? now->slot : old->slot, KNOCKING) != 0)
		return ERR_OK;
	const char *was = old == NULL ? NULL : old->identity;
	const char *is = now == NULL ? NULL : now->identity;
	if (was != NULL && !same_text(was, is)) {
		f.kind = STORE_FEED_NO_IDENTITY;
		f.identity = was;
		rc = sq_feed_add(ch->feed, &f, e);
	}
	if (rc == ERR_OK && is != NULL) {
		f.kind = STORE_FEED_IDENTITY;
		f.identity = is;
		f.key = &now->key;
		rc = sq_feed_add(ch->feed, &f, e);
	}
	return rc;
}

static void
note(struct sq_change *ch, const char *slot, const char *what)
{
	gbuf_printf(&ch->detail, "%s%s=%s", ch->detail.len == 0 ? "credentials " : " ", slot, what);
}

static enum err_code
remove_one(struct sq_db *db, struct sq_change *ch, const struct store_credential *old, struct err *e)
{
	struct sq q = sq_use(db, SQ_CRED_REMOVE);

	sq_put_int(&q, ch->kind);
	sq_put_text(&q, ch->c->name);
	sq_put_text(&q, old->slot);
	enum err_code rc = sq_run(&q, e);
	if (rc == ERR_OK)
		rc = sq_withdraw(db, ch, old, STORE_KEY_REMOVED, e);
	if (rc != ERR_OK)
		return rc;
	note(ch, old->slot, "removed");
	return feed_identity(ch, old, NULL, e);
}

static enum err_code
put_one(struct store *s, struct sq_db *db, struct sq_change *ch, const struct store_credential *old,
    const struct store_credential *now, struct err *e)
{
	struct gbuf sealed = { 0 };
	char fingerprint[CRYPT_FP_LEN + 1];

	enum err_code rc = crypt_fingerprint(&s->key, now->key.data, now->key.len, fingerprint, e);
	if (rc == ERR_OK)
		rc = sq_seal(db, "credential", ch->kind, ch->c->name, now->slot, &now->key, &sealed, e);
	if (rc == ERR_OK) {
		struct sq q = sq_use(db, SQ_CRED_PUT);
		sq_put_int(&q, ch->kind);
		sq_put_text(&q, ch->c->name);
		sq_put_text(&q, now->slot);
		sq_put_text(&q, now->identity);
		sq_put_text(&q, fingerprint);
		sq_put_int(&q, (int64_t)ch->seq);
		sq_put_int(&q, now->generated);
		sq_put_blob(&q, sealed.data, sealed.len);
		rc = sq_run(&q, e);
	}
	gbuf_clear(&sealed);
	if (rc == ERR_OK && old != NULL)
		rc = sq_withdraw(db, ch, old, STORE_KEY_REPLACED, e);
	if (rc == ERR_OK)
		rc = sq_in_force(db, ch, fingerprint, e);
	if (rc != ERR_OK)
		return rc;
	note(ch, now->slot, fingerprint);
	return feed_identity(ch, old, now, e);
}

enum err_code
sq_creds_apply(struct store *s, struct sq_db *db, struct sq_change *ch, const struct sq_creds *have,
    struct err *e)
{
	const struct store_change *c = ch->c;
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < have->n; i++) {
		if (to_be_removed(c, &have->v[i]))
			rc = remove_one(db, ch, &have->v[i], e);
	}
	for (size_t i = 0; rc == ERR_OK && i < c->n_credentials; i++) {
		const struct store_credential *want = &c->credentials[i];
		if (to_be_put(c, have, want))
			rc = put_one(s, db, ch, find_slot(have->v, have->n, want->slot), want, e);
	}
	return rc;
}
