/*
 * What a store kept of a device: what is accepted is the same when it is saved and loaded again.
 * The input: one octet of which Objects were read, the links, a line end, the values.
 */
#include <stdlib.h>
#include <string.h>

#include "bsserver/bootstrap/inventory.h"
#include "lib/base/str.h"
#include "tests/fuzz/fuzz.h"

static void
must_come_back(const struct bs_inventory *first)
{
	const struct lwm2m_model *m = lwm2m_model_builtin();
	struct bs_inventory second = { .account = BS_UNKNOWN_INSTANCE };
	struct bs_held h = { 0 }, again = { 0 };
	struct err e = { .code = ERR_OK };

	FUZZ_MUST(bs_inventory_save(first, m, &h, &e) == ERR_OK, "not saved: %s", e.msg);
	enum err_code rc = bs_inventory_load(&second, m, &h, &e);
	FUZZ_MUST(rc == ERR_OK, "not loaded again: %s", e.msg);
	FUZZ_MUST(second.account == first->account && second.discovered == first->discovered, "another account");
	FUZZ_MUST(bs_inventory_save(&second, m, &again, &e) == ERR_OK, "not saved again: %s", e.msg);
	FUZZ_MUST(h.values == NULL || strcmp(h.values, again.values) == 0, "other values");
	FUZZ_MUST(h.links == NULL || strcmp(h.links, again.links) == 0, "other links");
	bs_held_clear(&h);
	bs_held_clear(&again);
	bs_inventory_clear(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bs_inventory inv = { .account = BS_UNKNOWN_INSTANCE };
	struct bs_held h = { 0 };
	struct err e = { .code = ERR_OK };

	if (size == 0 || memchr(data, 0, size) != NULL)
		return 0;
	const char *text = (const char *)data + 1;
	const char *end = memchr(text, '\n', size - 1);
	size_t n = end == NULL ? size - 1 : (size_t)(end - text);
	h.read = data[0] & 7U;
	h.links = n == 0 ? NULL : str_dup_n(text, n);
	h.values = end == NULL ? NULL : str_dup_n(end + 1, size - 2 - n);
	if (bs_inventory_load(&inv, lwm2m_model_builtin(), &h, &e) == ERR_OK)
		must_come_back(&inv);
	else
		FUZZ_MUST(!inv.discovered && inv.links.n == 0 && inv.seen.n == 0, "refused, but something was left");
	bs_held_clear(&h);
	bs_inventory_clear(&inv);
	return 0;
}
