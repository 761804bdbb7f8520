/* The store of a world: who may be what, what each device should hold, and the records that are kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "tests/sim/tree.h"
#include "tests/sim/world.h"

/* ---- what a device should hold ---- */

static void
put_account(struct world *w, struct profile_desired *d, uint16_t i, const struct account *a)
{
	tree_put_text(&d->tree, lwm2m_path3(0, i, 0), LWM2M_STRING, i == 0 ? "coaps://dm.example:5684" : "coaps://fota.example");
	tree_put(&d->tree, lwm2m_path3(0, i, 1), lwm2m_bool(false));
	tree_put(&d->tree, lwm2m_path3(0, i, 2), lwm2m_int((int64_t)a->mode));
	tree_put_text(&d->tree, lwm2m_path3(0, i, 4), LWM2M_OPAQUE, a->mode == HANDOFF_PSK ? "" : "the server's");
	tree_put(&d->tree, lwm2m_path3(0, i, 10), lwm2m_int(a->ssid));
	tree_put(&d->tree, lwm2m_path3(1, i, 0), lwm2m_int(a->ssid));
	tree_put(&d->tree, lwm2m_path3(1, i, 1), lwm2m_int(3600 + (int64_t)world_random(w, 80000)));
	tree_put(&d->tree, lwm2m_path3(1, i, 6), lwm2m_bool(true));
	tree_put_text(&d->tree, lwm2m_path3(1, i, 7), LWM2M_STRING, "U");
}

void
store_desired(struct world *w, struct sim_device *sd)
{
	struct profile_desired *d = &sd->desired;

	*d = (struct profile_desired){
		.policy = PROFILE_MERGE,
		.format = PROFILE_FORMAT_AUTO,
	};
	if (world_chance(w, 500))
		d->policy = PROFILE_REPLACE;
	d->verify = !world_chance(w, 150);
	d->request_timeout_ms = 20000 + (uint32_t)world_random(w, 73000);
	d->session_timeout_ms = 60000 + (uint32_t)world_random(w, 187000);
	accounts_make(w, sd);
	for (uint16_t i = 0; i < sd->n_accounts; i++)
		put_account(w, d, i, &sd->accounts[i]);
}

static bool
is_alone(const struct sim_device *sd, uint16_t oid)
{
	struct lwm2m_span all = lwm2m_tree_under(device_tree(sd->d), lwm2m_path1(oid)), sub;
	struct lwm2m_path inst;
	size_t n = 0;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		n++;
	return n == sd->n_accounts + (oid == LWM2M_SECURITY); /* the bootstrap account stays */
}

bool
store_agrees(const struct sim_device *sd, bool shown)
{
	const struct lwm2m_tree *has = device_tree(sd->d);
	struct lwm2m_span all = { .nodes = sd->desired.tree.nodes, .n = sd->desired.tree.n }, sub;
	struct lwm2m_path inst;

	if (shown && !sd->shown)
		return true;
	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		if ((!shown || inst.id[0] == LWM2M_SERVER) && !tree_holds(has, &sub))
			return false;
	if (sd->desired.policy != PROFILE_REPLACE)
		return true;
	return is_alone(sd, LWM2M_SERVER) && (shown || is_alone(sd, LWM2M_SECURITY));
}

/* ---- lookups ---- */

/* By what was proved, never by what is said: "dev-2" is said, "id-2" was proved with a key. */
static enum bs_reason
judge(const struct world *w, const struct bs_lookup *q, unsigned *claims)
{
	bool nosec = q->peer.mode == BS_NOSEC;
	unsigned proved = WORLD_DEVICES;

	if (!nosec && q->peer.identity_len == 4)
		proved = (unsigned)(q->peer.identity[3] - '0');
	*claims = q->ep != NULL && strlen(q->ep) == 5 ? (unsigned)(q->ep[4] - '0') : proved;
	if (nosec && q->ep == NULL)
		return BS_REASON_NO_ENDPOINT;
	if (*claims >= w->n_dev)
		return BS_REASON_UNKNOWN_ENDPOINT;
	if (w->sabotage == LETS_ANYBODY_IN)
		return BS_REASON_NONE;
	if (nosec)
		return w->dev[*claims].secure ? BS_REASON_NO_CREDENTIAL_RULE : BS_REASON_NONE;
	return proved == *claims && w->dev[*claims].secure ? BS_REASON_NONE : BS_REASON_IDENTITY_MISMATCH;
}

static struct happening *
answer_later(struct world *w, uint64_t session, enum bs_event_type type)
{
	struct happening *h;

	if (world_chance(w, w->faults.store_stalls)) {
		world_log(w, "session %llu: the store says nothing", (unsigned long long)session);
		return NULL;
	}
	h = world_later(w, STORE_ANSWERS, 1 + world_random(w, w->faults.store_ms));
	h->session = session;
	h->type = type;
	return h;
}

static struct shadow *
add_shadow(struct world *w, uint64_t session, uint64_t conn)
{
	struct shadow *arr;

	for (size_t i = 0; i < w->n_shadows; i++)
		if (w->shadows[i].id == session) {
			if (w->shadows[i].epoch != w->epoch)
				world_wrong(w, "session %llu has the number of one before the crash", (unsigned long long)session);
			return &w->shadows[i];
		}
	arr = grow(w->shadows, w->n_shadows, &w->cap_shadows, sizeof *arr);
	if (arr == NULL)
		abort();
	w->shadows = arr;
	arr[w->n_shadows] = (struct shadow){ .id = session, .conn = conn, .epoch = w->epoch, .dev = w->conns[conn].dev,
		.claims = WORLD_DEVICES, .attempt = w->conns[conn].dev < w->n_dev ? w->dev[w->conns[conn].dev].heard : 0 };
	return &arr[w->n_shadows++];
}

static void
port_lookup(void *arg, uint64_t session, const struct bs_lookup *q)
{
	struct world *w = arg;
	struct shadow *sh = add_shadow(w, session, q->peer.id);
	enum bs_reason reason = judge(w, q, &sh->claims);
	struct happening *h;

	world_log(w, "session %llu: connection %llu says it is %s", (unsigned long long)session,
	    (unsigned long long)q->peer.id, q->ep == NULL ? "nobody" : q->ep);
	if (world_chance(w, w->faults.store_fails))
		reason = BS_REASON_STORE;
	h = answer_later(w, session, reason == BS_REASON_NONE ? BS_EV_GRANTED : BS_EV_REFUSED);
	if (h != NULL)
		h->reason = reason;
}

static void
answer_step(struct world *w, uint64_t session, enum bs_event_type well, enum bs_event_type ill)
{
	(void)answer_later(w, session, world_chance(w, w->faults.store_fails) ? ill : well);
}

static void
port_vet(void *arg, uint64_t session, const struct bs_grant *g, const struct bs_peer *peer)
{
	(void)g;
	(void)peer;
	answer_step(arg, session, BS_EV_VETTED, BS_EV_REFUSED);
}

void
store_say(struct world *w, uint64_t session, enum bs_event_type type)
{
	(void)answer_later(w, session, type);
}

static struct bs_grant
make_grant(const struct world *w, const struct sim_device *sd, struct shadow *sh)
{
	struct bs_grant g = { .remembered_format = -1, .revision = 1 };
	struct bs_grant *p = &g;

	p->endpoint = str_dup_n(sd->endpoint, strlen(sd->endpoint));
	p->rule = str_dup_n("rule", 4);
	p->desired = sd->desired;
	p->desired.tree = (struct lwm2m_tree){ 0 };
	if (lwm2m_tree_copy(&p->desired.tree, &sd->desired.tree, NULL) != ERR_OK)
		abort();
	accounts_grant(w, sd, &p->desired, sh);
	return g;
}

static void
grant(struct world *w, uint64_t session)
{
	struct shadow *sh = world_shadow(w, session);
	struct bs_grant g = make_grant(w, &w->dev[sh->claims], sh);
	struct bs_event ev = { .type = BS_EV_GRANTED, .grant = &g };

	sh->granted = true;
	world_log(w, "session %llu: granted", (unsigned long long)session);
	bs_driver_event(w->driver, session, &ev);
	bs_grant_clear(&g);
}

void
store_answers(struct world *w, const struct happening *h)
{
	struct shadow *sh = world_shadow(w, h->session);
	struct bs_event ev = { .type = h->type, .reason = h->reason, .text = "as the store says" };

	if (h->type == BS_EV_REFUSED && h->reason == BS_REASON_NONE)
		ev.reason = BS_REASON_CERTIFICATE;
	if (h->type == BS_EV_GRANTED)
		engine_rotate(w, &w->dev[sh->claims], h->session, grant);
	else
		bs_driver_event(w->driver, h->session, &ev);
}

/* ---- records ---- */

static void
check_well(struct world *w, const struct shadow *sh, const struct bs_record *r)
{
	const struct sim_device *sd = &w->dev[sh->dev];
	bool believes = w->sabotage == BELIEVES_LIARS;

	w->provisioned++;
	if (sh->dev == STRANGER) {
		world_wrong(w, "session %llu: a stranger was provisioned", (unsigned long long)sh->id);
		return;
	}
	/* it began anew, and a Finish of before reached it: the server cannot know until its request came */
	if (sd->finished_attempt > sh->attempt && sd->heard < sd->finished_attempt)
		return;
	if (sd->finished_conn != sh->conn && sd->lied_finishing)
		return; /* 2.04 was the lie */
	if (sd->finished_conn != sh->conn)
		world_wrong(w, "session %llu: %s, but the device never said 2.04 to Finish", (unsigned long long)sh->id,
		    bs_verdict_name(r->verdict));
	else if (!(sd->holds_all && accounts_agree(sd, sh)) && ((!sd->excused && !sd->excused_all) || believes))
		world_wrong(w, "session %llu: %s, but the device lacks something", (unsigned long long)sh->id,
		    bs_verdict_name(r->verdict));
	else if (r->verdict == BS_VERDICT_PROVISIONED && !sd->excused_all && !sd->holds_shown)
		world_wrong(w, "session %llu: provisioned, but the device shows something else", (unsigned long long)sh->id);
	if ((r->verdict == BS_VERDICT_PROVISIONED) != sd->desired.verify)
		world_wrong(w, "session %llu: verified or not, it says the other", (unsigned long long)sh->id);
}

/* Only who was granted, later, may put an end to a session of that device or of that connection. */
static void
check_superseded(struct world *w, const struct shadow *old)
{
	w->superseded++;
	for (size_t i = 0; i < w->n_shadows; i++) {
		const struct shadow *sh = &w->shadows[i];

		if (sh->id > old->id && sh->granted && sh->epoch == old->epoch && sh->dev != STRANGER &&
		    (sh->claims == old->claims || sh->conn == old->conn))
			return;
	}
	for (size_t i = w->n_knocks; i-- > 1 && w->knocks[i].session != old->id;) /* or the device itself asked anew */
		if (w->knocks[i].conn == old->conn && w->knocks[i].epoch == w->epoch)
			return;
	world_wrong(w, "session %llu was superseded by nobody who was let in", (unsigned long long)old->id);
}

static void
port_record(void *arg, uint64_t session, const struct bs_record *r)
{
	struct world *w = arg;
	struct shadow *sh = world_shadow(w, session);
	struct happening *h;

	world_log(w, "session %llu: %s at %s (%s) %s", (unsigned long long)session, bs_verdict_name(r->verdict),
	    bs_step_name(r->step), bs_reason_name(r->reason), r->detail == NULL ? "" : r->detail);
	if (++sh->records > 1)
		world_wrong(w, "session %llu is recorded a second time", (unsigned long long)session);
	if (r->verdict == BS_VERDICT_NONE)
		world_wrong(w, "session %llu is recorded without a verdict", (unsigned long long)session);
	if (r->verdict == BS_VERDICT_PROVISIONED || r->verdict == BS_VERDICT_WRITTEN)
		check_well(w, sh, r);
	if (r->reason == BS_REASON_SUPERSEDED)
		check_superseded(w, sh);
	sh->verdict = r->verdict;
	sh->step = r->step;
	sh->code = r->code;
	handoff_end(w->handoff, session, handoff_how(r));
	if (sh->granted)
		accounts_recorded(w, sh, r);
	w->refused += r->verdict == BS_VERDICT_REFUSED;
	w->failed += r->verdict == BS_VERDICT_FAILED;
	if (world_chance(w, w->faults.store_stalls))
		return;
	h = world_later(w, STORE_KEPT, 1 + world_random(w, w->faults.store_ms));
	h->session = session;
}

/* It is on disk, and only then acknowledged. */
void
store_kept(struct world *w, const struct happening *h)
{
	struct shadow *sh = world_shadow(w, h->session);

	if (sh->durable)
		world_wrong(w, "session %llu is kept twice", (unsigned long long)h->session);
	sh->durable = sh->acknowledged = true;
	bs_driver_event(w->driver, h->session, &(struct bs_event){ .type = BS_EV_RECORDED });
}

/* ---- the other ports ---- */

static void
port_now(void *arg, uint64_t *mono_ms, int64_t *wall_ms)
{
	const struct world *w = arg;

	*mono_ms = w->now;
	*wall_ms = w->wall_ms + (int64_t)w->now;
}

static void
port_reply(void *arg, uint64_t session, uint64_t peer, uint64_t request, const struct bs_reply *r)
{
	struct world *w = arg;

	if (session != 0)
		w->knocks[request].session = add_shadow(w, session, peer)->id;
	net_reply(w, request, r);
}

static void
port_send(void *arg, uint64_t session, uint64_t peer, const struct bs_send *s)
{
	struct world *w = arg;
	const struct shadow *sh = world_shadow(w, session);

	if (!sh->granted)
		world_wrong(w, "session %llu asks a device that was not let in", (unsigned long long)session);
	if (sh->records > 0)
		world_wrong(w, "session %llu asks though it is over", (unsigned long long)session);
	if (!s->finish && (s->method == BS_PUT || s->method == BS_DELETE))
		accounts_check_told(w, sh, "it writes");
	net_send(w, session, peer, s);
}

static void
port_release(void *arg, uint64_t session, uint64_t peer, bool failed)
{
	net_release(arg, session, peer, failed);
}

static void
port_wake_at(void *arg, uint64_t when_ms)
{
	((struct world *)arg)->wake_ms = when_ms;
}

void
store_ports(struct world *w, struct bs_ports *p)
{
	*p = (struct bs_ports){
		.arg = w,
		.now = port_now,
		.lookup = port_lookup,
		.record = port_record,
		.reply = port_reply,
		.send = port_send,
		.release = port_release,
		.wake_at = port_wake_at,
	};
	if (world_chance(w, 300))
		p->vet = port_vet;
	engine_ports(p);
}
