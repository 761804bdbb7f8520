/* One run of the session machine along a path of events. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "tests/sim/explore.h"

void
run_begin(struct run *r, const struct plan *plan, const struct mutant *mutant)
{
	struct bs_request req = { .ep = "dev-1", .pct = -1 };

	memset(r, 0, sizeof *r);
	r->plan = plan;
	r->mutant = mutant;
	bs_session_init(&r->s, lwm2m_model_builtin());
	bs_session_set_request(&r->s, &req);
	r->s.vets = plan->vets;
	r->s.inspects = plan->inspects;
	r->s.keeps = plan->keeps;
	r->s.hands_off = plan->hands_off;
	r->s.rec.peer = str_dup_n("127.0.0.1:1", 11);
	oracle_begin(r);
}

void
run_end(struct run *r)
{
	look_for_freed_secrets(false);
	bs_session_clear(&r->s);
	lwm2m_tree_clear(&r->body);
	oracle_end(r);
	(void)freed_secrets();
}

bool
run_takes(const struct run *r, enum bs_event_type type)
{
	switch (type) {
	case BS_EV_REQUEST:
		return r->g.waits == BS_ACT_NONE;
	case BS_EV_GRANTED:
		return r->g.waits == BS_ACT_LOOKUP;
	case BS_EV_REFUSED:
		return r->g.waits == BS_ACT_LOOKUP || r->g.waits == BS_ACT_VET;
	case BS_EV_VETTED:
		return r->g.waits == BS_ACT_VET;
	case BS_EV_REPLIED:
		return r->g.waits == BS_ACT_REPLY;
	case BS_EV_RESPONSE:
	case BS_EV_NO_ANSWER:
	case BS_EV_RESET:
	case BS_EV_SEND_FAILED:
		return r->g.waits == BS_ACT_SEND;
	case BS_EV_INSPECTED:
	case BS_EV_INSPECT_FAILED:
		return r->g.waits == BS_ACT_INSPECT;
	case BS_EV_KEPT:
	case BS_EV_KEEP_FAILED:
		return r->g.waits == BS_ACT_KEEP;
	case BS_EV_HANDED_OFF:
	case BS_EV_HANDOFF_FAILED:
		return r->g.waits == BS_ACT_HANDOFF;
	case BS_EV_SETTLED:
	case BS_EV_SETTLE_FAILED:
		return r->g.waits == BS_ACT_SETTLE;
	case BS_EV_RECORDED:
		return r->g.waits == BS_ACT_RECORD;
	case BS_EV_PEER_GONE:
	case BS_EV_DEADLINE:
	case BS_EV_SUPERSEDED:
	case BS_EV_CANCEL:
		return r->g.waits != BS_ACT_RECORD && r->g.waits != BS_ACT_DONE;
	case BS_EV__COUNT:
		break;
	}
	return false;
}

/* 4.15 to a Write; 4.06 too to a Read: it will be asked another way. */
static bool
refuses_format(const struct run *r, uint8_t code)
{
	if (r->g.sent.finish || r->g.sent.path.depth == LWM2M_ROOT)
		return false;
	return code == 0x8f || (code == 0x86 && r->g.sent.method == BS_GET);
}

/* A device that was here before: what it was left, or nothing at all. */
static bool
offers_return(const struct run *r, enum body body)
{
	bool first = !r->g.inconsistent;

	if (body == LIST_LEFT || body == LIST_FRESH || body == GARBAGE_TLV || body == GARBAGE_LIST)
		return first;
	if (body == LIST_HELD || body == READ_HELD)
		return !first;
	return body == NO_BODY || body == WHY || (first && body == r->plan->shows);
}

static bool
offers_first_look(const struct run *r, enum body body)
{
	if (r->plan->returns)
		return offers_return(r, body);
	switch (body) {
	case NO_BODY:
	case WHY:
	case GARBAGE_LIST:
	case GARBAGE_TLV:
	case READ_HELD:
		return true;
	case LIST_HELD:
		return r->g.inconsistent;
	case SECRET:
	case LIST_SECRET:
		return !r->plan->server_only && !r->g.inconsistent;
	case LIST_FRESH:
	case LIST_OLD:
	case LIST_MINE:
	case LIST_NO_ACCOUNT:
	case LIST_TWO:
	case READ_EXTRA:
	case READ_MINE:
	case AS_TEXT:
		return !r->g.inconsistent;
	case LIST_BARE:
	case LIST_LACKING:
	case LIST_EXTRA:
	case LIST_SSID:
	case LIST_LOST:
	case LIST_AS_TLV:
	case LIST_LEFT:
	case READ_OTHER:
	case READ_LACKING:
	case READ_LEFT:
	case READ_ALERT:
	case READ_ELSEWHERE:
		break;
	}
	return false;
}

bool
run_offers(const struct run *r, const struct stim *st)
{
	if (st->type != BS_EV_RESPONSE || r->g.waits != BS_ACT_SEND)
		return true;
	if (refuses_format(r, st->code) && r->g.refusals >= r->plan->refusals)
		return false;
	if (r->g.looking)
		return offers_first_look(r, st->body);
	switch (st->body) {
	case LIST_OLD:
	case LIST_MINE:
	case LIST_NO_ACCOUNT:
	case LIST_LEFT:
	case READ_MINE:
	case READ_LEFT:
	case READ_ALERT:
	case READ_ELSEWHERE:
		return false;
	case SECRET:
	case LIST_SECRET:
		return !r->plan->server_only;
	default:
		return true;
	}
}

static struct bs_grant
make_grant(const struct plan *p)
{
	struct bs_grant g = { .remembered_format = -1, .revision = 7 };

	g.endpoint = str_dup_n("dev-1", 5);
	g.rule = str_dup_n("rule", 4);
	plan_desired(p, &g.desired);
	plan_history(p, &g.history);
	return g;
}

/* The table that the tests are given must say what the oracle knows by itself. */
static bool
table_agrees(const struct run *r)
{
	unsigned bits = bs_state_accepts(r->s.state);

	for (int type = 0; type < BS_EV__COUNT; type++)
		if (((bits >> type) & 1) != run_takes(r, (enum bs_event_type)type))
			return false;
	return true;
}

enum rule
run_step(struct run *r, size_t stim)
{
	const struct stim *st = &menu[stim];
	struct gbuf body = { 0 };
	struct bs_grant grant = { .remembered_format = -1 };
	struct bs_event ev = { .type = st->type, .code = st->code, .reason = st->reason, .now_ms = ++r->steps,
		.wall_ms = 1700000000000 };
	bool taken = run_takes(r, st->type);
	enum rule broken;

	ev.format = body_write(r, st, &body);
	ev.payload = body.data;
	ev.payload_len = body.len;
	if (st->type == BS_EV_GRANTED) {
		grant = make_grant(r->plan);
		ev.grant = &grant;
	}
	if (st->type != BS_EV_RESPONSE && body.len > 0)
		ev.text = gbuf_cstr(&body);
	look_for_freed_secrets(!r->again);
	if (taken)
		oracle_event(r, &ev);
	if (taken && st->type == BS_EV_RESPONSE && refuses_format(r, st->code))
		r->g.refusals++;
	if (r->mutant != NULL && r->mutant->before != NULL)
		r->mutant->before(r, &ev);
	bs_session_step(&r->s, &ev, &r->act);
	if (r->mutant != NULL && r->mutant->after != NULL)
		r->mutant->after(r, &ev);
	ev.type = st->type;
	ev.reason = st->reason;
	broken = oracle_action(r, &ev, taken);
	if (broken == HOLDS && !r->again && !table_agrees(r))
		broken = R_ACCEPTS;
	bs_grant_clear(&grant);
	gbuf_clear(&body);
	return broken;
}

/* ---- what makes two states one ---- */

static void
mix(uint64_t *h, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		*h = (*h ^ b[i]) * 0x100000001b3U;
	*h = (*h ^ n) * 0x100000001b3U;
}

static void
mix_u(uint64_t *h, uint64_t v)
{
	mix(h, &v, sizeof v);
}

static void
mix_str(uint64_t *h, const char *s)
{
	mix(h, s == NULL ? "" : s, s == NULL ? 0 : strlen(s));
}

static void
mix_path(uint64_t *h, struct lwm2m_path p)
{
	mix(h, p.id, sizeof p.id);
	mix_u(h, p.depth);
}

static void
mix_value(uint64_t *h, const struct lwm2m_value *v)
{
	mix_u(h, (uint64_t)v->type);
	if (lwm2m_type_has_bytes(v->type))
		mix(h, v->bytes.data == NULL ? (const uint8_t *)"" : v->bytes.data, v->bytes.len);
	else if (v->type == LWM2M_BOOLEAN)
		mix_u(h, v->b);
	else if (v->type == LWM2M_OBJLNK)
		mix_u(h, (uint64_t)v->link.object << 16 | v->link.instance);
	else if (v->type != LWM2M_NONE)
		mix_u(h, v->u);
}

static void
mix_tree(uint64_t *h, const struct lwm2m_tree *t)
{
	for (size_t i = 0; i < t->n; i++) {
		mix_path(h, t->nodes[i].path);
		mix_value(h, &t->nodes[i].value);
	}
	mix_u(h, t->n);
}

static void
mix_inventory(uint64_t *h, const struct bs_inventory *inv)
{
	mix_u(h, inv->discovered);
	for (size_t i = 0; i < inv->links.n; i++) {
		mix_path(h, inv->links.v[i].path);
		mix_u(h, inv->links.v[i].ssid);
		mix_str(h, inv->links.v[i].uri);
		mix_str(h, inv->links.v[i].ver);
	}
	mix_str(h, inv->links.version);
	mix(h, inv->read, sizeof inv->read);
	mix_tree(h, &inv->seen);
	mix_u(h, (uint64_t)inv->account);
}

static void
mix_plan(uint64_t *h, const struct bs_plan *p)
{
	mix_tree(h, &p->tree);
	for (size_t i = 0; i < p->n_ops; i++) {
		mix_u(h, (uint64_t)p->ops[i].method << 2 | (uint64_t)p->ops[i].clock << 1 | p->ops[i].listed);
		mix_path(h, p->ops[i].path);
	}
	for (size_t i = 0; i < p->n_exact; i++)
		mix_u(h, p->exact[i]);
	mix_u(h, p->n_ops);
	mix_str(h, p->remark);
}

/* What is only written and never read is no part of a state: the transcript, what was not confirmed. The verdict is. */
static void
mix_record(uint64_t *h, const struct bs_record *r)
{
	mix_u(h, (uint64_t)r->verdict << 32 | (uint64_t)r->reason << 16 | (uint64_t)r->step);
	mix_u(h, r->code);
	mix_str(h, r->path);
	mix_str(h, r->endpoint);
	mix_u(h, r->n_entries > 0 && r->entries[0].uplink);
}

static void
mix_ghost(uint64_t *h, const struct ghost *g)
{
	mix_u(h, (uint64_t)g->waits << 32 | g->replies << 8 | g->records);
	mix_u(h, g->reply);
	if (g->records > 0)
		return; /* what was before is asked for no more */
	mix_u(h, (uint64_t)g->sent.method << 8 | g->sent.finish);
	mix_path(h, g->sent.path);
	mix_u(h, (uint64_t)g->sent.accept << 32 | (uint32_t)g->sent.format);
	mix_tree(h, &g->offered);
	mix_tree(h, &g->held);
	for (size_t i = 0; i < g->n_list; i++) {
		mix_path(h, g->list[i].path);
		mix_u(h, g->list[i].ssid | (uint64_t)g->list[i].written << 16);
	}
	mix_u(h, (uint64_t)g->account);
	mix_u(h, MIN(g->refusals, 9));
	mix_u(h, (uint64_t)g->discovered | (uint64_t)g->looking << 1 | (uint64_t)g->listed << 2 |
	    (uint64_t)g->right_list << 3 | (uint64_t)g->confirmed << 4 | (uint64_t)g->inconsistent << 5 |
	    (uint64_t)g->finished << 6);
	mix(h, g->read, sizeof g->read);
	mix(h, g->emptied, sizeof g->emptied);
	mix(h, g->right_read, sizeof g->right_read);
}

uint64_t
run_hash(const struct run *r)
{
	const struct bs_session *s = &r->s;
	uint64_t h = 0xcbf29ce484222325U;
	bool half_blind = r->mutant != NULL && r->mutant->half_blind;

	mix_u(&h, (uint64_t)s->state);
	mix_u(&h, s->grant.desired.tree.n);
	if (!half_blind)
		mix_inventory(&h, &s->before);
	if (s->state == BS_VERIFY_DISCOVER || s->state == BS_VERIFY_READ)
		mix_inventory(&h, &s->after); /* it is made anew each time that these are entered */
	if (!half_blind)
		mix_plan(&h, &s->plan);
	if (s->state >= BS_RECORD)
		goto out; /* wiped, or of no use any more; or try_late() and try_merge() would see it */
	mix_u(&h, s->next_op);
	mix_tree(&h, &s->clock);
	mix_u(&h, (uint64_t)s->wrote | (uint64_t)s->corrected << 1 | (uint64_t)s->accept_any << 2 |
	    (uint64_t)s->asked_anew << 3);
	mix_u(&h, s->read_oid);
	mix(&h, s->ladder, sizeof s->ladder[0] * s->n_ladder);
	mix_u(&h, s->rung);
	mix_u(&h, s->accept_rung);
	mix(&h, s->out.data == NULL ? (const uint8_t *)"" : s->out.data, s->out.len);
	mix_str(&h, s->exchange.path);
	mix_u(&h, (uint64_t)s->exchange.step << 8 | (uint64_t)s->exchange.method);
out:
	mix_record(&h, &s->rec);
	if (!half_blind)
		mix_ghost(&h, &r->g);
	return h;
}

/* ---- freed memory ---- */

void __real_free(void *p);
void __wrap_free(void *p);

static unsigned freed;
static bool looking_for_freed;

/* The linker puts this in place of free() in all that is linked into the program itself. */
void
__wrap_free(void *p)
{
	if (looking_for_freed && p != NULL && memmem(p, malloc_usable_size(p), KEY, sizeof KEY - 1) != NULL)
		freed++;
	__real_free(p);
}

unsigned
freed_secrets(void)
{
	unsigned n = freed;

	freed = 0;
	return n;
}

void
look_for_freed_secrets(bool on)
{
	looking_for_freed = on;
}
