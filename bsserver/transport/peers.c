#include "bsserver/transport/internal.h"

#include <stdlib.h>

#include "lib/base/log.h"

struct link *
link_of(const coap_session_t *s)
{
	return coap_session_get_app_data(s);
}

bool
link_alive(const struct link *k)
{
	return k->lost == NULL &&
	    coap_session_get_state(k->session) == COAP_SESSION_STATE_ESTABLISHED;
}

static struct link *
link_new(struct listener *n, coap_session_t *s)
{
	struct link *k = calloc(1, sizeof *k);

	if (k == NULL)
		return NULL;
	k->listener = n;
	k->session = coap_session_reference(s);
	coap_session_set_max_retransmit(s, COAP_DEFAULT_MAX_RETRANSMIT);
	if (!socket_text(&coap_session_get_addr_remote(s)->addr.sa, k->addr))
		k->addr[0] = '\0';
	coap_session_set_app_data(s, k);
	return k;
}

void
link_free(struct link *k)
{
	k->listener->sweep |= k->lost != NULL; /* its session is over: its address may be free for the next at once */
	coap_session_set_app_data(k->session, NULL);
	coap_session_release(k->session);
	free(k);
}

void
link_lost(struct link *k, const char *why)
{
	if (k->lost != NULL)
		return;
	k->lost = why;
	if (k->kept != 0)
		kept_lost(k);
	for (struct peer *p = k->peers; p != NULL; p = p->next)
		peer_work(p);
}

/*
 * Ends what libcoap does on a session: its messages, and with DTLS the session itself, with a
 * close_notify. libcoap frees it with the next look at its sessions.
 */
void
session_close(struct listener *n, coap_session_t *s)
{
	coap_session_disconnected(s, COAP_NACK_NOT_DELIVERABLE);
	n->sweep = true;
}

void
link_hush(struct link *k)
{
	if (k->lost != NULL || k->listener->scheme != TRANSPORT_COAP)
		return;
	k->lost = "its messages are being cancelled"; /* libcoap tells us so: no news */
	session_close(k->listener, k->session);
	k->lost = NULL;
}

static void
silent(struct wheel_item *i)
{
	struct peer *p = CONTAINER_OF(i, struct peer, silent);
	struct transport *t = p->link->listener->t;
	uint64_t idle = loop_now_ms(t->loop) - p->used_ms;

	if (p->down.state != DOWNLINK_NONE || p->up.handle != 0 || idle < PEER_SILENT_MS)
		transport_arm(t, i, PEER_SILENT_MS);
	else
		link_lost(p->link, "nothing was done with it for ten minutes");
}

struct peer *
peer_new(struct listener *n, coap_session_t *s, const char **why)
{
	struct transport *t = n->t;
	struct link *k = link_of(s);

	*why = "out of memory";
	if (t->peers.count >= t->max_peers) {
		*why = "too many devices at once";
		return NULL;
	}
	if (k != NULL && (k->lost != NULL || k->n_peers >= PEERS_PER_LINK)) {
		*why = "too many requests at once";
		return NULL;
	}
	struct peer *p = calloc(1, sizeof *p);
	if (p == NULL)
		return NULL;
	if (k == NULL)
		k = link_new(n, s);
	p->handle = k != NULL ? slots_add(&t->peers, p) : 0;
	if (p->handle == 0) {
		if (k != NULL && k->n_peers == 0 && k->kept == 0)
			link_free(k);
		free(p);
		return NULL;
	}
	p->link = k;
	p->next = k->peers;
	k->peers = p;
	k->n_peers++;
	p->used_ms = loop_now_ms(t->loop);
	p->silent.due = silent;
	p->up.late.due = inbound_late;
	p->down.deadline.due = downlink_deadline;
	transport_arm(t, &p->silent, PEER_SILENT_MS);
	return p;
}

static void
peer_free(struct peer *p)
{
	struct link *k = p->link;
	struct transport *t = k->listener->t;
	struct peer **at = &k->peers;

	inbound_drop(p);
	wheel_unset(&t->wheel, &p->silent);
	slots_remove(&t->peers, p->handle);
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	if (--k->n_peers == 0 && k->kept == 0)
		link_free(k);
	free(p);
}

void
peer_work(struct peer *p)
{
	struct transport *t = p->link->listener->t;

	if (p->on_work)
		return;
	p->on_work = true;
	p->work_next = NULL;
	*t->work_end = p;
	t->work_end = &p->work_next;
}

static void
let_go(struct peer *p)
{
	struct link *k = p->link;

	if (p->down.state == DOWNLINK_SENT)
		link_hush(k);
	downlink_gone(p, "the session was released");
	if (p->close && k->lost == NULL && k->n_peers == 1 && k->kept == 0 &&
	    k->listener->scheme == TRANSPORT_COAPS) {
		k->lost = "the session was released";
		session_close(k->listener, k->session);
	}
	peer_free(p);
}

/* Its session is lost, and the user does not know it yet. */
static void
bury(struct peer *p)
{
	struct transport *t = p->link->listener->t;

	if (!p->released && t->hooks.peer_gone != NULL) {
		struct dtls *before = transport_up();
		t->hooks.peer_gone(t->hooks.arg, p->handle, p->link->lost);
		transport_down(before);
	}
	downlink_gone(p, p->link->lost); /* who asked knows by now why no answer came */
	peer_free(p);
}

void
peer_do_work(struct peer *p)
{
	/* while on_work is true what our user calls cannot put it on the list once more */
	if (p->released) {
		let_go(p);
	} else if (p->link->lost != NULL) {
		bury(p);
	} else {
		p->on_work = false;
		if (p->down.unsent)
			downlink_unsent(p);
		else if (p->down.state == DOWNLINK_WAITING && p->up.handle == 0 && p->link->busy == NULL)
			downlink_go(p);
	}
}

void
transport_release(struct transport *t, uint64_t peer, bool failed)
{
	struct peer *p = slots_get(&t->peers, peer);

	(void)failed; /* both end the session when this turn's messages have gone out */
	if (p == NULL)
		return;
	transport_enter(t);
	p->released = true;
	p->close = true;
	peer_work(p);
	transport_leave(t);
}

void
peers_drop_all(struct transport *t)
{
	for (size_t i = 0; i < t->peers.n; i++) {
		struct peer *p = t->peers.v[i].p;
		if (p != NULL)
			link_lost(p->link, "the server is closing");
	}
	kept_drop_all(t);
	transport_enter(t);
	transport_leave(t);
}
