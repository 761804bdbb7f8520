/* Which certificates a device is given, so that it can be said later who has what. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/ports/handout.h"
#include "lib/base/enc.h"
#include "lib/base/util.h"
#include "lib/lwm2m/object.h"
#include "pki/pin.h"

#define MODE_X509 2

/* Of one instance of /0. */
struct account {
	const struct lwm2m_tree *tree, *digested;
	struct lwm2m_path inst;
	struct handout_items *out;
	struct err *e;
};

const char *
handout_kind_name(enum handout_kind k)
{
	static const char *const names[] = { "anchor", "server", "device" };

	return (size_t)k < N_ELEMS(names) ? names[k] : "unknown";
}

void
handout_items_clear(struct handout_items *l)
{
	for (size_t i = 0; i < l->n; i++)
		pki_cert_unref(l->v[i].cert);
	free(l->v);
	*l = (struct handout_items){ 0 };
}

static int64_t
number_at(const struct account *a, uint16_t rid, int64_t otherwise)
{
	const struct lwm2m_value *v = lwm2m_tree_get(a->tree, lwm2m_path_child(a->inst, rid));
	int64_t n;

	return v != NULL && lwm2m_value_number(v, &n) ? n : otherwise;
}

static const struct lwm2m_value *
bytes_at(const struct lwm2m_tree *t, struct lwm2m_path inst, uint16_t rid)
{
	const struct lwm2m_value *v =
	    t == NULL ? NULL : lwm2m_tree_get(t, lwm2m_path_child(inst, rid));

	return v != NULL && v->bytes.len > 0 ? v : NULL;
}

static enum err_code
add(const struct account *a, enum handout_kind kind, uint16_t rid, const uint8_t *digest, size_t n,
    struct pki_cert *c)
{
	struct handout_items *l = a->out;
	struct handout_item *grown = grow(l->v, l->n, &l->cap, sizeof *grown);
	struct gbuf hex = { .max = HANDOUT_DIGEST_LEN + 1 };

	if (grown == NULL) {
		pki_cert_unref(c);
		return err_no_memory(a->e);
	}
	l->v = grown;
	struct handout_item *to = &grown[l->n++];
	*to = (struct handout_item){ .kind = kind,
		.path = lwm2m_path_child(a->inst, rid),
		.short_server_id = number_at(a, 10, -1),
		.cert = c };
	enc_hex(&hex, digest, n);
	(void)snprintf(to->digest, sizeof to->digest, "%s", gbuf_cstr(&hex));
	gbuf_clear(&hex);
	return ERR_OK;
}

static enum err_code
list_pinned(const struct account *a)
{
	int64_t usage = number_at(a, 15, PKI_USAGE_DEFAULT);
	bool ca = usage == PKI_USAGE_CA_CONSTRAINT || usage == PKI_USAGE_TRUST_ANCHOR;
	enum handout_kind kind = ca ? HANDOUT_ANCHOR : HANDOUT_SERVER;
	const struct lwm2m_value *v = bytes_at(a->digested, a->inst, 4),
	                         *pin = bytes_at(a->tree, a->inst, 4);
	struct pki_cert *c = NULL;

	if (v == NULL)
		v = pin;
	if (v == NULL)
		return ERR_OK;
	if (pki_cert_parse(v->bytes.data, v->bytes.len, &c, NULL) == ERR_OK)
		return add(a, kind, 4, c->fingerprint, sizeof c->fingerprint, c);
	if (pin == NULL || pin->bytes.len > PKI_DIGEST_MAX)
		return ERR_OK; /* what cannot be read is refused by handout_judge() */
	return add(a, kind, 4, pin->bytes.data, pin->bytes.len, NULL);
}

static enum err_code
list_account(const struct account *a)
{
	const struct lwm2m_value *own = bytes_at(a->tree, a->inst, 3);
	struct pki_cert *c = NULL;
	enum err_code rc = ERR_OK;

	if (number_at(a, 2, -1) != MODE_X509)
		return ERR_OK;
	if (own != NULL && pki_cert_parse(own->bytes.data, own->bytes.len, &c, NULL) == ERR_OK)
		rc = add(a, HANDOUT_DEVICE, 3, c->fingerprint, sizeof c->fingerprint, c);
	return rc == ERR_OK ? list_pinned(a) : rc;
}

static enum err_code
list_tree(const struct lwm2m_tree *t, const struct lwm2m_tree *digested, struct handout_items *out,
    struct err *e)
{
	struct account a = { .tree = t, .digested = digested, .out = out, .e = e };
	struct lwm2m_span all = lwm2m_tree_under(t, lwm2m_path1(LWM2M_SECURITY)), sub;
	enum err_code rc = ERR_OK;

	for (size_t at = 0;
	     rc == ERR_OK && lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &a.inst, &sub);)
		rc = list_account(&a);
	return rc;
}

enum err_code
handout_list(const struct profile_desired *d, const struct lwm2m_tree *handover,
    struct handout_items *out, struct err *e)
{
	enum err_code rc = list_tree(&d->tree, &d->digested, out, e);

	return rc == ERR_OK && handover != NULL ? list_tree(handover, NULL, out, e) : rc;
}

static void
put_subject(const struct pki_cert *c, struct gbuf *out)
{
	struct gbuf text = { .max = 512 };

	pki_dn_text(&text, c->subject);
	gbuf_str(out, ",\"subject\":\"");
	for (const char *s = gbuf_cstr(&text); *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			gbuf_str(out, "\\");
		gbuf_printf(out, "%c", (unsigned char)*s < 0x20 ? '?' : *s);
	}
	gbuf_printf(out, "\",\"not_after\":%" PRId64, c->not_after);
	gbuf_clear(&text);
}

void
handout_items_json(const struct handout_items *l, struct gbuf *out)
{
	gbuf_str(out, "[");
	for (size_t i = 0; i < l->n; i++) {
		const struct handout_item *x = &l->v[i];

		gbuf_printf(out, "%s{\"kind\":\"%s\",\"path\":\"%s\"", i == 0 ? "" : ",",
		    handout_kind_name(x->kind), lwm2m_path_str(x->path).s);
		if (x->short_server_id >= 0)
			gbuf_printf(out, ",\"short_server_id\":%" PRId64, x->short_server_id);
		gbuf_printf(out, ",\"digest\":\"%s\"", x->digest);
		if (x->cert != NULL)
			put_subject(x->cert, out);
		gbuf_str(out, "}");
	}
	gbuf_str(out, "]");
}
