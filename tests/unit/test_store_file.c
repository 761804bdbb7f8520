#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bsserver/store/sqlite_schema.h"
#include "lib/base/enc.h"
#include "tests/unit/store_fixture.h"
#include "tests/unit/unit.h"

static struct fx f;

/* Every file of the store, for the octets of a key in any of the ways that one might write them. */
static bool
found_in_files(const void *needle, size_t n)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	bool found = false;

	for (size_t i = 0; i < N_ELEMS(suffixes); i++) {
		char path[128];
		(void)snprintf(path, sizeof path, "%s%s", f.path, suffixes[i]);
		FILE *file = fopen(path, "r");
		if (file == NULL)
			continue;
		static char all[8 << 20];
		size_t len = fread(all, 1, sizeof all, file);
		(void)fclose(file);
		ck_assert_uint_lt(len, sizeof all);
		found |= memmem(all, len, needle, n) != NULL;
	}
	return found;
}

START_TEST(keys_are_nowhere_in_the_files)
{
	static const char key[] = "q9V.f3~Zk_7&Lm2!xR5tYw8@Hb4$Nc6%";
	struct secret compiled = fx_secret(key);
	struct gbuf hex = { 0 }, b64 = { 0 };
	char slot[] = "servers/dm/security/key";
	struct store_credential c = { .slot = slot, .key = fx_secret(key) };

	enc_hex(&hex, key, sizeof key - 1);
	enc_base64(&b64, key, sizeof key - 1);
	b64.data[b64.len - 4] = 0; /* the end depends on what would follow */
	fx_fresh(&f);
	struct store_change put = { .op = STORE_PUT_DEVICE, .name = "marker-ep", .doc = "{}", .credentials = &c,
		.n_credentials = 1, .compiled = &compiled, .compiled_key = "ck" };
	ck_assert_int_eq(fx_apply(&f, &put, 1), ERR_OK);
	ck_assert_int_eq(fx_put_psk(&f, "second", "{}", "id", key), ERR_OK);
	ck_assert_int_eq(fx_put_psk(&f, "second", "{}", "id", "another"), ERR_OK);
	for (int closed = 0; closed < 2; closed++) {
		ck_assert(found_in_files("marker-ep", 9));
		ck_assert(!found_in_files(key, sizeof key - 1));
		ck_assert(!found_in_files(key, 12));
		ck_assert(!found_in_files(hex.data, 24));
		ck_assert(!found_in_files(b64.data, 16));
		fx_close(&f);
	}
	gbuf_clear(&hex);
	gbuf_clear(&b64);
	fx_free(&f);
}
END_TEST

START_TEST(files_are_for_their_owner_only)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", ".lock" };
	mode_t old = umask(0);

	fx_fresh(&f);
	ck_assert_int_eq(fx_put(&f, "ep", "{}"), ERR_OK);
	for (size_t i = 0; i < N_ELEMS(suffixes); i++) {
		struct stat st;
		char path[128];
		(void)snprintf(path, sizeof path, "%s%s", f.path, suffixes[i]);
		ck_assert_int_eq(stat(path, &st), 0);
		ck_assert_msg((st.st_mode & 07777) == 0600, "%s: %o", path, st.st_mode & 07777U);
	}
	(void)umask(old);
	fx_free(&f);
}
END_TEST

/* Somebody else's hand in the file, while the store is closed. */
static void
by_hand(const char *sql)
{
	sqlite3 *h;
	char *text = NULL;

	ck_assert_int_eq(sqlite3_open(f.path, &h), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(h, sql, NULL, NULL, &text) == SQLITE_OK, "%s", text);
	ck_assert_int_eq(sqlite3_close(h), SQLITE_OK);
}

START_TEST(a_sealed_value_opens_only_in_its_row)
{
	static const struct {
		const char *sql, *text;
	} rows[] = {
		{ "UPDATE credential SET sealed = (SELECT sealed FROM credential WHERE owner = 'b' AND slot = 's')"
		  " WHERE owner = 'a' AND slot = 's'",
		    "store: credential of a, s: sealed value: wrong key, moved, or damaged" },
		{ "DELETE FROM credential WHERE owner = 'a' AND slot = 't';"
		  "UPDATE credential SET slot = 't' WHERE owner = 'a' AND slot = 's'",
		    "store: credential of a, t: sealed value: wrong key, moved, or damaged" },
		{ "UPDATE device SET compiled = (SELECT compiled FROM device WHERE endpoint = 'b')"
		  " WHERE endpoint = 'a'",
		    "store: compiled of a, : sealed value: wrong key, moved, or damaged" },
		{ "UPDATE device SET compiled = (SELECT sealed FROM credential WHERE owner = 'a' AND slot = 's')"
		  " WHERE endpoint = 'a'",
		    "store: compiled of a, : sealed value: wrong key, moved, or damaged" },
		{ "UPDATE credential SET sealed = x'00' WHERE owner = 'a'",
		    "store: credential of a, s: sealed value: 1 bytes, shorter than any" },
	};
	char s[] = "s", t[] = "t";
	struct secret compiled = fx_secret("packed");
	const struct store_credential creds[] = { { .slot = s, .key = fx_secret("1") }, { .slot = t, .key = fx_secret("2") } };

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		fx_fresh(&f);
		struct store_change c = { .op = STORE_PUT_DEVICE, .doc = "{}", .credentials = creds, .n_credentials = 2,
			.compiled = &compiled };
		c.name = "a";
		ck_assert_int_eq(fx_apply(&f, &c, 1), ERR_OK);
		c.name = "b";
		ck_assert_int_eq(fx_apply(&f, &c, 1), ERR_OK);
		fx_close(&f);
		by_hand(rows[i].sql);
		ck_assert_int_eq(fx_open(&f), ERR_OK);
		ck_assert_int_eq(fx_get(&f, "a"), ERR_CRYPTO);
		ck_assert_str_eq(f.e.msg, rows[i].text);
		ck_assert_int_eq(fx_get(&f, "b"), ERR_OK);
		fx_free(&f);
	}
}
END_TEST

START_TEST(a_wrong_key_is_refused_and_both_are_named)
{
	char first[CRYPT_ID_LEN + 1], second[CRYPT_ID_LEN + 1], want[512], other[128];
	struct secret key = SECRET_NONE;

	fx_fresh(&f);
	ck_assert_int_eq(fx_put_psk(&f, "ep", "{}", "me", "k"), ERR_OK);
	fx_close(&f);
	ck_assert_int_eq(store_key_load(f.key_file, &key, NULL), ERR_OK);
	ck_assert_int_eq(crypt_key_id(&key, first, NULL), ERR_OK);
	secret_clear(&key);
	(void)snprintf(other, sizeof other, "%s/other", f.dir);
	ck_assert_int_eq(store_key_create(other, NULL), ERR_OK);
	ck_assert_int_eq(store_key_load(other, &key, NULL), ERR_OK);
	ck_assert_int_eq(crypt_key_id(&key, second, NULL), ERR_OK);
	secret_clear(&key);
	f.conf.key_file = other;
	ck_assert_int_eq(fx_open(&f), ERR_REFUSED);
	(void)snprintf(want, sizeof want, "%s: sealed with key %s, and %s is key %s", f.path, first, other, second);
	ck_assert_str_eq(f.e.msg, want);
	fx_ck_feed(&f, "");
	ck_assert_int_eq(unlink(other), 0);
	ck_assert_int_eq(fx_open(&f), ERR_REFUSED);
	(void)snprintf(want, sizeof want, "%s: sealed with key %s, and there is no key in %s", f.path, first, other);
	ck_assert_str_eq(f.e.msg, want);
	ck_assert_int_eq(access(other, F_OK), -1); /* and none was made */
	f.conf.key_file = f.key_file;
	ck_assert_int_eq(fx_open(&f), ERR_OK);
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	fx_free(&f);
}
END_TEST

START_TEST(an_exchanged_key_is_taken_while_nothing_is_sealed)
{
	fx_fresh(&f);
	ck_assert_int_eq(fx_put(&f, "ep", "{}"), ERR_OK);
	fx_close(&f);
	ck_assert_int_eq(unlink(f.key_file), 0);
	ck_assert_int_eq(fx_open(&f), ERR_REFUSED); /* but it must be there */
	ck_assert_int_eq(store_key_create(f.key_file, NULL), ERR_OK);
	ck_assert_int_eq(fx_open(&f), ERR_OK);
	ck_assert_int_eq(fx_put_psk(&f, "ep", "{}", "me", "k"), ERR_OK);
	fx_reopen(&f);
	fx_free(&f);
}
END_TEST

START_TEST(a_key_that_is_none_is_refused)
{
	static const struct {
		const char *text;
		mode_t mode;
		enum err_code rc;
		const char *why;
	} rows[] = {
		{ "", 0600, ERR_PARSE, "not 64 hex digits" },
		{ "00112233", 0600, ERR_PARSE, "not 64 hex digits" },
		{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 0640, ERR_REFUSED,
		    "mode 0640 lets others at it; it must be 0600 or 0400" },
		{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 0604, ERR_REFUSED,
		    "mode 0604 lets others at it; it must be 0600 or 0400" },
		{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 0400, ERR_OK, "" },
		{ "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F\n", 0600, ERR_OK, "" },
	};

	fx_init(&f);
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		char want[256];
		struct secret key = SECRET_NONE;
		struct err e = { 0 };
		(void)unlink(f.key_file);
		fx_write_file(f.key_file, rows[i].text, strlen(rows[i].text));
		ck_assert_int_eq(chmod(f.key_file, rows[i].mode), 0);
		ck_assert_msg(store_key_load(f.key_file, &key, &e) == rows[i].rc, "row %zu: %s", i, e.msg);
		ck_assert_uint_eq(key.len, rows[i].rc == ERR_OK ? CRYPT_KEY_LEN : 0);
		(void)snprintf(want, sizeof want, "sealing key %s: %s", f.key_file, rows[i].why);
		ck_assert_str_eq(e.msg, rows[i].rc == ERR_OK ? "" : want);
		secret_clear(&key);
	}
	struct secret key = SECRET_NONE;
	ck_assert_int_eq(store_key_load(f.dir, &key, NULL), ERR_REFUSED);
	static const char bad[] = "zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
	fx_write_file(f.key_file, bad, sizeof bad - 1);
	ck_assert_int_eq(store_key_load(f.key_file, &key, NULL), ERR_PARSE);
	fx_free(&f);
}
END_TEST

START_TEST(a_key_is_made_once)
{
	struct secret one = SECRET_NONE, two = SECRET_NONE;
	struct err e;
	struct stat st;
	char want[256], nowhere[128];

	fx_init(&f); /* makes one */
	ck_assert_int_eq(stat(f.key_file, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(store_key_load(f.key_file, &one, NULL), ERR_OK);
	ck_assert_int_eq(store_key_create(f.key_file, &e), ERR_EXISTS);
	(void)snprintf(want, sizeof want, "sealing key %s: File exists", f.key_file);
	ck_assert_str_eq(e.msg, want);
	ck_assert_int_eq(unlink(f.key_file), 0);
	ck_assert_int_eq(store_key_create(f.key_file, NULL), ERR_OK);
	ck_assert_int_eq(store_key_load(f.key_file, &two, NULL), ERR_OK);
	ck_assert(!secret_equal(&one, &two));
	secret_clear(&one);
	secret_clear(&two);
	(void)snprintf(nowhere, sizeof nowhere, "%s/no/key", f.dir);
	ck_assert_int_eq(store_key_create(nowhere, NULL), ERR_NOT_FOUND);
	fx_free(&f);
}
END_TEST

/* What stands behind the path in the message of a store that was not opened. */
static void
ck_refused(enum err_code rc, const char *before, const char *behind)
{
	char want[512];

	ck_assert_int_eq(fx_open(&f), rc);
	ck_assert_ptr_null(f.store);
	(void)snprintf(want, sizeof want, "%s%s%s", before, f.path, behind);
	ck_assert_str_eq(f.e.msg, want);
}

START_TEST(what_is_no_store_of_ours_is_refused)
{
	char sql[64], newer[96];

	fx_init(&f);
	f.conf.create = false;
	ck_refused(ERR_NOT_FOUND, "store ", ": No such file or directory");
	ck_assert_int_eq(access(f.path, F_OK), -1);
	f.conf.create = true;
	by_hand("CREATE TABLE t(x)");
	ck_refused(ERR_INVALID, "", ": a database, but not a store of bsserver");
	by_hand("PRAGMA application_id=1; DROP TABLE t");
	ck_refused(ERR_INVALID, "", ": a database, but not a store of bsserver");
	ck_assert_int_eq(unlink(f.path), 0);
	ck_assert_int_eq(fx_open(&f), ERR_OK);
	fx_close(&f);
	(void)snprintf(sql, sizeof sql, "PRAGMA user_version=%u", sq_schema.n + 1);
	by_hand(sql);
	(void)snprintf(newer, sizeof newer, ": its schema is %u, and this program knows up to %u", sq_schema.n + 1, sq_schema.n);
	ck_refused(ERR_UNSUPPORTED, "", newer);
	(void)snprintf(sql, sizeof sql, "PRAGMA user_version=%u", sq_schema.n);
	by_hand(sql);
	ck_assert_int_eq(fx_open(&f), ERR_OK);
	fx_close(&f);
	f.conf.uri = "pgsql:x";
	ck_assert_int_eq(fx_open(&f), ERR_USAGE);
	ck_assert_str_eq(f.e.msg, "store \"pgsql:x\": not sqlite:FILE");
	ck_assert_ptr_null(store_by_uri("pgsql:x"));
	ck_assert_ptr_null(store_by_uri(""));
	ck_assert_ptr_eq(store_by_uri(f.uri), &store_sqlite);
	fx_free(&f);
}
END_TEST

static void
overwrite(long at, const void *p, size_t n)
{
	FILE *file = fopen(f.path, "r+");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fseek(file, at, SEEK_SET), 0);
	ck_assert_uint_eq(fwrite(p, 1, n, file), n);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(a_damaged_file_is_refused)
{
	static char noise[32 * 4096];
	char doc[2000];

	fx_init(&f);
	memset(noise, 0x5a, sizeof noise);
	fx_write_file(f.path, noise, 2000);
	ck_refused(ERR_IO, "", ": store: the file is damaged: file is not a database");
	ck_assert_int_eq(unlink(f.path), 0);
	ck_assert_int_eq(fx_open(&f), ERR_OK);
	memset(doc, ' ', sizeof doc);
	doc[sizeof doc - 1] = 0;
	for (int i = 0; i < 60; i++) {
		char name[16];
		(void)snprintf(name, sizeof name, "ep%d", i);
		ck_assert_int_eq(fx_put_psk(&f, name, doc, name, "k"), ERR_OK);
	}
	fx_close(&f);
	overwrite(4096, noise, sizeof noise); /* all tables' roots, and what is behind */
	ck_assert_int_eq(fx_open(&f), ERR_IO);
	ck_assert_ptr_nonnull(strstr(f.e.msg, "store: the file is damaged: "));
	fx_free(&f);
}
END_TEST

START_TEST(a_store_is_open_once)
{
	struct fx g;

	fx_fresh(&f);
	g = f;
	g.feed = (struct gbuf){ 0 };
	ck_assert_int_eq(fx_open(&g), ERR_BUSY);
	char want[256];
	(void)snprintf(want, sizeof want, "%s: another process has this store open", f.path);
	ck_assert_str_eq(g.e.msg, want);
	fx_close(&f);
	ck_assert_int_eq(fx_open(&f), ERR_OK);
	fx_free(&f);
}
END_TEST

/* The schema of this program and two more steps, of which the last is this. */
static struct sq_schema
longer_schema(const char *const *steps[], const char *last)
{
	static const char *rows[16];

	ck_assert_uint_le(sq_schema.n + 2, N_ELEMS(rows));
	memcpy(rows, sq_schema.steps, sq_schema.n * sizeof *rows);
	rows[sq_schema.n] = "CREATE TABLE more(x)";
	rows[sq_schema.n + 1] = last;
	*steps = rows;
	return (struct sq_schema){ rows, sq_schema.n + 2 };
}

START_TEST(a_migration_is_whole_and_leaves_a_copy)
{
	char copy[128], want[256];
	const char *const *steps;
	struct sq_schema s;
	struct sq_db db;
	struct stat st;
	struct err e;
	int64_t n;

	fx_fresh(&f);
	ck_assert_int_eq(fx_put(&f, "ep", "{}"), ERR_OK);
	fx_close(&f);
	(void)snprintf(copy, sizeof copy, "%s.schema-%u", f.path, sq_schema.n);
	ck_assert_int_eq(sq_open(&db, f.path, 1024, NULL), ERR_OK);
	s = longer_schema(&steps, "CREATE TABLE more(x)");
	ck_assert_int_eq(sq_schema_bring_up(&db, f.path, &s, &e), ERR_INTERNAL);
	(void)snprintf(want, sizeof want, "%s: schema %u to %u: store: table more already exists", f.path, sq_schema.n, s.n);
	ck_assert_str_eq(e.msg, want);
	ck_assert_int_eq(sq_number(&db, "PRAGMA user_version", &n, NULL), ERR_OK);
	ck_assert_int_eq(n, sq_schema.n);
	ck_assert_int_eq(sq_number(&db, "SELECT count(*) FROM sqlite_schema WHERE name = 'more'", &n, NULL), ERR_OK);
	ck_assert_int_eq(n, 0);
	s = longer_schema(&steps, "INSERT INTO more VALUES(3)");
	ck_assert_int_eq(sq_schema_bring_up(&db, f.path, &s, &e), ERR_OK);
	ck_assert_int_eq(sq_number(&db, "SELECT x FROM more", &n, NULL), ERR_OK);
	ck_assert_int_eq(n, 3);
	sq_close(&db);
	(void)snprintf(want, sizeof want, ": its schema is %u, and this program knows up to %u", s.n, sq_schema.n);
	ck_refused(ERR_UNSUPPORTED, "", want);
	ck_assert_int_eq(stat(copy, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(rename(copy, f.path), 0); /* back to before */
	ck_assert_int_eq(fx_open(&f), ERR_OK);
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	fx_free(&f);
}
END_TEST

START_TEST(a_store_of_the_first_schema_is_brought_up_with_all_that_is_in_it)
{
	char copy[128];
	struct sq_db db;

	fx_init(&f);
	fx_write_file(f.path, "", 0);
	ck_assert_int_eq(sq_open(&db, f.path, 1024, NULL), ERR_OK);
	ck_assert_int_eq(sq_schema_bring_up(&db, f.path, &(struct sq_schema){ sq_schema.steps, 1 }, NULL), ERR_OK);
	ck_assert_int_eq(sq_exec(&db, "INSERT INTO meta VALUES('seq', 5);"
		"INSERT INTO device VALUES(1, 'ep', NULL, 1, 5, 10, 20, NULL, '{}', NULL);"
		"INSERT INTO device_session VALUES(1, 0, 0, 0, 0, 112, 4, 2, 0)", NULL), ERR_OK);
	sq_close(&db);
	ck_assert_msg(fx_open(&f) == ERR_OK, "%s", f.e.msg);
	(void)snprintf(copy, sizeof copy, "%s.schema-1", f.path);
	ck_assert_int_eq(access(copy, R_OK), 0);
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert(f.device.revision == 5 && f.device.state == STORE_BLOCKED && f.device.confirmed_revision == 4);
	ck_assert(f.device.remembered_format == 112 && f.device.failures == 2);
	ck_assert(f.device.held.session == 0 && f.device.wishes[STORE_WISH_ROLLBACK].number == 0);
	ck_assert_int_eq(fx_held(&f, "ep", 0), ERR_NOT_FOUND);
	ck_assert_str_eq(f.e.msg, "device ep: nothing is known of what it holds");
	fx_free(&f);
}
END_TEST

struct tally {
	size_t ok, busy, closed, other;
};

static void
on_tally(void *arg, enum err_code rc, const struct err *e)
{
	struct tally *t = arg;

	(void)e;
	t->ok += rc == ERR_OK;
	t->busy += rc == ERR_BUSY;
	t->closed += rc == ERR_CLOSED;
	t->other += rc != ERR_OK && rc != ERR_BUSY && rc != ERR_CLOSED;
}

START_TEST(too_much_waiting_is_refused)
{
	struct bs_record r = { .used_format = -1 };
	struct tally t = { 0 };

	fx_init(&f);
	f.conf.max_queue = 3;
	ck_assert_int_eq(fx_open(&f), ERR_OK);
	for (r.id = 1; r.id <= 8; r.id++)
		store_sqlite.session_put(f.store, &r, NULL, on_tally, &t);
	ck_assert_uint_eq(t.ok + t.busy, 0); /* never from inside the call */
	while (t.ok + t.busy < 8)
		loop_turn(f.loop, 100);
	ck_assert_uint_eq(t.ok, 3);
	ck_assert_uint_eq(t.busy, 5);
	ck_assert_int_eq(fx_put(&f, "ep", "{}"), ERR_OK); /* there is room again */
	fx_free(&f);
}
END_TEST

struct last_wish {
	struct tally t;
	unsigned more;
};

static void
on_wish(void *arg, enum err_code rc, const struct err *e)
{
	struct last_wish *w = arg;
	struct bs_record r = { .id = 100 + w->more, .used_format = -1 };

	on_tally(&w->t, rc, e);
	if (w->more-- > 0)
		store_sqlite.session_put(f.store, &r, NULL, on_wish, w);
	else
		w->more = 0;
}

START_TEST(closing_answers_everything)
{
	struct bs_record r = { .used_format = -1 };
	struct tally t = { 0 };
	struct last_wish w = { .more = 1 };

	fx_fresh(&f);
	for (r.id = 1; r.id <= 50; r.id++)
		store_sqlite.session_put(f.store, &r, NULL, on_tally, &t);
	store_sqlite.session_put(f.store, &r, NULL, on_wish, &w);
	fx_close(&f);
	ck_assert_uint_eq(t.ok, 50);
	ck_assert_uint_eq(w.t.ok, 1);
	ck_assert_uint_eq(w.t.closed, 1); /* what was asked from a callback of the closing */
	ck_assert_int_eq(fx_open(&f), ERR_OK);
	ck_assert_int_eq(fx_counts(&f), ERR_OK);
	ck_assert_uint_eq(f.counts.sessions, 51);
	fx_free(&f);
}
END_TEST

static void
close_from_here(void *arg, enum err_code rc, const struct err *e)
{
	on_tally(arg, rc, e);
	fx_close(&f);
}

START_TEST(a_callback_may_close_the_store)
{
	struct bs_record r = { .used_format = -1 };
	struct tally t = { 0 };

	fx_fresh(&f);
	for (r.id = 1; r.id <= 20; r.id++)
		store_sqlite.session_put(f.store, &r, NULL, r.id == 5 ? close_from_here : on_tally, &t);
	while (f.store != NULL)
		loop_turn(f.loop, 100);
	ck_assert_uint_eq(t.ok, 20);
	loop_turn(f.loop, 0);
	ck_assert_int_eq(fx_open(&f), ERR_OK);
	fx_free(&f);
}
END_TEST

START_TEST(the_log_does_not_grow_without_end)
{
	static char doc[1 << 20];
	struct stat st;
	char wal[128];

	fx_fresh(&f);
	memset(doc, ' ', sizeof doc - 1);
	for (int i = 0; i < 14; i++) { /* each is written twice: the last one becomes history */
		doc[0] = (char)('A' + i);
		ck_assert_int_eq(fx_put(&f, "ep", doc), ERR_OK);
	}
	(void)snprintf(wal, sizeof wal, "%s-wal", f.path);
	ck_assert_int_eq(stat(wal, &st), 0);
	ck_assert_int_lt(st.st_size, 22 << 20);
	fx_free(&f);
}
END_TEST

static void
limit_files(rlim_t soft)
{
	struct rlimit l;

	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = soft == RLIM_INFINITY ? l.rlim_max : soft;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &l), 0);
}

static void
on_write(void *arg, enum err_code rc, const struct err *e, size_t failed_at, const struct store_result *results,
    size_t n)
{
	struct tally *t = arg;

	(void)failed_at;
	(void)results;
	(void)n;
	ck_assert(rc == ERR_OK || rc == ERR_IO);
	if (rc == ERR_IO)
		ck_assert_str_eq(e->msg, "store: disk I/O error, nothing of this was kept");
	on_tally(t, rc, e);
}

/* A file may grow so far and no farther: as a disk that is nearly full. */
START_TEST(a_disk_error_is_answered_and_harms_nobody_else)
{
	static char doc[2 << 20];
	struct tally big = { 0 }, small = { 0 };
	struct store_actor who = { "tester", NULL };
	struct stat st;
	char wal[128];

	(void)signal(SIGXFSZ, SIG_IGN);
	memset(doc, ' ', sizeof doc - 1);
	fx_fresh(&f);
	ck_assert_int_eq(fx_put(&f, "before", "{}"), ERR_OK);
	(void)snprintf(wal, sizeof wal, "%s-wal", f.path);
	ck_assert_int_eq(stat(wal, &st), 0);
	limit_files((rlim_t)st.st_size + 400000);
	const struct store_change huge = { .op = STORE_PUT_DEVICE, .name = "big", .doc = doc };
	const struct store_change little[] = {
		{ .op = STORE_PUT_DEVICE, .name = "a", .doc = "{}" },
		{ .op = STORE_PUT_DEVICE, .name = "b", .doc = "{}" },
	};
	gbuf_reset(&f.feed);
	store_sqlite.apply(f.store, &who, &little[0], 1, on_write, &small);
	store_sqlite.apply(f.store, &who, &huge, 1, on_write, &big);
	store_sqlite.apply(f.store, &who, &little[1], 1, on_write, &small);
	while (big.ok + big.other + small.ok + small.other < 3)
		loop_turn(f.loop, 100);
	ck_assert_uint_eq(big.other, 1);
	ck_assert_uint_eq(small.ok, 2);
	fx_ck_feed(&f, "state a active #2\n+device a #2\nstate b active #3\n+device b #3\n");
	ck_assert_int_eq(fx_get(&f, "big"), ERR_NOT_FOUND);
	limit_files(RLIM_INFINITY);
	ck_assert_int_eq(fx_put(&f, "big", doc), ERR_OK); /* there is room again */
	ck_assert_uint_eq(f.results[0].revision, 4);
	fx_reopen(&f);
	ck_assert_int_eq(fx_devices(&f, (struct store_page){ .limit = 9, .verdict = -1 }), ERR_OK);
	fx_ck_names(&f, "a b before big");
	ck_assert_int_eq(fx_counts(&f), ERR_OK);
	ck_assert_uint_eq(f.counts.devices, 4);
	fx_free(&f);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(keys_are_nowhere_in_the_files, 0),
	UNIT_CASE(files_are_for_their_owner_only, 0),
	UNIT_CASE(a_sealed_value_opens_only_in_its_row, 0),
	UNIT_CASE(a_wrong_key_is_refused_and_both_are_named, 0),
	UNIT_CASE(an_exchanged_key_is_taken_while_nothing_is_sealed, 0),
	UNIT_CASE(a_key_that_is_none_is_refused, 0),
	UNIT_CASE(a_key_is_made_once, 0),
	UNIT_CASE(what_is_no_store_of_ours_is_refused, 0),
	UNIT_CASE(a_damaged_file_is_refused, 0),
	UNIT_CASE(a_store_is_open_once, 0),
	UNIT_CASE(a_migration_is_whole_and_leaves_a_copy, 0),
	UNIT_CASE(a_store_of_the_first_schema_is_brought_up_with_all_that_is_in_it, 0),
	UNIT_CASE(too_much_waiting_is_refused, 0),
	UNIT_CASE(closing_answers_everything, 0),
	UNIT_CASE(a_callback_may_close_the_store, 0),
	UNIT_CASE(the_log_does_not_grow_without_end, 0),
	UNIT_CASE(a_disk_error_is_answered_and_harms_nobody_else, 0),
};

UNIT_SUITE_MAIN("store_file", cases)
