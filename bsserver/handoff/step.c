#include "bsserver/handoff/step.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/base/util.h"

#define ATTEMPTS_MAX 1000000U

static const char doubt[] = "the device's answer to Finish is not known: it has the old credential or the new one";

static const char *const event_names[] = {
	[HANDOFF_EV_TAKEN] = "taken",
	[HANDOFF_EV_REFUSED] = "refused",
	[HANDOFF_EV_NOBODY] = "nobody",
	[HANDOFF_EV_FINISH] = "finish",
	[HANDOFF_EV_GOOD] = "good",
	[HANDOFF_EV_BAD] = "bad",
	[HANDOFF_EV_DOUBT] = "doubt",
	[HANDOFF_EV_DUE] = "due",
	[HANDOFF_EV_RETRY] = "retry",
	[HANDOFF_EV_SEEN] = "seen",
};
_Static_assert(N_ELEMS(event_names) == HANDOFF_EV__COUNT, "one name per event");

static const char *const call_names[] = {
	[HANDOFF_CALL_NONE] = "nothing",
	[HANDOFF_CALL_TELL] = "tell",
	[HANDOFF_CALL_TELL_BACK] = "tell back",
	[HANDOFF_CALL_DROP] = "drop",
	[HANDOFF_CALL_FORGET] = "forget",
	[HANDOFF_CALL_TEST] = "test",
	[HANDOFF_CALL_TRIGGER] = "trigger",
};
_Static_assert(N_ELEMS(call_names) == HANDOFF_CALL__COUNT, "one name per call");

const char *
handoff_event_name(enum handoff_event ev)
{
	return (size_t)ev < N_ELEMS(event_names) ? event_names[ev] : "unknown";
}

const char *
handoff_call_name(enum handoff_call c)
{
	return (size_t)c < N_ELEMS(call_names) ? call_names[c] : "unknown";
}

/* ---- pieces ---- */

static void
enter(struct store_handoff *h, enum store_handoff_state st, int64_t now_ms, int64_t due_ms)
{
	h->state = st;
	h->since_ms = now_ms;
	h->due_ms = due_ms;
	h->attempts = 0;
}

static void
say(struct store_handoff *h, const char *text)
{
	free(h->error);
	h->error = text == NULL ? NULL : str_dup_n(text, strlen(text));
}

/* The n-th pause: the first one doubled n times, up to the longest. */
static int64_t
pause_ms(const struct handoff_rules *r, unsigned attempts)
{
	uint64_t ms = r->retry_ms;

	for (unsigned i = 1; i < attempts && ms < r->retry_max_ms; i++)
		ms *= 2;
	return (int64_t)MIN(ms, (uint64_t)r->retry_max_ms);
}

/* Both sides have `other` from now on. */
static void
settle(struct store_handoff *h, const struct handoff_rules *r, int64_t now_ms)
{
	struct secret old = SECRET_NONE;
	bool same = secret_equal(&h->known, &h->other);

	secret_move(&old, &h->known);
	secret_move(&h->known, &h->other);
	h->settled_ms = now_ms;
	say(h, NULL);
	if (r->one_secret || old.len == 0 || same) {
		secret_clear(&old);
		enter(h, STORE_HANDOFF_SETTLED, now_ms, 0);
		return;
	}
	secret_move(&h->other, &old);
	enter(h, STORE_HANDOFF_RETIRING, now_ms, now_ms + r->grace_ms);
}

enum handoff_call
handoff_wants(const struct store_handoff *h, const struct handoff_rules *r)
{
	switch (h->state) {
	case STORE_HANDOFF_INTENT:
		return h->late ? HANDOFF_CALL_NONE : HANDOFF_CALL_TELL;
	case STORE_HANDOFF_LATE:
		return HANDOFF_CALL_TELL;
	case STORE_HANDOFF_RETURNING:
		if (!r->one_secret)
			return h->known.len > 0 ? HANDOFF_CALL_DROP : HANDOFF_CALL_FORGET;
		return h->known.len > 0 ? HANDOFF_CALL_TELL_BACK : HANDOFF_CALL_FORGET;
	case STORE_HANDOFF_RETIRING:
		return HANDOFF_CALL_DROP;
	case STORE_HANDOFF_LEAVING:
		return HANDOFF_CALL_FORGET;
	case STORE_HANDOFF_HELD:
	case STORE_HANDOFF_TOLD:
	case STORE_HANDOFF_FINISHING:
	case STORE_HANDOFF_SETTLED:
	case STORE_HANDOFF__COUNT:
		break;
	}
	return HANDOFF_CALL_NONE;
}

/* ---- begin ---- */

/*
 * An earlier session left the row without a word that it was over, or in doubt, and the device is here
 * again for something else: what is to be made of what stands there.
 */
static void
give_up(struct store_handoff *h, const struct handoff_rules *r, int64_t now_ms)
{
	switch (h->state) {
	case STORE_HANDOFF_INTENT:
	case STORE_HANDOFF_TOLD:
		if (h->late)
			enter(h, STORE_HANDOFF_HELD, now_ms, 0);
		else
			enter(h, STORE_HANDOFF_RETURNING, now_ms, now_ms);
		return;
	case STORE_HANDOFF_FINISHING:
		/* of the two that the device may have, the newer one counts, as when the time of grace is over */
		if (h->late)
			enter(h, STORE_HANDOFF_LATE, now_ms, now_ms);
		else
			settle(h, r, now_ms);
		return;
	case STORE_HANDOFF_HELD:
	case STORE_HANDOFF_LATE:
	case STORE_HANDOFF_RETURNING:
	case STORE_HANDOFF_RETIRING:
	case STORE_HANDOFF_SETTLED:
	case STORE_HANDOFF_LEAVING:
	case STORE_HANDOFF__COUNT:
		return;
	}
}

/* What stands there must be brought to its end first, or it is forgotten: one that a server of several knows besides, or
   one that the device has and the server does not. */
static bool
would_be_lost(const struct store_handoff *h, const struct handoff_rules *r, const struct secret *wanted)
{
	if (h->state == STORE_HANDOFF_LATE)
		return true;
	if (r->one_secret || h->other.len == 0 || secret_equal(&h->other, wanted))
		return false;
	return h->state == STORE_HANDOFF_RETIRING || h->state == STORE_HANDOFF_RETURNING;
}

/* It is in doubt whether the device has that very one already: a session that comes to nothing leaves the doubt as it is. */
static bool
takes_over(struct store_handoff *h, const struct secret *wanted, bool late, uint64_t session, struct handoff_outcome *out)
{
	bool told = h->state == STORE_HANDOFF_FINISHING && !h->late;
	bool to_tell = h->state == STORE_HANDOFF_LATE && late;

	if ((!told && !to_tell) || !secret_equal(&h->other, wanted))
		return false;
	h->session = session;
	if (told)
		h->attempts = 1;
	out->changed = true;
	out->told = 1;
	return true;
}

bool
handoff_begin(struct store_handoff *h, const struct handoff_rules *r, struct secret *other, bool late,
    uint64_t session, int64_t now_ms, struct handoff_outcome *out)
{
	bool both_know = h->state == STORE_HANDOFF_SETTLED || h->state == STORE_HANDOFF_RETIRING;
	bool same = secret_equal(&h->other, other);
	/* the server may have been told something that is not `known` */
	bool unsure = h->state == STORE_HANDOFF_RETURNING ||
	    ((h->state == STORE_HANDOFF_INTENT || h->state == STORE_HANDOFF_TOLD) && !h->late);

	enum store_handoff_state was = h->state;

	*out = (struct handoff_outcome){ 0 };
	if (both_know && secret_equal(&h->known, other)) {
		out->told = 1;
		secret_clear(other);
		return true;
	}
	if (h->state == STORE_HANDOFF_FINISHING && h->late)
		give_up(h, r, now_ms);
	if (takes_over(h, other, late, session, out)) {
		secret_clear(other);
		return true;
	}
	if (!same || h->state == STORE_HANDOFF_FINISHING)
		give_up(h, r, now_ms);
	if (would_be_lost(h, r, other)) {
		out->changed = h->state != was;
		return false;
	}
	secret_clear(&h->other);
	secret_move(&h->other, other);
	h->late = late && !unsure;
	h->session = session;
	say(h, NULL);
	enter(h, STORE_HANDOFF_INTENT, now_ms, unsure ? now_ms : now_ms + r->orphan_ms);
	h->attempts = unsure;
	out->changed = true;
	out->told = h->late ? 1 : 0;
	return true;
}

/* ---- what the server said ---- */

static void
on_taken(struct store_handoff *h, const struct handoff_rules *r, const struct handoff_step *s,
    struct handoff_outcome *out)
{
	out->changed = true;
	say(h, NULL);
	switch (h->state) {
	case STORE_HANDOFF_INTENT:
		enter(h, STORE_HANDOFF_TOLD, s->now_ms, s->now_ms + r->orphan_ms);
		out->told = 1;
		return;
	case STORE_HANDOFF_LATE:
		settle(h, r, s->now_ms);
		return;
	case STORE_HANDOFF_RETURNING:
		enter(h, STORE_HANDOFF_HELD, s->now_ms, 0);
		return;
	case STORE_HANDOFF_RETIRING:
		secret_clear(&h->other);
		enter(h, STORE_HANDOFF_SETTLED, s->now_ms, 0);
		return;
	case STORE_HANDOFF_LEAVING:
		out->gone = true;
		return;
	case STORE_HANDOFF_HELD:
	case STORE_HANDOFF_TOLD:
	case STORE_HANDOFF_FINISHING:
	case STORE_HANDOFF_SETTLED:
	case STORE_HANDOFF__COUNT:
		out->changed = false;
		return;
	}
}

static void
try_later(struct store_handoff *h, const struct handoff_rules *r, int64_t now_ms)
{
	h->attempts = MIN(h->attempts + 1, ATTEMPTS_MAX);
	h->due_ms = now_ms + pause_ms(r, h->attempts);
}

/* A refusal of what is only tidying up is tried again too, at the longest pause: somebody may mend it. */
static void
on_refused(struct store_handoff *h, const struct handoff_rules *r, const struct handoff_step *s,
    struct handoff_outcome *out)
{
	if (handoff_wants(h, r) == HANDOFF_CALL_NONE)
		return;
	out->changed = true;
	if (h->state == STORE_HANDOFF_INTENT) {
		/* it took nothing: it has what it had, unless an earlier attempt was not answered */
		if (h->attempts == 0)
			enter(h, STORE_HANDOFF_HELD, s->now_ms, 0);
		else
			enter(h, STORE_HANDOFF_RETURNING, s->now_ms, s->now_ms);
		out->told = -1;
	} else {
		h->attempts = MIN(h->attempts + 1, ATTEMPTS_MAX);
		h->due_ms = s->now_ms + r->retry_max_ms;
	}
	say(h, s->text);
}

static void
on_nobody(struct store_handoff *h, const struct handoff_rules *r, const struct handoff_step *s,
    struct handoff_outcome *out)
{
	if (handoff_wants(h, r) == HANDOFF_CALL_NONE)
		return;
	out->changed = true;
	say(h, s->text);
	bool session = h->state == STORE_HANDOFF_INTENT;
	try_later(h, r, s->now_ms);
	if (!session || h->due_ms < s->give_up_ms)
		return;
	/* whether it took it nobody knows: it is given the old one */
	unsigned attempts = h->attempts;
	enter(h, STORE_HANDOFF_RETURNING, s->now_ms, s->now_ms + pause_ms(r, attempts));
	h->attempts = attempts;
	out->told = -1;
}

/* ---- what became of the session ---- */

static void
on_finish(struct store_handoff *h, const struct handoff_rules *r, const struct handoff_step *s,
    struct handoff_outcome *out)
{
	if (h->state != STORE_HANDOFF_TOLD && !(h->state == STORE_HANDOFF_INTENT && h->late))
		return;
	enter(h, STORE_HANDOFF_FINISHING, s->now_ms, s->now_ms + MAX(r->grace_ms, r->orphan_ms));
	out->changed = true;
}

static void
on_good(struct store_handoff *h, const struct handoff_rules *r, const struct handoff_step *s,
    struct handoff_outcome *out)
{
	bool told = h->state == STORE_HANDOFF_TOLD || h->state == STORE_HANDOFF_FINISHING;

	if (!told && !(h->state == STORE_HANDOFF_INTENT && h->late))
		return;
	out->changed = true;
	if (h->late)
		enter(h, STORE_HANDOFF_LATE, s->now_ms, s->now_ms);
	else
		settle(h, r, s->now_ms);
}

static void
on_bad(struct store_handoff *h, const struct handoff_rules *r, const struct handoff_step *s,
    struct handoff_outcome *out)
{
	(void)r;
	if (h->state != STORE_HANDOFF_INTENT && h->state != STORE_HANDOFF_TOLD && h->state != STORE_HANDOFF_FINISHING)
		return;
	out->changed = true;
	if (h->state == STORE_HANDOFF_FINISHING && h->attempts > 0)
		say(h, doubt); /* an earlier session's */
	else if (h->late)
		enter(h, STORE_HANDOFF_HELD, s->now_ms, 0); /* the server never heard of it */
	else
		enter(h, STORE_HANDOFF_RETURNING, s->now_ms, s->now_ms);
}

/* Before Finish was begun the device cannot have the new one for good; after that nobody knows. */
static void
on_doubt(struct store_handoff *h, const struct handoff_rules *r, const struct handoff_step *s,
    struct handoff_outcome *out)
{
	if (h->state != STORE_HANDOFF_FINISHING) {
		on_bad(h, r, s, out);
		return;
	}
	if (h->late) { /* the device may knock with it: the server must know */
		enter(h, STORE_HANDOFF_LATE, s->now_ms, s->now_ms);
	} else {
		say(h, doubt);
	}
	out->changed = true;
}

static void
on_due(struct store_handoff *h, const struct handoff_rules *r, const struct handoff_step *s,
    struct handoff_outcome *out)
{
	if (h->state == STORE_HANDOFF_FINISHING)
		on_good(h, r, s, out); /* the time of grace is over */
	else if (h->state == STORE_HANDOFF_TOLD || h->state == STORE_HANDOFF_INTENT)
		on_bad(h, r, s, out);
}

static void
on_retry(struct store_handoff *h, const struct handoff_rules *r, const struct handoff_step *s,
    struct handoff_outcome *out)
{
	enum handoff_call c = handoff_wants(h, r);

	if (c == HANDOFF_CALL_NONE || h->state == STORE_HANDOFF_INTENT)
		return;
	h->due_ms = s->now_ms;
	out->changed = true;
}

/* A doubt it does not end: a device that took back what was not finished is at work with the old one. */
static void
on_seen(struct store_handoff *h, const struct handoff_rules *r, const struct handoff_step *s,
    struct handoff_outcome *out)
{
	(void)r;
	if (h->state != STORE_HANDOFF_RETIRING || h->due_ms <= s->now_ms)
		return;
	h->due_ms = s->now_ms;
	out->changed = true;
}

static void (*const handlers[])(struct store_handoff *, const struct handoff_rules *, const struct handoff_step *,
    struct handoff_outcome *) = {
	[HANDOFF_EV_TAKEN] = on_taken,
	[HANDOFF_EV_REFUSED] = on_refused,
	[HANDOFF_EV_NOBODY] = on_nobody,
	[HANDOFF_EV_FINISH] = on_finish,
	[HANDOFF_EV_GOOD] = on_good,
	[HANDOFF_EV_BAD] = on_bad,
	[HANDOFF_EV_DOUBT] = on_doubt,
	[HANDOFF_EV_DUE] = on_due,
	[HANDOFF_EV_RETRY] = on_retry,
	[HANDOFF_EV_SEEN] = on_seen,
};
_Static_assert(N_ELEMS(handlers) == HANDOFF_EV__COUNT, "one handler per event");

void
handoff_step(struct store_handoff *h, const struct handoff_rules *r, const struct handoff_step *s,
    struct handoff_outcome *out)
{
	*out = (struct handoff_outcome){ 0 };
	handlers[s->event](h, r, s, out);
}
