/* The packed form of a desired configuration: what is read back packs to the same octets again. */
#include <string.h>

#include "profiles/desired.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct profile_desired d = { 0 };
	struct gbuf out = { 0 };
	struct err e;

	if (profile_desired_unpack(data, size, &d, &e) != ERR_OK)
		return 0;
	FUZZ_MUST(profile_desired_pack(&d, &out, &e) == ERR_OK, "%s", e.msg);
	FUZZ_MUST(out.len == size && memcmp(out.data, data, size) == 0, "other octets");
	gbuf_clear(&out);
	profile_desired_clear(&d);
	return 0;
}
