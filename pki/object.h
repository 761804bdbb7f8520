/*
 * pki/object.h: a file of certificates, requests, revocation lists and keys, to be looked at.
 * Nothing is judged but the signature of a request; of a private key only its public half is kept.
 */
#ifndef PKI_OBJECT_H
#define PKI_OBJECT_H

#include "pki/cert.h"
#include "pki/pem.h"

#define PKI_OBJECT_MAX ((size_t)32 << 20) /* bytes of a file */
#define PKI_OBJECTS 1024                  /* of one file */

enum pki_object_kind {
	PKI_OBJECT_CERT,
	PKI_OBJECT_REQUEST, /* PKCS #10 (RFC 2986) */
	PKI_OBJECT_CRL,
	PKI_OBJECT_PUBLIC_KEY,    /* SubjectPublicKeyInfo */
	PKI_OBJECT_PRIVATE_KEY,   /* PKCS #8 or the older forms */
	PKI_OBJECT_ENCRYPTED_KEY, /* nothing is known of it */
	PKI_OBJECT_OTHER          /* a PEM block of another kind */
};

struct pki_object {
	enum pki_object_kind kind;
	char label[PEM_LABEL_MAX]; /* of PEM, or "" */
	struct secret der;         /* owned: what the blobs below point into; not of private keys */
	struct pki_cert *cert;     /* CERT: one reference */
	struct pki_blob name;      /* REQUEST: subject; CRL: issuer; of CERT see cert */
	struct pki_spki spki;      /* of all that have a key; otherwise its der is empty */
	bool proved;               /* REQUEST: its own key signed it */
	int64_t this_update, next_update; /* CRL; next_update is meant when has_next */
	bool has_next;
	size_t revoked; /* CRL: entries */
};

struct pki_objects {
	struct pki_object *v;
	size_t n, cap;
};

/*
 * Everything in a text of PEM blocks, or the one object of plain DER. ERR_PARSE names the block by
 * its number, from 1, and what is wrong with it; ERR_NOT_FOUND, ERR_LIMIT. *os is empty on an
 * error.
 */
enum err_code pki_objects_parse(struct pki_objects *os, const void *text, size_t n, struct err *e);
enum err_code pki_objects_load(struct pki_objects *os, const char *file, struct err *e);
void pki_objects_clear(struct pki_objects *os); /* safe twice */

/* "certificate", "request", "crl", "public_key", "private_key", "encrypted_key", "other". */
const char *pki_object_kind_name(enum pki_object_kind kind);

#endif
