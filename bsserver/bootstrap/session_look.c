/* Discover and Read, before the plan and after the writes. */
#include <stdlib.h>

#include "bsserver/bootstrap/session_internal.h"
#include "lib/base/str.h"

/* Clients that lack an operation say so in many ways (Core 1.1 section 6.1.7; clients seen). */
static bool
says_not_served(uint8_t code)
{
	switch (code) {
	case C_BAD_REQUEST:
	case C_UNAUTHORIZED:
	case C_NOT_FOUND:
	case C_NOT_ALLOWED:
	case C_NOT_ACCEPTABLE:
	case C_BAD_FORMAT:
	case C_NOT_IMPLEMENTED:
		return true;
	default:
		return false;
	}
}

static void
send_discover(struct bs_session *s, enum bs_step step, uint32_t now_ms, struct bs_action *act)
{
	struct bs_send req = { .method = BS_GET, .accept = LWM2M_CF_LINK, .format = -1 };

	bs_send_request(s, step, &req, now_ms, act);
}

enum bs_state
bs_start_discover(struct bs_session *s, uint32_t now_ms, struct bs_action *act)
{
	bs_inventory_clear(&s->before);
	send_discover(s, BS_STEP_DISCOVER, now_ms, act);
	return BS_DISCOVER;
}

static void
send_read(struct bs_session *s, enum bs_step step, uint16_t oid, uint32_t now_ms, struct bs_action *act)
{
	struct bs_send req = {
		.method = BS_GET,
		.path = lwm2m_path1(oid),
		.accept = s->accept_any ? -1 : s->ladder[s->accept_rung],
		.format = -1,
	};

	s->read_oid = oid;
	bs_send_request(s, step, &req, now_ms, act);
}

static enum bs_state
read_before(struct bs_session *s, uint16_t oid, uint32_t now_ms, struct bs_action *act)
{
	for (; oid <= (uint16_t)LWM2M_ACCESS_CONTROL; oid++)
		if (bs_plan_wants_read(&s->grant.desired, &s->before, oid)) {
			send_read(s, BS_STEP_READ, oid, now_ms, act);
			return BS_READ;
		}
	return bs_make_plan(s, now_ms, act);
}

/* A list that is one, into inv. */
static enum err_code
take_list(struct bs_session *s, const struct bs_event *ev, struct bs_inventory *inv, struct err *e)
{
	if (ev->format >= 0 && ev->format != LWM2M_CF_LINK)
		return err_set(e, ERR_PARSE, "Discover: the answer has content format %d, not link format", ev->format);
	if (ev->format < 0)
		bs_remark(s, s->exchange.step, ev->now_ms, "the list came without a content format: read as link format");
	enum err_code rc = bs_inventory_discover(inv, ev->payload, ev->payload_len, e);
	return rc == ERR_OK ? rc : (err_wrap(e, "Discover"), rc);
}

enum bs_state
bs_on_discover(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	struct err e;

	bs_note_payload(s, ev);
	if (ev->type != BS_EV_RESPONSE)
		return bs_fail_exchange(s, ev, BS_STEP_DISCOVER, act);
	if (ev->code == C_CONTENT) {
		if (take_list(s, ev, &s->before, &e) != ERR_OK)
			return bs_fail_err(s, BS_STEP_DISCOVER, BS_REASON_BAD_RESPONSE, &e, act);
	} else if (says_not_served(ev->code)) {
		bs_remark(s, BS_STEP_DISCOVER, ev->now_ms, "Discover is not served by this device: what it holds is not known");
	} else
		return bs_fail_code(s, ev, BS_STEP_DISCOVER, act);
	return read_before(s, LWM2M_SERVER, ev->now_ms, act);
}

/* true: asked again another way. */
static bool
try_other_accept(struct bs_session *s, const struct bs_event *ev, enum bs_step step, struct bs_action *act)
{
	if ((ev->code != C_NOT_ACCEPTABLE && ev->code != C_BAD_FORMAT) || s->accept_any)
		return false;
	if (s->accept_rung + 1 < s->n_ladder)
		s->accept_rung++;
	else
		s->accept_any = true;
	send_read(s, step, s->read_oid, ev->now_ms, act);
	return true;
}

/*
 * An answer to Read into inv. NEXT: go on with the next Object (it was read, or is not served);
 * AGAIN: asked another way; BROKEN: *e says what is wrong with it; CODE: an error that stops.
 */
enum look { LOOK_NEXT, LOOK_AGAIN, LOOK_BROKEN, LOOK_CODE };

static enum look
take_read(struct bs_session *s, const struct bs_event *ev, struct bs_inventory *inv, enum bs_step step,
    struct bs_action *act, struct err *e)
{
	struct lwm2m_path base = lwm2m_path1(s->read_oid);

	if (ev->code == C_CONTENT) {
		enum err_code rc =
		    bs_inventory_read(inv, s->model, s->read_oid, ev->format, ev->payload, ev->payload_len, e);
		if (rc == ERR_OK)
			bs_note_values(s, lwm2m_tree_under(&inv->seen, base), (struct lwm2m_path){ 0 });
		bs_note_answer(s, ev, gbuf_cstr(&s->note), s->note.len);
		if (rc != ERR_OK)
			(void)err_wrap(e, "Read %s", lwm2m_path_str(base).s);
		return rc == ERR_OK ? LOOK_NEXT : LOOK_BROKEN;
	}
	bs_note_payload(s, ev);
	if (try_other_accept(s, ev, step, act))
		return LOOK_AGAIN;
	if (!says_not_served(ev->code))
		return LOOK_CODE;
	bs_remark(s, step, ev->now_ms, "Read of %s is not served by this device", lwm2m_path_str(base).s);
	return LOOK_NEXT;
}

enum bs_state
bs_on_read(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	struct err e;

	if (ev->type != BS_EV_RESPONSE) {
		bs_note_payload(s, ev);
		return bs_fail_exchange(s, ev, BS_STEP_READ, act);
	}
	switch (take_read(s, ev, &s->before, BS_STEP_READ, act, &e)) {
	case LOOK_AGAIN:
		return BS_READ;
	case LOOK_BROKEN:
		return bs_fail_err(s, BS_STEP_READ, BS_REASON_BAD_RESPONSE, &e, act);
	case LOOK_CODE:
		return bs_fail_code(s, ev, BS_STEP_READ, act);
	case LOOK_NEXT:
		break;
	}
	return read_before(s, s->read_oid + 1, ev->now_ms, act);
}

/* ---- after the writes ---- */

/* No Delete and no Write of ours touches it whole: a device without it could never come back. */
static bool
account_is_lost(const struct bs_session *s)
{
	return s->before.account != BS_UNKNOWN_INSTANCE && s->after.discovered && s->after.account != s->before.account;
}

static enum bs_state
fail_account_lost(struct bs_session *s, struct bs_action *act)
{
	struct lwm2m_path_str path = lwm2m_path_str(lwm2m_path2(LWM2M_SECURITY, (uint16_t)s->before.account));
	struct bs_end end = {
		.verdict = BS_VERDICT_FAILED,
		.reason = BS_REASON_MISSING,
		.step = BS_STEP_VERIFY,
		.path = path.s,
		.detail = "the device does not list its bootstrap account any more",
	};

	return bs_end_session(s, &end, act);
}

static void
remark_on_verified(struct bs_session *s, const struct bs_verified *v, uint32_t now_ms)
{
	gbuf_reset(&s->note);
	gbuf_u64(&s->note, v->equal);
	gbuf_str(&s->note, " values read back equal, ");
	gbuf_u64(&s->note, v->not_shown);
	gbuf_str(&s->note, " not shown");
	bs_remark_text(s, BS_STEP_VERIFY, now_ms, gbuf_cstr(&s->note), s->note.len);
	gbuf_reset(&s->note);
}

static enum bs_state
conclude_verify(struct bs_session *s, uint32_t now_ms, struct bs_action *act)
{
	struct bs_verified v;
	struct bs_end end = { .verdict = BS_VERDICT_FAILED, .step = BS_STEP_VERIFY };
	struct lwm2m_path_str path;
	struct err e;

	if (account_is_lost(s))
		return fail_account_lost(s, act);
	if (bs_verify(&s->grant.desired, &s->plan, &s->after, &v, &e) != ERR_OK) {
		bs_verified_clear(&v);
		return bs_fail_err(s, BS_STEP_VERIFY, BS_REASON_NO_MEMORY, &e, act);
	}
	free(s->rec.unconfirmed);
	s->rec.unconfirmed = v.unconfirmed.len > 0 ? str_dup_n(gbuf_cstr(&v.unconfirmed), v.unconfirmed.len) : NULL;
	if (v.reason != BS_REASON_NONE) {
		path = lwm2m_path_str(v.path);
		end.reason = v.reason;
		end.path = path.s;
		end.detail = v.detail;
		enum bs_state next = bs_end_session(s, &end, act);
		bs_verified_clear(&v);
		return next;
	}
	remark_on_verified(s, &v, now_ms);
	bs_verified_clear(&v);
	return bs_start_finish(s, now_ms, act);
}

static enum bs_state
read_after(struct bs_session *s, uint16_t oid, uint32_t now_ms, struct bs_action *act)
{
	for (; oid <= (uint16_t)LWM2M_ACCESS_CONTROL; oid++)
		if (lwm2m_tree_has(&s->plan.tree, lwm2m_path1(oid))) {
			send_read(s, BS_STEP_VERIFY, oid, now_ms, act);
			return BS_VERIFY_READ;
		}
	return conclude_verify(s, now_ms, act);
}

enum bs_state
bs_start_verify(struct bs_session *s, uint32_t now_ms, struct bs_action *act)
{
	bs_inventory_clear(&s->after);
	if (!s->before.discovered)
		return read_after(s, LWM2M_SERVER, now_ms, act);
	send_discover(s, BS_STEP_VERIFY, now_ms, act);
	return BS_VERIFY_DISCOVER;
}

enum bs_state
bs_verify_as_found(struct bs_session *s, uint32_t now_ms, struct bs_action *act)
{
	int account = s->before.account;

	bs_note_found(s);
	bs_inventory_clear(&s->after);
	s->after = s->before;
	s->before = (struct bs_inventory){ .account = account };
	bs_remark(s, BS_STEP_PLAN, now_ms, "the device holds everything: nothing is written");
	return conclude_verify(s, now_ms, act);
}

enum bs_state
bs_on_verify_discover(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	struct err e;

	bs_note_payload(s, ev);
	if (ev->type != BS_EV_RESPONSE)
		return bs_fail_exchange(s, ev, BS_STEP_VERIFY, act);
	if (ev->code != C_CONTENT)
		return bs_fail_code(s, ev, BS_STEP_VERIFY, act);
	if (take_list(s, ev, &s->after, &e) != ERR_OK)
		return bs_fail_err(s, BS_STEP_VERIFY, BS_REASON_BAD_RESPONSE, &e, act);
	return read_after(s, LWM2M_SERVER, ev->now_ms, act);
}

enum bs_state
bs_on_verify_read(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	struct err e;

	if (ev->type != BS_EV_RESPONSE) {
		bs_note_payload(s, ev);
		return bs_fail_exchange(s, ev, BS_STEP_VERIFY, act);
	}
	switch (take_read(s, ev, &s->after, BS_STEP_VERIFY, act, &e)) {
	case LOOK_AGAIN:
		return BS_VERIFY_READ;
	case LOOK_BROKEN:
		return bs_fail_err(s, BS_STEP_VERIFY, BS_REASON_BAD_RESPONSE, &e, act);
	case LOOK_CODE:
		return bs_fail_code(s, ev, BS_STEP_VERIFY, act);
	case LOOK_NEXT:
		break;
	}
	return read_after(s, s->read_oid + 1, ev->now_ms, act);
}
