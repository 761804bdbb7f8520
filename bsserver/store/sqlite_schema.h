/*
 * bsserver/store/sqlite_schema.h: the tables of the SQLite file, how they came to be, and whose file
 * it is. The schema's number is the file's user_version.
 */
#ifndef BSSERVER_STORE_SQLITE_SCHEMA_H
#define BSSERVER_STORE_SQLITE_SCHEMA_H

#include "bsserver/store/sqlite_db.h"
#include "lib/base/crypt.h"

/* steps[i] brings schema i to i + 1; 0 is an empty file. */
struct sq_schema {
	const char *const *steps;
	unsigned n;
};
extern const struct sq_schema sq_schema;

/*
 * Brings the file to schema s->n in one transaction; a file that has a schema already is copied to
 * PATH.schema-N before. ERR_INVALID: somebody else's database. ERR_UNSUPPORTED: newer than s->n.
 */
enum err_code sq_schema_bring_up(struct sq_db *db, const char *path, const struct sq_schema *s, struct err *e);

/* The id of the key that the file is sealed with; "" when nothing says. */
enum err_code sq_key_id_get(struct sq_db *db, char out[CRYPT_ID_LEN + 1], struct err *e);
enum err_code sq_key_id_put(struct sq_db *db, const char *id, struct err *e);
enum err_code sq_has_sealed(struct sq_db *db, bool *out, struct err *e);

#endif
