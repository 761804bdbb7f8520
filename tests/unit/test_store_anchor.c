/* Trust anchors in the store: who came under them and was given them, and when one may be retired. */
#include <stdlib.h>
#include <string.h>

#include "bsserver/store/sqlite_db.h"
#include "tests/unit/store_fixture.h"
#include "tests/unit/unit.h"

#define OLD "0000000000000000000000000000000000000000000000000000000000000001"
#define NEW "0000000000000000000000000000000000000000000000000000000000000002"
#define DEV "0000000000000000000000000000000000000000000000000000000000000003"
#define ANCHOR(a) "{\"kind\":\"anchor\",\"path\":\"/0/0/4\",\"digest\":\"" a "\",\"subject\":\"CN=ca\",\"not_after\":1800000000}"
#define DEVICE "{\"kind\":\"device\",\"path\":\"/0/0/3\",\"digest\":\"" DEV "\",\"subject\":\"CN=dev\",\"not_after\":1700000000}"

static struct fx f;

static union {
	const char *in;
	char *out;
} constant;

static char *
text(const char *s)
{
	constant.in = s;
	return constant.out;
}

static void
on_anchors(void *arg, enum err_code rc, const struct err *e, struct store_anchor *v, size_t n, bool more)
{
	(void)arg;
	(void)e;
	(void)more;
	f.rc = rc;
	f.answered = true;
	for (size_t i = 0; i < n; i++)
		gbuf_printf(&f.names, "%s%c:%s:%llu:%llu", i > 0 ? " " : "", v[i].sha256[63],
		    v[i].retired ? "retired" : v[i].trust == NULL ? "-" : v[i].trust, (unsigned long long)v[i].under,
		    (unsigned long long)v[i].given);
}

static void
ck_anchors(const char *want)
{
	gbuf_clear(&f.names);
	f.answered = false;
	store_sqlite.anchor_list(f.store, on_anchors, NULL);
	fx_wait(&f);
	ck_assert_int_eq(f.rc, ERR_OK);
	ck_assert_str_eq(gbuf_cstr(&f.names), want);
}

static void
on_given(void *arg, enum err_code rc, const struct err *e, struct store_given *v, size_t n, bool more)
{
	(void)arg;
	(void)e;
	(void)more;
	f.rc = rc;
	f.answered = true;
	for (size_t i = 0; i < n; i++)
		gbuf_printf(&f.names, "%s%s,%s,%c", i > 0 ? " " : "",
		    v[i].endpoint == NULL ? "-" : v[i].endpoint, v[i].kind,
		    v[i].sha256[0] == '\0' ? '-' : v[i].sha256[63]);
}

static void
ck_given(struct store_page p, const char *want)
{
	gbuf_clear(&f.names);
	f.answered = false;
	store_sqlite.given_list(f.store, &p, on_given, NULL);
	fx_wait(&f);
	ck_assert_int_eq(f.rc, ERR_OK);
	ck_assert_str_eq(gbuf_cstr(&f.names), want);
}

static void
session(uint64_t id, const char *ep, enum bs_verdict v, const char *anchor, const char *given, unsigned writes)
{
	struct bs_record r = { .id = id, .endpoint = text(ep), .verdict = v, .used_format = -1, .writes = writes };

	r.anchor = text(anchor);
	r.given = text(given);
	ck_assert_int_eq(fx_session_put(&f, &r), ERR_OK);
}

static enum err_code
say(enum store_op op, const char *sha256, bool force)
{
	struct store_anchor a = { .trust = text("fleet"), .der = fx_secret("certificate") };
	const struct store_change c = { .op = op, .name = sha256, .anchor = &a, .force = force };

	return fx_apply(&f, &c, 1);
}

/* What is known of a device after this session, when before it came under OLD and was given OLD. */
static const struct {
	enum bs_verdict verdict;
	const char *anchor, *given;
	unsigned writes;
	const char *known;
} sessions[] = {
	{ BS_VERDICT_PROVISIONED, NEW, "[" ANCHOR(NEW) "," DEVICE "]", 2, "ep,under,2 ep,anchor,2 ep,device,3" },
	{ BS_VERDICT_WRITTEN, OLD, "[" ANCHOR(NEW) "]", 2, "ep,under,1 ep,anchor,2" },
	{ BS_VERDICT_PROVISIONED, NULL, "[]", 2, "" }, /* by another credential, and no certificates any more */
	{ BS_VERDICT_PROVISIONED, OLD, NULL, 2, "ep,under,1 ep,anchor,1" }, /* not known: nothing is forgotten */
	{ BS_VERDICT_FAILED, NEW, "[" ANCHOR(NEW) "]", 0, "ep,anchor,1 ep,under,2" },
	{ BS_VERDICT_FAILED, OLD, "[" ANCHOR(NEW) "]", 1, "ep,under,1 ep,anchor,1 ep,anchor,2" }, /* it may hold either */
	{ BS_VERDICT_CANCELLED, OLD, "[" ANCHOR(NEW) "]", 1, "ep,under,1 ep,anchor,1 ep,anchor,2" },
	{ BS_VERDICT_REFUSED, NEW, "[" ANCHOR(NEW) "]", 0, "ep,under,1 ep,anchor,1" }, /* it was not let in */
};

START_TEST(each_session_says_what_a_device_came_under_and_has)
{
	fx_fresh(&f);
	ck_assert_int_eq(fx_put(&f, "ep", "{}"), ERR_OK);
	session(1, "ep", BS_VERDICT_PROVISIONED, OLD, "[" ANCHOR(OLD) "]", 1);
	ck_given((struct store_page){ .limit = 10 }, "ep,under,1 ep,anchor,1");
	session(2, "ep", sessions[_i].verdict, sessions[_i].anchor, sessions[_i].given, sessions[_i].writes);
	ck_given((struct store_page){ .limit = 10 }, sessions[_i].known);
	fx_free(&f);
}
END_TEST

START_TEST(an_anchor_that_a_device_needs_is_not_retired)
{
	const struct store_change retire_device = { .op = STORE_SET_STATE, .name = "ep-2", .state = STORE_RETIRED };

	fx_fresh(&f);
	ck_assert_int_eq(fx_put(&f, "ep-1", "{}"), ERR_OK);
	ck_assert_int_eq(fx_put(&f, "ep-2", "{}"), ERR_OK);
	ck_assert_int_eq(say(STORE_PUT_ANCHOR, OLD, false), ERR_OK);
	session(1, "ep-1", BS_VERDICT_PROVISIONED, OLD, "[]", 1);
	session(2, "ep-2", BS_VERDICT_PROVISIONED, NULL, "[" ANCHOR(OLD) "]", 1);
	ck_anchors("1:fleet:1:1");
	ck_assert_int_eq(say(STORE_RETIRE_ANCHOR, OLD, false), ERR_REFUSED);
	ck_assert_str_eq(f.e.msg, "anchor " OLD ": 2 devices came under it or hold it: ep-1, ep-2");
	ck_assert_int_eq(fx_devices(&f, (struct store_page){ .anchor = OLD }), ERR_OK);
	ck_assert_str_eq(gbuf_cstr(&f.names), "ep-1 ep-2");
	ck_assert_int_eq(fx_apply(&f, &retire_device, 1), ERR_OK); /* and what it holds does not matter */
	ck_assert_int_eq(say(STORE_RETIRE_ANCHOR, OLD, false), ERR_REFUSED);
	ck_assert_str_eq(f.e.msg, "anchor " OLD ": 1 device came under it or holds it: ep-1");
	session(3, "ep-1", BS_VERDICT_PROVISIONED, NEW, "[]", 0);
	ck_assert_int_eq(say(STORE_RETIRE_ANCHOR, OLD, false), ERR_OK);
	ck_anchors("1:retired:0:0 2:-:1:0");
	ck_assert_int_eq(say(STORE_RETIRE_ANCHOR, NEW, true), ERR_OK); /* by force */
	ck_assert_int_eq(say(STORE_RETIRE_ANCHOR, NEW, true), ERR_OK);
	ck_assert_int_eq(f.results[0].kind, STORE_UNCHANGED);
	fx_free(&f);
}
END_TEST

/* As a program wrote it that knew of no anchors, under schema 3 or 7: sessions, and no more. */
static void
upgrade(void)
{
	struct sq_db db;

	fx_close(&f);
	ck_assert_int_eq(sq_open(&db, f.path, 1024, NULL), ERR_OK);
	ck_assert_int_eq(sq_exec(&db, "DELETE FROM given; UPDATE session SET given = NULL, anchor = NULL;"
				      "PRAGMA user_version = 7", NULL), ERR_OK);
	sq_close(&db);
	ck_assert_msg(fx_open(&f) == ERR_OK, "%s", f.e.msg);
}

#define NOT_KNOWN(n, names) \
	"anchor " OLD ": what " n " is not known before the next session that ends well: " names

START_TEST(after_an_upgrade_nothing_is_retired_before_devices_came)
{
	fx_fresh(&f);
	ck_assert_int_eq(fx_put(&f, "ep-1", "{}"), ERR_OK);
	ck_assert_int_eq(fx_put(&f, "ep-2", "{}"), ERR_OK);
	ck_assert_int_eq(fx_put(&f, "never-came", "{}"), ERR_OK);
	session(1, "ep-1", BS_VERDICT_PROVISIONED, OLD, "[" ANCHOR(OLD) "]", 1);
	session(2, "ep-2", BS_VERDICT_WRITTEN, NULL, "[]", 1);
	upgrade();
	ck_assert_int_eq(say(STORE_RETIRE_ANCHOR, OLD, false), ERR_REFUSED);
	ck_assert_str_eq(f.e.msg, NOT_KNOWN("2 devices came under or hold", "ep-1, ep-2"));
	ck_given((struct store_page){ .limit = 10, .anchor = OLD }, "ep-1,unknown,- ep-2,unknown,-");
	ck_given((struct store_page){ .limit = 10, .until_s = 1900000000 }, "");
	session(3, "ep-2", BS_VERDICT_FAILED, NULL, "[]", 1);
	session(4, "ep-1", BS_VERDICT_PROVISIONED, NULL, NULL, 1);
	ck_assert_int_eq(say(STORE_RETIRE_ANCHOR, OLD, false), ERR_REFUSED);
	ck_assert_str_eq(f.e.msg, NOT_KNOWN("2 devices came under or hold", "ep-1, ep-2"));
	session(5, "ep-1", BS_VERDICT_PROVISIONED, NEW, "[" ANCHOR(NEW) "]", 1);
	ck_assert_int_eq(say(STORE_RETIRE_ANCHOR, OLD, false), ERR_REFUSED);
	ck_assert_str_eq(f.e.msg, NOT_KNOWN("1 device came under or holds", "ep-2"));
	session(6, "ep-2", BS_VERDICT_PROVISIONED, NULL, "[]", 0);
	ck_assert_int_eq(say(STORE_RETIRE_ANCHOR, OLD, false), ERR_OK);
	fx_free(&f);
}
END_TEST

START_TEST(anchors_are_kept_told_and_audited)
{
	fx_fresh(&f);
	ck_assert_int_eq(say(STORE_PUT_ANCHOR, "xyz", false), ERR_USAGE);
	ck_assert_int_eq(say(STORE_PUT_ANCHOR, NEW, false), ERR_OK);
	ck_assert_ptr_nonnull(strstr(gbuf_cstr(&f.feed), "anchor " NEW " fleet certificate"));
	ck_assert_int_eq(say(STORE_PUT_ANCHOR, NEW, false), ERR_OK);
	ck_assert_int_eq(f.results[0].kind, STORE_UNCHANGED);
	ck_assert_int_eq(say(STORE_RETIRE_ANCHOR, NEW, true), ERR_OK);
	ck_assert_int_eq(fx_audit(&f, (struct store_page){ .limit = 2 }), ERR_OK);
	ck_assert_str_eq(gbuf_cstr(&f.names),
	    "2,tester,anchor.retire," NEW ",trust fleet; forced,because 1,tester,anchor.add," NEW ",trust fleet,because");
	fx_reopen(&f);
	ck_assert_ptr_nonnull(strstr(gbuf_cstr(&f.feed), "anchor " NEW " fleet certificate"));
	ck_anchors("2:retired:0:0");
	fx_free(&f);
}
END_TEST

START_TEST(what_ends_is_listed_page_by_page)
{
	const struct store_change remove = { .op = STORE_RM_DEVICE, .name = "ep-1" };

	fx_fresh(&f);
	ck_assert_int_eq(fx_put(&f, "ep-1", "{}"), ERR_OK);
	ck_assert_int_eq(fx_put(&f, "ep-2", "{}"), ERR_OK);
	session(1, "ep-1", BS_VERDICT_PROVISIONED, OLD, "[" ANCHOR(OLD) "," DEVICE "]", 1);
	session(2, "ep-2", BS_VERDICT_PROVISIONED, NULL, "[" DEVICE "]", 1);
	ck_given((struct store_page){ .limit = 10, .until_s = 1700000000 }, "ep-1,device,3 ep-2,device,3");
	ck_given((struct store_page){ .limit = 1, .until_s = 1700000000 }, "ep-1,device,3");
	ck_given((struct store_page){ .limit = 10, .until_s = 1700000000, .after_id = 3 }, "ep-2,device,3");
	ck_given((struct store_page){ .limit = 10, .until_s = 1699999999 }, "");
	ck_given((struct store_page){ .limit = 10, .anchor = OLD }, "ep-1,under,1 ep-1,anchor,1");
	ck_assert_int_eq(fx_apply(&f, &remove, 1), ERR_OK);
	ck_given((struct store_page){ .limit = 10 }, "ep-2,device,3");
	ck_assert_int_eq(fx_session_get(&f, 2, NULL), ERR_OK);
	ck_assert_str_eq(f.session.rec.given, "[" DEVICE "]");
	ck_assert_ptr_null(f.session.rec.anchor);
	fx_free(&f);
}
END_TEST

START_TEST(what_was_issued_is_listed_until_it_is_revoked)
{
	const struct store_given issued = { .subject = text("CN=new"), .not_after = 1650000000 };
	struct store_change c = { .op = STORE_ISSUE, .name = NEW, .issued = &issued };
	const struct store_change revoke = { .op = STORE_REVOKE, .name = NEW, .detail = "superseded" };

	fx_fresh(&f);
	ck_assert_int_eq(fx_apply(&f, &c, 1), ERR_OK);
	ck_assert_int_eq(f.results[0].kind, STORE_CREATED);
	ck_assert_int_eq(fx_apply(&f, &c, 1), ERR_OK);
	ck_assert_int_eq(f.results[0].kind, STORE_UNCHANGED);
	ck_assert_int_eq(fx_audit(&f, (struct store_page){ .limit = 2 }), ERR_OK);
	ck_assert_str_eq(gbuf_cstr(&f.names), "1,tester,certificate.issue," NEW ",CN=new,because");
	fx_reopen(&f);
	ck_given((struct store_page){ .limit = 10 }, "-,issued,2");
	ck_given((struct store_page){ .limit = 10, .until_s = 1650000000 }, "-,issued,2");
	ck_given((struct store_page){ .limit = 10, .until_s = 1649999999 }, "");
	ck_given((struct store_page){ .limit = 10, .anchor = NEW }, ""); /* no device needs it */
	ck_anchors("");
	ck_assert_int_eq(say(STORE_RETIRE_ANCHOR, NEW, false), ERR_OK);
	ck_assert_int_eq(fx_apply(&f, &revoke, 1), ERR_OK);
	ck_given((struct store_page){ .limit = 10, .until_s = 1650000000 }, "");
	ck_given((struct store_page){ .limit = 10 }, "-,issued,2");
	c.name = "xyz";
	ck_assert_int_eq(fx_apply(&f, &c, 1), ERR_USAGE);
	fx_free(&f);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(each_session_says_what_a_device_came_under_and_has, N_ELEMS(sessions)),
	UNIT_CASE(an_anchor_that_a_device_needs_is_not_retired, 0),
	UNIT_CASE(after_an_upgrade_nothing_is_retired_before_devices_came, 0),
	UNIT_CASE(anchors_are_kept_told_and_audited, 0),
	UNIT_CASE(what_was_issued_is_listed_until_it_is_revoked, 0),
	UNIT_CASE(what_ends_is_listed_page_by_page, 0),
};

UNIT_SUITE_MAIN("store_anchor", cases)
