#include "pki/reason.h"

#include <string.h>

#include "lib/base/util.h"

/* clang-format off */
static const struct {
	const char *name;
	const char *sentence;
} reasons[] = {
	[PKI_OK]                   = { "ok", "the certificate is valid" },
	[PKI_R_PARSE]              = { "parse", "the certificate cannot be read" },
	[PKI_R_MALFORMED]          = { "malformed", "the certificate breaks a rule of RFC 5280" },
	[PKI_R_UNKNOWN_CA]         = { "unknown_ca", "no trusted CA stands behind the certificate" },
	[PKI_R_EXPIRED]            = { "expired", "the certificate has expired" },
	[PKI_R_NOT_YET_VALID]      = { "not_yet_valid", "the certificate is not valid yet" },
	[PKI_R_BAD_SIGNATURE]      = { "bad_signature", "the signature on the certificate is not its issuer's" },
	[PKI_R_WEAK_ALGORITHM]     = { "weak_algorithm", "the key or the signature is of a kind that is not allowed" },
	[PKI_R_WRONG_PURPOSE]      = { "wrong_purpose", "the certificate is not meant for this purpose" },
	[PKI_R_NAME_MISMATCH]      = { "name_mismatch", "the certificate was issued for another name" },
	[PKI_R_CONSTRAINT]         = { "constraint", "the certificate may not issue, or not so long a chain" },
	[PKI_R_NAME_CONSTRAINT]    = { "name_constraint", "the certificate has a name that its CA may not certify" },
	[PKI_R_POLICY]             = { "policy", "the chain has no acceptable certificate policy" },
	[PKI_R_CRITICAL_EXTENSION] = { "critical_extension", "the certificate has a critical extension that is not understood" },
	[PKI_R_USAGE_MISMATCH]     = { "usage_mismatch", "the chain does not hold the pinned certificate or CA" },
	[PKI_R_REVOKED]            = { "revoked", "the certificate has been revoked" },
	[PKI_R_STATUS_UNKNOWN]     = { "status_unknown", "the responder does not know the certificate" },
	[PKI_R_NO_STATUS]          = { "no_status", "nobody could say whether the certificate is revoked" },
	[PKI_R_BUDGET]             = { "budget", "the chain is too long or takes too much work" },
	[PKI_R_INTERNAL]           = { "internal", "the certificate could not be checked" },
};
/* clang-format on */

_Static_assert(N_ELEMS(reasons) == PKI_R__COUNT, "one row per reason");

const char *
pki_reason_name(enum pki_reason r)
{
	return reasons[r < PKI_R__COUNT ? r : PKI_R_INTERNAL].name;
}

const char *
pki_reason_sentence(enum pki_reason r)
{
	return reasons[r < PKI_R__COUNT ? r : PKI_R_INTERNAL].sentence;
}

enum pki_reason
pki_reason_of(const char *name)
{
	for (size_t i = 0; i < N_ELEMS(reasons); i++)
		if (strcmp(reasons[i].name, name) == 0)
			return (enum pki_reason)i;
	return PKI_R__COUNT;
}
