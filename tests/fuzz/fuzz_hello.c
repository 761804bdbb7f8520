/* Datagrams from anywhere: whether they are hellos, whether their cookie is good, and what lies in them. */
#include "bsserver/transport/dtls_cookie.h"
#include "bsserver/transport/dtls_peek.h"
#include "tests/fuzz/fuzz.h"

static ssize_t
drop(gnutls_transport_ptr_t arg, const void *data, size_t len)
{
	size_t *most = arg;

	(void)data;
	FUZZ_MUST(len <= *most, "an answer of %zu octets to %zu", len, *most);
	return (ssize_t)len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dtls_cookies *c; /* kept: making keys is slow */
	const struct dtls_place from = { .family = 4, .port = { 1, 2 } };
	gnutls_dtls_prestate_st state;
	struct dtls_peek p;

	FUZZ_MUST(c != NULL || dtls_cookies_new(0, &c, NULL) == ERR_OK, "no keys");
	enum dtls_hello what = dtls_cookie_look(c, 0, &from, data, size, &state);
	FUZZ_MUST(what != DTLS_HELLO_PROVED, "a cookie that was never given");
	dtls_peek(data, size, &p);
	FUZZ_MUST(p.hello_random == NULL || (size_t)(p.hello_random - data) + DTLS_RANDOM_LEN <= size,
	    "the random lies outside");
	if (what == DTLS_HELLO_BARE)
		(void)dtls_cookie_send(c, &from, drop, &size);
	return 0;
}
