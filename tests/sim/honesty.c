/*
 * The honesty matrix: every step of a session, times everything that a device or the world can do
 * there. For each cell: the verdict with its reason, no Finish on a partial configuration, nothing
 * secret left, and the device can bootstrap again at once from another port. What is expected is a
 * table of its own, written from the protocol and not from the machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/bootstrap/driver.h"
#include "lib/base/str.h"
#include "tests/sim/honesty.h"
#include "tests/sim/tree.h"

static const struct stimulus stimuli[] = {
	{ "4.00", ANSWER, 0x80, 0 },
	{ "4.01", ANSWER, 0x81, 0 },
	{ "4.02", ANSWER, 0x82, 0 },
	{ "4.03", ANSWER, 0x83, 0 },
	{ "4.04", ANSWER, 0x84, 0 },
	{ "4.05", ANSWER, 0x85, 0 },
	{ "4.06", ANSWER, 0x86, 0 },
	{ "4.08", ANSWER, 0x88, 0 },
	{ "4.13", ANSWER, 0x8d, 0 },
	{ "4.15", ANSWER, 0x8f, 0 },
	{ "5.00", ANSWER, 0xa0, 0 },
	{ "5.01", ANSWER, 0xa1, 0 },
	{ "5.03", ANSWER, 0xa3, 0 },
	{ "2.03", ANSWER, 0x43, 0 },
	{ "4.06 twice", TWICE_406, 0x86, 0 },
	{ "garbage payload", GARBAGE, 0, 0 },
	{ "wrong content format", WRONG_FORMAT, 0, 0 },
	{ "wrong content", WRONG_CONTENT, 0, 0 },
	{ "no answer", EVENT, 0, BS_EV_NO_ANSWER },
	{ "reset", EVENT, 0, BS_EV_RESET },
	{ "not sent", EVENT, 0, BS_EV_SEND_FAILED },
	{ "client restarts", EVENT, 0, BS_EV_SUPERSEDED },
	{ "peer gone", EVENT, 0, BS_EV_PEER_GONE },
	{ "deadline", EVENT, 0, BS_EV_DEADLINE },
	{ "cancelled", EVENT, 0, BS_EV_CANCEL },
};

/* ---- the world ---- */

struct world {
	struct bs_driver *d;
	uint64_t now;
	/* what the driver asked for last */
	uint64_t lookup, sending, recording;
	bool replied;
	uint8_t reply;
	uint64_t accepted; /* the session that was answered 2.04 last */
	char request[40];
	/* what became of the session that ended last */
	struct expected verdict;
	bool over;
	/* counted */
	unsigned finishes, sends_before_reply, records;
	bool partial_finish; /* Finish though a Delete or Write before it had failed */
	bool broken;	     /* a Delete or Write was not answered well and not tried again */
};

static void
port_now(void *arg, uint64_t *mono_ms, int64_t *wall_ms)
{
	struct world *w = arg;

	*mono_ms = w->now;
	*wall_ms = (int64_t)w->now + 1000000;
}

static void
port_lookup(void *arg, uint64_t session, const struct bs_lookup *q)
{
	struct world *w = arg;

	(void)q;
	w->lookup = session;
}

static void
port_record(void *arg, uint64_t session, const struct bs_record *r)
{
	struct world *w = arg;

	w->recording = session;
	w->records++;
	w->over = true;
	w->verdict = (struct expected){ r->verdict, r->reason, r->step, r->code };
	if (w->sending == session)
		w->sending = 0;
}

static void
port_reply(void *arg, uint64_t session, uint64_t peer, uint64_t request, const struct bs_reply *r)
{
	struct world *w = arg;

	(void)peer;
	(void)request;
	w->replied = true;
	w->reply = r->code;
	if (r->code == 0x44)
		w->accepted = session;
}

static void
port_send(void *arg, uint64_t session, uint64_t peer, const struct bs_send *s)
{
	struct world *w = arg;

	(void)peer;
	if (w->accepted != session)
		w->sends_before_reply++;
	w->sending = session;
	(void)snprintf(w->request, sizeof w->request, "%s %s", bs_method_name(s->method),
	    s->finish ? "/bs" : lwm2m_path_str(s->path).s);
	if (s->finish) {
		w->finishes++;
		w->partial_finish |= w->broken;
	}
}

static void
port_release(void *arg, uint64_t session, uint64_t peer, bool fail)
{
	(void)arg;
	(void)session;
	(void)peer;
	(void)fail;
}

static void
port_wake_at(void *arg, uint64_t when_ms)
{
	(void)arg;
	(void)when_ms;
}

static void
world_open(struct world *w)
{
	struct bs_driver_conf c = {
		.ports = { .arg = w, .now = port_now, .lookup = port_lookup, .record = port_record, .reply = port_reply,
		    .send = port_send, .release = port_release, .wake_at = port_wake_at },
		.model = lwm2m_model_builtin(),
		.seed = 1,
	};

	*w = (struct world){ .now = 1000 };
	if (bs_driver_new(&c, &w->d, NULL) != ERR_OK)
		abort();
}

static void
fill_server(struct lwm2m_tree *t, int64_t lifetime)
{
	tree_put(t, lwm2m_path3(1, 0, 0), lwm2m_int(101));
	tree_put(t, lwm2m_path3(1, 0, 1), lwm2m_int(lifetime));
	tree_put(t, lwm2m_path3(1, 0, 6), lwm2m_bool(true));
	tree_put_text(t, lwm2m_path3(1, 0, 7), LWM2M_STRING, "U");
}

static void
fill_security(struct lwm2m_tree *t)
{
	tree_put_text(t, lwm2m_path3(0, 0, 0), LWM2M_STRING, "coaps://srv.example:5684");
	tree_put(t, lwm2m_path3(0, 0, 1), lwm2m_bool(false));
	tree_put(t, lwm2m_path3(0, 0, 2), lwm2m_int(0));
	tree_put_text(t, lwm2m_path3(0, 0, 3), LWM2M_OPAQUE, "dev-1");
	tree_put_text(t, lwm2m_path3(0, 0, 4), LWM2M_OPAQUE, "");
	tree_put_text(t, lwm2m_path3(0, 0, 5), LWM2M_OPAQUE, "sixteen byte key");
	tree_put(t, lwm2m_path3(0, 0, 10), lwm2m_int(101));
}

static void
let_in(struct world *w, uint64_t lookup)
{
	struct bs_grant g = { .remembered_format = -1, .revision = 1 };
	struct bs_event ev = { .type = BS_EV_GRANTED, .grant = &g };

	g.endpoint = strdup("dev-1");
	g.rule = strdup("rule");
	g.desired.policy = PROFILE_REPLACE;
	g.desired.verify = true;
	g.desired.format = PROFILE_FORMAT_AUTO;
	g.desired.request_timeout_ms = 93000;
	g.desired.session_timeout_ms = 247000;
	fill_security(&g.desired.tree);
	fill_server(&g.desired.tree, 86400);
	bs_driver_event(w->d, lookup, &ev);
}

static void
ask_in(struct world *w, uint64_t peer, const char *query)
{
	struct bs_query q = { query, strlen(query) };
	struct bs_knock k = { .peer = { .id = peer, .addr = "127.0.0.1:1" }, .request = peer, .queries = &q, .n_queries = 1 };

	w->over = w->replied = false;
	bs_driver_knock(w->d, &k);
}

static void
knock(struct world *w, uint64_t peer)
{
	ask_in(w, peer, "ep=dev-1");
	let_in(w, w->lookup);
}

/* ---- answers ---- */

#define OLD "</>;lwm2m=1.1,</0/0>,</0/7>;ssid=9,</1/3>;ssid=9,</3/0>"
#define NOW "</>;lwm2m=1.1,</0/0>,</0/1>;ssid=101,</1/0>;ssid=101,</3/0>"
#define TWO_ACCOUNTS "</>;lwm2m=1.1,</0/0>,</0/7>,</1/3>;ssid=9,</3/0>"
#define LACKING "</>;lwm2m=1.1,</0/0>,</0/1>;ssid=101,</3/0>"

static void
give(struct world *w, uint8_t code, int format, const void *p, size_t n)
{
	struct bs_event ev = { .type = BS_EV_RESPONSE, .code = code, .format = format, .payload = p, .payload_len = n };

	bs_driver_event(w->d, w->sending, &ev);
}

static void
give_server(struct world *w, int64_t lifetime)
{
	struct lwm2m_tree t = { 0 };
	struct gbuf g = { 0 };

	fill_server(&t, lifetime);
	if (lwm2m_tlv_encode(lwm2m_path1(1), lwm2m_tree_under(&t, lwm2m_path1(1)), &g, NULL) != ERR_OK)
		abort();
	give(w, 0x45, LWM2M_CF_TLV, g.data, g.len);
	lwm2m_tree_clear(&t);
	gbuf_clear(&g);
}

/* written: our account is there by now. */
static void
answer_well(struct world *w, bool written)
{
	const char *list = written ? NOW : OLD;

	if (strcmp(w->request, "GET /") == 0)
		give(w, 0x45, LWM2M_CF_LINK, list, strlen(list));
	else if (strcmp(w->request, "GET /1") == 0)
		give_server(w, 86400);
	else if (strncmp(w->request, "DELETE", 6) == 0)
		give(w, 0x42, -1, NULL, 0);
	else
		give(w, 0x44, -1, NULL, 0);
}

static void
happen(struct world *w, enum bs_event_type type)
{
	struct bs_event ev = { .type = type, .text = "as the test wants it" };
	struct bs_event unsent = { .type = BS_EV_SEND_FAILED, .text = "the device closed its session" };
	uint64_t sending = w->sending;

	switch (type) {
	case BS_EV_SUPERSEDED: /* the client restarts: a new request, from a new port, granted */
		knock(w, 77);
		break;
	case BS_EV_PEER_GONE: /* the transport then ends the request that was under way, too: that is no news */
		bs_driver_peer_gone(w->d, 1, "the device closed its session");
		bs_driver_event(w->d, sending, &unsent);
		break;
	case BS_EV_DEADLINE:
		w->now += 300000;
		bs_driver_tick(w->d);
		break;
	case BS_EV_CANCEL:
		(void)bs_driver_cancel(w->d, "dev-1", "an operator");
		break;
	default:
		bs_driver_event(w->d, w->sending, &ev);
		break;
	}
}

/* The code that belongs to what was asked, with something behind it that does not. */
static void
give_behind(struct world *w, enum step at, int format, const char *p, size_t n)
{
	give(w, is_look(at) ? 0x45 : at == DELETE_0 || at == DELETE_1 ? 0x42 : 0x44, format, p, n);
}

static void
give_wrong_content(struct world *w, enum step at)
{
	if (at == VERIFY_READ)
		give_server(w, 1);
	else if (at == VERIFY_LIST)
		give(w, 0x45, LWM2M_CF_LINK, LACKING, strlen(LACKING));
	else
		give(w, 0x45, LWM2M_CF_LINK, TWO_ACCOUNTS, strlen(TWO_ACCOUNTS));
}

static void
misbehave(struct world *w, enum step at, const struct stimulus *s)
{
	bool changes = at >= DELETE_0 && at <= WRITE_1;

	switch (s->kind) {
	case ANSWER:
	case TWICE_406:
		w->broken = changes && !goes_on(at, s->code);
		give(w, s->code, -1, "why", 3);
		break;
	case GARBAGE:
		give_behind(w, at, at == VERIFY_READ ? LWM2M_CF_TLV : LWM2M_CF_LINK, "\xff<<\"", 4);
		break;
	case WRONG_FORMAT:
		give_behind(w, at, LWM2M_CF_TEXT, "7", 1);
		break;
	case WRONG_CONTENT:
		w->broken = changes;
		give_wrong_content(w, at);
		break;
	case EVENT:
		w->broken = changes;
		happen(w, s->event);
		break;
	}
}

/* The same for the request itself: while nobody has said yet who this is. */
static void
misrequest(struct world *w, const struct stimulus *s)
{
	struct bs_event no = { .type = BS_EV_REFUSED, .reason = BS_REASON_IDENTITY_MISMATCH };
	uint64_t first;

	ask_in(w, 1, s->kind == GARBAGE ? "ep=" : s->kind == WRONG_FORMAT ? "pct=40" : "ep=dev-1");
	first = w->sending = w->lookup;
	if (s->kind == WRONG_CONTENT)
		bs_driver_event(w->d, first, &no);
	else if (s->kind == ANSWER)
		give(w, s->code, -1, "why", 3);
	else if (s->kind == EVENT)
		happen(w, s->event);
	if (!w->over)
		let_in(w, first); /* after a restart: the newer one was let in before it */
}

/* ---- a cell ---- */

static unsigned cells, wrong;

static void
complain(enum step at, const struct stimulus *s, const char *what, const struct expected *is)
{
	char code[5];

	wrong++;
	bs_code_str(is->code, code);
	printf("# %s x %s: %s: %s at %s (%s) %s\n", steps[at].name, s->name, what, bs_verdict_name(is->verdict),
	    bs_step_name(is->step), bs_reason_name(is->reason), code);
}

static void
run_on(struct world *w, bool written)
{
	for (unsigned i = 0; i < 64 && !w->over; i++) {
		written |= strncmp(w->request, "PUT", 3) == 0;
		answer_well(w, written);
	}
}

static void
recorded(struct world *w)
{
	bs_driver_event(w->d, w->recording, &(struct bs_event){ .type = BS_EV_RECORDED });
}

static bool
same(const struct expected *a, const struct expected *b)
{
	return a->verdict == b->verdict && a->reason == b->reason && a->step == b->step && a->code == b->code;
}

/* The device comes again, from a new port: it must be served as if nothing had been. */
static void
come_again(struct world *w, enum step at, const struct stimulus *s)
{
	w->broken = false;
	if (s->kind != EVENT || s->event != BS_EV_SUPERSEDED)
		knock(w, 99);
	else
		w->over = false;
	run_on(w, false);
	if (!w->over || w->verdict.verdict != BS_VERDICT_PROVISIONED)
		complain(at, s, "the device could not bootstrap again", &w->verdict);
	recorded(w);
}

static void
check_cell(struct world *w, enum step at, const struct stimulus *s, const struct expected *want)
{
	struct bs_driver_stats stats;

	if (!same(&w->verdict, want))
		complain(at, s, "not as expected", &w->verdict);
	if (w->partial_finish)
		complain(at, s, "Finish on a partial configuration", &w->verdict);
	if (w->sends_before_reply > 0)
		complain(at, s, "a request before the 2.04", &w->verdict);
	if (at < FINISH && want->verdict != BS_VERDICT_PROVISIONED && w->finishes > 0)
		complain(at, s, "Finish though it failed", &w->verdict);
	recorded(w);
	come_again(w, at, s);
	bs_driver_stats(w->d, &stats);
	if (stats.live != 0)
		complain(at, s, "a session is left", &w->verdict);
}

static void
go_to(struct world *w, enum step at)
{
	knock(w, 1);
	for (enum step now = DISCOVER; now < at; now++) {
		if (strcmp(w->request, steps[now].request) != 0)
			complain(now, &stimuli[0], w->request, &w->verdict);
		answer_well(w, now > WRITE_1);
	}
}

static bool done[STEPS][N_ELEMS(stimuli)];

static void
cell(enum step at, const struct stimulus *s)
{
	bool superseded = s->kind == EVENT && s->event == BS_EV_SUPERSEDED;
	struct expected want;
	struct world w;

	if (!expect(at, s, &want))
		return;
	cells++;
	done[at][s - stimuli] = true;
	world_open(&w);
	if (at == REQUEST)
		misrequest(&w, s);
	else {
		go_to(&w, at);
		misbehave(&w, at, s);
	}
	if (s->kind == TWICE_406)
		for (unsigned i = 0; i < 64 && !w.over; i++)
			strcmp(w.request, "POST /bs") == 0 ? give(&w, 0x86, -1, NULL, 0) : answer_well(&w, true);
	else if (!superseded)
		run_on(&w, at >= WRITE_1);
	check_cell(&w, at, s, &want);
	bs_driver_free(w.d);
}

/* Each step times each happening was tried; only Finish can be answered 4.06 twice. */
static void
check_no_cell_is_missing(void)
{
	for (int at = 0; at < STEPS; at++)
		for (size_t i = 0; i < N_ELEMS(stimuli); i++) {
			if (done[at][i] || (stimuli[i].kind == TWICE_406 && at != FINISH))
				continue;
			wrong++;
			printf("# missing: %s x %s\n", steps[at].name, stimuli[i].name);
		}
}

/*
 * Finish was on its way when the device lost power; it asks anew, and says 2.04 to the old Finish while
 * nobody has said yet whether it may. That is no proof of anything.
 */
static void
check_finish_after_restart(void)
{
	static const struct stimulus anew = { "asks anew, and is not let in yet", ANSWER, 0x44, BS_EV_RESPONSE };
	const struct expected want = { BS_VERDICT_CANCELLED, BS_REASON_SUPERSEDED, BS_STEP_FINISH, 0x44 };
	struct world w;
	uint64_t old;

	cells++;
	world_open(&w);
	go_to(&w, FINISH);
	old = w.sending;
	ask_in(&w, 1, "ep=dev-1");
	w.sending = old;
	answer_well(&w, true);
	if (!w.over || !same(&w.verdict, &want))
		complain(FINISH, &anew, "not as expected", &w.verdict);
	recorded(&w);
	w.over = false;
	let_in(&w, w.lookup);
	run_on(&w, false);
	if (!w.over || w.verdict.verdict != BS_VERDICT_PROVISIONED)
		complain(FINISH, &anew, "the device could not bootstrap again", &w.verdict);
	bs_driver_free(w.d);
}

/* ---- before the 2.04 ---- */

/* What the lookup, or the world meanwhile, makes of a request; each is answered, and nothing is asked. */
static const struct refusal {
	const char *name, *query; /* query NULL: ep=dev-1 */
	enum bs_event_type event; /* REFUSED with reason, or one that comes at any time */
	enum bs_reason reason;
	enum bs_verdict verdict;
	uint8_t reply;
} refusals[] = {
	{ "ep empty", "ep=", 0, BS_REASON_BAD_REQUEST, BS_VERDICT_REFUSED, 0x80 },
	{ "pct unknown", "pct=40", 0, BS_REASON_UNSUPPORTED_FORMAT, BS_VERDICT_REFUSED, 0x8f },
	{ "pct no number", "pct=x", 0, BS_REASON_BAD_REQUEST, BS_VERDICT_REFUSED, 0x80 },
	{ "no endpoint", NULL, BS_EV_REFUSED, BS_REASON_NO_ENDPOINT, BS_VERDICT_REFUSED, 0x80 },
	{ "unknown endpoint", NULL, BS_EV_REFUSED, BS_REASON_UNKNOWN_ENDPOINT, BS_VERDICT_REFUSED, 0x80 },
	{ "another's name", NULL, BS_EV_REFUSED, BS_REASON_IDENTITY_MISMATCH, BS_VERDICT_REFUSED, 0x80 },
	{ "no rule", NULL, BS_EV_REFUSED, BS_REASON_NO_CREDENTIAL_RULE, BS_VERDICT_REFUSED, 0x80 },
	{ "blocked", NULL, BS_EV_REFUSED, BS_REASON_BLOCKED, BS_VERDICT_REFUSED, 0x80 },
	{ "bad profile", NULL, BS_EV_REFUSED, BS_REASON_BAD_PROFILE, BS_VERDICT_REFUSED, 0x80 },
	{ "store down", NULL, BS_EV_REFUSED, BS_REASON_STORE, BS_VERDICT_REFUSED, 0xa3 },
	{ "peer gone", NULL, BS_EV_PEER_GONE, BS_REASON_PEER_GONE, BS_VERDICT_FAILED, 0x80 },
	{ "lookup never answers", NULL, BS_EV_DEADLINE, BS_REASON_DEADLINE, BS_VERDICT_FAILED, 0xa3 },
};

static void
refusal_cell(const struct refusal *r)
{
	struct bs_event ev = { .type = r->event, .reason = r->reason, .text = "as the test wants it" };
	static const struct stimulus none = { "again", ANSWER, 0, 0 };
	struct world w;

	cells++;
	world_open(&w);
	ask_in(&w, 1, r->query == NULL ? "ep=dev-1" : r->query);
	if (r->query == NULL && r->event == BS_EV_REFUSED)
		bs_driver_event(w.d, w.lookup, &ev);
	else if (r->query == NULL)
		happen(&w, r->event);
	if (!w.over || w.verdict.verdict != r->verdict || w.verdict.reason != r->reason || !w.replied ||
	    w.reply != r->reply || w.sending != 0) {
		wrong++;
		printf("# request x %s: %s (%s), reply %02x\n", r->name, bs_verdict_name(w.verdict.verdict),
		    bs_reason_name(w.verdict.reason), w.reply);
	}
	recorded(&w);
	come_again(&w, DISCOVER, &none);
	bs_driver_free(w.d);
}

/* Every state that waits for an answer is a step here: a state that is added must be added here too. */
static void
check_complete(void)
{
	for (int st = 0; st < BS_STATE__COUNT; st++) {
		bool there = !(bs_state_accepts((enum bs_state)st) & (1U << BS_EV_RESPONSE)) || st == BS_READ;

		for (size_t i = 0; i < STEPS; i++)
			there |= steps[i].state == (enum bs_state)st;
		if (!there) {
			wrong++;
			printf("# state %s has no row in the matrix\n", bs_state_name((enum bs_state)st));
		}
	}
}

int
main(void)
{
	check_complete();
	for (int at = 0; at < STEPS; at++)
		for (size_t i = 0; i < N_ELEMS(stimuli); i++)
			cell((enum step)at, &stimuli[i]);
	check_no_cell_is_missing();
	check_finish_after_restart();
	for (size_t i = 0; i < N_ELEMS(refusals); i++)
		refusal_cell(&refusals[i]);
	printf("# %u cells: %d steps, %zu happenings, %zu refusals\n", cells, (int)STEPS, N_ELEMS(stimuli),
	    N_ELEMS(refusals));
	printf("%s 1 - every cell ends as it must\n1..1\n", wrong == 0 ? "ok" : "not ok");
	return wrong == 0 ? 0 : 1;
}
