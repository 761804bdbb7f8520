#include "bsserver/transport/internal.h"

#include <string.h>

#include "lib/base/log.h"

#define QUERIES_MAX 32
#define OPTIONS_ROOM 32 /* of an answer, without its text */

#define CODE(class, detail) ((uint8_t)((class) << 5 | (detail)))
enum {
	CODE_CREATED = CODE(2, 1),
	CODE_CONTINUE = CODE(2, 31),
	CODE_BAD_REQUEST = CODE(4, 0),
	CODE_UNAUTHORIZED = CODE(4, 1),
	CODE_BAD_OPTION = CODE(4, 2),
	CODE_NOT_FOUND = CODE(4, 4),
	CODE_NOT_ALLOWED = CODE(4, 5),
	CODE_INCOMPLETE = CODE(4, 8),
	CODE_TOO_LARGE = CODE(4, 13),
	CODE_NOT_IMPLEMENTED = CODE(5, 1),
	CODE_UNAVAILABLE = CODE(5, 3),
};
#define RETRY_AFTER_S 30

/* What is read from a request's options; everything borrowed from it. */
struct parsed {
	char path[PATH_MAX_LEN + 1];
	size_t path_len;
	bool no_such_path; /* one that no route can have */
	bool has_block1, bad_block1;
	uint32_t block1, size1; /* size1 0: not said */
	struct transport_query queries[QUERIES_MAX];
	size_t n_queries;
	bool too_many_queries;
	int format, accept;
	const uint8_t *payload; /* all of it, when it came in blocks */
	size_t payload_len;
};

static void
take_segment(struct parsed *p, const uint8_t *v, size_t n)
{
	size_t slash = p->path_len > 0 ? 1 : 0;

	if (n == 0 || slash + n > PATH_MAX_LEN - p->path_len || memchr(v, '/', n) != NULL ||
	    memchr(v, '\0', n) != NULL) {
		p->no_such_path = true;
		return;
	}
	if (slash != 0)
		p->path[p->path_len++] = '/';
	memcpy(p->path + p->path_len, v, n);
	p->path_len += n;
}

static void
take_query(struct parsed *p, const uint8_t *v, size_t n)
{
	if (p->n_queries == QUERIES_MAX) {
		p->too_many_queries = true;
		return;
	}
	p->queries[p->n_queries++] = (struct transport_query){ (const char *)v, n };
}

static void
take_option(struct parsed *p, coap_option_num_t number, const coap_opt_t *o)
{
	const uint8_t *v = coap_opt_value(o);
	size_t n = coap_opt_length(o);

	switch (number) {
	case COAP_OPTION_URI_PATH:
		take_segment(p, v, n);
		break;
	case COAP_OPTION_URI_QUERY:
		take_query(p, v, n);
		break;
	case COAP_OPTION_CONTENT_FORMAT:
		p->format = n <= 2 ? (int)coap_decode_var_bytes(v, n) : -1;
		break;
	case COAP_OPTION_ACCEPT:
		p->accept = n <= 2 ? (int)coap_decode_var_bytes(v, n) : -1;
		break;
	case COAP_OPTION_BLOCK1:
		p->bad_block1 = n > 3 || p->has_block1;
		p->has_block1 = true;
		p->block1 = n <= 3 ? coap_decode_var_bytes(v, n) : 0;
		break;
	case COAP_OPTION_SIZE1:
		p->size1 = n <= 4 ? coap_decode_var_bytes(v, n) : UINT32_MAX;
		break;
	default:
		break;
	}
}

static void
parse(const coap_pdu_t *request, struct parsed *p)
{
	coap_opt_iterator_t it;

	*p = (struct parsed){ .format = -1, .accept = -1 };
	(void)coap_option_iterator_init(request, &it, COAP_OPT_ALL);
	for (coap_opt_t *o = coap_option_next(&it); o != NULL; o = coap_option_next(&it))
		take_option(p, it.number, o);
	p->path[p->path_len] = '\0';
	(void)coap_get_data(request, &p->payload_len, &p->payload);
}

static bool
path_fits(const char *route, const char *path)
{
	size_t n = strlen(route);

	if (n > 0 && route[n - 1] == '*')
		return strncmp(route, path, n - 1) == 0 && path[n - 1] != '\0';
	return strcmp(route, path) == 0;
}

/* The route, or NULL and the code that says why there is none. */
static const struct transport_route *
find_route(const struct transport *t, uint8_t method, const struct parsed *p, uint8_t *code)
{
	*code = CODE_NOT_FOUND;
	if (p->no_such_path)
		return NULL;
	for (size_t i = 0; i < t->n_routes; i++) {
		const struct transport_route *r = &t->routes[i];

		if (!path_fits(r->path, p->path))
			continue;
		if ((uint8_t)r->method == method)
			return r;
		*code = CODE_NOT_ALLOWED;
	}
	/* LwM2M 1.2: the device then asks for an ordinary bootstrap */
	if (*code == CODE_NOT_FOUND && method == TRANSPORT_GET && strcmp(p->path, "bspack") == 0)
		*code = CODE_NOT_IMPLEMENTED;
	return NULL;
}

static void
make_key(const struct listener *n, const coap_session_t *s, const coap_pdu_t *request,
    struct dedup_key *k)
{
	const coap_address_t *a = coap_session_get_addr_remote(s);
	coap_bin_const_t token = coap_pdu_get_token(request);

	*k = (struct dedup_key){ .listener = n->index, .mid = (uint16_t)coap_pdu_get_mid(request) };
	if (a->addr.sa.sa_family == AF_INET) {
		memcpy(k->addr, &a->addr.sin.sin_addr, sizeof a->addr.sin.sin_addr);
		k->port = a->addr.sin.sin_port;
	} else {
		memcpy(k->addr, &a->addr.sin6.sin6_addr, sizeof k->addr);
		k->port = a->addr.sin6.sin6_port;
	}
	if (n->scheme == TRANSPORT_COAPS) /* message ids begin anew with each */
		k->session = dtls_serial(coap_session_get_tls(s, NULL));
	k->token_len = (uint8_t)MIN(token.length, sizeof k->token);
	memcpy(k->token, token.s, k->token_len);
}

static void
send_empty_ack(coap_session_t *s, uint16_t mid)
{
	coap_pdu_t *pdu = coap_pdu_init(COAP_MESSAGE_ACK, COAP_EMPTY_CODE, mid, 0);

	if (pdu != NULL)
		(void)transport_coap_send(s, pdu);
}

struct reply {
	const uint8_t *token;
	size_t token_len;
	uint16_t mid;
	bool separate;
	struct dedup_answer answer;
	struct uplink_block block;
};

static bool
add_location(coap_pdu_t *pdu, const char *path)
{
	for (size_t n; *path != '\0'; path += n + (path[n] == '/')) {
		n = strcspn(path, "/");
		if (coap_add_option(pdu, COAP_OPTION_LOCATION_PATH, n, (const uint8_t *)path) == 0)
			return false;
	}
	return true;
}

static bool
add_number(coap_pdu_t *pdu, coap_option_num_t number, uint32_t v)
{
	uint8_t b[4];

	return coap_add_option(pdu, number, coap_encode_var_safe(b, sizeof b, v), b) != 0;
}

/* In the order of their numbers; libcoap would sort them at a cost. */
static bool
add_options(coap_pdu_t *pdu, const struct reply *r, bool created)
{
	const struct dedup_answer *a = &r->answer;
	const struct uplink_block *k = &r->block;

	return (!created || add_location(pdu, a->text)) &&
	    (a->max_age_s == 0 || add_number(pdu, COAP_OPTION_MAXAGE, a->max_age_s)) &&
	    (!k->came || a->code >> 5 != 2 || add_number(pdu, COAP_OPTION_BLOCK1, k->block1)) &&
	    (k->max == 0 || a->code != CODE_TOO_LARGE || add_number(pdu, COAP_OPTION_SIZE1, k->max));
}

static void
send_reply(coap_session_t *s, const struct reply *r)
{
	const struct dedup_answer *a = &r->answer;
	bool created = a->code == CODE_CREATED && a->text != NULL;
	size_t text_len = a->text != NULL ? strlen(a->text) : 0;
	coap_pdu_t *pdu = coap_pdu_init(r->separate ? COAP_MESSAGE_CON : COAP_MESSAGE_ACK, a->code,
	    r->separate ? coap_new_message_id(s) : r->mid, r->token_len + OPTIONS_ROOM + text_len);

	if (pdu == NULL)
		return; /* the device asks again */
	if (coap_add_token(pdu, r->token_len, r->token) == 0 ||
	    !add_options(pdu, r, created) ||
	    (text_len > 0 && !created && coap_add_data(pdu, text_len, (const uint8_t *)a->text) == 0)) {
		coap_delete_pdu(pdu);
		return;
	}
	(void)transport_coap_send(s, pdu);
}

static struct uplink_block
block_of(const struct parsed *q, const struct transport_route *route)
{
	return (struct uplink_block){ q->has_block1, q->block1, route->body_max };
}

/* At once, to a request that nobody has to think about. */
static void
answer_now(coap_session_t *s, const coap_pdu_t *request, const struct dedup_answer *a, struct uplink_block block)
{
	coap_bin_const_t token = coap_pdu_get_token(request);

	send_reply(s, &(struct reply){ token.s, token.length, (uint16_t)coap_pdu_get_mid(request), false, *a, block });
}

static void
still_running(struct listener *n, coap_session_t *s, uint64_t dedup_id)
{
	struct transport *t = n->t;
	struct peer *p = slots_get(&t->requests, dedup_owner(t->dedup, dedup_id));
	if (p == NULL)
		return;
	p->up.acknowledged = true;
	send_empty_ack(s, p->up.mid);
}

static void
call_handler(struct peer *p, const struct transport_route *route, const struct parsed *q)
{
	struct listener *n = p->link->listener;
	struct transport_request r = { .peer = p->handle, .request = p->up.handle,
		.addr = p->link->addr, .listener = n->name, .path = q->path, .queries = q->queries,
		.n_queries = q->n_queries, .format = q->format, .accept = q->accept,
		.payload = q->payload, .payload_len = q->payload_len };

	if (n->scheme == TRANSPORT_COAPS)
		(void)dtls_identity(coap_session_get_tls(p->link->session, NULL), &r.identity);
	struct dtls *before = transport_up();
	route->handler(n->t->hooks.arg, &r);
	transport_down(before);
}

static void
answer_for_good(struct listener *n, coap_session_t *s, const coap_pdu_t *request, uint64_t dedup_id,
    const struct dedup_answer *a, struct uplink_block block)
{
	dedup_answered(n->t->dedup, dedup_id, a, loop_now_ms(n->t->loop));
	answer_now(s, request, a, block);
}

static void
new_request(struct listener *n, coap_session_t *s, const struct transport_route *route,
    const coap_pdu_t *request, const struct parsed *q, const struct dedup_key *k, uint64_t dedup_id)
{
	struct transport *t = n->t;
	const char *why = NULL;
	struct peer *p = peer_new(n, s, &why);
	uint64_t handle = p != NULL ? slots_add(&t->requests, p) : 0;

	t->stats.requests_in++;
	if (handle == 0) {
		if (p != NULL) {
			p->released = true;
			peer_work(p);
		}
		answer_for_good(n, s, request, dedup_id,
		    &(struct dedup_answer){ CODE_UNAVAILABLE, RETRY_AFTER_S, why }, block_of(q, route));
		return;
	}
	p->up.block = block_of(q, route);
	p->up.handle = handle;
	p->up.dedup = dedup_id;
	p->up.mid = k->mid;
	p->up.token_len = k->token_len;
	memcpy(p->up.token, k->token, sizeof p->up.token);
	dedup_set_owner(t->dedup, dedup_id, handle);
	transport_arm(t, &p->up.late, ANSWER_LATE_MS);
	call_handler(p, route, q);
}

/* ---- payloads in blocks ---- */

/* All that tells one payload from another of the same device. */
static uint64_t
digest(const struct gather *g, const coap_pdu_t *request)
{
	coap_opt_iterator_t it;
	uint64_t sum = gather_option(g, 0, coap_pdu_get_code(request), NULL, 0);

	(void)coap_option_iterator_init(request, &it, COAP_OPT_ALL);
	for (coap_opt_t *o = coap_option_next(&it); o != NULL; o = coap_option_next(&it))
		if (it.number != COAP_OPTION_BLOCK1 && it.number != COAP_OPTION_SIZE1)
			sum = gather_option(g, sum, it.number, coap_opt_value(o), coap_opt_length(o));
	return sum;
}

static struct dedup_answer
answer_to_block(enum gather_step step)
{
	switch (step) {
	case GATHER_NEXT:
		return (struct dedup_answer){ CODE_CONTINUE, 0, NULL };
	case GATHER_INCOMPLETE:
		return (struct dedup_answer){ CODE_INCOMPLETE, 0, "blocks before this one are missing: begin anew" };
	case GATHER_TOO_LARGE:
		return (struct dedup_answer){ CODE_TOO_LARGE, 0, "the payload is too long" };
	case GATHER_FULL:
		return (struct dedup_answer){ CODE_UNAVAILABLE, RETRY_AFTER_S, "too many payloads in blocks at once" };
	default:
		return (struct dedup_answer){ CODE_BAD_REQUEST, 0, "Block1: not the length of this block" };
	}
}

/* true: all of the payload is there. false: it is answered. */
static bool
gathered(struct listener *n, coap_session_t *s, const struct transport_route *route, const coap_pdu_t *request,
    struct parsed *q, const struct dedup_key *k, uint64_t dedup_id)
{
	struct gather_key key = { .session = k->session, .options = digest(n->gather, request), .port = k->port };
	const struct gather_block b = { q->block1, q->size1, q->payload, q->payload_len };

	memcpy(key.addr, k->addr, sizeof key.addr);
	enum gather_step step = gather_take(n->gather, &key, &b, route->body_max, loop_now_ms(n->t->loop), &q->payload,
	    &q->payload_len);
	if (step == GATHER_WHOLE)
		return true;
	const struct dedup_answer a = answer_to_block(step);
	answer_for_good(n, s, request, dedup_id, &a, block_of(q, route));
	return false;
}

/* The answer to a request that no handler sees; 0: one does. */
static uint8_t
refusal(const struct listener *n, const coap_session_t *s, const coap_pdu_t *request,
    const struct parsed *q, const struct transport_route **route)
{
	uint8_t code = 0;
	struct transport_identity who;

	if (n->scheme == TRANSPORT_COAPS && !dtls_identity(coap_session_get_tls(s, NULL), &who)) {
		log_msg(LVL_ERROR, LOG_DTLS, NULL,
		    "request on a session without our credentials, refused");
		return CODE_UNAUTHORIZED;
	}
	*route = find_route(n->t, (uint8_t)coap_pdu_get_code(request), q, &code);
	if (*route == NULL)
		return code;
	if (q->too_many_queries || q->bad_block1)
		return CODE_BAD_OPTION;
	if (q->has_block1 && (q->block1 & 7) == 7)
		return CODE_BAD_REQUEST;
	return q->block1 > 7 && (*route)->body_max == 0 ? CODE_TOO_LARGE : 0;
}

/*
 * Every request of every method. An answer of a handler's never goes through *response: an empty
 * one of type NON is dropped by libcoap, and the answer is sent when it is there.
 */
static void
on_request(coap_resource_t *resource, coap_session_t *s, const coap_pdu_t *request,
    const coap_string_t *query, coap_pdu_t *response)
{
	struct listener *n = coap_get_app_data(coap_session_get_context(s));
	const struct transport_route *route = NULL;
	struct dedup_answer answer;
	struct dedup_key k;
	struct parsed q;
	uint64_t id = 0;

	(void)resource;
	(void)query;
	if (coap_pdu_get_type(request) != COAP_MESSAGE_CON) {
		coap_pdu_set_type(response, COAP_MESSAGE_NON);
		return;
	}
	parse(request, &q);
	uint8_t code = refusal(n, s, request, &q, &route);
	if (code != 0) {
		coap_pdu_set_code(response, (coap_pdu_code_t)code);
		return;
	}
	coap_pdu_set_type(response, COAP_MESSAGE_NON);
	make_key(n, s, request, &k);
	switch (dedup_see(n->t->dedup, &k, loop_now_ms(n->t->loop), &id, &answer)) {
	case DEDUP_NEW:
		if (!q.has_block1 || route->body_max == 0 || gathered(n, s, route, request, &q, &k, id))
			new_request(n, s, route, request, &q, &k, id);
		break;
	case DEDUP_RUNNING:
		n->t->stats.retransmissions_seen++;
		still_running(n, s, id);
		break;
	case DEDUP_ANSWERED:
		n->t->stats.retransmissions_seen++;
		n->t->stats.replies_repeated++;
		answer_now(s, request, &answer, block_of(&q, route));
		break;
	}
}

bool
inbound_register(coap_context_t *ctx)
{
	static const coap_request_t methods[] = { COAP_REQUEST_GET, COAP_REQUEST_POST,
		COAP_REQUEST_PUT, COAP_REQUEST_DELETE, COAP_REQUEST_FETCH, COAP_REQUEST_PATCH,
		COAP_REQUEST_IPATCH };
	/* libcoap would answer /.well-known/core by itself */
	coap_resource_t *core = coap_resource_init(coap_make_str_const(".well-known/core"), 0);
	coap_resource_t *all = coap_resource_unknown_init(on_request);

	if (core == NULL || all == NULL)
		return false;
	for (size_t i = 0; i < N_ELEMS(methods); i++) {
		coap_register_request_handler(core, methods[i], on_request);
		coap_register_request_handler(all, methods[i], on_request);
	}
	coap_add_resource(ctx, core);
	coap_add_resource(ctx, all);
	return true;
}

/* The device shall not think that its request was lost (RFC 7252 section 5.2.2). */
void
inbound_late(struct wheel_item *i)
{
	struct peer *p = CONTAINER_OF(i, struct peer, up.late);

	if (p->up.handle == 0 || p->up.acknowledged || !link_alive(p->link))
		return;
	p->up.acknowledged = true;
	send_empty_ack(p->link->session, p->up.mid);
}

void
inbound_drop(struct peer *p)
{
	struct transport *t = p->link->listener->t;

	wheel_unset(&t->wheel, &p->up.late);
	slots_remove(&t->requests, p->up.handle);
	p->up.handle = 0;
}

void
transport_reply(struct transport *t, uint64_t request, uint8_t code, uint32_t max_age_s,
    const char *text)
{
	struct peer *p = slots_get(&t->requests, request);
	const struct dedup_answer a = { code, max_age_s, text };

	if (p == NULL)
		return;
	transport_enter(t);
	dedup_answered(t->dedup, p->up.dedup, &a, loop_now_ms(t->loop));
	if (link_alive(p->link))
		send_reply(p->link->session, &(struct reply){ p->up.token, p->up.token_len,
						 p->up.mid, p->up.acknowledged, a, p->up.block });
	inbound_drop(p);
	p->used_ms = loop_now_ms(t->loop);
	/* nothing follows a refusal; its session may stay for another try */
	if (code >> 5 != 2)
		p->released = true;
	peer_work(p);
	transport_leave(t);
}
