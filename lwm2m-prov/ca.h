/*
 * lwm2m-prov/ca.h: a CA in a folder: ca.pem, its key (ca.key, or ca.url: where in a token it is),
 * and issued.ndjson, a line for each certificate and each revocation, only ever added to.
 */
#ifndef LWM2M_PROV_CA_H
#define LWM2M_PROV_CA_H

#include "pki/cert.h"
#include "pki/keystore.h"

struct json_t;

struct ca {
	char *dir;
	struct pki_cert *cert;
	struct pki_key *key;   /* NULL until ca_open_key() */
	struct json_t *issued; /* by serial number: {"subject", "not_after", "sha256",
	                          "revoked_at"?, "reason"?} */
	int lock;              /* nobody else writes meanwhile */
};

/* The folder is made when it is not there. url NULL: the key goes into it. Files that are there
 * stay without force: ERR_EXISTS. */
enum err_code ca_create(const char *dir, const struct pki_key *key, const char *url,
    const struct secret *cert, bool force, struct err *e);
/* Waits for others that have it open. ERR_NOT_FOUND, ERR_PARSE. ca_close() is due in any case. */
enum err_code ca_open(const char *dir, struct ca *ca, struct err *e);
enum err_code ca_open_key(struct ca *ca, const struct secret *pin, struct err *e);
void ca_close(struct ca *ca);

/* On the disk when it returns: before the certificate is handed to anybody. */
enum err_code ca_note_issued(struct ca *ca, const struct pki_cert *c, struct err *e);
/* serial in hex. ERR_NOT_FOUND: never issued; ERR_EXISTS: revoked before. */
enum err_code ca_note_revoked(
    struct ca *ca, const char *serial, int64_t at, const char *reason, struct err *e);

#endif
