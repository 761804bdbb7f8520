/* A file of PEM blocks or DER: certificates, requests, lists and keys. */
#include "pki/object.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pki_objects os;
	struct pki_certs cs = PKI_CERTS_NONE;

	if (pki_objects_parse(&os, data, size, NULL) == ERR_OK)
		FUZZ_MUST(os.n <= PKI_OBJECTS, "%zu objects", os.n);
	else
		FUZZ_MUST(os.n == 0, "something is left of what was refused");
	pki_objects_clear(&os);
	if (pki_certs_parse(&cs, data, size, 10, NULL) == ERR_OK)
		FUZZ_MUST(cs.n > 0 && cs.n <= 10, "%zu certificates", cs.n);
	pki_certs_clear(&cs);
	return 0;
}
