#include "bsserver/store/sqlite_internal.h"

#include <stdlib.h>

/* Pages of the write-ahead log (4 KiB each): from here on it is copied into the file; and from
 * there on the writer waits for readers so that the log can begin anew. */
#define CHECKPOINT_PAGES 4000
#define RESTART_PAGES 65536

static enum err_code
save_seq(struct store *s, struct sq_db *db, struct err *e)
{
	if (s->tally.counts.seq == s->seq_saved)
		return ERR_OK;
	struct sq q = sq_use(db, SQ_META_PUT);
	sq_put_text(&q, "seq");
	sq_put_int(&q, (int64_t)s->tally.counts.seq);
	return sq_run(&q, e);
}

static void
publish(struct store *s)
{
	s->seq_saved = s->tally.counts.seq;
	(void)pthread_mutex_lock(&s->lock);
	s->published = s->tally.counts;
	(void)pthread_mutex_unlock(&s->lock);
}

/* A transaction from its first statement to its commit. ERR_OK: each has its own answer. */
static enum err_code
commit_all(struct store *s, struct sq_db *db, struct sq_req *first, size_t n, struct err *e)
{
	struct sq_req *r = first;
	enum err_code rc = ERR_OK;

	s->broken = false;
	for (size_t i = 0; i < n; i++, r = r->next) {
		r->rc = r->kind->run(s, db, r, e);
		if (s->broken || !sq_in_transaction(db))
			return r->rc == ERR_OK ? err_set(e, ERR_IO, "store: a transaction was lost") : r->rc;
		if (r->rc != ERR_OK)
			sq_req_fail(r, e);
	}
	rc = save_seq(s, db, e);
	return rc == ERR_OK ? sq_exec_query(db, SQ_COMMIT, e) : rc;
}

static void
fail_all(struct sq_req *first, size_t n, const struct err *e)
{
	for (struct sq_req *r = first; n > 0; n--, r = r->next) {
		if (r->kind->undo != NULL)
			r->kind->undo(r);
		sq_req_fail(r, e);
	}
}

static void
forget_all(struct sq_req *first, size_t n)
{
	for (struct sq_req *r = first; n > 0; n--, r = r->next) {
		if (r->kind->undo != NULL)
			r->kind->undo(r);
		free(r->e);
		r->e = NULL;
		r->rc = ERR_OK;
	}
}

/*
 * All in one transaction. When that fails as a whole (disk full, disk error) each gets one of its
 * own: a large one must not take the small ones with it.
 */
static void
write_group(struct store *s, struct sq_db *db, struct sq_req *first, size_t n)
{
	const struct sq_tally before = s->tally;
	struct err e = { 0 };

	if (sq_exec_query(db, SQ_BEGIN_WRITE, &e) != ERR_OK) {
		fail_all(first, n, &e);
		return;
	}
	if (commit_all(s, db, first, n, &e) == ERR_OK) {
		publish(s);
		return;
	}
	sq_rollback(db);
	s->tally = before;
	if (n == 1) {
		fail_all(first, n, &e);
		return;
	}
	forget_all(first, n);
	for (struct sq_req *r = first; n > 0; n--, r = r->next)
		write_group(s, db, r, 1);
}

void
sq_write_turn(struct sq_worker *w, struct sq_list *batch)
{
	struct store *s = w->store;

	write_group(s, &w->db, batch->head, batch->n);
	sq_mailbox_put(w->mailbox, batch);
	if (w->db.wal_pages >= CHECKPOINT_PAGES)
		sq_checkpoint(&w->db, w->db.wal_pages >= RESTART_PAGES);
}
