#include "bsserver/store/sqlite_schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bsserver/store/store.h"
#include "lib/base/util.h"

#define APPLICATION_ID 0x62737374 /* "bsst" */

/*
 * device.extends: names between ends of line, from the document, so that a list by profile reads no
 * document. device_session is apart from device because it changes with every session and a document
 * is long. session.device 0: of a peer that did not prove to be a device of ours.
 */
static const char schema_1[] =
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE device(id INTEGER PRIMARY KEY, endpoint TEXT NOT NULL UNIQUE, extends TEXT,"
    " state INTEGER NOT NULL, revision INTEGER NOT NULL, created_ms INTEGER NOT NULL,"
    " updated_ms INTEGER NOT NULL, compiled_key TEXT, doc TEXT NOT NULL, compiled BLOB);"
    "CREATE TABLE device_session(device INTEGER PRIMARY KEY, last_session INTEGER NOT NULL,"
    " verdict INTEGER NOT NULL, reason INTEGER NOT NULL, ended_ms INTEGER NOT NULL,"
    " format INTEGER NOT NULL, confirmed INTEGER NOT NULL, failures INTEGER NOT NULL,"
    " kept INTEGER NOT NULL);"
    "CREATE TABLE profile(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL,"
    " updated_ms INTEGER NOT NULL, doc TEXT NOT NULL);"
    "CREATE TABLE history(kind INTEGER NOT NULL, name TEXT NOT NULL, revision INTEGER NOT NULL,"
    " updated_ms INTEGER NOT NULL, doc TEXT NOT NULL, PRIMARY KEY(kind, name, revision));"
    "CREATE TABLE credential(kind INTEGER NOT NULL, owner TEXT NOT NULL, slot TEXT NOT NULL,"
    " identity TEXT, fingerprint TEXT NOT NULL, revision INTEGER NOT NULL, generated INTEGER NOT NULL,"
    " sealed BLOB NOT NULL, PRIMARY KEY(kind, owner, slot)) WITHOUT ROWID;"
    "CREATE UNIQUE INDEX credential_identity ON credential(identity)"
    " WHERE kind = 0 AND slot = '" STORE_SLOT_BOOTSTRAP "';"
    "CREATE TABLE session(id INTEGER PRIMARY KEY, device INTEGER NOT NULL, verdict INTEGER NOT NULL,"
    " step INTEGER NOT NULL, reason INTEGER NOT NULL, code INTEGER NOT NULL,"
    " used_format INTEGER NOT NULL, revision INTEGER NOT NULL, started_ms INTEGER NOT NULL,"
    " ended_ms INTEGER NOT NULL, exchanges INTEGER NOT NULL, dropped INTEGER NOT NULL, path TEXT,"
    " endpoint TEXT, peer TEXT, credential TEXT, rule TEXT, profile TEXT, fingerprints TEXT,"
    " detail TEXT, unconfirmed TEXT, transcript BLOB NOT NULL);"
    "CREATE INDEX session_device ON session(device, id, ended_ms, verdict);" /* so that the last day is counted in it */
    "CREATE INDEX session_stray ON session(endpoint) WHERE device = 0;"
    "CREATE TABLE audit(seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, actor TEXT NOT NULL,"
    " action TEXT NOT NULL, object TEXT NOT NULL, detail TEXT, reason TEXT);";

/* held: what sessions left; wish: see struct store_wish. */
static const char schema_2[] =
    "CREATE TABLE held(session INTEGER PRIMARY KEY, device INTEGER NOT NULL, last_session INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL, started_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, good INTEGER NOT NULL,"
    " restored INTEGER NOT NULL, revision INTEGER NOT NULL, seen INTEGER NOT NULL, likeness INTEGER NOT NULL,"
    " profile TEXT, fingerprints TEXT, expiries TEXT, links TEXT, vals TEXT, findings TEXT, wrote BLOB);"
    "CREATE INDEX held_device ON held(device, good, session);"
    "CREATE TABLE wish(device INTEGER NOT NULL, kind INTEGER NOT NULL, number INTEGER NOT NULL,"
    " asked_ms INTEGER NOT NULL, actor TEXT NOT NULL, profile TEXT, session INTEGER NOT NULL,"
    " with_credentials INTEGER NOT NULL, done_session INTEGER NOT NULL, done_revision INTEGER NOT NULL,"
    " PRIMARY KEY(device, kind)) WITHOUT ROWID;";

/*
 * withdrawn: keys that are in no document any more (struct store_withdrawn). revoked: certificates,
 * whoever has them.
 */
static const char schema_3[] =
    "CREATE TABLE withdrawn(kind INTEGER NOT NULL, owner TEXT NOT NULL, fingerprint TEXT NOT NULL,"
    " slot TEXT NOT NULL, why INTEGER NOT NULL, number INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
    " actor TEXT NOT NULL, PRIMARY KEY(kind, owner, fingerprint)) WITHOUT ROWID;"
    "CREATE INDEX withdrawn_key ON withdrawn(fingerprint);"
    "CREATE TABLE revoked(sha256 TEXT PRIMARY KEY, number INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
    " detail TEXT) WITHOUT ROWID;";

/*
 * anchor: what operators said of trust anchors. given: which anchor each device last came under (kind
 * 'under'), and which certificates it was given (the kinds of handout.h), of the last session that
 * ended well and of those since that wrote.
 */
static const char schema_4[] =
    "CREATE TABLE anchor(sha256 TEXT PRIMARY KEY, trust TEXT NOT NULL, retired INTEGER NOT NULL,"
    " number INTEGER NOT NULL, at_ms INTEGER NOT NULL, actor TEXT NOT NULL, der BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE given(id INTEGER PRIMARY KEY, device INTEGER NOT NULL, kind TEXT NOT NULL,"
    " path TEXT NOT NULL, sha256 TEXT NOT NULL, subject TEXT, not_after INTEGER,"
    " session INTEGER NOT NULL, at_ms INTEGER NOT NULL, UNIQUE(device, kind, path, sha256));"
    "CREATE INDEX given_sha256 ON given(sha256, kind);"
    "CREATE INDEX given_end ON given(not_after);"
    "ALTER TABLE session ADD COLUMN anchor TEXT;"
    "ALTER TABLE session ADD COLUMN given TEXT;";

/* Where sessions put what cannot be read again. */
static const char schema_5[] = "ALTER TABLE held ADD COLUMN placed TEXT;";

/* note: see struct store_note. */
static const char schema_6[] =
    "CREATE TABLE note(kind INTEGER NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL,"
    " text TEXT NOT NULL, PRIMARY KEY(kind, name, number)) WITHOUT ROWID;";

/* handoff: see struct store_handoff. It outlives its device until the LwM2M Server has forgotten it. */
static const char schema_7[] =
    "CREATE TABLE handoff(endpoint TEXT NOT NULL, target TEXT NOT NULL, server TEXT NOT NULL,"
    " ssid INTEGER NOT NULL, state INTEGER NOT NULL, late INTEGER NOT NULL, version INTEGER NOT NULL,"
    " session INTEGER NOT NULL, since_ms INTEGER NOT NULL, settled_ms INTEGER NOT NULL,"
    " due_ms INTEGER NOT NULL, attempts INTEGER NOT NULL, error TEXT, known_fp TEXT NOT NULL,"
    " other_fp TEXT NOT NULL, known BLOB, other BLOB, PRIMARY KEY(endpoint, target)) WITHOUT ROWID;"
    "CREATE INDEX handoff_due ON handoff(due_ms) WHERE due_ms > 0;";

/*
 * Devices whose last good session (verdicts 1 and 2) was before schema 4: what they came under and
 * hold is not known. given of kind 'unknown', until the next good one.
 */
static const char schema_8[] =
    "INSERT OR IGNORE INTO given(device, kind, path, sha256, session, at_ms)"
    " SELECT d.id, 'unknown', '', '', o.last_session, o.ended_ms FROM device d"
    " JOIN device_session o ON o.device = d.id AND o.last_session > 0 WHERE NOT EXISTS (SELECT 1 FROM session s"
    " WHERE s.device = d.id AND s.given IS NOT NULL AND s.verdict IN (1, 2));";

static const char *const steps[] = { schema_1, schema_2, schema_3, schema_4, schema_5, schema_6,
	schema_7, schema_8 };
const struct sq_schema sq_schema = { steps, N_ELEMS(steps) };

static enum err_code
sync_file(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, errno, "%s", path);
	int r = fsync(fd);
	int errnum = errno;
	(void)close(fd);
	return r < 0 ? err_errno(e, errnum, "%s", path) : ERR_OK;
}

/* The copy gets its name when it is whole. */
static enum err_code
copy_before(struct sq_db *db, const char *path, int64_t version, struct err *e)
{
	char part[4096 + 32], whole[4096 + 32];

	int n = snprintf(whole, sizeof whole, "%s.schema-%lld", path, (long long)version);
	int m = snprintf(part, sizeof part, "%s.part", whole);
	if (n < 0 || m < 0 || (size_t)m >= sizeof part)
		return err_set(e, ERR_RANGE, "%s: name too long", path);
	(void)unlink(part);
	int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(e, errno, "%s", part);
	(void)close(fd);
	enum err_code code = sq_exec_with(db, "VACUUM INTO ?1", part, e);
	if (code == ERR_OK)
		code = sync_file(part, e);
	if (code == ERR_OK && rename(part, whole) < 0)
		code = err_errno(e, errno, "%s", whole);
	if (code != ERR_OK) {
		(void)unlink(part);
		return err_wrap(e, "copy before the migration");
	}
	return ERR_OK;
}

static enum err_code
run_steps(struct sq_db *db, const struct sq_schema *s, unsigned from, struct err *e)
{
	char sql[96];
	enum err_code rc = sq_exec(db, "BEGIN IMMEDIATE", e);

	for (unsigned i = from; rc == ERR_OK && i < s->n; i++)
		rc = sq_exec(db, s->steps[i], e);
	(void)snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%u; COMMIT",
	    APPLICATION_ID, s->n);
	if (rc == ERR_OK)
		rc = sq_exec(db, sql, e);
	if (rc != ERR_OK)
		sq_rollback(db);
	return rc;
}

enum err_code
sq_schema_bring_up(struct sq_db *db, const char *path, const struct sq_schema *s, struct err *e)
{
	int64_t version, application, tables;
	enum err_code rc = sq_number(db, "PRAGMA user_version", &version, e);

	if (rc == ERR_OK)
		rc = sq_number(db, "PRAGMA application_id", &application, e);
	if (rc == ERR_OK)
		rc = sq_number(db, "SELECT count(*) FROM sqlite_schema", &tables, e);
	if (rc != ERR_OK)
		return err_wrap(e, "%s", path);
	if (application != APPLICATION_ID && (application != 0 || version != 0 || tables != 0))
		return err_set(e, ERR_INVALID, "%s: a database, but not a store of bsserver", path);
	if (version < 0 || version > s->n)
		return err_set(e, ERR_UNSUPPORTED, "%s: its schema is %lld, and this program knows up to %u", path,
		    (long long)version, s->n);
	if (version == s->n)
		return ERR_OK;
	if (version > 0)
		rc = copy_before(db, path, version, e);
	if (rc == ERR_OK)
		rc = run_steps(db, s, (unsigned)version, e);
	return rc == ERR_OK ? ERR_OK : err_wrap(e, "%s: schema %lld to %u", path, (long long)version, s->n);
}

enum err_code
sq_key_id_get(struct sq_db *db, char out[CRYPT_ID_LEN + 1], struct err *e)
{
	struct sq q;
	bool row;

	out[0] = 0;
	enum err_code rc = sq_find(&q, db, SQ_META_GET, "key_id", &row, e);
	const char *id = rc == ERR_OK && row ? sq_get_text(&q) : NULL;
	if (id != NULL)
		(void)snprintf(out, CRYPT_ID_LEN + 1, "%s", id);
	sq_end(&q);
	return rc;
}

enum err_code
sq_key_id_put(struct sq_db *db, const char *id, struct err *e)
{
	struct sq q = sq_use(db, SQ_META_PUT);

	sq_put_text(&q, "key_id");
	sq_put_text(&q, id);
	return sq_run(&q, e);
}

enum err_code
sq_has_sealed(struct sq_db *db, bool *out, struct err *e)
{
	int64_t n;
	enum err_code rc = sq_number(db,
	    "SELECT EXISTS(SELECT 1 FROM credential)"
	    " OR EXISTS(SELECT 1 FROM device WHERE compiled IS NOT NULL)"
	    " OR EXISTS(SELECT 1 FROM held WHERE wrote IS NOT NULL)"
	    " OR EXISTS(SELECT 1 FROM handoff WHERE known IS NOT NULL OR other IS NOT NULL)",
	    &n, e);

	*out = n != 0;
	return rc;
}
