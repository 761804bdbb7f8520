#include "bsserver/transport/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/transport/prng.h"
#include "bsserver/transport/timer_hook.h"
#include "lib/base/crypt.h"
#include "lib/base/log.h"

#define MAX_HANDSHAKES_DEFAULT 1024
#define MAX_PEERS_DEFAULT 8192
#define ALERT_ACCESS_DENIED 49
#define FIRST_REPETITION_MS 1900 /* at the earliest: libcoap waits 2 to 3 s for an answer */

struct dtls *
transport_up(void)
{
	return dtls_enter(NULL);
}

void
transport_down(struct dtls *before)
{
	dtls_leave(before);
}

void
transport_enter(struct transport *t)
{
	if (t->depth++ > 0)
		return;
	t->hook_before = dtls_enter(t->dtls);
	t->outbox_before = udp_hook_outbox(t->outbox);
	timer_hook_enter();
}

static void
bury_the_dead(struct transport *t)
{
	while (t->n_dead > 0) {
		coap_session_t *s = t->dead[--t->n_dead];
		struct listener *n = coap_get_app_data(coap_session_get_context(s));
		struct link *k = link_of(s);

		if (k != NULL)
			link_lost(k, "the device began a new handshake");
		session_close(n, s);
		coap_session_release(s);
	}
}

static void
do_work(struct transport *t)
{
	bury_the_dead(t);
	do {
		while (t->work != NULL) {
			struct peer *p = t->work;

			t->work = p->work_next;
			if (t->work == NULL)
				t->work_end = &t->work;
			peer_do_work(p);
		}
		kept_bury(t);
		for (size_t i = 0; i < t->n_listeners; i++)
			listener_sweep(&t->listeners[i]);
	} while (t->work != NULL || t->lost != NULL); /* libcoap may have found a session that went away */
}

void
transport_leave(struct transport *t)
{
	if (t->depth == 1) {
		do_work(t);
		timer_hook_leave();
		(void)udp_hook_outbox(t->outbox_before);
		dtls_leave(t->hook_before);
	}
	t->depth--;
}

/* May be below a call of libcoap's: it is dealt with after the pass. */
static void
on_unsent(void *arg, uint64_t peer, int errnum)
{
	struct transport *t = arg;
	struct peer *p = slots_get(&t->peers, peer);

	log_msg(LVL_DEBUG, LOG_TRANSPORT, NULL, "a message could not be sent: %s", strerror(errnum));
	if (p == NULL)
		return;
	p->down.unsent = true;
	peer_work(p);
}

/* What is done about a message that could not be sent may send another. */
static void
send_all(void *arg)
{
	struct transport *t = arg;

	while (t->outbox != NULL && udp_outbox_waits(t->outbox)) {
		transport_enter(t);
		udp_outbox_flush(t->outbox);
		transport_leave(t);
	}
}

void
transport_owe(struct transport *t, transport_answer_fn *fn, void *arg, uint64_t tag, const char *why)
{
	struct orphan *o = calloc(1, sizeof *o);

	if (o == NULL)
		abort(); /* an answer that never comes would be worse */
	*o = (struct orphan){ NULL, tag, fn, arg, why };
	*t->orphans_end = o;
	t->orphans_end = &o->next;
	if (t->kick != NULL)
		loop_timer_start(t->kick, 0, 0);
}

static void
pay_orphans(struct transport *t)
{
	struct orphan *o = t->orphans;

	t->orphans = NULL;
	t->orphans_end = &t->orphans;
	while (o != NULL) {
		struct orphan *next = o->next;
		o->fn(o->arg, o->tag, &(struct transport_answer){
				 .outcome = TRANSPORT_GONE, .format = -1, .why = o->why });
		free(o);
		o = next;
	}
}

static void
on_kick(void *arg)
{
	pay_orphans(arg);
}

static void
on_tick(void *arg)
{
	struct transport *t = arg;
	struct wheel_item *i;

	transport_enter(t);
	while ((i = wheel_turn(&t->wheel, loop_now_ms(t->loop))) != NULL)
		i->due(i);
	transport_leave(t);
	if (t->wheel.count == 0) {
		loop_timer_stop(t->tick);
		t->ticking = false;
	}
}

void
transport_arm(struct transport *t, struct wheel_item *i, uint64_t in_ms)
{
	uint64_t now = loop_now_ms(t->loop);

	if (!t->ticking) {
		(void)wheel_turn(&t->wheel, now); /* empty: it catches up */
		loop_timer_start(t->tick, WHEEL_TICK_MS, WHEEL_TICK_MS);
		t->ticking = true;
	}
	wheel_set(&t->wheel, i, now + in_ms);
}

coap_mid_t
transport_coap_send(coap_session_t *s, coap_pdu_t *pdu)
{
	coap_mid_t mid;

	timer_hook_sends(FIRST_REPETITION_MS);
	mid = coap_send(s, pdu);
	timer_hook_sent();
	return mid;
}

static bool
hook_psk(void *arg, const char *identity, size_t len, struct secret *key)
{
	struct transport *t = arg;
	struct dtls *before = transport_up();
	bool known = t->hooks.psk != NULL && t->hooks.psk(t->hooks.arg, identity, len, key);

	transport_down(before);
	return known;
}

static void
hook_certificate(void *arg, enum transport_kind kind, const struct transport_blob *chain, size_t n,
    struct transport_verdict *out)
{
	struct transport *t = arg;
	struct dtls *before = transport_up();

	if (t->hooks.certificate != NULL) {
		t->hooks.certificate(t->hooks.arg, kind, chain, n, out);
	} else {
		out->alert = ALERT_ACCESS_DENIED;
		(void)snprintf(out->why, sizeof out->why, "no certificate is taken here");
	}
	transport_down(before);
}

static void
hook_forget(void *arg, void *proof)
{
	struct transport *t = arg;

	if (t->hooks.forget != NULL)
		t->hooks.forget(t->hooks.arg, proof);
}

static unsigned
hook_takes(void *arg, void *session)
{
	const struct listener *n = coap_get_app_data(coap_session_get_context(session));

	(void)arg;
	return n->takes;
}

static void
hook_failed(void *arg, void *session, const struct transport_failure *f)
{
	struct transport *t = arg;
	struct transport_failure from = *f;
	char addr[ADDR_TEXT] = "";

	if (t->hooks.handshake_failed == NULL)
		return;
	(void)socket_text(&coap_session_get_addr_remote(session)->addr.sa, addr);
	struct dtls *before = transport_up();
	from.addr = addr;
	t->hooks.handshake_failed(t->hooks.arg, &from);
	transport_down(before);
}

static bool
hook_dead(void *arg, void *session)
{
	struct transport *t = arg;

	if (t->n_dead == N_ELEMS(t->dead))
		return false;
	t->dead[t->n_dead++] = coap_session_reference(session);
	return true;
}

static void *
hook_tls(void *session)
{
	return coap_session_get_tls(session, NULL);
}

/* libcoap calls alert and error what any datagram from outside can bring about: ours to debug. */
static void
on_libcoap_log(coap_log_t level, const char *text)
{
	(void)level;
	log_msg(LVL_DEBUG, LOG_TRANSPORT, NULL, "libcoap: %.*s", (int)strcspn(text, "\r\n"), text);
}

static enum err_code
open_dtls(struct transport *t, const struct transport_conf *c, struct err *e)
{
	struct dtls_conf d = { .arg = t, .psk = hook_psk, .psk_arg = t, .failed = hook_failed,
		.certificate = hook_certificate, .forget = hook_forget, .takes = hook_takes,
		.dead = hook_dead, .tls = hook_tls,
		.max_handshakes = t->max_handshakes,
		.cbc = c->cbc, .credentials = c->credentials };

	for (size_t i = 0; i < c->n_listeners; i++)
		d.takes_any |= listener_takes(&c->listeners[i]);
	return d.takes_any != 0 ? dtls_new(&d, &t->dtls, e) : ERR_OK;
}

/* Without it libcoap sends each message itself: that costs more, and nothing else. */
static enum err_code
open_outbox(struct transport *t, struct err *e)
{
	if (!udp_hook_batches())
		return ERR_OK;
	enum err_code rc = udp_outbox_new(on_unsent, t, &t->outbox, e);
	return rc == ERR_OK ? loop_rest_new(t->loop, send_all, t, &t->rest, e) : rc;
}

static enum err_code
open_parts(struct transport *t, const struct transport_conf *c, struct err *e)
{
	enum err_code rc;
	uint64_t seed;

	if ((rc = crypt_random(&seed, sizeof seed, e)) != ERR_OK ||
	    (rc = dedup_new(DEDUP_MAX, seed, &t->dedup, e)) != ERR_OK ||
	    (rc = loop_timer_new(t->loop, on_tick, t, &t->tick, e)) != ERR_OK ||
	    (rc = loop_timer_new(t->loop, on_kick, t, &t->kick, e)) != ERR_OK ||
	    (rc = open_outbox(t, e)) != ERR_OK ||
	    (rc = open_dtls(t, c, e)) != ERR_OK)
		return rc;
	t->listeners = calloc(c->n_listeners, sizeof *t->listeners);
	if (t->listeners == NULL)
		return err_no_memory(e);
	for (size_t i = 0; i < c->n_listeners; i++) {
		t->listeners[i].index = (uint16_t)i;
		t->n_listeners++;
		rc = listener_open(&t->listeners[i], t, &c->listeners[i], e);
		if (rc != ERR_OK)
			return rc;
	}
	return ERR_OK;
}

enum err_code
transport_open(struct loop *l, const struct transport_conf *c, struct transport **out, struct err *e)
{
	if (c->n_listeners == 0 || c->n_listeners > UINT16_MAX)
		return err_set(e, ERR_INVALID, "transport: no listener");
	struct transport *t = calloc(1, sizeof *t);
	if (t == NULL)
		return err_no_memory(e);
	t->loop = l;
	t->hooks = c->hooks;
	t->routes = c->routes;
	t->n_routes = c->n_routes;
	t->max_peers = c->max_peers != 0 ? c->max_peers : MAX_PEERS_DEFAULT;
	t->max_handshakes = c->max_handshakes != 0 ? c->max_handshakes : MAX_HANDSHAKES_DEFAULT;
	t->work_end = &t->work;
	t->orphans_end = &t->orphans;
	wheel_init(&t->wheel, loop_now_ms(l));
	coap_startup();
	prng_install();
	coap_set_log_handler(on_libcoap_log);
	coap_set_log_level(LOG_ERR); /* never above: at LOG_DEBUG libcoap prints payloads, keys with them */
	enum err_code rc = open_parts(t, c, e);
	if (rc != ERR_OK) {
		transport_close(t);
		return rc;
	}
	*out = t;
	return ERR_OK;
}

void
transport_close(struct transport *t)
{
	if (t == NULL)
		return;
	loop_timer_free(t->kick);
	t->kick = NULL;
	t->hooks.peer_gone = NULL;
	t->hooks.kept_gone = NULL;
	t->hooks.handshake_failed = NULL;
	peers_drop_all(t);
	while (t->orphans != NULL) /* each may send, and be told so, once more */
		pay_orphans(t);
	send_all(t);
	struct dtls *before = dtls_enter(t->dtls);
	for (size_t i = 0; i < t->n_listeners; i++)
		listener_close(&t->listeners[i]);
	dtls_leave(before);
	loop_timer_free(t->tick);
	loop_rest_free(t->rest);
	udp_outbox_free(t->outbox);
	dtls_free(t->dtls);
	dedup_free(t->dedup);
	slots_clear(&t->peers);
	slots_clear(&t->kept);
	slots_clear(&t->requests);
	free(t->listeners);
	wipe(t->random, sizeof t->random);
	free(t);
}

enum err_code
transport_reload(struct transport *t, const struct transport_credentials *c, struct err *e)
{
	return t->dtls != NULL ? dtls_reload(t->dtls, c, e) : ERR_OK;
}

uint16_t
transport_port(const struct transport *t, size_t i)
{
	return i < t->n_listeners ? t->listeners[i].port : 0;
}

void
transport_stats(const struct transport *t, struct transport_stats *out)
{
	struct dtls_stats d = { 0 };

	*out = t->stats;
	out->peers = t->peers.count;
	out->kept = t->kept.count;
	if (t->dtls != NULL)
		dtls_stats(t->dtls, &d);
	out->handshakes = d.handshakes;
	out->handshakes_failed = d.failed;
	out->handshakes_given_up = d.given_up;
	out->half_open = d.half_open;
	out->cookies = d.cookies;
	for (size_t i = 0; i < t->n_listeners; i++)
		out->datagrams_dropped += socket_dropped(t->listeners[i].udp_fd);
}
