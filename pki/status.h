/*
 * pki/status.h: what somebody said about a certificate's status, and when that is good enough:
 * common to OCSP (ocsp.h) and revocation lists (crl.h).
 */
#ifndef PKI_STATUS_H
#define PKI_STATUS_H

#include "pki/cert.h"

enum pki_status {
	PKI_STATUS_UNUSABLE, /* nothing that counts was said */
	PKI_STATUS_GOOD,
	PKI_STATUS_REVOKED,
	PKI_STATUS_UNKNOWN /* who should know says that it does not */
};

enum pki_nonce { PKI_NONCE_OFF, PKI_NONCE_PREFER, PKI_NONCE_REQUIRE };

#define PKI_ANY_AGE (-1)

/* What is good enough. Start from pki_status_policy_default(). Times in seconds. */
struct pki_status_policy {
	int64_t skew_s;           /* that clocks may differ by; 300 */
	int64_t max_age_s;        /* OCSP: since thisUpdate, where there is a nextUpdate; 604,800 */
	int64_t max_age_open_s;   /* the same without nextUpdate; 86,400 */
	int64_t responder_life_s; /* OCSP: validity of a delegated responder that has no
	                           * id-pkix-ocsp-nocheck: nobody asks about it; 30 days */
	unsigned keys;            /* allow-lists as in struct pki_policy */
	unsigned sigs;
	unsigned rsa_bits;
	enum pki_nonce nonce; /* prefer */
	bool relaxed;         /* tolerate a CRL without a number; off */
};

void pki_status_policy_default(struct pki_status_policy *p);
/* SHA-1 signatures too, and keys of the time when they were made. */
void pki_status_policy_allow_sha1(struct pki_status_policy *p);

struct pki_answer {
	enum pki_status status;
	bool later;          /* UNUSABLE: the responder wants to be asked again */
	int64_t this_update; /* seconds since 1970 UTC, as the next three */
	int64_t next_update; /* when has_next */
	int64_t produced_at; /* OCSP; otherwise this_update */
	int64_t revoked_at;  /* REVOKED */
	bool has_next;
	int crl_reason;   /* REVOKED: 0..10; -1: not said */
	char detail[200]; /* UNUSABLE: why */
};

/* Says so, and returns false. */
bool pki_answer_unusable(struct pki_answer *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
/*
 * The answer is in time: neither of the future nor too old. Otherwise it becomes unusable. c is
 * what it is about.
 */
bool pki_answer_in_time(
    struct pki_answer *a, const struct pki_status_policy *p, const struct pki_cert *c, int64_t now);
/* Until when it counts, without skew. INT64_MAX: for ever. */
int64_t pki_answer_until(const struct pki_answer *a, const struct pki_status_policy *p);

/* "good", "revoked", "unknown", "unusable". */
const char *pki_status_name(enum pki_status s);
/* certificateHold: the only reason that may be taken back. */
#define PKI_CRL_HOLD 6
/* "keyCompromise" (RFC 5280 section 5.3.1); "unspecified" for what is none. */
const char *pki_crl_reason_name(int reason);

/* A signature of this kind by this key is one that the policy takes. */
bool pki_status_signature_allowed(
    const struct pki_status_policy *p, const struct pki_spki *key, enum pki_sig_kind kind);

#endif
