/*
 * bsserver/transport/dtls_peek.h: what lies in a datagram, as far as DTLS shows it in the clear
 * (RFC 6347 sections 4.1, 4.2.2). Pure and bounded; what is malformed shows nothing.
 */
#ifndef BSSERVER_TRANSPORT_DTLS_PEEK_H
#define BSSERVER_TRANSPORT_DTLS_PEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DTLS_RANDOM_LEN 32

struct dtls_peek {
	const uint8_t *hello_random; /* of an unencrypted ClientHello, 32 octets; NULL: none */
	size_t record_max; /* octets that the one who says hello takes in a record; 0: it does not say */
	bool broken;	   /* it does not end where a record does */
	bool beyond;	   /* a handshake message in the clear, later or longer than any that a client has */
	unsigned ccs;		     /* unencrypted ChangeCipherSpec records */
	unsigned sealed;	     /* records of later epochs, which are encrypted */
};

void dtls_peek(const void *datagram, size_t len, struct dtls_peek *out);

#endif
