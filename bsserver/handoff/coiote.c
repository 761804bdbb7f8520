/*
 * The REST interface of Coiote IoT Device Management, version 3. A device there is found by its
 * endpoint name, and holds one credential. No device is ever deleted, for its data would go with it:
 * one that is forgotten is left without a security mode, and cannot connect.
 */
#include <jansson.h>
#include <string.h>

#include "bsserver/handoff/platform.h"
#include "lib/base/str.h"
#include "lib/base/util.h"

#define PLATFORM "Coiote"
#define DEVICES "/api/coiotedm/v3/devices"
#define FOUND_MAX "10" /* one endpoint may have a record for its bootstrap besides */

enum stage { START, LOGIN, FIND, WRITE, TEST, STAGES };

static enum err_code
check(const struct handoff_server *s, struct err *e)
{
	size_t n = s->domain == NULL ? 0 : strlen(s->domain);

	return s->domain == NULL || (s->domain[0] == '/' && s->domain[n - 1] == '/') ?
		   ERR_OK :
		   err_set(e, ERR_INVALID, "domain: must begin and end with a slash, as \"/company/meters/\"");
}

/* ---- what is written ---- */

static bool
takes(const struct handoff_task *t, struct err *why)
{
	const struct handoff_credential *c = &t->cred;
	bool psk = handoff_is_telling(t) && c->mode == HANDOFF_PSK;

	if (strpbrk(t->endpoint, "'\\") != NULL) {
		(void)err_set(why, ERR_UNSUPPORTED, PLATFORM " cannot be asked for an endpoint with ' or \\ in it");
		return false;
	}
	if (psk && (c->identity_len == 0 || !str_is_utf8(c->identity, c->identity_len))) {
		(void)err_set(why, ERR_UNSUPPORTED, PLATFORM " takes no PSK identity that is empty or no text");
		return false;
	}
	return true;
}

static json_t *
security(const struct handoff_task *t)
{
	const struct handoff_credential *c = &t->cred;

	if (!handoff_is_telling(t))
		return json_pack("{s:s}", "securityMode", "notset");
	if (c->mode != HANDOFF_PSK) /* its CA, which Coiote knows, and the name in it decide */
		return json_pack("{s:s}", "securityMode", "cert");
	return json_pack("{s:s, s:s%, s:{s:o}}", "securityMode", "psk", "dtlsIdentity", (const char *)c->identity,
	    c->identity_len, "dtlsPsk", "HexadecimalPsk", handoff_json_hex(c->key, c->key_len));
}

static json_t *
new_device(const struct handoff_task *t)
{
	json_t *j = json_pack("{s:s, s:{s:s}, s:s}", "connectorType", "management", "properties", "endpointName", t->endpoint,
	    "domain", t->server->domain);
	json_t *more = security(t);

	if (j != NULL && (more == NULL || json_object_update(j, more) != 0)) {
		json_decref(j);
		j = NULL; /* it would be told half */
	}
	json_decref(more);
	return j;
}

/* ---- requests ---- */

static enum handoff_word
ask(struct handoff_task *t, struct handoff_request *out, enum stage stage, const char *method, const char *path)
{
	const struct secret *token = t->grant.len > 0 ? &t->grant : &t->server->token;

	gbuf_str(&out->authorization, "Authorization: Bearer ");
	gbuf_put(&out->authorization, token->data, token->len);
	return handoff_aim(t, out, (int)stage, method, path);
}

static enum handoff_word
log_in(struct handoff_task *t, struct handoff_request *out)
{
	gbuf_str(&out->body, "grant_type=password&username=");
	handoff_percent_encode(&out->body, t->server->login);
	gbuf_str(&out->body, "&password=");
	handoff_percent_encode(&out->body, (const char *)t->server->password.data);
	out->type = "application/x-www-form-urlencoded";
	return handoff_aim(t, out, LOGIN, "POST", "/api/auth/oauth_password");
}

static enum handoff_word
begin(struct handoff_task *t, struct handoff_request *out)
{
	return t->call == HANDOFF_CALL_TEST ?
		   ask(t, out, TEST, "GET", DEVICES "/find/details?fieldSelection=id&limit=1") :
		   ask(t, out, FIND, "GET", DEVICES "/find/details?searchCriteria=properties.endpointName%20eq%20%27%e%27"
						    "&fieldSelection=id,connectorType,properties&limit=" FOUND_MAX);
}

static enum handoff_word
create(struct handoff_task *t, struct handoff_request *out, struct err *why)
{
	if (!handoff_is_telling(t))
		return HANDOFF_DONE; /* it knows nothing of it */
	if (t->server->domain == NULL) {
		(void)err_set(why, ERR_NOT_FOUND,
		    PLATFORM " has no device of that endpoint name, and the configuration no domain for new ones");
		return HANDOFF_NO;
	}
	(void)ask(t, out, WRITE, "POST", DEVICES);
	return handoff_send_json(new_device(t), out, why);
}

/* ---- answers ---- */

static enum handoff_word
on_login(struct handoff_task *t, const struct handoff_reply *r, struct handoff_request *out, struct err *why)
{
	enum handoff_word word = handoff_take_grant(t, r, "access_token", why);

	return word == HANDOFF_DONE ? begin(t, out) : word;
}

/* The id of a record that is this endpoint's account, not its bootstrap's; NULL when it is none. */
static const char *
id_of(const json_t *device, const char *endpoint)
{
	const char *name = json_string_value(json_object_get(json_object_get(device, "properties"), "endpointName"));
	const char *kind = json_string_value(json_object_get(device, "connectorType"));
	const char *id = json_string_value(json_object_get(device, "id"));

	if (name == NULL || strcmp(name, endpoint) != 0 || (kind != NULL && strcmp(kind, "bootstrap") == 0))
		return NULL;
	return id != NULL && id[0] != 0 ? id : NULL;
}

static enum handoff_word
on_found(struct handoff_task *t, const struct handoff_reply *r, struct handoff_request *out, struct err *why)
{
	json_t *j = handoff_json_of(r), *devices = json_object_get(j, "devices");
	const char *id = NULL;
	enum handoff_word word;

	for (size_t i = 0; id == NULL && i < json_array_size(devices); i++)
		id = id_of(json_array_get(devices, i), t->endpoint);
	if (!json_is_array(devices))
		word = handoff_nonsense(r, PLATFORM, why);
	else if (id == NULL)
		word = create(t, out, why);
	else {
		(void)ask(t, out, WRITE, "PUT", DEVICES "/");
		handoff_percent_encode(&out->url, id);
		word = handoff_send_json(security(t), out, why);
	}
	json_decref(j);
	return word;
}

static enum handoff_word
on_written(struct handoff_task *t, const struct handoff_reply *r, struct handoff_request *out, struct err *why)
{
	json_t *j = r->body_len == 0 ? NULL : json_loadb((const char *)r->body, r->body_len, JSON_DECODE_ANY, NULL);
	bool whole = r->body_len == 0 || j != NULL;

	(void)t;
	(void)out;
	json_decref(j);
	return whole ? HANDOFF_DONE : handoff_nonsense(r, PLATFORM, why);
}

static enum handoff_word
on_test(struct handoff_task *t, const struct handoff_reply *r, struct handoff_request *out, struct err *why)
{
	json_t *j = handoff_json_of(r);
	bool whole = json_is_array(json_object_get(j, "devices"));

	(void)t;
	(void)out;
	json_decref(j);
	return whole ? HANDOFF_DONE : handoff_nonsense(r, PLATFORM, why);
}

static enum handoff_word (*const heard[])(struct handoff_task *, const struct handoff_reply *, struct handoff_request *,
    struct err *) = { [LOGIN] = on_login, [FIND] = on_found, [WRITE] = on_written, [TEST] = on_test };
_Static_assert(N_ELEMS(heard) == STAGES, "one for each stage");

static enum handoff_word
next(struct handoff_task *t, const struct handoff_reply *last, struct handoff_request *out, struct err *why)
{
	if (last == NULL) {
		if (!takes(t, why))
			return HANDOFF_NO;
		return t->server->login != NULL ? log_in(t, out) : begin(t, out);
	}
	if (!handoff_is_good(last))
		return handoff_unwelcome_member(t, last, "error", why);
	return heard[t->stage](t, last, out, why);
}

/* Of a raw public key its interface has the mode's name, and no place for the key. */
const struct handoff_driver handoff_coiote = { .name = "coiote", .one_secret = true, .check = check, .next = next,
	.modes = HANDOFF_HOLDS(HANDOFF_PSK) | HANDOFF_HOLDS(HANDOFF_X509) };
