/*
 * bsserver/store/sqlite_db.h: one connection to the SQLite file, its prepared statements, and what
 * an error of SQLite is called here. A connection belongs to one thread at a time.
 */
#ifndef BSSERVER_STORE_SQLITE_DB_H
#define BSSERVER_STORE_SQLITE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "bsserver/store/sqlite_sql.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/secret.h"

struct crypt_box;

struct sq_db {
	struct sqlite3 *h;		    /* NULL: not open */
	struct sqlite3_stmt *st[SQ__COUNT]; /* prepared when first used */
	struct crypt_box *box;		    /* the store's key, for this thread; owned; NULL: not known yet */
	int wal_pages;			    /* length of the write-ahead log after the last commit, in pages */
};

/* The file must be there. ERR_IO when it cannot be opened. */
enum err_code sq_open(struct sq_db *db, const char *path, unsigned cache_kib, struct err *e);
void sq_close(struct sq_db *db); /* safe on zeros, and twice */

/* Statements that give no rows, or whose rows do not matter. */
enum err_code sq_exec(struct sq_db *db, const char *sql, struct err *e);
/* The number in the first column of the first row; 0 when there is none. */
enum err_code sq_number(struct sq_db *db, const char *sql, int64_t *out, struct err *e);
/* One statement with one text, once. */
enum err_code sq_exec_with(struct sq_db *db, const char *sql, const char *text, struct err *e);
enum err_code sq_exec_query(struct sq_db *db, enum sq_query q, struct err *e);

/* False: there is none, or an error has undone it. */
bool sq_in_transaction(const struct sq_db *db);
void sq_rollback(struct sq_db *db); /* when there is one */
uint64_t sq_changes(const struct sq_db *db); /* rows, by the last statement */
int64_t sq_last_id(const struct sq_db *db);  /* of the last row inserted */
/* Was the last failure that a primary key is there already? */
bool sq_was_duplicate(const struct sq_db *db);
/* Copies the log into the file; restart: waits for readers, so that the log begins anew. Best effort. */
void sq_checkpoint(struct sq_db *db, bool restart);
/* Of the whole process, before the first sq_open(). */
void sq_configure(void);

/* A statement in use: parameters are bound one after the other, columns read one after the other. */
struct sq {
	struct sq_db *db;
	struct sqlite3_stmt *st;
	int param, column;
	int rc;	     /* sticky: the first failure of preparing or binding */
	bool nomem; /* sticky: of sq_get_dup() */
};

struct sq sq_use(struct sq_db *db, enum sq_query q);
/* Texts and blobs are borrowed until sq_run() or sq_end(). NULL is SQL's NULL. */
void sq_put_text(struct sq *q, const char *s);
void sq_put_blob(struct sq *q, const void *p, size_t n);
void sq_put_int(struct sq *q, int64_t v);
/* Runs to the end and ends. */
enum err_code sq_run(struct sq *q, struct err *e);
/* The next row; *row false: there is none. sq_end() must follow in any case. */
enum err_code sq_step(struct sq *q, bool *row, struct err *e);
void sq_end(struct sq *q);
/* sq_use, one text, one step. */
enum err_code sq_find(struct sq *q, struct sq_db *db, enum sq_query which, const char *key, bool *row, struct err *e);

int64_t sq_get_int(struct sq *q);
const char *sq_get_text(struct sq *q); /* valid until the next step; NULL for NULL */
char *sq_get_dup(struct sq *q);	       /* NULL for NULL; nomem when memory is short */
const void *sq_get_blob(struct sq *q, size_t *n);
void sq_skip(struct sq *q, int columns);

#endif
