/* Machines that are wrong on purpose, one for each thing that must hold: the explorer must find each. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "tests/sim/explore.h"

/* "GET /" in place of the reply. */
static void
ask_early(struct run *r, const struct bs_event *ev)
{
	if (ev->type == BS_EV_GRANTED && r->act.type == BS_ACT_REPLY)
		r->act = (struct bs_action){ .type = BS_ACT_SEND, .send = { .method = BS_GET, .accept = -1, .format = -1 } };
}

/* A Write that the device takes no part of is taken for written; so may be said of a format refused. */
static void
take_4_15(struct run *r, struct bs_event *ev)
{
	if (r->s.state == BS_WRITE && ev->type == BS_EV_RESPONSE && ev->code == 0x8f)
		ev->code = 0x44;
}

static void
take_4_03(struct run *r, struct bs_event *ev)
{
	if (r->s.state == BS_WRITE && ev->type == BS_EV_RESPONSE && ev->code == 0x83)
		ev->code = 0x44;
}

/* What was read back is not looked at. */
static void
believe_reading(struct run *r, struct bs_event *ev)
{
	if (r->s.state == BS_VERIFY_READ && ev->type == BS_EV_RESPONSE && r->body.n > 0)
		ev->code = 0x84;
}

static void
say_written(struct run *r, const struct bs_event *ev)
{
	(void)ev;
	if (r->s.rec.verdict == BS_VERDICT_PROVISIONED)
		r->s.rec.verdict = BS_VERDICT_WRITTEN;
}

static void
sleep_through_deadline(struct run *r, struct bs_event *ev)
{
	if (ev->type == BS_EV_DEADLINE && r->s.state == BS_FINISH) {
		ev->type = BS_EV_RESPONSE;
		ev->code = 0x86;
	}
}

static void
wake_on_late_answer(struct run *r, struct bs_event *ev)
{
	if (ev->type == BS_EV_RESPONSE && r->s.state == BS_KEEP)
		ev->type = BS_EV_KEPT;
}

static void
record_twice(struct run *r, const struct bs_event *ev)
{
	if (ev->type == BS_EV_RECORDED && r->act.type == BS_ACT_DONE)
		r->act.type = BS_ACT_RECORD;
}

static void
reply_twice(struct run *r, const struct bs_event *ev)
{
	if (ev->type == BS_EV_REPLIED && r->act.type == BS_ACT_RECORD)
		r->act = (struct bs_action){ .type = BS_ACT_REPLY, .reply = { .code = 0x80 } };
}

/* One 4.06 after the other, and a correction for each. */
static void
correct_for_ever(struct run *r, const struct bs_event *ev)
{
	(void)ev;
	if (r->s.state < BS_RECORD)
		r->s.corrected = false;
}

/* A Read that is not served is asked again and again in the same format. */
static void
mistake_4_05(struct run *r, struct bs_event *ev)
{
	if (r->s.state == BS_VERIFY_READ && ev->type == BS_EV_RESPONSE && ev->code == 0x85)
		ev->code = 0x86;
}

static void
ask_again(struct run *r, const struct bs_event *ev)
{
	(void)ev;
	r->s.accept_rung = 0;
	r->s.accept_any = false;
}

static void
tell_key(struct run *r, const struct bs_event *ev)
{
	(void)ev;
	if (r->act.type != BS_ACT_RECORD)
		return;
	free(r->s.rec.detail);
	r->s.rec.detail = str_dup_n("it was " KEY, sizeof("it was " KEY) - 1);
}

static void
leave_key(struct run *r, const struct bs_event *ev)
{
	char *copy;

	(void)ev;
	if (r->act.type != BS_ACT_RECORD || (copy = str_dup_n(KEY, sizeof KEY - 1)) == NULL)
		return;
	free(copy); /* and not wiped */
}

static void
delete_root(struct run *r, const struct bs_event *ev)
{
	(void)ev;
	if (r->act.type == BS_ACT_SEND && r->act.send.method == BS_DELETE)
		r->act.send.path = (struct lwm2m_path){ 0 };
}

static void
delete_retained(struct run *r, const struct bs_event *ev)
{
	(void)ev;
	if (r->act.type == BS_ACT_SEND && r->act.send.method == BS_DELETE && r->act.send.path.depth == LWM2M_OBJECT)
		r->act.send.path = lwm2m_path1(1);
}

/* A device that was here is taken for one that never was. */
static void
forget_history(struct run *r, struct bs_event *ev)
{
	(void)r;
	if (ev->type == BS_EV_GRANTED)
		bs_history_clear(&ev->grant->history);
}

/* What the device shows is not looked at, but for what it lists. */
static void
miss_reading(struct run *r, struct bs_event *ev)
{
	if (r->s.state == BS_READ && ev->type == BS_EV_RESPONSE && r->body.n > 0)
		ev->code = 0x85;
}

static void
delete_foreign(struct run *r, const struct bs_event *ev)
{
	(void)ev;
	if (r->act.type == BS_ACT_SEND && r->act.send.method == BS_PUT && r->act.send.path.id[0] == 0)
		r->act.send = (struct bs_send){ .method = BS_DELETE, .path = lwm2m_path2(0, 7), .accept = -1, .format = -1 };
}

static void
forget_time(struct run *r, struct bs_event *ev)
{
	(void)ev;
	r->s.grant.desired.set_time = false;
}

static void
fail_for_nothing(struct run *r, const struct bs_event *ev)
{
	(void)ev;
	if (r->act.type == BS_ACT_RECORD && r->s.rec.verdict == BS_VERDICT_FAILED)
		r->s.rec.reason = BS_REASON_NONE;
}

/* The machine stays where it was, though it did what was next. */
static void
lose_state(struct run *r, const struct bs_event *ev)
{
	if (ev->type == BS_EV_KEPT && r->s.state == BS_DISCOVER)
		r->s.state = BS_KEEP;
	if (ev->type == BS_EV_VETTED && r->s.state == BS_REPLY)
		r->s.state = BS_VET;
}

static void
finish_unnoted(struct run *r, const struct bs_event *ev)
{
	struct bs_event noted = { .type = BS_EV_SETTLED, .now_ms = ev->now_ms };

	if (r->act.type == BS_ACT_SETTLE)
		bs_session_step(&r->s, &noted, &r->act);
}

/* clang-format off */
const struct mutant mutants[] = {
	{ .name = "asks before it replied", .plan = "replace an account", .rule = R_EARLY, .after = ask_early },
	{ .name = "forgets the time", .plan = "time first", .rule = R_EARLY_WRITE, .before = forget_time },
	{ .name = "takes a refused format for written", .plan = "without verification", .rule = R_FINISH, .before = take_4_15 },
	{ .name = "takes 4.03 for written", .plan = "replace an account", .rule = R_GOES_ON, .before = take_4_03 },
	{ .name = "does not look at what it reads back", .plan = "one write", .rule = R_PROVISIONED, .before = believe_reading },
	{ .name = "says written for provisioned", .plan = "one write", .rule = R_WRITTEN, .after = say_written },
	{ .name = "sleeps through a deadline", .plan = "without verification", .rule = R_END, .before = sleep_through_deadline },
	{ .name = "takes a late answer for another", .plan = "all optional steps", .rule = R_LATE, .before = wake_on_late_answer },
	{ .name = "records twice", .plan = "one write", .rule = R_RECORD, .after = record_twice },
	{ .name = "replies twice", .plan = "one write", .rule = R_REPLY, .after = reply_twice },
	{ .name = "corrects for ever", .plan = "without verification", .rule = R_GOES_ON, .after = correct_for_ever },
	{ .name = "asks again for ever", .plan = "delete and write", .rule = R_ENDLESS,
	  .before = mistake_4_05, .after = ask_again },
	{ .name = "tells the key in the detail", .plan = "replace an account", .rule = R_SECRET, .after = tell_key },
	{ .name = "frees the key as it is", .plan = "replace an account", .rule = R_SECRET, .after = leave_key },
	{ .name = "deletes everything", .plan = "delete and write", .rule = R_TOUCH, .after = delete_root },
	{ .name = "writes what is right", .plan = "incremental, nothing changed", .rule = R_NEEDLESS, .before = forget_history },
	{ .name = "does not see that a key was rejected", .plan = "incremental, key rejected", .rule = R_FINISH, .before = miss_reading },
	{ .name = "deletes another server's account", .plan = "incremental, one server more", .rule = R_TOUCH, .after = delete_foreign },
	{ .name = "deletes what is retained", .plan = "retained", .rule = R_TOUCH, .after = delete_retained },
	{ .name = "fails for no reason", .plan = "one write", .rule = R_VERDICT, .after = fail_for_nothing },
	{ .name = "stays in its state", .plan = "all optional steps", .rule = R_ACCEPTS, .after = lose_state },
	{ .name = "finishes before it is noted", .plan = "all optional steps", .rule = R_SETTLE, .after = finish_unnoted },
	{ .name = "is looked at with half an eye", .plan = "delete and write", .rule = R_MERGED, .half_blind = true },
};
/* clang-format on */
const size_t n_mutants = N_ELEMS(mutants);
