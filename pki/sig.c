#include "pki/sig.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#define OID(...)                                                                                   \
	{                                                                                          \
		(const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })         \
	}

/* clang-format off */
static const struct sig_row {
	struct pki_blob oid;
	enum pki_sig_kind kind;
	const char *name;
	gnutls_sign_algorithm_t algorithm;
	unsigned keys;     /* enum pki_key_kind */
	bool null_allowed; /* parameters NULL (RFC 4055 section 5: or absent); otherwise absent */
} sigs[] = {
	{ OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02), PKI_SIG_ECDSA_SHA256, "ecdsa-sha256",
	    GNUTLS_SIGN_ECDSA_SHA256, PKI_KEY_P256 | PKI_KEY_P384 | PKI_KEY_P521, false },
	{ OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03), PKI_SIG_ECDSA_SHA384, "ecdsa-sha384",
	    GNUTLS_SIGN_ECDSA_SHA384, PKI_KEY_P256 | PKI_KEY_P384 | PKI_KEY_P521, false },
	{ OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04), PKI_SIG_ECDSA_SHA512, "ecdsa-sha512",
	    GNUTLS_SIGN_ECDSA_SHA512, PKI_KEY_P256 | PKI_KEY_P384 | PKI_KEY_P521, false },
	{ OID(0x2b, 0x65, 0x70), PKI_SIG_ED25519, "ed25519",
	    GNUTLS_SIGN_EDDSA_ED25519, PKI_KEY_ED25519, false },
	{ OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b), PKI_SIG_RSA_SHA256, "rsa-sha256",
	    GNUTLS_SIGN_RSA_SHA256, PKI_KEY_RSA, true },
	{ OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c), PKI_SIG_RSA_SHA384, "rsa-sha384",
	    GNUTLS_SIGN_RSA_SHA384, PKI_KEY_RSA, true },
	{ OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d), PKI_SIG_RSA_SHA512, "rsa-sha512",
	    GNUTLS_SIGN_RSA_SHA512, PKI_KEY_RSA, true },
	{ OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05), PKI_SIG_RSA_SHA1, "rsa-sha1",
	    GNUTLS_SIGN_RSA_SHA1, PKI_KEY_RSA, true },
	{ OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01), PKI_SIG_ECDSA_SHA1, "ecdsa-sha1",
	    GNUTLS_SIGN_ECDSA_SHA1, PKI_KEY_P256 | PKI_KEY_P384 | PKI_KEY_P521, false },
};

static const struct {
	struct pki_blob curve;
	enum pki_key_kind kind;
	unsigned size;
	size_t point; /* bytes of an uncompressed point (RFC 5480 section 2.2) */
} curves[] = {
	{ OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07), PKI_KEY_P256, 256, 65 },
	{ OID(0x2b, 0x81, 0x04, 0x00, 0x22), PKI_KEY_P384, 384, 97 },
	{ OID(0x2b, 0x81, 0x04, 0x00, 0x23), PKI_KEY_P521, 521, 133 },
};

static const struct {
	enum pki_key_kind kind;
	const char *name;
} key_names[] = {
	{ PKI_KEY_P256, "ecdsa-p256" },
	{ PKI_KEY_P384, "ecdsa-p384" },
	{ PKI_KEY_P521, "ecdsa-p521" },
	{ PKI_KEY_ED25519, "ed25519" },
	{ PKI_KEY_RSA, "rsa" },
};
/* clang-format on */

static const struct pki_blob oid_ec = OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01);
static const struct pki_blob oid_rsa = OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01);
static const struct pki_blob oid_ed25519 = OID(0x2b, 0x65, 0x70);

static gnutls_datum_t
datum(struct pki_blob b)
{
	union {
		const uint8_t *in;
		unsigned char *out; /* the library takes it so, and only reads */
	} p = { b.p };

	return (gnutls_datum_t){ p.out, (unsigned)b.n };
}

static void
read_ec(struct der *algorithm, struct pki_spki *key)
{
	struct pki_blob curve = PKI_BLOB_NONE;

	if (!der_take_optional(algorithm, DER_OID, &curve) || !der_end(algorithm))
		return; /* explicit parameters: a kind we do not know */
	for (size_t i = 0; i < N_ELEMS(curves); i++)
		if (blob_equal(curve, curves[i].curve) && key->bits.n == curves[i].point &&
		    key->bits.p[0] == 4) {
			key->kind = curves[i].kind;
			key->size = curves[i].size;
		}
}

static unsigned
bit_length(struct pki_blob n)
{
	while (n.n > 0 && n.p[0] == 0) {
		n.p++;
		n.n--;
	}
	if (n.n == 0)
		return 0;
	unsigned bits = (unsigned)n.n * 8;
	for (unsigned top = n.p[0]; top < 0x80; top <<= 1)
		bits--;
	return bits;
}

static void
read_rsa(struct der *algorithm, struct pki_spki *key)
{
	struct pki_blob null = { NULL, 1 };
	struct der bits = der_make(key->bits);
	struct der numbers = der_enter(&bits, DER_SEQUENCE);
	struct pki_blob modulus = der_integer(&numbers, DER_INTEGER);
	struct pki_blob exponent = der_integer(&numbers, DER_INTEGER);

	if (!der_end(&bits) || !der_end(&numbers) || modulus.p[0] >= 0x80 ||
	    exponent.p[0] >= 0x80 || !der_take_optional(algorithm, DER_NULL, &null) ||
	    null.n != 0 || !der_end(algorithm))
		return;
	key->kind = PKI_KEY_RSA;
	key->size = bit_length(modulus);
}

enum err_code
pki_spki_parse(struct pki_blob whole, struct pki_spki *out, struct err *e)
{
	struct der d = der_make(whole);
	struct der spki = der_enter(&d, DER_SEQUENCE);
	struct der algorithm = der_enter(&spki, DER_SEQUENCE);
	struct pki_blob oid = der_take(&algorithm, DER_OID);
	unsigned unused = 0;

	*out = (struct pki_spki){ .der = whole, .bits = der_bits(&spki, DER_BIT_STRING, &unused) };
	if (whole.n > (size_t)PKI_SPKI_MAX * 4)
		return err_set(e, ERR_LIMIT, "public key: %zu bytes", whole.n);
	if (!der_end(&d) || !der_end(&spki) || !der_ok(&algorithm) || unused != 0)
		return err_set(e, ERR_PARSE, "public key: not a SubjectPublicKeyInfo");
	if (blob_equal(oid, oid_ec))
		read_ec(&algorithm, out);
	else if (blob_equal(oid, oid_rsa))
		read_rsa(&algorithm, out);
	else if (blob_equal(oid, oid_ed25519) && der_end(&algorithm) && out->bits.n == 32) {
		out->kind = PKI_KEY_ED25519;
		out->size = 256;
	}
	return ERR_OK;
}

static int
import_key(const struct pki_spki *key, gnutls_pubkey_t *out)
{
	gnutls_datum_t der = datum(key->der);
	int r = gnutls_pubkey_init(out);

	if (r < 0) {
		*out = NULL;
		return r;
	}
	return gnutls_pubkey_import(*out, &der, GNUTLS_X509_FMT_DER);
}

enum err_code
pki_spki_check(const struct pki_spki *key, struct err *e)
{
	gnutls_pubkey_t k = NULL;

	if (key->kind == PKI_KEY_OTHER)
		return err_set(e, ERR_CRYPTO, "public key: of a kind that is not supported");
	int r = import_key(key, &k);
	if (r >= 0)
		r = gnutls_pubkey_verify_params(k);
	gnutls_pubkey_deinit(k);
	return r < 0 ? err_set(e, ERR_CRYPTO, "public key: %s", gnutls_strerror(r)) : ERR_OK;
}

enum pki_sig_kind
pki_sig_kind_of(struct pki_blob whole)
{
	struct der d = der_make(whole);
	struct der algorithm = der_enter(&d, DER_SEQUENCE);
	struct pki_blob oid = der_take(&algorithm, DER_OID), null = PKI_BLOB_NONE;
	bool has_null = der_take_optional(&algorithm, DER_NULL, &null);

	if (!der_end(&d) || !der_end(&algorithm) || null.n != 0)
		return PKI_SIG_OTHER;
	for (size_t i = 0; i < N_ELEMS(sigs); i++)
		if (blob_equal(oid, sigs[i].oid) && (!has_null || sigs[i].null_allowed))
			return sigs[i].kind;
	return PKI_SIG_OTHER;
}

static const struct sig_row *
row_of(enum pki_sig_kind kind)
{
	for (size_t i = 0; i < N_ELEMS(sigs); i++)
		if (sigs[i].kind == kind)
			return &sigs[i];
	return NULL;
}

bool
pki_sig_verify(const struct pki_spki *key, enum pki_sig_kind kind, struct pki_blob data,
    struct pki_blob signature)
{
	const struct sig_row *row = row_of(kind);
	gnutls_pubkey_t k = NULL;

	if (row == NULL || (row->keys & key->kind) == 0)
		return false;
	gnutls_datum_t d = datum(data), s = datum(signature);
	int r = import_key(key, &k);
	if (r >= 0) /* whether SHA-1 will do is the caller's to say: the kind names it */
		r = gnutls_pubkey_verify_data2(
		    k, row->algorithm, GNUTLS_VERIFY_ALLOW_BROKEN, &d, &s);
	gnutls_pubkey_deinit(k);
	return r >= 0;
}

const char *
pki_key_kind_name(enum pki_key_kind kind)
{
	for (size_t i = 0; i < N_ELEMS(key_names); i++)
		if (key_names[i].kind == kind)
			return key_names[i].name;
	return "other";
}

const char *
pki_sig_kind_name(enum pki_sig_kind kind)
{
	const struct sig_row *row = row_of(kind);

	return row == NULL ? "other" : row->name;
}

static enum err_code
hash(gnutls_digest_algorithm_t algorithm, struct pki_blob in, uint8_t *out, struct err *e)
{
	int r = gnutls_hash_fast(algorithm, in.p, in.n, out);

	return r < 0 ? err_set(e, ERR_CRYPTO, "hash: %s", gnutls_strerror(r)) : ERR_OK;
}

enum err_code
pki_sha1(struct pki_blob in, uint8_t out[PKI_SHA1_LEN], struct err *e)
{
	return hash(GNUTLS_DIG_SHA1, in, out, e);
}

enum err_code
pki_sha256(struct pki_blob in, uint8_t out[PKI_SHA256_LEN], struct err *e)
{
	return hash(GNUTLS_DIG_SHA256, in, out, e);
}
