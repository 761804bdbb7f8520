#include "tests/sim/device.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/device_internal.h"

/* --- Chance, events, datagrams --------------------------------------------------------------- */

/* splitmix64 */
uint64_t
device_random64(struct device *d)
{
	uint64_t z = d->random += 0x9e3779b97f4a7c15U;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

/* ms times 1..1.5 */
static uint64_t
spread(struct device *d, uint64_t ms)
{
	return ms + device_random64(d) % (ms / 2 + 1);
}

void
device_emit(struct device *d, struct device_event ev)
{
	ev.attempt = d->attempt;
	if (d->ops->event != NULL)
		d->ops->event(d->arg, &ev);
}

void
device_complain(struct device *d, uint64_t now_ms, const char *path, const char *text)
{
	d->stats.complaints++;
	device_emit(
	    d, (struct device_event){
	           .type = DEVICE_EV_COMPLAINT, .now_ms = now_ms, .path = path, .text = text });
}

void
device_send(struct device *d, const struct gbuf *bytes)
{
	if (!d->connected)
		return;
	d->stats.sent++;
	d->ops->send(d->arg, bytes->data, bytes->len);
}

void
device_send_empty(struct device *d, enum coapmsg_type type, uint16_t mid)
{
	struct coapmsg m;
	struct gbuf bytes = { .max = 4 };
	coapmsg_init(&m, type, CM_EMPTY, mid, NULL, 0);
	coapmsg_write(&m, &bytes);
	device_send(d, &bytes);
	gbuf_clear(&bytes);
}

void
device_outgoing_start(struct device *d, struct device_outgoing *o, uint64_t now_ms)
{
	o->sent = 1;
	o->timeout_ms = (uint32_t)spread(d, d->cfg->ack_timeout_ms);
	o->due_ms = now_ms + o->timeout_ms;
	device_send(d, &o->bytes);
}

void
device_outgoing_stop(struct device_outgoing *o)
{
	gbuf_reset(&o->bytes);
	o->due_ms = DEVICE_NEVER;
}

/* Sends again; false when it was sent often enough. */
static bool
outgoing_again(struct device *d, struct device_outgoing *o, uint64_t now_ms)
{
	if (o->sent > d->cfg->max_retransmit)
		return false;
	o->sent++;
	o->timeout_ms *= 2;
	o->due_ms = now_ms + o->timeout_ms;
	d->stats.retransmissions++;
	device_send(d, &o->bytes);
	return true;
}

/* --- Delayed answers -------------------------------------------------------------------------- */

static void
send_delayed(struct device *d, uint64_t now_ms)
{
	if (d->delayed.len == 0)
		return;
	if (d->delayed_confirmable) {
		gbuf_reset(&d->answer.bytes);
		gbuf_put(&d->answer.bytes, d->delayed.data, d->delayed.len);
		d->answer.mid = d->delayed_mid;
		device_outgoing_start(d, &d->answer, now_ms);
	} else {
		device_send(d, &d->delayed);
	}
	gbuf_reset(&d->delayed);
	d->delayed_at = DEVICE_NEVER;
}

void
device_delay(
    struct device *d, const struct gbuf *bytes, bool confirmable, uint16_t mid, uint64_t at_ms)
{
	send_delayed(d, at_ms);
	gbuf_put(&d->delayed, bytes->data, bytes->len);
	d->delayed_confirmable = confirmable;
	d->delayed_mid = mid;
	d->delayed_at = at_ms;
}

/* --- What it holds ---------------------------------------------------------------------------- */

/*
 * Until the first write the tree is the configuration's own, not a copy: thousands of devices that
 * begin alike share it, and falling back to it costs nothing.
 */
static void
drop_tree(struct device *d)
{
	if (!d->borrowed)
		lwm2m_tree_clear(&d->tree);
	d->tree = (struct lwm2m_tree){ 0 };
	d->borrowed = false;
}

static void
borrow_initial(struct device *d)
{
	drop_tree(d);
	if (d->cfg->initial == NULL)
		return;
	d->tree = *d->cfg->initial;
	d->borrowed = true;
}

static void
own_tree(struct device *d)
{
	if (!d->borrowed)
		return;
	d->tree = (struct lwm2m_tree){ 0 };
	d->borrowed = false;
	(void)lwm2m_tree_copy(&d->tree, d->cfg->initial, NULL);
}

void
device_will_write(struct device *d)
{
	if (d->wrote)
		return;
	d->wrote = true;
	d->before_is_initial = d->borrowed;
	if (d->borrowed)
		own_tree(d);
	else
		(void)lwm2m_tree_copy(&d->before, &d->tree, NULL);
}

void
device_roll_back(struct device *d)
{
	if (!d->wrote)
		return;
	d->wrote = false;
	if (device_has(d, DEVICE_Q_NO_ROLL_BACK)) {
		lwm2m_tree_clear(&d->before);
		return;
	}
	if (d->before_is_initial) {
		borrow_initial(d);
		return;
	}
	drop_tree(d);
	d->tree = d->before;
	d->before = (struct lwm2m_tree){ 0 };
}

/* --- Attempts --------------------------------------------------------------------------------- */

static void
forget_session(struct device *d)
{
	device_outgoing_stop(&d->request);
	device_outgoing_stop(&d->answer);
	gbuf_reset(&d->delayed);
	gbuf_reset(&d->pack);
	gbuf_clear(&d->page);
	gbuf_clear(&d->page_path);
	coapmsg_body_clear(&d->body);
	for (size_t i = 0; i < DEVICE_REMEMBERED; i++)
		d->memory[i].until_ms = 0;
	d->delayed_at = d->response_by = d->timer = DEVICE_NEVER;
	d->page_endless = d->finished = false;
}

static void
open_connection(struct device *d, bool new_port)
{
	forget_session(d);
	d->connected = false;
	d->state = DEVICE_OPENING;
	d->ops->open(d->arg, new_port);
}

static void
set_reason(struct device *d, const char *why)
{
	gbuf_reset(&d->reason);
	gbuf_str(&d->reason, why);
}

static void
final(struct device *d, uint64_t now_ms, enum device_outcome outcome, const char *why)
{
	static const enum device_event_type types[] = {
		[DEVICE_WAS_PROVISIONED] = DEVICE_EV_PROVISIONED,
		[DEVICE_WAS_REFUSED] = DEVICE_EV_REFUSED,
		[DEVICE_HAS_FAILED] = DEVICE_EV_FAILED,
	};
	d->state = DEVICE_IDLE;
	d->outcome = outcome;
	set_reason(d, why);
	device_emit(d, (struct device_event){ .type = types[outcome],
	                   .now_ms = now_ms,
	                   .code = d->code,
	                   .text = gbuf_cstr(&d->reason) });
}

static void
disconnect(struct device *d)
{
	d->connected = false;
	if (d->ops->close != NULL)
		d->ops->close(d->arg);
}

void
device_provisioned(struct device *d, uint64_t now_ms)
{
	lwm2m_tree_clear(&d->before);
	d->wrote = false;
	device_outgoing_stop(&d->request);
	d->timer = d->response_by = DEVICE_NEVER;
	d->code = 0;
	final(d, now_ms, DEVICE_WAS_PROVISIONED, "");
}

void
device_give_up(struct device *d, uint64_t now_ms, const char *why)
{
	device_roll_back(d);
	forget_session(d);
	disconnect(d);
	final(d, now_ms, d->code != 0 ? DEVICE_WAS_REFUSED : DEVICE_HAS_FAILED, why);
}

static uint64_t
back_off(struct device *d)
{
	uint64_t ms = d->cfg->retry_ms;
	for (unsigned i = 1; i < d->failures && ms < d->cfg->retry_max_ms; i++)
		ms *= 2;
	return spread(d, MIN(ms, d->cfg->retry_max_ms));
}

void
device_attempt_failed(struct device *d, uint64_t now_ms, uint64_t wait_ms, const char *why)
{
	d->failures++;
	if (d->failures >= d->cfg->max_attempts) {
		device_give_up(d, now_ms, why);
		return;
	}
	device_roll_back(d);
	forget_session(d);
	disconnect(d);
	d->state = DEVICE_WAITING;
	d->timer = now_ms + (wait_ms != 0 ? wait_ms : back_off(d));
	device_emit(d, (struct device_event){ .type = DEVICE_EV_RETRY,
	                   .now_ms = now_ms,
	                   .code = d->code,
	                   .text = why,
	                   .until_ms = d->timer });
}

/* --- Input ------------------------------------------------------------------------------------ */

static bool
is_our_token(const struct device *d, const struct coapmsg *m)
{
	return m->token_len == sizeof d->token && memcmp(m->token, d->token, sizeof d->token) == 0;
}

static void
response(struct device *d, const struct coapmsg *m, uint64_t now_ms)
{
	bool ours = is_our_token(d, m);
	if (m->type == CM_CON)
		device_send_empty(d, ours ? CM_ACK : CM_RST, m->mid);
	if (!ours || d->state != DEVICE_REQUESTING ||
	    (m->type == CM_ACK && m->mid != d->request.mid))
		return;
	device_outgoing_stop(&d->request);
	d->response_by = DEVICE_NEVER;
	if (d->cfg->version == DEVICE_1_2 && !d->no_pack)
		device_pack_answered(d, m, now_ms);
	else if (m->code == CM_CHANGED)
		device_accepted(d, now_ms);
	else
		device_refused(d, m, now_ms);
}

static void
empty(struct device *d, const struct coapmsg *m, uint64_t now_ms)
{
	if (m->type == CM_CON) { /* a ping */
		device_send_empty(d, CM_RST, m->mid);
		return;
	}
	if (d->answer.bytes.len > 0 && m->mid == d->answer.mid) {
		device_outgoing_stop(&d->answer);
		return;
	}
	if (d->state != DEVICE_REQUESTING || m->mid != d->request.mid)
		return;
	device_outgoing_stop(&d->request);
	if (m->type == CM_RST)
		device_attempt_failed(d, now_ms, 0, "a Reset to the Bootstrap-Request");
	else
		d->response_by = now_ms + d->cfg->response_ms;
}

void
device_input(struct device *d, uint64_t now_ms, const uint8_t *p, size_t n)
{
	struct coapmsg m;
	if (!d->connected)
		return;
	d->stats.received++;
	if (coapmsg_parse(&m, p, n, NULL) != ERR_OK) {
		d->stats.malformed++;
		device_complain(d, now_ms, NULL, "a datagram that is no CoAP");
		return;
	}
	if (m.code == CM_EMPTY)
		empty(d, &m, now_ms);
	else if (coapmsg_is_request(&m) && m.type <= CM_NON)
		device_command(d, &m, now_ms);
	else if (coapmsg_is_response(&m) && m.type != CM_RST)
		response(d, &m, now_ms);
	else
		device_complain(d, now_ms, NULL, "a message of no known kind");
}

/* --- Time ------------------------------------------------------------------------------------- */

uint64_t
device_next(const struct device *d)
{
	uint64_t next = MIN(d->timer, MIN(d->response_by, d->delayed_at));
	if (d->request.bytes.len > 0)
		next = MIN(next, d->request.due_ms);
	if (d->answer.bytes.len > 0)
		next = MIN(next, d->answer.due_ms);
	return next;
}

static void
timer_fired(struct device *d, uint64_t now_ms)
{
	char why[64];
	d->timer = DEVICE_NEVER;
	if (d->state == DEVICE_WAITING) {
		open_connection(d, false);
		return;
	}
	(void)snprintf(why, sizeof why, "no Finish within %u ms", d->cfg->session_ms);
	device_attempt_failed(d, now_ms, 0, why);
}

void
device_tick(struct device *d, uint64_t now_ms)
{
	if (d->delayed_at <= now_ms)
		send_delayed(d, now_ms);
	if (d->answer.bytes.len > 0 && d->answer.due_ms <= now_ms &&
	    !outgoing_again(d, &d->answer, now_ms))
		device_outgoing_stop(&d->answer);
	if (d->timer <= now_ms)
		timer_fired(d, now_ms);
	else if (d->response_by <= now_ms)
		device_attempt_failed(
		    d, now_ms, 0, "no answer to the Bootstrap-Request behind its ACK");
	else if (d->request.bytes.len > 0 && d->request.due_ms <= now_ms &&
	         !outgoing_again(d, &d->request, now_ms))
		device_attempt_failed(d, now_ms, 0, "no answer to the Bootstrap-Request");
}

/* --- Life ------------------------------------------------------------------------------------- */

struct device *
device_new(const struct device_config *cfg, const char *endpoint, uint64_t seed,
    const struct device_ops *ops, void *arg, struct err *e)
{
	struct device *d = calloc(1, sizeof *d);
	if (d == NULL) {
		(void)err_no_memory(e);
		return NULL;
	}
	d->cfg = cfg;
	d->ops = ops;
	d->arg = arg;
	d->random = seed;
	d->timer = d->response_by = d->delayed_at = DEVICE_NEVER;
	d->request_lie = DEVICE_LIE__KINDS;
	d->next_mid = (uint16_t)device_random64(d);
	d->endpoint = endpoint == NULL ? NULL : strdup(endpoint);
	borrow_initial(d);
	if (endpoint != NULL && d->endpoint == NULL) {
		device_free(d);
		(void)err_no_memory(e);
		return NULL;
	}
	return d;
}

void
device_free(struct device *d)
{
	if (d == NULL)
		return;
	drop_tree(d);
	lwm2m_tree_clear(&d->before);
	forget_session(d);
	for (size_t i = 0; i < DEVICE_REMEMBERED; i++)
		gbuf_clear(&d->memory[i].answer);
	gbuf_clear(&d->request.bytes);
	gbuf_clear(&d->answer.bytes);
	gbuf_clear(&d->delayed);
	gbuf_clear(&d->pack);
	gbuf_clear(&d->reason);
	free(d->endpoint);
	free(d);
}

void
device_start(struct device *d, uint64_t now_ms)
{
	d->outcome = DEVICE_PENDING;
	d->attempt = d->failures = 0;
	d->as_1_0 = d->no_pack = false;
	d->code = 0;
	set_reason(d, "");
	if (d->cfg->hold_off_ms == 0) {
		open_connection(d, false);
		return;
	}
	forget_session(d);
	d->state = DEVICE_WAITING;
	d->timer = now_ms + d->cfg->hold_off_ms;
}

void
device_opened(struct device *d, uint64_t now_ms)
{
	if (d->state != DEVICE_OPENING)
		return;
	d->connected = true;
	device_begin_request(d, now_ms);
}

void
device_open_failed(struct device *d, uint64_t now_ms, const char *why)
{
	struct gbuf text = { .max = 600 };
	if (d->state != DEVICE_OPENING)
		return;
	gbuf_printf(&text, "no connection: %s", why);
	device_attempt_failed(d, now_ms, 0, gbuf_cstr(&text));
	gbuf_clear(&text);
}

void
device_closed(struct device *d, uint64_t now_ms, const char *why)
{
	struct gbuf text = { .max = 600 };
	bool busy = d->state == DEVICE_REQUESTING || d->state == DEVICE_IN_SESSION ||
	            d->state == DEVICE_DEAF;
	d->connected = false;
	device_outgoing_stop(&d->answer);
	gbuf_reset(&d->delayed);
	d->delayed_at = DEVICE_NEVER;
	gbuf_printf(&text, "the connection is gone: %s", why);
	if (busy)
		device_attempt_failed(d, now_ms, 0, gbuf_cstr(&text));
	gbuf_clear(&text);
}

void
device_restart(struct device *d, uint64_t now_ms, bool new_port)
{
	(void)now_ms;
	device_roll_back(d);
	d->outcome = DEVICE_PENDING;
	d->as_1_0 = d->no_pack = false;
	d->next_mid = (uint16_t)device_random64(d);
	open_connection(d, new_port);
}

bool
device_is_quiet(const struct device *d)
{
	return d->delayed.len == 0 && d->answer.bytes.len == 0;
}

enum device_outcome
device_outcome(const struct device *d)
{
	return d->outcome;
}

const struct lwm2m_tree *
device_tree(const struct device *d)
{
	return &d->tree;
}

struct lwm2m_tree *
device_tree_mutable(struct device *d)
{
	own_tree(d);
	return &d->tree;
}

const struct device_stats *
device_stats(const struct device *d)
{
	return &d->stats;
}

const char *
device_endpoint(const struct device *d)
{
	return d->endpoint == NULL ? "" : d->endpoint;
}

const char *
device_reason(const struct device *d)
{
	return gbuf_cstr(&d->reason);
}

uint8_t
device_code(const struct device *d)
{
	return d->code;
}
