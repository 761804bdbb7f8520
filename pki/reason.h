/*
 * pki/reason.h: why a certificate, a chain or its status was refused. One name for each, the same
 * in logs, records, JSON and the command line, and one sentence for people.
 */
#ifndef PKI_REASON_H
#define PKI_REASON_H

enum pki_reason {
	PKI_OK = 0,
	PKI_R_PARSE,      /* it cannot be read */
	PKI_R_MALFORMED,  /* it can, and says what RFC 5280 forbids */
	PKI_R_UNKNOWN_CA, /* no path to an anchor */
	PKI_R_EXPIRED,
	PKI_R_NOT_YET_VALID,
	PKI_R_BAD_SIGNATURE,
	PKI_R_WEAK_ALGORITHM,     /* a key or a signature off the allow-list */
	PKI_R_WRONG_PURPOSE,      /* key usage, extended key usage */
	PKI_R_NAME_MISMATCH,      /* it is somebody else's */
	PKI_R_CONSTRAINT,         /* not a CA, or path too long for its CA */
	PKI_R_NAME_CONSTRAINT,    /* a name that its CA may not certify */
	PKI_R_POLICY,             /* no acceptable certificate policy */
	PKI_R_CRITICAL_EXTENSION, /* a critical extension that we do not process */
	PKI_R_USAGE_MISMATCH,     /* not the certificate or anchor that Certificate Usage pins */
	PKI_R_REVOKED,
	PKI_R_STATUS_UNKNOWN, /* the responder does not know it */
	PKI_R_NO_STATUS,      /* no usable answer about its status */
	PKI_R_BUDGET,         /* too much work: too deep, too many tries, too many names */
	PKI_R_INTERNAL,       /* memory short, or the library failed: refused all the same */
	PKI_R__COUNT
};

/* "expired". Never NULL. */
const char *pki_reason_name(enum pki_reason r);
/* "the certificate has expired". */
const char *pki_reason_sentence(enum pki_reason r);
/* The reason of that name; PKI_R__COUNT when there is none. */
enum pki_reason pki_reason_of(const char *name);

#endif
