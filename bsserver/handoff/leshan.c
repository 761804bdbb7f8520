/* The REST interface of Leshan's server demo: one credential for each endpoint, put by endpoint. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/handoff/driver.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/base/util.h"

#define CLIENTS "/api/security/clients/"

static json_t *
hex(const uint8_t *p, size_t n)
{
	struct gbuf g = { 0 };
	json_t *j;

	enc_hex(&g, p, n);
	j = json_string(gbuf_cstr(&g));
	gbuf_clear(&g);
	return j;
}

static json_t *
details(const struct handoff_credential *c)
{
	if (c->mode == HANDOFF_PSK)
		return json_pack("{s:s%, s:o}", "identity", (const char *)c->identity, c->identity_len, "key",
		    hex(c->key, c->key_len));
	return json_pack("{s:o}", "key", hex(c->identity, c->identity_len));
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

static enum err_code
dump(json_t *j, struct gbuf *out, struct err *e)
{
	char *text = j == NULL ? NULL : json_dumps(j, JSON_COMPACT);

	if (text != NULL) {
		gbuf_str(out, text);
		wipe(text, strlen(text));
	}
	free(text);
	json_decref(j);
	return text == NULL ? err_no_memory(e) : gbuf_check(out, e);
}

static enum handoff_word
ask(struct handoff_task *t, struct handoff_request *out, struct err *why)
{
	bool text = t->cred.mode != HANDOFF_PSK || str_is_utf8(t->cred.identity, t->cred.identity_len);
	bool tell = t->call == HANDOFF_CALL_TELL || t->call == HANDOFF_CALL_TELL_BACK;

	if (strchr(t->endpoint, '/') != NULL) {
		(void)err_set(why, ERR_UNSUPPORTED, "Leshan takes no endpoint with a slash in it");
		return HANDOFF_NO;
	}
	if (tell && !text) {
		(void)err_set(why, ERR_UNSUPPORTED, "Leshan takes no PSK identity that is not text");
		return HANDOFF_NO;
	}
	out->method = tell ? "PUT" : t->call == HANDOFF_CALL_TEST ? "GET" : "DELETE";
	handoff_authorize(out, t);
	handoff_url(out, t, t->call == HANDOFF_CALL_TEST ? "/api/server/endpoint" : tell ? CLIENTS : CLIENTS "%e");
	if (!tell)
		return HANDOFF_ASK;
	out->type = "application/json";
	return dump(body(t), &out->body, why) == ERR_OK ? HANDOFF_ASK : HANDOFF_LATER;
}

static enum handoff_word
next(struct handoff_task *t, const struct handoff_reply *last, struct handoff_request *out, struct err *why)
{
	if (last == NULL)
		return ask(t, out, why);
	if (last->status >= 200 && last->status < 300)
		return HANDOFF_DONE; /* a DELETE of what is not there as well */
	if (t->call == HANDOFF_CALL_FORGET && last->status == 404)
		return HANDOFF_DONE;
	return handoff_unwelcome(t, last, why);
}

const struct handoff_driver handoff_leshan = { .name = "leshan", .one_secret = true, .modes = HANDOFF_HOLDS_ALL, .next = next };
