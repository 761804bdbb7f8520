/* The configuration file: refused with its place, or read and freed. */
#include <stdlib.h>
#include <string.h>

#include "bsserver/conf/conf.h"
#include "lib/base/str.h"
#include "tests/fuzz/fuzz.h"

/* libconfig's scanner does not free what it has of a string whose end is missing. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:strbuf_append\n";
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = str_dup_n((const char *)data, size);
	struct conf c;

	/* @include reads whatever file is named: that is the operator's right, not the fuzzer's */
	if (text != NULL && strstr(text, "@include") == NULL &&
	    conf_parse("fuzz.conf", text, &c, NULL) == ERR_OK)
		conf_clear(&c);
	free(text);
	return 0;
}
