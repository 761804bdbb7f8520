/*
 * tests/unit/store_fixture.h: a store of its own in a folder of its own, with the real loop, and its
 * calls made synchronous: each turns the loop until the answer is there.
 */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include "bsserver/loop/loop.h"
#include "bsserver/store/store.h"

#define FX_MAX 1000

struct fx {
	char dir[64], path[96], uri[128], key_file[96];
	struct store_conf conf;
	struct loop *loop;
	struct store *store;
	struct gbuf feed; /* a line for each news */

	/* the last answer */
	bool answered;
	enum err_code rc;
	struct err e;
	size_t failed_at, n;
	bool more;
	struct store_result results[FX_MAX];
	struct store_device device;
	struct store_credential creds[16];
	size_t n_creds;
	struct store_profile profile;
	struct store_session_row session;
	struct store_held held;
	struct store_counts counts;
	struct gbuf names; /* of a list: "a b c" */
};

void fx_init(struct fx *f);  /* folder and key; no store yet */
void fx_fresh(struct fx *f); /* with a store, which must open */
void fx_free(struct fx *f);  /* closes, removes the folder */
enum err_code fx_open(struct fx *f);
void fx_reopen(struct fx *f); /* closes, opens, must work; the feed is what the opening told */
void fx_close(struct fx *f);
void fx_wait(struct fx *f); /* until answered */

enum err_code fx_apply(struct fx *f, const struct store_change *v, size_t n);
enum err_code fx_put(struct fx *f, const char *endpoint, const char *doc);
/* With a bootstrap PSK. */
enum err_code fx_put_psk(struct fx *f, const char *endpoint, const char *doc, const char *identity, const char *key);
enum err_code fx_get(struct fx *f, const char *endpoint);
enum err_code fx_session_put(struct fx *f, const struct bs_record *r);
enum err_code fx_outcome_put(struct fx *f, const struct bs_record *r, const struct store_outcome *o);
enum err_code fx_held(struct fx *f, const char *endpoint, uint64_t session);
/* names becomes "FIRST-LAST:VALUES", with "!" behind one that came to nothing. */
enum err_code fx_held_list(struct fx *f, const char *endpoint);
enum err_code fx_session_get(struct fx *f, uint64_t id, const char *endpoint);
enum err_code fx_counts(struct fx *f);
/* names becomes the keys of the list's rows, blank-separated. */
enum err_code fx_devices(struct fx *f, struct store_page p);
enum err_code fx_profiles(struct fx *f, struct store_page p);
enum err_code fx_sessions(struct fx *f, struct store_page p);
enum err_code fx_audit(struct fx *f, struct store_page p);
enum err_code fx_history(struct fx *f, bool of_profile, const char *name);
enum err_code fx_profile_get(struct fx *f, const char *name);

void fx_apply_done(void *arg, enum err_code rc, const struct err *e, size_t failed_at,
    const struct store_result *results, size_t n);
struct secret fx_secret(const char *text); /* borrowed, not to be cleared */
void fx_write_file(const char *path, const void *p, size_t n);

/* What the feed told since the last time; the keys of the last list's rows. */
#define fx_ck_feed(f, text)                                                                        \
	do {                                                                                       \
		ck_assert_str_eq(gbuf_cstr(&(f)->feed), text);                                     \
		gbuf_reset(&(f)->feed);                                                            \
	} while (0)
#define fx_ck_names(f, text) ck_assert_str_eq(gbuf_cstr(&(f)->names), text)

#endif
