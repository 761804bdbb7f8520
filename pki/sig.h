/*
 * pki/sig.h: public keys and signatures, by kind: what an allow-list is made of.
 */
#ifndef PKI_SIG_H
#define PKI_SIG_H

#include "pki/der.h"

#define PKI_SHA256_LEN 32
#define PKI_SHA1_LEN 20
#define PKI_SPKI_MAX 1024 /* bytes: RSA of 4096 bits needs 550 */

/* Public keys, as bits. */
enum pki_key_kind {
	PKI_KEY_OTHER = 0, /* none of these: never allowed */
	PKI_KEY_P256 = 1 << 0,
	PKI_KEY_P384 = 1 << 1,
	PKI_KEY_P521 = 1 << 2,
	PKI_KEY_ED25519 = 1 << 3,
	PKI_KEY_RSA = 1 << 4
};

/* Signature algorithms, as bits. */
enum pki_sig_kind {
	PKI_SIG_OTHER = 0,
	PKI_SIG_ECDSA_SHA256 = 1 << 0,
	PKI_SIG_ECDSA_SHA384 = 1 << 1,
	PKI_SIG_ECDSA_SHA512 = 1 << 2,
	PKI_SIG_ED25519 = 1 << 3,
	PKI_SIG_RSA_SHA256 = 1 << 4,
	PKI_SIG_RSA_SHA384 = 1 << 5,
	PKI_SIG_RSA_SHA512 = 1 << 6,
	PKI_SIG_RSA_SHA1 = 1 << 7, /* weak, as is what follows: never on by default */
	PKI_SIG_ECDSA_SHA1 = 1 << 8
};

/* A SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7), taken apart; all of it borrowed. */
struct pki_spki {
	struct pki_blob der;  /* the whole, as a raw public key of RFC 7250 */
	struct pki_blob bits; /* content of its BIT STRING: what OCSP's issuerKeyHash is over */
	enum pki_key_kind kind;
	unsigned size; /* bits of the RSA modulus or the curve; 0 for PKI_KEY_OTHER */
};

/* Well formed, nothing behind it; the kind may still be PKI_KEY_OTHER. ERR_PARSE. */
enum err_code pki_spki_parse(struct pki_blob der, struct pki_spki *out, struct err *e);
/* Fit for use: of a known kind, and the library takes it (a point of EC is on its curve).
 * ERR_CRYPTO. */
enum err_code pki_spki_check(const struct pki_spki *key, struct err *e);

/* The kind that an AlgorithmIdentifier (with its tag) names; PKI_SIG_OTHER with wrong parameters
 * too. */
enum pki_sig_kind pki_sig_kind_of(struct pki_blob algorithm);

/* The signature is this key's over these bytes. False whatever is wrong: a key of another kind, a
 * bad key. */
bool pki_sig_verify(const struct pki_spki *key, enum pki_sig_kind kind, struct pki_blob data,
    struct pki_blob signature);

/* "ecdsa-p256", "ed25519", "rsa"; "other". */
const char *pki_key_kind_name(enum pki_key_kind kind);
/* "ecdsa-sha256"; "other". */
const char *pki_sig_kind_name(enum pki_sig_kind kind);

enum err_code pki_sha1(struct pki_blob in, uint8_t out[PKI_SHA1_LEN], struct err *e);
enum err_code pki_sha256(struct pki_blob in, uint8_t out[PKI_SHA256_LEN], struct err *e);

#endif
