/* A file of certificate status: refused, or written again as it was read. */
#include <string.h>

#include "pki/rev_cache.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rev_cache one, two;
	struct gbuf first = { .max = 0 }, second = { .max = 0 };

	rev_cache_init(&one, 1, 100, 1 << 20);
	rev_cache_init(&two, 2, 100, 1 << 20);
	(void)rev_cache_load(&one, data, size, NULL);
	rev_cache_dump(&one, &first);
	FUZZ_MUST(
	    rev_cache_load(&two, first.data, first.len, NULL) == ERR_OK, "its own is refused");
	rev_cache_dump(&two, &second);
	FUZZ_MUST(
	    first.len == second.len && memcmp(first.data, second.data, first.len) == 0, "other");
	rev_cache_clear(&one);
	rev_cache_clear(&two);
	gbuf_clear(&first);
	gbuf_clear(&second);
	return 0;
}
