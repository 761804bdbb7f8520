/*
 * What platforms answer to whoever hands a credential off to them, turn by turn. The input: an octet
 * of bits (1: Coiote, not ThingsBoard; 2: a login, not a token; 4: nothing for new devices), the call,
 * the mode, and each with its length before it (two octets) the endpoint, the PSK identity and the key;
 * then the answers, each with its status and its length (two octets).
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/handoff/driver.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/base/util.h"
#include "tests/fuzz/fuzz.h"

#define URL "https://dm.example"
#define PASSWORD "the password of the platform"
#define TURNS 5 /* more than any task needs */

struct input {
	struct handoff_server s;
	struct handoff_task t;
	char *endpoint, *identity, *key;
	bool sent; /* a request had the key in it */
};

static char *
take(struct rbuf *in, size_t *len)
{
	size_t n = rbuf_be(in, 2);
	const uint8_t *p = rbuf_take(in, n);

	*len = p == NULL ? 0 : n;
	return str_dup_n(p == NULL ? "" : (const char *)p, *len);
}

static void
read_input(struct rbuf *in, struct input *x)
{
	uint8_t bits = rbuf_u8(in), call = rbuf_u8(in), mode = rbuf_u8(in);
	bool login = (bits & 2) != 0, no_new = (bits & 4) != 0;
	size_t len;

	x->s = (struct handoff_server){ .name = (char *)(uintptr_t)"eu", .url = (char *)(uintptr_t)URL,
		.driver = (bits & 1) != 0 ? &handoff_coiote : &handoff_thingsboard,
		.login = login ? (char *)(uintptr_t)"op" : NULL,
		.device_profile = no_new ? NULL : (char *)(uintptr_t)"784f394c-42b6-435a-983c-b7beff2784f9",
		.domain = no_new ? NULL : (char *)(uintptr_t)"/co/" };
	FUZZ_MUST(secret_set(login ? &x->s.password : &x->s.token, PASSWORD, strlen(PASSWORD), NULL) == ERR_OK, "no memory");
	x->endpoint = take(in, &len);
	x->t = (struct handoff_task){ .server = &x->s, .call = (enum handoff_call)(call % HANDOFF_CALL__COUNT),
		.endpoint = x->endpoint, .account = "dm" };
	x->identity = take(in, &x->t.cred.identity_len);
	x->t.cred.identity = (const uint8_t *)x->identity;
	x->key = take(in, &x->t.cred.key_len);
	x->t.cred.key = (const uint8_t *)x->key;
	x->t.cred.mode = (enum handoff_mode)(mode % (HANDOFF_X509 + 1));
	FUZZ_MUST(x->endpoint != NULL && x->identity != NULL && x->key != NULL, "no memory");
}

static bool
has_key(const struct input *x, const char *text)
{
	struct gbuf hex = { 0 };

	enc_hex(&hex, x->t.cred.key, x->t.cred.key_len);
	bool has = x->t.cred.key_len >= 16 && strstr(text, gbuf_cstr(&hex)) != NULL;
	gbuf_clear(&hex);
	return has;
}

static void
asked(struct input *x, const struct handoff_request *q)
{
	const char *url = gbuf_cstr(&q->url), *body = gbuf_cstr(&q->body), *header = gbuf_cstr(&q->authorization);

	FUZZ_MUST(strncmp(url, URL "/api/", sizeof URL "/api") == 0, "goes to %s", url);
	FUZZ_MUST(str_is_printable(url, q->url.len) && strpbrk(url, " #\\") == NULL, "an URL that is none");
	FUZZ_MUST(strstr(url, "/../") == NULL && strstr(url, "/./") == NULL, "leads elsewhere: %s", url);
	FUZZ_MUST(str_is_printable(header, q->authorization.len), "more than one header");
	FUZZ_MUST(q->method != NULL && strcmp(q->method, "DELETE") != 0, "something is deleted");
	FUZZ_MUST(!has_key(x, url), "the key stands in a URL");
	FUZZ_MUST((q->type != NULL) == (q->body.len > 0), "a body without a type");
	if (q->type != NULL && strcmp(q->type, "application/json") == 0) {
		json_t *j = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
		FUZZ_MUST(j != NULL, "no JSON: %s", body);
		json_decref(j);
	}
	x->sent = x->sent || has_key(x, body);
}

static void
ended(const struct input *x, enum handoff_word word, const struct err *why)
{
	bool tell = x->t.call == HANDOFF_CALL_TELL || x->t.call == HANDOFF_CALL_TELL_BACK;

	FUZZ_MUST(word != HANDOFF_ASK, "it asks and asks");
	FUZZ_MUST(word != HANDOFF_DONE || !tell || x->t.cred.mode != HANDOFF_PSK || x->t.cred.key_len < 16 || x->sent,
	    "done, and the key was never sent");
	if (word == HANDOFF_DONE)
		return;
	FUZZ_MUST(why->msg[0] != 0 && strchr(why->msg, '\n') == NULL, "without a word on one line");
	FUZZ_MUST(!has_key(x, why->msg) && strcasestr(why->msg, PASSWORD) == NULL, "a secret is told: %s", why->msg);
	FUZZ_MUST(x->t.grant.len < 8 || strcasestr(why->msg, (const char *)x->t.grant.data) == NULL, "a token is told: %s", why->msg);
}

static void
talk(struct input *x, struct rbuf *in)
{
	struct handoff_request q = { 0 };
	struct err why = { 0 };
	enum handoff_word word = x->s.driver->next(&x->t, NULL, &q, &why);

	for (unsigned i = 0; word == HANDOFF_ASK && i < TURNS; i++) {
		if (handoff_request_check(&q, &x->s, &why) != ERR_OK) {
			word = HANDOFF_NO;
			break;
		}
		asked(x, &q);
		handoff_request_clear(&q);
		long status = (long)rbuf_be(in, 2);
		size_t n = rbuf_be(in, 2);
		const uint8_t *p = rbuf_take(in, n);
		const struct handoff_reply r = { .status = status, .type = "", .body = p, .body_len = p == NULL ? 0 : n };
		word = x->s.driver->next(&x->t, &r, &q, &why);
	}
	ended(x, word, &why);
	handoff_request_clear(&q);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbuf in = rbuf_make(data, size);
	struct input x = { 0 };

	read_input(&in, &x);
	if (x.endpoint[0] != 0 && str_is_printable(x.endpoint, strlen(x.endpoint)) && x.t.call != HANDOFF_CALL_NONE)
		talk(&x, &in);
	secret_clear(&x.t.grant);
	secret_clear(&x.s.token);
	secret_clear(&x.s.password);
	free(x.endpoint);
	free(x.identity);
	free(x.key);
	return 0;
}
