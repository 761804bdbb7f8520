#include "bsserver/transport/internal.h"

#include <string.h>

#include "lib/base/crypt.h"

#define PAYLOAD_MAX ((size_t)1 << 20)
#define HEAD_MAX 128 /* octets of a message before its payload: a path is at most 64 */
#define TOKEN_LEN 4 /* RFC 7252 section 5.3.1: 32 random bits at least */
/*
 * libcoap gives up a handshake after so many, which are a second apart while it has nothing of its own
 * to repeat: before a device repeats what was lost twice. GnuTLS ends it 40 s after its begin.
 */
#define HANDSHAKE_TIMEOUTS 60

static bool
fill_token(struct transport *t, struct downlink *d)
{
	if (t->random_left < TOKEN_LEN) {
		if (crypt_random(t->random, sizeof t->random, NULL) != ERR_OK)
			return false;
		t->random_left = sizeof t->random;
	}
	t->random_left -= TOKEN_LEN;
	memcpy(d->token, t->random + t->random_left, TOKEN_LEN);
	d->token_len = TOKEN_LEN;
	return true;
}

static bool
add_uint(coap_pdu_t *pdu, coap_option_num_t number, uint32_t v)
{
	uint8_t buf[4];

	return coap_add_option(pdu, number, coap_encode_var_safe(buf, sizeof buf, v), buf) != 0;
}

static bool
add_path(coap_pdu_t *pdu, const char *path)
{
	while (*path == '/') {
		size_t n = strcspn(++path, "/");
		if (n > 0 && coap_add_option(pdu, COAP_OPTION_URI_PATH, n, (const uint8_t *)path) == 0)
			return false;
		path += n;
	}
	return true;
}

/* Options in the order of their numbers. */
static bool
add_options(coap_pdu_t *pdu, const struct downlink *d, const struct block_message *m)
{
	bool has_payload = m->payload != NULL && m->len > 0;

	return add_path(pdu, d->path) &&
	    (d->format < 0 || !has_payload ||
		add_uint(pdu, COAP_OPTION_CONTENT_FORMAT, (uint32_t)d->format)) &&
	    (d->accept < 0 || add_uint(pdu, COAP_OPTION_ACCEPT, (uint32_t)d->accept)) &&
	    (!m->has_block2 || add_uint(pdu, COAP_OPTION_BLOCK2, m->block2)) &&
	    (!m->has_block1 || add_uint(pdu, COAP_OPTION_BLOCK1, m->block1)) &&
	    (!m->has_size1 || add_uint(pdu, COAP_OPTION_SIZE1, m->size1)) &&
	    (!has_payload || coap_add_data(pdu, m->len, m->payload) != 0);
}

/* A device may have asked for small records (RFC 6066 section 4): a message is one record. */
static uint8_t
largest_block(const coap_session_t *s)
{
	size_t room = dtls_record_max(coap_session_get_tls(s, NULL));
	uint8_t szx = BLOCK_SZX;

	while (szx > 0 && ((size_t)16 << szx) + HEAD_MAX > room)
		szx--;
	return szx;
}

/* The next message of the request, ready to go. */
static bool
make_message(struct peer *p)
{
	struct downlink *d = &p->down;
	coap_session_t *s = p->link->session;
	struct block_message m;

	if (!fill_token(p->link->listener->t, d))
		return false;
	block_message(&d->block, &m);
	coap_pdu_t *pdu = coap_pdu_init(COAP_MESSAGE_CON, (coap_pdu_code_t)d->method,
	    coap_new_message_id(s), coap_session_max_pdu_size(s));
	if (pdu == NULL)
		return false;
	if (coap_add_token(pdu, d->token_len, d->token) == 0 || !add_options(pdu, d, &m)) {
		coap_delete_pdu(pdu);
		return false;
	}
	d->pdu = pdu;
	return true;
}

static void
clear(struct peer *p)
{
	struct downlink *d = &p->down;
	struct link *k = p->link;

	wheel_unset(&k->listener->t->wheel, &d->deadline);
	if (d->pdu != NULL)
		coap_delete_pdu(d->pdu);
	d->pdu = NULL;
	d->unsent = false;
	d->state = DOWNLINK_NONE;
	gbuf_clear(&d->payload);
	if (k->busy != p)
		return;
	k->busy = NULL;
	for (struct peer *q = k->peers; q != NULL; q = q->next)
		if (q->down.state == DOWNLINK_WAITING)
			peer_work(q);
}

/* The one place where a request ends; a->payload may lie in the request's own block. */
static void
end(struct peer *p, const struct transport_answer *a)
{
	struct block block = p->down.block;
	transport_answer_fn *fn = p->down.fn;
	void *arg = p->down.arg;
	uint64_t tag = p->down.tag;

	p->down.block = (struct block){ .payload = NULL };
	clear(p);
	struct dtls *before = transport_up();
	fn(arg, tag, a);
	transport_down(before);
	block_clear(&block);
}

void
downlink_gone(struct peer *p, const char *why)
{
	if (p->down.state != DOWNLINK_NONE)
		end(p, &(struct transport_answer){ .outcome = TRANSPORT_GONE, .format = -1, .why = why });
}

#define NOT_SENT "the message could not be sent"

void
downlink_unsent(struct peer *p)
{
	p->down.unsent = false;
	if (p->down.state != DOWNLINK_SENT)
		return;
	link_hush(p->link); /* libcoap believes that it went */
	downlink_gone(p, NOT_SENT);
}

/* The caller of transport_send() may be below us: the answer comes with the next turn. */
static void
could_not_send(struct peer *p, const char *why)
{
	struct transport *t = p->link->listener->t;

	transport_owe(t, p->down.fn, p->down.arg, p->down.tag, why);
	block_clear(&p->down.block);
	clear(p);
}

void
downlink_go(struct peer *p)
{
	struct downlink *d = &p->down;
	struct transport *t = p->link->listener->t;
	coap_pdu_t *pdu = d->pdu;

	if (!link_alive(p->link)) {
		could_not_send(p, "its session is closed");
		return;
	}
	d->pdu = NULL; /* libcoap's, also when it fails */
	p->link->busy = p;
	d->state = DOWNLINK_SENT;
	t->stats.requests_out++;
	if (t->outbox != NULL)
		udp_outbox_tag(t->outbox, p->handle);
	coap_mid_t mid = transport_coap_send(p->link->session, pdu);
	if (t->outbox != NULL)
		udp_outbox_tag(t->outbox, 0);
	if (mid == COAP_INVALID_MID)
		could_not_send(p, NOT_SENT);
}

void
downlink_deadline(struct wheel_item *i)
{
	struct peer *p = CONTAINER_OF(i, struct peer, down.deadline);

	if (p->down.state == DOWNLINK_NONE)
		return;
	if (p->down.state == DOWNLINK_SENT) /* a device that comes back shall not get it late */
		link_hush(p->link);
	end(p, &(struct transport_answer){ .outcome = TRANSPORT_NO_ANSWER, .format = -1 });
}

/* A value of at most max octets; a longer one is as none. */
static bool
take_uint(const coap_opt_t *o, size_t max, uint32_t *out)
{
	if (coap_opt_length(o) > max)
		return false;
	*out = (uint32_t)coap_decode_var_bytes(coap_opt_value(o), coap_opt_length(o));
	return true;
}

/* One walk over the options: of one that comes twice the first counts. */
static void
read_answer(const coap_pdu_t *pdu, struct block_answer *b, int *format)
{
	coap_opt_iterator_t it;
	coap_opt_t *o;
	uint32_t v = 0;

	*b = (struct block_answer){ .code = (uint8_t)coap_pdu_get_code(pdu) };
	*format = -1;
	(void)coap_option_iterator_init(pdu, &it, COAP_OPT_ALL);
	while ((o = coap_option_next(&it)) != NULL) {
		if (it.number == COAP_OPTION_CONTENT_FORMAT && *format < 0 && take_uint(o, 2, &v))
			*format = (int)v;
		else if (it.number == COAP_OPTION_BLOCK1 && !b->has_block1)
			b->has_block1 = take_uint(o, 3, &b->block1);
		else if (it.number == COAP_OPTION_BLOCK2 && !b->has_block2)
			b->has_block2 = take_uint(o, 3, &b->block2);
		else if (it.number == COAP_OPTION_ETAG && b->etag == NULL) {
			b->etag = coap_opt_value(o);
			b->etag_len = coap_opt_length(o);
		}
	}
	(void)coap_get_data(pdu, &b->len, &b->payload);
}

static void
answered(struct peer *p, const coap_pdu_t *pdu)
{
	struct block_answer b;
	const uint8_t *body = NULL;
	size_t body_len = 0;
	const char *why = NULL;
	int format;

	p->used_ms = loop_now_ms(p->link->listener->t->loop);
	read_answer(pdu, &b, &format);
	switch (block_answer(&p->down.block, &b, &body, &body_len, &why)) {
	case BLOCK_NEXT:
		p->down.state = DOWNLINK_WAITING;
		p->link->busy = NULL;
		if (make_message(p))
			peer_work(p);
		else
			downlink_gone(p, "out of memory");
		break;
	case BLOCK_DONE:
		end(p, &(struct transport_answer){ .outcome = TRANSPORT_RESPONSE, .code = b.code,
			   .format = format, .payload = body, .payload_len = body_len });
		break;
	case BLOCK_BROKEN:
		downlink_gone(p, why);
		break;
	}
}

/* Whose request a token is of; NULL: nobody's. */
static struct peer *
asker(const coap_session_t *s, const coap_pdu_t *pdu)
{
	const struct link *k = link_of(s);
	coap_bin_const_t token = coap_pdu_get_token(pdu);

	if (k == NULL || k->lost != NULL || k->busy == NULL)
		return NULL;
	const struct downlink *d = &k->busy->down;
	return token.length == d->token_len && memcmp(token.s, d->token, d->token_len) == 0 ?
	    k->busy : NULL;
}

static coap_response_t
on_response(coap_session_t *s, const coap_pdu_t *sent, const coap_pdu_t *pdu, const coap_mid_t mid)
{
	struct peer *p = asker(s, pdu);

	(void)sent;
	(void)mid;
	if (p == NULL) /* nobody asked, or nobody waits any more: a reset, when it wants to know */
		return coap_pdu_get_type(pdu) == COAP_MESSAGE_CON ? COAP_RESPONSE_FAIL : COAP_RESPONSE_OK;
	answered(p, pdu);
	return COAP_RESPONSE_OK;
}

static void
on_nack(coap_session_t *s, const coap_pdu_t *sent, const coap_nack_reason_t reason,
    const coap_mid_t mid)
{
	struct peer *p = sent != NULL ? asker(s, sent) : NULL;

	(void)mid;
	if (p == NULL)
		return;
	switch (reason) {
	case COAP_NACK_TOO_MANY_RETRIES:
		end(p, &(struct transport_answer){ .outcome = TRANSPORT_NO_ANSWER, .format = -1 });
		break;
	case COAP_NACK_RST:
		end(p, &(struct transport_answer){ .outcome = TRANSPORT_RESET, .format = -1 });
		break;
	case COAP_NACK_ICMP_ISSUE: /* it may be there again: libcoap goes on sending */
		break;
	default: /* the session went away; later versions of libcoap have more words for it */
		link_lost(p->link, "the device closed its session");
		break;
	}
}

static int
on_event(coap_session_t *s, const coap_event_t event)
{
	struct link *k = link_of(s);

	if (event == COAP_EVENT_SERVER_SESSION_NEW && coap_session_get_proto(s) == COAP_PROTO_DTLS)
		coap_session_set_max_retransmit(s, HANDSHAKE_TIMEOUTS); /* link_new() sets CoAP's own */
	if (k != NULL && (event == COAP_EVENT_DTLS_CLOSED || event == COAP_EVENT_DTLS_ERROR))
		link_lost(k, "the device closed its session");
	return 0;
}

void
downlink_register(coap_context_t *ctx)
{
	coap_register_response_handler(ctx, on_response);
	coap_register_nack_handler(ctx, on_nack);
	coap_register_event_handler(ctx, on_event);
}

/* NULL when it can go; else why not. */
static const char *
wrong_with(const struct peer *p, const struct transport_out *o)
{
	if (p == NULL || p->released)
		return "its session is over";
	if (p->link->lost != NULL)
		return p->link->lost;
	if (p->down.state != DOWNLINK_NONE)
		return "another request to it is under way";
	if (o->path[0] != '/' || strlen(o->path) > PATH_MAX_LEN)
		return "its path is not absolute, or too long";
	if (o->payload_len > PAYLOAD_MAX)
		return "its payload is larger than 1 MiB";
	return NULL;
}

static bool
fill(struct peer *p, const struct transport_out *o)
{
	struct downlink *d = &p->down;

	d->method = o->method;
	d->format = o->format;
	d->accept = o->accept;
	memcpy(d->path, o->path, strlen(o->path) + 1);
	block_start(&d->block, o->payload, o->payload_len, largest_block(p->link->session));
	if (d->block.upload) { /* later messages want it too; the first holds a small one whole */
		gbuf_put(&d->payload, o->payload, o->payload_len);
		if (d->payload.failed)
			return false;
		d->block.payload = d->payload.data;
	}
	if (!make_message(p))
		return false;
	if (!d->block.upload) {
		d->block.payload = NULL;
		d->block.len = 0;
	}
	return true;
}

void
transport_send(struct transport *t, uint64_t peer, const struct transport_out *o, uint64_t tag,
    transport_answer_fn *fn, void *arg)
{
	struct peer *p = slots_get(&t->peers, peer);
	const char *wrong = wrong_with(p, o);

	transport_enter(t);
	if (wrong != NULL) {
		transport_owe(t, fn, arg, tag, wrong);
	} else {
		p->down.tag = tag;
		p->down.fn = fn;
		p->down.arg = arg;
		p->down.state = DOWNLINK_WAITING;
		p->used_ms = loop_now_ms(t->loop);
		if (fill(p, o)) {
			transport_arm(t, &p->down.deadline, o->timeout_ms);
			peer_work(p);
		} else {
			could_not_send(p, "out of memory");
		}
	}
	transport_leave(t);
}
