/*
 * The REST interface of ThingsBoard. A device there has its name, which is the endpoint, and one set
 * of credentials; both are asked for first, so that what else the set holds stays. No device is ever
 * deleted, for its data would go with it: one that is forgotten is left with a key that nobody knows.
 */
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "bsserver/handoff/platform.h"
#include "lib/base/str.h"
#include "lib/base/util.h"

#define PLATFORM "ThingsBoard"
#define LWM2M "LWM2M_CREDENTIALS"
#define KEY_STEP 16 /* octets of a pre-shared key: one to four times as many */
#define KEY_MAX 64
#define UNKNOWN_KEY 32 /* octets of one that nobody knows */

enum stage { START, LOGIN, FIND, READ, WRITE, WHO, PROFILE, STAGES };

static bool
is_uuid(const char *s)
{
	size_t i = 0;

	for (; s[i] != 0; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (i >= 36 || (dash ? s[i] != '-' : strchr("0123456789abcdefABCDEF", s[i]) == NULL))
			return false;
	}
	return i == 36;
}

static enum err_code
check(const struct handoff_server *s, struct err *e)
{
	return s->device_profile == NULL || is_uuid(s->device_profile) ?
		   ERR_OK :
		   err_set(e, ERR_INVALID, "device_profile: must be the UUID of a device profile of ThingsBoard");
}

/* ---- what is written ---- */

/* What it would not take, said before anything is asked for. */
static bool
takes(const struct handoff_credential *c, struct err *why)
{
	bool no_sec = c->identity_len == 6 && memcmp(c->identity, "NO_SEC", 6) == 0;

	if (c->mode != HANDOFF_PSK)
		return true;
	if (c->key_len == 0 || c->key_len % KEY_STEP != 0 || c->key_len > KEY_MAX) {
		(void)err_set(why, ERR_UNSUPPORTED, PLATFORM " takes pre-shared keys of 16, 32, 48 or 64 octets, and this one has %zu",
		    c->key_len);
		return false;
	}
	if (c->identity_len == 0 || no_sec || !str_is_utf8(c->identity, c->identity_len)) {
		(void)err_set(why, ERR_UNSUPPORTED, PLATFORM " takes no PSK identity that is empty, no text, or the word NO_SEC");
		return false;
	}
	return true;
}

static json_t *
client(const struct handoff_task *t)
{
	const struct handoff_credential *c = &t->cred;

	if (!handoff_is_telling(t))
		return json_pack("{s:s, s:s, s:o, s:o}", "endpoint", t->endpoint, "securityConfigClientMode", "PSK", "identity",
		    handoff_json_random(KEY_STEP), "key", handoff_json_random(UNKNOWN_KEY));
	if (c->mode == HANDOFF_PSK)
		return json_pack("{s:s, s:s, s:s%, s:o}", "endpoint", t->endpoint, "securityConfigClientMode", "PSK", "identity",
		    (const char *)c->identity, c->identity_len, "key", handoff_json_hex(c->key, c->key_len));
	if (c->mode == HANDOFF_RPK)
		return json_pack("{s:s, s:s, s:o}", "endpoint", t->endpoint, "securityConfigClientMode", "RPK", "key",
		    handoff_json_base64(c->identity, c->identity_len));
	/* without a certificate its CA and the name in it decide */
	return c->identity_len == 0 ?
		   json_pack("{s:s, s:s}", "endpoint", t->endpoint, "securityConfigClientMode", "X509") :
		   json_pack("{s:s, s:s, s:o}", "endpoint", t->endpoint, "securityConfigClientMode", "X509", "cert",
		       handoff_json_base64(c->identity, c->identity_len));
}

/* A set is not taken without these two. Nobody can come with them: we bootstrap the device, it does not. */
static json_t *
bootstrap(const char *old_value)
{
	json_t *old = old_value == NULL ? NULL : json_loads(old_value, 0, NULL);
	json_t *kept = json_incref(json_object_get(old, "bootstrap"));

	json_decref(old);
	if (json_is_object(kept))
		return kept;
	json_decref(kept);
	return json_pack("{s:{s:s, s:o, s:o}, s:{s:s, s:o, s:o}}", "bootstrapServer", "securityMode", "PSK",
	    "clientPublicKeyOrId", handoff_json_random(KEY_STEP), "clientSecretKey", handoff_json_random(UNKNOWN_KEY),
	    "lwm2mServer", "securityMode", "PSK", "clientPublicKeyOrId", handoff_json_random(KEY_STEP), "clientSecretKey",
	    handoff_json_random(UNKNOWN_KEY));
}

/* Into a set of credentials, beside what else it has. */
static bool
fill(json_t *set, const struct handoff_task *t)
{
	const char *type = json_string_value(json_object_get(set, "credentialsType"));
	bool ours = type != NULL && strcmp(type, LWM2M) == 0;
	json_t *boot = bootstrap(ours ? json_string_value(json_object_get(set, "credentialsValue")) : NULL);
	json_t *value = handoff_json_text(json_pack("{s:o, s:o}", "client", client(t), "bootstrap", boot));

	return json_object_set_new(set, "credentialsType", json_string(LWM2M)) == 0 &&
	    json_object_set_new(set, "credentialsId", json_string(t->endpoint)) == 0 &&
	    json_object_set_new(set, "credentialsValue", value) == 0;
}

/* set is taken over; NULL when memory is short. */
static json_t *
filled(json_t *set, const struct handoff_task *t)
{
	if (set != NULL && fill(set, t))
		return set;
	json_decref(set);
	return NULL;
}

/* ---- requests ---- */

static enum handoff_word
ask(struct handoff_task *t, struct handoff_request *out, enum stage stage, const char *method, const char *path)
{
	const struct secret *token = t->grant.len > 0 ? &t->grant : &t->server->token;

	gbuf_str(&out->authorization, "X-Authorization: ");
	gbuf_str(&out->authorization, t->grant.len > 0 || t->server->bearer ? "Bearer " : "ApiKey ");
	gbuf_put(&out->authorization, token->data, token->len);
	return handoff_aim(t, out, (int)stage, method, path);
}

static enum handoff_word
log_in(struct handoff_task *t, struct handoff_request *out, struct err *why)
{
	const struct handoff_server *s = t->server;

	(void)handoff_aim(t, out, LOGIN, "POST", "/api/auth/login");
	return handoff_send_json(json_pack("{s:s, s:s%}", "username", s->login, "password", (const char *)s->password.data,
				     s->password.len), out, why);
}

static enum handoff_word
begin(struct handoff_task *t, struct handoff_request *out)
{
	return t->call == HANDOFF_CALL_TEST ? ask(t, out, WHO, "GET", "/api/auth/user") :
					      ask(t, out, FIND, "GET", "/api/tenant/devices?deviceName=%e");
}

static enum handoff_word
create(struct handoff_task *t, struct handoff_request *out, struct err *why)
{
	if (t->server->device_profile == NULL) {
		(void)err_set(why, ERR_NOT_FOUND,
		    PLATFORM " has no device of that name, and the configuration no device_profile for new ones");
		return HANDOFF_NO;
	}
	(void)ask(t, out, WRITE, "POST", "/api/device-with-credentials");
	return handoff_send_json(json_pack("{s:{s:s, s:{s:s, s:s}}, s:o}", "device", "name", t->endpoint, "deviceProfileId",
				     "entityType", "DEVICE_PROFILE", "id", t->server->device_profile, "credentials",
				     filled(json_object(), t)), out, why);
}

/* ---- answers ---- */

static enum handoff_word
on_login(struct handoff_task *t, const struct handoff_reply *r, struct handoff_request *out, struct err *why)
{
	enum handoff_word word = handoff_take_grant(t, r, "token", why);

	return word == HANDOFF_DONE ? begin(t, out) : word;
}

static enum handoff_word
on_found(struct handoff_task *t, const struct handoff_reply *r, struct handoff_request *out, struct err *why)
{
	json_t *j = handoff_json_of(r);
	const char *id = json_string_value(json_object_get(json_object_get(j, "id"), "id"));
	const char *name = json_string_value(json_object_get(j, "name"));
	enum handoff_word word = HANDOFF_ASK;

	/* another device's credentials are not touched */
	if (id == NULL || !is_uuid(id) || name == NULL || strcmp(name, t->endpoint) != 0)
		word = handoff_nonsense(r, PLATFORM, why);
	else {
		(void)ask(t, out, READ, "GET", "/api/device/");
		gbuf_str(&out->url, id);
		gbuf_str(&out->url, "/credentials");
	}
	json_decref(j);
	return word;
}

static enum handoff_word
on_read(struct handoff_task *t, const struct handoff_reply *r, struct handoff_request *out, struct err *why)
{
	json_t *set = handoff_json_of(r);

	if (!json_is_object(json_object_get(set, "deviceId"))) {
		json_decref(set);
		return handoff_nonsense(r, PLATFORM, why);
	}
	(void)ask(t, out, WRITE, "POST", "/api/device/credentials");
	return handoff_send_json(filled(set, t), out, why);
}

static enum handoff_word
on_written(struct handoff_task *t, const struct handoff_reply *r, struct handoff_request *out, struct err *why)
{
	json_t *j = handoff_json_of(r);
	bool whole = json_is_object(json_object_get(j, "id"));

	(void)t;
	(void)out;
	json_decref(j);
	return whole ? HANDOFF_DONE : handoff_nonsense(r, PLATFORM, why);
}

/* A test: may that user change credentials, and is there what new devices need? */
static enum handoff_word
on_who(struct handoff_task *t, const struct handoff_reply *r, struct handoff_request *out, struct err *why)
{
	json_t *j = handoff_json_of(r);
	const char *authority = json_string_value(json_object_get(j, "authority"));
	enum handoff_word word = HANDOFF_DONE;

	if (authority == NULL)
		word = handoff_nonsense(r, PLATFORM, why);
	else if (strcmp(authority, "TENANT_ADMIN") != 0) {
		(void)err_set(why, ERR_REFUSED, "the user there may not change credentials: only a TENANT_ADMIN may");
		word = HANDOFF_NO;
	} else if (t->server->device_profile != NULL) {
		word = ask(t, out, PROFILE, "GET", "/api/deviceProfile/");
		gbuf_str(&out->url, t->server->device_profile);
	}
	json_decref(j);
	return word;
}

static enum handoff_word
on_profile(struct handoff_task *t, const struct handoff_reply *r, struct handoff_request *out, struct err *why)
{
	json_t *j = handoff_json_of(r);
	const char *transport = json_string_value(json_object_get(j, "transportType"));
	enum handoff_word word = HANDOFF_DONE;

	(void)out;
	if (transport == NULL)
		word = handoff_nonsense(r, PLATFORM, why);
	else if (strcmp(transport, "LWM2M") != 0) {
		(void)err_set(why, ERR_REFUSED, "device_profile %s is not one of transport LWM2M", t->server->device_profile);
		word = HANDOFF_NO;
	}
	json_decref(j);
	return word;
}

static enum handoff_word (*const heard[])(struct handoff_task *, const struct handoff_reply *, struct handoff_request *,
    struct err *) = {
	[LOGIN] = on_login,
	[FIND] = on_found,
	[READ] = on_read,
	[WRITE] = on_written,
	[WHO] = on_who,
	[PROFILE] = on_profile,
};
_Static_assert(N_ELEMS(heard) == STAGES, "one for each stage");

static enum handoff_word
next(struct handoff_task *t, const struct handoff_reply *last, struct handoff_request *out, struct err *why)
{
	if (last == NULL) {
		if (handoff_is_telling(t) && !takes(&t->cred, why))
			return HANDOFF_NO;
		return t->server->login != NULL ? log_in(t, out, why) : begin(t, out);
	}
	if (t->stage == FIND && last->status == 404)
		return handoff_is_telling(t) ? create(t, out, why) : HANDOFF_DONE;
	if (t->stage == PROFILE && last->status == 404) {
		(void)err_set(why, ERR_NOT_FOUND, PLATFORM " has no device profile %s", t->server->device_profile);
		return HANDOFF_NO;
	}
	if (!handoff_is_good(last))
		return handoff_unwelcome_member(t, last, "message", why);
	return heard[t->stage](t, last, out, why);
}

const struct handoff_driver handoff_thingsboard = { .name = "thingsboard", .one_secret = true, .check = check, .next = next,
	.modes = HANDOFF_HOLDS_ALL };
