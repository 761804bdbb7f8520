/* The REST interface of Leshan's server demo: one credential for each endpoint, put by endpoint. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/handoff/platform.h"
#include "lib/base/str.h"
#include "lib/base/util.h"

#define CLIENTS "/api/security/clients/"

static json_t *
details(const struct handoff_credential *c)
{
	if (c->mode == HANDOFF_PSK)
		return json_pack("{s:s%, s:o}", "identity", (const char *)c->identity, c->identity_len, "key",
		    handoff_json_hex(c->key, c->key_len));
	return json_pack("{s:o}", "key", handoff_json_hex(c->identity, c->identity_len));
}

/* {"endpoint":E,"tls":{"mode":M,"details":{...}}}; with x509 the certificate's common name must be the endpoint. */
static json_t *
body(const struct handoff_task *t)
{
	json_t *tls = json_pack("{s:s}", "mode", handoff_mode_name(t->cred.mode));

	if (t->cred.mode != HANDOFF_X509 && json_object_set_new(tls, "details", details(&t->cred)) != 0) {
		json_decref(tls);
		return NULL; /* it would be told half */
	}
	return json_pack("{s:s, s:o}", "endpoint", t->endpoint, "tls", tls);
}

static bool
refuses_name(const struct handoff_task *t, struct err *why)
{
	if (strchr(t->endpoint, '/') == NULL)
		return false;
	(void)err_set(why, ERR_UNSUPPORTED, "Leshan takes no endpoint with a slash in it");
	return true;
}

static enum handoff_word
ask(struct handoff_task *t, struct handoff_request *out, struct err *why)
{
	bool text = t->cred.mode != HANDOFF_PSK || str_is_utf8(t->cred.identity, t->cred.identity_len);
	bool tell = t->call == HANDOFF_CALL_TELL || t->call == HANDOFF_CALL_TELL_BACK;

	if (refuses_name(t, why))
		return HANDOFF_NO;
	if (tell && !text) {
		(void)err_set(why, ERR_UNSUPPORTED, "Leshan takes no PSK identity that is not text");
		return HANDOFF_NO;
	}
	out->method = tell ? "PUT" : t->call == HANDOFF_CALL_TEST ? "GET" : "DELETE";
	handoff_authorize(out, t);
	handoff_url(out, t, t->call == HANDOFF_CALL_TEST ? "/api/server/endpoint" : tell ? CLIENTS : CLIENTS "%e");
	if (!tell)
		return HANDOFF_ASK;
	return handoff_send_json(body(t), out, why);
}

/* ---- the Bootstrap-Request Trigger ---- */

/* "NOT_FOUND(404)" is 0x84; 0: it is no such text. */
static uint8_t
code_of(const json_t *answer)
{
	const char *text = json_string_value(json_object_get(answer, "status"));
	const char *open = text == NULL ? NULL : strchr(text, '(');
	uint64_t v;

	if (open == NULL || strlen(open) != 5 || open[4] != ')' || !str_to_u64(open + 1, 3, 200, 599, &v) || v % 100 > 31)
		return 0;
	return (uint8_t)((v / 100) << 5 | v % 100);
}

static int64_t
number_of(const json_t *v)
{
	const char *text = json_string_value(v);
	int64_t n;

	if (text != NULL)
		return str_to_i64(text, strlen(text), 0, UINT16_MAX, &n) ? n : -1;
	return json_is_integer(v) ? json_integer_value(v) : -1;
}

/* The instance of Object 1 with our Short Server ID, in what was read of it. */
static int
instance_in(const json_t *answer, uint16_t short_server_id)
{
	const json_t *instance, *resource;
	size_t i, k;

	json_array_foreach(json_object_get(json_object_get(answer, "content"), "instances"), i, instance)
	json_array_foreach(json_object_get(instance, "resources"), k, resource)
	{
		int64_t id = number_of(json_object_get(instance, "id"));

		if (number_of(json_object_get(resource, "id")) == 0 && id >= 0 && id < UINT16_MAX &&
		    number_of(json_object_get(resource, "value")) == short_server_id)
			return (int)id;
	}
	return HANDOFF_INSTANCE_UNKNOWN;
}

/* Where it is not known which instance it is, Object 1 is read there first. The server waits for the device as we do. */
static enum handoff_word
ask_device(struct handoff_task *t, struct handoff_request *out, struct err *why)
{
	bool look = t->instance < 0;
	char path[96];

	if (refuses_name(t, why))
		return HANDOFF_NO;
	unsigned seconds = (unsigned)MAX(t->server->timeout_ms / 1000, 1U);
	if (look)
		(void)snprintf(path, sizeof path, "/api/clients/%%e/1?timeout=%u", seconds);
	else
		(void)snprintf(path, sizeof path, "/api/clients/%%e/1/%d/9?timeout=%u", t->instance, seconds);
	out->method = look ? "GET" : "POST";
	handoff_authorize(out, t);
	handoff_url(out, t, path);
	return HANDOFF_ASK;
}

static enum handoff_word
heard(struct handoff_task *t, enum handoff_said said, uint8_t code)
{
	t->heard = (struct handoff_heard){ said, code };
	return HANDOFF_DONE;
}

/* It says that this instance, or what is asked of it, is not ours: another may be. */
static bool
may_be_another(uint8_t code)
{
	return code == 0x81 || code == 0x83 || code == 0x84 || code == 0x85;
}

/* What the device said to the server, or that it sleeps. */
static enum handoff_word
of_device(struct handoff_task *t, const json_t *answer, struct handoff_request *out, struct err *why)
{
	bool looking = t->instance < 0;
	uint8_t code = code_of(answer);

	if (json_is_true(json_object_get(answer, "delayed")))
		return heard(t, looking ? HANDOFF_SAID_ASLEEP : HANDOFF_SAID_QUEUED, 0);
	if (code == 0) {
		(void)err_set(why, ERR_PARSE, "its answer does not say what the device answered");
		return HANDOFF_NO;
	}
	if (looking && code >> 5 == 2) {
		t->instance = instance_in(answer, t->short_server_id);
		if (t->instance >= 0)
			return ask_device(t, out, why);
		(void)err_set(why, ERR_NOT_FOUND, "it sees no instance of Object 1 with Short Server ID %u", t->short_server_id);
		return HANDOFF_NO;
	}
	if (!looking && !t->looked && may_be_another(code)) {
		t->instance = HANDOFF_INSTANCE_UNKNOWN;
		t->looked = true;
		return ask_device(t, out, why);
	}
	return heard(t, HANDOFF_SAID_CODE, code);
}

static enum handoff_word
leshan_trigger(struct handoff_task *t, const struct handoff_reply *last, struct handoff_request *out, struct err *why)
{
	static const char absent[] = "No registered client";
	json_t *answer;

	if (last == NULL) {
		t->looked = t->instance < 0;
		return ask_device(t, out, why);
	}
	if (last->status == 504)
		return heard(t, HANDOFF_SAID_SILENT, 0);
	if (last->status == 404 || (last->status == 400 && last->body_len >= sizeof absent - 1 &&
	    memcmp(last->body, absent, sizeof absent - 1) == 0))
		return heard(t, HANDOFF_SAID_ABSENT, 0);
	if (last->status == 202)
		return heard(t, t->instance < 0 ? HANDOFF_SAID_ASLEEP : HANDOFF_SAID_QUEUED, 0);
	if (last->status != 200)
		return handoff_unwelcome(t, last, why);
	answer = json_loadb((const char *)last->body, last->body_len, 0, NULL);
	enum handoff_word word = of_device(t, answer, out, why);
	json_decref(answer);
	return word;
}

static bool
can_trigger(const struct handoff_server *s)
{
	(void)s;
	return true;
}

static enum handoff_word
next(struct handoff_task *t, const struct handoff_reply *last, struct handoff_request *out, struct err *why)
{
	if (t->call == HANDOFF_CALL_TRIGGER)
		return leshan_trigger(t, last, out, why);
	if (last == NULL)
		return ask(t, out, why);
	if (last->status >= 200 && last->status < 300)
		return HANDOFF_DONE; /* a DELETE of what is not there as well */
	if (t->call == HANDOFF_CALL_FORGET && last->status == 404)
		return HANDOFF_DONE;
	return handoff_unwelcome(t, last, why);
}

const struct handoff_driver handoff_leshan = { .name = "leshan", .one_secret = true, .modes = HANDOFF_HOLDS_ALL,
	.next = next, .can_trigger = can_trigger };
