/*
 * What a device sends when it registers. The input: options of the query, one a line, an empty line,
 * the list of Objects. What is accepted keeps to its bounds and reads the same from what it became.
 */
#include <string.h>

#include "bsserver/registry/regs.h"
#include "lib/base/str.h"
#include "tests/fuzz/fuzz.h"

#define OPTIONS 40

static void
must_fit(const struct reg_request *q, enum reg_op op)
{
	FUZZ_MUST(strlen(q->ep) <= REG_ENDPOINT_MAX && str_is_printable(q->ep, strlen(q->ep)), "ep");
	FUZZ_MUST(strspn(q->binding, "UTSNMH") == strlen(q->binding), "binding %s", q->binding);
	if (op == REG_REGISTER)
		FUZZ_MUST(q->version >= 10 && q->version <= 12 && q->has_lifetime, "registered without what it takes");
}

static size_t
read_options(const char *text, size_t n, struct reg_query *v, size_t *at)
{
	size_t count = 0;

	while (*at < n && count < OPTIONS) {
		const char *end = memchr(text + *at, '\n', n - *at);
		size_t len = end == NULL ? n - *at : (size_t)(end - text) - *at;

		if (len > 0)
			v[count++] = (struct reg_query){ text + *at, len };
		*at += len + (end != NULL);
		if (len == 0)
			break;
	}
	return count;
}

static void
register_it(const struct reg_request *q, const char *list, size_t n)
{
	struct regs *t = NULL;
	struct reg *r = NULL;
	const struct regs_news news = { .endpoint = q->ep, .request = q, .links = list, .links_len = n, .addr = "a" };
	struct err e;

	FUZZ_MUST(regs_new(2, 1, &t, &e) == ERR_OK, "no table");
	if (regs_register(t, &news, &r, &e) == ERR_OK) {
		char location[REG_LOCATION_LEN + 1];

		regs_location(r, location);
		FUZZ_MUST(regs_at(t, location) == r && regs_find(t, q->ep) == r, "not found again");
		FUZZ_MUST(r->links->objects.n_servers <= REG_SERVERS_MAX, "too many servers");
		FUZZ_MUST(r->links->objects.n_servers <= r->links->objects.n, "more servers than Objects");
	}
	regs_free(t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reg_query v[OPTIONS];
	const char *text = (const char *)data;
	struct reg_request q;
	struct err e = { .code = ERR_OK };
	size_t at = 0, n = read_options(text, size, v, &at);

	for (int op = 0; op < 2; op++) {
		enum err_code rc = reg_request_parse(v, n, (enum reg_op)op, &q, &e);

		FUZZ_MUST(rc == ERR_OK || rc == ERR_PARSE || rc == ERR_UNSUPPORTED, "refused as %s", err_name(rc));
		if (rc == ERR_OK)
			must_fit(&q, (enum reg_op)op);
		if (rc == ERR_OK && op == REG_REGISTER)
			register_it(&q, text + at, size - at);
	}
	return 0;
}
