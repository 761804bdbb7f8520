#include "profiles/timeline.h"

#include <stdlib.h>

#include "lib/lwm2m/object.h"

#define NO_MORE_SEQUENCES INT64_C(4294967295) /* 1/x/19: MAX_VALUE */
#define LONGEST_S (INT64_C(100) * 366 * 86400)
#define LONGEST_BITS 32

static int64_t
number(const struct profile_desired *d, struct lwm2m_path inst, uint16_t rid, int64_t otherwise)
{
	const struct lwm2m_value *v = lwm2m_tree_get(&d->tree, lwm2m_path_child(inst, rid));
	int64_t n;

	return v != NULL && lwm2m_value_number(v, &n) && n >= 0 ? n : otherwise;
}

static bool
flag(const struct profile_desired *d, struct lwm2m_path inst, uint16_t rid, bool otherwise)
{
	const struct lwm2m_value *v = lwm2m_tree_get(&d->tree, lwm2m_path_child(inst, rid));

	return v == NULL || v->type != LWM2M_BOOLEAN ? otherwise : v->b;
}

/* Sums and products of timers may be absurd: a century is as good as for ever. */
static int64_t
add(int64_t a, int64_t b)
{
	return a > LONGEST_S - b ? LONGEST_S : a + b;
}

static int64_t
times(int64_t a, int64_t b)
{
	return b != 0 && a > LONGEST_S / b ? LONGEST_S : a * b;
}

/* Before attempt n + 1 of a sequence it waits timer * 2^(n - 1). */
static int64_t
one_sequence(int64_t attempts, int64_t timer_s)
{
	if (attempts <= 1 || timer_s == 0)
		return 0;
	return times(timer_s, attempts > LONGEST_BITS ? LONGEST_S : (INT64_C(1) << (attempts - 1)) - 1);
}

static int64_t
tries(const struct profile_desired *d, struct lwm2m_path inst)
{
	int64_t pause = number(d, inst, 19, 86400), sequences = number(d, inst, 20, 1);
	int64_t one = one_sequence(number(d, inst, 17, 5), number(d, inst, 18, 60));

	if (pause >= NO_MORE_SEQUENCES || sequences < 1)
		sequences = 1;
	return add(times(one, sequences), times(pause < LONGEST_S ? pause : LONGEST_S, sequences - 1));
}

static void
read_server(const struct profile_desired *d, struct lwm2m_path inst, struct timeline_server *s)
{
	*s = (struct timeline_server){
		.ssid = (uint16_t)number(d, inst, 0, 0),
		.inst = inst,
		.ordered = lwm2m_tree_has(&d->tree, lwm2m_path_child(inst, 13)),
		.order = number(d, inst, 13, 0),
		.delay_s = number(d, inst, 14, 0),
		.tries_s = tries(d, inst),
	};
	s->then = flag(d, inst, 16, true)		 ? TIMELINE_BOOTSTRAPS :
	    s->ordered && flag(d, inst, 15, false) ? TIMELINE_STOPS :
							   TIMELINE_GOES_ON;
}

/* Ordered ones first, by their order; the rest as they stand. */
static int
by_order(const void *a, const void *b)
{
	const struct timeline_server *x = a, *y = b;

	if (x->ordered != y->ordered)
		return x->ordered ? -1 : 1;
	if (x->ordered && x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return x->inst.id[1] < y->inst.id[1] ? -1 : x->inst.id[1] > y->inst.id[1];
}

/* 1/x/14 runs from the end of the registration before it, the first one's from Finish. */
static void
lay_out(struct timeline *t, const struct profile_desired *d)
{
	int64_t good = 0, bad = 0;

	t->worst_s = TIMELINE_NEVER;
	for (size_t i = 0; i < t->n; i++) {
		struct timeline_server *s = &t->v[i];
		bool blocks = flag(d, s->inst, 15, false) || s->then == TIMELINE_BOOTSTRAPS;

		s->registers_s = s->after_failure_s = s->delay_s;
		if (s->ordered) {
			good = s->registers_s = add(good, s->delay_s);
			s->after_failure_s = bad == TIMELINE_NEVER ? bad : add(bad, s->delay_s);
			bad = bad == TIMELINE_NEVER || blocks ? TIMELINE_NEVER : add(s->after_failure_s, s->tries_s);
		}
		int64_t last = s->after_failure_s > s->registers_s ? s->after_failure_s : s->registers_s;
		if (s->then == TIMELINE_BOOTSTRAPS && add(last, s->tries_s) > t->worst_s)
			t->worst_s = add(last, s->tries_s);
	}
}

static int64_t
account_number(const struct profile_desired *d, uint16_t rid)
{
	const struct lwm2m_value *v = lwm2m_tree_get(&d->account, lwm2m_path3(LWM2M_SECURITY, 0, rid));
	int64_t n;

	return v != NULL && lwm2m_value_number(v, &n) ? n : -1;
}

void
timeline_make(const struct profile_desired *d, struct timeline *out)
{
	struct lwm2m_span all = lwm2m_tree_under(&d->tree, lwm2m_path1(LWM2M_SERVER)), sub;
	struct lwm2m_path inst;

	*out = (struct timeline){ .hold_off_s = account_number(d, 11), .forgets_s = account_number(d, 12) };
	for (size_t at = 0; out->n < TIMELINE_MAX && lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		read_server(d, inst, &out->v[out->n++]);
	qsort(out->v, out->n, sizeof *out->v, by_order);
	lay_out(out, d);
}

const char *
timeline_then_name(enum timeline_then t)
{
	static const char *const names[] = { "goes_on", "stops", "bootstraps" };

	return names[t];
}
