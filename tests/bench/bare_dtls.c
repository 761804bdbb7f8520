/*
 * bare_dtls: the yardstick for certificates. A loop over one UDP socket that does DTLS 1.2 handshakes
 * with GnuTLS, with certificates on both sides and one verification of the device's chain, and
 * nothing else: a session whose handshake is over is closed. Cookies, credentials loaded once, the
 * cipher that devices prefer.
 *
 * bare_dtls PORT CERTIFICATE KEY CA: PEM files. It prints "ready", and at SIGTERM or SIGINT what it
 * has done.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#define RECEIVE_BUFFER (4 * 1024 * 1024)
#define PEERS 65536 /* a slot for each */
#define NEAR 256
#define PRIORITY                                                                                  \
	"NONE:+VERS-DTLS1.2:+AES-128-CCM-8:+AEAD:+ECDHE-ECDSA:+GROUP-SECP256R1:+SIGN-ECDSA-SHA256" \
	":+CTYPE-X509:+COMP-NULL:%SERVER_PRECEDENCE"

struct peer {
	gnutls_session_t tls; /* NULL: the slot is free */
	struct sockaddr_in addr;
};

struct bare {
	int fd;
	gnutls_certificate_credentials_t cred;
	gnutls_priority_t priority;
	gnutls_datum_t cookie_key;
	struct peer *peers;
	struct sockaddr_in from; /* of the datagram at hand */
	uint8_t datagram[2048];
	size_t len; /* 0: GnuTLS has it */
	uint64_t handshakes, failed;
};

static volatile sig_atomic_t stopped;

static void
on_signal(int signo)
{
	(void)signo;
	stopped = 1;
}

static int
must(int rc, const char *what)
{
	if (rc < 0) {
		(void)fprintf(stderr, "bare_dtls: %s: %s\n", what, gnutls_strerror(rc));
		exit(1);
	}
	return rc;
}

static ssize_t
push(gnutls_transport_ptr_t to, const void *data, size_t len)
{
	const struct bare *b = to;

	return sendto(b->fd, data, len, 0, (const struct sockaddr *)&b->from, sizeof b->from);
}

static ssize_t
pull(gnutls_transport_ptr_t from, void *out, size_t cap)
{
	struct bare *b = from;
	size_t n = b->len < cap ? b->len : cap;

	if (n == 0) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(out, b->datagram, n);
	b->len = 0;
	return (ssize_t)n;
}

static int
pull_timeout(gnutls_transport_ptr_t from, unsigned ms)
{
	const struct bare *b = from;

	(void)ms;
	return b->len > 0;
}

/* Whose datagram it is: the slot that is theirs, else a free one near where it would be. */
static struct peer *
slot_of(struct bare *b)
{
	uint32_t h = ntohl(b->from.sin_addr.s_addr) * 2654435761U ^ (uint32_t)ntohs(b->from.sin_port) * 40503U;
	struct peer *free_one = NULL;

	h ^= h >> 16;
	for (uint32_t i = 0; i < NEAR; i++) {
		struct peer *p = &b->peers[(h + i) % PEERS];

		if (p->tls != NULL && memcmp(&p->addr, &b->from, sizeof p->addr) == 0)
			return p;
		if (p->tls == NULL && free_one == NULL)
			free_one = p;
	}
	return free_one;
}

static void
forget(struct peer *p)
{
	gnutls_deinit(p->tls);
	p->tls = NULL;
}

/* A session for a hello whose cookie is good; any other hello is sent one. */
static void
begin(struct bare *b, struct peer *p)
{
	gnutls_dtls_prestate_st state = { 0 };

	if (gnutls_dtls_cookie_verify(&b->cookie_key, &b->from, sizeof b->from, b->datagram, b->len, &state) < 0) {
		(void)gnutls_dtls_cookie_send(&b->cookie_key, &b->from, sizeof b->from, &state, b, push);
		return;
	}
	(void)must(gnutls_init(&p->tls, GNUTLS_SERVER | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK | GNUTLS_NO_TICKETS), "session");
	p->addr = b->from;
	(void)must(gnutls_priority_set(p->tls, b->priority), "priority");
	(void)must(gnutls_credentials_set(p->tls, GNUTLS_CRD_CERTIFICATE, b->cred), "credentials");
	gnutls_certificate_server_set_request(p->tls, GNUTLS_CERT_REQUIRE);
	gnutls_session_set_verify_cert(p->tls, NULL, 0);
	gnutls_transport_set_ptr(p->tls, b);
	gnutls_transport_set_push_function(p->tls, push);
	gnutls_transport_set_pull_function(p->tls, pull);
	gnutls_transport_set_pull_timeout_function(p->tls, pull_timeout);
	gnutls_dtls_set_mtu(p->tls, 1152);
	gnutls_dtls_prestate_set(p->tls, &state);
}

static void
take(struct bare *b)
{
	struct peer *p = slot_of(b);

	if (p == NULL)
		return;
	if (p->tls == NULL && b->len > 13 && b->datagram[0] == 22 && b->datagram[13] == 1)
		begin(b, p);
	if (p->tls == NULL)
		return;
	int rc = gnutls_handshake(p->tls);
	if (rc == GNUTLS_E_AGAIN || rc == GNUTLS_E_INTERRUPTED)
		return;
	if (rc == GNUTLS_E_SUCCESS) {
		b->handshakes++;
		(void)gnutls_bye(p->tls, GNUTLS_SHUT_WR);
	} else if (gnutls_error_is_fatal(rc)) {
		b->failed++;
		(void)gnutls_alert_send_appropriate(p->tls, rc);
	} else {
		return;
	}
	forget(p);
}

static void
set_up(struct bare *b, char **argv)
{
	const int size = RECEIVE_BUFFER;
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10)) };

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)must(gnutls_certificate_allocate_credentials(&b->cred), "credentials");
	(void)must(gnutls_certificate_set_x509_key_file(b->cred, argv[2], argv[3], GNUTLS_X509_FMT_PEM), argv[2]);
	(void)must(gnutls_certificate_set_x509_trust_file(b->cred, argv[4], GNUTLS_X509_FMT_PEM), argv[4]);
	(void)must(gnutls_priority_init(&b->priority, PRIORITY, NULL), "priority");
	(void)must(gnutls_key_generate(&b->cookie_key, GNUTLS_COOKIE_KEY_SIZE), "cookie key");
	b->peers = calloc(PEERS, sizeof *b->peers);
	b->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (b->peers == NULL || b->fd < 0 || bind(b->fd, (const struct sockaddr *)&at, sizeof at) != 0) {
		perror("bare_dtls");
		exit(1);
	}
	if (setsockopt(b->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
		(void)setsockopt(b->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

int
main(int argc, char **argv)
{
	static struct bare b;
	const struct sigaction on = { .sa_handler = on_signal };

	if (argc != 5) {
		(void)fprintf(stderr, "usage: bare_dtls PORT CERTIFICATE KEY CA\n");
		return 2;
	}
	set_up(&b, argv);
	(void)sigaction(SIGTERM, &on, NULL);
	(void)sigaction(SIGINT, &on, NULL);
	(void)puts("ready");
	(void)fflush(stdout);
	while (!stopped) {
		struct pollfd p = { .fd = b.fd, .events = POLLIN };
		socklen_t size = sizeof b.from;

		ssize_t got = recvfrom(b.fd, b.datagram, sizeof b.datagram, 0, (struct sockaddr *)&b.from, &size);
		if (got > 0) {
			b.len = (size_t)got;
			take(&b);
		} else {
			(void)poll(&p, 1, 100);
		}
	}
	(void)printf("handshakes %" PRIu64 " failed %" PRIu64 "\n", b.handshakes, b.failed);
	return 0;
}
