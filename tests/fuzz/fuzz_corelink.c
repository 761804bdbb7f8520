/* A Bootstrap-Discover answer: what is accepted is the same when it is written and read again. */
#include <string.h>

#include "lib/base/str.h"
#include "lib/lwm2m/corelink.h"
#include "tests/fuzz/fuzz.h"

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
must_be_same(const struct lwm2m_links *a, const struct lwm2m_links *b)
{
	FUZZ_MUST(a->n == b->n && strcmp(a->version, b->version) == 0, "%zu links, then %zu", a->n,
	    b->n);
	for (size_t i = 0; i < a->n; i++) {
		const struct lwm2m_link_entry *x = &a->v[i], *y = &b->v[i];

		FUZZ_MUST(lwm2m_path_eq(&x->path, &y->path) && x->ssid == y->ssid &&
		    same_text(x->uri, y->uri) && same_text(x->ver, y->ver), "link %zu differs", i);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lwm2m_links first = { 0 }, second = { 0 };
	struct gbuf text = { 0 };
	struct err e = { .code = ERR_OK };

	if (lwm2m_links_parse((const char *)data, size, &first, &e) == ERR_OK) {
		FUZZ_MUST(lwm2m_links_write(&first, &text, &e) == ERR_OK, "not written: %s", e.msg);
		enum err_code rc = lwm2m_links_parse(gbuf_cstr(&text), text.len, &second, &e);
		FUZZ_MUST(rc == ERR_OK, "not read again: %s: %s", e.msg, gbuf_cstr(&text));
		must_be_same(&first, &second);
	} else {
		FUZZ_MUST(first.v == NULL && first.n == 0, "refused, but something was left");
		FUZZ_MUST(str_is_printable(e.msg, strlen(e.msg)), "the reason is not printable");
	}
	lwm2m_links_clear(&first);
	lwm2m_links_clear(&second);
	gbuf_clear(&text);
	return 0;
}
