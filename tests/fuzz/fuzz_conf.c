/* The configuration file: refused with its place, or read and freed. */
#include <stdlib.h>
#include <string.h>

#include "bsserver/conf/conf.h"
#include "lib/base/str.h"
#include "tests/fuzz/fuzz.h"

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
