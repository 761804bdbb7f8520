#include "bsserver/server_tls.h"

#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/util.h"

static const char *
given(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

struct transport_credentials
server_tls_credentials(const struct conf *c)
{
	return (struct transport_credentials){ .certificate_file = given(c->certificate_file),
		.key = given(c->key), .pin_file = given(c->pin_file) };
}

unsigned
server_tls_takes(const struct conf_listener *l)
{
	return (l->psk ? TRANSPORT_TAKES(TRANSPORT_PSK) : 0U) | (l->x509 ? TRANSPORT_TAKES(TRANSPORT_X509) : 0U) |
	    (l->rpk ? TRANSPORT_TAKES(TRANSPORT_RPK) : 0U);
}

void
server_tls_judge(const struct auth *a, const struct trust *t, enum transport_kind kind, bool registry,
    const struct transport_blob *chain, size_t n, struct transport_verdict *out)
{
	struct pki_blob der[TRANSPORT_CHAIN_MAX] = { PKI_BLOB_NONE };
	struct trust_verdict v;

	for (size_t i = 0; i < n && i < N_ELEMS(der); i++)
		der[i] = (struct pki_blob){ chain[i].data, chain[i].len };
	if (kind == TRANSPORT_RPK)
		trust_judge_rpk(a, registry, der[0], &v);
	else
		trust_judge(t, der, n, clock_wall_ms() / 1000, &v);
	out->alert = v.alert;
	out->proof = v.proof;
	(void)snprintf(out->why, sizeof out->why, "%s", v.why);
}
