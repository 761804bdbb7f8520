#include "bsserver/store/sqlite_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/store/transcript.h"

static enum err_code
complete(const struct sq *q, struct err *e)
{
	return q->nomem ? err_no_memory(e) : ERR_OK;
}

enum err_code
sq_row_device(struct sq *q, struct store_device *d, struct err *e)
{
	d->endpoint = sq_get_dup(q);
	d->doc = sq_get_dup(q);
	d->revision = (uint64_t)sq_get_int(q);
	d->state = (enum store_state)sq_get_int(q);
	d->created_ms = sq_get_int(q);
	d->updated_ms = sq_get_int(q);
	d->compiled_key = sq_get_dup(q);
	d->last_session = (uint64_t)sq_get_int(q);
	d->last_verdict = (enum bs_verdict)sq_get_int(q);
	d->last_reason = (enum bs_reason)sq_get_int(q);
	d->last_ended_ms = sq_get_int(q);
	d->remembered_format = (int)sq_get_int(q);
	d->confirmed_revision = (uint64_t)sq_get_int(q);
	d->failures = (uint32_t)sq_get_int(q);
	return complete(q, e);
}

enum err_code
sq_row_profile(struct sq *q, struct store_profile *p, struct err *e)
{
	p->name = sq_get_dup(q);
	p->doc = sq_get_dup(q);
	p->revision = (uint64_t)sq_get_int(q);
	p->updated_ms = sq_get_int(q);
	return complete(q, e);
}

char **
sq_record_string(struct bs_record *r, size_t i)
{
	char **const all[] = { &r->endpoint, &r->peer, &r->credential, &r->rule, &r->profile,
		&r->fingerprints, &r->detail, &r->unconfirmed, &r->anchor, &r->given };

	_Static_assert(N_ELEMS(all) == SQ_RECORD_STRINGS, "the columns behind path");
	return all[i];
}

static enum err_code
read_transcript(struct sq *q, struct store_session_row *row, struct err *e)
{
	struct bs_record entries = { 0 };
	struct gbuf json = { 0 };
	size_t n;
	const void *packed = sq_get_blob(q, &n);

	enum err_code rc = transcript_unpack(packed, n, &entries, e);
	if (rc == ERR_OK) {
		bs_record_transcript_json(&entries, &json);
		rc = gbuf_check(&json, e);
	}
	bs_record_clear(&entries);
	if (rc != ERR_OK) {
		gbuf_clear(&json);
		return err_wrap(e, "store: session %llu", (unsigned long long)row->rec.id);
	}
	row->transcript = (char *)json.data; /* from malloc(), with a NUL behind */
	return ERR_OK;
}

enum err_code
sq_row_session(struct sq *q, struct store_session_row *row, bool transcript, struct err *e)
{
	struct bs_record *r = &row->rec;

	r->id = (uint64_t)sq_get_int(q);
	r->verdict = (enum bs_verdict)sq_get_int(q);
	r->step = (enum bs_step)sq_get_int(q);
	r->reason = (enum bs_reason)sq_get_int(q);
	r->code = (uint8_t)sq_get_int(q);
	r->used_format = (int)sq_get_int(q);
	r->revision = (uint64_t)sq_get_int(q);
	r->started_ms = sq_get_int(q);
	r->ended_ms = sq_get_int(q);
	r->exchanges = (unsigned)sq_get_int(q);
	r->entries_dropped = (unsigned)sq_get_int(q);
	const char *path = sq_get_text(q);
	(void)snprintf(r->path, sizeof r->path, "%s", path == NULL ? "" : path);
	for (size_t i = 0; i < SQ_RECORD_STRINGS; i++)
		*sq_record_string(r, i) = sq_get_dup(q);
	enum err_code rc = complete(q, e);
	return rc == ERR_OK && transcript ? read_transcript(q, row, e) : rc;
}

enum err_code
sq_row_audit(struct sq *q, struct store_audit_row *r, struct err *e)
{
	r->seq = (uint64_t)sq_get_int(q);
	r->at_ms = sq_get_int(q);
	r->actor = sq_get_dup(q);
	r->action = sq_get_dup(q);
	r->object = sq_get_dup(q);
	r->detail = sq_get_dup(q);
	r->reason = sq_get_dup(q);
	return complete(q, e);
}

static enum err_code
read_cred(struct sq *q, enum sq_kind kind, const char *owner,
    struct store_credential *c, struct err *e)
{
	size_t n;

	c->owner = strdup(owner);
	c->slot = sq_get_dup(q);
	c->identity = sq_get_dup(q);
	const char *fingerprint = sq_get_text(q);
	(void)snprintf(c->fingerprint, sizeof c->fingerprint, "%s", fingerprint == NULL ? "" : fingerprint);
	c->revision = (uint64_t)sq_get_int(q);
	c->generated = sq_get_int(q) != 0;
	const void *sealed = sq_get_blob(q, &n);
	if (q->nomem || c->owner == NULL || c->slot == NULL)
		return err_no_memory(e);
	return sq_unseal(q->db, "credential", kind, owner, c->slot, sealed, n, &c->key, e);
}

enum err_code
sq_creds_load(struct sq_db *db, enum sq_kind kind, const char *owner,
    struct sq_creds *out, struct err *e)
{
	struct sq q = sq_use(db, SQ_CRED_LIST);
	bool row = false;

	sq_put_int(&q, kind);
	sq_put_text(&q, owner);
	enum err_code rc;
	while ((rc = sq_step(&q, &row, e)) == ERR_OK && row) {
		struct store_credential *v = grow(out->v, out->n, &out->cap, sizeof *v);
		if (v == NULL) {
			rc = err_no_memory(e);
			break;
		}
		out->v = v;
		v[out->n] = (struct store_credential){ 0 };
		rc = read_cred(&q, kind, owner, &v[out->n++], e);
		if (rc != ERR_OK)
			break;
	}
	sq_end(&q);
	return rc;
}

void
sq_creds_clear(struct sq_creds *c)
{
	for (size_t i = 0; i < c->n; i++)
		store_credential_clear(&c->v[i]);
	free(c->v);
	*c = (struct sq_creds){ 0 };
}
