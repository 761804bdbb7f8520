/* The explorer's small plans, its menu of events, and the bodies of answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/lwm2m/format.h"
#include "tests/sim/explore.h"
#include "tests/sim/tree.h"

#define AUTO PROFILE_FORMAT_AUTO

/* clang-format off */
const struct plan plans[] = {
	{ .name = "one write", .policy = PROFILE_INCREMENTAL, .verify = true, .server_only = true, .format = AUTO, .refusals = 0 },
	{ .name = "delete and write", .policy = PROFILE_REPLACE, .verify = true, .server_only = true, .format = AUTO, .refusals = 0 },
	{ .name = "replace an account", .policy = PROFILE_REPLACE, .verify = true, .format = AUTO, .refusals = 0 },
	{ .name = "merge an account", .policy = PROFILE_MERGE, .verify = true, .format = AUTO, .refusals = 0 },
	{ .name = "without verification", .policy = PROFILE_REPLACE, .format = AUTO, .refusals = 2 },
	{ .name = "all optional steps", .policy = PROFILE_MERGE, .verify = true, .pair = true, .vets = true,
	  .inspects = true, .keeps = true, .hands_off = true, .format = AUTO, .refusals = 0 },
	{ .name = "bootstrap account", .policy = PROFILE_MERGE, .verify = true, .server_only = true, .account = true,
	  .format = LWM2M_CF_SENML_CBOR },
	{ .name = "retained", .policy = PROFILE_REPLACE, .verify = true, .retain = "/1/3", .format = AUTO, .refusals = 0 },
	{ .name = "access control", .policy = PROFILE_REPLACE, .verify = true, .server_only = true, .acl = true,
	  .format = LWM2M_CF_TLV, .refusals = 0 },
	{ .name = "time first", .policy = PROFILE_REPLACE, .verify = true, .server_only = true, .time = true,
	  .format = AUTO, .refusals = 0 },
	{ .name = "must be confirmed", .policy = PROFILE_REPLACE, .verify = true, .server_only = true, .confirm = true,
	  .keeps = true, .format = LWM2M_CF_SENML_JSON, .refusals = 1 },
	{ .name = "incremental, nothing changed", .policy = PROFILE_INCREMENTAL, .verify = true, .format = AUTO,
	  .returns = true, .shows = READ_LEFT },
	{ .name = "incremental, one server more", .policy = PROFILE_INCREMENTAL, .verify = true, .format = AUTO,
	  .returns = true, .shows = READ_LEFT, .more = true },
	{ .name = "incremental, Read refused", .policy = PROFILE_INCREMENTAL, .verify = true, .format = AUTO, .returns = true },
	{ .name = "incremental, key rejected", .policy = PROFILE_INCREMENTAL, .verify = true, .format = AUTO,
	  .returns = true, .shows = READ_ALERT },
	{ .name = "incremental, bootstrapped elsewhere", .policy = PROFILE_INCREMENTAL, .verify = true, .format = AUTO,
	  .returns = true, .shows = READ_ELSEWHERE },
};
const size_t n_plans = N_ELEMS(plans);

const struct stim menu[] = {
	{ "request", BS_EV_REQUEST, 0, NO_BODY, BS_REASON_NONE },
	{ "bad-request", BS_EV_REQUEST, 0, WHY, BS_REASON_BAD_REQUEST },
	{ "bad-pct", BS_EV_REQUEST, 0, WHY, BS_REASON_UNSUPPORTED_FORMAT },
	{ "granted", BS_EV_GRANTED, 0, NO_BODY, BS_REASON_NONE },
	{ "unknown", BS_EV_REFUSED, 0, WHY, BS_REASON_UNKNOWN_ENDPOINT },
	{ "store-down", BS_EV_REFUSED, 0, WHY, BS_REASON_STORE },
	{ "bad-certificate", BS_EV_REFUSED, 0, WHY, BS_REASON_CERTIFICATE },
	{ "vetted", BS_EV_VETTED, 0, NO_BODY, BS_REASON_NONE },
	{ "replied", BS_EV_REPLIED, 0, NO_BODY, BS_REASON_NONE },
	{ "inspected", BS_EV_INSPECTED, 0, WHY, BS_REASON_NONE },
	{ "inspect-failed", BS_EV_INSPECT_FAILED, 0, WHY, BS_REASON_NONE },
	{ "kept", BS_EV_KEPT, 0, NO_BODY, BS_REASON_NONE },
	{ "keep-failed", BS_EV_KEEP_FAILED, 0, WHY, BS_REASON_NONE },
	{ "handed-off", BS_EV_HANDED_OFF, 0, NO_BODY, BS_REASON_NONE },
	{ "handoff-failed", BS_EV_HANDOFF_FAILED, 0, WHY, BS_REASON_NONE },
	{ "settled", BS_EV_SETTLED, 0, NO_BODY, BS_REASON_NONE },
	{ "settle-failed", BS_EV_SETTLE_FAILED, 0, WHY, BS_REASON_NONE },
	{ "recorded", BS_EV_RECORDED, 0, NO_BODY, BS_REASON_NONE },
	{ "peer-gone", BS_EV_PEER_GONE, 0, WHY, BS_REASON_NONE },
	{ "deadline", BS_EV_DEADLINE, 0, WHY, BS_REASON_NONE },
	{ "superseded", BS_EV_SUPERSEDED, 0, WHY, BS_REASON_NONE },
	{ "cancel", BS_EV_CANCEL, 0, WHY, BS_REASON_OPERATOR },
	{ "stop", BS_EV_CANCEL, 0, NO_BODY, BS_REASON_RESTARTED },
	{ "no-answer", BS_EV_NO_ANSWER, 0, NO_BODY, BS_REASON_NONE },
	{ "reset", BS_EV_RESET, 0, NO_BODY, BS_REASON_NONE },
	{ "not-sent", BS_EV_SEND_FAILED, 0, WHY, BS_REASON_NONE },
	{ "0.00", BS_EV_RESPONSE, 0x00, NO_BODY, BS_REASON_NONE },
	{ "2.01", BS_EV_RESPONSE, 0x41, NO_BODY, BS_REASON_NONE },
	{ "2.02", BS_EV_RESPONSE, 0x42, NO_BODY, BS_REASON_NONE },
	{ "2.03", BS_EV_RESPONSE, 0x43, NO_BODY, BS_REASON_NONE },
	{ "2.04", BS_EV_RESPONSE, 0x44, NO_BODY, BS_REASON_NONE },
	{ "2.05", BS_EV_RESPONSE, 0x45, NO_BODY, BS_REASON_NONE },
	{ "4.00", BS_EV_RESPONSE, 0x80, WHY, BS_REASON_NONE },
	{ "4.01", BS_EV_RESPONSE, 0x81, NO_BODY, BS_REASON_NONE },
	{ "4.03", BS_EV_RESPONSE, 0x83, NO_BODY, BS_REASON_NONE },
	{ "4.04", BS_EV_RESPONSE, 0x84, NO_BODY, BS_REASON_NONE },
	{ "4.05", BS_EV_RESPONSE, 0x85, NO_BODY, BS_REASON_NONE },
	{ "4.06", BS_EV_RESPONSE, 0x86, WHY, BS_REASON_NONE },
	{ "4.15", BS_EV_RESPONSE, 0x8f, NO_BODY, BS_REASON_NONE },
	{ "5.00", BS_EV_RESPONSE, 0xa0, WHY, BS_REASON_NONE },
	{ "5.01", BS_EV_RESPONSE, 0xa1, NO_BODY, BS_REASON_NONE },
	{ "2.04-key", BS_EV_RESPONSE, 0x44, SECRET, BS_REASON_NONE },
	{ "4.00-key", BS_EV_RESPONSE, 0x80, SECRET, BS_REASON_NONE },
	{ "list-key", BS_EV_RESPONSE, 0x45, LIST_SECRET, BS_REASON_NONE },
	{ "list-fresh", BS_EV_RESPONSE, 0x45, LIST_FRESH, BS_REASON_NONE },
	{ "list-old", BS_EV_RESPONSE, 0x45, LIST_OLD, BS_REASON_NONE },
	{ "list-mine", BS_EV_RESPONSE, 0x45, LIST_MINE, BS_REASON_NONE },
	{ "list-left", BS_EV_RESPONSE, 0x45, LIST_LEFT, BS_REASON_NONE },
	{ "list-no-account", BS_EV_RESPONSE, 0x45, LIST_NO_ACCOUNT, BS_REASON_NONE },
	{ "list-two", BS_EV_RESPONSE, 0x45, LIST_TWO, BS_REASON_NONE },
	{ "list-held", BS_EV_RESPONSE, 0x45, LIST_HELD, BS_REASON_NONE },
	{ "list-bare", BS_EV_RESPONSE, 0x45, LIST_BARE, BS_REASON_NONE },
	{ "list-lacking", BS_EV_RESPONSE, 0x45, LIST_LACKING, BS_REASON_NONE },
	{ "list-extra", BS_EV_RESPONSE, 0x45, LIST_EXTRA, BS_REASON_NONE },
	{ "list-ssid", BS_EV_RESPONSE, 0x45, LIST_SSID, BS_REASON_NONE },
	{ "list-lost", BS_EV_RESPONSE, 0x45, LIST_LOST, BS_REASON_NONE },
	{ "list-as-tlv", BS_EV_RESPONSE, 0x45, LIST_AS_TLV, BS_REASON_NONE },
	{ "list-garbage", BS_EV_RESPONSE, 0x45, GARBAGE_LIST, BS_REASON_NONE },
	{ "read-held", BS_EV_RESPONSE, 0x45, READ_HELD, BS_REASON_NONE },
	{ "read-other", BS_EV_RESPONSE, 0x45, READ_OTHER, BS_REASON_NONE },
	{ "read-lacking", BS_EV_RESPONSE, 0x45, READ_LACKING, BS_REASON_NONE },
	{ "read-extra", BS_EV_RESPONSE, 0x45, READ_EXTRA, BS_REASON_NONE },
	{ "read-mine", BS_EV_RESPONSE, 0x45, READ_MINE, BS_REASON_NONE },
	{ "read-left", BS_EV_RESPONSE, 0x45, READ_LEFT, BS_REASON_NONE },
	{ "read-alert", BS_EV_RESPONSE, 0x45, READ_ALERT, BS_REASON_NONE },
	{ "read-elsewhere", BS_EV_RESPONSE, 0x45, READ_ELSEWHERE, BS_REASON_NONE },
	{ "read-garbage", BS_EV_RESPONSE, 0x45, GARBAGE_TLV, BS_REASON_NONE },
	{ "read-as-text", BS_EV_RESPONSE, 0x45, AS_TEXT, BS_REASON_NONE },
};
/* clang-format on */
const size_t n_menu = N_ELEMS(menu);

int
menu_find(const char *name, size_t len)
{
	for (size_t i = 0; i < n_menu; i++)
		if (strlen(menu[i].name) == len && memcmp(menu[i].name, name, len) == 0)
			return (int)i;
	return -1;
}

/* ---- what the device is given ---- */

static void
put_security(struct lwm2m_tree *t, uint16_t iid, int64_t ssid, bool pair)
{
	tree_put_text(t, lwm2m_path3(0, iid, 0), LWM2M_STRING, ssid == 101 ? "coaps://srv.example:5684" : "coaps://more.example:5684");
	tree_put(t, lwm2m_path3(0, iid, 1), lwm2m_bool(false));
	tree_put(t, lwm2m_path3(0, iid, 2), lwm2m_int(pair ? 2 : 0));
	tree_put_text(t, lwm2m_path3(0, iid, 3), LWM2M_OPAQUE, "dev-1");
	tree_put_text(t, lwm2m_path3(0, iid, 5), LWM2M_OPAQUE, KEY);
	tree_put(t, lwm2m_path3(0, iid, 10), lwm2m_int(ssid));
}

static void
put_server(struct lwm2m_tree *t, uint16_t iid, int64_t ssid, int64_t lifetime)
{
	tree_put(t, lwm2m_path3(1, iid, 0), lwm2m_int(ssid));
	tree_put(t, lwm2m_path3(1, iid, 1), lwm2m_int(lifetime));
	tree_put(t, lwm2m_path3(1, iid, 6), lwm2m_bool(true));
	tree_put_text(t, lwm2m_path3(1, iid, 7), LWM2M_STRING, "U");
}

static struct lwm2m_path *
one_path(struct lwm2m_path p)
{
	struct lwm2m_path *arr = malloc(sizeof *arr);

	if (arr == NULL)
		abort();
	*arr = p;
	return arr;
}

void
plan_desired(const struct plan *p, struct profile_desired *d)
{
	struct lwm2m_path path;

	*d = (struct profile_desired){
		.policy = p->policy,
		.format = p->format,
		.verify = p->verify,
		.set_time = p->time,
		.request_timeout_ms = 93000,
		.session_timeout_ms = 247000,
	};
	if (!p->server_only)
		put_security(&d->tree, 0, 101, p->pair);
	put_server(&d->tree, 0, 101, 86400);
	if (p->more) {
		put_security(&d->tree, 1, 102, false);
		put_server(&d->tree, 1, 102, 86400);
	}
	if (p->keeps || p->hands_off) {
		struct profile_handoff h = { .to = str_dup_n("eu", 2), .server = str_dup_n("dm", 2), .short_server_id = 101 };

		if (profile_desired_hand_off(d, &h, NULL) != ERR_OK)
			abort();
	}
	if (p->acl) {
		tree_put(&d->tree, lwm2m_path3(2, 0, 0), lwm2m_int(3));
		tree_put(&d->tree, lwm2m_path3(2, 0, 1), lwm2m_int(0));
		tree_put(&d->tree, lwm2m_path4(2, 0, 2, 101), lwm2m_int(15));
		tree_put(&d->tree, lwm2m_path3(2, 0, 3), lwm2m_int(101));
	}
	if (p->account)
		tree_put(&d->account, lwm2m_path3(0, 0, 11), lwm2m_int(30));
	if (p->retain != NULL) {
		if (lwm2m_path_parse(p->retain, strlen(p->retain), &path, NULL) != ERR_OK)
			abort();
		d->retain = one_path(path);
		d->n_retain = 1;
	}
	if (p->confirm) {
		d->required_confirmed = one_path(lwm2m_path3(1, 0, 1));
		d->n_required_confirmed = 1;
	}
}

#define LEFT "</>;lwm2m=1.1,</0/0>,</0/1>;ssid=101,</0/7>;ssid=9,</1/0>;ssid=101,</1/3>;ssid=9,</3/0>"

/* Of a session that wrote the first server and ended well. */
void
plan_history(const struct plan *p, struct bs_history *h)
{
	struct plan then = *p;

	*h = (struct bs_history){ .now_ms = 1700000000000 };
	if (!p->returns)
		return;
	then.more = false;
	h->last_session = h->good_session = 5;
	h->last_verdict = BS_VERDICT_PROVISIONED;
	h->good_started_ms = 1699000000000;
	h->last_ended_ms = h->good_ended_ms = 1699000001000;
	h->good_revision = 6;
	h->held.links = strdup(LEFT);
	h->wrote_same = !p->more;
	h->wrote = p->more ? calloc(1, sizeof *h->wrote) : NULL;
	h->wanted = calloc(1, sizeof *h->wanted);
	if (h->held.links == NULL || h->wanted == NULL || (p->more && h->wrote == NULL))
		abort();
	h->wanted[h->n_wanted++] = 101;
	if (p->more)
		plan_desired(&then, h->wrote);
}

/* ---- bodies ---- */

static void
put_left(struct lwm2m_tree *t, enum body kind)
{
	put_server(t, 0, 101, 86400);
	put_server(t, 3, 9, 60);
	if (kind == READ_ALERT)
		tree_put(t, lwm2m_path3(1, 0, 11), lwm2m_int(48));
	if (kind == READ_ELSEWHERE)
		tree_put(t, lwm2m_path3(1, 0, 12), lwm2m_time(1699500000));
}

static void
list_held(const struct run *r, enum body kind, struct gbuf *out)
{
	const struct ghost *g = &r->g;
	size_t n = g->n_list - (kind == LIST_LACKING && g->n_list > 0);

	gbuf_str(out, "</>;lwm2m=1.1");
	if (kind != LIST_LOST)
		gbuf_printf(out, ",</0/%d>", g->account == BS_UNKNOWN_INSTANCE ? 0 : g->account);
	for (size_t i = 0; i < n; i++) {
		const struct listed *l = &g->list[i];

		gbuf_printf(out, ",<%s>", lwm2m_path_str(l->path).s);
		if (l->ssid != 0)
			gbuf_printf(out, ";ssid=%u", l->ssid + (kind == LIST_SSID && i + 1 == n ? 7U : 0U));
	}
	if (kind == LIST_EXTRA)
		gbuf_str(out, ",</1/5>;ssid=3");
}

static void
read_tree(const struct run *r, enum body kind, uint16_t oid, struct lwm2m_tree *t)
{
	struct lwm2m_span held = lwm2m_tree_under(&r->g.held, lwm2m_path1(oid));
	struct lwm2m_value v;

	if (kind == READ_MINE) {
		put_server(t, 4, 101, 1);
		return;
	}
	if (kind == READ_LEFT || kind == READ_ALERT || kind == READ_ELSEWHERE) {
		put_left(t, kind);
		return;
	}
	for (size_t i = 0; i < held.n; i++) {
		if (lwm2m_value_copy(&v, &held.nodes[i].value, NULL) != ERR_OK)
			abort();
		tree_put(t, held.nodes[i].path, v);
	}
	if (kind == READ_LACKING && t->n > 0)
		(void)lwm2m_tree_remove(t, lwm2m_path_up(t->nodes[t->n - 1].path, LWM2M_INSTANCE));
	if (kind == READ_OTHER && t->n > 0)
		tree_put(t, t->nodes[t->n - 1].path.id[0] == 1 ? lwm2m_path3(1, t->nodes[0].path.id[1], 1) :
		    lwm2m_path4(2, t->nodes[0].path.id[1], 2, 101), lwm2m_int(1));
	if (kind == READ_EXTRA && oid == 1)
		put_server(t, 5, 3, 60);
}

static int
write_read(struct run *r, enum body kind, struct gbuf *out)
{
	struct lwm2m_path base = r->g.sent.path.depth == LWM2M_OBJECT ? r->g.sent.path : lwm2m_path1(1);
	struct lwm2m_span all;

	read_tree(r, kind, base.id[0], &r->body);
	all = lwm2m_tree_under(&r->body, base);
	if (all.n > 0 && lwm2m_format(LWM2M_CF_TLV)->encode(base, all, out, NULL) != ERR_OK)
		abort();
	return LWM2M_CF_TLV;
}

static const char *
fixed_body(enum body kind)
{
	switch (kind) {
	case WHY:
		return "why";
	case SECRET:
		return "you sent " KEY;
	case LIST_FRESH:
		return "</>;lwm2m=1.1,</0/0>,</1>,</3/0>";
	case LIST_OLD:
		return "</>;lwm2m=1.1,</0/0>,</0/7>;ssid=9,</1/3>;ssid=9,</2/8>,</3/0>";
	case LIST_MINE:
		return "</>;lwm2m=1.1,</0/0>,</0/5>;ssid=101,</1/4>;ssid=101,</3/0>";
	case LIST_LEFT:
		return LEFT;
	case LIST_NO_ACCOUNT:
		return "</>;lwm2m=1.1,</1/3>;ssid=9,</3/0>";
	case LIST_TWO:
		return "</>;lwm2m=1.1,</0/0>,</0/1>";
	case LIST_SECRET:
		return "</>;lwm2m=1.1,</0/0>;uri=\"coap://6d61726b6564206b65793a2034373131\"";
	case GARBAGE_LIST:
		return "<</0>;;\"";
	case GARBAGE_TLV:
		return "\xff\xff\xff";
	case AS_TEXT:
		return "7";
	default:
		return "";
	}
}

int
body_write(struct run *r, const struct stim *st, struct gbuf *out)
{
	lwm2m_tree_clear(&r->body);
	switch (st->body) {
	case LIST_HELD:
	case LIST_BARE:
	case LIST_LACKING:
	case LIST_EXTRA:
	case LIST_SSID:
	case LIST_LOST:
	case LIST_AS_TLV:
		list_held(r, st->body, out);
		return st->body == LIST_BARE ? -1 : st->body == LIST_AS_TLV ? LWM2M_CF_TLV : LWM2M_CF_LINK;
	case READ_HELD:
	case READ_OTHER:
	case READ_LACKING:
	case READ_EXTRA:
	case READ_MINE:
	case READ_LEFT:
	case READ_ALERT:
	case READ_ELSEWHERE:
		return write_read(r, st->body, out);
	case LIST_FRESH:
	case LIST_OLD:
	case LIST_MINE:
	case LIST_LEFT:
	case LIST_NO_ACCOUNT:
	case LIST_TWO:
	case LIST_SECRET:
	case GARBAGE_LIST:
		gbuf_str(out, fixed_body(st->body));
		return LWM2M_CF_LINK;
	case NO_BODY:
	case WHY:
	case SECRET:
	case GARBAGE_TLV:
	case AS_TEXT:
		gbuf_str(out, fixed_body(st->body));
		return st->body == GARBAGE_TLV ? LWM2M_CF_TLV : st->body == AS_TEXT ? LWM2M_CF_TEXT : -1;
	}
	return -1;
}
