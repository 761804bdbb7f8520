/* The session machine against scripts: what it asks, what the device answers, how it ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/bootstrap/session.h"
#include "tests/unit/unit.h"

#define SCRIPT_MAX 24

/* What a device says to one request. text: a link list, or "tlv" for /1 as it was written. */
struct answer {
	const char *expect; /* "GET /", "PUT /0/1": what must be asked */
	enum bs_event_type type;
	uint8_t code;
	const char *text;
};

struct script {
	const char *name;
	enum profile_policy policy;
	bool verify;
	int pct;
	struct answer answers[SCRIPT_MAX];
	enum bs_verdict verdict;
	enum bs_reason reason;
	enum bs_step step;
	const char *path;
	uint8_t code;
	/* what came before, and what is wished */
	bool known;    /* the last session wrote all this, a day ago */
	bool handover;
	unsigned writes;
	const char *finds; /* the first finding */
};

static void
put(struct lwm2m_tree *t, struct lwm2m_path p, struct lwm2m_value v)
{
	ck_assert_int_eq(lwm2m_tree_put(t, p, &v, NULL), ERR_OK);
}

static void
put_bytes(struct lwm2m_tree *t, struct lwm2m_path p, enum lwm2m_type type, const char *s)
{
	struct lwm2m_value v;

	ck_assert_int_eq(lwm2m_value_bytes(&v, type, s, strlen(s), NULL), ERR_OK);
	put(t, p, v);
}

static void
fill_account(struct lwm2m_tree *t, uint16_t k, int64_t ssid)
{
	put_bytes(t, lwm2m_path3(0, k, 0), LWM2M_STRING, "coaps://srv.example:5684");
	put(t, lwm2m_path3(0, k, 1), lwm2m_bool(false));
	put(t, lwm2m_path3(0, k, 2), lwm2m_int(0));
	put_bytes(t, lwm2m_path3(0, k, 3), LWM2M_OPAQUE, "dev-1");
	put_bytes(t, lwm2m_path3(0, k, 4), LWM2M_OPAQUE, "");
	put_bytes(t, lwm2m_path3(0, k, 5), LWM2M_OPAQUE, "sixteen byte key");
	put(t, lwm2m_path3(0, k, 10), lwm2m_int(ssid));
	put(t, lwm2m_path3(1, k, 0), lwm2m_int(ssid));
	put(t, lwm2m_path3(1, k, 1), lwm2m_int(86400));
	put(t, lwm2m_path3(1, k, 6), lwm2m_bool(true));
	put_bytes(t, lwm2m_path3(1, k, 7), LWM2M_STRING, "U");
}

static struct bs_grant
make_grant(const struct script *sc)
{
	struct bs_grant g = { .remembered_format = -1, .revision = 7 };

	g.endpoint = strdup("dev-1");
	g.rule = strdup("rule psk mapped");
	g.desired.policy = sc->policy;
	g.desired.verify = sc->verify;
	g.desired.format = PROFILE_FORMAT_AUTO;
	g.desired.request_timeout_ms = 93000;
	g.desired.session_timeout_ms = 247000;
	fill_account(&g.desired.tree, 0, 101);
	g.history.now_ms = 1700000000000;
	if (sc->known) {
		g.history.good_session = g.history.last_session = 5;
		g.history.good_ended_ms = g.history.now_ms - 86400000;
		g.history.wrote_same = true;
	}
	if (sc->handover) {
		put_bytes(&g.handover, lwm2m_path3(0, 0, 0), LWM2M_STRING, "coaps://bs2.example");
		put(&g.handover, lwm2m_path3(0, 0, 1), lwm2m_bool(true));
		put(&g.handover, lwm2m_path3(0, 0, 2), lwm2m_int(0));
		put_bytes(&g.handover, lwm2m_path3(0, 0, 5), LWM2M_OPAQUE, "another key of 16");
	}
	return g;
}

#define FRESH "</>;lwm2m=1.1,</0/0>,</1>,</3/0>"
#define FULL "</>;lwm2m=1.1,</0/0>,</0/1>;ssid=101,</1/0>;ssid=101,</3/0>"
#define OLD "</>;lwm2m=1.1,</0/0>,</0/1>;ssid=9,</1/0>;ssid=9,</3/0>"
#define OK BS_EV_RESPONSE, 0x44, NULL

static const struct script scripts[] = {
	{ "fresh device, replace", PROFILE_REPLACE, true, -1,
	    { { "GET /", BS_EV_RESPONSE, 0x45, FRESH }, { "PUT /0/1", OK }, { "PUT /1/0", OK },
		{ "GET /", BS_EV_RESPONSE, 0x45, FULL }, { "GET /1", BS_EV_RESPONSE, 0x45, "tlv" },
		{ "POST /bs", OK } },
	    BS_VERDICT_PROVISIONED, BS_REASON_NONE, BS_STEP_FINISH, "/bs", .code = 0x44 },
	{ "provisioned device, replace", PROFILE_REPLACE, true, 112,
	    { { "GET /", BS_EV_RESPONSE, 0x45, OLD }, { "DELETE /0", BS_EV_RESPONSE, 0x42, NULL },
		{ "DELETE /1", BS_EV_RESPONSE, 0x42, NULL }, { "PUT /0/1", OK }, { "PUT /1/0", OK },
		{ "GET /", BS_EV_RESPONSE, 0x45, FULL }, { "GET /1", BS_EV_RESPONSE, 0x85, NULL },
		{ "POST /bs", OK } },
	    BS_VERDICT_PROVISIONED, BS_REASON_NONE, BS_STEP_FINISH, "/bs", .code = 0x44 },
	{ "no verification", PROFILE_REPLACE, false, -1,
	    { { "GET /", BS_EV_RESPONSE, 0x45, FRESH }, { "PUT /0/1", OK }, { "PUT /1/0", OK }, { "POST /bs", OK } },
	    BS_VERDICT_WRITTEN, BS_REASON_NONE, BS_STEP_FINISH, "/bs", .code = 0x44 },
	{ "format refused, the next one taken", PROFILE_REPLACE, false, -1,
	    { { "GET /", BS_EV_RESPONSE, 0x45, FRESH }, { "PUT /0/1", BS_EV_RESPONSE, 0x8f, NULL },
		{ "PUT /0/1", OK }, { "PUT /1/0", OK }, { "POST /bs", OK } },
	    BS_VERDICT_WRITTEN, BS_REASON_NONE, BS_STEP_FINISH, "/bs", .code = 0x44 },
	{ "write refused", PROFILE_REPLACE, true, -1,
	    { { "GET /", BS_EV_RESPONSE, 0x45, FRESH }, { "PUT /0/1", OK }, { "PUT /1/0", BS_EV_RESPONSE, 0x80, NULL } },
	    BS_VERDICT_FAILED, BS_REASON_ERROR_RESPONSE, BS_STEP_WRITE, "/1/0", .code = 0x80 },
	{ "left over after delete", PROFILE_REPLACE, true, -1,
	    { { "GET /", BS_EV_RESPONSE, 0x45, FRESH }, { "PUT /0/1", OK }, { "PUT /1/0", OK },
		{ "GET /", BS_EV_RESPONSE, 0x45, FULL ",</1/5>;ssid=3" }, { "GET /1", BS_EV_RESPONSE, 0x84, NULL } },
	    BS_VERDICT_FAILED, BS_REASON_LEFT_OVER, BS_STEP_VERIFY, "/1/5", .code = 0 },
	{ "written and not there", PROFILE_REPLACE, true, -1,
	    { { "GET /", BS_EV_RESPONSE, 0x45, FRESH }, { "PUT /0/1", OK }, { "PUT /1/0", OK },
		{ "GET /", BS_EV_RESPONSE, 0x45, FRESH }, { "GET /1", BS_EV_RESPONSE, 0x84, NULL } },
	    BS_VERDICT_FAILED, BS_REASON_MISSING, BS_STEP_VERIFY, "/0/1", .code = 0 },
	{ "garbage list", PROFILE_REPLACE, true, -1,
	    { { "GET /", BS_EV_RESPONSE, 0x45, "<<<" } },
	    BS_VERDICT_FAILED, BS_REASON_BAD_RESPONSE, BS_STEP_DISCOVER, "/", .code = 0x45 },
	{ "inconsistent, corrected", PROFILE_REPLACE, false, -1,
	    { { "GET /", BS_EV_RESPONSE, 0x45, FRESH }, { "PUT /0/1", OK }, { "PUT /1/0", OK },
		{ "POST /bs", BS_EV_RESPONSE, 0x86, NULL }, { "GET /", BS_EV_RESPONSE, 0x45, FULL },
		{ "DELETE /0", BS_EV_RESPONSE, 0x42, NULL }, { "DELETE /1", BS_EV_RESPONSE, 0x42, NULL },
		{ "PUT /0/1", OK }, { "PUT /1/0", OK }, { "POST /bs", OK } },
	    BS_VERDICT_WRITTEN, BS_REASON_NONE, BS_STEP_FINISH, "/bs", .code = 0x44 },
	{ "inconsistent, and the device is gone", PROFILE_REPLACE, false, -1,
	    { { "GET /", BS_EV_RESPONSE, 0x45, FRESH }, { "PUT /0/1", OK }, { "PUT /1/0", OK },
		{ "POST /bs", BS_EV_RESPONSE, 0x86, NULL }, { "GET /", BS_EV_NO_ANSWER, 0, NULL } },
	    BS_VERDICT_FAILED, BS_REASON_INCONSISTENT, BS_STEP_FINISH, "/bs", .code = 0x86 },
	{ "reset", PROFILE_REPLACE, true, -1, { { "GET /", BS_EV_RESET, 0, NULL } }, BS_VERDICT_FAILED,
	    BS_REASON_RESET, BS_STEP_DISCOVER, "/", .code = 0 },
	{ "deadline in the middle", PROFILE_REPLACE, true, -1,
	    { { "GET /", BS_EV_RESPONSE, 0x45, FRESH }, { "PUT /0/1", BS_EV_DEADLINE, 0, NULL } }, BS_VERDICT_FAILED,
	    BS_REASON_DEADLINE, BS_STEP_WRITE, "/0/1", .code = 0 },
	{ "no Discover: ids that hit no bootstrap account", PROFILE_REPLACE, true, -1,
	    { { "GET /", BS_EV_RESPONSE, 0x84, NULL }, { "DELETE /0", BS_EV_RESPONSE, 0x42, NULL },
		{ "DELETE /1", BS_EV_RESPONSE, 0x84, NULL }, { "PUT /0/10", OK }, { "PUT /1/0", OK },
		{ "GET /1", BS_EV_RESPONSE, 0x85, NULL }, { "POST /bs", OK } },
	    BS_VERDICT_PROVISIONED, BS_REASON_NONE, BS_STEP_FINISH, "/bs", .code = 0x44 },
	{ "no Discover, merge: the instance that Read shows is the one", PROFILE_MERGE, true, -1,
	    { { "GET /", BS_EV_RESPONSE, 0x84, NULL }, { "GET /1", BS_EV_RESPONSE, 0x45, "tlv" }, { "PUT /0/10", OK },
		{ "GET /1", BS_EV_RESPONSE, 0x45, "tlv" }, { "POST /bs", OK } },
	    BS_VERDICT_PROVISIONED, BS_REASON_NONE, BS_STEP_FINISH, "/bs", .code = 0x44 },
	{ "merge into what is there", PROFILE_MERGE, true, -1,
	    { { "GET /", BS_EV_RESPONSE, 0x45, OLD }, { "GET /1", BS_EV_RESPONSE, 0x85, NULL }, { "PUT /0/2", OK },
		{ "PUT /1/1", OK },
		{ "GET /", BS_EV_RESPONSE, 0x45, OLD ",</0/2>;ssid=101,</1/1>;ssid=101" },
		{ "GET /1", BS_EV_RESPONSE, 0x85, NULL }, { "POST /bs", OK } },
	    BS_VERDICT_PROVISIONED, BS_REASON_NONE, BS_STEP_FINISH, "/bs", .code = 0x44 },
	{ "a device that holds everything is written nothing", PROFILE_INCREMENTAL, true, -1,
	    { { "GET /", BS_EV_RESPONSE, 0x45, FULL }, { "GET /1", BS_EV_RESPONSE, 0x45, "tlv" }, { "POST /bs", OK } },
	    BS_VERDICT_PROVISIONED, BS_REASON_NONE, BS_STEP_FINISH, "/bs", 0x44, .known = true },
	{ "nor one that does not serve Read", PROFILE_INCREMENTAL, true, -1,
	    { { "GET /", BS_EV_RESPONSE, 0x45, FULL }, { "GET /1", BS_EV_RESPONSE, 0x85, NULL }, { "POST /bs", OK } },
	    BS_VERDICT_PROVISIONED, BS_REASON_NONE, BS_STEP_FINISH, "/bs", 0x44, .known = true, .finds = "not_known" },
	{ "one that we do not know is written what it does not show", PROFILE_INCREMENTAL, true, -1,
	    { { "GET /", BS_EV_RESPONSE, 0x45, FULL }, { "GET /1", BS_EV_RESPONSE, 0x45, "tlv" },
		{ "DELETE /0/1", BS_EV_RESPONSE, 0x42, NULL }, { "PUT /0/1", OK }, { "GET /", BS_EV_RESPONSE, 0x45, FULL },
		{ "GET /1", BS_EV_RESPONSE, 0x45, "tlv" }, { "POST /bs", OK } },
	    BS_VERDICT_PROVISIONED, BS_REASON_NONE, BS_STEP_FINISH, "/bs", 0x44, .writes = 2 },
	{ "one whose key was rejected is written again", PROFILE_INCREMENTAL, true, -1,
	    { { "GET /", BS_EV_RESPONSE, 0x45, FULL }, { "GET /1", BS_EV_RESPONSE, 0x45, "alert" }, { "PUT /0/1", OK },
		{ "DELETE /1/0", BS_EV_RESPONSE, 0x42, NULL }, { "PUT /1/0", OK }, { "GET /", BS_EV_RESPONSE, 0x45, FULL },
		{ "GET /1", BS_EV_RESPONSE, 0x45, "tlv" }, { "POST /bs", OK } },
	    BS_VERDICT_PROVISIONED, BS_REASON_NONE, BS_STEP_FINISH, "/bs", 0x44, .known = true, .writes = 3,
	    .finds = "tls_alert" },
	{ "incremental, and Discover is not served", PROFILE_INCREMENTAL, true, -1,
	    { { "GET /", BS_EV_RESPONSE, 0x84, NULL }, { "GET /1", BS_EV_RESPONSE, 0x80, NULL }, { "PUT /0/10", OK },
		{ "PUT /1/0", OK }, { "GET /1", BS_EV_RESPONSE, 0x80, NULL }, { "POST /bs", OK } },
	    BS_VERDICT_PROVISIONED, BS_REASON_NONE, BS_STEP_FINISH, "/bs", 0x44, .known = true, .writes = 2,
	    .finds = "not_known" },
	{ "a stale instance that does not go", PROFILE_INCREMENTAL, true, -1,
	    { { "GET /", BS_EV_RESPONSE, 0x45, FULL ",</1/7>;ssid=101" }, { "GET /1", BS_EV_RESPONSE, 0x45, "tlv" },
		{ "DELETE /1/7", BS_EV_RESPONSE, 0x42, NULL },
		{ "GET /", BS_EV_RESPONSE, 0x45, FULL ",</1/7>;ssid=101" }, { "GET /1", BS_EV_RESPONSE, 0x45, "tlv" } },
	    BS_VERDICT_FAILED, BS_REASON_LEFT_OVER, BS_STEP_VERIFY, "/1/7", 0, .known = true, .writes = 1,
	    .finds = "ssid_twice" },
	{ "a handover comes last, over the account", PROFILE_INCREMENTAL, true, -1,
	    { { "GET /", BS_EV_RESPONSE, 0x45, FULL }, { "GET /1", BS_EV_RESPONSE, 0x45, "tlv" }, { "PUT /0/0", OK },
		{ "GET /", BS_EV_RESPONSE, 0x45, FULL }, { "GET /1", BS_EV_RESPONSE, 0x45, "tlv" }, { "POST /bs", OK } },
	    BS_VERDICT_PROVISIONED, BS_REASON_NONE, BS_STEP_FINISH, "/bs", 0x44, .known = true, .handover = true,
	    .writes = 1 },
	{ "after a 4.06 all is written, though it reads well", PROFILE_INCREMENTAL, true, -1,
	    { { "GET /", BS_EV_RESPONSE, 0x45, FULL }, { "GET /1", BS_EV_RESPONSE, 0x45, "tlv" },
		{ "POST /bs", BS_EV_RESPONSE, 0x86, NULL }, { "GET /", BS_EV_RESPONSE, 0x45, FULL },
		{ "GET /1", BS_EV_RESPONSE, 0x45, "tlv" }, { "DELETE /0/1", BS_EV_RESPONSE, 0x42, NULL },
		{ "PUT /0/1", OK }, { "PUT /1/0", OK }, { "GET /", BS_EV_RESPONSE, 0x45, FULL },
		{ "GET /1", BS_EV_RESPONSE, 0x45, "tlv" }, { "POST /bs", OK } },
	    BS_VERDICT_PROVISIONED, BS_REASON_NONE, BS_STEP_FINISH, "/bs", 0x44, .known = true, .writes = 3 },
};

static struct bs_event
answer_event(const struct answer *a, struct gbuf *tlv)
{
	struct bs_event ev = { .type = a->type, .code = a->code, .format = -1 };

	if (a->text == NULL)
		return ev;
	if (strcmp(a->text, "tlv") == 0 || strcmp(a->text, "alert") == 0) {
		struct lwm2m_tree t = { 0 };
		struct lwm2m_path base = lwm2m_path1(1);

		fill_account(&t, 0, 101);
		if (a->text[0] == 'a')
			put(&t, lwm2m_path3(1, 0, 11), lwm2m_uint(42));
		ck_assert_int_eq(lwm2m_tlv_encode(base, lwm2m_tree_under(&t, base), tlv, NULL), ERR_OK);
		lwm2m_tree_clear(&t);
		ev.format = LWM2M_CF_TLV;
		ev.payload = tlv->data;
		ev.payload_len = tlv->len;
		return ev;
	}
	ev.format = LWM2M_CF_LINK;
	ev.payload = (const uint8_t *)a->text;
	ev.payload_len = strlen(a->text);
	return ev;
}

static void
check_asked(const struct script *sc, size_t i, const struct bs_action *act)
{
	char asked[64];

	ck_assert_msg(act->type == BS_ACT_SEND, "%s: answer %zu: nothing was asked", sc->name, i);
	(void)snprintf(asked, sizeof asked, "%s %s", bs_method_name(act->send.method),
	    act->send.finish ? "/bs" : lwm2m_path_str(act->send.path).s);
	ck_assert_msg(strcmp(asked, sc->answers[i].expect) == 0, "%s: answer %zu: asked %s, expected %s", sc->name, i,
	    asked, sc->answers[i].expect);
}

/* What the next session, and the operator, are told. */
static void
check_kept(const struct script *sc, const struct bs_session *s)
{
	const struct bs_record *r = &s->rec;

	ck_assert_uint_eq(r->handed_over, sc->handover && r->verdict == BS_VERDICT_PROVISIONED);
	ck_assert_int_eq(r->held.links != NULL || r->held.read != 0,
	    r->verdict == BS_VERDICT_PROVISIONED && strstr(sc->name, "Discover is not served") == NULL &&
	        strncmp(sc->name, "no Discover: ids", 16) != 0);
	if (sc->policy != PROFILE_INCREMENTAL)
		return;
	ck_assert_msg(r->writes == sc->writes, "%s: %u writes", sc->name, r->writes);
	ck_assert_msg((sc->finds == NULL) == (r->findings.n == 0), "%s: %zu findings", sc->name, r->findings.n);
	if (sc->finds != NULL)
		ck_assert_str_eq(bs_finding_name(r->findings.v[0].kind), sc->finds);
}

static void
check_wiped(const struct bs_session *s)
{
	ck_assert_uint_eq(s->grant.desired.tree.n, 0);
	ck_assert_uint_eq(s->plan.tree.n, 0);
	ck_assert_uint_eq(s->out.len, 0);
}

START_TEST(a_session_follows_its_script)
{
	const struct script *sc = &scripts[_i];
	struct bs_session s;
	struct bs_action act;
	struct bs_grant g = make_grant(sc);
	struct bs_request req = { .ep = "dev-1", .pct = sc->pct };
	struct gbuf tlv = { 0 };

	bs_session_init(&s, lwm2m_model_builtin());
	bs_session_set_request(&s, &req);
	bs_session_step(&s, &(struct bs_event){ .type = BS_EV_REQUEST }, &act);
	ck_assert_int_eq(act.type, BS_ACT_LOOKUP);
	bs_session_step(&s, &(struct bs_event){ .type = BS_EV_GRANTED, .grant = &g }, &act);
	ck_assert_int_eq(act.type, BS_ACT_REPLY);
	ck_assert_int_eq(act.reply.code, 0x44);
	bs_session_step(&s, &(struct bs_event){ .type = BS_EV_REPLIED }, &act);
	for (size_t i = 0; i < SCRIPT_MAX && sc->answers[i].expect != NULL; i++) {
		check_asked(sc, i, &act);
		struct bs_event ev = answer_event(&sc->answers[i], &tlv);
		bs_session_step(&s, &ev, &act);
		gbuf_reset(&tlv);
	}
	ck_assert_msg(act.type == BS_ACT_RECORD, "%s: not over: %d in %s", sc->name, (int)act.type, bs_state_name(s.state));
	ck_assert_msg(s.rec.verdict == sc->verdict && s.rec.reason == sc->reason, "%s: %s (%s) %s", sc->name,
	    bs_verdict_name(s.rec.verdict), bs_reason_name(s.rec.reason), s.rec.detail ? s.rec.detail : "");
	ck_assert_int_eq(s.rec.step, sc->step);
	ck_assert_str_eq(s.rec.path, sc->path);
	ck_assert_int_eq(s.rec.code, sc->code);
	check_kept(sc, &s);
	check_wiped(&s);
	bs_session_step(&s, &(struct bs_event){ .type = BS_EV_RECORDED }, &act);
	ck_assert_int_eq(act.type, BS_ACT_DONE);
	bs_session_clear(&s);
	gbuf_clear(&tlv);
}
END_TEST

START_TEST(a_refusal_is_answered_and_nothing_is_asked)
{
	static const struct {
		enum bs_reason reason;
		uint8_t code;
	} rows[] = {
		{ BS_REASON_UNKNOWN_ENDPOINT, 0x80 },
		{ BS_REASON_UNSUPPORTED_FORMAT, 0x8f },
		{ BS_REASON_STORE, 0xa3 },
	};
	struct bs_session s;
	struct bs_action act;

	bs_session_init(&s, lwm2m_model_builtin());
	bs_session_step(&s, &(struct bs_event){ .type = BS_EV_REQUEST }, &act);
	bs_session_step(&s, &(struct bs_event){ .type = BS_EV_REFUSED, .reason = rows[_i].reason }, &act);
	ck_assert_int_eq(act.type, BS_ACT_REPLY);
	ck_assert_int_eq(act.reply.code, rows[_i].code);
	bs_session_step(&s, &(struct bs_event){ .type = BS_EV_REPLIED }, &act);
	ck_assert_int_eq(act.type, BS_ACT_RECORD);
	ck_assert_int_eq(s.rec.verdict, BS_VERDICT_REFUSED);
	bs_session_clear(&s);
}
END_TEST

/* What the transcript keeps of a device's words to a Write of its account, whose key is "sixteen byte key". */
START_TEST(an_answer_that_repeats_a_secret_is_not_kept)
{
	static const struct {
		const char *says;
		bool kept;
	} rows[] = {
		{ "no room", true },
		{ "sixteen byte", true },
		{ "bad key: sixteen byte key!", false },
		{ "7369787465656e2062797465206b6579", false },
		{ "key=7369787465656e2062797465206b6579;", false },
		{ "c2l4dGVlbiBieXRlIGtleQ==", false },
		{ "<c2l4dGVlbiBieXRlIGtleQ>", false },
		{ "xxc2l4dGVlbiBieXRlIGtleQxx", false },
		{ "c2l4dGVlbiBieXRlIGtle", true },
		{ "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", true },
	};
	const struct script sc = { .policy = PROFILE_REPLACE, .verify = true };
	struct bs_session s;
	struct bs_action act;
	struct bs_grant g = make_grant(&sc);
	const struct answer list = { "GET /", BS_EV_RESPONSE, 0x45, FRESH }, refused = { "PUT /0/1", BS_EV_RESPONSE, 0x80,
		rows[_i].says };
	struct gbuf none = { 0 };

	bs_session_init(&s, lwm2m_model_builtin());
	bs_session_step(&s, &(struct bs_event){ .type = BS_EV_REQUEST }, &act);
	bs_session_step(&s, &(struct bs_event){ .type = BS_EV_GRANTED, .grant = &g }, &act);
	bs_session_step(&s, &(struct bs_event){ .type = BS_EV_REPLIED }, &act);
	struct bs_event ev = answer_event(&list, &none);
	bs_session_step(&s, &ev, &act);
	ev = answer_event(&refused, &none);
	bs_session_step(&s, &ev, &act);
	ck_assert_int_eq(s.rec.verdict, BS_VERDICT_FAILED);
	const struct bs_entry *last = &s.rec.entries[s.rec.n_entries - 1];
	ck_assert_msg((strcmp(last->text, rows[_i].says) == 0) == rows[_i].kept, "%s: %s", rows[_i].says, last->text);
	if (!rows[_i].kept)
		ck_assert_ptr_nonnull(strstr(last->text, "octets that repeat a secret"));
	bs_session_clear(&s);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_session_follows_its_script, N_ELEMS(scripts)),
	UNIT_CASE(a_refusal_is_answered_and_nothing_is_asked, 3),
	UNIT_CASE(an_answer_that_repeats_a_secret_is_not_kept, 10),
};

UNIT_SUITE_MAIN("session", cases)
