#include "tests/unit/fault_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS 2048
#define REQUEST_MAX 65536

struct fault_server {
	fault_fn *fn;
	void *arg;
	int listening;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t gone;
	int fds[CONNECTIONS]; /* -1: free */
	unsigned live, requests;
	bool stop;
};

struct connection {
	struct fault_server *s;
	int fd;
	size_t at;
};

static void
die(const char *what)
{
	perror(what);
	abort();
}

static bool
stopped(struct fault_server *s)
{
	(void)pthread_mutex_lock(&s->lock);
	bool stop = s->stop;
	(void)pthread_mutex_unlock(&s->lock);
	return stop;
}

/* Sleeps; false: the peer or the server has gone. */
static bool
wait_ms(struct connection *c, unsigned ms)
{
	for (unsigned i = 0; i < ms && !stopped(c->s); i += 10) {
		struct pollfd p = { .fd = c->fd, .events = POLLRDHUP };

		if (poll(&p, 1, (int)MIN(ms - i, 10U)) > 0)
			return false;
	}
	return !stopped(c->s);
}

static bool
send_all(struct connection *c, const uint8_t *p, size_t n, unsigned drip_ms)
{
	while (n > 0) {
		ssize_t put = send(c->fd, p, drip_ms > 0 ? 1 : n, MSG_NOSIGNAL);

		if (put <= 0 || (drip_ms > 0 && !wait_ms(c, drip_ms)))
			return false;
		p += put;
		n -= (size_t)put;
	}
	return true;
}

/* A head and as much as its Content-Length says; the body's place. NULL: the peer has gone. */
static const uint8_t *
read_request(struct connection *c, uint8_t *buf, char path[256], size_t *n)
{
	size_t len = 0, want = 0;
	uint8_t *body = NULL;

	while (body == NULL || len - (size_t)(body - buf) < want) {
		ssize_t got = len < REQUEST_MAX ? recv(c->fd, buf + len, REQUEST_MAX - len, 0) : 0;

		if (got <= 0)
			return NULL;
		len += (size_t)got;
		buf[len] = 0;
		uint8_t *end = memmem(buf, len, "\r\n\r\n", 4);
		if (body != NULL || end == NULL)
			continue;
		body = end + 4;
		const char *length = strcasestr((const char *)buf, "content-length:");
		if (length != NULL)
			want = strtoul(length + 15, NULL, 10);
	}
	if (sscanf((const char *)buf, "%*s %255s", path) != 1)
		return NULL;
	*n = want;
	return body;
}

static bool
reply(struct connection *c, const struct fault_reply *r)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	if (r->reset) {
		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
		return false;
	}
	if (!wait_ms(c, r->hang ? 3600000 : r->delay_ms) ||
	    !send_all(c, r->bytes.data, r->bytes.len, r->drip_ms))
		return false;
	for (unsigned i = 0; i < r->repeat; i++)
		if (!send_all(c, r->bytes.data + r->repeat_from, r->bytes.len - r->repeat_from, 0))
			return false;
	return r->repeat == 0;
}

static void *
serve(void *arg)
{
	struct connection *c = arg;
	struct fault_server *s = c->s;
	uint8_t *buf = malloc(REQUEST_MAX + 1);
	char path[256];
	bool more = buf != NULL;
	size_t n;

	while (more) {
		struct fault_reply r = { .bytes = { .max = (size_t)8 << 20 } };
		const uint8_t *body = read_request(c, buf, path, &n);

		if (body == NULL)
			break;
		(void)pthread_mutex_lock(&s->lock);
		s->requests++;
		(void)pthread_mutex_unlock(&s->lock);
		s->fn(s->arg, path, body, n, &r);
		more = reply(c, &r);
		gbuf_clear(&r.bytes);
	}
	free(buf);
	(void)pthread_mutex_lock(&s->lock);
	(void)close(c->fd);
	s->fds[c->at] = -1;
	s->live--;
	(void)pthread_cond_signal(&s->gone);
	(void)pthread_mutex_unlock(&s->lock);
	free(c);
	return NULL;
}

static void
begin(struct fault_server *s, int fd)
{
	struct connection *c = malloc(sizeof *c);
	pthread_attr_t attr;
	pthread_t t;
	size_t at = 0;

	(void)pthread_mutex_lock(&s->lock);
	while (at < CONNECTIONS && s->fds[at] != -1)
		at++;
	if (c == NULL || at == CONNECTIONS || s->stop) {
		(void)pthread_mutex_unlock(&s->lock);
		(void)close(fd);
		free(c);
		return;
	}
	*c = (struct connection){ s, fd, at };
	s->fds[at] = fd;
	s->live++;
	(void)pthread_mutex_unlock(&s->lock);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attr, (size_t)512 << 10);
	if (pthread_create(&t, &attr, serve, c) != 0)
		die("pthread_create");
	(void)pthread_attr_destroy(&attr);
}

static void *
accept_all(void *arg)
{
	struct fault_server *s = arg;

	for (;;) {
		int fd = accept(s->listening, NULL, NULL);

		if (fd < 0)
			return NULL;
		begin(s, fd);
	}
}

struct fault_server *
fault_server_new(fault_fn *fn, void *arg, unsigned *port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)*port) };
	struct fault_server *s = calloc(1, sizeof *s);
	socklen_t n = sizeof sa;
	int on = 1;

	if (s == NULL)
		die("calloc");
	s->fn = fn;
	s->arg = arg;
	for (size_t i = 0; i < CONNECTIONS; i++)
		s->fds[i] = -1;
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->gone, NULL);
	s->listening = socket(AF_INET, SOCK_STREAM, 0);
	(void)setsockopt(s->listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(s->listening, (const struct sockaddr *)&sa, sizeof sa) != 0 ||
	    listen(s->listening, 1024) != 0 ||
	    getsockname(s->listening, (struct sockaddr *)&sa, &n) != 0 ||
	    pthread_create(&s->thread, NULL, accept_all, s) != 0)
		die("fault server");
	*port = ntohs(sa.sin_port);
	return s;
}

void
fault_server_free(struct fault_server *s)
{
	if (s == NULL)
		return;
	(void)shutdown(s->listening, SHUT_RDWR);
	(void)pthread_join(s->thread, NULL);
	(void)close(s->listening);
	(void)pthread_mutex_lock(&s->lock);
	s->stop = true;
	for (size_t i = 0; i < CONNECTIONS; i++)
		if (s->fds[i] != -1)
			(void)shutdown(s->fds[i], SHUT_RDWR);
	while (s->live > 0)
		(void)pthread_cond_wait(&s->gone, &s->lock);
	(void)pthread_mutex_unlock(&s->lock);
	free(s);
}

unsigned
fault_server_requests(struct fault_server *s)
{
	(void)pthread_mutex_lock(&s->lock);
	unsigned n = s->requests;
	(void)pthread_mutex_unlock(&s->lock);
	return n;
}

void
fault_http(struct gbuf *out, int status, const char *type, const void *body, size_t n)
{
	gbuf_printf(out, "HTTP/1.1 %d Any\r\nContent-Length: %zu\r\n", status, n);
	if (type != NULL)
		gbuf_printf(out, "Content-Type: %s\r\n", type);
	gbuf_str(out, "\r\n");
	gbuf_put(out, body, n);
}
