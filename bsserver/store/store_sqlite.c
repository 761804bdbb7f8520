#include "bsserver/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bsserver/store/sqlite_internal.h"
#include "bsserver/store/sqlite_schema.h"

#define WRITER_CACHE_KIB 8192
#define GETTER_CACHE_KIB 8192
#define LISTER_CACHE_KIB 2048

static const char scheme[] = "sqlite:";

struct counts_req {
	struct sq_req base;
	struct store_counts counts;
	store_counts_fn *done;
};

static const char *
path_of(const char *uri)
{
	return uri == NULL || strncmp(uri, scheme, sizeof scheme - 1) != 0 ? "" : uri + sizeof scheme - 1;
}

/* One process at a time: what auth knows is kept true by this process's own changes. */
static enum err_code
lock_store(struct store *s, const char *path, struct err *e)
{
	char name[4096 + 8];

	int n = snprintf(name, sizeof name, "%s.lock", path);
	if (n < 0 || (size_t)n >= sizeof name)
		return err_set(e, ERR_RANGE, "%s: name too long", path);
	s->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0)
		return err_errno(e, errno, "%s", name);
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? err_set(e, ERR_BUSY, "%s: another process has this store open", path)
					    : err_errno(e, errno, "%s", name);
	return ERR_OK;
}

/* The file's mode is that of its log and its index as well: SQLite copies it. */
static enum err_code
make_file(const char *path, bool create, struct err *e)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600);
	if (fd < 0)
		return err_errno(e, errno, "store %s", path);
	enum err_code rc = fchmod(fd, 0600) < 0 ? err_errno(e, errno, "store %s", path) : ERR_OK;
	(void)close(fd);
	return rc;
}

/* Whose key: the store says which it was sealed with, and whether that matters. */
static enum err_code
check_key(struct store *s, struct sq_db *db, const struct store_conf *c, struct err *e)
{
	char of_store[CRYPT_ID_LEN + 1] = "", of_file[CRYPT_ID_LEN + 1] = "";
	const char *path = path_of(c->uri);
	bool sealed = false;

	enum err_code rc = sq_key_id_get(db, of_store, e);
	if (rc == ERR_OK)
		rc = sq_has_sealed(db, &sealed, e);
	if (rc != ERR_OK)
		return err_wrap(e, "%s", path);
	rc = store_key_load(c->key_file, &s->key, e);
	if (rc == ERR_NOT_FOUND && of_store[0] != 0)
		return err_set(e, ERR_REFUSED, "%s: sealed with key %s, and there is no key in %s", path, of_store,
		    c->key_file);
	if (rc == ERR_OK)
		rc = crypt_key_id(&s->key, of_file, e);
	if (rc != ERR_OK || strcmp(of_store, of_file) == 0)
		return rc;
	if (sealed)
		return err_set(e, ERR_REFUSED, "%s: sealed with key %s, and %s is key %s", path,
		    of_store[0] == 0 ? "(unknown)" : of_store, c->key_file, of_file);
	return sq_key_id_put(db, of_file, e);
}

static enum err_code
count_all(struct store *s, struct sq_db *db, struct err *e)
{
	struct store_counts *c = &s->tally.counts;
	char sql[96];
	const struct {
		const char *sql;
		uint64_t *out;
	} numbers[] = {
		{ "SELECT value FROM meta WHERE name = 'seq'", &c->seq },
		{ "SELECT count(*) FROM device", &c->devices },
		{ "SELECT count(*) FROM profile", &c->profiles },
		{ "SELECT count(*) FROM session", &c->sessions },
		{ "SELECT count(*) FROM session WHERE device = 0", &s->tally.strays },
	};

	for (size_t i = 0; i < N_ELEMS(numbers) + BS_VERDICT__COUNT; i++) {
		int64_t v;
		size_t verdict = i - N_ELEMS(numbers);
		(void)snprintf(sql, sizeof sql, "SELECT count(*) FROM device_session WHERE verdict = %zu", verdict);
		enum err_code rc = sq_number(db, i < N_ELEMS(numbers) ? numbers[i].sql : sql, &v, e);
		if (rc != ERR_OK)
			return rc;
		*(i < N_ELEMS(numbers) ? numbers[i].out : &c->by_verdict[verdict]) = (uint64_t)v;
	}
	s->seq_saved = c->seq;
	s->published = *c;
	return ERR_OK;
}

static void
read_turn(struct sq_worker *w, struct sq_list *batch)
{
	struct err e;
	enum err_code rc = sq_exec_query(&w->db, SQ_BEGIN_READ, &e);

	for (struct sq_req *r = batch->head; r != NULL; r = r->next) {
		if (rc == ERR_OK)
			r->rc = r->kind->run(w->store, &w->db, r, &e);
		if (rc != ERR_OK || r->rc != ERR_OK)
			sq_req_fail(r, &e);
	}
	(void)sq_exec_query(&w->db, SQ_COMMIT, NULL); /* of a read: nothing that could be lost */
	sq_mailbox_put(w->mailbox, batch);
}

static enum err_code
start_workers(struct store *s, const char *path, unsigned max_queue, struct err *e)
{
	const struct {
		struct sq_worker *w;
		sq_turn_fn *turn;
		size_t batch;
		unsigned cache_kib;
	} rows[] = {
		{ &s->writer, sq_write_turn, 2048, WRITER_CACHE_KIB },
		{ &s->getter, read_turn, 64, GETTER_CACHE_KIB },
		{ &s->lister, read_turn, 1, LISTER_CACHE_KIB },
	};
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < N_ELEMS(rows); i++) {
		struct sq_worker *w = rows[i].w;
		w->store = s;
		w->mailbox = s->mailbox;
		w->turn = rows[i].turn;
		w->batch_max = rows[i].batch;
		w->waiting_max = max_queue == 0 ? 65536 : max_queue;
		if (w->db.h == NULL)
			rc = sq_open(&w->db, path, rows[i].cache_kib, e);
		if (rc == ERR_OK && w->db.box == NULL)
			rc = crypt_box_new(&s->key, &w->db.box, e);
		if (rc == ERR_OK)
			rc = sq_worker_start(w, e);
	}
	return rc;
}

static void
flush_workers(struct store *s)
{
	sq_worker_flush(&s->writer);
	sq_worker_flush(&s->getter);
	sq_worker_flush(&s->lister);
}

static void
sqlite_close(struct store *s)
{
	if (s == NULL)
		return;
	sq_worker_stop(&s->writer);
	sq_worker_stop(&s->getter);
	sq_worker_stop(&s->lister);
	sq_mailbox_close(s->mailbox);
	sq_close(&s->lister.db);
	sq_close(&s->getter.db);
	sq_close(&s->writer.db); /* the last one copies the log into the file */
	if (s->lock_fd >= 0)
		(void)close(s->lock_fd);
	sq_hot_free(s->hot);
	secret_clear(&s->key);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

/* The file, its schema, its key; then everything in it is told. */
static enum err_code
open_file(struct store *s, const struct store_conf *c, struct err *e)
{
	const char *path = path_of(c->uri);
	struct sq_db *db = &s->writer.db;

	enum err_code rc = lock_store(s, path, e);
	if (rc == ERR_OK)
		rc = make_file(path, c->create, e);
	if (rc == ERR_OK)
		rc = sq_open(db, path, WRITER_CACHE_KIB, e);
	if (rc == ERR_OK)
		rc = sq_schema_bring_up(db, path, &sq_schema, e);
	if (rc == ERR_OK)
		rc = sq_exec(db, "PRAGMA journal_mode=WAL", e);
	if (rc == ERR_OK)
		rc = check_key(s, db, c, e);
	if (rc == ERR_OK)
		rc = crypt_box_new(&s->key, &db->box, e);
	if (rc == ERR_OK)
		rc = count_all(s, db, e);
	if (rc == ERR_OK)
		rc = sq_feed_all(s, db, e);
	return rc;
}

static enum err_code
sqlite_open(const struct store_conf *c, struct loop *l, store_feed_fn *feed, void *feed_arg, struct store **out,
    struct err *e)
{
	const char *path = path_of(c->uri);
	struct err own;

	if (e == NULL)
		e = &own; /* err_wrap() keeps the code there */
	if (path[0] == 0)
		return err_set(e, ERR_USAGE, "store \"%s\": not sqlite:FILE", c->uri == NULL ? "" : c->uri);
	sq_configure();
	struct store *s = calloc(1, sizeof *s);
	if (s == NULL)
		return err_no_memory(e);
	s->lock_fd = -1;
	s->loop = l;
	s->feed = feed;
	s->feed_arg = feed_arg;
	s->max_sessions = c->max_sessions == 0 ? 20 : c->max_sessions;
	s->max_strays = c->max_stray_sessions == 0 ? 5000 : c->max_stray_sessions;
	s->max_held = c->max_held == 0 ? 10 : c->max_held;
	s->hot = sq_hot_new(c->max_hot == 0 ? SQ_HOT_OCTETS : c->max_hot, s->max_sessions);
	(void)pthread_mutex_init(&s->lock, NULL);
	enum err_code rc = sq_mailbox_new(s, l, flush_workers, &s->mailbox, e);
	if (rc == ERR_OK)
		rc = open_file(s, c, e);
	if (rc == ERR_OK)
		rc = start_workers(s, path, c->max_queue, e);
	if (rc != ERR_OK) {
		sqlite_close(s);
		return rc;
	}
	*out = s;
	return ERR_OK;
}

static void
counts_answer(struct store *s, struct sq_req *base)
{
	struct counts_req *r = CONTAINER_OF(base, struct counts_req, base);

	(void)s;
	r->done(base->arg, base->rc, base->e, base->rc == ERR_OK ? &r->counts : NULL);
}

static enum err_code
counts_run(struct store *s, struct sq_db *db, struct sq_req *base, struct err *e)
{
	(void)db;
	(void)e;
	(void)pthread_mutex_lock(&s->lock);
	CONTAINER_OF(base, struct counts_req, base)->counts = s->published;
	(void)pthread_mutex_unlock(&s->lock);
	return ERR_OK;
}

static void
counts_free(struct sq_req *base)
{
	free(CONTAINER_OF(base, struct counts_req, base));
}

static const struct sq_req_kind counts_kind = { counts_run, NULL, counts_answer, counts_free };

static void
sqlite_counts(struct store *s, store_counts_fn *done, void *arg)
{
	struct counts_req *r = sq_req_new(sizeof *r, &counts_kind, arg);

	r->done = done;
	sq_worker_submit(&s->getter, &r->base);
}

struct settle_req {
	struct sq_req base;
	store_done_fn *done;
};

static void
settle_answer(struct store *s, struct sq_req *base)
{
	(void)s;
	CONTAINER_OF(base, struct settle_req, base)->done(base->arg, base->rc, base->e);
}

static enum err_code
settle_run(struct store *s, struct sq_db *db, struct sq_req *base, struct err *e)
{
	(void)s, (void)db, (void)base, (void)e;
	return ERR_OK;
}

static void
settle_free(struct sq_req *base)
{
	free(CONTAINER_OF(base, struct settle_req, base));
}

static const struct sq_req_kind settle_kind = { settle_run, NULL, settle_answer, settle_free };

static void
sqlite_settle(struct store *s, store_done_fn *done, void *arg)
{
	struct settle_req *r = sq_req_new(sizeof *r, &settle_kind, arg);

	r->done = done;
	sq_worker_submit(s->writer.waiting > 0 ? &s->writer : &s->getter, &r->base);
}

static enum err_code
sqlite_fingerprint(struct store *s, const struct secret *key, char out[CRYPT_FP_LEN + 1], struct err *e)
{
	return crypt_fingerprint(&s->key, key->data, key->len, out, e);
}

const struct store_ops store_sqlite = {
	.name = "sqlite",
	.open = sqlite_open,
	.close = sqlite_close,
	.apply = sq_apply,
	.device_get = sq_device_get,
	.device_look = sq_device_look,
	.device_list = sq_device_list,
	.compiled_put = sq_compiled_put,
	.profile_list = sq_profile_list,
	.profile_get = sq_profile_get,
	.profile_history = sq_profile_history,
	.device_history = sq_device_history,
	.session_put = sq_session_put,
	.session_list = sq_session_list,
	.session_get = sq_session_get,
	.held_list = sq_held_list,
	.held_get = sq_held_get,
	.anchor_list = sq_anchor_list,
	.given_list = sq_given_list,
	.handoff_put = sq_handoff_put,
	.handoff_rm = sq_handoff_rm,
	.handoff_list = sq_handoff_list,
	.audit_list = sq_audit_list,
	.note_put = sq_note_put,
	.note_list = sq_note_list,
	.counts = sqlite_counts,
	.settle = sqlite_settle,
	.fingerprint = sqlite_fingerprint,
};
