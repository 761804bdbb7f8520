/*
 * pki/chain.h: is this chain good, for this purpose, at this time? RFC 5280 section 6.1, over a
 * path found by ourselves. The time is an argument; no call blocks or reads a clock.
 */
#ifndef PKI_CHAIN_H
#define PKI_CHAIN_H

#include "pki/cert.h"
#include "pki/pin.h"
#include "pki/reason.h"

#define PKI_PATH_MAX 12     /* certificates of a path, with its anchor, whatever the policy says */
#define PKI_CHAIN_CERTS 128 /* certificates that a peer's chain may have */

enum pki_purpose {
	PKI_PURPOSE_CLIENT, /* the leaf is a TLS client's */
	PKI_PURPOSE_SERVER,
	PKI_PURPOSE_ANY /* key usage and extended key usage of the leaf are not looked at */
};

/* What is good enough. Start from pki_policy_default(). */
struct pki_policy {
	unsigned max_depth; /* CAs between leaf and anchor, not self-issued; 5 */
	unsigned max_tries; /* signatures checked in one search; 100 */
	unsigned max_names; /* comparisons of names with name constraints; 250,000 */
	unsigned keys;      /* allow-list of enum pki_key_kind */
	unsigned sigs;      /* allow-list of enum pki_sig_kind */
	unsigned rsa_bits;  /* at least, 2048 */
	bool require_eku;   /* the leaf must say its purpose; off */
	bool allow_cn;      /* a host may stand in the common name, when there is no dNSName; off */
	bool ignore_leaf_expiry; /* IDevIDs (RFC 9148 section 3 allows it); off */
	bool ca_signs_nothing; /* a CA's certificate is a leaf only when its key usage allows it; off */
	bool allow_v1_anchor;    /* an anchor that is no version 3 CA certificate; off */
	bool relaxed; /* tolerate what RFC 5280 asks of CAs without which a chain is no less proved:
	               * key identifiers, serial numbers, syntax of names nobody asked for; off */
};

void pki_policy_default(struct pki_policy *p);

/* All of it borrowed for the call. */
struct pki_request {
	const struct pki_certs
	    *chain; /* as the peer sent it: the leaf first, the rest in any order */
	const struct pki_certs
	    *anchors; /* trusted; their dates and constraints count. Empty: nothing is trusted */
	const struct pki_certs *extra; /* more that may be between; NULL: none */
	enum pki_purpose purpose;
	const char *name;          /* as in identity.h; NULL: whoever it is */
	const struct pki_pin *pin; /* NULL: plain PKIX */
	int64_t now;               /* seconds since 1970 UTC */
};

struct pki_verdict {
	enum pki_reason reason;
	int index; /* the certificate it is about: its place from the leaf, 0; -1: none of them */
	char subject[160]; /* that certificate's subject, or "" */
	char detail[320];  /* what exactly, or "" */
	struct pki_certs
	    path; /* leaf to anchor, when the reason is PKI_OK (usage 3: the leaf alone) */
};

/*
 * Always gives a verdict: a search that runs out of memory or budget is a refusal. Of several paths
 * that fail, the verdict is about the one that came furthest.
 */
void pki_verify(const struct pki_request *rq, const struct pki_policy *po, struct pki_verdict *out);
void pki_verdict_clear(struct pki_verdict *v); /* safe twice */

/* "certificate 1 (CN=x): the certificate has expired: on 2026-01-01T00:00:00Z". */
void pki_verdict_text(struct gbuf *out, const struct pki_verdict *v);

#endif
