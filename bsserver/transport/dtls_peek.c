#include "bsserver/transport/dtls_peek.h"

#include "lib/base/buf.h"

enum { CHANGE_CIPHER_SPEC = 20, HANDSHAKE = 22 };
enum { CLIENT_HELLO = 1 };

enum { MAX_FRAGMENT_LENGTH = 1, RECORD_SIZE_LIMIT = 28 };

/* RFC 6066 section 4, and RFC 8449 section 4, which goes before. */
static size_t
record_max_of(struct rbuf *extensions)
{
	size_t max = 0;
	bool limited = false;

	while (rbuf_left(extensions) >= 4) {
		unsigned type = (unsigned)rbuf_be(extensions, 2);
		size_t n = (size_t)rbuf_be(extensions, 2);
		const uint8_t *p = rbuf_take(extensions, n);

		if (p == NULL)
			return 0;
		if (type == RECORD_SIZE_LIMIT && n == 2) {
			max = (size_t)p[0] << 8 | p[1];
			limited = true;
		} else if (type == MAX_FRAGMENT_LENGTH && n == 1 && p[0] >= 1 && p[0] <= 4 && !limited) {
			max = (size_t)256 << p[0];
		}
	}
	return max;
}

static void
skip_list(struct rbuf *r, size_t length_octets)
{
	(void)rbuf_take(r, (size_t)rbuf_be(r, length_octets));
}

/* A whole or first fragment; a ClientHello of several does not fit the cookie exchange anyway. */
static const uint8_t *
random_of_hello(const uint8_t *record, size_t len, size_t *record_max)
{
	struct rbuf r = rbuf_make(record, len);

	uint8_t type = rbuf_u8(&r);
	(void)rbuf_be(&r, 3); /* length */
	(void)rbuf_be(&r, 2); /* message_seq */
	uint64_t offset = rbuf_be(&r, 3);
	(void)rbuf_be(&r, 3); /* fragment_length */
	(void)rbuf_be(&r, 2); /* client_version */
	const uint8_t *random = rbuf_take(&r, DTLS_RANDOM_LEN);
	if (type != CLIENT_HELLO || offset != 0 || random == NULL)
		return NULL;
	skip_list(&r, 1); /* session_id */
	skip_list(&r, 1); /* cookie */
	skip_list(&r, 2); /* cipher_suites */
	skip_list(&r, 1); /* compression_methods */
	(void)rbuf_be(&r, 2);
	*record_max = record_max_of(&r);
	return random;
}

/* Hello, hello with its cookie, Certificate, ClientKeyExchange, CertificateVerify, Finished: and one to spare. */
#define MESSAGE_SEQ_MAX 6
#define CERTIFICATE_SEQ 2  /* no later message is long */
#define MESSAGE_LONG 8192 /* octets */

static bool
is_beyond(const uint8_t *record, size_t len)
{
	struct rbuf r = rbuf_make(record, len);

	while (rbuf_left(&r) > 0) {
		(void)rbuf_u8(&r); /* msg_type */
		uint64_t length = rbuf_be(&r, 3), seq = rbuf_be(&r, 2);
		if (seq > MESSAGE_SEQ_MAX || (seq > CERTIFICATE_SEQ && length > MESSAGE_LONG))
			return true;
		(void)rbuf_be(&r, 3); /* fragment_offset */
		if (rbuf_take(&r, (size_t)rbuf_be(&r, 3)) == NULL)
			return false;
	}
	return false;
}

/* A record that is not encrypted. */
static void
peek_record(uint8_t type, const uint8_t *record, size_t n, struct dtls_peek *out)
{
	if (type == CHANGE_CIPHER_SPEC)
		out->ccs++;
	if (type != HANDSHAKE)
		return;
	out->beyond |= is_beyond(record, n);
	if (out->hello_random == NULL)
		out->hello_random = random_of_hello(record, n, &out->record_max);
}

void
dtls_peek(const void *datagram, size_t len, struct dtls_peek *out)
{
	struct rbuf r = rbuf_make(datagram, len);

	*out = (struct dtls_peek){ .broken = len == 0 };
	while (rbuf_left(&r) > 0) {
		uint8_t type = rbuf_u8(&r);
		(void)rbuf_be(&r, 2); /* version */
		uint64_t epoch = rbuf_be(&r, 2);
		(void)rbuf_be(&r, 6); /* sequence_number */
		size_t n = (size_t)rbuf_be(&r, 2);
		const uint8_t *record = rbuf_take(&r, n);
		if (record == NULL) {
			out->broken = true;
			return;
		}
		if (epoch != 0)
			out->sealed++;
		else
			peek_record(type, record, n, out);
	}
}
