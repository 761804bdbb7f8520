/*
 * The hand-off of a world: devices' accounts and the credentials they have had, the daemon's engine with
 * the world's store, loop and LwM2M Servers around it, and what must hold between the three.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/ports/handoff.h"
#include "bsserver/ports/rotate.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/lwm2m/object.h"
#include "tests/sim/tree.h"
#include "tests/sim/world.h"

#define KEY_OCTETS 16

struct version {
	struct secret packed; /* as the LwM2M Server is told */
	char identity[40];
	uint8_t key[KEY_OCTETS];
};

/* Nothing is asked of it but what it has a place for. */
static const struct handoff_driver any_credential = { .name = "world", .modes = HANDOFF_HOLDS_ALL };

static const char *const local_names[WORLD_ACCOUNTS] = { "dm", "fota" };
static const char *const slots[WORLD_ACCOUNTS] = { "servers/dm/security/key", "servers/fota/security/key" };

/* ---- accounts ---- */

static void
put_octets(struct lwm2m_tree *t, struct lwm2m_path p, const void *data, size_t n)
{
	struct lwm2m_value v;

	if (lwm2m_value_bytes(&v, LWM2M_OPAQUE, data, n, NULL) != ERR_OK)
		abort();
	tree_put(t, p, v);
}

/* From now on the device should have this key. */
static void
add_version(struct sim_device *sd, unsigned n, const uint8_t key[KEY_OCTETS])
{
	struct account *a = &sd->accounts[n];
	struct version *arr = grow(a->versions, a->n_versions, &a->cap_versions, sizeof *arr), *v;
	struct handoff_credential c = { .mode = a->mode, .short_server_id = a->ssid };

	if (arr == NULL)
		abort();
	a->versions = arr;
	v = &arr[a->n_versions++];
	*v = (struct version){ .packed = SECRET_NONE };
	memcpy(v->key, key, KEY_OCTETS);
	/* a public key, or a certificate, is another for each private one */
	if (a->mode == HANDOFF_PSK)
		(void)snprintf(v->identity, sizeof v->identity, "%s", sd->identity);
	else
		(void)snprintf(v->identity, sizeof v->identity, "public %02x%02x%02x%02x", key[0], key[1], key[2], key[3]);
	c.identity = (const uint8_t *)v->identity;
	c.identity_len = strlen(v->identity);
	if (a->mode == HANDOFF_PSK) {
		c.key = key;
		c.key_len = KEY_OCTETS;
	}
	if (handoff_pack(&c, &v->packed, NULL) != ERR_OK)
		abort();
	sd->revision++;
}

/* Somebody gives it another key. */
void
accounts_change(struct world *w, struct sim_device *sd, unsigned n)
{
	uint8_t key[KEY_OCTETS];

	for (size_t i = 0; i < sizeof key; i++)
		key[i] = (uint8_t)world_random(w, 256);
	add_version(sd, n, key);
	world_log(w, "%s is to have another credential for %s: version %zu", sd->endpoint, local_names[n],
	    sd->accounts[n].n_versions - 1);
}

/* Device and LwM2M Server must have had the present one for its time. */
static void
check_age(struct world *w, const struct sim_device *sd, unsigned n)
{
	const struct account *a = &sd->accounts[n];
	const struct store_handoff *r = rows_find(w, sd->endpoint, server_names[a->server]);

	if (r == NULL || !secret_equal(&r->known, &a->versions[a->n_versions - 1].packed))
		world_wrong(w, "%s: its key was made anew, and not both have the one before", sd->endpoint);
	else if (w->wall_ms + (int64_t)w->now - r->settled_ms < (int64_t)a->rotate_s * 1000)
		world_wrong(w, "%s: its key was made anew after %lld ms, not %u s", sd->endpoint,
		    (long long)(w->wall_ms + (int64_t)w->now - r->settled_ms), a->rotate_s);
}

void
accounts_note_due(struct world *w)
{
	for (unsigned i = 0; i < w->n_dev; i++)
		for (unsigned n = 0; n < w->dev[i].n_accounts; n++) {
			struct account *a = &w->dev[i].accounts[n];
			const struct store_handoff *r = rows_find(w, w->dev[i].endpoint, server_names[a->server]);

			/* after the quiet, every age is reached */
			if (a->rotates && r != NULL && r->state == STORE_HANDOFF_SETTLED &&
			    secret_equal(&r->known, &a->versions[a->n_versions - 1].packed))
				a->due_versions = a->n_versions + 1;
		}
}

void
accounts_check_due(struct world *w)
{
	for (unsigned i = 0; i < w->n_dev; i++)
		for (unsigned n = 0; n < w->dev[i].n_accounts; n++)
			if (w->dev[i].accounts[n].n_versions < w->dev[i].accounts[n].due_versions)
				world_wrong(w, "dev-%u came when its key was old enough, and has it still", i);
}

void
accounts_renew(struct world *w, struct sim_device *sd, const char *slot, const struct secret *key)
{
	for (unsigned n = 0; n < sd->n_accounts; n++)
		if (strcmp(slots[n], slot) == 0 && key->len == KEY_OCTETS) {
			check_age(w, sd, n);
			w->renewed++;
			add_version(sd, n, key->data);
			world_log(w, "%s: its key for %s was made anew: version %zu", sd->endpoint, local_names[n],
			    sd->accounts[n].n_versions - 1);
		}
}

size_t
accounts_generated(const struct sim_device *sd, struct store_credential *out)
{
	size_t k = 0;

	for (unsigned n = 0; n < sd->n_accounts; n++)
		if (sd->accounts[n].rotates)
			out[k++] = (struct store_credential){ .slot = (char *)(uintptr_t)slots[n], .generated = true };
	return k;
}

struct sim_device *
accounts_device(struct world *w, const char *endpoint)
{
	for (unsigned i = 0; i < w->n_dev; i++)
		if (strcmp(w->dev[i].endpoint, endpoint) == 0)
			return &w->dev[i];
	return NULL;
}

void
accounts_make(struct world *w, struct sim_device *sd)
{
	sd->n_accounts = world_chance(w, 300) && !device_quirk_has(&sd->cfg.quirks, DEVICE_Q_ONE_ACCOUNT_ONLY) ? 2 : 1;
	for (unsigned n = 0; n < sd->n_accounts; n++) {
		struct account *a = &sd->accounts[n];

		*a = (struct account){ .ssid = (uint16_t)(101 + n), .held = -1, .good = -1 };
		a->server = n == 0 ? (unsigned)world_random(w, WORLD_SERVERS) : 1 - sd->accounts[0].server;
		a->told = world_chance(w, 700);
		a->late = a->told && world_chance(w, 250);
		a->rotates = a->told && world_chance(w, 500);
		a->rotate_s = world_chance(w, 500) ? 0 : 1 + (uint32_t)world_random(w, 600);
		a->mode = a->rotates ? HANDOFF_PSK : (enum handoff_mode)world_random(w, 3);
		if (a->mode == HANDOFF_RPK && device_quirk_has(&sd->cfg.quirks, DEVICE_Q_NO_RPK))
			a->mode = HANDOFF_X509;
		accounts_change(w, sd, n);
	}
}

void
accounts_end(struct sim_device *sd)
{
	for (unsigned n = 0; n < sd->n_accounts; n++) {
		for (size_t i = 0; i < sd->accounts[n].n_versions; i++)
			secret_clear(&sd->accounts[n].versions[i].packed);
		free(sd->accounts[n].versions);
	}
}

void
accounts_grant(const struct world *w, const struct sim_device *sd, struct profile_desired *d, struct shadow *sh)
{
	for (unsigned n = 0; n < sd->n_accounts; n++) {
		const struct account *a = &sd->accounts[n];
		struct profile_handoff h = { .short_server_id = a->ssid, .account = (uint16_t)n, .within_delay = a->late,
			.deadline_ms = 20000, .octets = KEY_OCTETS };

		const struct version *v = &a->versions[a->n_versions - 1];

		h.rotate_s = w->sabotage == RENEWS_EARLY ? 0 : w->sabotage == RENEWS_NEVER ? UINT32_MAX : a->rotate_s;
		put_octets(&d->tree, lwm2m_path3(LWM2M_SECURITY, (uint16_t)n, 3), v->identity, strlen(v->identity));
		put_octets(&d->tree, lwm2m_path3(LWM2M_SECURITY, (uint16_t)n, 5), v->key, KEY_OCTETS);
		if (sh != NULL)
			sh->version[n] = (int)a->n_versions - 1;
		if (!a->told)
			continue;
		h.to = str_dup_n(server_names[a->server], strlen(server_names[a->server]));
		h.server = str_dup_n(local_names[n], strlen(local_names[n]));
		h.slot = a->rotates ? str_dup_n(slots[n], strlen(slots[n])) : NULL;
		if (h.to == NULL || h.server == NULL || profile_desired_hand_off(d, &h, NULL) != ERR_OK)
			abort();
	}
}

static bool
is_version(const struct lwm2m_tree *t, uint16_t iid, const struct version *v)
{
	const struct lwm2m_value *id = lwm2m_tree_get(t, lwm2m_path3(LWM2M_SECURITY, iid, 3)),
	                         *key = lwm2m_tree_get(t, lwm2m_path3(LWM2M_SECURITY, iid, 5));

	return id != NULL && key != NULL && id->bytes.len == strlen(v->identity) &&
	    memcmp(id->bytes.data, v->identity, id->bytes.len) == 0 && key->bytes.len == KEY_OCTETS &&
	    memcmp(key->bytes.data, v->key, KEY_OCTETS) == 0;
}

/* Which of its credentials the device has in its account; -1: none of them. */
int
accounts_version(const struct sim_device *sd, unsigned n)
{
	const struct lwm2m_tree *t = device_tree(sd->d);
	struct lwm2m_span all = lwm2m_tree_under(t, lwm2m_path1(LWM2M_SECURITY)), sub;
	const struct account *a = &sd->accounts[n];
	struct lwm2m_path inst;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);) {
		const struct lwm2m_value *ssid = lwm2m_tree_get(t, lwm2m_path3(LWM2M_SECURITY, inst.id[1], 10));
		int64_t number = 0;

		if (ssid == NULL || !lwm2m_value_number(ssid, &number) || number != a->ssid)
			continue;
		for (size_t i = a->n_versions; i-- > 0;)
			if (is_version(t, inst.id[1], &a->versions[i]))
				return (int)i;
	}
	return -1;
}

void
accounts_finished(const struct world *w, struct sim_device *sd)
{
	for (unsigned n = 0; n < sd->n_accounts; n++) {
		int held = accounts_version(sd, n);

		if (held != sd->accounts[n].held)
			sd->accounts[n].finished_ms = w->now;
		sd->accounts[n].held = held;
	}
}

bool
accounts_agree(const struct sim_device *sd, const struct shadow *sh)
{
	for (unsigned n = 0; n < sd->n_accounts; n++)
		if (sd->accounts[n].held != sh->version[n])
			return false;
	return true;
}

/* ---- what must hold ---- */

/* Before anything is written, and whenever a session ends well. */
void
accounts_check_told(struct world *w, const struct shadow *sh, const char *when)
{
	const struct sim_device *sd = &w->dev[sh->claims];

	for (unsigned n = 0; n < sd->n_accounts; n++) {
		const struct account *a = &sd->accounts[n];
		bool confirmed = false;

		if (!a->told || a->late)
			continue;
		if (!server_knows(w, a->server, sh->claims, &a->versions[sh->version[n]].packed, &confirmed))
			world_wrong(w, "session %llu: %s, and %s does not know version %d of %s", (unsigned long long)sh->id, when,
			    server_names[a->server], sh->version[n], sd->endpoint);
		else if (!confirmed)
			world_wrong(w, "session %llu: %s, and %s has not said that it knows version %d of %s",
			    (unsigned long long)sh->id, when, server_names[a->server], sh->version[n], sd->endpoint);
	}
}

static struct account *
account_at(struct world *w, unsigned dev, unsigned server)
{
	struct sim_device *sd = &w->dev[dev];

	for (unsigned n = 0; n < sd->n_accounts; n++)
		if (sd->accounts[n].told && sd->accounts[n].server == server)
			return &sd->accounts[n];
	return NULL;
}

static int
version_of(const struct account *a, const struct secret *packed)
{
	for (size_t i = 0; i < a->n_versions; i++)
		if (secret_equal(&a->versions[i].packed, packed))
			return (int)i;
	return -1;
}

/* An old one goes when the device was seen, when the new one has been in use for the time of grace, or for a third. */
void
accounts_check_drop(struct world *w, unsigned dev, unsigned server, const struct secret *cred)
{
	const struct account *a = account_at(w, dev, server);
	const struct store_handoff *r = rows_find(w, w->dev[dev].endpoint, server_names[server]);
	/* a doubt may have become the new one's before a session of it ended well */
	bool old = r != NULL && w->wall_ms + (int64_t)w->now >= r->settled_ms + w->rules.grace_ms;
	int v = a == NULL ? -1 : version_of(a, cred);

	if (v < 0)
		world_wrong(w, "%s is to drop what dev-%u never had", server_names[server], dev);
	else if (a->held == v && !a->doubt)
		world_wrong(w, "%s is to drop version %d, which dev-%u has", server_names[server], v, dev);
	else if (v < a->held && !a->doubt && !w->dev[dev].keeping && !old && a->seen_ms < a->finished_ms &&
	    w->now < a->good_ms + w->rules.grace_ms)
		world_wrong(w, "%s is to drop version %d of dev-%u %llu ms after it was replaced", server_names[server], v, dev,
		    (unsigned long long)(w->now - a->good_ms));
}

static void
check_account(struct world *w, unsigned dev, const struct account *a, const struct store_handoff *r)
{
	size_t n = server_count(w, a->server, dev), known = r->known.len > 0, beside = r->state == STORE_HANDOFF_RETIRING;
	const char *name = server_names[a->server];

	if (r->state != STORE_HANDOFF_HELD && r->state != STORE_HANDOFF_SETTLED && r->state != STORE_HANDOFF_RETIRING)
		world_wrong(w, "dev-%u at %s is still %s", dev, name, store_handoff_state_name(r->state));
	else if (beside && w->asleep)
		world_wrong(w, "dev-%u at %s has its old credential still", dev, name);
	else if (known && !server_knows(w, a->server, dev, &r->known, NULL))
		world_wrong(w, "%s does not know what the store says of dev-%u: version %d, %s", name, dev, version_of(a, &r->known),
		    store_handoff_state_name(r->state));
	else if (n > known + beside)
		world_wrong(w, "%s knows %zu credentials of dev-%u, and one of them is nobody's", name, n, dev);
	if (a->held >= 0 && !a->doubt && !server_knows(w, a->server, dev, &a->versions[a->held].packed, NULL))
		world_wrong(w, "%s does not let dev-%u in: the device has version %d, the store says %d", name, dev, a->held,
		    version_of(a, &r->known));
}

/* Nothing is under way any more: device, store and LwM2M Server agree. */
void
accounts_check(struct world *w)
{
	for (unsigned i = 0; i < w->n_dev; i++)
		for (unsigned n = 0; n < w->dev[i].n_accounts; n++) {
			const struct account *a = &w->dev[i].accounts[n];
			const struct store_handoff *r = rows_find(w, w->dev[i].endpoint, server_names[a->server]);

			if (r != NULL && !a->told)
				world_wrong(w, "%s was to hear nothing of dev-%u", server_names[a->server], i);
			else if (r != NULL)
				check_account(w, i, a, r);
			else if (server_count(w, a->server, i) != 0)
				world_wrong(w, "%s knows dev-%u, and the store does not know that", server_names[a->server], i);
		}
}

/* ---- doubts: what not even we know ---- */

static void
doubt(struct sim_device *sd)
{
	for (unsigned n = 0; n < sd->n_accounts; n++)
		sd->accounts[n].doubt = true;
}

/* Finish was sent, or was about to be, and no record says how that went. */
void
accounts_crash(struct world *w)
{
	for (size_t i = 0; i < w->n_shadows; i++)
		if (w->shadows[i].epoch == w->epoch && w->shadows[i].finishing && !w->shadows[i].durable)
			doubt(&w->dev[w->shadows[i].claims]);
}

void
accounts_seen(struct world *w, struct sim_device *sd)
{
	world_log(w, "%s registers", sd->endpoint);
	for (unsigned n = 0; n < sd->n_accounts; n++)
		sd->accounts[n].seen_ms = w->now;
	handoff_seen(w->handoff, sd->endpoint);
}

void
accounts_lied(struct sim_device *sd)
{
	doubt(sd);
}

void
accounts_recorded(struct world *w, const struct shadow *sh, const struct bs_record *r)
{
	struct sim_device *sd = &w->dev[sh->claims];
	enum handoff_event how = handoff_how(r);

	sd->keeping = false;
	if (how == HANDOFF_EV_DOUBT)
		doubt(sd);
	if (how != HANDOFF_EV_GOOD)
		return;
	accounts_check_told(w, sh, "it ends well");
	for (unsigned n = 0; n < sd->n_accounts; n++) {
		struct account *a = &sd->accounts[n];

		a->doubt = sd->lied_storing || sd->lied_looking || sd->lied_finishing || sd->attempt != sh->attempt;
		if (a->good != sh->version[n])
			a->good_ms = w->now;
		a->good = sh->version[n];
	}
}

/* ---- the engine ---- */

static void
port_deliver(void *arg, uint64_t session, struct bs_event *ev)
{
	struct world *w = arg;

	if (ev->type == BS_EV_KEPT || ev->type == BS_EV_KEEP_FAILED)
		w->dev[world_shadow(w, session)->claims].keeping = false;
	bs_driver_event(w->driver, session, ev);
}

static void
on_log(enum log_level level, const char *line, void *arg)
{
	struct world *w = arg;

	(void)level;
	if (w->verbose)
		printf("# %9.3f   %s\n", (double)w->now / 1000, line);
}

void
engine_choose(struct world *w)
{
	w->rules = (struct handoff_rules){ .grace_ms = 300000 + (uint32_t)world_random(w, 600000), .retry_ms = 1000,
		.retry_max_ms = 60000, .orphan_ms = 600000 };
	log_set_sink(on_log, w);
}

void
engine_start(struct world *w)
{
	struct handoff_conf c = { .loop = (struct loop *)w, .ops = &rows_ops, .store = (struct store *)w, .seed = w->seed,
		.arg = &w->ports, .answer = ports_handed_off };
	struct handoff_server v[WORLD_SERVERS] = { 0 };

	for (unsigned i = 0; i < WORLD_SERVERS; i++) {
		v[i].name = str_dup_n(server_names[i], strlen(server_names[i]));
		v[i].driver = &any_credential;
		v[i].timeout_ms = 5000;
		v[i].rules = w->rules;
		v[i].rules.one_secret = i == ONE_SECRET;
		if (w->sabotage == HAS_NO_GRACE)
			v[i].rules.grace_ms = 1000;
	}
	if (handoff_open(&c, v, WORLD_SERVERS, &w->handoff, NULL) != ERR_OK)
		abort();
	w->ports.c = (struct ports_conf){ .loop = c.loop, .ops = c.ops, .store = c.store, .handoff = w->handoff, .arg = w,
		.deliver = port_deliver };
	handoff_start(w->handoff);
}

/* The driver is gone. */
void
engine_stop(struct world *w)
{
	handoff_stop(w->handoff);
	wloop_crash(w);
	handoff_free(w->handoff);
	w->handoff = NULL;
	for (unsigned i = 0; i < w->n_dev; i++)
		w->dev[i].keeping = false;
}

/* ---- ports ---- */

static void
port_keep(void *arg, uint64_t session, const struct bs_grant *g)
{
	struct world *w = arg;

	w->dev[world_shadow(w, session)->claims].keeping = true;
	ports_keep(&w->ports, session, g);
}

static void
port_handoff(void *arg, uint64_t session, const struct bs_grant *g)
{
	struct world *w = arg;

	ports_handoff(&w->ports, session, g);
	if (w->sabotage == CLAIMS_TOLD)
		store_say(w, session, BS_EV_HANDED_OFF);
}

static void
port_settle(void *arg, uint64_t session, const struct bs_grant *g)
{
	struct world *w = arg;

	world_shadow(w, session)->finishing = true;
	if (w->sabotage == FINISHES_UNRECORDED)
		store_say(w, session, BS_EV_SETTLED);
	else
		ports_settle(&w->ports, session, g);
}

void
engine_ports(struct bs_ports *p)
{
	p->keep = port_keep;
	p->handoff = port_handoff;
	p->settle = port_settle;
}

struct rotation {
	struct world *w;
	uint64_t session;
	void (*then)(struct world *w, uint64_t session);
};

static void
on_rotated(void *arg, enum err_code rc, const struct err *e, bool changed)
{
	struct rotation r = *(struct rotation *)arg;

	(void)rc;
	(void)e;
	(void)changed;
	free(arg);
	if (r.w->driver != NULL)
		r.then(r.w, r.session);
}

void
engine_rotate(struct world *w, const struct sim_device *sd, uint64_t session, void (*then)(struct world *, uint64_t))
{
	struct profile_desired d = sd->desired;
	struct store_device dev = { .endpoint = (char *)(uintptr_t)sd->endpoint, .revision = sd->revision };
	struct rotation *r = malloc(sizeof *r);

	if (r == NULL)
		abort();
	*r = (struct rotation){ w, session, then };
	d.tree = (struct lwm2m_tree){ 0 };
	d.handoffs = NULL;
	d.n_handoffs = 0;
	if (lwm2m_tree_copy(&d.tree, &sd->desired.tree, NULL) != ERR_OK)
		abort();
	accounts_grant(w, sd, &d, NULL);
	rotate_keys(&w->ports, &dev, &d, on_rotated, r);
	for (size_t i = 0; i < d.n_handoffs; i++)
		profile_handoff_clear(&d.handoffs[i]);
	free(d.handoffs);
	lwm2m_tree_clear(&d.tree);
}
