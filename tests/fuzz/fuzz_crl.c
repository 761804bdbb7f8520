/* Revocation lists, PEM or DER: refused, or each entry of them is found again. */
#include "pki/crl_read.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pki_crls cs = PKI_CRLS_NONE;

	if (pki_crls_parse(&cs, data, size, NULL) == ERR_OK)
		FUZZ_MUST(cs.n > 0, "no list");
	for (size_t i = 0; i < cs.n; i++)
		for (size_t k = 0; k < cs.v[i]->n; k++) {
			struct pki_blob serial = cs.v[i]->entries[k].serial;
			const struct crl_entry *found = crl_find(cs.v[i], serial);
			FUZZ_MUST(found != NULL && blob_equal(found->serial, serial), "lost");
		}
	pki_crls_clear(&cs);
	return 0;
}
