/* What no session waits for: what an earlier process left, pauses that are over, operators who are in a hurry. */
#include <stdlib.h>
#include <string.h>

#include "bsserver/handoff/internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

#define PAGE 64U
#define JOBS_MAX 256 /* rows at once; the sweep waits until there are fewer */
#define LOOK_MS 60000 /* at the latest */
#define EARLY_MS 250  /* a timer may strike so much before its time by the wall clock */

void
sweep_at(struct handoff *h, int64_t due_ms)
{
	int64_t now = clock_wall_ms();

	if (h->stopped || (h->next_due_ms != 0 && h->next_due_ms <= due_ms))
		return;
	h->next_due_ms = due_ms;
	loop_timer_start(h->sweep, due_ms > now ? (uint64_t)MIN(due_ms - now, (int64_t)LOOK_MS) : 1, 0);
}

static void
sweep_over(struct handoff *h)
{
	free(h->after_endpoint);
	free(h->after_target);
	h->after_endpoint = h->after_target = NULL;
	h->sweeping = h->first_sweep = false;
	sweep_at(h, clock_wall_ms() + (h->again ? 0 : LOOK_MS));
	h->again = false;
}

/* ---- one row ---- */

/* What is known of the session that a row is about decides what the device has. */
static void
on_session(void *arg, enum err_code rc, const struct err *e, struct store_session_row *v, size_t n, bool more)
{
	struct handing *j = arg;

	(void)e;
	(void)more;
	j->busy = JOB_IDLE;
	if (j->want != NULL) { /* the device is here again: that session decides */
		handing_go(j);
		return;
	}
	j->how = rc == ERR_OK && n > 0 ? handoff_how(&v[0].rec) : HANDOFF_EV_DOUBT;
	j->ends = true;
	log_msg(LVL_NOTICE, LOG_HANDOFF, &(struct log_about){ .endpoint = j->row.endpoint, .session = j->row.session },
	    "hand-off to %s was left as %s, its session ended %s", j->row.target, store_handoff_state_name(j->row.state),
	    rc == ERR_OK && n > 0 ? bs_verdict_name(v[0].rec.verdict) : "without a record");
	handing_go(j);
}

static bool
has_session(const struct store_handoff *r)
{
	return r->state == STORE_HANDOFF_INTENT || r->state == STORE_HANDOFF_TOLD || r->state == STORE_HANDOFF_FINISHING;
}

static void
take_row(struct handoff *h, struct store_handoff *row)
{
	bool left = h->first_sweep && has_session(row);
	struct handing *j;

	if (handing_find(h, row->endpoint, row->target) != NULL)
		return; /* it is being worked on */
	if (!left && row->due_ms > clock_wall_ms()) {
		sweep_at(h, row->due_ms);
		return;
	}
	j = handing_new(h, row);
	if (j == NULL)
		return; /* the next sweep finds it */
	j->due = !left;
	if (!left) {
		handing_go(j);
		return;
	}
	j->busy = JOB_STORING;
	h->c.ops->session_get(h->c.store, j->row.session, NULL, on_session, j);
}

/* ---- all of them ---- */

static void
remember(struct handoff *h, const struct store_handoff *last)
{
	free(h->after_endpoint);
	free(h->after_target);
	h->after_endpoint = str_dup_n(last->endpoint, strlen(last->endpoint));
	h->after_target = str_dup_n(last->target, strlen(last->target));
}

static void
on_page(void *arg, enum err_code rc, const struct err *e, struct store_handoff *v, size_t n, bool more)
{
	struct handoff *h = arg;

	if (h->stopped)
		return;
	if (rc != ERR_OK)
		log_msg(LVL_WARNING, LOG_HANDOFF, NULL, "hand-offs that are due were not read (%s)", e->msg);
	if (rc == ERR_OK && n > 0)
		remember(h, &v[n - 1]);
	for (size_t i = 0; rc == ERR_OK && i < n; i++)
		take_row(h, &v[i]);
	h->sweep_more = more && h->after_endpoint != NULL && h->after_target != NULL;
	if (!h->sweep_more)
		sweep_over(h);
	else
		sweep_look(h);
}

static void
next_page(struct handoff *h)
{
	struct store_handoff_page p = { .after_endpoint = h->after_endpoint, .after_target = h->after_target, .limit = PAGE,
		.secrets = true, .due_until_ms = h->first_sweep ? INT64_MAX : clock_wall_ms() + EARLY_MS };

	h->sweep_more = false;
	h->c.ops->handoff_list(h->c.store, &p, on_page, h);
}

void
sweep_look(struct handoff *h)
{
	if (h->sweeping && h->sweep_more && h->jobs.n < JOBS_MAX && !h->stopped)
		next_page(h);
}

void
sweep_on_timer(void *arg)
{
	struct handoff *h = arg;

	h->next_due_ms = 0;
	if (h->sweeping) {
		h->again = true;
		return;
	}
	h->sweeping = true;
	next_page(h);
}

void
handoff_look(struct handoff *h)
{
	sweep_at(h, clock_wall_ms());
}

void
handoff_start(struct handoff *h)
{
	h->first_sweep = true;
	sweep_on_timer(h);
}

/* ---- a device that was seen ---- */

static void
see(struct handing *j)
{
	if (j->want != NULL)
		return; /* it is about to be given something else */
	j->seen = true;
	handing_go(j);
}

struct sight {
	struct handoff *h;
	char *endpoint;
	bool again;
};

static void look_for(struct sight *s);

static void
on_seen(void *arg, enum err_code rc, const struct err *e, struct store_handoff *v, size_t n, bool more)
{
	struct sight *s = arg;
	bool passed = false;

	(void)e; /* then it goes when the time of grace is over */
	(void)more;
	for (size_t i = 0; rc == ERR_OK && !s->h->stopped && i < n; i++) {
		struct handing *j = handing_find(s->h, v[i].endpoint, v[i].target);

		/* it may have been settled between that was read and now */
		passed = passed || (j == NULL && v[i].state == STORE_HANDOFF_FINISHING);
		if (j == NULL && v[i].state == STORE_HANDOFF_RETIRING)
			j = handing_new(s->h, &v[i]);
		if (j != NULL)
			see(j);
	}
	if (passed && !s->again && !s->h->stopped) {
		s->again = true;
		look_for(s);
		return;
	}
	free(s->endpoint);
	free(s);
}

static void
look_for(struct sight *s)
{
	const struct store_handoff_page p = { .endpoint = s->endpoint, .secrets = true };

	s->h->c.ops->handoff_list(s->h->c.store, &p, on_seen, s);
}

void
handoff_seen(struct handoff *h, const char *endpoint)
{
	bool several = false;
	struct sight *s;

	for (size_t i = 0; i < h->n_servers; i++)
		several = several || !h->servers[i]->s->rules.one_secret;
	if (!several || h->stopped)
		return;
	s = calloc(1, sizeof *s);
	if (s != NULL)
		*s = (struct sight){ .h = h, .endpoint = str_dup_n(endpoint, strlen(endpoint)) };
	if (s != NULL && s->endpoint != NULL)
		look_for(s);
	else
		free(s); /* as above */
}

/* ---- an operator ---- */

struct retry {
	struct handoff *h;
	store_done_fn *done;
	void *arg;
};

static void
retry_row(struct handoff *h, struct store_handoff *row)
{
	struct handing *j = handing_find(h, row->endpoint, row->target);

	if (j != NULL || (row->due_ms == 0 && row->state != STORE_HANDOFF_LATE))
		return;
	j = handing_new(h, row);
	if (j == NULL)
		return;
	j->ends = true;
	j->how = HANDOFF_EV_RETRY;
	handing_go(j);
}

static void
on_retry(void *arg, enum err_code rc, const struct err *e, struct store_handoff *v, size_t n, bool more)
{
	struct retry *r = arg;

	(void)more;
	for (size_t i = 0; rc == ERR_OK && !r->h->stopped && i < n; i++)
		retry_row(r->h, &v[i]);
	r->done(r->arg, rc, e);
	free(r);
}

void
handoff_retry(struct handoff *h, const char *endpoint, store_done_fn *done, void *arg)
{
	struct retry *r = calloc(1, sizeof *r);
	const struct store_handoff_page p = { .endpoint = endpoint, .due_until_ms = endpoint == NULL ? INT64_MAX : 0,
		.secrets = true, .limit = 1000 };

	if (r == NULL)
		abort(); /* as loop_post() */
	*r = (struct retry){ h, done, arg };
	h->c.ops->handoff_list(h->c.store, &p, on_retry, r);
}

enum handoff_event
handoff_how(const struct bs_record *r)
{
	if (r->verdict == BS_VERDICT_PROVISIONED || r->verdict == BS_VERDICT_WRITTEN)
		return HANDOFF_EV_GOOD;
	/* Finish went out, and no answer came that says no */
	if (r->step == BS_STEP_FINISH && r->code < 0x80)
		return HANDOFF_EV_DOUBT;
	return HANDOFF_EV_BAD;
}
