#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static const struct store_ops *const ops = &store_sqlite;
static const struct store_actor actor = { "tester", "because" };

static void
on_feed(void *arg, const struct store_feed *n)
{
	static const char *const words[] = {
		[STORE_FEED_IDENTITY] = "+identity",
		[STORE_FEED_NO_IDENTITY] = "-identity",
		[STORE_FEED_STATE] = "state",
		[STORE_FEED_DEVICE] = "+device",
		[STORE_FEED_NO_DEVICE] = "-device",
		[STORE_FEED_PROFILE] = "+profile",
		[STORE_FEED_NO_PROFILE] = "-profile",
		[STORE_FEED_REVOKED] = "revoked",
		[STORE_FEED_ANCHOR] = "anchor",
	};
	struct fx *f = arg;

	gbuf_printf(&f->feed, "%s %s", words[n->kind], n->name);
	if (n->kind == STORE_FEED_STATE)
		gbuf_printf(&f->feed, " %s", store_state_name(n->state));
	if (n->identity != NULL)
		gbuf_printf(&f->feed, " %s", n->identity);
	if (n->key != NULL)
		gbuf_printf(&f->feed, " %s", (const char *)n->key->data);
	if (n->doc != NULL)
		gbuf_printf(&f->feed, " %s", n->doc);
	if (n->kind == STORE_FEED_PROFILE)
		gbuf_printf(&f->feed, " r%llu", (unsigned long long)n->revision);
	for (size_t i = 0; i < n->n_credentials; i++)
		gbuf_printf(&f->feed, " %s=%s", n->credentials[i].slot, (const char *)n->credentials[i].key.data);
	gbuf_printf(&f->feed, " #%llu\n", (unsigned long long)n->seq);
}

void
fx_init(struct fx *f)
{
	*f = (struct fx){ .dir = "/tmp/bsserver-store-XXXXXX" };
	ck_assert_ptr_nonnull(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof f->path, "%s/store.db", f->dir);
	(void)snprintf(f->uri, sizeof f->uri, "sqlite:%s", f->path);
	(void)snprintf(f->key_file, sizeof f->key_file, "%s/key", f->dir);
	ck_assert_int_eq(store_key_create(f->key_file, NULL), ERR_OK);
	ck_assert_int_eq(loop_new(&f->loop, NULL), ERR_OK);
	f->conf = (struct store_conf){ .uri = f->uri, .key_file = f->key_file, .create = true };
}

void
fx_fresh(struct fx *f)
{
	fx_init(f);
	ck_assert_msg(fx_open(f) == ERR_OK, "%s", f->e.msg);
}

enum err_code
fx_open(struct fx *f)
{
	gbuf_reset(&f->feed);
	f->e.msg[0] = 0;
	return f->rc = ops->open(&f->conf, f->loop, on_feed, f, &f->store, &f->e);
}

void
fx_close(struct fx *f)
{
	ops->close(f->store);
	f->store = NULL;
}

void
fx_reopen(struct fx *f)
{
	fx_close(f);
	ck_assert_msg(fx_open(f) == ERR_OK, "%s", f->e.msg);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *w)
{
	(void)st;
	(void)type;
	(void)w;
	return remove(path);
}

void
fx_free(struct fx *f)
{
	fx_close(f);
	loop_free(f->loop);
	gbuf_clear(&f->feed);
	gbuf_clear(&f->names);
	store_device_clear(&f->device);
	store_profile_clear(&f->profile);
	store_session_row_clear(&f->session);
	store_held_clear(&f->held);
	for (size_t i = 0; i < N_ELEMS(f->creds); i++)
		store_credential_clear(&f->creds[i]);
	ck_assert_int_eq(nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void
fx_wait(struct fx *f)
{
	for (int i = 0; i < 3000 && !f->answered; i++)
		loop_turn(f->loop, 10);
	ck_assert(f->answered);
}

static void
answer(struct fx *f, enum err_code rc, const struct err *e)
{
	ck_assert(!f->answered);
	ck_assert((rc == ERR_OK) == (e == NULL));
	ck_assert(e == NULL || e->code == rc);
	f->answered = true;
	f->rc = rc;
	f->e = e == NULL ? (struct err){ 0 } : *e;
}

void
fx_apply_done(void *arg, enum err_code rc, const struct err *e, size_t failed_at,
    const struct store_result *results, size_t n)
{
	struct fx *f = arg;

	answer(f, rc, e);
	f->failed_at = failed_at;
	f->n = n;
	for (size_t i = 0; i < n && i < FX_MAX; i++)
		f->results[i] = results[i];
}

enum err_code
fx_apply(struct fx *f, const struct store_change *v, size_t n)
{
	f->answered = false;
	ops->apply(f->store, &actor, v, n, fx_apply_done, f);
	ck_assert(!f->answered);
	fx_wait(f);
	return f->rc;
}

enum err_code
fx_put(struct fx *f, const char *endpoint, const char *doc)
{
	return fx_apply(f, &(struct store_change){ .op = STORE_PUT_DEVICE, .name = endpoint, .doc = doc }, 1);
}

struct secret
fx_secret(const char *text)
{
	union {
		const char *in;
		uint8_t *out;
	} borrowed = { .in = text };

	return (struct secret){ .data = borrowed.out, .len = strlen(text) };
}

enum err_code
fx_put_psk(struct fx *f, const char *endpoint, const char *doc, const char *identity, const char *key)
{
	char slot[] = STORE_SLOT_BOOTSTRAP;
	char *id = identity == NULL ? NULL : strdup(identity);
	struct store_credential c = { .slot = slot, .identity = id, .key = fx_secret(key) };

	enum err_code rc = fx_apply(f, &(struct store_change){ .op = STORE_PUT_DEVICE, .name = endpoint,
	    .doc = doc, .credentials = &c, .n_credentials = 1 }, 1);
	free(id);
	return rc;
}

static void
take_creds(struct fx *f, struct store_credential *creds, size_t n)
{
	for (size_t i = 0; i < N_ELEMS(f->creds); i++)
		store_credential_clear(&f->creds[i]);
	ck_assert_uint_le(n, N_ELEMS(f->creds));
	f->n_creds = n;
	for (size_t i = 0; i < n; i++) {
		f->creds[i] = creds[i];
		creds[i] = (struct store_credential){ 0 };
	}
}

static void
on_device(void *arg, enum err_code rc, const struct err *e, struct store_device *d,
    struct store_credential *creds, size_t n_creds)
{
	struct fx *f = arg;

	answer(f, rc, e);
	store_device_clear(&f->device);
	take_creds(f, creds, n_creds);
	if (rc == ERR_OK) {
		f->device = *d;
		*d = (struct store_device){ 0 };
	}
}

enum err_code
fx_get(struct fx *f, const char *endpoint)
{
	f->answered = false;
	ops->device_get(f->store, endpoint, on_device, f);
	ck_assert(!f->answered);
	fx_wait(f);
	return f->rc;
}

static void
on_profile(void *arg, enum err_code rc, const struct err *e, struct store_profile *p,
    struct store_credential *creds, size_t n_creds)
{
	struct fx *f = arg;

	answer(f, rc, e);
	store_profile_clear(&f->profile);
	take_creds(f, creds, n_creds);
	if (rc == ERR_OK) {
		f->profile = *p;
		*p = (struct store_profile){ 0 };
	}
}

enum err_code
fx_profile_get(struct fx *f, const char *name)
{
	f->answered = false;
	ops->profile_get(f->store, name, on_profile, f);
	fx_wait(f);
	return f->rc;
}

static void
on_done(void *arg, enum err_code rc, const struct err *e)
{
	answer(arg, rc, e);
}

enum err_code
fx_outcome_put(struct fx *f, const struct bs_record *r, const struct store_outcome *o)
{
	f->answered = false;
	ops->session_put(f->store, r, o, on_done, f);
	ck_assert(!f->answered);
	fx_wait(f);
	return f->rc;
}

enum err_code
fx_session_put(struct fx *f, const struct bs_record *r)
{
	return fx_outcome_put(f, r, NULL);
}

static void
begin_names(struct fx *f, enum err_code rc, const struct err *e, size_t n, bool more)
{
	answer(f, rc, e);
	f->n = n;
	f->more = more;
	gbuf_reset(&f->names);
}

static void
add_name(struct fx *f, const char *name)
{
	gbuf_printf(&f->names, "%s%s", f->names.len == 0 ? "" : " ", name);
}

static void
on_devices(void *arg, enum err_code rc, const struct err *e, struct store_device *v, size_t n, bool more)
{
	begin_names(arg, rc, e, n, more);
	for (size_t i = 0; i < n; i++)
		add_name(arg, v[i].endpoint);
}

static void
on_profiles(void *arg, enum err_code rc, const struct err *e, struct store_profile *v, size_t n, bool more)
{
	begin_names(arg, rc, e, n, more);
	for (size_t i = 0; i < n; i++)
		add_name(arg, v[i].name);
}

static void
on_history(void *arg, enum err_code rc, const struct err *e, struct store_profile *v, size_t n, bool more)
{
	char text[64];

	begin_names(arg, rc, e, n, more);
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(text, sizeof text, "%llu:%s", (unsigned long long)v[i].revision, v[i].doc);
		add_name(arg, text);
	}
}

static void
on_sessions(void *arg, enum err_code rc, const struct err *e, struct store_session_row *v, size_t n, bool more)
{
	char text[32];

	begin_names(arg, rc, e, n, more);
	for (size_t i = 0; i < n; i++) {
		ck_assert_ptr_null(v[i].transcript);
		(void)snprintf(text, sizeof text, "%llu", (unsigned long long)v[i].rec.id);
		add_name(arg, text);
	}
}

static void
on_session(void *arg, enum err_code rc, const struct err *e, struct store_session_row *v, size_t n, bool more)
{
	struct fx *f = arg;

	answer(f, rc, e);
	ck_assert_uint_eq(n, rc == ERR_OK ? 1 : 0);
	ck_assert(!more);
	store_session_row_clear(&f->session);
	if (rc == ERR_OK) {
		f->session = *v;
		*v = (struct store_session_row){ 0 };
	}
}

static void
on_held(void *arg, enum err_code rc, const struct err *e, struct store_held *v, size_t n, bool more)
{
	struct fx *f = arg;

	answer(f, rc, e);
	ck_assert_uint_eq(n, rc == ERR_OK ? 1 : 0);
	ck_assert(!more);
	store_held_clear(&f->held);
	if (rc == ERR_OK) {
		f->held = *v;
		*v = (struct store_held){ 0 };
	}
}

static void
on_held_list(void *arg, enum err_code rc, const struct err *e, struct store_held *v, size_t n, bool more)
{
	char text[256];

	begin_names(arg, rc, e, n, more);
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_eq(v[i].wrote.len, 0);
		(void)snprintf(text, sizeof text, "%llu-%llu:%s%s", (unsigned long long)v[i].session,
		    (unsigned long long)v[i].last_session, v[i].values, v[i].good ? "" : "!");
		add_name(arg, text);
	}
}

static void
on_audit(void *arg, enum err_code rc, const struct err *e, struct store_audit_row *v, size_t n, bool more)
{
	char text[256];

	begin_names(arg, rc, e, n, more);
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(text, sizeof text, "%llu,%s,%s,%s,%s,%s", (unsigned long long)v[i].seq, v[i].actor,
		    v[i].action, v[i].object, v[i].detail == NULL ? "-" : v[i].detail,
		    v[i].reason == NULL ? "-" : v[i].reason);
		add_name(arg, text);
	}
}

static void
on_counts(void *arg, enum err_code rc, const struct err *e, const struct store_counts *c)
{
	struct fx *f = arg;

	answer(f, rc, e);
	f->counts = *c;
}

enum err_code
fx_session_get(struct fx *f, uint64_t id, const char *endpoint)
{
	f->answered = false;
	ops->session_get(f->store, id, endpoint, on_session, f);
	fx_wait(f);
	return f->rc;
}

enum err_code
fx_held(struct fx *f, const char *endpoint, uint64_t session)
{
	f->answered = false;
	ops->held_get(f->store, endpoint, session, on_held, f);
	fx_wait(f);
	return f->rc;
}

enum err_code
fx_held_list(struct fx *f, const char *endpoint)
{
	f->answered = false;
	ops->held_list(f->store, endpoint, on_held_list, f);
	fx_wait(f);
	return f->rc;
}

enum err_code
fx_counts(struct fx *f)
{
	f->answered = false;
	ops->counts(f->store, on_counts, f);
	fx_wait(f);
	return f->rc;
}

enum err_code
fx_devices(struct fx *f, struct store_page p)
{
	f->answered = false;
	ops->device_list(f->store, &p, on_devices, f);
	fx_wait(f);
	return f->rc;
}

enum err_code
fx_profiles(struct fx *f, struct store_page p)
{
	f->answered = false;
	ops->profile_list(f->store, &p, on_profiles, f);
	fx_wait(f);
	return f->rc;
}

enum err_code
fx_sessions(struct fx *f, struct store_page p)
{
	f->answered = false;
	ops->session_list(f->store, &p, on_sessions, f);
	fx_wait(f);
	return f->rc;
}

enum err_code
fx_audit(struct fx *f, struct store_page p)
{
	f->answered = false;
	ops->audit_list(f->store, &p, on_audit, f);
	fx_wait(f);
	return f->rc;
}

enum err_code
fx_history(struct fx *f, bool of_profile, const char *name)
{
	f->answered = false;
	(of_profile ? ops->profile_history : ops->device_history)(f->store, name, on_history, f);
	fx_wait(f);
	return f->rc;
}

void
fx_write_file(const char *path, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
	(void)close(fd);
}
