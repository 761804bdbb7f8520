#include "bsserver/bootstrap/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/bootstrap/due.h"
#include "lib/base/str.h"
#include "lib/base/table.h"

#define OVERLOAD_RETRY_S 10
#define SPARE_MAX 256 /* freed sessions kept for the next ones: they are large */
#define DEFAULT_MAX_SESSIONS 4096
#define DEFAULT_MAX_PER_PEER 4
#define DEFAULT_LOOKUP_MS 20000
#define DEFAULT_RECORD_MS 60000

/* A session that is under way, and where the tables and the heap keep it. */
struct live {
	struct table_node by_id, by_peer, by_endpoint;
	bool granted; /* by_endpoint is in its table */
	uint64_t id, peer, request;
	uint64_t start_ms;
	struct due due; /* when the deadline strikes */
	char *peer_addr, *identity; /* copies of what the knock said */
	enum bs_mode mode;
	size_t identity_len;
	struct bs_blob *chain; /* one block: what they point to and trust are behind them */
	size_t n_chain;
	const char *trust;
	struct bs_session s;
};

struct bs_driver {
	struct bs_driver_conf conf;
	struct table by_id, by_peer, by_endpoint;
	struct due_heap dues; /* of all that are live */
	uint64_t last_id;
	uint64_t woken_for; /* the time that wake_at() was last asked for; 0 none */
	bool draining;
	struct bs_driver_stats stats;
	struct live *spare[SPARE_MAX]; /* wiped */
	size_t n_spare;
};

/* ---- deadlines ---- */

static struct live *
live_at(const struct bs_driver *d, size_t i)
{
	return CONTAINER_OF(d->dues.v[i], struct live, due);
}

static void
ask_to_wake(struct bs_driver *d)
{
	uint64_t due = d->dues.n == 0 ? 0 : d->dues.v[0]->at_ms;

	if (due == 0 || (d->woken_for != 0 && d->woken_for <= due))
		return;
	d->woken_for = due;
	d->conf.ports.wake_at(d->conf.ports.arg, due);
}

/* ---- finding ---- */

static struct live *
find_id(const struct bs_driver *d, uint64_t id)
{
	struct table_node *n = table_first(&d->by_id, table_hash_u64(&d->by_id, id));

	for (; n != NULL; n = table_next(n)) {
		struct live *l = CONTAINER_OF(n, struct live, by_id);

		if (l->id == id)
			return l;
	}
	return NULL;
}

/* A live session of that peer other than not, granted ones only where asked for. */
static struct live *
find_peer(const struct bs_driver *d, uint64_t peer, const struct live *not, bool granted)
{
	struct table_node *n = table_first(&d->by_peer, table_hash_u64(&d->by_peer, peer));

	for (; n != NULL; n = table_next(n)) {
		struct live *l = CONTAINER_OF(n, struct live, by_peer);

		if (l->peer == peer && l != not && l->s.state < BS_RECORD && (!granted || l->granted))
			return l;
	}
	return NULL;
}

static struct live *
find_endpoint(const struct bs_driver *d, const char *ep, const struct live *not)
{
	struct table_node *n = table_first(&d->by_endpoint, table_hash(&d->by_endpoint, ep, strlen(ep)));

	for (; n != NULL; n = table_next(n)) {
		struct live *l = CONTAINER_OF(n, struct live, by_endpoint);

		if (l != not && l->s.state < BS_RECORD && l->s.rec.endpoint != NULL &&
		    strcmp(l->s.rec.endpoint, ep) == 0)
			return l;
	}
	return NULL;
}

static unsigned
count_ungranted(const struct bs_driver *d, uint64_t peer)
{
	struct table_node *n = table_first(&d->by_peer, table_hash_u64(&d->by_peer, peer));
	unsigned count = 0;

	for (; n != NULL; n = table_next(n)) {
		struct live *l = CONTAINER_OF(n, struct live, by_peer);

		if (l->peer == peer && !l->granted && l->s.state < BS_RECORD)
			count++;
	}
	return count;
}

/* ---- coming and going ---- */

static void
live_free(struct bs_driver *d, struct live *l)
{
	bs_session_clear(&l->s);
	free(l->peer_addr);
	free(l->identity);
	free(l->chain);
	if (d->n_spare < SPARE_MAX)
		d->spare[d->n_spare++] = l;
	else
		free(l);
}

static struct live *
live_alloc(struct bs_driver *d)
{
	struct live *l = d->n_spare > 0 ? d->spare[--d->n_spare] : malloc(sizeof *l);

	if (l != NULL)
		memset(l, 0, sizeof *l);
	return l;
}

static void
leave_endpoint(struct bs_driver *d, struct live *l)
{
	if (l->granted)
		table_remove(&d->by_endpoint, &l->by_endpoint);
	l->granted = false;
}

static void
remove_live(struct bs_driver *d, struct live *l)
{
	leave_endpoint(d, l);
	table_remove(&d->by_id, &l->by_id);
	table_remove(&d->by_peer, &l->by_peer);
	due_remove(&d->dues, &l->due);
	d->stats.live--;
	live_free(d, l);
}

static void
stamp(struct bs_driver *d, const struct live *l, struct bs_event *ev)
{
	uint64_t now;

	d->conf.ports.now(d->conf.ports.arg, &now, &ev->wall_ms);
	ev->now_ms = (uint32_t)MIN(now - l->start_ms, (uint64_t)UINT32_MAX);
	if (l->s.grant.desired.set_time)
		ev->clock_fault = d->conf.ports.clock_fault == NULL
		                      ? "nobody says whether it is"
		                      : d->conf.ports.clock_fault(d->conf.ports.arg);
}

static void
on_over(struct bs_driver *d, struct live *l, const struct bs_event *ev)
{
	const struct bs_ports *p = &d->conf.ports;
	struct bs_record *r = &l->s.rec;
	bool well = r->verdict == BS_VERDICT_PROVISIONED || r->verdict == BS_VERDICT_WRITTEN;

	r->ended_ms = ev->wall_ms;
	d->stats.by_verdict[r->verdict]++;
	d->stats.by_reason[r->reason]++;
	leave_endpoint(d, l);
	due_move(&d->dues, &l->due, l->start_ms + ev->now_ms + d->conf.record_timeout_ms);
	p->release(p->arg, l->id, l->peer, !well);
	p->record(p->arg, l->id, r);
}

static struct bs_peer
peer_of(const struct live *l)
{
	return (struct bs_peer){
		.id = l->peer,
		.addr = l->peer_addr,
		.mode = l->mode,
		.identity = l->identity,
		.identity_len = l->identity_len,
		.chain = l->chain,
		.n_chain = l->n_chain,
		.trust = l->trust,
	};
}

static void
ask_lookup(struct bs_driver *d, struct live *l)
{
	const struct bs_ports *p = &d->conf.ports;
	struct bs_lookup q = { .ep = l->s.req.ep[0] ? l->s.req.ep : NULL, .peer = peer_of(l) };

	p->lookup(p->arg, l->id, &q);
}

/* Performs what the session asks for. The answer to a reply is given here: it is in the transport's hands. */
static bool
perform(struct bs_driver *d, struct live *l, const struct bs_action *act, struct bs_event *ev)
{
	const struct bs_ports *p = &d->conf.ports;
	struct bs_peer peer = peer_of(l);

	switch (act->type) {
	case BS_ACT_NONE:
	case BS_ACT__COUNT:
		return false;
	case BS_ACT_LOOKUP:
		ask_lookup(d, l);
		return false;
	case BS_ACT_VET:
		p->vet(p->arg, l->id, &l->s.grant, &peer);
		return false;
	case BS_ACT_REPLY:
		p->reply(p->arg, l->id, l->peer, l->request, &act->reply);
		*ev = (struct bs_event){ .type = BS_EV_REPLIED };
		return true;
	case BS_ACT_SEND:
		p->send(p->arg, l->id, l->peer, &act->send);
		return false;
	case BS_ACT_INSPECT:
		p->inspect(p->arg, l->id, &l->s.grant);
		break;
	case BS_ACT_KEEP:
		p->keep(p->arg, l->id, &l->s.grant);
		return false;
	case BS_ACT_HANDOFF:
		p->handoff(p->arg, l->id, &l->s.grant);
		return false;
	case BS_ACT_SETTLE:
		p->settle(p->arg, l->id, &l->s.grant);
		return false;
	case BS_ACT_RECORD:
		on_over(d, l, ev);
		return false;
	case BS_ACT_DONE:
		remove_live(d, l);
		return false;
	}
	return false;
}

static void
drive(struct bs_driver *d, struct live *l, struct bs_event *ev)
{
	struct bs_action act;

	do {
		stamp(d, l, ev);
		bs_session_step(&l->s, ev, &act);
	} while (perform(d, l, &act, ev));
}

static void
supersede(struct bs_driver *d, struct live *old)
{
	struct bs_event ev = { .type = BS_EV_SUPERSEDED, .text = "a newer request of this device was granted" };

	drive(d, old, &ev);
}

/* The identity is proved: only now does the newer session of a device put an end to the older. */
static bool
enter_granted(struct bs_driver *d, struct live *l, struct bs_event *ev)
{
	const char *ep = ev->grant->endpoint;
	struct live *other;

	while ((other = find_endpoint(d, ep, l)) != NULL || (other = find_peer(d, l->peer, l, true)) != NULL) {
		if (other->id > l->id) { /* it overtook us in the lookup */
			bs_grant_clear(ev->grant);
			supersede(d, l);
			return false;
		}
		supersede(d, other);
	}
	if (table_add(&d->by_endpoint, &l->by_endpoint, table_hash(&d->by_endpoint, ep, strlen(ep))) == ERR_OK)
		l->granted = true;
	due_move(&d->dues, &l->due, l->start_ms + ev->grant->desired.session_timeout_ms);
	return true;
}

static void
drop_grant(struct bs_event *ev)
{
	if (ev->grant != NULL)
		bs_grant_clear(ev->grant);
}

void
bs_driver_event(struct bs_driver *d, uint64_t session, struct bs_event *ev)
{
	struct live *l = find_id(d, session);

	if (l == NULL) {
		drop_grant(ev);
		return;
	}
	if (ev->type == BS_EV_GRANTED && (l->s.state != BS_LOOKUP || !enter_granted(d, l, ev)))
		drop_grant(ev);
	else
		drive(d, l, ev);
	ask_to_wake(d);
}

/* ---- knocking ---- */

static void
answer_overload(struct bs_driver *d, const struct bs_knock *k)
{
	const struct bs_ports *p = &d->conf.ports;
	struct bs_reply r = { .code = 0xa3, .max_age_s = OVERLOAD_RETRY_S };

	d->stats.overloaded++;
	p->reply(p->arg, 0, k->peer.id, k->request, &r);
}

static void
describe_credential(const struct live *l, struct bs_record *r)
{
	static const char *const modes[] = {
		[BS_NOSEC] = "nosec",
		[BS_PSK] = "psk",
		[BS_RPK] = "rpk",
		[BS_X509] = "x509",
	};
	struct gbuf g = { .max = 1024 };

	gbuf_str(&g, modes[l->mode]);
	if (l->identity_len > 0) {
		gbuf_u8(&g, ':');
		str_quote(&g, l->identity, l->identity_len);
	}
	r->credential = str_dup_n(gbuf_cstr(&g), g.len);
	gbuf_clear(&g);
}

static uint64_t
next_id(struct bs_driver *d, int64_t wall_ms)
{
	uint64_t id = wall_ms > 0 ? (uint64_t)wall_ms * 1000 : 1;

	d->last_id = MAX(id, d->last_id + 1);
	return d->last_id;
}

/* What the peer proved to be, for as long as the session is there. */
static bool
copy_identity(struct live *l, const struct bs_peer *p)
{
	size_t n = MIN(p->n_chain, (size_t)BS_CHAIN_MAX), total = n * sizeof *l->chain, at = total;
	size_t trust = p->trust != NULL ? strlen(p->trust) + 1 : 0;

	if (p->identity != NULL) {
		l->identity = str_dup_n(p->identity, p->identity_len);
		l->identity_len = p->identity_len;
		if (l->identity == NULL)
			return false;
	}
	if (n == 0)
		return true;
	for (size_t i = 0; i < n; i++)
		total += p->chain[i].len;
	l->chain = malloc(total + trust);
	if (l->chain == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t *to = (uint8_t *)l->chain + at;

		memcpy(to, p->chain[i].data, p->chain[i].len);
		l->chain[i] = (struct bs_blob){ to, p->chain[i].len };
		at += p->chain[i].len;
	}
	l->n_chain = n;
	if (trust > 0)
		l->trust = memcpy((uint8_t *)l->chain + at, p->trust, trust);
	return true;
}

static bool
enter(struct bs_driver *d, struct live *l)
{
	if (!due_add(&d->dues, &l->due))
		return false;
	if (table_add(&d->by_id, &l->by_id, table_hash_u64(&d->by_id, l->id)) != ERR_OK ||
	    table_add(&d->by_peer, &l->by_peer, table_hash_u64(&d->by_peer, l->peer)) != ERR_OK) {
		/* both tables have buckets after their first element: only the very first can fail */
		if (find_id(d, l->id) == l)
			table_remove(&d->by_id, &l->by_id);
		due_remove(&d->dues, &l->due);
		return false;
	}
	d->stats.live++;
	return true;
}

static struct live *
live_new(struct bs_driver *d, const struct bs_knock *k)
{
	const struct bs_ports *p = &d->conf.ports;
	struct live *l = live_alloc(d);
	int64_t wall;

	if (l == NULL)
		return NULL;
	bs_session_init(&l->s, d->conf.model);
	p->now(p->arg, &l->start_ms, &wall);
	l->id = next_id(d, wall);
	l->peer = k->peer.id;
	l->request = k->request;
	l->mode = k->peer.mode;
	l->due.at_ms = l->start_ms + d->conf.lookup_timeout_ms;
	l->s.vets = p->vet != NULL && k->peer.mode == BS_X509;
	l->s.inspects = p->inspect != NULL;
	l->s.keeps = p->keep != NULL;
	l->s.hands_off = p->handoff != NULL;
	l->peer_addr = str_dup_n(k->peer.addr, strlen(k->peer.addr));
	bool copied = copy_identity(l, &k->peer);
	l->s.rec.id = l->id;
	l->s.rec.started_ms = wall;
	l->s.rec.peer = str_dup_n(k->peer.addr, strlen(k->peer.addr));
	if (l->peer_addr == NULL || l->s.rec.peer == NULL || !copied || !enter(d, l)) {
		live_free(d, l);
		return NULL;
	}
	describe_credential(l, &l->s.rec);
	return l;
}

/* The query, into the session; the event says what was wrong with it. */
static void
read_query(struct live *l, const struct bs_knock *k, struct bs_event *ev, struct err *e)
{
	struct bs_request req;
	enum err_code rc = bs_request_parse(k->queries, k->n_queries, &req, e);

	bs_session_set_request(&l->s, &req);
	if (req.ep[0] != 0)
		l->s.rec.endpoint = str_dup_n(req.ep, strlen(req.ep));
	if (rc == ERR_OK)
		return;
	ev->reason = rc == ERR_UNSUPPORTED ? BS_REASON_UNSUPPORTED_FORMAT : BS_REASON_BAD_REQUEST;
	ev->text = e->msg;
}

/* Whether the newer request is served or not: what its device holds now is not what these know. */
static void
doubt_older(struct bs_driver *d, uint64_t peer)
{
	struct table_node *n = table_first(&d->by_peer, table_hash_u64(&d->by_peer, peer));

	for (; n != NULL; n = table_next(n)) {
		struct live *l = CONTAINER_OF(n, struct live, by_peer);

		if (l->peer == peer)
			bs_session_asked_anew(&l->s);
	}
}

void
bs_driver_knock(struct bs_driver *d, const struct bs_knock *k)
{
	struct bs_event ev = { .type = BS_EV_REQUEST };
	struct live *l = NULL;
	struct err e;

	d->stats.knocks++;
	doubt_older(d, k->peer.id);
	if (!d->draining && d->stats.live < d->conf.max_sessions &&
	    count_ungranted(d, k->peer.id) < d->conf.max_per_peer)
		l = live_new(d, k);
	if (l == NULL) {
		answer_overload(d, k);
		return;
	}
	read_query(l, k, &ev, &e);
	drive(d, l, &ev);
	ask_to_wake(d);
}

/* ---- what may come at any time ---- */

void
bs_driver_peer_gone(struct bs_driver *d, uint64_t peer, const char *why)
{
	struct live *l;

	while ((l = find_peer(d, peer, NULL, false)) != NULL) {
		struct bs_event ev = { .type = BS_EV_PEER_GONE, .text = why };

		drive(d, l, &ev);
	}
	ask_to_wake(d);
}

static void
strike(struct bs_driver *d, struct live *l)
{
	struct bs_event ev = { .type = BS_EV_DEADLINE, .text = "the session took longer than its deadline" };

	if (l->s.state >= BS_RECORD) { /* the store never answered: the session is not kept for that */
		remove_live(d, l);
		return;
	}
	drive(d, l, &ev);
}

void
bs_driver_tick(struct bs_driver *d)
{
	uint64_t now;
	int64_t wall;

	d->woken_for = 0;
	d->conf.ports.now(d->conf.ports.arg, &now, &wall);
	while (d->dues.n > 0 && d->dues.v[0]->at_ms <= now)
		strike(d, live_at(d, 0));
	ask_to_wake(d);
}

bool
bs_driver_cancel(struct bs_driver *d, const char *endpoint, const char *why)
{
	struct live *l = find_endpoint(d, endpoint, NULL);
	struct bs_event ev = { .type = BS_EV_CANCEL, .reason = BS_REASON_OPERATOR, .text = why };

	if (l == NULL)
		return false;
	drive(d, l, &ev);
	ask_to_wake(d);
	return true;
}

void
bs_driver_drain(struct bs_driver *d)
{
	d->draining = true;
}

void
bs_driver_stop(struct bs_driver *d)
{
	d->draining = true;
	for (size_t i = 0; i < d->dues.n;) {
		struct live *l = live_at(d, i);
		struct bs_event ev = { .type = BS_EV_CANCEL, .reason = BS_REASON_RESTARTED, .text = "the server stops" };

		if (l->s.state >= BS_RECORD) {
			i++;
			continue;
		}
		drive(d, l, &ev); /* moves it in the heap: look again from the start */
		i = 0;
	}
	ask_to_wake(d);
}

void
bs_driver_stats(const struct bs_driver *d, struct bs_driver_stats *out)
{
	*out = d->stats;
}

void
bs_driver_each(const struct bs_driver *d, bs_live_fn *fn, void *arg)
{
	uint64_t now;
	int64_t wall;

	d->conf.ports.now(d->conf.ports.arg, &now, &wall);
	for (size_t i = 0; i < d->dues.n; i++) {
		const struct live *l = live_at(d, i);
		struct bs_live_info info = {
			.id = l->id,
			.endpoint = l->s.rec.endpoint,
			.peer = l->peer_addr,
			.state = l->s.state,
			.age_ms = (uint32_t)(now - l->start_ms),
			.op = l->s.next_op,
			.n_ops = l->s.plan.n_ops,
		};

		fn(arg, &info);
	}
}

static unsigned
or_default(unsigned value, unsigned otherwise)
{
	return value == 0 ? otherwise : value;
}

enum err_code
bs_driver_new(const struct bs_driver_conf *conf, struct bs_driver **out, struct err *e)
{
	struct bs_driver *d = calloc(1, sizeof *d);

	if (d == NULL)
		return err_no_memory(e);
	d->conf = *conf;
	d->conf.max_sessions = or_default(conf->max_sessions, DEFAULT_MAX_SESSIONS);
	d->conf.max_per_peer = or_default(conf->max_per_peer, DEFAULT_MAX_PER_PEER);
	d->conf.lookup_timeout_ms = or_default(conf->lookup_timeout_ms, DEFAULT_LOOKUP_MS);
	d->conf.record_timeout_ms = or_default(conf->record_timeout_ms, DEFAULT_RECORD_MS);
	table_init(&d->by_id, conf->seed);
	table_init(&d->by_peer, conf->seed);
	table_init(&d->by_endpoint, conf->seed);
	*out = d;
	return ERR_OK;
}

void
bs_driver_free(struct bs_driver *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->dues.n; i++)
		live_free(d, live_at(d, i));
	while (d->n_spare > 0)
		free(d->spare[--d->n_spare]);
	due_clear(&d->dues);
	table_clear(&d->by_id);
	table_clear(&d->by_peer);
	table_clear(&d->by_endpoint);
	free(d);
}
