/* A distinguished name or a list of general names: refused, or equal to itself and printable. */
#include "lib/base/str.h"
#include "pki/name.h"
#include "tests/fuzz/fuzz.h"

static void
check_list(struct pki_blob in)
{
	struct der d = der_make(in);
	struct pki_names names = { NULL, 0 };
	struct gbuf text = { .max = 1 << 20 };

	if (pki_names_read(&d, &names, NULL) == ERR_OK)
		for (size_t i = 0; i < names.n; i++)
			pki_name_text(&text, &names.v[i]);
	FUZZ_MUST(text.failed || str_is_printable(gbuf_cstr(&text), text.len), "not printable");
	pki_names_clear(&names);
	gbuf_clear(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pki_blob in = { data, size };
	struct gbuf text = { .max = 1 << 20 };

	check_list(in);
	if (!pki_dn_valid(in))
		return 0;
	FUZZ_MUST(pki_dn_equal(in, in) && pki_dn_within(in, in), "not equal to itself");
	pki_dn_text(&text, in);
	FUZZ_MUST(text.failed || str_is_printable(gbuf_cstr(&text), text.len), "not printable");
	(void)pki_dn_cn(in, &text, NULL);
	gbuf_clear(&text);
	return 0;
}
