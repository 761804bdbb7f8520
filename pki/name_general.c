#include "pki/name.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"

/* Printable ASCII. Empty is left to whoever looks at it. */
static bool
is_ia5(struct pki_blob b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < 0x20 || b.p[i] > 0x7e)
			return false;
	return true;
}

static bool
value_ok(const struct pki_name *name)
{
	switch (name->kind) {
	case PKI_NAME_EMAIL:
	case PKI_NAME_DNS:
	case PKI_NAME_URI:
		return is_ia5(name->value);
	case PKI_NAME_DIRECTORY:
		return pki_dn_valid(name->value);
	case PKI_NAME_RID:
		return der_oid_valid(name->value);
	case PKI_NAME_OTHER:
	case PKI_NAME_X400:
	case PKI_NAME_EDI:
	case PKI_NAME_IP:
		return true;
	}
	return false;
}

bool
pki_name_read(struct der *d, struct pki_name *out)
{
	static const bool constructed[] = {
		[PKI_NAME_OTHER] = true,
		[PKI_NAME_X400] = true,
		[PKI_NAME_DIRECTORY] = true,
		[PKI_NAME_EDI] = true,
		[PKI_NAME_RID] = false,
	};
	int tag = der_peek(d), kind = tag & 0x1f;

	*out = (struct pki_name){ .value = PKI_BLOB_NONE };
	if (tag < 0 || kind > PKI_NAME_RID ||
	    tag != (constructed[kind] ? DER_CONTEXT_CONS(kind) : DER_CONTEXT(kind))) {
		d->in.overrun = true;
		return false;
	}
	out->kind = (enum pki_name_kind)kind;
	out->value = der_take(d, tag);
	if (!der_ok(d) || !value_ok(out))
		d->in.overrun = true;
	return der_ok(d);
}

enum err_code
pki_names_add(struct pki_names *ns, struct pki_name name, struct err *e)
{
	if (ns->n >= PKI_NAMES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d names", PKI_NAMES_MAX);
	if ((ns->n & (ns->n - 1)) == 0) { /* full at each power of two */
		struct pki_name *v = reallocarray(ns->v, ns->n == 0 ? 1 : ns->n * 2, sizeof *v);

		if (v == NULL)
			return err_no_memory(e);
		ns->v = v;
	}
	ns->v[ns->n++] = name;
	return ERR_OK;
}

enum err_code
pki_names_read(struct der *d, struct pki_names *out, struct err *e)
{
	enum err_code rc = ERR_OK;
	struct pki_name name;

	*out = (struct pki_names){ NULL, 0 };
	while (rc == ERR_OK && der_more(d))
		rc = pki_name_read(d, &name) ? pki_names_add(out, name, e)
		                             : err_set(e, ERR_PARSE, "not a general name");
	if (rc == ERR_OK && (!der_end(d) || out->n == 0))
		rc = err_set(e, ERR_PARSE, "not a list of names");
	if (rc != ERR_OK)
		pki_names_clear(out);
	return rc;
}

void
pki_names_clear(struct pki_names *ns)
{
	free(ns->v);
	*ns = (struct pki_names){ NULL, 0 };
}

static void
put_ip(struct gbuf *out, struct pki_blob ip)
{
	char text[INET6_ADDRSTRLEN];

	int family = ip.n == 4 ? AF_INET : ip.n == 16 ? AF_INET6 : AF_UNSPEC;

	if (family != AF_UNSPEC && inet_ntop(family, ip.p, text, sizeof text) != NULL)
		gbuf_str(out, text);
	else
		enc_hex(out, ip.p, MIN(ip.n, (size_t)64));
}

void
pki_name_text(struct gbuf *out, const struct pki_name *name)
{
	static const char *const kinds[] = {
		[PKI_NAME_OTHER] = "other:",
		[PKI_NAME_EMAIL] = "email:",
		[PKI_NAME_DNS] = "dns:",
		[PKI_NAME_X400] = "x400:",
		[PKI_NAME_DIRECTORY] = "dn:",
		[PKI_NAME_EDI] = "edi:",
		[PKI_NAME_URI] = "uri:",
		[PKI_NAME_IP] = "ip:",
		[PKI_NAME_RID] = "rid:",
	};

	gbuf_str(out, kinds[name->kind]);
	switch (name->kind) {
	case PKI_NAME_EMAIL:
	case PKI_NAME_DNS:
	case PKI_NAME_URI:
		str_quote(out, (const char *)name->value.p, name->value.n);
		break;
	case PKI_NAME_IP:
		put_ip(out, name->value);
		break;
	case PKI_NAME_DIRECTORY:
		pki_dn_text(out, name->value);
		break;
	case PKI_NAME_RID:
		der_oid_text(out, name->value);
		break;
	case PKI_NAME_OTHER:
	case PKI_NAME_X400:
	case PKI_NAME_EDI:
		enc_hex(out, name->value.p, MIN(name->value.n, (size_t)64));
		break;
	}
}
