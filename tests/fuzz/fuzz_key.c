/* Private keys: whatever is read is written in one form, which is read as the same key again. */
#include "pki/key.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct secret pkcs8 = SECRET_NONE, spki = SECRET_NONE, same = SECRET_NONE,
	              half = SECRET_NONE;

	if (pki_key_read(data, size, &pkcs8, &spki, NULL) == ERR_OK) {
		FUZZ_MUST(pki_key_read(pkcs8.data, pkcs8.len, &same, &half, NULL) == ERR_OK,
		    "its own form is not read");
		FUZZ_MUST(secret_equal(&pkcs8, &same) && secret_equal(&spki, &half), "another key");
	}
	secret_clear(&pkcs8);
	secret_clear(&spki);
	secret_clear(&same);
	secret_clear(&half);
	return 0;
}
