/* A path as text: what is accepted is what it prints as. */
#include <string.h>

#include "lib/lwm2m/path.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { .code = ERR_OK };
	struct lwm2m_path p;

	if (lwm2m_path_parse((const char *)data, size, &p, &e) != ERR_OK) {
		FUZZ_MUST(e.code == ERR_PARSE || e.code == ERR_RANGE, "refused as %s",
		    err_name(e.code));
		return 0;
	}
	struct lwm2m_path_str s = lwm2m_path_str(p);
	FUZZ_MUST(strlen(s.s) == size && memcmp(s.s, data, size) == 0, "prints as %s", s.s);
	return 0;
}
