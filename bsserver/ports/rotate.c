#include "bsserver/ports/rotate.h"

#include <stdlib.h>
#include <string.h>

#include "bsserver/ports/handoff.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

/* A key that may be too old. */
struct candidate {
	char *to, *slot;
	struct secret now; /* handoff_pack() of what the device should hold */
	uint32_t rotate_s;
	uint16_t octets;
	bool due;
};

struct rotation {
	struct ports *p;
	char *endpoint;
	uint64_t revision;
	struct candidate *v;
	size_t n;
	rotate_fn *done;
	void *arg;
	/* the change */
	char *doc;
	struct store_credential *fresh; /* keys are owned, slots borrowed from v */
	const char **kept;		/* slots; owned strings */
	size_t n_fresh, n_kept;
	struct store_change change;
};

bool
rotate_wanted(const struct profile_desired *d)
{
	for (size_t i = 0; i < d->n_handoffs; i++)
		if (d->handoffs[i].slot != NULL)
			return true;
	return false;
}

static void
drop_candidates(struct rotation *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].to);
		free(r->v[i].slot);
		secret_clear(&r->v[i].now);
	}
	r->n = 0;
}

static void
rotation_free(struct rotation *r)
{
	drop_candidates(r);
	for (size_t i = 0; i < r->n_fresh; i++)
		secret_clear(&r->fresh[i].key);
	for (size_t i = 0; i < r->n_kept; i++)
		free((char *)(uintptr_t)r->kept[i]);
	free(r->v);
	free(r->fresh);
	free((void *)(uintptr_t)r->kept);
	free(r->doc);
	free(r->endpoint);
	free(r);
}

static void
end(struct rotation *r, enum err_code rc, const struct err *e, bool changed)
{
	rotate_fn *done = r->done;
	void *arg = r->arg;

	rotation_free(r);
	done(arg, rc, e, changed);
}

/* ---- the change ---- */

static void
on_applied(void *arg, enum err_code rc, const struct err *e, size_t failed_at, const struct store_result *results, size_t n)
{
	struct rotation *r = arg;

	(void)failed_at;
	(void)results;
	(void)n;
	if (rc == ERR_OK)
		log_msg(LVL_INFO, LOG_HANDOFF, &(struct log_about){ .endpoint = r->endpoint }, "%zu keys were made anew",
		    r->n_fresh);
	/* who changed it meanwhile leaves it as it is: it is looked at again */
	end(r, rc == ERR_CONFLICT ? ERR_OK : rc, e, true);
}

static const struct candidate *
candidate_of(const struct rotation *r, const char *slot)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].due && strcmp(r->v[i].slot, slot) == 0)
			return &r->v[i];
	return NULL;
}

static enum err_code
sort_credential(struct rotation *r, const struct store_credential *c, struct err *e)
{
	const struct candidate *k = c->generated ? candidate_of(r, c->slot) : NULL;

	if (k == NULL) {
		r->kept[r->n_kept] = str_dup_n(c->slot, strlen(c->slot));
		return r->kept[r->n_kept++] == NULL ? err_no_memory(e) : ERR_OK;
	}
	r->fresh[r->n_fresh] = (struct store_credential){ .slot = k->slot, .generated = true, .key = SECRET_NONE };
	return secret_random(&r->fresh[r->n_fresh++].key, k->octets, e);
}

static enum err_code
make_change(struct rotation *r, const struct store_device *d, const struct store_credential *creds, size_t n,
    struct err *e)
{
	enum err_code rc = ERR_OK;

	r->doc = str_dup_n(d->doc, strlen(d->doc));
	r->fresh = calloc(n + 1, sizeof *r->fresh);
	r->kept = calloc(n + 1, sizeof *r->kept);
	if (r->doc == NULL || r->fresh == NULL || r->kept == NULL)
		return err_no_memory(e);
	for (size_t i = 0; rc == ERR_OK && i < n; i++)
		rc = sort_credential(r, &creds[i], e);
	r->change = (struct store_change){ .op = STORE_PUT_DEVICE, .name = r->endpoint, .doc = r->doc,
		.credentials = r->fresh, .n_credentials = r->n_fresh, .keep_slots = r->kept, .n_keep_slots = r->n_kept,
		.expect_revision = r->revision };
	return rc;
}

static void
on_device(void *arg, enum err_code rc, const struct err *e, struct store_device *d, struct store_credential *creds,
    size_t n)
{
	static const struct store_actor who = { .name = "system", .reason = "the profile rotates this key" };
	struct rotation *r = arg;
	struct err mine;

	if (rc == ERR_OK) {
		e = &mine;
		rc = make_change(r, d, creds, n, &mine);
	}
	if (rc != ERR_OK || r->n_fresh == 0)
		end(r, rc, e, false);
	else
		r->p->c.ops->apply(r->p->c.store, &who, &r->change, 1, on_applied, r);
}

/* ---- which ones ---- */

/* Both sides have exactly the key of now, and have had it for so long. */
static bool
is_due(const struct candidate *c, const struct store_handoff *h, int64_t now_ms)
{
	bool both = h->state == STORE_HANDOFF_SETTLED || h->state == STORE_HANDOFF_RETIRING;

	return both && strcmp(h->target, c->to) == 0 && secret_equal(&h->known, &c->now) &&
	    now_ms - h->settled_ms >= (int64_t)c->rotate_s * 1000;
}

static void
on_rows(void *arg, enum err_code rc, const struct err *e, struct store_handoff *v, size_t n, bool more)
{
	struct rotation *r = arg;
	int64_t now = clock_wall_ms();
	bool any = false;

	(void)more;
	for (size_t i = 0; rc == ERR_OK && i < r->n; i++)
		for (size_t k = 0; k < n; k++) {
			r->v[i].due |= is_due(&r->v[i], &v[k], now);
			any |= r->v[i].due;
		}
	if (any)
		r->p->c.ops->device_get(r->p->c.store, r->endpoint, on_device, r);
	else
		end(r, rc, e, false);
}

static enum err_code
add_candidates(struct rotation *r, const struct profile_desired *d, struct err *e)
{
	enum err_code rc = ERR_OK;

	r->v = calloc(d->n_handoffs + 1, sizeof *r->v);
	if (r->v == NULL)
		return err_no_memory(e);
	for (size_t i = 0; rc == ERR_OK && i < d->n_handoffs; i++) {
		const struct profile_handoff *h = &d->handoffs[i];
		struct candidate *c = &r->v[r->n];

		if (h->slot == NULL)
			continue;
		r->n++;
		*c = (struct candidate){ .to = str_dup_n(h->to, strlen(h->to)), .slot = str_dup_n(h->slot, strlen(h->slot)),
			.rotate_s = h->rotate_s, .octets = h->octets, .now = SECRET_NONE };
		rc = c->to == NULL || c->slot == NULL ? err_no_memory(e) : ports_handoff_credential(d, h, &c->now, e);
	}
	return rc;
}

void
rotate_keys(struct ports *p, const struct store_device *d, const struct profile_desired *desired, rotate_fn *done,
    void *arg)
{
	struct rotation *r = calloc(1, sizeof *r);
	const struct store_handoff_page page = { .endpoint = d->endpoint, .secrets = true };

	if (r == NULL)
		abort(); /* as loop_post() */
	*r = (struct rotation){ .p = p, .revision = d->revision, .done = done, .arg = arg,
		.endpoint = str_dup_n(d->endpoint, strlen(d->endpoint)) };
	if (r->endpoint == NULL || add_candidates(r, desired, NULL) != ERR_OK)
		drop_candidates(r); /* then nothing is due, and the session says what is wrong */
	p->c.ops->handoff_list(p->c.store, &page, on_rows, r);
}
