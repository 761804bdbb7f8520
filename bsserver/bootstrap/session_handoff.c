/* The device's LwM2M Servers learn of its credentials between the plan and the first write; and Finish. */
#include "bsserver/bootstrap/session_internal.h"

/* A correction writes what was handed off already. */
static bool
hands_off(const struct bs_session *s)
{
	return s->grant.desired.n_handoffs > 0 && !s->corrected;
}

static enum bs_state
after_keep(struct bs_session *s, uint32_t now_ms, struct bs_action *act)
{
	if (s->hands_off && hands_off(s)) {
		act->type = BS_ACT_HANDOFF;
		return BS_HANDOFF;
	}
	return bs_start_writes(s, now_ms, act);
}

enum bs_state
bs_after_plan(struct bs_session *s, uint32_t now_ms, struct bs_action *act)
{
	if (!s->keeps || !hands_off(s))
		return after_keep(s, now_ms, act);
	act->type = BS_ACT_KEEP;
	return BS_KEEP;
}

static enum bs_state
send_finish(struct bs_session *s, uint32_t now_ms, struct bs_action *act)
{
	struct bs_send req = { .method = BS_POST, .finish = true, .accept = -1, .format = -1 };

	bs_send_request(s, BS_STEP_FINISH, &req, now_ms, act);
	return BS_FINISH;
}

enum bs_state
bs_on_keep(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	if (ev->type == BS_EV_KEEP_FAILED)
		return bs_fail(s, BS_REASON_KEEP, BS_STEP_KEEP, 0, ev->text, act);
	return after_keep(s, ev->now_ms, act);
}

enum bs_state
bs_on_handoff(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	if (ev->type == BS_EV_HANDOFF_FAILED)
		return bs_fail(s, BS_REASON_HANDOFF, BS_STEP_HANDOFF, 0, ev->text, act);
	if (ev->text != NULL)
		bs_remark_lines(s, BS_STEP_HANDOFF, ev->now_ms, ev->text);
	return bs_start_writes(s, ev->now_ms, act);
}

enum bs_state
bs_start_finish(struct bs_session *s, uint32_t now_ms, struct bs_action *act)
{
	if (!s->hands_off || !hands_off(s))
		return send_finish(s, now_ms, act);
	act->type = BS_ACT_SETTLE;
	return BS_SETTLE;
}

enum bs_state
bs_on_settle(struct bs_session *s, const struct bs_event *ev, struct bs_action *act)
{
	s->exchange.path[0] = 0;
	if (ev->type == BS_EV_SETTLE_FAILED)
		return bs_fail(s, BS_REASON_KEEP, BS_STEP_HANDOFF, 0, ev->text, act);
	return send_finish(s, ev->now_ms, act);
}
