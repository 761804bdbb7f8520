#include "bsserver/transport/internal.h"

#include <string.h>

#include "lib/base/log.h"

#define QUERIES_MAX 32

#define CODE(class, detail) ((uint8_t)((class) << 5 | (detail)))
enum {
	CODE_CREATED = CODE(2, 1),
	CODE_UNAUTHORIZED = CODE(4, 1),
	CODE_BAD_OPTION = CODE(4, 2),
	CODE_NOT_FOUND = CODE(4, 4),
	CODE_NOT_ALLOWED = CODE(4, 5),
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
	bool more_blocks;  /* a payload in blocks: none of ours is that long */
	struct transport_query queries[QUERIES_MAX];
	size_t n_queries;
	bool too_many_queries;
	int format, accept;
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
		p->more_blocks = n > 3 || coap_decode_var_bytes(v, n) > 7;
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

static void
send_reply(coap_session_t *s, const struct reply *r)
{
	const struct dedup_answer *a = &r->answer;
	bool created = a->code == CODE_CREATED && a->text != NULL;
	size_t text_len = a->text != NULL ? strlen(a->text) : 0;
	uint8_t age[4];
	coap_pdu_t *pdu = coap_pdu_init(r->separate ? COAP_MESSAGE_CON : COAP_MESSAGE_ACK, a->code,
	    r->separate ? coap_new_message_id(s) : r->mid, r->token_len + sizeof age + 16 + text_len);

	if (pdu == NULL)
		return; /* the device asks again */
	if (coap_add_token(pdu, r->token_len, r->token) == 0 ||
	    (created && !add_location(pdu, a->text)) ||
	    (a->max_age_s > 0 &&
		coap_add_option(pdu, COAP_OPTION_MAXAGE,
		    coap_encode_var_safe(age, sizeof age, a->max_age_s), age) == 0) ||
	    (text_len > 0 && !created && coap_add_data(pdu, text_len, (const uint8_t *)a->text) == 0)) {
		coap_delete_pdu(pdu);
		return;
	}
	(void)transport_coap_send(s, pdu);
}

static void
seen_before(struct listener *n, coap_session_t *s, const coap_pdu_t *request, uint64_t dedup_id,
    const struct dedup_answer *answer)
{
	struct transport *t = n->t;
	coap_bin_const_t token = coap_pdu_get_token(request);

	t->stats.retransmissions_seen++;
	if (answer != NULL) {
		t->stats.replies_repeated++;
		send_reply(s, &(struct reply){ token.s, token.length,
				  (uint16_t)coap_pdu_get_mid(request), false, *answer });
		return;
	}
	struct peer *p = slots_get(&t->requests, dedup_owner(t->dedup, dedup_id));
	if (p == NULL)
		return;
	p->up.acknowledged = true;
	send_empty_ack(s, p->up.mid);
}

static void
call_handler(struct peer *p, const struct transport_route *route, const coap_pdu_t *request,
    const struct parsed *q)
{
	struct listener *n = p->link->listener;
	struct transport_request r = { .peer = p->handle, .request = p->up.handle,
		.addr = p->link->addr, .listener = n->name, .path = q->path, .queries = q->queries,
		.n_queries = q->n_queries, .format = q->format, .accept = q->accept };

	(void)coap_get_data(request, &r.payload_len, &r.payload);
	if (n->scheme == TRANSPORT_COAPS)
		(void)dtls_identity(coap_session_get_tls(p->link->session, NULL), &r.identity);
	struct dtls *before = transport_up();
	route->handler(n->t->hooks.arg, &r);
	transport_down(before);
}

static void
refuse_for_now(struct listener *n, coap_session_t *s, const coap_pdu_t *request, uint64_t dedup_id,
    const char *why)
{
	coap_bin_const_t token = coap_pdu_get_token(request);
	const struct dedup_answer a = { CODE_UNAVAILABLE, RETRY_AFTER_S, why };

	dedup_answered(n->t->dedup, dedup_id, &a, loop_now_ms(n->t->loop));
	send_reply(s, &(struct reply){ token.s, token.length, (uint16_t)coap_pdu_get_mid(request),
			  false, a });
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
		refuse_for_now(n, s, request, dedup_id, why);
		return;
	}
	p->up.handle = handle;
	p->up.dedup = dedup_id;
	p->up.mid = k->mid;
	p->up.token_len = k->token_len;
	memcpy(p->up.token, k->token, sizeof p->up.token);
	dedup_set_owner(t->dedup, dedup_id, handle);
	transport_arm(t, &p->up.late, ANSWER_LATE_MS);
	call_handler(p, route, request, q);
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
	if (q->too_many_queries)
		return CODE_BAD_OPTION;
	return q->more_blocks ? CODE_TOO_LARGE : 0;
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
		new_request(n, s, route, request, &q, &k, id);
		break;
	case DEDUP_RUNNING:
		seen_before(n, s, request, id, NULL);
		break;
	case DEDUP_ANSWERED:
		seen_before(n, s, request, id, &answer);
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
						 p->up.mid, p->up.acknowledged, a });
	inbound_drop(p);
	p->used_ms = loop_now_ms(t->loop);
	/* nothing follows a refusal; its session may stay for another try */
	if (code >> 5 != 2)
		p->released = true;
	peer_work(p);
	transport_leave(t);
}
