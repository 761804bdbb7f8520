/* A certificate: refused, or all that is told of it lies in its bytes and can be printed. */
#include "pki/cert.h"
#include "pki/identity.h"
#include "tests/fuzz/fuzz.h"

static void
is_inside(const struct pki_cert *c, struct pki_blob b)
{
	FUZZ_MUST(b.n == 0 || (b.p >= c->der.p && b.p + b.n <= c->der.p + c->der.n), "outside");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pki_cert *c = NULL;
	struct gbuf text = { .max = 1 << 20 };

	if (pki_cert_parse(data, size, &c, NULL) != ERR_OK)
		return 0;
	const struct pki_blob parts[] = { c->tbs, c->serial, c->issuer, c->subject, c->spki.der,
		c->ski, c->aki, c->signature };
	for (size_t i = 0; i < N_ELEMS(parts); i++)
		is_inside(c, parts[i]);
	pki_dn_text(&text, c->subject);
	pki_serial_text(&text, c);
	for (int k = 0; k < PKI_ID__COUNT; k++)
		(void)pki_id_value(c, (enum pki_id_kind)k, &text, NULL);
	gbuf_clear(&text);
	pki_cert_unref(c);
	return 0;
}
