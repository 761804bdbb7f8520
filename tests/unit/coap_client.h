/*
 * tests/unit/coap_client.h: a CoAP client of few words, for the tests of the server's side: every
 * octet it sends can be wrong. Plain UDP or DTLS (GnuTLS), never blocking.
 */
#ifndef TESTS_UNIT_COAP_CLIENT_H
#define TESTS_UNIT_COAP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"

enum coap_type { TYPE_CON, TYPE_NON, TYPE_ACK, TYPE_RST };
enum coap_option {
	OPT_ETAG = 4,
	OPT_PATH = 11,
	OPT_FORMAT = 12,
	OPT_MAX_AGE = 14,
	OPT_QUERY = 15,
	OPT_ACCEPT = 17,
	OPT_BLOCK2 = 23,
	OPT_BLOCK1 = 27,
	OPT_SIZE1 = 60,
};

#define COAP_CODE(c, d) ((uint8_t)((c) << 5 | (d)))

/* A message, as read or to be written. */
struct msg {
	enum coap_type type;
	uint8_t code;
	uint16_t mid;
	uint8_t token[8];
	size_t token_len;
	char path[128]; /* segments with a '/' between; "" none */
	char query[128];
	int format, accept; /* -1: none */
	int64_t block1, block2, size1, max_age;
	const uint8_t *payload;
	size_t payload_len;
	uint8_t octets[2048]; /* what was read; payload lies in it */
};

struct msg msg_make(enum coap_type type, uint8_t code, uint16_t mid, const char *token);
size_t msg_write(const struct msg *m, uint8_t *out, size_t cap);
bool msg_read(struct msg *m, size_t len); /* from m->octets */

struct client_psk {
	const char *identity; /* NULL: plain UDP */
	size_t identity_len;
	const char *key;
	const char *priority; /* NULL: the usual */
};

/* A certificate chain with its key, or (raw) the key alone as a raw public key. PEM. */
struct client_cert {
	const char *chain, *key; /* chain NULL: shows nothing, and demands nothing */
	bool raw;
	const char *priority;
};

struct client {
	int fd;
	void *tls, *cred, *x509;
	int error; /* of GnuTLS, the last that was fatal */
	int alert; /* received; -1: none */
	int last_con; /* message ID of the last CON that a test took; -1: none */
	bool ready;
};

/* host "127.0.0.1" or "::1". local_port 0: any. */
bool client_open(struct client *c, const char *host, uint16_t port, uint16_t local_port,
    const struct client_psk *psk);
bool client_open_cert(struct client *c, const char *host, uint16_t port, const struct client_cert *cert);
uint16_t client_port(const struct client *c);
/* One step of the handshake; true when it is over, well or not (c->error). */
bool client_handshake(struct client *c);
bool client_send_octets(struct client *c, const void *data, size_t n);
bool client_send(struct client *c, const struct msg *m);
/* What has come, without waiting. false: nothing. */
bool client_receive(struct client *c, struct msg *m);
/* gone: without a word, as when the power fails. */
void client_close(struct client *c, bool gone);
const char *client_cipher(const struct client *c);

#endif
