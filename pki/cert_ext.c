#include "pki/cert_ext.h"

#include <stdlib.h>

typedef enum err_code read_fn(struct pki_cert *c, struct der *value, struct err *e);

static enum err_code
malformed(struct err *e)
{
	return err_set(e, ERR_PARSE, "malformed");
}

static enum err_code
read_aki(struct pki_cert *c, struct der *value, struct err *e)
{
	struct der d = der_enter(value, DER_SEQUENCE);
	struct pki_blob other;

	(void)der_take_optional(&d, DER_CONTEXT(0), &c->aki);
	bool issuer = der_take_optional(&d, DER_CONTEXT_CONS(1), &other);
	bool serial = der_take_optional(&d, DER_CONTEXT(2), &other);
	return der_end(&d) && issuer == serial ? ERR_OK : malformed(e);
}

static enum err_code
read_ski(struct pki_cert *c, struct der *value, struct err *e)
{
	c->ski = der_take(value, DER_OCTET_STRING);
	return c->ski.n > 0 ? ERR_OK : malformed(e);
}

static enum err_code
read_key_usage(struct pki_cert *c, struct der *value, struct err *e)
{
	unsigned unused;
	struct pki_blob bits = der_bits(value, DER_BIT_STRING, &unused);

	for (size_t i = 0; i < bits.n * 8 && i < 9; i++)
		if (bits.p[i / 8] & (0x80 >> (i % 8)))
			c->key_usage |= 1U << i;
	return der_ok(value) ? ERR_OK : malformed(e);
}

/* What it says, where it is used, is policy.c's to read. */
static enum err_code
read_policies(struct pki_cert *c, struct der *value, struct err *e)
{
	(void)e;
	c->policies = der_take_whole(value, NULL);
	return ERR_OK;
}

static enum err_code
read_policy_mappings(struct pki_cert *c, struct der *value, struct err *e)
{
	(void)e;
	c->policy_mappings = der_take_whole(value, NULL);
	return ERR_OK;
}

static enum err_code
read_policy_constraints(struct pki_cert *c, struct der *value, struct err *e)
{
	(void)e;
	c->policy_constraints = der_take_whole(value, NULL);
	return ERR_OK;
}

static enum err_code
read_inhibit_any(struct pki_cert *c, struct der *value, struct err *e)
{
	(void)e;
	c->inhibit_any = der_take_whole(value, NULL);
	return ERR_OK;
}

static enum err_code
read_san(struct pki_cert *c, struct der *value, struct err *e)
{
	struct der d = der_enter(value, DER_SEQUENCE);

	return der_end(&d) ? ERR_OK : pki_names_read(&d, &c->san, e); /* none: chain.h refuses it */
}

static enum err_code
read_basic_constraints(struct pki_cert *c, struct der *value, struct err *e)
{
	struct der d = der_enter(value, DER_SEQUENCE);

	c->path_len = -1;
	if (der_peek(&d) == DER_BOOLEAN) {
		c->is_ca = der_boolean(&d);
		if (!c->is_ca)
			return malformed(e); /* DER leaves a default out */
	}
	if (der_peek(&d) == DER_INTEGER)
		c->path_len = (int)der_uint(&d, DER_INTEGER, INT16_MAX);
	return der_end(&d) ? ERR_OK : malformed(e);
}

/* minimum must be 0 and maximum absent (section 4.2.1.10). */
static enum err_code
read_subtrees(struct der *d, struct pki_names *out, struct err *e)
{
	enum err_code rc = ERR_OK;

	while (rc == ERR_OK && der_more(d)) {
		struct der subtree = der_enter(d, DER_SEQUENCE);
		struct pki_name name;

		if (!pki_name_read(&subtree, &name) || !der_end(&subtree))
			return malformed(e);
		rc = pki_names_add(out, name, e);
	}
	if (rc == ERR_OK && (!der_end(d) || out->n == 0))
		return malformed(e);
	return rc;
}

static enum err_code
read_name_constraints(struct pki_cert *c, struct der *value, struct err *e)
{
	struct der d = der_enter(value, DER_SEQUENCE);
	enum err_code rc = der_more(&d) ? ERR_OK : malformed(e);

	if (rc == ERR_OK && der_peek(&d) == DER_CONTEXT_CONS(0)) {
		struct der list = der_enter(&d, DER_CONTEXT_CONS(0));
		rc = read_subtrees(&list, &c->permitted, e);
	}
	if (rc == ERR_OK && der_peek(&d) == DER_CONTEXT_CONS(1)) {
		struct der list = der_enter(&d, DER_CONTEXT_CONS(1));
		rc = read_subtrees(&list, &c->excluded, e);
	}
	return rc == ERR_OK && !der_end(&d) ? malformed(e) : rc;
}

static enum err_code
read_eku(struct pki_cert *c, struct der *value, struct err *e)
{
	static const uint8_t any[] = { 0x55, 0x1d, 0x25, 0x00 };
	static const uint8_t kp[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03 };
	struct der d = der_enter(value, DER_SEQUENCE);

	while (der_more(&d)) {
		struct pki_blob oid = der_take(&d, DER_OID);
		struct pki_blob arc = { oid.p, oid.n > 0 ? oid.n - 1 : 0 };

		if (!der_oid_valid(oid))
			return malformed(e);
		if (blob_equal(oid, (struct pki_blob){ any, sizeof any }))
			c->eku |= PKI_EKU_ANY;
		else if (!blob_equal(arc, (struct pki_blob){ kp, sizeof kp }))
			c->eku |= PKI_EKU_OTHER;
		else
			c->eku |= oid.p[arc.n] == 1   ? PKI_EKU_SERVER_AUTH
			          : oid.p[arc.n] == 2 ? PKI_EKU_CLIENT_AUTH
			          : oid.p[arc.n] == 9 ? PKI_EKU_OCSP_SIGNING
			                              : PKI_EKU_OTHER;
	}
	return der_end(&d) ? ERR_OK : malformed(e);
}

/* RFC 7633 section 4.1: numbers of TLS extensions. */
static enum err_code
read_tls_feature(struct pki_cert *c, struct der *value, struct err *e)
{
	struct der d = der_enter(value, DER_SEQUENCE);

	while (der_more(&d)) {
		uint64_t feature = der_uint(&d, DER_INTEGER, UINT16_MAX);

		c->must_staple = c->must_staple || feature == 5 || feature == 17;
	}
	return der_end(&d) ? ERR_OK : malformed(e);
}

static enum err_code
read_crl_dp(struct der *list, struct pki_crl_dp *dp, struct err *e)
{
	struct der d = der_enter(list, DER_SEQUENCE);
	struct pki_blob reasons;

	*dp = (struct pki_crl_dp){ .has_reasons = false };
	if (der_peek(&d) == DER_CONTEXT_CONS(0)) {
		struct der point = der_enter(&d, DER_CONTEXT_CONS(0));

		if (der_peek(&point) == DER_CONTEXT_CONS(0)) {
			struct der names = der_enter(&point, DER_CONTEXT_CONS(0));
			enum err_code rc = pki_names_read(&names, &dp->full_name, e);
			if (rc != ERR_OK)
				return rc;
		} else {
			dp->relative = der_take(&point, DER_CONTEXT_CONS(1));
		}
		if (!der_end(&point))
			return malformed(e);
	}
	dp->has_reasons = der_take_optional(&d, DER_CONTEXT(1), &reasons);
	(void)der_take_optional(&d, DER_CONTEXT_CONS(2), &dp->crl_issuer);
	return der_end(&d) ? ERR_OK : malformed(e);
}

static enum err_code
read_crl_dps(struct pki_cert *c, struct der *value, struct err *e)
{
	struct der d = der_enter(value, DER_SEQUENCE);
	enum err_code rc = der_more(&d) ? ERR_OK : malformed(e);

	c->crl_dps = calloc(PKI_CRL_DPS_MAX, sizeof *c->crl_dps);
	if (c->crl_dps == NULL)
		return err_no_memory(e);
	while (rc == ERR_OK && der_more(&d)) {
		if (c->n_crl_dps == PKI_CRL_DPS_MAX)
			return err_set(e, ERR_LIMIT, "more than %d points", PKI_CRL_DPS_MAX);
		rc = read_crl_dp(&d, &c->crl_dps[c->n_crl_dps++], e);
	}
	return rc == ERR_OK && !der_end(&d) ? malformed(e) : rc;
}

static enum err_code
read_aia(struct pki_cert *c, struct der *value, struct err *e)
{
	static const uint8_t ocsp[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01 };
	struct der d = der_enter(value, DER_SEQUENCE);
	enum err_code rc = der_more(&d) ? ERR_OK : malformed(e);

	while (rc == ERR_OK && der_more(&d)) {
		struct der access = der_enter(&d, DER_SEQUENCE);
		struct pki_blob method = der_take(&access, DER_OID);
		struct pki_name where;

		if (!pki_name_read(&access, &where) || !der_end(&access))
			return malformed(e);
		if (where.kind == PKI_NAME_URI &&
		    blob_equal(method, (struct pki_blob){ ocsp, sizeof ocsp }))
			rc = pki_names_add(&c->ocsp_uris, where, e);
	}
	return rc == ERR_OK && !der_end(&d) ? malformed(e) : rc;
}

/* Known, and nothing in it concerns us. */
static enum err_code
read_nothing(struct pki_cert *c, struct der *value, struct err *e)
{
	(void)c;
	(void)e;
	(void)der_take_whole(value, NULL);
	return ERR_OK;
}

#define OID(...)                                                                                   \
	{                                                                                          \
		(const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })         \
	}
#define CE(n) OID(0x55, 0x1d, (n))
#define PE(n) OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, (n))

/* clang-format off */
static const struct {
	struct pki_blob oid;
	uint32_t bit; /* enum pki_ext */
	read_fn *read;
} exts[] = {
	{ CE(35), PKI_EXT_AKI, read_aki },
	{ CE(14), PKI_EXT_SKI, read_ski },
	{ CE(15), PKI_EXT_KEY_USAGE, read_key_usage },
	{ CE(32), PKI_EXT_POLICIES, read_policies },
	{ CE(33), PKI_EXT_POLICY_MAPPINGS, read_policy_mappings },
	{ CE(17), PKI_EXT_SAN, read_san },
	{ CE(18), PKI_EXT_IAN, read_nothing },
	{ CE(9), PKI_EXT_SUBJECT_DIR, read_nothing },
	{ CE(19), PKI_EXT_BASIC_CONSTRAINTS, read_basic_constraints },
	{ CE(30), PKI_EXT_NAME_CONSTRAINTS, read_name_constraints },
	{ CE(36), PKI_EXT_POLICY_CONSTRAINTS, read_policy_constraints },
	{ CE(37), PKI_EXT_EKU, read_eku },
	{ CE(31), PKI_EXT_CRL_DP, read_crl_dps },
	{ CE(54), PKI_EXT_INHIBIT_ANY, read_inhibit_any },
	{ CE(46), PKI_EXT_FRESHEST_CRL, read_nothing },
	{ PE(1), PKI_EXT_AIA, read_aia },
	{ PE(11), PKI_EXT_SIA, read_nothing },
	{ PE(24), PKI_EXT_TLS_FEATURE, read_tls_feature },
	{ OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x05), PKI_EXT_OCSP_NOCHECK, read_nothing },
};
/* clang-format on */

static enum err_code
read_known(struct pki_cert *c, size_t row, bool critical, struct pki_blob value, struct err *e)
{
	struct der d = der_make(value);
	enum err_code rc = exts[row].read(c, &d, e);

	if (rc == ERR_OK && !der_end(&d))
		rc = malformed(e);
	c->has |= exts[row].bit;
	if (critical)
		c->critical |= exts[row].bit;
	return rc;
}

static enum err_code
read_one(
    struct pki_cert *c, struct pki_blob oid, bool critical, struct pki_blob value, struct err *e)
{
	struct gbuf text = { .max = 512 };
	enum err_code rc = ERR_OK;
	size_t row = 0;

	while (row < N_ELEMS(exts) && !blob_equal(oid, exts[row].oid))
		row++;
	if (row < N_ELEMS(exts))
		rc = read_known(c, row, critical, value, e);
	if (critical && c->unknown_critical.n == 0 &&
	    (row == N_ELEMS(exts) || exts[row].bit == PKI_EXT_TLS_FEATURE))
		c->unknown_critical = oid; /* no handshake of ours asks for staples */
	if (rc != ERR_OK) {
		der_oid_text(&text, oid);
		rc = err_wrap(e, "extension %s", gbuf_cstr(&text));
	}
	gbuf_clear(&text);
	return rc;
}

static bool
is_among(struct pki_blob oid, const struct pki_blob *seen, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (blob_equal(oid, seen[i]))
			return true;
	return false;
}

enum err_code
cert_ext_read(struct pki_cert *c, struct der *list, struct err *e)
{
	struct pki_blob seen[PKI_EXTENSIONS_MAX];
	size_t n = 0;

	if (!der_more(list))
		return err_set(e, ERR_PARSE, "extensions: an empty list");
	while (der_more(list)) {
		struct der ext = der_enter(list, DER_SEQUENCE);
		struct pki_blob oid = der_take(&ext, DER_OID);
		bool marked = der_peek(&ext) == DER_BOOLEAN, critical = marked && der_boolean(&ext);
		struct pki_blob value = der_take(&ext, DER_OCTET_STRING);

		if (!der_end(&ext) || !der_oid_valid(oid) || (marked && !critical))
			return err_set(e, ERR_PARSE, "extensions: number %zu: malformed", n + 1);
		if (is_among(oid, seen, n))
			return err_set(e, ERR_PARSE, "extensions: number %zu: there twice", n + 1);
		if (n == N_ELEMS(seen))
			return err_set(
			    e, ERR_LIMIT, "extensions: more than %d", PKI_EXTENSIONS_MAX);
		seen[n++] = oid;
		enum err_code rc = read_one(c, oid, critical, value, e);
		if (rc != ERR_OK)
			return rc;
	}
	return der_end(list) ? ERR_OK : err_set(e, ERR_PARSE, "extensions: malformed");
}
