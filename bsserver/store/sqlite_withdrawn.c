/* Keys that are in no document any more, and certificates that were revoked. */
#include "bsserver/store/sqlite_internal.h"

#include <stdio.h>
#include <string.h>

#define KEPT_PER_OWNER 256

const char *
store_withdrawal_name(enum store_withdrawal w)
{
	static const char *const names[] = { "in force", "replaced", "removed" };

	return names[w];
}

static struct sq
use_of_owner(struct sq_db *db, enum sq_query which, const struct sq_change *ch)
{
	struct sq q = sq_use(db, which);

	sq_put_int(&q, ch->kind);
	sq_put_text(&q, ch->c->name);
	return q;
}

static enum err_code
prune(struct sq_db *db, const struct sq_change *ch, struct err *e)
{
	struct sq q = use_of_owner(db, SQ_WITHDRAWN_PRUNE, ch);

	sq_put_int(&q, KEPT_PER_OWNER);
	return sq_run(&q, e);
}

enum err_code
sq_withdraw(struct sq_db *db, const struct sq_change *ch, const struct store_credential *old,
    enum store_withdrawal why, struct err *e)
{
	struct sq q = use_of_owner(db, SQ_WITHDRAW, ch);

	sq_put_text(&q, old->fingerprint);
	sq_put_text(&q, old->slot);
	sq_put_int(&q, why);
	sq_put_int(&q, (int64_t)ch->seq);
	sq_put_int(&q, ch->now_ms);
	sq_put_text(&q, ch->who->name);
	enum err_code rc = sq_run(&q, e);
	return rc == ERR_OK ? prune(db, ch, e) : rc;
}

enum err_code
sq_withdraw_all(struct sq_db *db, const struct sq_change *ch, struct err *e)
{
	struct sq q = use_of_owner(db, SQ_WITHDRAW_ALL, ch);

	sq_put_int(&q, STORE_KEY_REMOVED);
	sq_put_int(&q, (int64_t)ch->seq);
	sq_put_int(&q, ch->now_ms);
	sq_put_text(&q, ch->who->name);
	return sq_run(&q, e);
}

enum err_code
sq_in_force(struct sq_db *db, const struct sq_change *ch, const char *fingerprint, struct err *e)
{
	struct sq q = use_of_owner(db, SQ_WITHDRAWN_UNDO, ch);

	sq_put_text(&q, fingerprint);
	return sq_run(&q, e);
}

enum err_code
sq_withdrawn_remove(struct sq_db *db, const struct sq_change *ch, struct err *e)
{
	struct sq q = use_of_owner(db, SQ_WITHDRAWN_REMOVE, ch);

	return sq_run(&q, e);
}

/* ---- looking ---- */

static void
read_row(struct sq *q, struct store_withdrawn *w)
{
	int64_t why = sq_get_int(q);

	w->why = why == STORE_KEY_REPLACED ? STORE_KEY_REPLACED : STORE_KEY_REMOVED;
	w->number = (uint64_t)sq_get_int(q);
	w->at_ms = sq_get_int(q);
	w->owner = sq_get_dup(q);
	w->slot = sq_get_dup(q);
	w->actor = sq_get_dup(q);
}

/* Into h->withdrawn when it is a graver case than what is there. */
static enum err_code
find_one(struct sq_db *db, const char *endpoint, const char *fingerprint, struct store_held *h, struct err *e)
{
	struct sq q = sq_use(db, SQ_WITHDRAWN_FIND);
	struct store_held other = { 0 };
	bool row;

	sq_put_text(&q, endpoint);
	sq_put_text(&q, fingerprint);
	enum err_code rc = sq_step(&q, &row, e);
	if (rc == ERR_OK && row)
		read_row(&q, &other.withdrawn);
	if (rc == ERR_OK && q.nomem)
		rc = err_no_memory(e);
	sq_end(&q);
	const struct store_withdrawn *a = &h->withdrawn, *b = &other.withdrawn;
	if (b->why > a->why || (b->why == a->why && b->number > a->number)) {
		struct store_withdrawn graver = *b;

		other.withdrawn = *a;
		h->withdrawn = graver;
	}
	store_held_clear(&other);
	return rc;
}

/* Fingerprints stand as "dm=0123... fota=4567...". */
enum err_code
sq_withdrawn_find(struct sq_db *db, const char *endpoint, struct store_held *h, struct err *e)
{
	const char *at = h->fingerprints;
	enum err_code rc = ERR_OK;

	while (rc == ERR_OK && at != NULL && *at != 0) {
		char one[CRYPT_FP_LEN + 1];
		const char *end = at + strcspn(at, " "), *is = memchr(at, '=', (size_t)(end - at));
		size_t n = is == NULL ? 0 : (size_t)(end - is - 1);

		if (n > 0 && n < sizeof one) {
			memcpy(one, is + 1, n);
			one[n] = 0;
			rc = find_one(db, endpoint, one, h, e);
		}
		at = *end == 0 ? end : end + 1;
	}
	return rc;
}

/* ---- certificates ---- */

/* Whether that was said before. by: SQ_ISSUED_GET, SQ_REVOKED_GET. */
static enum err_code
find_said(struct sq_db *db, enum sq_query by, const struct sq_change *ch, struct err *e)
{
	struct sq q;
	bool row;

	if (strlen(ch->c->name) != 64 || strspn(ch->c->name, "0123456789abcdef") != 64)
		return err_set(e, ERR_USAGE, "not the SHA-256 of a certificate in hex");
	enum err_code rc = sq_find(&q, db, by, ch->c->name, &row, e);

	*ch->result = (struct store_result){ STORE_CREATED, 0 };
	if (rc == ERR_OK && row)
		*ch->result = (struct store_result){ STORE_UNCHANGED, (uint64_t)sq_get_int(&q) };
	sq_end(&q);
	return rc;
}

/* Of nobody's device: 0, as in session. */
enum err_code
sq_issued_put(struct store *s, struct sq_db *db, struct sq_change *ch, struct err *e)
{
	const struct store_given *g = ch->c->issued;
	enum err_code rc = find_said(db, SQ_ISSUED_GET, ch, e);

	if (rc != ERR_OK || ch->result->kind == STORE_UNCHANGED)
		return rc;
	ch->seq = ch->result->revision = ++s->tally.counts.seq;
	struct sq q = sq_use(db, SQ_ISSUED_PUT);
	sq_put_text(&q, g->path == NULL ? "" : g->path);
	sq_put_text(&q, ch->c->name);
	sq_put_text(&q, g->subject);
	sq_put_int(&q, g->not_after);
	sq_put_int(&q, ch->now_ms);
	if (g->subject != NULL)
		gbuf_str(&ch->detail, g->subject);
	return sq_run(&q, e);
}

enum err_code
sq_revoke(struct store *s, struct sq_db *db, struct sq_change *ch, struct err *e)
{
	struct store_feed f = { .kind = STORE_FEED_REVOKED, .name = ch->c->name, .doc = ch->c->detail };

	enum err_code rc = find_said(db, SQ_REVOKED_GET, ch, e);

	if (rc != ERR_OK || ch->result->kind == STORE_UNCHANGED)
		return rc;
	f.seq = ch->seq = ch->result->revision = ++s->tally.counts.seq;
	struct sq q = sq_use(db, SQ_REVOKED_PUT);
	sq_put_text(&q, ch->c->name);
	sq_put_int(&q, (int64_t)ch->seq);
	sq_put_int(&q, ch->now_ms);
	sq_put_text(&q, ch->c->detail);
	rc = sq_run(&q, e);
	if (ch->c->detail != NULL)
		gbuf_str(&ch->detail, ch->c->detail);
	return rc == ERR_OK ? sq_feed_add(ch->feed, &f, e) : rc;
}
