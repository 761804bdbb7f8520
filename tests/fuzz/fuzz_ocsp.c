/* A certificate, its issuer (each with its length before it, two octets), and a response. */
#include "pki/ocsp.h"
#include "tests/fuzz/fuzz.h"

#define NOW 1767225600

static struct pki_cert *
take_cert(struct rbuf *in)
{
	struct pki_cert *c = NULL;
	size_t n = rbuf_be(in, 2);
	const uint8_t *p = rbuf_take(in, n);

	(void)pki_cert_parse(p, p == NULL ? 0 : n, &c, NULL);
	return c;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbuf in = rbuf_make(data, size);
	struct pki_cert *cert = take_cert(&in), *issuer = take_cert(&in);
	struct pki_status_policy p;
	struct pki_answer a;

	pki_status_policy_default(&p);
	if (cert != NULL && issuer != NULL) {
		struct pki_blob der = { data + in.pos, rbuf_left(&in) };
		pki_ocsp_evaluate(der, cert, issuer, NULL, &p, NOW, &a);
		FUZZ_MUST(
		    a.status == PKI_STATUS_UNUSABLE || a.this_update <= NOW + p.skew_s, "time");
		FUZZ_MUST(a.status != PKI_STATUS_UNUSABLE || a.detail[0] != '\0', "without a word");
	}
	pki_cert_unref(cert);
	pki_cert_unref(issuer);
	return 0;
}
