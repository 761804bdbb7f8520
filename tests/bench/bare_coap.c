/*
 * bare_coap: the yardstick of the bench. A libcoap server that answers POST /bs with 2.04, then
 * sends a device the same requests in the same order, whatever it answers, until the last one was
 * answered, and does nothing else: it looks nothing up, plans, verifies and stores nothing. It has
 * what makes libcoap fast: many datagrams per pass, few idle sessions, DTLS sessions closed when
 * over, a large receive buffer.
 *
 * bare_coap [--coap PORT] [--coaps PORT --key FILE] [--pass N] [--idle N]
 *           [--handshakes N] [--step STEP]...
 *
 * STEP is METHOD:PATH[:FORMAT[:HEX]]: FORMAT is the content format of PUT and the Accept of GET.
 * Without --step: Discover, two Deletes, two Writes, Discover, Read, Finish. It prints "ready",
 * and at SIGTERM or SIGINT what it has done.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <coap3/coap.h>

#define STEPS_MAX 64
#define PAYLOAD_MAX 1024
#define SEGMENTS_MAX 4
#define PASS_MAX 256
#define RECEIVE_BUFFER (4 * 1024 * 1024)
#define IDLE_COAP 64	   /* a plain UDP session cannot be closed: only this bounds them */
#define IDLE_COAPS 1000000 /* a session in its handshake counts as idle */
#define HANDSHAKES 1000

struct step {
	coap_pdu_code_t code;
	char *text; /* as given, cut up: the segments point into it */
	char *segments[SEGMENTS_MAX];
	size_t n_segments;
	int format; /* -1: none */
	uint8_t payload[PAYLOAD_MAX];
	size_t payload_len;
};

/* Sessions that something is to be done for when the library's pass is over. Each is referenced. */
struct queue {
	coap_session_t **sessions;
	size_t n, cap;
};

struct bare {
	coap_context_t *coap, *coaps; /* one each: the caps are per context; NULL: not asked for */
	struct step steps[STEPS_MAX];
	size_t n_steps;
	size_t pass; /* datagrams read before the library walks its sessions */
	struct queue begun, over;
	uint8_t key[64];
	coap_bin_const_t psk;
	uint64_t bootstraps, failed, exchanges;
};

static volatile sig_atomic_t stopped;

static void
on_signal(int signo)
{
	(void)signo;
	stopped = 1;
}

static _Noreturn void __attribute__((format(printf, 1, 2)))
die(const char *fmt, ...)
{
	va_list ap;

	fputs("bare_coap: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

/* ---- steps ---- */

static const char *const default_steps[] = {
	"GET:/:40",
	"DELETE:/0",
	"DELETE:/1",
	/* coaps://127.0.0.1:5684, PSK, identity "bench", 16 octets of key, Short Server ID 101 */
	("PUT:/0/1:11542:c80016636f6170733a2f2f3132372e302e302e313a35363834c10100c10200c50362656e"
	 "6368c004c80510000102030405060708090a0b0c0d0e0fc10a65"),
	/* Short Server ID 101, lifetime 86400, no storing, binding U */
	"PUT:/1/0:11542:c10065c40100015180c10600c10755",
	"GET:/:40",
	"GET:/1:11542",
	"POST:/bs",
};

static size_t
hex_decode(const char *hex, uint8_t *out, size_t size)
{
	size_t n = 0;

	for (; hex[0] != '\0' && hex[0] != '\n'; hex += 2, n++) {
		char octet[3] = { hex[0], hex[1], '\0' };
		char *end;

		if (n == size)
			die("more than %zu octets of hex", size);
		out[n] = (uint8_t)strtoul(octet, &end, 16);
		if (end != octet + 2)
			die("no hex: \"%s\"", octet);
	}
	return n;
}

static coap_pdu_code_t
method_code(const char *name)
{
	static const struct {
		const char *name;
		coap_pdu_code_t code;
	} methods[] = {
		{ "GET", COAP_REQUEST_CODE_GET },
		{ "POST", COAP_REQUEST_CODE_POST },
		{ "PUT", COAP_REQUEST_CODE_PUT },
		{ "DELETE", COAP_REQUEST_CODE_DELETE },
	};

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (strcmp(name, methods[i].name) == 0)
			return methods[i].code;
	die("no such method: \"%s\"", name);
}

static void
split_path(struct step *s, char *path)
{
	char *save = NULL;

	for (char *p = strtok_r(path, "/", &save); p != NULL; p = strtok_r(NULL, "/", &save)) {
		if (s->n_segments == SEGMENTS_MAX)
			die("a path of more than %d segments", SEGMENTS_MAX);
		s->segments[s->n_segments++] = p;
	}
}

static void
add_step(struct bare *b, const char *text)
{
	char *copy = strdup(text), *save = NULL;

	if (copy == NULL || b->n_steps == STEPS_MAX)
		die("more than %d steps, or no memory", STEPS_MAX);
	struct step *s = &b->steps[b->n_steps++];
	s->text = copy;
	const char *method = strtok_r(copy, ":", &save);
	char *path = strtok_r(NULL, ":", &save);
	const char *format = strtok_r(NULL, ":", &save);
	const char *hex = strtok_r(NULL, ":", &save);
	if (method == NULL || path == NULL)
		die("a step is METHOD:PATH[:FORMAT[:HEX]]: \"%s\"", text);
	s->code = method_code(method);
	split_path(s, path);
	s->format = format == NULL ? -1 : (int)strtoul(format, NULL, 10);
	if (hex != NULL)
		s->payload_len = hex_decode(hex, s->payload, sizeof s->payload);
}

static bool
add_number(coap_pdu_t *pdu, coap_option_num_t option, int value)
{
	uint8_t octets[4];
	size_t len = coap_encode_var_safe(octets, sizeof octets, (unsigned)value);

	return coap_add_option(pdu, option, len, octets) != 0;
}

/* The token is the number of the step, counted from one: a repeated answer is told by it. */
static bool
send_step(coap_session_t *session, const struct step *s, uint8_t number)
{
	coap_pdu_t *pdu = coap_new_pdu(COAP_MESSAGE_CON, s->code, session);

	if (pdu == NULL)
		return false;
	bool ok = coap_add_token(pdu, sizeof number, &number) != 0;
	for (size_t i = 0; i < s->n_segments; i++)
		ok = ok && coap_add_option(pdu, COAP_OPTION_URI_PATH, strlen(s->segments[i]),
			       (const uint8_t *)s->segments[i]) != 0;
	if (s->format >= 0 && s->code == COAP_REQUEST_CODE_PUT)
		ok = ok && add_number(pdu, COAP_OPTION_CONTENT_FORMAT, s->format);
	if (s->format >= 0 && s->code == COAP_REQUEST_CODE_GET)
		ok = ok && add_number(pdu, COAP_OPTION_ACCEPT, s->format);
	if (s->payload_len > 0)
		ok = ok && coap_add_data(pdu, s->payload_len, s->payload) != 0;
	if (!ok) {
		coap_delete_pdu(pdu);
		return false;
	}
	return coap_send(session, pdu) != COAP_INVALID_MID;
}

/* ---- a session: its number of steps begun is all that is known of it ---- */

static void
queue_put(struct queue *q, coap_session_t *session)
{
	if (q->n == q->cap) {
		q->cap = q->cap == 0 ? 64 : 2 * q->cap;
		q->sessions = realloc(q->sessions, q->cap * sizeof *q->sessions);
		if (q->sessions == NULL)
			die("no memory");
	}
	q->sessions[q->n++] = coap_session_reference(session);
}

static size_t
step_of(const coap_session_t *session)
{
	return (size_t)(uintptr_t)coap_session_get_app_data(session);
}

static void
set_step(coap_session_t *session, size_t number)
{
	coap_session_set_app_data(session, (void *)(uintptr_t)number);
}

static void
end_session(struct bare *b, coap_session_t *session, bool ok)
{
	set_step(session, 0);
	if (ok)
		b->bootstraps++;
	else
		b->failed++;
	if (coap_session_get_proto(session) == COAP_PROTO_DTLS)
		queue_put(&b->over, session);
}

static void
send_next(struct bare *b, coap_session_t *session)
{
	size_t number = step_of(session);

	if (number == b->n_steps) {
		end_session(b, session, true);
		return;
	}
	set_step(session, number + 1);
	if (!send_step(session, &b->steps[number], (uint8_t)(number + 1)))
		end_session(b, session, false);
}

/* What was begun in a pass is sent after it: a request sent here would overtake the 2.04. */
static void
on_request(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *request,
    const coap_string_t *query, coap_pdu_t *response)
{
	struct bare *b = coap_get_app_data(coap_session_get_context(session));

	(void)resource;
	(void)request;
	(void)query;
	coap_pdu_set_code(response, COAP_RESPONSE_CODE_CHANGED);
	b->exchanges++;
	if (step_of(session) == 0)
		queue_put(&b->begun, session);
}

static coap_response_t
on_response(coap_session_t *session, const coap_pdu_t *sent, const coap_pdu_t *received,
    const coap_mid_t mid)
{
	struct bare *b = coap_get_app_data(coap_session_get_context(session));
	coap_bin_const_t token = coap_pdu_get_token(received);

	(void)sent;
	(void)mid;
	if (token.length != 1 || token.s[0] != step_of(session))
		return COAP_RESPONSE_OK;
	b->exchanges++;
	send_next(b, session);
	return COAP_RESPONSE_OK;
}

static void
on_nack(coap_session_t *session, const coap_pdu_t *sent, const coap_nack_reason_t reason,
    const coap_mid_t mid)
{
	(void)sent;
	(void)reason;
	(void)mid;
	if (step_of(session) != 0)
		end_session(coap_get_app_data(coap_session_get_context(session)), session, false);
}

static void
after_pass(struct bare *b)
{
	for (size_t i = 0; i < b->begun.n; i++) {
		if (step_of(b->begun.sessions[i]) == 0)
			send_next(b, b->begun.sessions[i]);
		coap_session_release(b->begun.sessions[i]);
	}
	b->begun.n = 0;
	for (size_t i = 0; i < b->over.n; i++) {
		coap_session_disconnected(b->over.sessions[i], COAP_NACK_NOT_DELIVERABLE);
		coap_session_release(b->over.sessions[i]);
	}
	b->over.n = 0;
}

/* ---- contexts ---- */

static const coap_bin_const_t *
on_identity(coap_bin_const_t *identity, coap_session_t *session, void *arg)
{
	const struct bare *b = arg;

	(void)identity;
	(void)session;
	return &b->psk;
}

static void
use_psk(struct bare *b, coap_context_t *ctx)
{
	coap_dtls_spsk_t setup = {
		.version = COAP_DTLS_SPSK_SETUP_VERSION,
		.validate_id_call_back = on_identity,
		.id_call_back_arg = b,
		.psk_info.key = b->psk,
	};

	if (b->psk.length == 0)
		die("--coaps needs --key");
	if (!coap_context_set_psk2(ctx, &setup))
		die("PSK is refused by libcoap");
}

static void
listen_on(coap_context_t *ctx, uint16_t port, coap_proto_t proto)
{
	coap_address_t addr;

	coap_address_init(&addr);
	addr.addr.sin.sin_family = AF_INET;
	addr.addr.sin.sin_port = htons(port);
	addr.size = sizeof addr.addr.sin;
	if (coap_new_endpoint(ctx, &addr, proto) == NULL)
		die("cannot listen on port %u", port);
}

static coap_context_t *
context(struct bare *b, uint16_t port, coap_proto_t proto, unsigned idle, unsigned handshakes)
{
	coap_context_t *ctx = coap_new_context(NULL);
	coap_resource_t *bs = coap_resource_init(coap_make_str_const("bs"), 0);

	if (ctx == NULL || bs == NULL)
		die("no memory");
	coap_set_app_data(ctx, b);
	if (proto == COAP_PROTO_DTLS)
		use_psk(b, ctx);
	coap_context_set_max_idle_sessions(ctx, idle);
	coap_context_set_max_handshake_sessions(ctx, handshakes);
	coap_register_request_handler(bs, COAP_REQUEST_POST, on_request);
	coap_register_response_handler(ctx, on_response);
	coap_register_nack_handler(ctx, on_nack);
	coap_add_resource(ctx, bs);
	listen_on(ctx, port, proto);
	return ctx;
}

/* libcoap shows nobody its sockets: every datagram socket of this process is one of them. */
static void
raise_receive_buffers(void)
{
	long last = sysconf(_SC_OPEN_MAX);

	for (int fd = 3; fd < last && fd < 256; fd++) {
		int type, size = RECEIVE_BUFFER;
		socklen_t len = sizeof type;

		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_DGRAM)
			continue;
		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
			(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	}
}

/* ---- loop ---- */

/* One pass: every socket's event is repeated, and the library reads one datagram for each. */
static void
pass(struct bare *b, coap_context_t *ctx)
{
	struct epoll_event ready[8], events[PASS_MAX];
	int n = epoll_wait(coap_context_get_coap_fd(ctx), ready, sizeof ready / sizeof *ready, 0);
	size_t n_events = 0;

	for (int i = 0; i < n; i++) {
		/* the timer's event names no socket */
		size_t times = ready[i].data.ptr == NULL ? 1 : b->pass;

		while (times-- > 0 && n_events < PASS_MAX)
			events[n_events++] = ready[i];
	}
	coap_io_do_epoll(ctx, events, n_events);
	after_pass(b);
}

static void
watch(int epoll_fd, coap_context_t *ctx)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = ctx };

	if (ctx == NULL)
		return;
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, coap_context_get_coap_fd(ctx), &ev) != 0)
		die("epoll: %s", strerror(errno));
}

static void
serve(struct bare *b)
{
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

	watch(epoll_fd, b->coap);
	watch(epoll_fd, b->coaps);
	while (!stopped) {
		struct epoll_event ready[2];
		int n = epoll_wait(epoll_fd, ready, sizeof ready / sizeof *ready, 1000);

		for (int i = 0; i < n; i++)
			pass(b, ready[i].data.ptr);
	}
	close(epoll_fd);
}

/* ---- main ---- */

static void
read_key(struct bare *b, const char *file)
{
	char line[2 * sizeof b->key + 2] = "";
	FILE *f = fopen(file, "r");

	if (f == NULL || fgets(line, sizeof line, f) == NULL)
		die("%s: cannot be read", file);
	fclose(f);
	b->psk.s = b->key;
	b->psk.length = hex_decode(line, b->key, sizeof b->key);
}

static unsigned
number(const char *name, const char *text, unsigned max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || n > max)
		die("%s: no number up to %u: \"%s\"", name, max, text);
	return (unsigned)n;
}

static const struct option long_options[] = {
	{ "coap", required_argument, NULL, 'c' },
	{ "coaps", required_argument, NULL, 's' },
	{ "key", required_argument, NULL, 'k' },
	{ "pass", required_argument, NULL, 'p' },
	{ "idle", required_argument, NULL, 'i' },
	{ "handshakes", required_argument, NULL, 'h' },
	{ "step", required_argument, NULL, 't' },
	{ NULL, 0, NULL, 0 },
};

struct ports {
	unsigned coap, coaps, idle, handshakes;
};

static void
read_options(struct bare *b, struct ports *p, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == 'c')
			p->coap = number("--coap", optarg, UINT16_MAX);
		else if (option == 's')
			p->coaps = number("--coaps", optarg, UINT16_MAX);
		else if (option == 'k')
			read_key(b, optarg);
		else if (option == 'p')
			b->pass = number("--pass", optarg, PASS_MAX / 2);
		else if (option == 'i')
			p->idle = number("--idle", optarg, IDLE_COAPS);
		else if (option == 'h')
			p->handshakes = number("--handshakes", optarg, 1000000);
		else if (option == 't')
			add_step(b, optarg);
		else
			exit(2);
	}
	if (b->n_steps == 0)
		for (size_t s = 0; s < sizeof default_steps / sizeof *default_steps; s++)
			add_step(b, default_steps[s]);
}

int
main(int argc, char **argv)
{
	static struct bare b = { .pass = 32 };
	struct ports p = { .idle = IDLE_COAP, .handshakes = HANDSHAKES };
	struct sigaction stop = { .sa_handler = on_signal };

	read_options(&b, &p, argc, argv);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	coap_startup();
	coap_set_log_level(LOG_CRIT);
	if (p.coap != 0)
		b.coap = context(&b, (uint16_t)p.coap, COAP_PROTO_UDP, p.idle, p.handshakes);
	if (p.coaps != 0)
		b.coaps = context(&b, (uint16_t)p.coaps, COAP_PROTO_DTLS, IDLE_COAPS, p.handshakes);
	if (b.coap == NULL && b.coaps == NULL)
		die("neither --coap nor --coaps");
	raise_receive_buffers();
	puts("ready");
	fflush(stdout);
	serve(&b);
	printf("bootstraps %" PRIu64 ", failed %" PRIu64 ", exchanges %" PRIu64 "\n", b.bootstraps,
	    b.failed, b.exchanges);
	coap_free_context(b.coap);
	coap_free_context(b.coaps);
	coap_cleanup();
	return 0;
}
