/* Certificates that were issued, and those that are not to be handed out any more. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/api/internal.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "pki/cert.h"

#define WHY_MAX 300

/* What is to be noted of one. */
struct noting {
	struct req *r;
	struct store_change c;
	struct store_actor who;
	struct store_given issued;
	char *why;
};

static void
noting_free(void *arg)
{
	struct noting *n = arg;

	store_given_clear(&n->issued);
	free(n->why);
	free(n);
}

static struct noting *
noting_new(struct req *r, enum store_op op)
{
	struct noting *n = calloc(1, sizeof *n);

	if (n == NULL) {
		answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
		return NULL;
	}
	n->r = r;
	n->who = req_actor(r);
	n->c.op = op;
	r->state = n;
	r->state_free = noting_free;
	return n;
}

static void
on_noted(void *arg, enum err_code rc, const struct err *e, size_t failed_at, const struct store_result *v, size_t n)
{
	struct noting *me = arg;
	const char *done = me->c.op == STORE_ISSUE ? "noted" : "revoked";
	json_t *j;

	(void)failed_at;
	if (rc != ERR_OK || n == 0) {
		answer_err(me->r, 0, e);
		return;
	}
	j = json_object();
	json_put(j, "sha256", json_text(me->c.name));
	json_put(j, "result", json_text(v[0].kind == STORE_UNCHANGED ? "unchanged" : done));
	json_put(j, "seq", json_u64(v[0].revision));
	answer_json(me->r, 200, j);
}

static void
submit(struct noting *n)
{
	const struct api_conf *c = &n->r->api->c;

	c->ops->apply(c->store, &n->who, &n->c, 1, on_noted, n);
}

static void
note_issued(struct req *r, const struct pki_cert *c)
{
	struct noting *n = noting_new(r, STORE_ISSUE);
	struct gbuf hex = { .max = 256 }, subject = { .max = 32768 }, by = { .max = 32768 };

	if (n == NULL)
		return;
	enc_hex(&hex, c->fingerprint, sizeof c->fingerprint);
	pki_dn_text(&subject, c->subject);
	pki_serial_text(&by, c);
	gbuf_str(&by, STORE_ISSUED_BY);
	pki_dn_text(&by, c->issuer);
	n->issued.path = str_dup_n(gbuf_cstr(&by), by.len);
	n->issued.sha256 = str_dup_n(gbuf_cstr(&hex), hex.len);
	n->issued.subject = str_dup_n(gbuf_cstr(&subject), subject.len);
	n->issued.not_after = c->not_after;
	n->c.name = n->issued.sha256;
	n->c.issued = &n->issued;
	if (n->issued.sha256 == NULL || n->issued.subject == NULL || n->issued.path == NULL || hex.failed || by.failed)
		answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
	else
		submit(n);
	gbuf_clear(&hex);
	gbuf_clear(&subject);
	gbuf_clear(&by);
}

void
post_certificate(struct req *r)
{
	json_t *j = req_json(r);
	struct pki_cert *c = NULL;
	struct err e;

	if (j == NULL)
		return;
	if (req_members(r, j, "certificate")) {
		if (read_certificate(json_object_get(j, "certificate"), &c, &e) == ERR_OK)
			note_issued(r, c);
		else
			answer_err(r, 0, &e);
	}
	pki_cert_unref(c);
	json_decref(j);
}

void
post_certificate_revoke(struct req *r)
{
	json_t *j = req_json(r);
	const json_t *why = json_object_get(j, "why");
	struct noting *n = NULL;

	if (j == NULL)
		return;
	if (!req_members(r, j, "why"))
		;
	else if (why != NULL && (!json_is_string(why) || json_string_length(why) > WHY_MAX ||
				   !str_is_printable(json_string_value(why), json_string_length(why))))
		answer_fail(r, 0, ERR_INVALID, "/why: must be text of up to %d octets in one line", WHY_MAX);
	else
		n = noting_new(r, STORE_REVOKE);
	if (n != NULL) {
		n->why = strdup(why == NULL ? "revoked" : json_string_value(why));
		n->c.name = req_arg(r, 0);
		n->c.detail = n->why;
		if (n->why != NULL)
			submit(n);
		else
			answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
	}
	json_decref(j);
}
