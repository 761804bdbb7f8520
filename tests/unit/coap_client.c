#include "config.h"

#include "tests/unit/coap_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>

#define PRIORITY "NONE:+VERS-DTLS1.2:+AES-128-CCM-8:+AEAD:+PSK:+COMP-NULL:+SIGN-ECDSA-SHA256:+GROUP-SECP256R1"

struct msg
msg_make(enum coap_type type, uint8_t code, uint16_t mid, const char *token)
{
	struct msg m = { .type = type, .code = code, .mid = mid, .format = -1, .accept = -1,
		.block1 = -1, .block2 = -1, .size1 = -1, .max_age = -1 };

	m.token_len = strlen(token);
	memcpy(m.token, token, m.token_len);
	return m;
}

static void
put_option(struct wbuf *w, unsigned *last, unsigned number, const void *v, size_t n)
{
	unsigned delta = number - *last;

	*last = number;
	wbuf_be(w, (delta < 13 ? delta : 13) << 4 | (n < 13 ? n : 13), 1);
	if (delta >= 13)
		wbuf_be(w, delta - 13, 1);
	if (n >= 13)
		wbuf_be(w, n - 13, 1);
	wbuf_put(w, v, n);
}

static void
put_uint(struct wbuf *w, unsigned *last, unsigned number, int64_t v)
{
	uint8_t b[4];
	struct wbuf u = wbuf_make(b, sizeof b);

	if (v < 0)
		return;
	wbuf_be(&u, (uint64_t)v, v > 0xffffff ? 4 : v > 0xffff ? 3 : v > 0xff ? 2 : v > 0 ? 1 : 0);
	put_option(w, last, number, b, u.len);
}

static void
put_words(struct wbuf *w, unsigned *last, unsigned number, const char *text, char sep)
{
	while (*text != '\0') {
		size_t n = strcspn(text, (char[]){ sep, '\0' });
		put_option(w, last, number, text, n);
		text += n + (text[n] != '\0');
	}
}

size_t
msg_write(const struct msg *m, uint8_t *out, size_t cap)
{
	struct wbuf w = wbuf_make(out, cap);
	unsigned last = 0;

	wbuf_be(&w, 0x40U | (unsigned)m->type << 4 | m->token_len, 1);
	wbuf_be(&w, m->code, 1);
	wbuf_be(&w, m->mid, 2);
	wbuf_put(&w, m->token, m->token_len);
	put_words(&w, &last, OPT_PATH, m->path, '/');
	put_uint(&w, &last, OPT_FORMAT, m->format);
	put_words(&w, &last, OPT_QUERY, m->query, '&');
	put_uint(&w, &last, OPT_ACCEPT, m->accept);
	put_uint(&w, &last, OPT_BLOCK2, m->block2);
	put_uint(&w, &last, OPT_BLOCK1, m->block1);
	put_uint(&w, &last, OPT_SIZE1, m->size1);
	if (m->payload_len > 0) {
		wbuf_be(&w, 0xff, 1);
		wbuf_put(&w, m->payload, m->payload_len);
	}
	return w.overflow ? 0 : w.len;
}

static unsigned
extended(struct rbuf *r, unsigned nibble)
{
	if (nibble == 13)
		return 13 + rbuf_u8(r);
	return nibble == 14 ? 269 + (unsigned)rbuf_be(r, 2) : nibble;
}

static void
add_word(char *to, size_t cap, const uint8_t *v, size_t n, char sep)
{
	size_t at = strlen(to);

	if (at + n + 2 > cap)
		return;
	if (at > 0)
		to[at++] = sep;
	memcpy(to + at, v, n);
	to[at + n] = '\0';
}

static void
take_option(struct msg *m, unsigned number, const uint8_t *v, size_t n)
{
	struct rbuf r = rbuf_make(v, n);

	switch (number) {
	case OPT_PATH:
		add_word(m->path, sizeof m->path, v, n, '/');
		break;
	case OPT_QUERY:
		add_word(m->query, sizeof m->query, v, n, '&');
		break;
	case OPT_FORMAT:
		m->format = (int)rbuf_be(&r, n);
		break;
	case OPT_ACCEPT:
		m->accept = (int)rbuf_be(&r, n);
		break;
	case OPT_MAX_AGE:
		m->max_age = (int64_t)rbuf_be(&r, n);
		break;
	case OPT_BLOCK1:
		m->block1 = (int64_t)rbuf_be(&r, n);
		break;
	case OPT_BLOCK2:
		m->block2 = (int64_t)rbuf_be(&r, n);
		break;
	case OPT_SIZE1:
		m->size1 = (int64_t)rbuf_be(&r, n);
		break;
	default:
		break;
	}
}

bool
msg_read(struct msg *m, size_t len)
{
	struct rbuf r = rbuf_make(m->octets, len);
	unsigned number = 0;
	uint8_t first = rbuf_u8(&r);

	m->type = (enum coap_type)(first >> 4 & 3);
	m->token_len = first & 15;
	m->code = rbuf_u8(&r);
	m->mid = (uint16_t)rbuf_be(&r, 2);
	const uint8_t *token = rbuf_take(&r, m->token_len);
	if (token == NULL || m->token_len > 8)
		return false;
	memcpy(m->token, token, m->token_len);
	while (rbuf_left(&r) > 0) {
		uint8_t b = rbuf_u8(&r);
		if (b == 0xff)
			break;
		number += extended(&r, b >> 4);
		size_t n = extended(&r, b & 15U);
		const uint8_t *v = rbuf_take(&r, n);
		if (v == NULL)
			return false;
		take_option(m, number, v, n);
	}
	m->payload_len = rbuf_left(&r);
	m->payload = rbuf_take(&r, m->payload_len);
	return !r.overrun;
}

static bool
open_tls(struct client *c, const struct client_psk *psk)
{
	gnutls_session_t s = NULL;
	gnutls_psk_client_credentials_t cred = NULL;
	gnutls_datum_t id = { (unsigned char *)(uintptr_t)psk->identity, (unsigned)psk->identity_len };
	gnutls_datum_t key = { (unsigned char *)(uintptr_t)psk->key, (unsigned)strlen(psk->key) };

	if (gnutls_init(&s, GNUTLS_CLIENT | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK) < 0)
		return false;
	c->tls = s;
	if (gnutls_psk_allocate_client_credentials(&cred) < 0)
		return false;
	c->cred = cred;
	gnutls_transport_set_int(s, c->fd);
	gnutls_dtls_set_mtu(s, 1280);
	gnutls_dtls_set_timeouts(s, 1000, 60000);
	return gnutls_psk_set_client_credentials2(cred, &id, &key, GNUTLS_PSK_KEY_RAW) == 0 &&
	    gnutls_credentials_set(s, GNUTLS_CRD_PSK, cred) == 0 &&
	    gnutls_priority_set_direct(s, psk->priority != NULL ? psk->priority : PRIORITY, NULL) == 0;
}

static socklen_t
make_address(struct sockaddr_storage *a, const char *host, uint16_t port)
{
	struct sockaddr_in *in = (void *)a;
	struct sockaddr_in6 *in6 = (void *)a;

	memset(a, 0, sizeof *a);
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		return sizeof *in;
	}
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
		return 0;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	return sizeof *in6;
}

bool
client_open(struct client *c, const char *host, uint16_t port, uint16_t local_port,
    const struct client_psk *psk)
{
	struct sockaddr_storage to, from;
	socklen_t len = make_address(&to, host, port);

	*c = (struct client){ .fd = -1, .alert = -1, .last_con = -1, .ready = psk == NULL };
	(void)make_address(&from, host, local_port);
	c->fd = socket(to.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* without SO_REUSEADDR: with it port 0 may become that of another client that has it */
	if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&from, len) != 0 || connect(c->fd, (struct sockaddr *)&to, len) != 0)
		return false;
	return psk == NULL || open_tls(c, psk);
}

static int
set_certificate(gnutls_certificate_credentials_t x509, const struct client_cert *cert)
{
	const gnutls_datum_t chain = { (unsigned char *)(uintptr_t)cert->chain,
		cert->chain != NULL ? (unsigned)strlen(cert->chain) : 0 };
	const gnutls_datum_t key = { (unsigned char *)(uintptr_t)cert->key, (unsigned)strlen(cert->key) };
	gnutls_privkey_t priv = NULL;
	gnutls_pubkey_t pub = NULL;
	gnutls_pcert_st raw;

	if (cert->chain == NULL)
		return 0;
	if (!cert->raw)
		return gnutls_certificate_set_x509_key_mem(x509, &chain, &key, GNUTLS_X509_FMT_PEM);
	if (gnutls_privkey_init(&priv) < 0 || gnutls_pubkey_init(&pub) < 0 ||
	    gnutls_privkey_import_x509_raw(priv, &key, GNUTLS_X509_FMT_PEM, NULL, 0) < 0 ||
	    gnutls_pubkey_import_privkey(pub, priv, GNUTLS_KEY_DIGITAL_SIGNATURE, 0) < 0 ||
	    gnutls_pcert_import_rawpk(&raw, pub, 0) < 0)
		return -1;
	return gnutls_certificate_set_key(x509, NULL, 0, &raw, 1, priv);
}

bool
client_open_cert(struct client *c, const char *host, uint16_t port, const struct client_cert *cert)
{
	gnutls_session_t s = NULL;
	gnutls_certificate_credentials_t x509 = NULL;

	if (!client_open(c, host, port, 0, NULL))
		return false;
	c->ready = false;
	if (gnutls_init(&s, GNUTLS_CLIENT | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK | GNUTLS_ENABLE_RAWPK) < 0)
		return false;
	c->tls = s;
	if (gnutls_certificate_allocate_credentials(&x509) < 0)
		return false;
	c->x509 = x509;
	gnutls_transport_set_int(s, c->fd);
	gnutls_dtls_set_mtu(s, 1280);
	gnutls_dtls_set_timeouts(s, 1000, 60000);
	return set_certificate(x509, cert) >= 0 && gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, x509) == 0 &&
	    gnutls_priority_set_direct(s, cert->priority, NULL) == 0;
}

uint16_t
client_port(const struct client *c)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof a;

	if (getsockname(c->fd, (struct sockaddr *)&a, &len) != 0)
		return 0;
	return ntohs(a.ss_family == AF_INET ? ((struct sockaddr_in *)&a)->sin_port :
					      ((struct sockaddr_in6 *)&a)->sin6_port);
}

bool
client_handshake(struct client *c)
{
	int rc = gnutls_handshake(c->tls);

	if (rc == 0) {
		c->ready = true;
		return true;
	}
	if (!gnutls_error_is_fatal(rc))
		return false;
	c->error = rc;
	if (rc == GNUTLS_E_FATAL_ALERT_RECEIVED)
		c->alert = (int)gnutls_alert_get(c->tls);
	return true;
}

bool
client_send_octets(struct client *c, const void *data, size_t n)
{
	ssize_t sent = c->tls != NULL ? gnutls_record_send(c->tls, data, n) : send(c->fd, data, n, 0);

	return sent == (ssize_t)n;
}

bool
client_send(struct client *c, const struct msg *m)
{
	uint8_t buf[2048];
	size_t n = msg_write(m, buf, sizeof buf);

	return n > 0 && client_send_octets(c, buf, n);
}

bool
client_receive(struct client *c, struct msg *m)
{
	*m = msg_make(TYPE_CON, 0, 0, "");
	ssize_t got = c->tls != NULL ? gnutls_record_recv(c->tls, m->octets, sizeof m->octets) :
				       recv(c->fd, m->octets, sizeof m->octets, 0);
	if (got == 0 && c->tls != NULL)
		c->error = GNUTLS_E_SESSION_EOF; /* close_notify */
	if (got == GNUTLS_E_FATAL_ALERT_RECEIVED)
		c->alert = (int)gnutls_alert_get(c->tls);
	return got > 0 && msg_read(m, (size_t)got);
}

void
client_close(struct client *c, bool gone)
{
	if (c->tls != NULL) {
		if (!gone && c->ready)
			(void)gnutls_bye(c->tls, GNUTLS_SHUT_WR);
		gnutls_deinit(c->tls);
	}
	if (c->cred != NULL)
		gnutls_psk_free_client_credentials(c->cred);
	if (c->x509 != NULL)
		gnutls_certificate_free_credentials(c->x509);
	if (c->fd >= 0)
		(void)close(c->fd);
	*c = (struct client){ .fd = -1 };
}

const char *
client_cipher(const struct client *c)
{
	return gnutls_cipher_get_name(gnutls_cipher_get(c->tls));
}
