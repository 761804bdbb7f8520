/* The network of a world, and CoAP over it at the server's end: repetition, tokens, deadlines. */
#include <stdlib.h>
#include <string.h>

#include "lib/lwm2m/format.h"
#include "tests/sim/coapmsg.h"
#include "tests/sim/world.h"

#define EXCHANGE_LIFETIME_MS 247000
#define MAX_RETRANSMIT 4

/* ---- datagrams ---- */

static void
carry(struct world *w, enum happening_kind kind, unsigned dev, uint64_t conn, const struct gbuf *bytes)
{
	unsigned copies = world_chance(w, w->faults.doubled) ? 2 : 1;

	for (unsigned i = 0; i < copies; i++) {
		struct happening *h;

		if (world_chance(w, w->faults.loss)) {
			world_log(w, "lost, to %s of connection %llu", kind == TO_DEVICE ? "the device" : "the server",
			    (unsigned long long)conn);
			continue;
		}
		h = world_later(w, kind, 1 + world_random(w, w->faults.delay_ms));
		h->dev = dev;
		h->conn = conn;
		h->session = dev < w->n_dev ? w->dev[dev].attempt : 0;
		gbuf_put(&h->bytes, bytes->data, bytes->len);
	}
}

static void
to_device(struct world *w, uint64_t conn, const struct coapmsg *m)
{
	struct gbuf b = { 0 };

	coapmsg_write(m, &b);
	carry(w, TO_DEVICE, w->conns[conn].dev, conn, &b);
	gbuf_clear(&b);
}

/* ---- the device's end ---- */

static struct sim_device *
device_of(void *arg, struct world **w)
{
	struct net_arg *a = arg;

	*w = a->w;
	return &a->w->dev[a->dev];
}

static void
on_send(void *arg, const uint8_t *p, size_t n)
{
	struct world *w;
	struct sim_device *sd = device_of(arg, &w);
	struct gbuf b = { 0 };

	gbuf_put(&b, p, n);
	if (sd->open)
		carry(w, TO_SERVER, ((struct net_arg *)arg)->dev, sd->conn, &b);
	gbuf_clear(&b);
}

static uint64_t
add_conn(struct world *w, unsigned dev, bool secure)
{
	struct conn *arr = grow(w->conns, w->n_conns, &w->cap_conns, sizeof *arr);

	if (arr == NULL)
		abort();
	w->conns = arr;
	arr[w->n_conns] = (struct conn){ .dev = dev, .secure = secure, .alive = !secure };
	return w->n_conns++;
}

static void
on_open(void *arg, bool new_port)
{
	struct world *w;
	struct sim_device *sd = device_of(arg, &w);
	unsigned dev = ((struct net_arg *)arg)->dev;
	uint64_t old = new_port ? 0 : sd->conn;
	bool fails = world_chance(w, w->faults.loss / 2);
	struct happening *h;

	sd->open = false;
	if (sd->secure || new_port || sd->conn == 0)
		sd->conn = add_conn(w, dev, sd->secure);
	h = world_later(w, fails ? OPEN_FAILED : OPENED, 1 + world_random(w, w->faults.delay_ms));
	h->dev = dev;
	h->conn = sd->conn;
	h->session = sd->secure ? old : 0;
}

static void
on_close(void *arg)
{
	struct world *w;
	struct sim_device *sd = device_of(arg, &w);
	struct happening *h;

	sd->open = false;
	if (!sd->secure || world_chance(w, w->faults.loss))
		return;
	h = world_later(w, CLOSED_AT_SERVER, 1 + world_random(w, w->faults.delay_ms));
	h->conn = sd->conn;
}

static void
note_finished(struct world *w, struct sim_device *sd)
{
	sd->finished_conn = sd->conn;
	sd->holds_all = store_agrees(sd, false);
	sd->holds_shown = store_agrees(sd, true);
	accounts_finished(w, sd);
	if (world_chance(w, 300))
		world_later(w, REGISTERED, world_random(w, 60000))->dev = (unsigned)(sd - w->dev);
	sd->finished_attempt = sd->attempt;
	sd->excused = sd->lied_storing;
	sd->excused_all = sd->lied_looking;
	world_log(w, "%s is provisioned%s%s", sd->endpoint, sd->holds_all ? "" : ", and lacks something",
	    sd->lied_looking || sd->lied_storing ? "; it lied" : "");
}

static void
on_event(void *arg, const struct device_event *ev)
{
	struct world *w;
	struct sim_device *sd = device_of(arg, &w);

	world_log(w, "%s: event %d step %d %s %s", sd->endpoint, (int)ev->type, (int)ev->step,
	    ev->path == NULL ? "" : ev->path, ev->text == NULL ? "" : ev->text);
	switch (ev->type) {
	case DEVICE_EV_REQUEST:
		sd->lied_looking = sd->lied_storing = sd->lied_finishing = sd->shown = false;
		sd->attempt++;
		break;
	case DEVICE_EV_LIED:
		accounts_lied(sd);
		sd->lied_looking |= ev->step == DEVICE_DISCOVER || ev->step == DEVICE_READ;
		sd->lied_finishing |= ev->step == DEVICE_FINISH;
		sd->lied_storing |= ev->step == DEVICE_WRITE || ev->step == DEVICE_DELETE;
		break;
	case DEVICE_EV_COMMAND:
		if (ev->step == DEVICE_WRITE)
			sd->shown = false;
		else if (ev->step == DEVICE_READ && ev->code == CM_CONTENT)
			sd->shown = true;
		break;
	case DEVICE_EV_PROVISIONED:
		note_finished(w, sd);
		break;
	case DEVICE_EV_COMPLAINT:
	case DEVICE_EV_ACCEPTED:
	case DEVICE_EV_FINISH_REJECTED:
	case DEVICE_EV_RETRY:
	case DEVICE_EV_REFUSED:
	case DEVICE_EV_FAILED:
		break;
	}
}

const struct device_ops net_ops = { .send = on_send, .open = on_open, .close = on_close, .event = on_event };

/* A new handshake on the port of an old connection: the server sees that the old one is gone. */
void
net_opened(struct world *w, unsigned dev, uint64_t conn, uint64_t old)
{
	struct sim_device *sd = &w->dev[dev];

	if (old != 0 && w->conns[old].alive) {
		w->conns[old].alive = false;
		bs_driver_peer_gone(w->driver, old, "the device began a new handshake");
	}
	w->conns[conn].alive = true;
	if (sd->conn != conn)
		return;
	sd->open = true;
	device_opened(sd->d, w->now);
}

/* ---- the server's end: knocks ---- */

uint64_t
net_add_knock(struct world *w, uint64_t conn)
{
	struct knock *arr = grow(w->knocks, w->n_knocks, &w->cap_knocks, sizeof *arr);

	if (arr == NULL)
		abort();
	w->knocks = arr;
	arr[w->n_knocks] = (struct knock){ .conn = conn, .epoch = w->epoch, .at_ms = w->now };
	return w->n_knocks++;
}

static void
answer_again(struct world *w, const struct knock *k)
{
	if (k->answer.len > 0)
		carry(w, TO_DEVICE, w->conns[k->conn].dev, k->conn, &k->answer);
}

static void
on_knock(struct world *w, uint64_t conn, unsigned attempt, const struct coapmsg *m)
{
	struct sim_device *sd = &w->dev[w->conns[conn].dev];
	struct bs_query q[8];
	struct bs_knock k = { .queries = q };

	for (size_t i = w->n_knocks; i-- > 1;) {
		const struct knock *known = &w->knocks[i];

		if (known->conn == conn && known->mid == m->mid && known->epoch == w->epoch &&
		    known->at_ms + EXCHANGE_LIFETIME_MS > w->now) {
			answer_again(w, known);
			return;
		}
	}
	sd->heard = MAX(sd->heard, attempt);
	k.request = net_add_knock(w, conn);
	struct knock *new = &w->knocks[k.request];
	new->mid = m->mid;
	new->token_len = m->token_len;
	memcpy(new->token, m->token, sizeof new->token);
	for (size_t i = 0; i < m->n_opt && k.n_queries < N_ELEMS(q); i++)
		if (m->opt[i].number == CM_OPT_URI_QUERY)
			q[k.n_queries++] = (struct bs_query){ (const char *)m->opt[i].value, m->opt[i].len };
	k.peer = (struct bs_peer){
		.id = conn,
		.addr = sd->endpoint,
		.mode = sd->secure ? BS_PSK : BS_NOSEC,
		.identity = sd->secure ? sd->identity : NULL,
		.identity_len = sd->secure ? strlen(sd->identity) : 0,
	};
	bs_driver_knock(w->driver, &k);
}

void
net_reply(struct world *w, uint64_t request, const struct bs_reply *r)
{
	struct knock *k = &w->knocks[request];
	struct coapmsg m;

	if (w->sabotage == FORGETS_REPLY && r->code >= 0x80)
		return;
	k->replies++;
	world_log(w, "knock %llu is answered %s", (unsigned long long)request, coapmsg_code_str(r->code).s);
	if (k->replies > 1)
		world_wrong(w, "knock %llu is answered %u times", (unsigned long long)request, k->replies);
	if (w->conns[k->conn].dev == STRANGER)
		return;
	coapmsg_init(&m, CM_ACK, r->code, k->mid, k->token, k->token_len);
	if (r->max_age_s > 0)
		coapmsg_add_uint(&m, CM_OPT_MAX_AGE, r->max_age_s);
	coapmsg_write(&m, &k->answer);
	answer_again(w, k);
}

/* ---- the server's end: its own requests ---- */

static struct exchange *
exchange_of(struct world *w, uint64_t session)
{
	for (size_t i = 0; i < w->n_exchanges; i++)
		if (w->exchanges[i].session == session)
			return &w->exchanges[i];
	return NULL;
}

static void
drop(struct world *w, struct exchange *x)
{
	gbuf_clear(&x->bytes);
	*x = w->exchanges[--w->n_exchanges];
}

static void
write_request(const struct exchange *x, const struct bs_send *s, struct gbuf *out)
{
	static const uint8_t codes[] = { [BS_POST] = CM_POST, [BS_GET] = CM_GET, [BS_PUT] = CM_PUT, [BS_DELETE] = CM_DELETE };
	struct lwm2m_path_str path = lwm2m_path_str(s->path);
	struct coapmsg m;

	coapmsg_init(&m, CM_CON, codes[s->method], x->mid, x->token, sizeof x->token);
	coapmsg_add_path(&m, s->finish ? "/bs" : path.s);
	if (s->format >= 0)
		coapmsg_add_uint(&m, CM_OPT_CONTENT_FORMAT, (uint32_t)s->format);
	if (s->accept >= 0)
		coapmsg_add_uint(&m, CM_OPT_ACCEPT, (uint32_t)s->accept);
	m.payload = s->payload;
	m.payload_len = s->payload_len;
	coapmsg_write(&m, out);
}

static void
transmit(struct world *w, const struct exchange *x)
{
	if (w->conns[x->conn].alive)
		carry(w, TO_DEVICE, w->conns[x->conn].dev, x->conn, &x->bytes);
}

void
net_send(struct world *w, uint64_t session, uint64_t peer, const struct bs_send *s)
{
	struct exchange *arr = grow(w->exchanges, w->n_exchanges, &w->cap_exchanges, sizeof *arr), *x;

	if (arr == NULL)
		abort();
	w->exchanges = arr;
	if (exchange_of(w, session) != NULL)
		world_wrong(w, "session %llu asks a second thing before the first was answered", (unsigned long long)session);
	x = &arr[w->n_exchanges++];
	*x = (struct exchange){ .session = session, .conn = peer, .mid = w->next_mid++, .by_ms = w->now + s->timeout_ms };
	x->step_ms = 2000 + (uint32_t)world_random(w, 1000);
	x->next_ms = w->now + x->step_ms;
	uint64_t token = world_random(w, UINT32_MAX);
	memcpy(x->token, &token, sizeof x->token);
	write_request(x, s, &x->bytes);
	world_log(w, "session %llu: %s %s", (unsigned long long)session, bs_method_name(s->method),
	    s->finish ? "/bs" : lwm2m_path_str(s->path).s);
	transmit(w, x);
}

static void
give(struct world *w, struct exchange *x, struct bs_event *ev)
{
	uint64_t session = x->session;

	drop(w, x);
	bs_driver_event(w->driver, session, ev);
}

static void
on_response(struct world *w, struct exchange *x, const struct coapmsg *m)
{
	struct bs_event ev = {
		.type = BS_EV_RESPONSE,
		.code = m->code,
		.format = (int)coapmsg_uint(m, CM_OPT_CONTENT_FORMAT, UINT32_MAX),
		.payload = m->payload,
		.payload_len = m->payload_len,
	};

	give(w, x, &ev);
}

static void
acknowledge(struct world *w, uint64_t conn, uint16_t mid, enum coapmsg_type type)
{
	struct coapmsg m;

	coapmsg_init(&m, type, CM_EMPTY, mid, NULL, 0);
	to_device(w, conn, &m);
}

static void
on_answer(struct world *w, uint64_t conn, const struct coapmsg *m)
{
	struct exchange *x = NULL;

	for (size_t i = 0; i < w->n_exchanges && x == NULL; i++) {
		struct exchange *y = &w->exchanges[i];
		bool by_mid = (m->type == CM_ACK || m->type == CM_RST) && m->mid == y->mid;
		bool by_token = m->token_len == sizeof y->token && memcmp(m->token, y->token, sizeof y->token) == 0;

		if (y->conn == conn && (m->code == CM_EMPTY ? by_mid : by_token && (m->type != CM_ACK || by_mid)))
			x = y;
	}
	if (m->type == CM_CON)
		acknowledge(w, conn, m->mid, x != NULL ? CM_ACK : CM_RST);
	if (x == NULL)
		return;
	if (m->type == CM_RST)
		give(w, x, &(struct bs_event){ .type = BS_EV_RESET });
	else if (m->code == CM_EMPTY)
		x->acked = true;
	else
		on_response(w, x, m);
}

void
net_to_server(struct world *w, uint64_t conn, unsigned attempt, const struct gbuf *bytes)
{
	struct coapmsg m, no;
	struct gbuf path = { 0 };

	if (!w->conns[conn].alive || coapmsg_parse(&m, bytes->data, bytes->len, NULL) != ERR_OK)
		return;
	if (!coapmsg_is_request(&m)) {
		on_answer(w, conn, &m);
		return;
	}
	coapmsg_path(&m, &path);
	if (m.code == CM_POST && strcmp(gbuf_cstr(&path), "/bs") == 0)
		on_knock(w, conn, attempt, &m);
	else {
		coapmsg_init(&no, CM_ACK, CM_NOT_FOUND, m.mid, m.token, m.token_len);
		to_device(w, conn, &no);
	}
	gbuf_clear(&path);
}

/* As the daemon does: after a failure the DTLS session is closed. */
void
net_release(struct world *w, uint64_t session, uint64_t peer, bool failed)
{
	struct exchange *x = exchange_of(w, session);
	struct happening *h;

	if (x != NULL)
		drop(w, x);
	if (!failed || !w->conns[peer].secure || w->conns[peer].dev == STRANGER || !w->conns[peer].alive)
		return;
	w->conns[peer].alive = false;
	if (world_chance(w, w->faults.loss))
		return;
	h = world_later(w, CLOSED_AT_DEVICE, 1 + world_random(w, w->faults.delay_ms));
	h->dev = w->conns[peer].dev;
	h->conn = peer;
}

void
net_forget(struct world *w)
{
	while (w->n_exchanges > 0)
		drop(w, &w->exchanges[0]);
	for (size_t i = 1; i < w->n_conns; i++)
		w->conns[i].alive &= !w->conns[i].secure;
}

uint64_t
net_next(const struct world *w)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < w->n_exchanges; i++)
		next = MIN(next, MIN(w->exchanges[i].next_ms, w->exchanges[i].by_ms));
	return next;
}

void
net_tick(struct world *w)
{
	for (size_t i = 0; i < w->n_exchanges; i++) {
		struct exchange *x = &w->exchanges[i];

		if (x->by_ms <= w->now) {
			give(w, x, &(struct bs_event){ .type = BS_EV_NO_ANSWER });
			i = (size_t)-1; /* the list has changed */
			continue;
		}
		if (x->next_ms > w->now)
			continue;
		x->step_ms *= 2;
		x->next_ms = x->acked || ++x->tries > MAX_RETRANSMIT ? UINT64_MAX : w->now + x->step_ms;
		if (x->next_ms != UINT64_MAX)
			transmit(w, x);
	}
}
