#include "tests/sim/registrations.h"

#include <stdbool.h>
#include <stdlib.h>

#define ACCOUNTS_MAX 64
#define ATTEMPTS_MAX 64

struct account {
	uint16_t ssid, iid;
	bool has_order, blocks, comes_back, dead;
	int64_t order, wait, attempts, retry, pause, sequences;
};

struct play {
	struct registration *out;
	size_t n, max;
};

static void
note(struct play *p, int64_t at, const struct account *a, enum registration_event what)
{
	if (p->n < p->max)
		p->out[p->n++] = (struct registration){ at, a->ssid, what };
}

static int64_t
value(const struct lwm2m_tree *t, uint16_t iid, uint16_t rid, int64_t otherwise)
{
	const struct lwm2m_value *v = lwm2m_tree_get(t, lwm2m_path3(1, iid, rid));
	int64_t n;

	if (v == NULL)
		return otherwise;
	return v->type == LWM2M_BOOLEAN ? v->b : lwm2m_value_number(v, &n) ? n : otherwise;
}

static size_t
read_accounts(const struct lwm2m_tree *t, const uint16_t *dead, size_t n_dead, struct account *v)
{
	struct lwm2m_span all = lwm2m_tree_under(t, lwm2m_path1(1)), sub;
	struct lwm2m_path inst;
	size_t n = 0;

	for (size_t at = 0; n < ACCOUNTS_MAX && lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);) {
		uint16_t i = inst.id[1];

		v[n] = (struct account){ (uint16_t)value(t, i, 0, 0), i, lwm2m_tree_has(t, lwm2m_path3(1, i, 13)),
			value(t, i, 15, 0) != 0, value(t, i, 16, 1) != 0, false, value(t, i, 13, 0), value(t, i, 14, 0),
			value(t, i, 17, 5), value(t, i, 18, 60), value(t, i, 19, 86400), value(t, i, 20, 1) };
		for (size_t k = 0; k < n_dead; k++)
			v[n].dead = v[n].dead || dead[k] == v[n].ssid;
		n++;
	}
	return n;
}

/* Attempt after attempt. Returns when it is over with that server. */
static int64_t
try_it(struct play *p, const struct account *a, int64_t now)
{
	if (!a->dead) {
		note(p, now, a, REGISTERS);
		return now;
	}
	for (int64_t sequence = 1;; sequence++) {
		int64_t wait = a->retry;

		for (int64_t attempt = 1; attempt < a->attempts && attempt < ATTEMPTS_MAX; attempt++) {
			now += wait;
			wait *= 2;
		}
		if (sequence >= a->sequences || a->pause == 4294967295)
			break;
		now += a->pause;
	}
	note(p, now, a, a->comes_back ? BOOTSTRAPS_AGAIN : GIVES_UP);
	return now;
}

/* The next in the order that has not had its turn; NULL at the end. */
static const struct account *
next_in_order(const struct account *v, size_t n, const bool *done)
{
	const struct account *best = NULL;

	for (size_t i = 0; i < n; i++)
		if (v[i].has_order && !done[i] &&
		    (best == NULL || v[i].order < best->order || (v[i].order == best->order && v[i].iid < best->iid)))
			best = &v[i];
	return best;
}

static int
by_time(const void *a, const void *b)
{
	const struct registration *x = a, *y = b;

	if (x->at_s != y->at_s)
		return x->at_s < y->at_s ? -1 : 1;
	return (int)x->ssid - (int)y->ssid;
}

size_t
registrations_play(const struct lwm2m_tree *t, const uint16_t *dead, size_t n_dead, struct registration *out, size_t max)
{
	struct account v[ACCOUNTS_MAX];
	bool done[ACCOUNTS_MAX] = { false };
	struct play p = { out, 0, max };
	size_t n = read_accounts(t, dead, n_dead, v);
	const struct account *a;
	int64_t now = 0;

	for (size_t i = 0; i < n; i++)
		if (!v[i].has_order)
			(void)try_it(&p, &v[i], v[i].wait);
	while ((a = next_in_order(v, n, done)) != NULL) {
		done[a - v] = true;
		now = try_it(&p, a, now + a->wait);
		if (a->dead && (a->blocks || a->comes_back))
			break;
	}
	qsort(out, p.n, sizeof *out, by_time);
	for (size_t i = 0; i < p.n; i++)
		if (out[i].what == BOOTSTRAPS_AGAIN)
			return i + 1;
	return p.n;
}
