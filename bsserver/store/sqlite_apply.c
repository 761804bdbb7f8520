#include "bsserver/store/sqlite_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"

struct apply_req {
	struct sq_req base;
	const struct store_change *v; /* the caller's, until the callback */
	size_t n, failed_at;
	char *actor, *reason;
	struct store_actor who; /* the same */
	struct store_result *results;
	struct sq_feed feed;
	store_apply_fn *done;
};

struct compiled_req {
	struct sq_req base;
	char *endpoint, *key;
	uint64_t revision;
	struct secret compiled;
};

/* What is there now, of the name that a change is about. */
struct found {
	bool there, same_doc;
	int64_t id;
	uint64_t revision;
	enum store_state state;
};

static enum err_code
find(struct sq_db *db, const struct sq_change *ch, struct found *f, struct err *e)
{
	struct sq q;

	enum err_code rc = sq_find(&q, db, SQ_FIND + ch->kind, ch->c->name, &f->there, e);
	if (rc == ERR_OK && f->there) {
		f->id = sq_get_int(&q);
		f->revision = (uint64_t)sq_get_int(&q);
		f->state = (enum store_state)sq_get_int(&q);
		const char *doc = sq_get_text(&q);
		f->same_doc = doc != NULL && ch->c->doc != NULL && strcmp(doc, ch->c->doc) == 0;
	}
	sq_end(&q);
	return rc;
}

static enum err_code
check_expected(const struct store_change *c, const struct found *f, struct err *e)
{
	if (c->must_be_new && f->there)
		return err_set(e, ERR_EXISTS, "is there already, revision %llu", (unsigned long long)f->revision);
	if (c->expect_revision == 0 || (f->there && f->revision == c->expect_revision))
		return ERR_OK;
	if (!f->there)
		return err_set(e, ERR_CONFLICT, "revision %llu was expected, and it is not there",
		    (unsigned long long)c->expect_revision);
	return err_set(e, ERR_CONFLICT, "revision %llu was expected, and it is %llu",
	    (unsigned long long)c->expect_revision, (unsigned long long)f->revision);
}

static const char *
kind_name(enum sq_kind kind)
{
	static const char *const names[] = { "device", "profile", "certificate", "anchor" };

	return names[kind];
}

static enum err_code
audit(struct store *s, struct sq_db *db, const struct sq_change *ch, const char *what, struct err *e)
{
	char action[32];
	struct sq q = sq_use(db, SQ_AUDIT_PUT);

	(void)s;
	(void)snprintf(action, sizeof action, "%s.%s", kind_name(ch->kind), what);
	sq_put_int(&q, (int64_t)ch->seq);
	sq_put_int(&q, ch->now_ms);
	sq_put_text(&q, ch->who->name);
	sq_put_text(&q, action);
	sq_put_text(&q, ch->c->name);
	sq_put_text(&q, ch->detail.len == 0 ? NULL : gbuf_cstr(&ch->detail));
	sq_put_text(&q, ch->who->reason);
	return sq_run(&q, e);
}

static enum err_code
seal_compiled(struct sq_db *db, const char *endpoint, const struct secret *compiled, struct gbuf *out,
    struct err *e)
{
	if (compiled == NULL || compiled->len == 0)
		return ERR_OK;
	return sq_seal(db, "compiled", SQ_DEVICE, endpoint, "", compiled, out, e);
}

static enum err_code
put_compiled(struct sq_db *db, int64_t id, const char *endpoint, const struct secret *compiled,
    const char *key, struct err *e)
{
	struct gbuf sealed = { 0 };

	enum err_code rc = seal_compiled(db, endpoint, compiled, &sealed, e);
	if (rc == ERR_OK) {
		struct sq q = sq_use(db, SQ_COMPILED_PUT);
		sq_put_blob(&q, sealed.data, sealed.len);
		sq_put_text(&q, key);
		sq_put_int(&q, id);
		rc = sq_run(&q, e);
	}
	gbuf_clear(&sealed);
	return rc;
}

static enum err_code
put_row(struct sq_db *db, const struct sq_change *ch, bool there, struct err *e)
{
	const struct store_change *c = ch->c;
	struct gbuf sealed = { 0 };
	enum err_code rc = ERR_OK;

	if (ch->kind == SQ_DEVICE)
		rc = seal_compiled(db, c->name, c->compiled, &sealed, e);
	if (rc == ERR_OK) {
		struct sq q = sq_use(db, (there ? SQ_UPDATE : SQ_INSERT) + ch->kind);
		sq_put_text(&q, c->name);
		sq_put_int(&q, (int64_t)ch->seq);
		sq_put_int(&q, ch->now_ms);
		sq_put_text(&q, c->doc);
		if (ch->kind == SQ_DEVICE) {
			sq_put_blob(&q, sealed.data, sealed.len);
			sq_put_text(&q, c->compiled == NULL ? NULL : c->compiled_key);
		}
		rc = sq_run(&q, e);
	}
	gbuf_clear(&sealed);
	return rc;
}

static enum err_code
keep_history(struct sq_db *db, const struct sq_change *ch, struct err *e)
{
	struct sq q = sq_use(db, SQ_HISTORY_KEEP + ch->kind);

	sq_put_text(&q, ch->c->name);
	enum err_code rc = sq_run(&q, e);
	if (rc != ERR_OK)
		return rc;
	q = sq_use(db, SQ_HISTORY_PRUNE);
	sq_put_int(&q, ch->kind);
	sq_put_text(&q, ch->c->name);
	sq_put_int(&q, (ch->kind == SQ_DEVICE ? SQ_DEVICE_HISTORY : SQ_PROFILE_HISTORY) - 1);
	return sq_run(&q, e);
}

static enum err_code
run_with_id(struct sq_db *db, enum sq_query which, int64_t id, struct err *e)
{
	struct sq q = sq_use(db, which);

	sq_put_int(&q, id);
	return sq_run(&q, e);
}

/* The sessions' columns of a new device, and the news that it is there. */
static enum err_code
begin_device(struct store *s, struct sq_db *db, const struct sq_change *ch, struct err *e)
{
	struct store_feed f = { .kind = STORE_FEED_STATE, .seq = ch->seq, .name = ch->c->name, .state = STORE_ACTIVE };

	s->tally.counts.devices++;
	s->tally.counts.by_verdict[BS_VERDICT_NONE]++;
	enum err_code rc = run_with_id(db, SQ_SESSION_NEW, sq_last_id(db), e);
	return rc == ERR_OK ? sq_feed_add(ch->feed, &f, e) : rc;
}

static enum err_code
put_changed(struct store *s, struct sq_db *db, struct sq_change *ch, const struct found *f,
    const struct sq_creds *have, struct err *e)
{
	struct store_feed news = { .kind = ch->kind == SQ_DEVICE ? STORE_FEED_DEVICE : STORE_FEED_PROFILE,
		.name = ch->c->name, .doc = ch->kind == SQ_DEVICE ? NULL : ch->c->doc };
	enum err_code rc = ERR_OK;

	news.seq = ch->seq = ++s->tally.counts.seq;
	news.revision = ch->kind == SQ_PROFILE ? ch->seq : 0;
	if (f->there)
		rc = keep_history(db, ch, e);
	if (rc == ERR_OK)
		rc = put_row(db, ch, f->there, e);
	if (rc == ERR_OK && !f->there && ch->kind == SQ_DEVICE)
		rc = begin_device(s, db, ch, e);
	if (rc == ERR_OK && !f->there && ch->kind == SQ_PROFILE)
		s->tally.counts.profiles++;
	if (rc == ERR_OK)
		rc = sq_creds_apply(s, db, ch, have, e);
	if (rc == ERR_OK)
		rc = sq_feed_add(ch->feed, &news, e);
	if (rc == ERR_OK && ch->kind == SQ_PROFILE)
		rc = sq_creds_load(db, ch->kind, ch->c->name, &ch->feed->v[ch->feed->n - 1].creds, e);
	if (rc == ERR_OK)
		rc = audit(s, db, ch, f->there ? "update" : "create", e);
	*ch->result = (struct store_result){ f->there ? STORE_UPDATED : STORE_CREATED, ch->seq };
	return rc;
}

static enum err_code
put(struct store *s, struct sq_db *db, struct sq_change *ch, struct err *e)
{
	const struct store_change *c = ch->c;
	struct sq_creds have = { 0 };
	struct found f = { 0 };
	bool differ = false;

	if (c->doc == NULL)
		return err_set(e, ERR_USAGE, "no document");
	enum err_code rc = find(db, ch, &f, e);
	if (rc == ERR_OK)
		rc = check_expected(c, &f, e);
	if (rc == ERR_OK && f.there)
		rc = sq_creds_load(db, ch->kind, c->name, &have, e);
	if (rc == ERR_OK)
		rc = sq_creds_diff(s, db, ch, &have, &differ, e);
	if (rc == ERR_OK && (!f.same_doc || differ)) {
		rc = put_changed(s, db, ch, &f, &have, e);
	} else if (rc == ERR_OK) {
		*ch->result = (struct store_result){ STORE_UNCHANGED, f.revision };
		if (ch->kind == SQ_DEVICE && c->compiled != NULL)
			rc = put_compiled(db, f.id, c->name, c->compiled, c->compiled_key, e);
	}
	sq_creds_clear(&have);
	return rc;
}

static enum err_code
remove_of_owner(struct sq_db *db, enum sq_query which, const struct sq_change *ch, struct err *e)
{
	struct sq q = sq_use(db, which);

	sq_put_int(&q, ch->kind);
	sq_put_text(&q, ch->c->name);
	return sq_run(&q, e);
}

static enum err_code
remove_sessions(struct store *s, struct sq_db *db, int64_t id, struct err *e)
{
	struct sq q = sq_use(db, SQ_SESSION_NOTE_REMOVE);
	bool row;

	sq_put_int(&q, id);
	enum err_code rc = sq_step(&q, &row, e);
	if (rc == ERR_OK && row) {
		int64_t verdict = sq_get_int(&q);
		if (verdict >= 0 && verdict < BS_VERDICT__COUNT)
			s->tally.counts.by_verdict[verdict]--;
	}
	sq_end(&q);
	if (rc == ERR_OK)
		rc = run_with_id(db, SQ_SESSION_REMOVE, id, e);
	if (rc == ERR_OK)
		s->tally.counts.sessions -= sq_changes(db);
	return rc;
}

static enum err_code
feed_removed(struct sq_db *db, const struct sq_change *ch, struct err *e)
{
	struct store_feed f = { .seq = ch->seq, .name = ch->c->name };
	struct sq_creds have = { 0 };

	enum err_code rc = ch->kind == SQ_DEVICE ? sq_creds_load(db, ch->kind, f.name, &have, e) : ERR_OK;
	for (size_t i = 0; rc == ERR_OK && i < have.n; i++) {
		if (have.v[i].identity == NULL || strcmp(have.v[i].slot, STORE_SLOT_BOOTSTRAP) != 0)
			continue;
		f.kind = STORE_FEED_NO_IDENTITY;
		f.identity = have.v[i].identity;
		rc = sq_feed_add(ch->feed, &f, e);
	}
	f.kind = ch->kind == SQ_DEVICE ? STORE_FEED_NO_DEVICE : STORE_FEED_NO_PROFILE;
	f.identity = NULL;
	if (rc == ERR_OK)
		rc = sq_feed_add(ch->feed, &f, e);
	sq_creds_clear(&have);
	return rc;
}

static enum err_code
remove_one(struct store *s, struct sq_db *db, struct sq_change *ch, struct err *e)
{
	struct found f = { 0 };

	enum err_code rc = find(db, ch, &f, e);
	if (rc == ERR_OK)
		rc = check_expected(ch->c, &f, e);
	if (rc == ERR_OK && !f.there)
		rc = err_set(e, ERR_NOT_FOUND, "is not there");
	if (rc != ERR_OK)
		return rc;
	ch->seq = ++s->tally.counts.seq;
	rc = feed_removed(db, ch, e);
	if (rc == ERR_OK)
		rc = ch->kind == SQ_DEVICE ? sq_withdrawn_remove(db, ch, e) : sq_withdraw_all(db, ch, e);
	if (rc == ERR_OK)
		rc = remove_of_owner(db, SQ_CRED_REMOVE_ALL, ch, e);
	if (rc == ERR_OK)
		rc = remove_of_owner(db, SQ_HISTORY_REMOVE, ch, e);
	if (rc == ERR_OK && ch->kind == SQ_DEVICE)
		rc = remove_sessions(s, db, f.id, e);
	if (rc == ERR_OK && ch->kind == SQ_DEVICE)
		rc = sq_held_remove(db, f.id, e);
	if (rc == ERR_OK && ch->kind == SQ_DEVICE)
		rc = sq_handoffs_leave(db, ch->c->name, ch->now_ms, e);
	if (rc == ERR_OK) {
		struct sq q = sq_use(db, SQ_REMOVE + ch->kind);
		sq_put_text(&q, ch->c->name);
		rc = sq_run(&q, e);
	}
	if (ch->kind == SQ_DEVICE)
		s->tally.counts.devices--;
	else
		s->tally.counts.profiles--;
	*ch->result = (struct store_result){ STORE_REMOVED, ch->seq };
	return rc == ERR_OK ? audit(s, db, ch, "remove", e) : rc;
}

static enum err_code
set_state(struct store *s, struct sq_db *db, struct sq_change *ch, struct err *e)
{
	struct found f = { 0 };
	enum store_state want = ch->c->state;

	if (want != STORE_ACTIVE && want != STORE_BLOCKED && want != STORE_RETIRED)
		return err_set(e, ERR_USAGE, "state %d: no such state", (int)want);
	enum err_code rc = find(db, ch, &f, e);
	if (rc == ERR_OK)
		rc = check_expected(ch->c, &f, e);
	if (rc == ERR_OK && !f.there)
		rc = err_set(e, ERR_NOT_FOUND, "is not there");
	if (rc != ERR_OK)
		return rc;
	*ch->result = (struct store_result){ f.state == want ? STORE_UNCHANGED : STORE_UPDATED, f.revision };
	if (f.state == want)
		return ERR_OK;
	ch->seq = ++s->tally.counts.seq;
	gbuf_printf(&ch->detail, "%s to %s", store_state_name(f.state), store_state_name(want));
	struct sq q = sq_use(db, SQ_SET_STATE);
	sq_put_int(&q, want);
	sq_put_int(&q, ch->now_ms);
	sq_put_int(&q, f.id);
	rc = sq_run(&q, e);
	if (rc == ERR_OK)
		rc = sq_feed_add(ch->feed, &(struct store_feed){ .kind = STORE_FEED_STATE, .seq = ch->seq,
		    .name = ch->c->name, .state = want }, e);
	return rc == ERR_OK ? audit(s, db, ch, "state", e) : rc;
}

static enum err_code
set_wish(struct store *s, struct sq_db *db, struct sq_change *ch, struct err *e)
{
	struct store_device d = { 0 };
	struct found f = { 0 };

	if ((size_t)ch->c->wish_kind >= STORE_WISH__COUNT)
		return err_set(e, ERR_USAGE, "wish %d: no such kind", (int)ch->c->wish_kind);
	enum err_code rc = find(db, ch, &f, e);
	if (rc == ERR_OK)
		rc = check_expected(ch->c, &f, e);
	if (rc == ERR_OK && !f.there)
		rc = err_set(e, ERR_NOT_FOUND, "is not there");
	if (rc == ERR_OK)
		rc = sq_wishes_load(db, f.id, d.wishes, e);
	bool nothing = ch->c->wish == NULL && d.wishes[ch->c->wish_kind].number == 0;
	store_device_clear(&d);
	if (rc != ERR_OK)
		return rc;
	*ch->result = (struct store_result){ nothing ? STORE_UNCHANGED : STORE_UPDATED, f.revision };
	if (nothing)
		return ERR_OK;
	ch->seq = ++s->tally.counts.seq;
	rc = sq_wish_set(db, ch, f.id, e);
	return rc == ERR_OK ? audit(s, db, ch, store_wish_name(ch->c->wish_kind), e) : rc;
}

static enum err_code
revoke(struct store *s, struct sq_db *db, struct sq_change *ch, struct err *e)
{
	enum err_code rc = sq_revoke(s, db, ch, e);

	return rc == ERR_OK && ch->result->kind == STORE_CREATED ? audit(s, db, ch, "revoke", e) : rc;
}

static enum err_code
issue(struct store *s, struct sq_db *db, struct sq_change *ch, struct err *e)
{
	enum err_code rc = sq_issued_put(s, db, ch, e);

	return rc == ERR_OK && ch->result->kind == STORE_CREATED ? audit(s, db, ch, "issue", e) : rc;
}

static enum err_code
put_anchor(struct store *s, struct sq_db *db, struct sq_change *ch, struct err *e)
{
	enum err_code rc = sq_anchor_put(s, db, ch, e);

	return rc == ERR_OK && ch->result->kind != STORE_UNCHANGED ? audit(s, db, ch, "add", e) : rc;
}

static enum err_code
retire_anchor(struct store *s, struct sq_db *db, struct sq_change *ch, struct err *e)
{
	enum err_code rc = sq_anchor_retire(s, db, ch, e);

	return rc == ERR_OK && ch->result->kind != STORE_UNCHANGED ? audit(s, db, ch, "retire", e) : rc;
}

static const struct {
	enum sq_kind kind;
	enum err_code (*run)(struct store *, struct sq_db *, struct sq_change *, struct err *);
} changes[] = {
	[STORE_PUT_DEVICE] = { SQ_DEVICE, put },
	[STORE_RM_DEVICE] = { SQ_DEVICE, remove_one },
	[STORE_PUT_PROFILE] = { SQ_PROFILE, put },
	[STORE_RM_PROFILE] = { SQ_PROFILE, remove_one },
	[STORE_SET_STATE] = { SQ_DEVICE, set_state },
	[STORE_SET_WISH] = { SQ_DEVICE, set_wish },
	[STORE_ISSUE] = { SQ_CERTIFICATE, issue },
	[STORE_REVOKE] = { SQ_CERTIFICATE, revoke },
	[STORE_PUT_ANCHOR] = { SQ_ANCHOR, put_anchor },
	[STORE_RETIRE_ANCHOR] = { SQ_ANCHOR, retire_anchor },
};

static enum err_code
run_change(struct store *s, struct sq_db *db, struct apply_req *r, size_t i, int64_t now_ms, struct err *e)
{
	const struct store_change *c = &r->v[i];

	if ((size_t)c->op >= N_ELEMS(changes) || c->name == NULL || c->name[0] == 0)
		return err_set(e, ERR_USAGE, "change %zu: no such operation, or no name", i);
	struct sq_change ch = { .c = c, .who = &r->who, .kind = changes[c->op].kind, .now_ms = now_ms,
		.feed = &r->feed, .result = &r->results[i] };
	enum err_code rc = changes[c->op].run(s, db, &ch, e);
	if (rc == ERR_OK && ch.detail.failed)
		rc = err_no_memory(e);
	gbuf_clear(&ch.detail);
	if (rc != ERR_OK)
		return err_wrap(e, "%s %s", kind_name(ch.kind), c->name);
	return ERR_OK;
}

static enum err_code
run_query(struct store *s, struct sq_db *db, enum sq_query which, struct err *e)
{
	enum err_code rc = sq_exec_query(db, which, e);

	s->broken |= rc != ERR_OK;
	return rc;
}

/* The batch's changes behind a savepoint: whole or not at all, whatever else the transaction holds. */
static enum err_code
apply_run(struct store *s, struct sq_db *db, struct sq_req *base, struct err *e)
{
	struct apply_req *r = CONTAINER_OF(base, struct apply_req, base);
	const struct sq_tally before = s->tally;
	int64_t now_ms = clock_wall_ms();

	if (r->results == NULL || r->actor == NULL)
		return err_no_memory(e);
	enum err_code rc = run_query(s, db, SQ_SAVE, e);
	if (rc != ERR_OK)
		return rc;
	for (size_t i = 0; rc == ERR_OK && i < r->n; i++) {
		r->failed_at = i;
		rc = run_change(s, db, r, i, now_ms, e);
	}
	if (rc == ERR_OK)
		return run_query(s, db, SQ_RELEASE, e);
	s->tally = before;
	sq_feed_cut(&r->feed, 0);
	/* a disk error may have undone everything already; the writer sees that */
	if (sq_in_transaction(db)) {
		struct err undo;
		if (run_query(s, db, SQ_UNDO, &undo) == ERR_OK)
			(void)run_query(s, db, SQ_RELEASE, &undo);
	}
	return rc;
}

static void
apply_undo(struct sq_req *base)
{
	sq_feed_cut(&CONTAINER_OF(base, struct apply_req, base)->feed, 0);
}

static void
apply_answer(struct store *s, struct sq_req *base)
{
	struct apply_req *r = CONTAINER_OF(base, struct apply_req, base);

	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].name != NULL)
			sq_hot_forget(s->hot, r->v[i].name);
	if (base->rc == ERR_OK) {
		sq_feed_tell(s, &r->feed);
		r->done(base->arg, ERR_OK, NULL, 0, r->results, r->n);
	} else {
		r->done(base->arg, base->rc, base->e, r->failed_at, NULL, 0);
	}
}

static void
apply_free(struct sq_req *base)
{
	struct apply_req *r = CONTAINER_OF(base, struct apply_req, base);

	sq_feed_clear(&r->feed);
	free(r->actor);
	free(r->reason);
	free(r->results);
	free(r);
}

static const struct sq_req_kind apply_kind = { apply_run, apply_undo, apply_answer, apply_free };

void
sq_apply(struct store *s, const struct store_actor *who, const struct store_change *v, size_t n,
    store_apply_fn *done, void *arg)
{
	struct apply_req *r = sq_req_new(sizeof *r, &apply_kind, arg);

	r->done = done;
	r->v = v;
	r->n = n;
	r->actor = strdup(who->name);
	r->reason = who->reason == NULL ? NULL : strdup(who->reason);
	r->who = (struct store_actor){ .name = r->actor, .reason = r->reason };
	r->results = calloc(n + 1, sizeof *r->results);
	for (size_t i = 0; i < n; i++)
		r->base.weight += v[i].doc == NULL ? 64 : strlen(v[i].doc);
	sq_worker_submit(&s->writer, &r->base);
}

static enum err_code
compiled_run(struct store *s, struct sq_db *db, struct sq_req *base, struct err *e)
{
	struct compiled_req *r = CONTAINER_OF(base, struct compiled_req, base);
	struct store_change c = { .name = r->endpoint };
	struct sq_change ch = { .c = &c, .kind = SQ_DEVICE };
	struct found f = { 0 };

	(void)s;
	enum err_code rc = find(db, &ch, &f, e);
	if (rc != ERR_OK || !f.there || f.revision != r->revision)
		return rc;
	return put_compiled(db, f.id, r->endpoint, &r->compiled, r->key, e);
}

static void
compiled_answer(struct store *s, struct sq_req *base)
{
	/* where it failed it is made anew */
	sq_hot_forget(s->hot, CONTAINER_OF(base, struct compiled_req, base)->endpoint);
}

static void
compiled_free(struct sq_req *base)
{
	struct compiled_req *r = CONTAINER_OF(base, struct compiled_req, base);

	free(r->endpoint);
	free(r->key);
	secret_clear(&r->compiled);
	free(r);
}

static const struct sq_req_kind compiled_kind = { compiled_run, NULL, compiled_answer, compiled_free };

void
sq_compiled_put(struct store *s, const char *endpoint, uint64_t revision, const struct secret *compiled,
    const char *key)
{
	struct compiled_req *r = sq_req_new(sizeof *r, &compiled_kind, NULL);

	r->base.weight = compiled->len;
	r->revision = revision;
	r->endpoint = strdup(endpoint);
	r->key = key == NULL ? NULL : strdup(key);
	if (r->endpoint == NULL || (key != NULL && r->key == NULL) ||
	    secret_copy(&r->compiled, compiled, NULL) != ERR_OK)
		compiled_free(&r->base);
	else
		sq_worker_submit(&s->writer, &r->base);
}
