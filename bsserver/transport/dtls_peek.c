#include "bsserver/transport/dtls_peek.h"

#include "lib/base/buf.h"

enum { CHANGE_CIPHER_SPEC = 20, HANDSHAKE = 22 };
enum { CLIENT_HELLO = 1 };

/* A whole or first fragment; a ClientHello of several does not fit the cookie exchange anyway. */
static const uint8_t *
random_of_hello(const uint8_t *record, size_t len)
{
	struct rbuf r = rbuf_make(record, len);

	uint8_t type = rbuf_u8(&r);
	(void)rbuf_be(&r, 3); /* length */
	(void)rbuf_be(&r, 2); /* message_seq */
	uint64_t offset = rbuf_be(&r, 3);
	(void)rbuf_be(&r, 3); /* fragment_length */
	(void)rbuf_be(&r, 2); /* client_version */
	const uint8_t *random = rbuf_take(&r, DTLS_RANDOM_LEN);
	return type == CLIENT_HELLO && offset == 0 ? random : NULL;
}

void
dtls_peek(const void *datagram, size_t len, struct dtls_peek *out)
{
	struct rbuf r = rbuf_make(datagram, len);

	*out = (struct dtls_peek){ .hello_random = NULL };
	while (rbuf_left(&r) > 0) {
		uint8_t type = rbuf_u8(&r);
		(void)rbuf_be(&r, 2); /* version */
		uint64_t epoch = rbuf_be(&r, 2);
		(void)rbuf_be(&r, 6); /* sequence_number */
		size_t n = (size_t)rbuf_be(&r, 2);
		const uint8_t *record = rbuf_take(&r, n);
		if (record == NULL)
			return;
		if (epoch != 0) {
			out->sealed++;
			continue;
		}
		if (type == CHANGE_CIPHER_SPEC)
			out->ccs++;
		else if (type == HANDSHAKE && out->hello_random == NULL)
			out->hello_random = random_of_hello(record, n);
	}
}
