#include "pki/crl_read.h"

#include <stdlib.h>
#include <string.h>

#define OID(...)                                                                                   \
	{                                                                                          \
		(const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })         \
	}
#define CE(n) OID(0x55, 0x1d, (n))

#define ENTRIES_MAX ((size_t)1 << 20)

typedef bool ext_fn(struct pki_crl *c, struct crl_entry *entry, bool critical, struct der *value);

/* Always true, so that the list can be told from one that cannot be read. */
static bool
useless(struct pki_crl *c, const char *why)
{
	if (c->useless == NULL)
		c->useless = why;
	return true;
}

static bool
read_number(struct pki_crl *c, struct crl_entry *entry, bool critical, struct der *value)
{
	struct pki_blob n = der_integer(value, DER_INTEGER);

	(void)entry;
	c->has_number = true;
	if (critical)
		return useless(c, "its number is a critical extension");
	return n.n > 0 && (n.p[0] < 0x80 || useless(c, "its number is negative"));
}

static bool
read_delta(struct pki_crl *c, struct crl_entry *entry, bool critical, struct der *value)
{
	(void)entry;
	(void)critical;
	(void)der_integer(value, DER_INTEGER);
	return useless(c, "it is a delta list");
}

/* DistributionPointName: only full names are compared. */
static bool
read_scope_names(struct pki_crl *c, struct der *d)
{
	struct der point = der_enter(d, DER_CONTEXT_CONS(0));

	if (der_peek(&point) != DER_CONTEXT_CONS(0)) {
		(void)der_take(&point, DER_CONTEXT_CONS(1));
		return useless(c, "its distribution point has a relative name") && der_end(&point);
	}
	struct der names = der_enter(&point, DER_CONTEXT_CONS(0));
	return c->scope.names.n == 0 && pki_names_read(&names, &c->scope.names, NULL) == ERR_OK &&
	       der_end(&point);
}

/* BOOLEAN under a tag of its own, absent when false. */
static bool
read_flag(struct der *d, int n)
{
	struct pki_blob b;

	if (!der_take_optional(d, DER_CONTEXT(n), &b))
		return false;
	if (b.n != 1 || b.p[0] != 0xff)
		d->in.overrun = true;
	return true;
}

static bool
read_scope(struct pki_crl *c, struct crl_entry *entry, bool critical, struct der *value)
{
	struct der d = der_enter(value, DER_SEQUENCE);
	struct pki_blob reasons;

	(void)entry;
	(void)critical;
	if (der_peek(&d) == DER_CONTEXT_CONS(0) && !read_scope_names(c, &d))
		return false;
	c->scope.user_only = read_flag(&d, 1);
	c->scope.ca_only = read_flag(&d, 2);
	c->scope.some_reasons = der_take_optional(&d, DER_CONTEXT(3), &reasons);
	if (read_flag(&d, 4))
		(void)useless(c, "it is an indirect list");
	if (read_flag(&d, 5))
		(void)useless(c, "it is about attribute certificates");
	if (c->scope.user_only && c->scope.ca_only)
		(void)useless(c, "its scope contradicts itself");
	return der_end(&d);
}

/* Known, and may not be critical; what it says is not needed. */
static bool
read_plain(struct pki_crl *c, struct crl_entry *entry, bool critical, struct der *value)
{
	(void)entry;
	(void)der_take_whole(value, NULL);
	return !critical || useless(c, "an extension is critical that may not be");
}

static bool
read_reason(struct pki_crl *c, struct crl_entry *entry, bool critical, struct der *value)
{
	(void)c;
	(void)critical;
	entry->reason = (int)der_uint(value, DER_ENUMERATED, 10);
	return true;
}

static bool
read_entry_issuer(struct pki_crl *c, struct crl_entry *entry, bool critical, struct der *value)
{
	(void)entry;
	(void)critical;
	(void)der_take_whole(value, NULL);
	return useless(c, "an entry is of another CA: an indirect list");
}

/* clang-format off */
static const struct ext_row {
	struct pki_blob oid;
	bool of_entry;
	ext_fn *read;
} exts[] = {
	{ CE(20), false, read_number },
	{ CE(27), false, read_delta },
	{ CE(28), false, read_scope },
	{ CE(35), false, read_plain }, /* authorityKeyIdentifier */
	{ CE(18), false, read_plain }, /* issuerAltName */
	{ CE(46), false, read_plain }, /* freshestCRL */
	{ CE(21), true, read_reason },
	{ CE(24), true, read_plain }, /* invalidityDate */
	{ CE(29), true, read_entry_issuer },
};
/* clang-format on */

static bool
read_extension(struct pki_crl *c, struct crl_entry *entry, struct der *list, unsigned *seen)
{
	struct der ext = der_enter(list, DER_SEQUENCE);
	struct pki_blob oid = der_take(&ext, DER_OID);
	bool critical = der_peek(&ext) == DER_BOOLEAN && der_boolean(&ext);
	struct pki_blob content = der_take(&ext, DER_OCTET_STRING);
	struct der value = der_make(content);

	if (!der_end(&ext) || !der_oid_valid(oid))
		return false;
	for (size_t i = 0; i < N_ELEMS(exts); i++) {
		if (exts[i].of_entry != (entry != NULL) || !blob_equal(oid, exts[i].oid))
			continue;
		if (*seen & 1U << i)
			return false; /* section 4.2: once, or nobody knows which of them counts */
		*seen |= 1U << i;
		return exts[i].read(c, entry, critical, &value) && der_end(&value);
	}
	return !critical || useless(c, "a critical extension that is not understood");
}

static bool
read_extensions(struct pki_crl *c, struct crl_entry *entry, struct der list)
{
	bool ok = der_more(&list);
	unsigned seen = 0;

	while (ok && der_more(&list))
		ok = read_extension(c, entry, &list, &seen);
	return ok && der_end(&list);
}

static enum err_code
malformed(struct err *e, const char *what)
{
	return err_set(e, ERR_PARSE, "revocation list: %s: malformed", what);
}

static enum err_code
read_entry(struct pki_crl *c, struct der *list, struct err *e)
{
	struct crl_entry *v =
	    c->n < ENTRIES_MAX ? grow(c->entries, c->n, &c->cap, sizeof *v) : NULL;
	struct der d = der_enter(list, DER_SEQUENCE);

	if (v == NULL)
		return err_set(e, c->n < ENTRIES_MAX ? ERR_NO_MEMORY : ERR_LIMIT,
		    "revocation list: more than %zu entries", c->n);
	c->entries = v;
	struct crl_entry *entry = &v[c->n++];
	entry->serial = der_integer(&d, DER_INTEGER);
	entry->revoked_at = der_time(&d);
	entry->reason = -1;
	if (der_more(&d) && !read_extensions(c, entry, der_enter(&d, DER_SEQUENCE)))
		return malformed(e, "extensions of an entry");
	return der_end(&d) ? ERR_OK : malformed(e, "entry");
}

static int
compare(struct pki_blob a, struct pki_blob b)
{
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return a.n == 0 ? 0 : memcmp(a.p, b.p, a.n);
}

static int
compare_entries(const void *a, const void *b)
{
	const struct crl_entry *x = a, *y = b;

	return compare(x->serial, y->serial);
}

const struct crl_entry *
crl_find(const struct pki_crl *c, struct pki_blob serial)
{
	struct crl_entry key = { .serial = serial };

	return c->n == 0 ? NULL : bsearch(&key, c->entries, c->n, sizeof key, compare_entries);
}

static enum err_code
read_entries(struct pki_crl *c, struct der *tbs, struct err *e)
{
	struct der list = der_enter(tbs, DER_SEQUENCE);
	enum err_code rc = ERR_OK;

	while (rc == ERR_OK && der_more(&list))
		rc = read_entry(c, &list, e);
	if (rc == ERR_OK && !der_end(&list))
		rc = malformed(e, "entries");
	if (rc == ERR_OK && c->n > 0)
		qsort(c->entries, c->n, sizeof *c->entries, compare_entries);
	return rc;
}

static enum err_code
read_tail(struct pki_crl *c, struct der *tbs, bool v2, struct err *e)
{
	if (der_peek(tbs) == DER_CONTEXT_CONS(0)) {
		struct der outer = der_enter(tbs, DER_CONTEXT_CONS(0));
		if (!v2 || !read_extensions(c, NULL, der_enter(&outer, DER_SEQUENCE)) ||
		    !der_end(&outer))
			return malformed(e, "extensions");
	}
	return der_end(tbs) ? ERR_OK : malformed(e, "end");
}

static enum err_code
read_tbs(struct pki_crl *c, struct pki_blob *algorithm, struct err *e)
{
	struct der outer = der_make(c->tbs), d = der_enter(&outer, DER_SEQUENCE);
	bool v2 = der_peek(&d) == DER_INTEGER;
	enum err_code rc = ERR_OK;

	if (v2 && der_uint(&d, DER_INTEGER, 1) != 1)
		return malformed(e, "version");
	*algorithm = der_take_whole(&d, NULL);
	c->issuer = der_take_whole(&d, NULL);
	c->this_update = der_time(&d);
	c->has_next = der_peek(&d) == DER_UTC_TIME || der_peek(&d) == DER_GENERALIZED_TIME;
	if (c->has_next)
		c->next_update = der_time(&d);
	if (!der_ok(&d) || !pki_dn_valid(c->issuer) || pki_dn_empty(c->issuer))
		return malformed(e, "head");
	if (der_peek(&d) == DER_SEQUENCE)
		rc = read_entries(c, &d, e);
	return rc == ERR_OK ? read_tail(c, &d, v2, e) : rc;
}

static enum err_code
read_list(struct pki_crl *c, struct err *e)
{
	struct der whole = der_make(c->der), d = der_enter(&whole, DER_SEQUENCE);
	struct pki_blob inner = PKI_BLOB_NONE;
	unsigned unused = 0;

	c->tbs = der_take_whole(&d, NULL);
	struct pki_blob outer = der_take_whole(&d, NULL);
	c->signature = der_bits(&d, DER_BIT_STRING, &unused);
	if (!der_end(&whole) || !der_end(&d) || unused != 0)
		return err_set(e, ERR_PARSE, "not a revocation list in DER");
	c->sig_kind = pki_sig_kind_of(outer);
	enum err_code rc = read_tbs(c, &inner, e);
	c->sig_agrees = rc == ERR_OK && blob_equal(inner, outer);
	return rc;
}

void
crl_free(struct pki_crl *c)
{
	if (c == NULL)
		return;
	pki_names_clear(&c->scope.names);
	free(c->entries);
	free(c);
}

enum err_code
crl_read(const void *der, size_t n, struct pki_crl **out, struct err *e)
{
	*out = NULL;
	if (n > PKI_CRL_MAX)
		return err_set(e, ERR_LIMIT, "revocation list: %zu bytes, at most %zu are read", n,
		    PKI_CRL_MAX);
	struct pki_crl *c = calloc(1, sizeof *c + n);
	if (c == NULL)
		return err_no_memory(e);
	uint8_t *copy = (uint8_t *)(c + 1);
	if (n > 0)
		memcpy(copy, der, n);
	c->der = (struct pki_blob){ copy, n };
	enum err_code rc = read_list(c, e);
	if (rc != ERR_OK) {
		crl_free(c);
		return rc;
	}
	*out = c;
	return ERR_OK;
}
