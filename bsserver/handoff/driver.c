#include "bsserver/handoff/driver.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/base/util.h"

#define VERSION 1
#define SAID_MAX 200 /* octets of an answer that are quoted */

static const struct handoff_driver *const drivers[] = { &handoff_leshan, &handoff_thingsboard, &handoff_coiote, &handoff_http,
	&handoff_exec };

const struct handoff_driver *
handoff_driver_by_name(const char *name)
{
	for (size_t i = 0; i < N_ELEMS(drivers); i++)
		if (strcmp(drivers[i]->name, name) == 0)
			return drivers[i];
	return NULL;
}

const char *
handoff_driver_at(size_t i)
{
	return i < N_ELEMS(drivers) ? drivers[i]->name : NULL;
}

bool
handoff_can_trigger(const struct handoff_server *s)
{
	return s->driver->can_trigger != NULL && s->driver->can_trigger(s);
}

const char *
handoff_mode_name(enum handoff_mode m)
{
	static const char *const names[] = { [HANDOFF_PSK] = "psk", [HANDOFF_RPK] = "rpk", [HANDOFF_X509] = "x509" };

	return (size_t)m < N_ELEMS(names) ? names[m] : "unknown";
}

/* ---- as the store keeps it ---- */

enum err_code
handoff_pack(const struct handoff_credential *c, struct secret *out, struct err *e)
{
	struct gbuf g = { 0 };
	enum err_code rc;

	gbuf_u8(&g, VERSION);
	gbuf_u8(&g, (uint8_t)c->mode);
	gbuf_be(&g, c->short_server_id, 2);
	gbuf_be(&g, c->identity_len, 4);
	gbuf_put(&g, c->identity, c->identity_len);
	gbuf_be(&g, c->key_len, 4);
	gbuf_put(&g, c->key, c->key_len);
	rc = gbuf_check(&g, e);
	if (rc == ERR_OK)
		rc = secret_set(out, g.data, g.len, e);
	gbuf_clear(&g);
	return rc;
}

enum err_code
handoff_unpack(const struct secret *s, struct handoff_credential *out, struct err *e)
{
	struct rbuf r = rbuf_make(s->data, s->len);
	uint8_t version = rbuf_u8(&r), mode = rbuf_u8(&r);

	*out = (struct handoff_credential){ .mode = (enum handoff_mode)mode };
	out->short_server_id = (uint16_t)rbuf_be(&r, 2);
	out->identity_len = rbuf_be(&r, 4);
	out->identity = rbuf_take(&r, out->identity_len);
	out->key_len = rbuf_be(&r, 4);
	out->key = rbuf_take(&r, out->key_len);
	if (!r.overrun && rbuf_left(&r) == 0 && version == VERSION && mode <= HANDOFF_X509)
		return ERR_OK;
	*out = (struct handoff_credential){ 0 };
	return err_set(e, ERR_PARSE, "a credential that was handed off cannot be read");
}

/* ---- for drivers ---- */

void
handoff_request_clear(struct handoff_request *q)
{
	gbuf_clear(&q->url);
	gbuf_clear(&q->body);
	gbuf_clear(&q->authorization);
	*q = (struct handoff_request){ 0 };
}

/* Whoever normalises the path would take such a segment, and what is before it, away: %2E is no help. */
static bool
leads_elsewhere(const char *path)
{
	while (*path != 0 && *path != '?') {
		size_t n = strcspn(path, "/?");

		if ((n == 1 && path[0] == '.') || (n == 2 && memcmp(path, "..", 2) == 0))
			return true;
		path += n + (path[n] == '/');
	}
	return false;
}

enum err_code
handoff_request_check(const struct handoff_request *q, const struct handoff_server *s, struct err *e)
{
	enum err_code rc = gbuf_check(&q->url, e);

	if (rc == ERR_OK)
		rc = gbuf_check(&q->body, e);
	if (rc == ERR_OK)
		rc = gbuf_check(&q->authorization, e);
	if (rc != ERR_OK || s->url == NULL)
		return rc;
	return leads_elsewhere(gbuf_cstr(&q->url) + strlen(s->url)) ?
		   err_set(e, ERR_INVALID, "no request is made: \".\" or \"..\" in its path would lead elsewhere") :
		   ERR_OK;
}

void
handoff_percent_encode(struct gbuf *out, const char *s)
{
	for (; *s != 0; s++) {
		bool plain = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') ||
		    strchr("-._~", *s) != NULL;

		if (plain)
			gbuf_u8(out, (uint8_t)*s);
		else
			gbuf_printf(out, "%%%02X", (unsigned)(uint8_t)*s);
	}
}

void
handoff_url(struct handoff_request *q, const struct handoff_task *t, const char *path)
{
	gbuf_str(&q->url, t->server->url);
	for (; *path != 0; path++) {
		if (path[0] == '%' && path[1] == 'e') {
			handoff_percent_encode(&q->url, t->endpoint);
			path++;
		} else
			gbuf_u8(&q->url, (uint8_t)*path);
	}
}

void
handoff_authorize(struct handoff_request *q, const struct handoff_task *t)
{
	const struct secret *token = &t->server->token;

	if (token->len == 0)
		return;
	gbuf_str(&q->authorization, "Authorization: Bearer ");
	gbuf_put(&q->authorization, token->data, token->len);
}

static bool
has(const char *said, size_t n, const void *word, size_t word_len)
{
	for (size_t i = 0; word_len > 0 && n >= word_len && i <= n - word_len; i++)
		if (strncasecmp(said + i, word, word_len) == 0)
			return true;
	return false;
}

/* In any of the spellings in which it is sent. */
static bool
repeats_secret(const struct handoff_task *t, const char *said, size_t n)
{
	const struct handoff_credential *c = &t->cred;
	struct gbuf hex = { 0 }, base64 = { 0 };

	enc_hex(&hex, c->key, c->key_len);
	enc_base64(&base64, c->key, c->key_len);
	bool yes = hex.failed || base64.failed || has(said, n, hex.data, hex.len) || has(said, n, base64.data, base64.len) ||
	    (c->key_len > 0 && memmem(said, n, c->key, c->key_len) != NULL) ||
	    has(said, n, t->server->token.data, t->server->token.len) ||
	    has(said, n, t->server->password.data, t->server->password.len) || has(said, n, t->grant.data, t->grant.len);
	gbuf_clear(&hex);
	gbuf_clear(&base64);
	return yes;
}

void
handoff_quote(struct gbuf *out, const struct handoff_task *t, const void *said, size_t n)
{
	struct gbuf quoted = { 0 };

	if (n == 0)
		return;
	str_quote(&quoted, said, MIN(n, (size_t)SAID_MAX));
	/* what stands for an octet that is not printed can make the spelling whole */
	if (repeats_secret(t, said, n) || repeats_secret(t, gbuf_cstr(&quoted), quoted.len))
		gbuf_str(out, "(what it says repeats a secret and is not shown)");
	else
		gbuf_put(out, quoted.data, quoted.len);
	gbuf_clear(&quoted);
}

enum handoff_word
handoff_unwelcome(const struct handoff_task *t, const struct handoff_reply *r, struct err *why)
{
	struct gbuf said = { .max = (size_t)4 * SAID_MAX + 8 };

	handoff_quote(&said, t, r->body, r->body_len);
	if (r->status >= 300 && r->status < 400)
		(void)err_set(why, ERR_REFUSED, "HTTP %ld: it points elsewhere, and redirections are not followed", r->status);
	else
		(void)err_set(why, ERR_REFUSED, "HTTP %ld%s%s", r->status, said.len > 0 ? ": " : "", gbuf_cstr(&said));
	gbuf_clear(&said);
	return r->status >= 500 || r->status == 408 || r->status == 425 || r->status == 429 ? HANDOFF_LATER : HANDOFF_NO;
}
