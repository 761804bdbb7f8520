/*
 * bsserver/auth/auth.h: who is this peer, and may it call itself that endpoint?
 *
 * All that is needed to answer lies in memory, kept true by the store's feed: a handshake never
 * waits for a database. Rules are tried in order; the first that fits the credential and grants
 * decides; when none does the last reason given is the answer. No rule means: refused.
 */
#ifndef BSSERVER_AUTH_AUTH_H
#define BSSERVER_AUTH_AUTH_H

#include <stdbool.h>

#include "bsserver/store/store.h"
#include "lib/base/buf.h"
#include "lib/base/secret.h"
#include "pki/identity.h"

enum auth_credential { AUTH_NOSEC, AUTH_PSK, AUTH_RPK, AUTH_X509, AUTH__CREDENTIALS };

enum auth_how {
	AUTH_MAPPED,  /* psk: the endpoint that the store keeps this identity for */
	AUTH_SAME,    /* psk: the endpoint whose name is the identity */
	AUTH_PATTERN, /* psk: any known endpoint that fits a pattern, by identities that fit a pattern */
	AUTH_NAMED,   /* nosec: an endpoint whose own document says that it knocks without credentials */
	AUTH_PINNED,  /* rpk, x509: the endpoint whose document names this very key or certificate */
	AUTH_DERIVED  /* x509: the endpoint that the certificate names, when one of these CAs issued it */
};

struct auth_rule {
	enum auth_credential credential;
	enum auth_how how;
	/* Borrowed until auth_free(). PATTERN: globs; DERIVED: endpoint is NULL, or has one * for the value */
	const char *identity, *endpoint;
	enum pki_id_kind kind; /* DERIVED: where in the certificate */
	const char *trust;     /* DERIVED: the name of what its anchor belongs to */
};

/* "psk mapped", for the configuration file and for `why`. false: no such pair. */
bool auth_rule_from_words(const char *credential, const char *how, struct auth_rule *out);
void auth_rule_print(const struct auth_rule *r, struct gbuf *out);

struct auth;

enum err_code auth_new(const struct auth_rule *rules, size_t n, uint64_t seed, struct auth **out, struct err *e);
void auth_free(struct auth *a); /* wipes; NULL is fine */
/* Takes in one change. ERR_NO_MEMORY only: the identity is then unknown, so that it fails closed. */
enum err_code auth_feed(struct auth *a, const struct store_feed *f, struct err *e);

/* The key of an identity, copied; false: unknown, or its device is blocked or retired. */
bool auth_psk(const struct auth *a, const char *identity, size_t len, struct secret *key);

/*
 * How a device registers at our registry: with a pre-shared key, a raw public key, a certificate, or (NOSEC)
 * without. false: it may not at all.
 */
bool auth_registers_with(const struct auth *a, const char *endpoint, enum auth_credential *out);
/* A device that may register does so with this raw public key, or knocks with it. */
bool auth_registry_rpk(const struct auth *a, struct pki_blob spki);

/*
 * What a device registers with at our registry: the identity (with a NUL behind it) is its endpoint
 * name, the key that of STORE_SLOT_REGISTRY. Copied; false: there is none, or the device is blocked or retired.
 */
bool auth_registry_psk(const struct auth *a, const char *identity, size_t len, struct secret *key);

/* A device that may knock is registered with this raw public key. */
bool auth_rpk(const struct auth *a, struct pki_blob spki);

/*
 * The name under which the store keeps a certificate or a raw public key that a device knocks with,
 * as the identity of STORE_SLOT_BOOTSTRAP, with an empty key: "x509 cert-sha256:HEX", "rpk
 * spki-sha256:HEX". der: the certificate, the SubjectPublicKeyInfo. Appended.
 */
enum err_code auth_pin(enum auth_credential c, struct pki_blob der, struct gbuf *out, struct err *e);

/* The endpoint that an identity is kept for; NULL: unknown. Valid until the next feed. */
const char *auth_endpoint_of(const struct auth *a, const char *identity, size_t len);

struct auth_question {
	enum auth_credential credential;
	const char *identity; /* AUTH_PSK */
	size_t identity_len;
	const char *pin;	     /* AUTH_RPK, AUTH_X509: auth_pin() of it; NULL: not known */
	const struct pki_cert *cert; /* AUTH_X509: the device's own; NULL: not known */
	const char *trust;	     /* AUTH_X509: the name of what its anchor belongs to */
	const char *endpoint; /* as claimed; NULL: not given */
};

struct auth_answer {
	bool granted;
	char *endpoint;	       /* granted: the name it is known by; owned */
	enum bs_reason reason; /* refused */
	struct gbuf rule;      /* the rule that decided, with what it compared; no secrets */
};

/*
 * The same about registering with a raw public key or a certificate: its account at our registry must be of
 * that kind, and be for this very one when its profile names one; otherwise the rules decide.
 */
void auth_decide_registry(const struct auth *a, const struct auth_question *q, struct auth_answer *out);
/* *out is always filled; clear it with auth_answer_clear(). Out of memory refuses. */
void auth_decide(const struct auth *a, const struct auth_question *q, struct auth_answer *out);
void auth_answer_clear(struct auth_answer *x);

/* What every rule says to it, a line each, appended: for `why`. */
void auth_explain(const struct auth *a, const struct auth_question *q, struct gbuf *out);

/* By which certificates a device of that name could come, in words, appended. false: by none. */
bool auth_foretell(const struct auth *a, const char *endpoint, struct gbuf *out);

size_t auth_identities(const struct auth *a);

#endif
