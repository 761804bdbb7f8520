/* What operators want the next session of a device to do besides. */
#include "bsserver/store/sqlite_internal.h"

#include <string.h>

static enum err_code
read_wish(struct sq *q, struct store_wish *wishes, struct err *e)
{
	int64_t kind = sq_get_int(q);

	if (kind < 0 || kind >= STORE_WISH__COUNT)
		return err_set(e, ERR_INVALID, "store: a wish of kind %lld", (long long)kind);
	struct store_wish *w = &wishes[kind];
	w->number = (uint64_t)sq_get_int(q);
	w->asked_ms = sq_get_int(q);
	w->actor = sq_get_dup(q);
	w->profile = sq_get_dup(q);
	w->session = (uint64_t)sq_get_int(q);
	w->with_credentials = sq_get_int(q) != 0;
	w->done_session = (uint64_t)sq_get_int(q);
	w->done_revision = (uint64_t)sq_get_int(q);
	return q->nomem ? err_no_memory(e) : ERR_OK;
}

enum err_code
sq_wishes_load(struct sq_db *db, int64_t device, struct store_wish wishes[STORE_WISH__COUNT], struct err *e)
{
	struct sq q = sq_use(db, SQ_WISH_LIST);
	enum err_code rc;
	bool row;

	sq_put_int(&q, device);
	while ((rc = sq_step(&q, &row, e)) == ERR_OK && row) {
		rc = read_wish(&q, wishes, e);
		if (rc != ERR_OK)
			break;
	}
	sq_end(&q);
	return rc;
}

static enum err_code
put(struct sq_db *db, const struct sq_change *ch, int64_t device, const struct store_wish *w, struct err *e)
{
	struct sq q = sq_use(db, SQ_WISH_PUT);

	sq_put_int(&q, device);
	sq_put_int(&q, ch->c->wish_kind);
	sq_put_int(&q, (int64_t)ch->seq);
	sq_put_int(&q, ch->now_ms);
	sq_put_text(&q, ch->who->name);
	sq_put_text(&q, w->profile);
	sq_put_int(&q, (int64_t)w->session);
	sq_put_int(&q, w->with_credentials);
	return sq_run(&q, e);
}

static enum err_code
take_back(struct sq_db *db, int64_t device, enum store_wish_kind kind, struct err *e)
{
	struct sq q = sq_use(db, SQ_WISH_REMOVE);

	sq_put_int(&q, device);
	sq_put_int(&q, kind);
	return sq_run(&q, e);
}

/* By the first of the sessions that left it, so that its row is found by its number alone. */
static enum err_code
name_target(struct sq_db *db, int64_t device, struct store_wish *w, struct err *e)
{
	struct store_held held = { 0 };
	const struct sq_held_key key = { .device = device, .session = w->session };
	enum err_code rc = sq_held_find(db, SQ_HELD_OF, &key, &held, e);

	if (rc == ERR_OK && held.session == 0)
		rc = err_set(e, ERR_NOT_FOUND, "session %llu: what it left is not kept", (unsigned long long)w->session);
	w->session = held.session;
	store_held_clear(&held);
	return rc;
}

enum err_code
sq_wish_set(struct sq_db *db, struct sq_change *ch, int64_t device, struct err *e)
{
	const struct store_change *c = ch->c;
	struct store_wish w = { 0 };
	enum err_code rc = ERR_OK;

	if (c->wish == NULL) {
		gbuf_str(&ch->detail, "taken back");
		return take_back(db, device, c->wish_kind, e);
	}
	w = *c->wish;
	if (c->wish_kind == STORE_WISH_ROLLBACK)
		rc = name_target(db, device, &w, e);
	if (rc == ERR_OK)
		rc = put(db, ch, device, &w, e);
	if (c->wish_kind == STORE_WISH_ROLLBACK)
		gbuf_printf(&ch->detail, "to session %llu%s", (unsigned long long)c->wish->session,
		    w.with_credentials ? " with its credentials" : "");
	else
		gbuf_printf(&ch->detail, "to profile %s", w.profile == NULL ? "" : w.profile);
	return rc;
}

/* Only the wish that the session knew of: what was asked for meanwhile is still to come. */
enum err_code
sq_wishes_met(struct sq_db *db, const struct sq_kept *k, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (int kind = 0; rc == ERR_OK && kind < STORE_WISH__COUNT; kind++) {
		bool stays = kind == STORE_WISH_ROLLBACK;

		if (k->o->o.fulfilled[kind] == 0)
			continue;
		struct sq q = sq_use(db, stays ? SQ_WISH_DONE : SQ_WISH_MET);
		if (stays) {
			sq_put_int(&q, (int64_t)k->rec->id);
			sq_put_int(&q, (int64_t)k->o->o.wanted_revision);
		}
		sq_put_int(&q, k->device);
		sq_put_int(&q, kind);
		sq_put_int(&q, (int64_t)k->o->o.fulfilled[kind]);
		rc = sq_run(&q, e);
	}
	return rc;
}
