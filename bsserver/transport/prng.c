#include "bsserver/transport/prng.h"

#include <coap3/coap.h>
#include <string.h>

#include "lib/base/crypt.h"
#include "lib/base/secret.h"

/*
 * libcoap asks for one byte a message (the jitter of a retransmission), each time of the kernel. Its
 * hook has no argument, hence this pool of the thread that runs the contexts.
 */
static _Thread_local struct {
	unsigned char bytes[1024];
	size_t left;
} pool;

static int
draw(void *out, size_t n)
{
	if (n > sizeof pool.bytes)
		return crypt_random(out, n, NULL) == ERR_OK;
	if (n > pool.left) {
		if (crypt_random(pool.bytes, sizeof pool.bytes, NULL) != ERR_OK)
			return 0;
		pool.left = sizeof pool.bytes;
	}
	pool.left -= n;
	memcpy(out, pool.bytes + pool.left, n);
	wipe(pool.bytes + pool.left, n);
	return 1;
}

void
prng_install(void)
{
	coap_set_prng(draw);
}
