#include "bsserver/store/sqlite_internal.h"

#include <stdlib.h>
#include <string.h>

#include "bsserver/store/transcript.h"

#define SESSIONS_MIN 1000 /* fewer than these are never swept */
#define SWEEP 256	  /* so many go at once */

struct session_req {
	struct sq_req base;
	struct bs_record rec; /* without entries; its strings lie behind the structure */
	struct gbuf transcript;
	struct sq_outcome *outcome; /* NULL: nothing is kept besides */
	uint64_t again;		    /* of sq_hot_again() */
	struct sq_noted known;	    /* of its device: before, as far as that is in memory; then what is so now */
	store_done_fn *done;
};

/* Refused before its peer had proved to be the device it claims to be. */
static bool
is_unproven(const struct bs_record *r)
{
	static const bool reasons[BS_REASON__COUNT] = {
		[BS_REASON_BAD_REQUEST] = true,
		[BS_REASON_NO_ENDPOINT] = true,
		[BS_REASON_UNKNOWN_ENDPOINT] = true,
		[BS_REASON_IDENTITY_MISMATCH] = true,
		[BS_REASON_NO_CREDENTIAL_RULE] = true,
		[BS_REASON_OVERLOAD] = true,
		[BS_REASON_STORE] = true,
		[BS_REASON_UNKNOWN_IDENTITY] = true,
		[BS_REASON_WRONG_KEY] = true,
		[BS_REASON_HANDSHAKE] = true,
	};

	return r->endpoint == NULL ||
	    (r->verdict == BS_VERDICT_REFUSED && (size_t)r->reason < BS_REASON__COUNT && reasons[r->reason]);
}

static bool
is_good(const struct bs_record *r)
{
	return r->verdict == BS_VERDICT_PROVISIONED || r->verdict == BS_VERDICT_WRITTEN;
}

static enum err_code
find_device(struct sq_db *db, const char *endpoint, struct sq_noted *d, struct err *e)
{
	struct sq q;
	bool row;

	enum err_code rc = sq_find(&q, db, SQ_SESSION_OF, endpoint, &row, e);
	if (rc == ERR_OK && row) {
		d->device = sq_get_int(&q);
		d->last = (uint64_t)sq_get_int(&q);
		d->verdict = sq_get_int(&q);
		d->failures = sq_get_int(&q);
		d->kept = sq_get_int(&q);
		d->undo = sq_get_int(&q) != 0;
		d->given = sq_get_int(&q) != 0;
	}
	sq_end(&q);
	return rc;
}

static enum err_code
insert(struct sq_db *db, struct session_req *r, int64_t device, struct err *e)
{
	const struct bs_record *rec = &r->rec;
	struct sq q = sq_use(db, SQ_SESSION_PUT);

	sq_put_int(&q, (int64_t)rec->id);
	sq_put_int(&q, rec->verdict);
	sq_put_int(&q, rec->step);
	sq_put_int(&q, rec->reason);
	sq_put_int(&q, rec->code);
	sq_put_int(&q, rec->used_format);
	sq_put_int(&q, (int64_t)rec->revision);
	sq_put_int(&q, rec->started_ms);
	sq_put_int(&q, rec->ended_ms);
	sq_put_int(&q, rec->exchanges);
	sq_put_int(&q, rec->entries_dropped);
	sq_put_text(&q, rec->path);
	for (size_t i = 0; i < SQ_RECORD_STRINGS; i++)
		sq_put_text(&q, *sq_record_string(&r->rec, i));
	sq_put_int(&q, device);
	sq_put_blob(&q, r->transcript.data, r->transcript.len);
	bool row;
	enum err_code rc = sq_step(&q, &row, e);
	bool duplicate = rc != ERR_OK && sq_was_duplicate(db);
	sq_end(&q);
	if (duplicate)
		return err_set(e, ERR_EXISTS, "session %llu: is there already", (unsigned long long)rec->id);
	return rc;
}

int64_t
sq_failures_after(int64_t failures, enum bs_verdict v)
{
	switch (v) {
	case BS_VERDICT_PROVISIONED:
	case BS_VERDICT_WRITTEN:
		return 0;
	case BS_VERDICT_FAILED:
		return failures + 1;
	case BS_VERDICT_NONE:
	case BS_VERDICT_REFUSED:
	case BS_VERDICT_CANCELLED:
	case BS_VERDICT__COUNT:
		break;
	}
	return failures;
}

static void
put_note(struct sq *q, const struct bs_record *r, const struct sq_noted *d, int64_t kept)
{
	sq_put_int(q, (int64_t)r->id);
	sq_put_int(q, r->verdict);
	sq_put_int(q, r->reason);
	sq_put_int(q, r->ended_ms);
	sq_put_int(q, r->used_format);
	sq_put_int(q, r->verdict == BS_VERDICT_PROVISIONED ? (int64_t)r->revision : 0);
	sq_put_int(q, sq_failures_after(d->failures, r->verdict));
	sq_put_int(q, kept);
	sq_put_int(q, d->device);
}

static void
count_verdict(struct store *s, const struct bs_record *r, const struct sq_noted *d)
{
	if (d->verdict >= 0 && d->verdict < BS_VERDICT__COUNT)
		s->tally.counts.by_verdict[d->verdict]--;
	s->tally.counts.by_verdict[r->verdict]++;
}

static enum err_code
note_last(struct store *s, struct sq_db *db, const struct bs_record *r, const struct sq_noted *d, struct err *e)
{
	struct sq q = sq_use(db, SQ_SESSION_NOTE);

	put_note(&q, r, d, d->kept);
	count_verdict(s, r, d);
	return sq_run(&q, e);
}

/*
 * What memory knows of the device holds when its newest session is still that one: ids of sessions are
 * nobody else's. Then it need not be looked up, and the session is noted at once: *done.
 */
static enum err_code
note_as_known(struct store *s, struct sq_db *db, const struct session_req *r, bool *done, struct err *e)
{
	const struct sq_noted *d = &r->known;

	*done = false;
	if (d->device == 0 || d->last == 0 || r->rec.id <= d->last)
		return ERR_OK;
	struct sq q = sq_use(db, SQ_SESSION_NOTE_KNOWN);
	put_note(&q, &r->rec, d, MIN(d->kept + 1, (int64_t)s->max_sessions));
	sq_put_int(&q, (int64_t)d->last);
	sq_put_int(&q, d->kept);
	enum err_code rc = sq_run(&q, e);
	*done = rc == ERR_OK && sq_changes(db) > 0;
	if (*done)
		count_verdict(s, &r->rec, d);
	return rc;
}

static enum err_code
note_kept(struct sq_db *db, const struct sq_noted *d, struct err *e)
{
	struct sq q = sq_use(db, SQ_SESSION_KEPT);

	sq_put_int(&q, d->kept);
	sq_put_int(&q, d->device);
	return sq_run(&q, e);
}

static enum err_code
prune(struct store *s, struct sq_db *db, int64_t device, int64_t surplus, struct err *e)
{
	struct sq q = sq_use(db, SQ_SESSION_PRUNE);

	sq_put_int(&q, device);
	sq_put_int(&q, surplus);
	enum err_code rc = sq_run(&q, e);
	if (rc == ERR_OK)
		s->tally.counts.sessions -= sq_changes(db);
	return rc;
}

static enum err_code
keep_of_device(struct store *s, struct sq_db *db, const struct bs_record *r, struct sq_noted *d, bool noted,
    struct err *e)
{
	int64_t surplus = ++d->kept - (int64_t)s->max_sessions;
	enum err_code rc = ERR_OK;

	if (surplus > 0)
		d->kept -= surplus;
	if (!noted)
		rc = r->id > d->last ? note_last(s, db, r, d, e) : note_kept(db, d, e);
	return rc == ERR_OK && surplus > 0 ? prune(s, db, d->device, surplus, e) : rc;
}

/* Strays go in bundles: one search for the oldest serves many. */
static enum err_code
keep_stray(struct store *s, struct sq_db *db, struct err *e)
{
	uint64_t bundle = MAX(1U, s->max_strays / 64);

	if (++s->tally.strays <= s->max_strays)
		return ERR_OK;
	uint64_t surplus = MIN(s->tally.strays - s->max_strays + bundle - 1, s->tally.strays);
	s->tally.strays -= surplus;
	return prune(s, db, 0, (int64_t)surplus, e);
}

/*
 * All sessions together are bounded too, at half of what all devices could have: then it is mostly
 * the oldest of all that go, which lie side by side in the file, and not each device's oldest, which
 * lie anywhere.
 */
static enum err_code
sweep(struct store *s, struct sq_db *db, struct err *e)
{
	uint64_t max = MAX((uint64_t)SESSIONS_MIN, s->tally.counts.devices * s->max_sessions / 2);
	uint64_t now = s->tally.counts.sessions - s->tally.strays, n = 0;
	enum err_code rc;
	bool row;

	if (now < max + SWEEP)
		return ERR_OK;
	struct sq q = sq_use(db, SQ_SESSION_SWEEP);
	sq_put_int(&q, s->swept);
	sq_put_int(&q, (int64_t)(now - max));
	while ((rc = sq_step(&q, &row, e)) == ERR_OK && row) {
		s->swept = MAX(s->swept, sq_get_int(&q));
		struct sq fewer = sq_use(db, SQ_SESSION_FEWER);
		sq_put_int(&fewer, sq_get_int(&q));
		rc = sq_run(&fewer, e);
		if (rc != ERR_OK)
			break;
		n++;
	}
	sq_end(&q);
	if (n < now - max)
		s->swept = 0; /* came to the end: begin anew */
	s->tally.counts.sessions -= n;
	return rc;
}

/* A record that comes late says nothing of what the device holds by now. */
static enum err_code
keep_outcome(struct store *s, struct sq_db *db, const struct session_req *r, const struct sq_noted *d, bool noted,
    struct err *e)
{
	const struct sq_kept kept = {
		.device = d->device,
		.good = is_good(&r->rec),
		.again = noted ? r->again : 0,
		.undo = d->undo,
		.given = d->given,
		.rec = &r->rec,
		.o = r->outcome,
	};

	if (d->device == 0 || r->rec.id <= d->last)
		return ERR_OK;
	enum err_code rc = sq_given_keep(db, &kept, e);
	return rc == ERR_OK && r->outcome != NULL ? sq_held_keep(s, db, &kept, e) : rc;
}

/* For the next session of the device. */
static void
note_after(struct session_req *r, const struct sq_noted *d)
{
	const struct bs_record *rec = &r->rec;
	bool good = is_good(rec), kept = r->outcome != NULL && sq_held_is_worth(r->outcome, good);

	if (d->device == 0 || rec->id <= d->last)
		return; /* and memory forgets it */
	r->known = (struct sq_noted){
		.device = d->device,
		.last = rec->id,
		.verdict = rec->verdict,
		.failures = sq_failures_after(d->failures, rec->verdict),
		.kept = d->kept,
		.undo = kept ? !good : d->undo,
		.given = d->given || rec->anchor != NULL || (rec->given != NULL && strcmp(rec->given, "[]") != 0),
	};
}

static enum err_code
session_run(struct store *s, struct sq_db *db, struct sq_req *base, struct err *e)
{
	struct session_req *r = CONTAINER_OF(base, struct session_req, base);
	struct sq_noted d = { 0 };
	bool noted = false;
	enum err_code rc = gbuf_check(&r->transcript, e);

	if (rc == ERR_OK && (size_t)r->rec.verdict >= BS_VERDICT__COUNT)
		rc = err_set(e, ERR_USAGE, "session: verdict %d: no such verdict", (int)r->rec.verdict);
	if (rc != ERR_OK)
		return rc;
	rc = note_as_known(s, db, r, &noted, e);
	if (noted)
		d = r->known;
	else if (rc == ERR_OK && !is_unproven(&r->rec))
		rc = find_device(db, r->rec.endpoint, &d, e);
	if (rc == ERR_OK)
		rc = insert(db, r, d.device, e);
	if (rc != ERR_OK) {
		s->broken |= noted; /* else nothing was written */
		return rc;
	}
	s->tally.counts.sessions++;
	rc = d.device == 0 ? keep_stray(s, db, e) : keep_of_device(s, db, &r->rec, &d, noted, e);
	if (rc == ERR_OK)
		rc = keep_outcome(s, db, r, &d, noted, e);
	if (rc == ERR_OK)
		rc = sweep(s, db, e);
	s->broken |= rc != ERR_OK;
	if (rc == ERR_OK)
		note_after(r, &d);
	return rc;
}

static void
session_answer(struct store *s, struct sq_req *base)
{
	struct session_req *r = CONTAINER_OF(base, struct session_req, base);

	if (base->rc == ERR_OK && !is_unproven(&r->rec))
		sq_hot_session(s->hot, &r->rec, r->outcome, &r->known);
	if (r->done != NULL)
		r->done(base->arg, base->rc, base->e);
}

static void
session_free(struct sq_req *base)
{
	struct session_req *r = CONTAINER_OF(base, struct session_req, base);

	gbuf_clear(&r->transcript);
	sq_outcome_free(r->outcome);
	free(r);
}

static const struct sq_req_kind session_kind = { session_run, NULL, session_answer, session_free };

/* One block for the request and the record's strings. */
static struct session_req *
copy_record(const struct bs_record *rec, void *arg)
{
	struct bs_record from = *rec;
	size_t len[SQ_RECORD_STRINGS], total = 0;

	for (size_t i = 0; i < SQ_RECORD_STRINGS; i++) {
		const char *text = *sq_record_string(&from, i);
		len[i] = text == NULL ? 0 : strlen(text) + 1;
		total += len[i];
	}
	struct session_req *r = sq_req_new(sizeof *r + total, &session_kind, arg);
	char *at = (char *)(r + 1);
	r->rec = from;
	r->rec.entries = NULL;
	r->rec.n_entries = 0;
	for (size_t i = 0; i < SQ_RECORD_STRINGS; i++) {
		char **text = sq_record_string(&r->rec, i);
		if (*text == NULL)
			continue;
		*text = memcpy(at, *text, len[i]);
		at += len[i];
	}
	r->base.weight = total;
	return r;
}

void
sq_session_put(struct store *s, const struct bs_record *rec, const struct store_outcome *o, store_done_fn *done,
    void *arg)
{
	struct session_req *r = copy_record(rec, arg);
	size_t guess = 64 * (rec->n_entries + 1) + rec->text_total;

	r->done = done;
	if (!is_unproven(rec))
		sq_hot_noted(s->hot, rec->endpoint, &r->known);
	if (r->known.device != 0 && is_good(rec))
		r->again = sq_hot_again(s->hot, rec, o);
	r->base.patient = true;
	(void)gbuf_room(&r->transcript, guess); /* so that it need not move while it grows */
	transcript_pack(rec, &r->transcript);
	r->base.weight += r->transcript.len;
	if (o != NULL && sq_outcome_copy(o, &r->outcome, NULL) != ERR_OK)
		r->transcript.failed = true; /* the whole is refused for want of memory */
	if (r->outcome != NULL)
		r->base.weight += sq_outcome_weight(r->outcome);
	sq_worker_submit(&s->writer, &r->base);
}
