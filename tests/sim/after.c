#include "tests/sim/after.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/util.h"
#include "tests/sim/net.h"

#define DTLS_PAUSE_MS 20

struct after {
	const struct after_config *cfg;
	struct net *net; /* to the server of the first that registered: all have the same */
	bool secure;
	uint64_t now_ms, seed;
};

struct leg {
	struct after *after;
	struct registrar *registrar;
	struct net_peer peer;
	struct dtls *dtls;
	struct dtls_policy *own; /* of an account with keys other than pre-shared ones; NULL */
	after_fn *fn;
	void *arg;
};

struct after *
after_new(const struct after_config *cfg)
{
	struct after *a = calloc(1, sizeof *a);

	if (a != NULL) {
		a->cfg = cfg;
		a->seed = cfg->seed;
	}
	return a;
}

void
after_free(struct after *a)
{
	if (a == NULL)
		return;
	net_free(a->net);
	free(a);
}

static void
on_wire(void *arg, const uint8_t *p, size_t n)
{
	struct leg *l = arg;

	net_send(l->after->net, &l->peer, p, n);
}

static void
on_send(void *arg, const uint8_t *p, size_t n)
{
	struct leg *l = arg;

	if (l->dtls != NULL)
		dtls_write(l->dtls, p, n);
	else
		on_wire(l, p, n);
}

static void
on_event(void *arg, enum registrar_event ev, uint8_t code)
{
	struct leg *l = arg;

	l->fn(l->arg, ev, code, "");
}

static void
dtls_moved(struct leg *l, enum dtls_state before, enum dtls_state state)
{
	if (before == DTLS_HANDSHAKE && state == DTLS_READY)
		registrar_start(l->registrar, l->after->now_ms);
	else if (before == DTLS_HANDSHAKE && state == DTLS_FAILED)
		l->fn(l->arg, REGISTRAR_REFUSED, 0, dtls_reason(l->dtls));
}

static void
on_input(void *ctx, struct net_peer *p, const uint8_t *bytes, size_t n)
{
	struct after *a = ctx;
	struct leg *l = p->arg;
	uint8_t plain[2048];
	size_t len;

	if (l->dtls == NULL) {
		registrar_input(l->registrar, a->now_ms, bytes, n);
		return;
	}
	enum dtls_state before = dtls_timeout(l->dtls) >= 0 ? DTLS_HANDSHAKE : DTLS_READY;
	dtls_moved(l, before, dtls_input(l->dtls, bytes, n));
	while ((len = dtls_read(l->dtls, plain, sizeof plain)) > 0)
		registrar_input(l->registrar, a->now_ms, plain, len);
}

void
after_poll(struct after *a, uint64_t now_ms)
{
	a->now_ms = now_ms;
	if (a->net != NULL)
		net_poll(a->net, 0);
}

static const struct lwm2m_value *
value(const struct device *d, uint16_t iid, uint16_t rid)
{
	return lwm2m_tree_get(device_tree(d), lwm2m_path3(LWM2M_SECURITY, iid, rid));
}

static enum err_code
open_net(struct after *a, const struct lwm2m_value *uri, struct err *e)
{
	struct net_config net = { .max_peers = a->cfg->max, .seed = a->cfg->seed };

	if (a->net != NULL)
		return ERR_OK;
	char *text = calloc(1, uri->bytes.len + 1);
	if (text == NULL)
		return err_no_memory(e);
	memcpy(text, uri->bytes.data, uri->bytes.len);
	enum err_code rc = net_parse_uri(text, &net, &a->secure, e);
	free(text);
	if (rc == ERR_OK)
		a->net = net_new(&net, on_input, a, e);
	return rc == ERR_OK && a->net == NULL ? ERR_IO : rc;
}

/* What the account shows when it is not a pre-shared key; without a private key in it, what the device knocks with. */
static enum err_code
own_policy(struct leg *l, const struct device *d, uint16_t iid, struct err *e)
{
	const struct lwm2m_value *mode = value(d, iid, 2), *shown = value(d, iid, 3), *key = value(d, iid, 5);
	bool raw = mode != NULL && mode->i == 1;

	if (mode == NULL || (mode->i != 1 && mode->i != 2) || key == NULL || key->bytes.len == 0 || shown == NULL)
		return ERR_OK;
	l->own = dtls_policy_new(raw ? "rpk" : "x509", e);
	return l->own == NULL ? ERR_CRYPTO : dtls_policy_own(l->own, &shown->bytes, &key->bytes, raw, e);
}

static enum err_code
open_dtls(struct leg *l, const struct device *d, uint16_t iid, struct err *e)
{
	static const struct dtls_ops wire = { .send = on_wire };
	const struct lwm2m_value *mode = value(d, iid, 2), *identity = value(d, iid, 3), *key = value(d, iid, 5);
	static const struct secret none = SECRET_NONE;
	bool psk = mode == NULL || mode->i == 0;
	char name[256] = "";
	enum err_code rc = own_policy(l, d, iid, e);

	if (rc != ERR_OK)
		return rc;
	if (psk && (identity == NULL || key == NULL || identity->bytes.len >= sizeof name))
		return err_set(e, ERR_INVALID, "the account has no key");
	if (psk)
		memcpy(name, identity->bytes.data, identity->bytes.len);
	const struct dtls_policy *p = psk ? l->after->cfg->policy : l->own != NULL ? l->own : l->after->cfg->knock;
	if (p == NULL)
		return err_set(e, ERR_INVALID, "the account has no private key, nor has the device");
	l->dtls = dtls_new(p, name, psk ? &key->bytes : &none, &wire, l, e);
	if (l->dtls == NULL)
		return ERR_CRYPTO;
	return dtls_run(l->dtls) == DTLS_FAILED ? err_set(e, ERR_CRYPTO, "%s", dtls_reason(l->dtls)) : ERR_OK;
}

struct leg *
after_begin(struct after *a, const struct device *d, uint64_t now_ms, after_fn *fn, void *arg, struct err *e)
{
	static const struct registrar_ops ops = { .send = on_send, .event = on_event };
	struct leg *l = calloc(1, sizeof *l);
	uint16_t iid;

	if (l == NULL) {
		(void)err_no_memory(e);
		return NULL;
	}
	*l = (struct leg){ .after = a, .fn = fn, .arg = arg };
	l->peer.arg = l;
	a->now_ms = now_ms;
	a->seed += 0x9e3779b97f4a7c15U;
	enum err_code rc = registrar_account(device_tree(d), a->cfg->registrar.ssid, &iid) && value(d, iid, 0) != NULL ?
	    open_net(a, value(d, iid, 0), e) :
	    err_set(e, ERR_NOT_FOUND, "no account of Short Server ID %u", (unsigned)a->cfg->registrar.ssid);
	if (rc == ERR_OK)
		rc = net_open(a->net, &l->peer, e);
	if (rc == ERR_OK) {
		l->registrar = registrar_new(&a->cfg->registrar, device_endpoint(d), device_tree(d), a->seed ^ a->seed >> 31,
		    &ops, l);
		rc = l->registrar == NULL ? err_no_memory(e) : ERR_OK;
	}
	if (rc == ERR_OK && a->secure)
		rc = open_dtls(l, d, iid, e);
	if (rc != ERR_OK) {
		leg_end(l);
		return NULL;
	}
	if (!a->secure)
		registrar_start(l->registrar, now_ms);
	return l;
}

void
leg_end(struct leg *l)
{
	if (l == NULL)
		return;
	if (l->dtls != NULL)
		dtls_bye(l->dtls);
	dtls_free(l->dtls);
	dtls_policy_free(l->own);
	if (l->peer.open)
		net_close(l->after->net, &l->peer);
	registrar_free(l->registrar);
	free(l);
}

uint64_t
leg_next(const struct leg *l, uint64_t now_ms)
{
	int dtls = l->dtls == NULL ? -1 : dtls_timeout(l->dtls);

	if (dtls >= 0)
		return now_ms + MAX((uint64_t)dtls, (uint64_t)DTLS_PAUSE_MS);
	return registrar_next(l->registrar);
}

void
leg_tick(struct leg *l, uint64_t now_ms)
{
	l->after->now_ms = now_ms;
	if (l->dtls != NULL && dtls_timeout(l->dtls) == 0)
		dtls_moved(l, DTLS_HANDSHAKE, dtls_run(l->dtls));
	if (registrar_next(l->registrar) <= now_ms)
		registrar_tick(l->registrar, now_ms);
}
