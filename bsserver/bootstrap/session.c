#include "bsserver/bootstrap/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/bootstrap/audit.h"
#include "bsserver/bootstrap/session_internal.h"
#include "lib/base/str.h"

#define EV(x) (1U << BS_EV_##x)
#define EV_ANSWER (EV(RESPONSE) | EV(NO_ANSWER) | EV(RESET) | EV(SEND_FAILED))
#define EV_ANY_TIME (EV(PEER_GONE) | EV(DEADLINE) | EV(SUPERSEDED) | EV(CANCEL))
#define RETRY_AFTER_S 30 /* Max-Age of a 5.03 */

_Static_assert(BS_EV__COUNT <= 32, "events are bits of an unsigned");

typedef enum bs_state bs_on_event(struct bs_session *s, const struct bs_event *ev, struct bs_action *act);

/* ---- the ways out ---- */

/* Keys, values and inventories go; the record stays. */
static void
wipe_work(struct bs_session *s)
{
	bs_grant_clear(&s->grant);
	bs_inventory_clear(&s->before);
	bs_inventory_clear(&s->after);
	bs_plan_clear(&s->plan);
	lwm2m_tree_clear(&s->clock);
	gbuf_clear(&s->out);
	gbuf_clear(&s->note);
}

void
bs_note_found(struct bs_session *s)
{
	if (s->audited && !s->corrected && !bs_held_known(&s->rec.found))
		(void)bs_inventory_save(&s->before, s->model, &s->rec.found, NULL);
}

static void
set_reply(struct bs_action *act, enum bs_reason reason)
{
	act->type = BS_ACT_REPLY;
	act->reply = (struct bs_reply){ .code = C_BAD_REQUEST };
	switch (reason) {
	case BS_REASON_UNSUPPORTED_FORMAT:
		act->reply.code = C_BAD_FORMAT;
		break;
	case BS_REASON_OVERLOAD:
	case BS_REASON_HELD_BACK:
	case BS_REASON_STORE:
	case BS_REASON_SUPERSEDED:
	case BS_REASON_OPERATOR:
	case BS_REASON_RESTARTED:
	case BS_REASON_DEADLINE:
	case BS_REASON_NO_MEMORY:
		act->reply.code = C_UNAVAILABLE;
		act->reply.max_age_s = RETRY_AFTER_S;
		break;
	default:
		break;
	}
}

static void
set_verdict(struct bs_session *s, const struct bs_end *end)
{
	struct bs_record *r = &s->rec;

	r->verdict = end->verdict;
	r->reason = end->reason;
	r->step = end->step;
	r->code = end->code;
	r->path[0] = '\0';
	if (end->path != NULL)
		(void)memccpy(r->path, end->path, '\0', sizeof r->path - 1);
	r->path[sizeof r->path - 1] = '\0';
	free(r->detail);
	r->detail = end->detail == NULL ? NULL : str_dup_n(end->detail, strlen(end->detail));
}

/* After a 4.06 the verdict is that 4.06, whatever became of the correction. */
static void
keep_inconsistent(struct bs_session *s, const struct bs_end *end)
{
	char code[5], text[200];
	struct bs_end first = {
		.verdict = BS_VERDICT_FAILED,
		.reason = BS_REASON_INCONSISTENT,
		.step = BS_STEP_FINISH,
		.path = "/bs",
		.code = C_NOT_ACCEPTABLE,
		.detail = text,
	};

	bs_code_str(end->code, code);
	(void)snprintf(text, sizeof text,
	    "the device finds the configuration inconsistent; the correction ended at %s %s (%s%s%s)",
	    bs_step_name(end->step), end->path == NULL ? "" : end->path, bs_reason_name(end->reason),
	    end->code ? " " : "", end->code ? code : "");
	set_verdict(s, &first);
}

enum bs_state
bs_end_session(struct bs_session *s, const struct bs_end *end, struct bs_action *act)
{
	if (s->corrected && end->verdict == BS_VERDICT_FAILED)
		keep_inconsistent(s, end);
	else
		set_verdict(s, end);
	if (end->verdict != BS_VERDICT_PROVISIONED && end->verdict != BS_VERDICT_WRITTEN)
		bs_note_found(s);
	wipe_work(s);
	if (s->state < BS_REFUSE) {
		set_reply(act, end->reason);
		return BS_REFUSE;
	}
	act->type = BS_ACT_RECORD;
	return BS_RECORD;
}

enum bs_state
bs_fail(struct bs_session *s, enum bs_reason reason, enum bs_step step, uint8_t code, const char *detail,
    struct bs_action *act)
{
	struct bs_end end = {
		.verdict = BS_VERDICT_FAILED,
		.reason = reason,
		.step = step,
		.path = s->exchange.path,
		.code = code,
		.detail = detail,
	};

	return bs_end_session(s, &end, act);
}

enum bs_state
bs_fail_exchange(struct bs_session *s, const struct bs_event *ev, enum bs_step step, struct bs_action *act)
{
	if (ev->type == BS_EV_RESET)
		return bs_fail(s, BS_REASON_RESET, step, 0, "the device rejected the message (RST)", act);
	if (ev->type == BS_EV_NO_ANSWER)
		return bs_fail(s, BS_REASON_NO_ANSWER, step, 0, "the device did not answer in time", act);
	return bs_fail(s, BS_REASON_SEND, step, 0, ev->text, act);
}

/* Classes 4 and 5. A success code that does not belong to what was asked is no answer to it. */
static bool
is_error(uint8_t code)
{
	return code >> 5 == 4 || code >> 5 == 5;
}

enum bs_state
bs_fail_code(struct bs_session *s, const struct bs_event *ev, enum bs_step step, struct bs_action *act)
{
	char code[5], text[96];

	bs_code_str(ev->code, code);
	(void)snprintf(text, sizeof text, "the device answered %s", code);
	return bs_fail(s, is_error(ev->code) ? BS_REASON_ERROR_RESPONSE : BS_REASON_BAD_RESPONSE, step, ev->code, text,
	    act);
}

enum bs_state
bs_fail_err(struct bs_session *s, enum bs_step step, enum bs_reason reason, const struct err *e, struct bs_action *act)
{
	return bs_fail(s, e->code == ERR_NO_MEMORY ? BS_REASON_NO_MEMORY : reason, step,
	    reason == BS_REASON_BAD_RESPONSE ? C_CONTENT : 0, e->msg, act);
}

/* ---- who is it ---- */

static void
note_request(struct bs_session *s, const struct bs_event *ev)
{
	struct bs_entry entry = {
		.at_ms = ev->now_ms,
		.step = BS_STEP_REQUEST,
		.method = BS_POST,
		.uplink = true,
		.path = "/bs",
		.format = -1,
	};
	gbuf_reset(&s->note);
	if (s->req.ep[0] != 0) {
		gbuf_str(&s->note, "ep=");
		gbuf_str(&s->note, s->req.ep);
	}
	if (s->req.pct >= 0) {
		gbuf_str(&s->note, s->note.len > 0 ? " pct=" : "pct=");
		gbuf_u64(&s->note, (uint64_t)s->req.pct);
	}
	(void)bs_record_add(&s->rec, &entry, gbuf_cstr(&s->note), s->note.len);
	gbuf_reset(&s->note);
	if (s->req.remark[0] != 0)
		bs_remark(s, BS_STEP_REQUEST, ev->now_ms, "%s", s->req.remark);
}

static enum bs_state
refuse(struct bs_session *s, enum bs_reason reason, enum bs_step step, const char *detail, struct bs_action *act)
{
	struct bs_end end = {
		.verdict = BS_VERDICT_REFUSED,
		.reason = reason,
		.step = step,
		.path = "/bs",
		.detail = detail,
	};
	enum bs_state next = bs_end_session(s, &end, act);

	if (act->type == BS_ACT_REPLY)
		s->rec.code = act->reply.code;
	return next;
}

static enum bs_state
on_request(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	s->rec.exchanges++;
	note_request(s, ev);
	if (ev->reason != BS_REASON_NONE)
		return refuse(s, ev->reason, BS_STEP_REQUEST, ev->text, act);
	act->type = BS_ACT_LOOKUP;
	return BS_LOOKUP;
}

static void
add_rung(struct bs_session *s, int format)
{
	for (size_t i = 0; i < s->n_ladder; i++)
		if (s->ladder[i] == format)
			return;
	const struct lwm2m_format *f = format < 0 ? NULL : lwm2m_format((uint16_t)format);
	if (f != NULL && !f->single && s->n_ladder < BS_LADDER_MAX)
		s->ladder[s->n_ladder++] = format;
}

/*
 * The profile's word, the device's, what worked last time; a device that says nothing is a 1.0
 * device or silent: TLV first (Core 1.1 section 7.4; clients seen).
 */
static void
build_ladder(struct bs_session *s)
{
	s->n_ladder = s->rung = s->accept_rung = 0;
	add_rung(s, s->grant.desired.format);
	add_rung(s, s->req.pct);
	add_rung(s, s->grant.remembered_format);
	if (s->n_ladder == 0)
		add_rung(s, LWM2M_CF_TLV);
	add_rung(s, LWM2M_CF_SENML_CBOR);
	add_rung(s, LWM2M_CF_SENML_JSON);
	add_rung(s, LWM2M_CF_TLV);
}

static char *
copy(const char *text)
{
	return text == NULL ? NULL : str_dup_n(text, strlen(text));
}

static void
take_grant(struct bs_session *s, struct bs_grant *g)
{
	s->grant = *g;
	*g = (struct bs_grant){ .remembered_format = -1 };
	free(s->rec.endpoint);
	s->rec.endpoint = copy(s->grant.endpoint);
	s->rec.rule = copy(s->grant.rule);
	s->rec.profile = copy(s->grant.profile);
	s->rec.fingerprints = copy(s->grant.fingerprints);
	s->rec.revision = s->grant.revision;
	if (s->grant.restore != NULL) {
		profile_desired_clear(&s->grant.desired);
		s->grant.desired = *s->grant.restore;
		*s->grant.restore = (struct profile_desired){ 0 };
	}
	build_ladder(s);
}

static enum bs_state
send_reply(struct bs_action *act)
{
	act->type = BS_ACT_REPLY;
	act->reply = (struct bs_reply){ .code = C_CHANGED };
	return BS_REPLY;
}

static enum bs_state
on_lookup(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	if (ev->type == BS_EV_REFUSED) {
		enum bs_state next = refuse(s, ev->reason, BS_STEP_LOOKUP, ev->text, act);

		if (ev->reason == BS_REASON_HELD_BACK)
			act->reply.max_age_s = ev->retry_after_s;
		return next;
	}
	take_grant(s, ev->grant);
	if (!s->vets)
		return send_reply(act);
	act->type = BS_ACT_VET;
	return BS_VET;
}

static enum bs_state
on_vet(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	if (ev->type == BS_EV_REFUSED)
		return refuse(s, ev->reason, BS_STEP_VET, ev->text, act);
	if (ev->text != NULL)
		bs_remark_lines(s, BS_STEP_VET, ev->now_ms, ev->text);
	return send_reply(act);
}

static enum bs_state
on_refused(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	(void)s;
	(void)ev;
	act->type = BS_ACT_RECORD;
	return BS_RECORD;
}

static enum bs_state
on_replied(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	return bs_start_discover(s, ev->now_ms, act);
}

/* ---- from the plan to Finish ---- */

static struct bs_planning
planning_of(struct bs_session *s)
{
	return (struct bs_planning){
		.desired = &s->grant.desired,
		.inv = &s->before,
		.model = s->model,
		/* After a 4.06 nothing counts as right because it was right once. */
		.history = s->corrected ? NULL : &s->grant.history,
		.anew = s->corrected,
		.handover = &s->grant.handover,
	};
}

/* "account_lost /0/1: server 101 was written there, and is gone (add)" */
static void
remark_on_finding(struct bs_session *s, const struct bs_finding *f, uint32_t now_ms)
{
	const char *const parts[] = { bs_finding_name(f->kind), " ", f->paths, ": ", f->detail, " (",
		bs_remedy_name(f->remedy), ")" };

	gbuf_reset(&s->note);
	for (size_t i = 0; i < N_ELEMS(parts); i++)
		gbuf_str(&s->note, parts[i]);
	bs_remark_text(s, BS_STEP_PLAN, now_ms, gbuf_cstr(&s->note), s->note.len);
	gbuf_reset(&s->note);
}

/* What it came with, and what is to be said about that; once. */
static void
note_audit(struct bs_session *s, const struct bs_plan *p, uint32_t now_ms)
{
	struct bs_planning in = planning_of(s);
	struct bs_findings *f = &s->rec.findings;

	if (s->corrected)
		return;
	bs_findings_clear(f);
	s->audited = true;
	bs_audit(&in, p, f);
	for (size_t i = 0; i < f->n; i++)
		remark_on_finding(s, &f->v[i], now_ms);
}

/* Whether the plan writes an account with a certificate or a raw public key. */
static bool
writes_pairs(const struct bs_session *s)
{
	int64_t mode;

	for (size_t i = 0; i < s->plan.n_ops; i++) {
		const struct bs_op *op = &s->plan.ops[i];
		const struct lwm2m_value *v;

		if (op->method != BS_PUT || op->path.id[0] != LWM2M_SECURITY ||
		    op->path.depth < LWM2M_INSTANCE)
			continue;
		v = lwm2m_tree_get(&s->plan.tree, lwm2m_path3(LWM2M_SECURITY, op->path.id[1], 2));
		if (v != NULL && lwm2m_value_number(v, &mode) && (mode == 1 || mode == 2))
			return true;
	}
	return false;
}

enum bs_state
bs_make_plan(struct bs_session *s, uint32_t now_ms, struct bs_action *act)
{
	struct bs_planning in = planning_of(s);
	enum err_code rc;
	struct err e;

	bs_plan_clear(&s->plan);
	s->exchange.path[0] = 0;
	rc = bs_plan_for(&in, &s->plan, &e);
	note_audit(s, rc == ERR_OK ? &s->plan : NULL, now_ms);
	if (rc != ERR_OK)
		return bs_fail_err(s, BS_STEP_PLAN, BS_REASON_CONFLICT, &e, act);
	if (s->plan.remark[0] != 0)
		bs_remark(s, BS_STEP_PLAN, now_ms, "%s", s->plan.remark);
	if (s->inspects && writes_pairs(s)) {
		act->type = BS_ACT_INSPECT;
		return BS_INSPECT;
	}
	return bs_after_plan(s, now_ms, act);
}

static enum bs_state
on_inspect(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	if (ev->type == BS_EV_INSPECT_FAILED)
		return bs_fail(s, BS_REASON_HANDOUT, BS_STEP_PLAN, 0, ev->text, act);
	if (ev->text != NULL)
		bs_remark_lines(s, BS_STEP_PLAN, ev->now_ms, ev->text);
	return bs_after_plan(s, ev->now_ms, act);
}

static bool
touches(const struct bs_plan *p, uint16_t oid)
{
	for (size_t i = 0; i < p->n_ops; i++)
		if (p->ops[i].path.id[0] == oid)
			return true;
	return false;
}

/* For the next session of this device. */
static void
note_held(struct bs_session *s)
{
	struct gbuf placed = { 0 };

	/* What was not written was not read again: it is as it was. */
	for (uint16_t oid = LWM2M_SERVER; oid <= (uint16_t)LWM2M_ACCESS_CONTROL; oid++)
		if (!touches(&s->plan, oid))
			(void)bs_inventory_adopt(&s->after, &s->before, oid, NULL);
	if (s->grant.desired.verify)
		(void)bs_inventory_save(&s->after, s->model, &s->rec.held, NULL);
	s->rec.expiries = copy(s->grant.expiries);
	bs_placed_text(&s->plan, &placed);
	s->rec.placed = s->plan.n_placed == 0 || placed.failed ? NULL : copy(gbuf_cstr(&placed));
	gbuf_clear(&placed);
	s->rec.restored = s->grant.restore != NULL;
	s->rec.handed_over = s->plan.hands_over;
}

static enum bs_state
end_well(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	struct bs_end end = {
		.verdict = s->grant.desired.verify ? BS_VERDICT_PROVISIONED : BS_VERDICT_WRITTEN,
		.step = BS_STEP_FINISH,
		.path = "/bs",
		.code = ev->code,
	};

	note_held(s);
	return bs_end_session(s, &end, act);
}

static enum bs_state
end_in_doubt(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	struct bs_end end = {
		.verdict = BS_VERDICT_CANCELLED,
		.reason = BS_REASON_SUPERSEDED,
		.step = BS_STEP_FINISH,
		.path = "/bs",
		.code = ev->code,
		.detail = "the device asked anew before it answered Finish: its answer may be about its next session",
	};

	return bs_end_session(s, &end, act);
}

/* 4.06: the device stays in bootstrap and may be corrected, once (Core 1.1 section 6.1.7.6). */
static enum bs_state
correct(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	if (s->corrected)
		return bs_fail(s, BS_REASON_INCONSISTENT, BS_STEP_FINISH, ev->code, NULL, act);
	bs_note_found(s);
	s->corrected = true;
	bs_remark(s, BS_STEP_FINISH, ev->now_ms, "the device finds the configuration inconsistent: one correction");
	return bs_start_discover(s, ev->now_ms, act);
}

static enum bs_state
on_finish(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	bs_note_payload(s, ev);
	if (ev->type != BS_EV_RESPONSE)
		return bs_fail_exchange(s, ev, BS_STEP_FINISH, act);
	if (ev->code == C_CHANGED)
		return s->asked_anew ? end_in_doubt(s, ev, act) : end_well(s, ev, act);
	if (ev->code == C_NOT_ACCEPTABLE)
		return correct(s, ev, act);
	return bs_fail_code(s, ev, BS_STEP_FINISH, act);
}

static enum bs_state
on_recorded(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	(void)s;
	(void)ev;
	act->type = BS_ACT_DONE;
	return BS_DONE;
}

/* ---- the table ---- */

/* clang-format off */
static const struct {
	const char *name; /* as logged */
	enum bs_step step; /* what an event that may come at any time interrupts */
	unsigned accepts; /* besides EV_ANY_TIME; anything else is a late answer */
	bs_on_event *on_event;
} states[BS_STATE__COUNT] = {
	[BS_NEW]             = { "new",             BS_STEP_REQUEST,  EV(REQUEST),                          on_request },
	[BS_LOOKUP]          = { "lookup",          BS_STEP_LOOKUP,   EV(GRANTED) | EV(REFUSED),            on_lookup },
	[BS_VET]             = { "vet",             BS_STEP_VET,      EV(VETTED) | EV(REFUSED),             on_vet },
	[BS_REFUSE]          = { "refuse",          BS_STEP_REPLY,    EV(REPLIED),                          on_refused },
	[BS_REPLY]           = { "reply",           BS_STEP_REPLY,    EV(REPLIED),                          on_replied },
	[BS_DISCOVER]        = { "discover",        BS_STEP_DISCOVER, EV_ANSWER,                            bs_on_discover },
	[BS_READ]            = { "read",            BS_STEP_READ,     EV_ANSWER,                            bs_on_read },
	[BS_INSPECT]         = { "inspect",         BS_STEP_PLAN,     EV(INSPECTED) | EV(INSPECT_FAILED),   on_inspect },
	[BS_KEEP]            = { "keep",            BS_STEP_KEEP,     EV(KEPT) | EV(KEEP_FAILED),           bs_on_keep },
	[BS_HANDOFF]         = { "handoff",         BS_STEP_HANDOFF,  EV(HANDED_OFF) | EV(HANDOFF_FAILED),  bs_on_handoff },
	[BS_WRITE]           = { "write",           BS_STEP_WRITE,    EV_ANSWER,                            bs_on_write },
	[BS_VERIFY_DISCOVER] = { "verify-discover", BS_STEP_VERIFY,   EV_ANSWER,                            bs_on_verify_discover },
	[BS_VERIFY_READ]     = { "verify-read",     BS_STEP_VERIFY,   EV_ANSWER,                            bs_on_verify_read },
	[BS_SETTLE]          = { "settle",          BS_STEP_HANDOFF,  EV(SETTLED) | EV(SETTLE_FAILED),       bs_on_settle },
	[BS_FINISH]          = { "finish",          BS_STEP_FINISH,   EV_ANSWER,                            on_finish },
	[BS_RECORD]          = { "record",          BS_STEP_NONE,     EV(RECORDED),                         on_recorded },
	[BS_DONE]            = { "done",            BS_STEP_NONE,     0,                                    NULL },
};
/* clang-format on */

static enum bs_step
step_now(const struct bs_session *s)
{
	if (s->state == BS_WRITE && s->next_op < s->plan.n_ops && s->plan.ops[s->next_op].method == BS_DELETE)
		return BS_STEP_DELETE;
	return states[s->state].step;
}

/* What was under way stays in the transcript as an exchange without an answer. */
static void
note_unanswered(struct bs_session *s, const struct bs_event *ev)
{
	if (states[s->state].accepts & EV(RESPONSE))
		bs_note_answer(s, ev, NULL, 0);
}

static enum bs_state
interrupt(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	bool cancelled = ev->type == BS_EV_SUPERSEDED || ev->type == BS_EV_CANCEL;
	struct bs_end end = {
		.verdict = cancelled ? BS_VERDICT_CANCELLED : BS_VERDICT_FAILED,
		.step = step_now(s),
		.path = s->exchange.path,
		.detail = ev->text,
	};

	if (ev->type == BS_EV_PEER_GONE)
		end.reason = BS_REASON_PEER_GONE;
	else if (ev->type == BS_EV_DEADLINE)
		end.reason = BS_REASON_DEADLINE;
	else if (ev->type == BS_EV_SUPERSEDED)
		end.reason = BS_REASON_SUPERSEDED;
	else
		end.reason = ev->reason == BS_REASON_NONE ? BS_REASON_OPERATOR : ev->reason;
	note_unanswered(s, ev);
	return bs_end_session(s, &end, act);
}

/* The transcript's first entry is the request: what it was answered is known only now. */
static void
note_reply(struct bs_session *s, const struct bs_action *act)
{
	if (act->type == BS_ACT_REPLY && s->rec.n_entries > 0 && s->rec.entries[0].uplink)
		s->rec.entries[0].code = act->reply.code;
}

void
bs_session_step(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	unsigned bit = 1U << ev->type;

	*act = (struct bs_action){ .type = BS_ACT_NONE };
	s->wall_ms = ev->wall_ms;
	s->clock_fault = ev->clock_fault;
	if (states[s->state].accepts & bit)
		s->state = states[s->state].on_event(s, ev, act);
	else if ((bit & EV_ANY_TIME) && s->state == BS_REFUSE)
		s->state = on_refused(s, ev, act); /* the verdict stands */
	else if ((bit & EV_ANY_TIME) && s->state < BS_RECORD)
		s->state = interrupt(s, ev, act);
	note_reply(s, act);
}

void
bs_session_init(struct bs_session *s, const struct lwm2m_model *model)
{
	*s = (struct bs_session){ .model = model };
	s->req.pct = -1;
	s->rec.used_format = -1;
	s->grant.remembered_format = -1;
	s->before.account = s->after.account = BS_UNKNOWN_INSTANCE;
}

void
bs_session_set_request(struct bs_session *s, const struct bs_request *req)
{
	s->req = *req;
}

void
bs_session_asked_anew(struct bs_session *s)
{
	s->asked_anew = true;
}

void
bs_session_clear(struct bs_session *s)
{
	wipe_work(s);
	bs_record_clear(&s->rec);
	s->state = BS_DONE;
}

const char *
bs_state_name(enum bs_state st)
{
	return (unsigned)st < BS_STATE__COUNT ? states[st].name : "unknown";
}

unsigned
bs_state_accepts(enum bs_state st)
{
	return states[st].accepts | (st < BS_RECORD ? EV_ANY_TIME : 0);
}

const char *
bs_session_endpoint(const struct bs_session *s)
{
	return s->grant.endpoint;
}
