#include "bsserver/registry/regs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/base/util.h"

#define WHEEL_SECONDS 4096 /* a power of two; what is due later passes by each round */
#define LOCATION_MASK ((UINT64_C(1) << 48) - 1)

struct regs {
	struct table by_endpoint, by_location, links;
	size_t max, registered;
	uint32_t awake_ms;
	uint64_t turned_to; /* seconds that were looked at */
	struct reg *wheel[WHEEL_SECONDS];
	struct reg *ended, **ended_end; /* the one that ended first comes first */
};

static const char *const state_names[] = {
	[REG_REGISTERED] = "registered",
	[REG_EXPIRED] = "expired",
	[REG_DEREGISTERED] = "deregistered",
};
_Static_assert(N_ELEMS(state_names) == REG__STATES, "one name per state");

const char *
reg_state_name(enum reg_state s)
{
	return (size_t)s < N_ELEMS(state_names) ? state_names[s] : "unknown";
}

bool
reg_state_from_name(const char *name, enum reg_state *out)
{
	for (size_t i = 0; i < N_ELEMS(state_names); i++)
		if (strcmp(state_names[i], name) == 0) {
			*out = (enum reg_state)i;
			return true;
		}
	return false;
}

enum err_code
regs_new(size_t max, uint64_t seed, struct regs **out, struct err *e)
{
	struct regs *t = calloc(1, sizeof *t);

	if (t == NULL)
		return err_no_memory(e);
	t->max = max;
	t->awake_ms = REG_AWAKE_MS;
	t->ended_end = &t->ended;
	table_init(&t->by_endpoint, seed);
	table_init(&t->by_location, seed);
	table_init(&t->links, seed);
	*out = t;
	return ERR_OK;
}

void
regs_set_awake(struct regs *t, uint32_t ms)
{
	t->awake_ms = ms;
}

size_t
regs_count(const struct regs *t)
{
	return t->by_endpoint.n;
}

size_t
regs_registered(const struct regs *t)
{
	return t->registered;
}

/* ---- lists of Objects ---- */

static void
links_drop(struct regs *t, struct reg_links *k)
{
	if (k == NULL || --k->refs > 0)
		return;
	table_remove(&t->links, &k->node);
	free(k);
}

static enum err_code
links_take(struct regs *t, const char *text, size_t len, struct reg_links **out, struct err *e)
{
	uint64_t hash = table_hash(&t->links, text, len);
	struct reg_links *k;

	for (struct table_node *n = table_first(&t->links, hash); n != NULL; n = table_next(n)) {
		k = CONTAINER_OF(n, struct reg_links, node);
		if (k->len == len && memcmp(k->text, text, len) == 0) {
			k->refs++;
			*out = k;
			return ERR_OK;
		}
	}
	struct reg_objects o;
	enum err_code rc = reg_objects_parse(text, len, &o, e);
	if (rc != ERR_OK)
		return rc;
	k = calloc(1, sizeof *k + len + 1);
	if (k == NULL || table_add(&t->links, &k->node, hash) != ERR_OK) {
		free(k);
		return err_no_memory(e);
	}
	k->objects = o;
	k->refs = 1;
	k->len = len;
	memcpy(k->text, text, len);
	*out = k;
	return ERR_OK;
}

/* ---- where a registration hangs ---- */

static void
unhang(struct regs *t, struct reg *r)
{
	if (r->at == NULL)
		return;
	*r->at = r->next;
	if (r->next != NULL)
		r->next->at = r->at;
	else if (t->ended_end == &r->next)
		t->ended_end = r->at;
	r->next = NULL;
	r->at = NULL;
}

static void
hang_in_wheel(struct regs *t, struct reg *r)
{
	unhang(t, r);
	if (r->due_ms == 0)
		return;
	uint64_t second = r->due_ms / 1000 + 1; /* never early */
	if (second <= t->turned_to)
		second = t->turned_to + 1;
	struct reg **slot = &t->wheel[second % WHEEL_SECONDS];

	r->next = *slot;
	r->at = slot;
	if (r->next != NULL)
		r->next->at = &r->next;
	*slot = r;
}

static void
hang_at_end(struct regs *t, struct reg *r)
{
	unhang(t, r);
	r->at = t->ended_end;
	*t->ended_end = r;
	t->ended_end = &r->next;
}

struct reg *
regs_due(struct regs *t, uint64_t mono_ms)
{
	uint64_t now = mono_ms / 1000;

	if (now > t->turned_to + WHEEL_SECONDS) /* every slot once is enough */
		t->turned_to = now - WHEEL_SECONDS;
	while (t->turned_to < now) {
		struct reg *r = t->wheel[(t->turned_to + 1) % WHEEL_SECONDS];

		while (r != NULL && r->due_ms > mono_ms)
			r = r->next;
		if (r != NULL) {
			unhang(t, r);
			return r;
		}
		t->turned_to++;
	}
	return NULL;
}

/* ---- finding ---- */

struct reg *
regs_find(const struct regs *t, const char *endpoint)
{
	uint64_t hash = table_hash(&t->by_endpoint, endpoint, strlen(endpoint));

	for (struct table_node *n = table_first(&t->by_endpoint, hash); n != NULL; n = table_next(n)) {
		struct reg *r = CONTAINER_OF(n, struct reg, by_endpoint);

		if (strcmp(r->endpoint, endpoint) == 0)
			return r;
	}
	return NULL;
}

static struct reg *
at_number(const struct regs *t, uint64_t location)
{
	struct table_node *n = table_first(&t->by_location, table_hash_u64(&t->by_location, location));

	for (; n != NULL; n = table_next(n)) {
		struct reg *r = CONTAINER_OF(n, struct reg, by_location);

		if (r->location == location)
			return r;
	}
	return NULL;
}

struct reg *
regs_at(const struct regs *t, const char *location)
{
	uint64_t v = 0;

	if (strlen(location) != REG_LOCATION_LEN)
		return NULL;
	for (const char *c = location; *c != 0; c++) {
		const char *digits = "0123456789abcdef", *d = strchr(digits, *c);

		if (d == NULL)
			return NULL;
		v = v << 4 | (uint64_t)(d - digits);
	}
	return at_number(t, v);
}

void
regs_location(const struct reg *r, char out[REG_LOCATION_LEN + 1])
{
	(void)snprintf(out, REG_LOCATION_LEN + 1, "%012llx", (unsigned long long)r->location);
}

struct reg *
regs_each(const struct regs *t, size_t *at, struct reg *prev)
{
	struct table_node *n = table_each(&t->by_endpoint, at, prev == NULL ? NULL : &prev->by_endpoint);

	return n == NULL ? NULL : CONTAINER_OF(n, struct reg, by_endpoint);
}

bool
reg_awake(const struct reg *r, uint64_t mono_ms)
{
	return r->state == REG_REGISTERED && (!r->queue || mono_ms < r->awake_ms);
}

/* ---- changes ---- */

void
regs_remove(struct regs *t, struct reg *r)
{
	unhang(t, r);
	if (r->state == REG_REGISTERED)
		t->registered--;
	table_remove(&t->by_endpoint, &r->by_endpoint);
	table_remove(&t->by_location, &r->by_location);
	links_drop(t, r->links);
	free(r);
}

void
regs_free(struct regs *t)
{
	size_t at = 0;

	if (t == NULL)
		return;
	for (struct reg *r; (r = regs_each(t, &at, NULL)) != NULL; at = 0)
		regs_remove(t, r);
	table_clear(&t->by_endpoint);
	table_clear(&t->by_location);
	table_clear(&t->links);
	free(t);
}

static enum err_code
add(struct regs *t, const char *endpoint, uint64_t location, struct reg **out, struct err *e)
{
	size_t len = strlen(endpoint);

	if (t->by_endpoint.n >= t->max && t->ended != NULL)
		regs_remove(t, t->ended);
	if (t->by_endpoint.n >= t->max)
		return err_set(e, ERR_BUSY, "%zu devices are registered, and no more may", t->max);
	struct reg *r = calloc(1, sizeof *r + len + 1);
	if (r == NULL)
		return err_no_memory(e);
	memcpy(r->endpoint, endpoint, len + 1);
	r->location = location;
	r->state = REG_DEREGISTERED;
	if (table_add(&t->by_endpoint, &r->by_endpoint, table_hash(&t->by_endpoint, endpoint, len)) != ERR_OK) {
		free(r);
		return err_no_memory(e);
	}
	if (table_add(&t->by_location, &r->by_location, table_hash_u64(&t->by_location, location)) != ERR_OK) {
		table_remove(&t->by_endpoint, &r->by_endpoint);
		free(r);
		return err_no_memory(e);
	}
	*out = r;
	return ERR_OK;
}

static uint64_t
free_location(const struct regs *t, uint64_t random)
{
	uint64_t v = random & LOCATION_MASK;

	while (v == 0 || at_number(t, v) != NULL)
		v = (v + 1) & LOCATION_MASK;
	return v;
}

static enum err_code
relocate(struct regs *t, struct reg *r, uint64_t location, struct err *e)
{
	table_remove(&t->by_location, &r->by_location);
	r->location = location;
	if (table_add(&t->by_location, &r->by_location, table_hash_u64(&t->by_location, location)) == ERR_OK)
		return ERR_OK;
	return err_no_memory(e); /* not reached: the buckets are there */
}

static uint64_t
end_of(const struct reg *r, uint64_t mono_ms)
{
	return r->lifetime == 0 ? 0 : mono_ms + ((uint64_t)r->lifetime + REG_GRACE_S) * 1000;
}

static void
alive(struct regs *t, struct reg *r, const struct regs_news *n)
{
	if (r->state != REG_REGISTERED)
		t->registered++;
	r->state = REG_REGISTERED;
	r->secure = n->secure;
	r->seen_ms = n->wall_ms;
	r->awake_ms = n->mono_ms + t->awake_ms;
	r->due_ms = end_of(r, n->mono_ms);
	(void)snprintf(r->addr, sizeof r->addr, "%s", n->addr);
	hang_in_wheel(t, r);
}

static void
set_binding(struct reg *r, const char *letters)
{
	(void)snprintf(r->binding, sizeof r->binding, "%s", letters[0] != 0 ? letters : "U");
}

enum err_code
regs_register(struct regs *t, const struct regs_news *n, struct reg **out, struct err *e)
{
	struct reg_links *links = NULL;
	struct reg *r = regs_find(t, n->endpoint);
	uint64_t location = free_location(t, n->random);
	enum err_code rc = n->links == NULL ? ERR_OK : links_take(t, n->links, n->links_len, &links, e);

	if (rc == ERR_OK)
		rc = r == NULL ? add(t, n->endpoint, location, &r, e) : relocate(t, r, location, e);
	if (rc != ERR_OK) {
		links_drop(t, links);
		return rc;
	}
	links_drop(t, r->links);
	r->links = links;
	r->lifetime = n->request->lifetime;
	r->version = n->request->version;
	r->queue = n->request->queue;
	r->registered_ms = n->wall_ms;
	r->updates = 0;
	r->server = UINT16_MAX;
	set_binding(r, n->request->binding);
	alive(t, r, n);
	*out = r;
	return ERR_OK;
}

enum err_code
regs_update(struct regs *t, struct reg *r, const struct regs_news *n, struct err *e)
{
	const struct reg_request *q = n->request;
	struct reg_links *links = NULL;

	if (q->has_lifetime && q->lifetime == 0 && r->version < 12)
		return err_set(e, ERR_PARSE, "query: lt=0 means a registration without end, which came with 1.2");
	if (n->links != NULL) {
		enum err_code rc = links_take(t, n->links, n->links_len, &links, e);

		if (rc != ERR_OK)
			return rc;
		links_drop(t, r->links);
		r->links = links;
		r->server = UINT16_MAX;
	}
	if (q->has_lifetime)
		r->lifetime = q->lifetime;
	if (q->binding[0] != 0) {
		set_binding(r, q->binding);
		if (r->version == 10) /* there Q is one of the letters */
			r->queue = q->queue;
	}
	r->queue = r->queue || q->queue;
	r->updates++;
	alive(t, r, n);
	return ERR_OK;
}

void
regs_end(struct regs *t, struct reg *r, enum reg_state how)
{
	if (r->state == REG_REGISTERED)
		t->registered--;
	r->state = how;
	r->due_ms = 0;
	hang_at_end(t, r);
}

enum err_code
regs_restore(struct regs *t, const struct regs_kept *k, uint64_t mono_ms, int64_t wall_ms, struct err *e)
{
	struct reg *r = NULL;
	enum err_code rc;

	if (regs_find(t, k->endpoint) != NULL || k->location == 0 || at_number(t, k->location) != NULL)
		return ERR_OK;
	rc = add(t, k->endpoint, k->location & LOCATION_MASK, &r, e);
	if (rc == ERR_OK && k->links != NULL)
		rc = links_take(t, k->links, strlen(k->links), &r->links, e);
	if (rc != ERR_OK) {
		if (r != NULL)
			regs_remove(t, r);
		return rc;
	}
	r->registered_ms = k->registered_ms;
	r->seen_ms = k->seen_ms;
	r->lifetime = k->lifetime;
	r->server = k->server;
	r->version = k->version;
	r->queue = k->queue;
	r->secure = k->secure;
	set_binding(r, k->binding);
	if (k->state != REG_REGISTERED) {
		regs_end(t, r, k->state);
		return ERR_OK;
	}
	uint64_t ago = wall_ms > k->seen_ms ? (uint64_t)(wall_ms - k->seen_ms) : 0;
	uint64_t whole = ((uint64_t)k->lifetime + REG_GRACE_S) * 1000;

	t->registered++;
	r->state = REG_REGISTERED;
	r->due_ms = k->lifetime == 0 ? 0 : mono_ms + (whole > ago ? whole - ago : 1);
	hang_in_wheel(t, r);
	return ERR_OK;
}
