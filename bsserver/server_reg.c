#include "bsserver/server_reg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"

struct server_reg {
	const struct conf *conf;
	const struct auth *auth;
	struct registry *registry;
};

static bool
on_psk(void *arg, const char *identity, size_t len, struct secret *key)
{
	const struct server_reg *s = arg;

	return auth_registry_psk(s->auth, identity, len, key);
}

static bool
may(void *arg, const char *endpoint, bool secure)
{
	const struct server_reg *s = arg;

	return auth_may_register(s->auth, endpoint, secure);
}

static void
on_handshake_failed(void *arg, const struct transport_failure *f)
{
	(void)arg;
	log_msg(LVL_NOTICE, LOG_REGISTRY, &(struct log_about){ .peer = f->addr },
	    "refused in the handshake, with identity \"%.*s\" (%s)", (int)f->claimed.len,
	    f->claimed.bytes != NULL ? f->claimed.bytes : "", f->why);
}

enum err_code
server_reg_open(const struct conf *c, struct loop *l, const struct auth *a, struct server_reg **out, struct err *e)
{
	struct transport_listener listeners[CONF_LISTENERS_MAX];
	struct server_reg *s;

	*out = NULL;
	if (c->n_registry_listeners == 0)
		return ERR_OK;
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return err_no_memory(e);
	s->conf = c;
	s->auth = a;
	for (size_t i = 0; i < c->n_registry_listeners; i++)
		listeners[i] = (struct transport_listener){
			.scheme = c->registry_listeners[i].secure ? TRANSPORT_COAPS : TRANSPORT_COAP,
			.host = c->registry_listeners[i].host,
			.port = c->registry_listeners[i].port,
		};
	const struct registry_conf r = {
		.loop = l,
		.listeners = listeners,
		.n_listeners = c->n_registry_listeners,
		.max_devices = (size_t)c->registry_max,
		.cbc = c->cbc,
		.hooks = { .arg = s, .psk = on_psk, .may = may, .handshake_failed = on_handshake_failed },
	};
	enum err_code rc = registry_open(&r, &s->registry, e);
	if (rc != ERR_OK) {
		free(s);
		return rc;
	}
	*out = s;
	return ERR_OK;
}

void
server_reg_close(struct server_reg *s)
{
	if (s != NULL)
		registry_close(s->registry);
}

void
server_reg_free(struct server_reg *s)
{
	if (s == NULL)
		return;
	registry_free(s->registry);
	free(s);
}

void
server_reg_feed(struct server_reg *s, const struct store_feed *f)
{
	if (s != NULL && f->kind == STORE_FEED_NO_DEVICE)
		registry_forget(s->registry, f->name);
}

bool
server_reg_listener(const struct server_reg *s, size_t i, char *out, size_t cap)
{
	if (s == NULL || i >= s->conf->n_registry_listeners)
		return false;
	const struct conf_listener *l = &s->conf->registry_listeners[i];
	bool v6 = strchr(l->host, ':') != NULL;
	(void)snprintf(out, cap, "%s://%s%s%s:%u", l->secure ? "coaps" : "coap", v6 ? "[" : "", l->host, v6 ? "]" : "",
	    (unsigned)registry_port(s->registry, i));
	return true;
}

bool
server_reg_counter(const struct server_reg *s, size_t i, struct api_counter *out)
{
	struct registry_stats t;

	if (s == NULL)
		return false;
	registry_stats(s->registry, &t);
	const struct api_counter rows[] = {
		{ "registry_registers", "registrations of devices", false, t.registers },
		{ "registry_updates", "updates of registrations", false, t.updates },
		{ "registry_deregisters", "registrations that devices ended", false, t.deregisters },
		{ "registry_refused", "requests of devices that the registry refused", false, t.refused },
		{ "registry_expired", "registrations that ran out", false, t.expired },
		{ "registry_registered", "devices registered", true, t.registered },
		{ "registry_known", "devices registered now or earlier", true, t.known },
		{ "registry_sessions", "sessions kept for devices that are registered", true, t.reachable },
		{ "registry_handshakes", "DTLS handshakes completed at the registry", false, t.transport.handshakes },
		{ "registry_handshakes_failed", "DTLS handshakes that came to nothing there", false,
		    t.transport.handshakes_failed },
	};

	if (i >= N_ELEMS(rows))
		return false;
	*out = rows[i];
	return true;
}
