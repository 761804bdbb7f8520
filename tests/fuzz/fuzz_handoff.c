/*
 * What the store keeps of a hand-off, what the configuration, the device's document and the LwM2M
 * Server put into requests and answers. The input: the driver, the call, the answer's status (two
 * octets); then, each with its length before it (two octets): a packed credential, the endpoint, a
 * "METHOD /path", a body, and last the answer, up to the end.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/handoff/driver.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/base/util.h"
#include "tests/fuzz/fuzz.h"

#define TURNS 3 /* of a trigger: by the instance that is known, a look, by the one that is found */
#define URL "https://dm.example"

static char *
take(struct rbuf *in)
{
	size_t n = rbuf_be(in, 2);
	const uint8_t *p = rbuf_take(in, n);

	return str_dup_n(p == NULL ? "" : (const char *)p, p == NULL ? 0 : n);
}

static bool
credential(const struct secret *packed, struct handoff_credential *out)
{
	struct secret again = SECRET_NONE;

	if (handoff_unpack(packed, out, NULL) != ERR_OK) {
		FUZZ_MUST(out->identity == NULL && out->key == NULL && out->key_len == 0, "refused, and not empty");
		return false;
	}
	FUZZ_MUST(handoff_pack(out, &again, NULL) == ERR_OK && secret_equal(packed, &again), "became another");
	secret_clear(&again);
	return true;
}

static void
asked(const struct handoff_task *t, const struct handoff_request *q)
{
	const char *url = gbuf_cstr(&q->url), *body = gbuf_cstr(&q->body);

	if (t->server->driver->program || (t->server->driver == &handoff_leshan && q->type != NULL)) {
		json_t *j = json_loads(body, 0, NULL);
		FUZZ_MUST(j != NULL, "no JSON: %s", body);
		json_decref(j);
	}
	if (t->server->driver->program) {
		FUZZ_MUST(strchr(body, '\n') == body + q->body.len - 1, "more than one line");
		return;
	}
	FUZZ_MUST(strncmp(url, URL "/", sizeof URL) == 0, "goes to %s", url);
	FUZZ_MUST(str_is_printable(url, q->url.len) && strpbrk(url, " #\\") == NULL, "an URL that is none");
	FUZZ_MUST(strstr(url, "/../") == NULL && strstr(url, "/./") == NULL, "leads elsewhere: %s", url);
}

static void
told(const struct handoff_task *t, enum handoff_word word, const struct err *why)
{
	struct gbuf hex = { 0 };

	FUZZ_MUST(word != HANDOFF_ASK, "asks again");
	FUZZ_MUST((unsigned)t->heard.said < HANDOFF_SAID__COUNT, "it heard %d", t->heard.said);
	enc_hex(&hex, t->cred.key, t->cred.key_len);
	if (word != HANDOFF_DONE)
		FUZZ_MUST(why->msg[0] != 0 && strchr(why->msg, '\n') == NULL, "without a word on one line");
	if (t->cred.key_len >= 8)
		FUZZ_MUST(strstr(why->msg, gbuf_cstr(&hex)) == NULL, "the key is told");
	gbuf_clear(&hex);
}

static void
talk(struct handoff_task *t, const struct handoff_reply *r)
{
	struct handoff_request q = { 0 };
	struct err why = { 0 };
	enum handoff_word word = t->server->driver->next(t, NULL, &q, &why);

	if (word != HANDOFF_ASK)
		told(t, word, &why);
	else if (handoff_request_check(&q, t->server, &why) == ERR_OK)
		asked(t, &q);
	handoff_request_clear(&q);
	if (word != HANDOFF_ASK && t->call == HANDOFF_CALL_TRIGGER)
		return;
	do { /* the same answer to whatever it asks for then */
		why = (struct err){ 0 };
		handoff_request_clear(&q);
		word = t->server->driver->next(t, r, &q, &why);
		if (word == HANDOFF_ASK && handoff_request_check(&q, t->server, &why) == ERR_OK)
			asked(t, &q);
	} while (word == HANDOFF_ASK && t->call == HANDOFF_CALL_TRIGGER && t->turn++ < TURNS);
	told(t, word, &why);
	handoff_request_clear(&q);
}

struct input {
	const struct handoff_driver *driver;
	enum handoff_call call;
	struct handoff_reply reply;
	struct secret packed;
	char *endpoint, *line, *body;
};

static void
read_input(struct rbuf *in, struct input *x)
{
	static const struct handoff_driver *const drivers[] = { &handoff_leshan, &handoff_http, &handoff_exec };

	x->driver = drivers[rbuf_u8(in) % N_ELEMS(drivers)];
	x->call = (enum handoff_call)(rbuf_u8(in) % HANDOFF_CALL__COUNT);
	x->reply = (struct handoff_reply){ .status = (long)rbuf_be(in, 2), .type = "" };
	size_t n = rbuf_be(in, 2);
	const uint8_t *p = rbuf_take(in, n);
	FUZZ_MUST(secret_set(&x->packed, p, p == NULL ? 0 : n, NULL) == ERR_OK, "no memory");
	x->endpoint = take(in);
	x->line = take(in);
	x->body = take(in);
	x->reply.body_len = in->overrun ? 0 : rbuf_left(in);
	x->reply.body = rbuf_take(in, x->reply.body_len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbuf in = rbuf_make(data, size);
	struct input x = { 0 };

	read_input(&in, &x);
	struct handoff_server s = { .name = (char[]){ "eu" }, .driver = x.driver, .tell = x.line, .tell_body = x.body,
		.url = x.driver->program ? NULL : (char[]){ URL }, .drop = x.line, .drop_body = x.body,
		.trigger = x.call == HANDOFF_CALL_TRIGGER ? x.line : NULL,
		.trigger_body = x.call == HANDOFF_CALL_TRIGGER ? x.body : NULL, .timeout_ms = 10000,
		.forget = x.call == HANDOFF_CALL_FORGET ? x.line : (char[]){ "DELETE /c" } };
	struct handoff_task t = { .server = &s, .call = x.call, .endpoint = x.endpoint, .account = "dm", .short_server_id = 7,
		.instance = x.reply.status % 2 == 0 ? HANDOFF_INSTANCE_UNKNOWN : 3 };
	bool fit = x.endpoint[0] != 0 && str_is_printable(x.endpoint, strlen(x.endpoint));
	if (credential(&x.packed, &t.cred) && fit && x.call != HANDOFF_CALL_NONE &&
	    (x.driver != &handoff_http || handoff_http_check(&s, NULL) == ERR_OK))
		talk(&t, &x.reply);
	secret_clear(&x.packed);
	free(x.endpoint);
	free(x.line);
	free(x.body);
	return 0;
}
