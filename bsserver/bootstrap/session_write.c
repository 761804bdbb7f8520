/* Deletes and Writes, one confirmable request at a time, and the ladder of content formats. */
#include <stdio.h>
#include <string.h>

#include "bsserver/bootstrap/session_internal.h"

static enum bs_state next_op(struct bs_session *s, uint32_t now_ms, struct bs_action *act);

enum bs_state
bs_start_writes(struct bs_session *s, uint32_t now_ms, struct bs_action *act)
{
	s->next_op = 0;
	return next_op(s, now_ms, act);
}

static const struct bs_op *
op_now(const struct bs_session *s)
{
	return &s->plan.ops[s->next_op];
}

static enum bs_step
step_of(const struct bs_op *op)
{
	return op->method == BS_DELETE ? BS_STEP_DELETE : BS_STEP_WRITE;
}

/* An Instance that no format can carry whole goes Resource by Resource. */
static enum err_code
split_op(struct bs_session *s, struct err *e)
{
	const struct bs_op *op = op_now(s);
	struct lwm2m_span span = lwm2m_tree_under(&s->plan.tree, op->path), sub;
	struct lwm2m_path prefix;
	struct bs_op ops[64];
	size_t n = 0;

	for (size_t at = 0; lwm2m_span_next(&span, LWM2M_RESOURCE, &at, &prefix, &sub); n++) {
		if (n == N_ELEMS(ops))
			return err_set(e, ERR_LIMIT, "%s: more than %zu resources", lwm2m_path_str(op->path).s,
			    N_ELEMS(ops));
		ops[n] = (struct bs_op){ .method = BS_PUT, .path = prefix };
	}
	if (n == 0)
		return err_set(e, ERR_UNSUPPORTED, "%s: nothing that a single-value format could carry",
		    lwm2m_path_str(op->path).s);
	return bs_plan_replace_op(&s->plan, s->next_op, ops, n, e);
}

/* The values of the operation that is on its turn. */
static struct lwm2m_span
values_now(const struct bs_session *s)
{
	return lwm2m_tree_under(op_now(s)->clock ? &s->clock : &s->plan.tree, op_now(s)->path);
}

/* The last resort: one value, as text or as its octets. */
static enum err_code
encode_single(struct bs_session *s, const struct lwm2m_format **used, struct err *e)
{
	struct lwm2m_path path = op_now(s)->path;
	struct lwm2m_span span = values_now(s);

	if (span.n != 1 || span.nodes[0].path.depth != LWM2M_RESOURCE)
		return err_set(e, ERR_UNSUPPORTED, "%s: several values, and the device takes no format for them",
		    lwm2m_path_str(path).s);
	*used = lwm2m_format(span.nodes[0].value.type == LWM2M_OPAQUE ? LWM2M_CF_OPAQUE : LWM2M_CF_TEXT);
	return (*used)->encode(path, span, &s->out, e);
}

/* The payload of the operation in the first format of the ladder, from the rung on, that can say it. */
static enum err_code
encode_op(struct bs_session *s, const struct lwm2m_format **used, struct err *e)
{
	for (;;) {
		struct lwm2m_path path = op_now(s)->path;
		enum err_code rc;

		gbuf_reset(&s->out);
		if (s->rung < s->n_ladder) {
			*used = lwm2m_format((uint16_t)s->ladder[s->rung]);
			rc = (*used)->encode(path, values_now(s), &s->out, e);
			if (rc != ERR_UNSUPPORTED)
				return rc;
			s->rung++;
			continue;
		}
		if (path.depth != LWM2M_INSTANCE)
			return encode_single(s, used, e);
		rc = split_op(s, e);
		if (rc != ERR_OK)
			return rc;
	}
}

/* The time is taken when it is sent, from a clock that is known to be right. */
static enum bs_state
take_time(struct bs_session *s, struct bs_action *act)
{
	struct lwm2m_value v = lwm2m_time(s->wall_ms / 1000);
	char text[160];
	struct err e;

	s->exchange = (struct bs_entry){ .path = "/3/0/13" };
	if (s->clock_fault != NULL) {
		(void)snprintf(text, sizeof text, "our own clock is not known to be right: %s",
		    s->clock_fault);
		return bs_fail(s, BS_REASON_CLOCK, BS_STEP_WRITE, 0, text, act);
	}
	if (lwm2m_tree_put(&s->clock, op_now(s)->path, &v, &e) != ERR_OK)
		return bs_fail_err(s, BS_STEP_WRITE, BS_REASON_NO_MEMORY, &e, act);
	return BS_WRITE;
}

static enum bs_state
send_put(struct bs_session *s, uint32_t now_ms, struct bs_action *act)
{
	const struct lwm2m_format *f = NULL;
	struct bs_send req = { .method = BS_PUT, .accept = -1 };
	struct err e;
	enum err_code rc;

	if (op_now(s)->clock && take_time(s, act) != BS_WRITE)
		return BS_RECORD;
	rc = encode_op(s, &f, &e);
	if (rc == ERR_OK)
		rc = gbuf_check(&s->out, &e);
	if (rc != ERR_OK) {
		s->exchange.path[0] = 0;
		return bs_fail_err(s, BS_STEP_WRITE, BS_REASON_CANNOT_ENCODE, &e, act);
	}
	req.path = op_now(s)->path;
	req.format = f->number;
	req.payload = s->out.data;
	req.payload_len = s->out.len;
	gbuf_reset(&s->note);
	bs_note_values(s, values_now(s), req.path);
	bs_send_request(s, BS_STEP_WRITE, &req, now_ms, act);
	s->wrote = true;
	return BS_WRITE;
}

static enum bs_state
next_op(struct bs_session *s, uint32_t now_ms, struct bs_action *act)
{
	if (s->next_op >= s->plan.n_ops) {
		if (s->grant.desired.verify && s->plan.n_ops == 0 && s->grant.desired.policy != PROFILE_REPLACE)
			return bs_verify_as_found(s, now_ms, act);
		if (s->grant.desired.verify)
			return bs_start_verify(s, now_ms, act);
		return bs_start_finish(s, now_ms, act);
	}
	if (op_now(s)->method == BS_PUT)
		return send_put(s, now_ms, act);
	struct bs_send req = { .method = BS_DELETE, .path = op_now(s)->path, .accept = -1, .format = -1 };
	gbuf_reset(&s->note);
	bs_send_request(s, BS_STEP_DELETE, &req, now_ms, act);
	s->wrote = true;
	return BS_WRITE;
}

/* An Object that cannot be emptied whole is emptied Instance by Instance. */
static bool
split_delete(struct bs_session *s, uint32_t now_ms)
{
	struct bs_op ops[64];
	uint16_t oid = op_now(s)->path.id[0];
	const struct lwm2m_link_entry *l;
	size_t n = 0;

	if (op_now(s)->path.depth != LWM2M_OBJECT || !op_now(s)->listed)
		return false;
	for (size_t at = 0; (l = bs_inventory_next(&s->before, oid, &at)) != NULL; n++) {
		if (n == N_ELEMS(ops))
			return false;
		ops[n] = (struct bs_op){ .method = BS_DELETE, .path = l->path, .listed = true };
	}
	if (n == 0 || bs_plan_replace_op(&s->plan, s->next_op, ops, n, NULL) != ERR_OK)
		return false;
	bs_remark(s, BS_STEP_DELETE, now_ms, "Delete of the whole Object was refused: its instances are deleted one by one");
	return true;
}

static enum bs_state
on_delete(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	if (ev->code == C_DELETED) {
		s->rec.writes++;
		s->next_op++;
		return next_op(s, ev->now_ms, act);
	}
	if (!op_now(s)->listed && (ev->code == C_BAD_REQUEST || ev->code == C_NOT_FOUND)) {
		bs_remark(s, BS_STEP_DELETE, ev->now_ms, "nothing was known to be there: taken for deleted");
		s->next_op++;
		return next_op(s, ev->now_ms, act);
	}
	if ((ev->code == C_BAD_REQUEST || ev->code == C_NOT_ALLOWED) && split_delete(s, ev->now_ms))
		return next_op(s, ev->now_ms, act);
	return bs_fail_code(s, ev, BS_STEP_DELETE, act);
}

static enum bs_state
on_put(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	if (ev->code == C_BAD_FORMAT && s->rung < s->n_ladder) {
		s->rung++;
		if (s->rung < s->n_ladder)
			bs_remark(s, BS_STEP_WRITE, ev->now_ms, "content format refused: trying %s",
			    lwm2m_format((uint16_t)s->ladder[s->rung])->name);
		else
			bs_remark(s, BS_STEP_WRITE, ev->now_ms, "every content format refused: trying single values");
		return next_op(s, ev->now_ms, act);
	}
	if (ev->code != C_CHANGED && ev->code != C_CREATED)
		return bs_fail_code(s, ev, BS_STEP_WRITE, act);
	if (ev->code == C_CREATED)
		bs_remark(s, BS_STEP_WRITE, ev->now_ms, "2.01 instead of 2.04: taken for written");
	if (s->rung < s->n_ladder)
		s->rec.used_format = s->ladder[s->rung];
	s->rec.writes++;
	s->next_op++;
	return next_op(s, ev->now_ms, act);
}

/* The text of a write is what was written; what the device says to a refusal comes behind it. */
static void
note_write(struct bs_session *s, const struct bs_event *ev)
{
	if (ev->type == BS_EV_RESPONSE && ev->code >= C_BAD_REQUEST && ev->payload_len > 0) {
		bs_note_payload(s, ev);
		return;
	}
	bs_note_answer(s, ev, s->note.len > 0 ? gbuf_cstr(&s->note) : NULL, s->note.len);
}

enum bs_state
bs_on_write(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	enum bs_step step = step_of(op_now(s));

	note_write(s, ev);
	gbuf_reset(&s->out);
	if (ev->type != BS_EV_RESPONSE)
		return bs_fail_exchange(s, ev, step, act);
	return op_now(s)->method == BS_DELETE ? on_delete(s, ev, act) : on_put(s, ev, act);
}
