#include "bsserver/store/sqlite_db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "lib/base/crypt.h"
#include "lib/base/str.h"

static enum err_code
sq_error(struct sq_db *db, int rc, struct err *e)
{
	const char *text = db->h == NULL ? sqlite3_errstr(rc) : sqlite3_errmsg(db->h);
	int errnum = db->h == NULL ? 0 : sqlite3_system_errno(db->h);

	switch (rc & 0xff) {
	case SQLITE_FULL:
		return err_set(e, ERR_IO, "store: the disk is full, nothing of this was kept");
	case SQLITE_IOERR:
		if (errnum == ENOSPC || errnum == EDQUOT)
			return err_set(e, ERR_IO, "store: the disk is full, nothing of this was kept");
		if (errnum == 0)
			return err_set(e, ERR_IO, "store: %s, nothing of this was kept", text);
		return err_set(e, ERR_IO, "store: %s (%s), nothing of this was kept", text, strerror(errnum));
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(e, ERR_IO, "store: the file is damaged: %s", text);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(e, ERR_BUSY, "store: %s", text);
	case SQLITE_NOMEM:
		return err_no_memory(e);
	case SQLITE_TOOBIG:
		return err_set(e, ERR_LIMIT, "store: %s", text);
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return err_set(e, ERR_IO, "store: %s", text);
	default:
		return err_set(e, ERR_INTERNAL, "store: %s", text);
	}
}

static enum err_code
set_pragmas(struct sq_db *db, unsigned cache_kib, struct err *e)
{
	char sql[256];

	(void)snprintf(sql, sizeof sql,
	    "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;"
	    "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-%u; PRAGMA synchronous=FULL;"
	    "PRAGMA wal_autocheckpoint=0;",
	    cache_kib);
	return sq_exec(db, sql, e);
}

static int
on_wal(void *arg, sqlite3 *h, const char *name, int pages)
{
	struct sq_db *db = arg;

	(void)h;
	(void)name;
	db->wal_pages = pages;
	return SQLITE_OK;
}

enum err_code
sq_open(struct sq_db *db, const char *path, unsigned cache_kib, struct err *e)
{
	*db = (struct sq_db){ 0 };
	int rc = sqlite3_open_v2(path, &db->h,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE, NULL);
	enum err_code code = rc == SQLITE_OK ? ERR_OK : sq_error(db, rc, e);
	if (code == ERR_OK) {
		(void)sqlite3_busy_timeout(db->h, 5000);
		(void)sqlite3_db_config(db->h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		/* plans do not depend on what is bound: otherwise a statement that a partial index
		 * might serve is parsed anew each time */
		(void)sqlite3_db_config(db->h, SQLITE_DBCONFIG_ENABLE_QPSG, 1, NULL);
		code = set_pragmas(db, cache_kib, e);
		(void)sqlite3_wal_hook(db->h, on_wal, db); /* after wal_autocheckpoint, which takes it away */
	}
	if (code != ERR_OK) {
		sq_close(db);
		return err_wrap(e, "%s", path);
	}
	return ERR_OK;
}

void
sq_close(struct sq_db *db)
{
	for (size_t i = 0; i < SQ__COUNT; i++) {
		(void)sqlite3_finalize(db->st[i]);
		db->st[i] = NULL;
	}
	(void)sqlite3_close(db->h);
	db->h = NULL;
	crypt_box_free(db->box);
	db->box = NULL;
}

bool
sq_in_transaction(const struct sq_db *db)
{
	return sqlite3_get_autocommit(db->h) == 0;
}

void
sq_rollback(struct sq_db *db)
{
	if (sq_in_transaction(db))
		(void)sqlite3_exec(db->h, "ROLLBACK", NULL, NULL, NULL);
}

uint64_t
sq_changes(const struct sq_db *db)
{
	return (uint64_t)sqlite3_changes64(db->h);
}

int64_t
sq_last_id(const struct sq_db *db)
{
	return sqlite3_last_insert_rowid(db->h);
}

bool
sq_was_duplicate(const struct sq_db *db)
{
	return sqlite3_extended_errcode(db->h) == SQLITE_CONSTRAINT_PRIMARYKEY;
}

void
sq_checkpoint(struct sq_db *db, bool restart)
{
	/* when it fails, everything is still in the log, and the next one tries again */
	(void)sqlite3_wal_checkpoint_v2(
	    db->h, NULL, restart ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

void
sq_configure(void)
{
	/* fails when SQLite runs already; it is only a matter of speed */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

enum err_code
sq_exec(struct sq_db *db, const char *sql, struct err *e)
{
	int rc = sqlite3_exec(db->h, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? ERR_OK : sq_error(db, rc, e);
}

enum err_code
sq_number(struct sq_db *db, const char *sql, int64_t *out, struct err *e)
{
	sqlite3_stmt *st = NULL;
	enum err_code code = ERR_OK;

	*out = 0;
	int rc = sqlite3_prepare_v2(db->h, sql, -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	else if (rc != SQLITE_DONE)
		code = sq_error(db, rc, e);
	(void)sqlite3_finalize(st);
	return code;
}

enum err_code
sq_exec_with(struct sq_db *db, const char *sql, const char *text, struct err *e)
{
	sqlite3_stmt *st = NULL;

	int rc = sqlite3_prepare_v2(db->h, sql, -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(st, 1, text, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	enum err_code code = rc == SQLITE_DONE || rc == SQLITE_ROW ? ERR_OK : sq_error(db, rc, e);
	(void)sqlite3_finalize(st);
	return code;
}

enum err_code
sq_exec_query(struct sq_db *db, enum sq_query which, struct err *e)
{
	struct sq q = sq_use(db, which);

	return sq_run(&q, e);
}

struct sq
sq_use(struct sq_db *db, enum sq_query q)
{
	int rc = SQLITE_OK;

	if (db->st[q] == NULL)
		rc = sqlite3_prepare_v3(db->h, sq_sql(q), -1, SQLITE_PREPARE_PERSISTENT, &db->st[q], NULL);
	return (struct sq){ .db = db, .st = db->st[q], .rc = rc };
}

static void
bound(struct sq *q, int rc)
{
	if (q->rc == SQLITE_OK)
		q->rc = rc;
}

void
sq_put_text(struct sq *q, const char *s)
{
	bound(q, sqlite3_bind_text(q->st, ++q->param, s, -1, SQLITE_STATIC));
}

void
sq_put_blob(struct sq *q, const void *p, size_t n)
{
	bound(q, sqlite3_bind_blob64(q->st, ++q->param, p, n, SQLITE_STATIC));
}

void
sq_put_int(struct sq *q, int64_t v)
{
	bound(q, sqlite3_bind_int64(q->st, ++q->param, v));
}

enum err_code
sq_step(struct sq *q, bool *row, struct err *e)
{
	*row = false;
	q->column = 0;
	int rc = q->rc != SQLITE_OK ? q->rc : sqlite3_step(q->st);
	if (rc == SQLITE_ROW)
		*row = true;
	else if (rc != SQLITE_DONE)
		return sq_error(q->db, rc, e);
	return ERR_OK;
}

void
sq_end(struct sq *q)
{
	if (q->st == NULL)
		return;
	(void)sqlite3_reset(q->st); /* gives the step's error again: that was reported */
	(void)sqlite3_clear_bindings(q->st);
}

enum err_code
sq_run(struct sq *q, struct err *e)
{
	bool row = true;
	enum err_code rc = ERR_OK;

	while (rc == ERR_OK && row)
		rc = sq_step(q, &row, e);
	sq_end(q);
	return rc;
}

enum err_code
sq_find(struct sq *q, struct sq_db *db, enum sq_query which, const char *key, bool *row, struct err *e)
{
	*q = sq_use(db, which);
	sq_put_text(q, key);
	return sq_step(q, row, e);
}

int64_t
sq_get_int(struct sq *q)
{
	return sqlite3_column_int64(q->st, q->column++);
}

const char *
sq_get_text(struct sq *q)
{
	return (const char *)sqlite3_column_text(q->st, q->column++);
}

char *
sq_get_dup(struct sq *q)
{
	int at = q->column++;
	const char *text = (const char *)sqlite3_column_text(q->st, at);

	if (text == NULL) {
		q->nomem |= sqlite3_column_type(q->st, at) != SQLITE_NULL;
		return NULL;
	}
	char *copy = str_dup_n(text, (size_t)sqlite3_column_bytes(q->st, at));
	q->nomem |= copy == NULL;
	return copy;
}

const void *
sq_get_blob(struct sq *q, size_t *n)
{
	int at = q->column++;
	const void *p = sqlite3_column_blob(q->st, at);

	*n = (size_t)sqlite3_column_bytes(q->st, at);
	return p;
}

void
sq_skip(struct sq *q, int columns)
{
	q->column += columns;
}
