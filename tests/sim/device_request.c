/* The requests of a device, Bootstrap-Request and Bootstrap-Pack, and what it makes of the answers.
 */
#include "tests/sim/device_internal.h"

#define MAX_AGE_DEFAULT 60 /* RFC 7252 section 5.10.5 */

static uint16_t
new_request(struct device *d, struct coapmsg *m, enum device_step step, enum coapmsg_type type)
{
	uint64_t r = device_random64(d);
	memcpy(d->token, &r, sizeof d->token);
	coapmsg_init(m, type, step == DEVICE_PACK ? CM_GET : CM_POST, d->next_mid++, d->token,
	    sizeof d->token);
	coapmsg_add_path(m, step == DEVICE_PACK ? "/bspack" : "/bs");
	return m->mid;
}

static void
add_queries(struct device *d, struct coapmsg *m, struct gbuf *ep, struct gbuf *pct, bool with_ep)
{
	if (d->cfg->query != NULL)
		coapmsg_add_str(m, CM_OPT_URI_QUERY, d->cfg->query);
	if (d->endpoint != NULL && with_ep) {
		gbuf_printf(ep, "ep=%s", d->endpoint);
		coapmsg_add(m, CM_OPT_URI_QUERY, ep->data, ep->len);
	}
	if (m->code == CM_POST && d->cfg->pct != 0 && d->cfg->version != DEVICE_1_0 && !d->as_1_0) {
		gbuf_printf(pct, "pct=%u", d->cfg->pct);
		coapmsg_add(m, CM_OPT_URI_QUERY, pct->data, pct->len);
	}
}

/* What a lie makes of a request that is ready to go; true: it went, or the device did. */
static bool
lie_about_request(struct device *d, enum device_lie_kind kind, uint64_t now_ms)
{
	struct gbuf *bytes = &d->request.bytes;
	if (kind == DEVICE_LIE_MALFORMED && bytes->len > 1) {
		bytes->data[0] = 0xff;
	} else if (kind == DEVICE_LIE_TWICE) {
		device_send(d, bytes);
	} else if (kind == DEVICE_LIE_CLOSE) {
		device_send(d, bytes);
		device_give_up(d, now_ms, "closed its connection, as it was told");
		return true;
	}
	return false;
}

static void
send_request(
    struct device *d, enum device_step step, const struct coapmsg_block *block, uint64_t now_ms)
{
	struct coapmsg m;
	struct gbuf ep = { 0 }, pct = { 0 };
	const struct device_lie *l = block == NULL ? device_lie_due(d, step, NULL) : NULL;
	enum device_lie_kind kind = l == NULL ? DEVICE_LIE__KINDS : l->kind;
	bool non = kind == DEVICE_LIE_NON;
	bool keep = block != NULL && !device_has(d, DEVICE_Q_BLOCK_NEW_TOKEN);
	uint8_t token[sizeof d->token];
	memcpy(token, d->token, sizeof token);
	d->request.mid = new_request(d, &m, step, non ? CM_NON : CM_CON);
	if (keep) {
		memcpy(d->token, token, sizeof token);
		memcpy(m.token, token, sizeof token);
	}
	add_queries(d, &m, &ep, &pct, kind != DEVICE_LIE_NO_EP);
	if (step == DEVICE_PACK)
		coapmsg_add_uint(&m, CM_OPT_ACCEPT, 112);
	if (block != NULL)
		coapmsg_add_block(&m, CM_OPT_BLOCK2, *block);
	gbuf_reset(&d->request.bytes);
	coapmsg_write(&m, &d->request.bytes);
	gbuf_clear(&ep);
	gbuf_clear(&pct);
	d->request_lie = kind;
	d->state = DEVICE_REQUESTING;
	if (l != NULL && lie_about_request(d, kind, now_ms))
		return;
	device_outgoing_start(d, &d->request, now_ms);
	if (non) { /* never repeated; the answer has its own time */
		device_outgoing_stop(&d->request);
		d->response_by = now_ms + d->cfg->response_ms;
	}
}

void
device_begin_request(struct device *d, uint64_t now_ms)
{
	bool pack = d->cfg->version == DEVICE_1_2 && !d->no_pack;
	d->attempt++;
	d->stats.attempts++;
	d->code = 0;
	device_emit(d, (struct device_event){ .type = DEVICE_EV_REQUEST,
	                   .now_ms = now_ms,
	                   .step = pack ? DEVICE_PACK : DEVICE_REQUEST });
	send_request(d, pack ? DEVICE_PACK : DEVICE_REQUEST, NULL, now_ms);
}

void
device_accepted(struct device *d, uint64_t now_ms)
{
	device_outgoing_stop(&d->request);
	d->response_by = DEVICE_NEVER;
	d->state = d->request_lie == DEVICE_LIE_SILENT ? DEVICE_DEAF : DEVICE_IN_SESSION;
	d->timer = now_ms + d->cfg->session_ms;
	device_emit(d, (struct device_event){ .type = DEVICE_EV_ACCEPTED,
	                   .now_ms = now_ms,
	                   .step = DEVICE_REQUEST,
	                   .code = CM_CHANGED });
	if (d->request_lie == DEVICE_LIE_RESTART || d->request_lie == DEVICE_LIE_RESTART_NEW_PORT)
		device_restart(d, now_ms, d->request_lie == DEVICE_LIE_RESTART_NEW_PORT);
}

void
device_refused(struct device *d, const struct coapmsg *m, uint64_t now_ms)
{
	struct gbuf why = { .max = 1200 };
	uint64_t wait = 0;
	bool client_error = m->code >> 5 == 4;
	if (client_error && device_has(d, DEVICE_Q_RETRY_AS_1_0) && d->cfg->pct != 0 &&
	    !d->as_1_0) {
		d->as_1_0 = true;
		device_begin_request(d, now_ms);
		return;
	}
	d->code = m->code >> 5 == 2 ? 0 : m->code;
	gbuf_printf(&why, "%s to the Bootstrap-Request%s", coapmsg_code_str(m->code).s,
	    m->payload_len > 0 ? ": " : "");
	for (size_t i = 0; i < m->payload_len && i < 200; i++)
		gbuf_u8(&why, m->payload[i] >= ' ' && m->payload[i] <= '~' ? m->payload[i] : '?');
	if (m->code == CM_UNAVAILABLE && !device_has(d, DEVICE_Q_NO_RETRY_AFTER)) {
		wait = (uint64_t)coapmsg_uint(m, CM_OPT_MAX_AGE, MAX_AGE_DEFAULT) * 1000;
		wait += device_random64(d) % (wait / 4 + 1) + 1;
	}
	device_attempt_failed(d, now_ms, wait, gbuf_cstr(&why));
	gbuf_clear(&why);
}

/* --- Bootstrap-Pack (1.2) --------------------------------------------------------------------- */

static void
pack_is_whole(struct device *d, const struct coapmsg *m, uint64_t now_ms)
{
	struct err e = { ERR_OK, "" };
	struct gbuf why = { .max = 1200 };
	uint32_t format = coapmsg_uint(m, CM_OPT_CONTENT_FORMAT, 112);
	if (device_take_pack(d, (uint16_t)format, d->pack.data, d->pack.len, &e) &&
	    device_tree_is_consistent(d->cfg, &d->tree, &why)) {
		device_provisioned(d, now_ms);
	} else {
		device_roll_back(d);
		d->no_pack = true;
		device_complain(d, now_ms, "/bspack", why.len > 0 ? gbuf_cstr(&why) : e.msg);
		send_request(d, DEVICE_REQUEST, NULL, now_ms);
	}
	gbuf_reset(&d->pack);
	gbuf_clear(&why);
}

void
device_pack_answered(struct device *d, const struct coapmsg *m, uint64_t now_ms)
{
	struct coapmsg_block b = { .num = 0, .more = false };
	if (m->code != CM_CONTENT) {
		d->no_pack = true;
		send_request(d, DEVICE_REQUEST, NULL, now_ms);
		return;
	}
	(void)coapmsg_block(m, CM_OPT_BLOCK2, &b);
	if (b.num == 0)
		gbuf_reset(&d->pack);
	d->pack.max = DEVICE_BODY_MAX;
	gbuf_put(&d->pack, m->payload, m->payload_len);
	if (b.more && !d->pack.failed) {
		struct coapmsg_block next = { .num = b.num + 1, .szx = b.szx };
		send_request(d, DEVICE_PACK, &next, now_ms);
	} else {
		pack_is_whole(d, m, now_ms);
	}
}
