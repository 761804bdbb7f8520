#include "tests/sim/registrar.h"

#include <stdlib.h>
#include <string.h>

#include "lib/lwm2m/object.h"
#include "lib/base/util.h"
#include "tests/sim/coapmsg.h"

#define NEVER UINT64_MAX
#define OPT_LOCATION_PATH 8
#define EXECUTE 4
#define LINK_FORMAT 40

struct registrar {
	const struct registrar_config *cfg;
	const struct lwm2m_tree *tree;
	const struct registrar_ops *ops;
	void *arg;
	char *endpoint;
	struct gbuf location; /* "/rd/5a1"; empty: not registered */
	struct gbuf request;  /* under way; empty: none */
	uint64_t due_ms, update_at, sleep_at;
	uint32_t timeout_ms;
	unsigned sent;
	uint16_t mid;
	uint8_t token[4];
	uint16_t answered_mid; /* the last command, and what was said to it */
	struct gbuf answer;
	bool over;
};

bool
registrar_account(const struct lwm2m_tree *t, uint16_t ssid, uint16_t *iid)
{
	struct lwm2m_span all = lwm2m_tree_under(t, lwm2m_path1(LWM2M_SECURITY)), sub;
	struct lwm2m_path inst;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);) {
		const struct lwm2m_value *id = lwm2m_tree_get(t, lwm2m_path_child(inst, 10));
		const struct lwm2m_value *bs = lwm2m_tree_get(t, lwm2m_path_child(inst, 1));

		if (id != NULL && id->i == ssid && (bs == NULL || !bs->b)) {
			*iid = inst.id[1];
			return true;
		}
	}
	return false;
}

struct registrar *
registrar_new(const struct registrar_config *cfg, const char *endpoint, const struct lwm2m_tree *tree, uint64_t seed,
    const struct registrar_ops *ops, void *arg)
{
	struct registrar *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	*r = (struct registrar){ .cfg = cfg, .tree = tree, .ops = ops, .arg = arg, .due_ms = NEVER,
		.update_at = NEVER, .sleep_at = NEVER, .mid = (uint16_t)seed };
	memcpy(r->token, &seed, sizeof r->token);
	r->endpoint = strdup(endpoint);
	if (r->endpoint != NULL)
		return r;
	free(r);
	return NULL;
}

void
registrar_free(struct registrar *r)
{
	if (r == NULL)
		return;
	gbuf_clear(&r->location);
	gbuf_clear(&r->request);
	gbuf_clear(&r->answer);
	free(r->endpoint);
	free(r);
}

/* ---- its own requests ---- */

static void
put_links(const struct registrar *r, struct gbuf *out)
{
	struct lwm2m_span all = { r->tree->nodes, r->tree->n }, sub;
	struct lwm2m_path inst;

	gbuf_str(out, "</>;rt=\"oma.lwm2m\";ct=112");
	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		if (inst.id[0] != LWM2M_SECURITY && inst.id[0] != LWM2M_OSCORE)
			gbuf_printf(out, ",<%s>", lwm2m_path_str(inst).s);
}

static int64_t
lifetime(const struct registrar *r)
{
	struct lwm2m_span all = lwm2m_tree_under(r->tree, lwm2m_path1(LWM2M_SERVER)), sub;
	struct lwm2m_path inst;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);) {
		const struct lwm2m_value *id = lwm2m_tree_get(r->tree, lwm2m_path_child(inst, 0)),
		                         *lt = lwm2m_tree_get(r->tree, lwm2m_path_child(inst, 1));

		if (id != NULL && id->i == r->cfg->ssid && lt != NULL)
			return lt->i;
	}
	return 86400;
}

static void
send_request(struct registrar *r, const struct coapmsg *m, uint64_t now_ms)
{
	gbuf_reset(&r->request);
	coapmsg_write(m, &r->request);
	r->sent = 1;
	r->timeout_ms = r->cfg->ack_timeout_ms + r->mid % 1000 * (r->cfg->ack_timeout_ms / 2) / 1000;
	r->due_ms = now_ms + r->timeout_ms;
	r->ops->send(r->arg, r->request.data, r->request.len);
}

static void
begin_request(struct registrar *r, struct coapmsg *m)
{
	r->mid++;
	r->token[0]++;
	coapmsg_init(m, CM_CON, CM_POST, r->mid, r->token, sizeof r->token);
}

static void
send_register(struct registrar *r, uint64_t now_ms)
{
	struct coapmsg m;
	struct gbuf ep = { 0 }, lt = { 0 }, version = { 0 }, links = { 0 };

	begin_request(r, &m);
	gbuf_printf(&ep, "ep=%s", r->endpoint);
	gbuf_printf(&lt, "lt=%lld", (long long)lifetime(r));
	gbuf_printf(&version, "lwm2m=%s", r->cfg->version);
	coapmsg_add_path(&m, "/rd");
	coapmsg_add_uint(&m, CM_OPT_CONTENT_FORMAT, LINK_FORMAT);
	coapmsg_add_str(&m, CM_OPT_URI_QUERY, gbuf_cstr(&ep));
	coapmsg_add_str(&m, CM_OPT_URI_QUERY, gbuf_cstr(&lt));
	coapmsg_add_str(&m, CM_OPT_URI_QUERY, gbuf_cstr(&version));
	coapmsg_add_str(&m, CM_OPT_URI_QUERY, "b=U");
	if (r->cfg->awake_ms > 0)
		coapmsg_add_str(&m, CM_OPT_URI_QUERY, "Q");
	put_links(r, &links);
	m.payload = links.data;
	m.payload_len = links.len;
	send_request(r, &m, now_ms);
	gbuf_clear(&ep);
	gbuf_clear(&lt);
	gbuf_clear(&version);
	gbuf_clear(&links);
}

static void
send_update(struct registrar *r, uint64_t now_ms)
{
	struct coapmsg m;

	begin_request(r, &m);
	coapmsg_add_path(&m, gbuf_cstr(&r->location));
	send_request(r, &m, now_ms);
}

void
registrar_start(struct registrar *r, uint64_t now_ms)
{
	send_register(r, now_ms);
}

static void
end(struct registrar *r, enum registrar_event ev, uint8_t code)
{
	r->over = true;
	r->due_ms = r->update_at = NEVER;
	gbuf_reset(&r->request);
	r->ops->event(r->arg, ev, code);
}

/* ---- answers to them ---- */

static void
spoke(struct registrar *r, uint64_t now_ms)
{
	r->sleep_at = r->cfg->awake_ms > 0 ? now_ms + r->cfg->awake_ms : NEVER;
	r->update_at = r->cfg->update_ms > 0 ? now_ms + r->cfg->update_ms : NEVER;
}

static void
registered(struct registrar *r, const struct coapmsg *m, uint64_t now_ms)
{
	gbuf_reset(&r->location);
	for (size_t i = 0; i < m->n_opt; i++)
		if (m->opt[i].number == OPT_LOCATION_PATH) {
			gbuf_str(&r->location, "/");
			gbuf_put(&r->location, m->opt[i].value, m->opt[i].len);
		}
	spoke(r, now_ms);
	r->ops->event(r->arg, REGISTRAR_REGISTERED, m->code);
}

static void
response(struct registrar *r, const struct coapmsg *m, uint64_t now_ms)
{
	bool update = r->location.len > 0;

	if (r->request.len == 0 || m->token_len != sizeof r->token || memcmp(m->token, r->token, sizeof r->token) != 0)
		return;
	gbuf_reset(&r->request);
	r->due_ms = NEVER;
	if (update && m->code == CM_CHANGED) {
		spoke(r, now_ms);
		r->ops->event(r->arg, REGISTRAR_UPDATED, m->code);
	} else if (update && m->code == CM_NOT_FOUND) { /* the server knows it no more */
		gbuf_reset(&r->location);
		send_register(r, now_ms);
	} else if (!update && m->code == CM_CREATED) {
		registered(r, m, now_ms);
	} else {
		end(r, REGISTRAR_REFUSED, m->code);
	}
}

/* ---- what the server asks ---- */

/* Whether this server may execute on that instance of Object 1. */
static bool
may_execute(const struct registrar *r, uint16_t iid)
{
	struct lwm2m_span servers = lwm2m_tree_under(r->tree, lwm2m_path1(LWM2M_SERVER)),
	                  rules = lwm2m_tree_under(r->tree, lwm2m_path1(LWM2M_ACCESS_CONTROL)), sub;
	struct lwm2m_path inst;
	size_t n = 0;

	for (size_t at = 0; lwm2m_span_next(&servers, LWM2M_INSTANCE, &at, &inst, &sub);)
		n++;
	if (n < 2)
		return true; /* alone a server may do everything */
	for (size_t at = 0; lwm2m_span_next(&rules, LWM2M_INSTANCE, &at, &inst, &sub);) {
		struct lwm2m_path acl = lwm2m_path_child(inst, 2);
		const struct lwm2m_value *o = lwm2m_tree_get(r->tree, lwm2m_path_child(inst, 0)),
		                         *i = lwm2m_tree_get(r->tree, lwm2m_path_child(inst, 1)),
		                         *owner = lwm2m_tree_get(r->tree, lwm2m_path_child(inst, 3)),
		                         *own = lwm2m_tree_get(r->tree, lwm2m_path_child(acl, r->cfg->ssid));

		if (o == NULL || i == NULL || o->i != LWM2M_SERVER || i->i != iid)
			continue;
		if (own != NULL)
			return (own->i & EXECUTE) != 0;
		return owner != NULL && owner->i == r->cfg->ssid && !lwm2m_tree_has(r->tree, acl);
	}
	return false;
}

static uint8_t
obey(const struct registrar *r, const struct coapmsg *m)
{
	struct gbuf text = { .max = 256 };
	struct lwm2m_path p;
	uint8_t code = CM_NOT_FOUND;

	coapmsg_path(m, &text);
	if (lwm2m_path_parse(gbuf_cstr(&text), text.len, &p, NULL) == ERR_OK && p.depth == LWM2M_RESOURCE &&
	    p.id[0] == LWM2M_SERVER && lwm2m_tree_has(r->tree, lwm2m_path2(p.id[0], p.id[1]))) {
		if (m->code != CM_POST || p.id[2] != 9)
			code = CM_NOT_ALLOWED;
		else
			code = may_execute(r, p.id[1]) ? CM_CHANGED : CM_CODE(4, 1);
	}
	gbuf_clear(&text);
	return code;
}

static void
command(struct registrar *r, const struct coapmsg *m)
{
	struct coapmsg a;

	if (r->answer.len > 0 && r->answered_mid == m->mid) { /* again */
		r->ops->send(r->arg, r->answer.data, r->answer.len);
		return;
	}
	if (r->over)
		return;
	uint8_t code = obey(r, m);
	coapmsg_init(&a, CM_ACK, code, m->mid, m->token, m->token_len);
	gbuf_reset(&r->answer);
	coapmsg_write(&a, &r->answer);
	r->answered_mid = m->mid;
	r->ops->send(r->arg, r->answer.data, r->answer.len);
	if (code == CM_CHANGED)
		end(r, REGISTRAR_TRIGGERED, code);
}

void
registrar_input(struct registrar *r, uint64_t now_ms, const uint8_t *p, size_t n)
{
	struct coapmsg m;

	if (now_ms >= r->sleep_at && r->request.len == 0)
		return; /* it sleeps */
	if (coapmsg_parse(&m, p, n, NULL) != ERR_OK)
		return;
	if (coapmsg_is_request(&m) && m.type == CM_CON)
		command(r, &m);
	else if (coapmsg_is_response(&m) && m.type == CM_ACK)
		response(r, &m, now_ms);
}

/* ---- time ---- */

uint64_t
registrar_next(const struct registrar *r)
{
	return MIN(r->due_ms, r->request.len > 0 ? NEVER : r->update_at);
}

void
registrar_tick(struct registrar *r, uint64_t now_ms)
{
	if (r->over)
		return;
	if (r->request.len == 0 && r->update_at <= now_ms) {
		send_update(r, now_ms);
		return;
	}
	if (r->due_ms > now_ms)
		return;
	if (r->sent > r->cfg->max_retransmit) {
		end(r, REGISTRAR_UNANSWERED, 0);
		return;
	}
	r->sent++;
	r->timeout_ms *= 2;
	r->due_ms = now_ms + r->timeout_ms;
	r->ops->send(r->arg, r->request.data, r->request.len);
}
