/* That datagrams read and sent many at a time are the same as one by one, and that none gets lost unseen. */
#include "config.h"

#include "bsserver/transport/udp_batch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/transport_world.h"
#include "tests/unit/unit.h"

enum { MANY = UDP_OUTBOX_MAX + 10, UNSENT_MAX = 8 };

/* The kernel, as far as it sends many: counted, and it may refuse from the n-th on. */
static struct {
	unsigned calls, datagrams;
	bool refuses;
} kernel;

int
sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags)
{
	kernel.calls++;
	kernel.datagrams += n;
	if (kernel.refuses) {
		errno = ENETUNREACH;
		return -1;
	}
	return (int)syscall(SYS_sendmmsg, fd, v, n, flags);
}

/* ---- the boxes alone ---- */

struct end {
	int fd;
	struct sockaddr_in at;
};

static struct end
open_end(void)
{
	struct end e = { .fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), .at.sin_family = AF_INET };
	socklen_t len = sizeof e.at;

	e.at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(e.fd, (const void *)&e.at, sizeof e.at), 0);
	ck_assert_int_eq(getsockname(e.fd, (void *)&e.at, &len), 0);
	return e;
}

struct post {
	struct udp_outbox *box;
	struct end from[2], to;
	uint64_t unsent[UNSENT_MAX];
	unsigned n_unsent;
};

static void
on_unsent(void *arg, uint64_t tag, int errnum)
{
	struct post *p = arg;

	ck_assert_int_ne(errnum, 0);
	ck_assert_uint_lt(p->n_unsent, UNSENT_MAX);
	p->unsent[p->n_unsent++] = tag;
}

static struct post *
open_post(void)
{
	static struct post p;

	memset(&p, 0, sizeof p);
	memset(&kernel, 0, sizeof kernel);
	ck_assert_int_eq(udp_outbox_new(on_unsent, &p, &p.box, NULL), ERR_OK);
	p.to = open_end();
	for (size_t i = 0; i < 2; i++) {
		p.from[i] = open_end();
		udp_outbox_serve(p.box, p.from[i].fd);
	}
	return &p;
}

static void
close_post(struct post *p)
{
	udp_outbox_free(p->box);
	(void)close(p->to.fd);
	for (size_t i = 0; i < 2; i++)
		(void)close(p->from[i].fd);
}

static bool
put(struct post *p, int fd, const struct sockaddr_in *to, const void *data, size_t len)
{
	struct sockaddr_in name = *to;
	struct iovec io = { .iov_len = len };
	struct msghdr m = { .msg_name = &name, .msg_namelen = sizeof name, .msg_iov = &io, .msg_iovlen = 1 };

	memcpy(&io.iov_base, &data, sizeof data);
	return udp_outbox_put(p->box, fd, &m);
}

static void
put_number(struct post *p, size_t from, unsigned n)
{
	ck_assert(put(p, p->from[from].fd, &p->to.at, &n, sizeof n));
}

/* The number in the next datagram; -1: there is none. */
static int
get_number(const struct post *p, in_port_t *from)
{
	struct sockaddr_in who = { .sin_port = 0 };
	socklen_t len = sizeof who;
	unsigned n = 0;

	if (recvfrom(p->to.fd, &n, sizeof n, MSG_DONTWAIT, (void *)&who, &len) != (ssize_t)sizeof n)
		return -1;
	*from = who.sin_port;
	return (int)n;
}

START_TEST(an_outbox_sends_all_in_order_by_few_calls_and_from_the_right_socket)
{
	struct post *p = open_post();
	in_port_t from = 0;

	for (unsigned i = 0; i < MANY; i++)
		put_number(p, i / 5 % 2, i);
	ck_assert(udp_outbox_waits(p->box));
	udp_outbox_flush(p->box);
	ck_assert(!udp_outbox_waits(p->box));
	for (unsigned i = 0; i < MANY; i++) {
		ck_assert_int_eq(get_number(p, &from), (int)i);
		ck_assert_uint_eq(from, p->from[i / 5 % 2].at.sin_port);
	}
	ck_assert_int_eq(get_number(p, &from), -1);
	ck_assert_uint_eq(kernel.datagrams, MANY);
	ck_assert_uint_le(kernel.calls, MANY / 5 + 2);
	ck_assert_uint_eq(p->n_unsent, 0);
	close_post(p);
}
END_TEST

START_TEST(nothing_leaves_before_it_is_flushed_or_full)
{
	struct post *p = open_post();
	in_port_t from;

	for (unsigned i = 0; i < UDP_OUTBOX_MAX; i++)
		put_number(p, 0, i);
	ck_assert_uint_eq(kernel.calls, 0);
	put_number(p, 0, UDP_OUTBOX_MAX);
	ck_assert_uint_eq(kernel.datagrams, UDP_OUTBOX_MAX);
	ck_assert(udp_outbox_waits(p->box));
	for (unsigned i = 0; i < UDP_OUTBOX_MAX; i++)
		ck_assert_int_eq(get_number(p, &from), (int)i);
	ck_assert_int_eq(get_number(p, &from), -1);
	close_post(p);
}
END_TEST

START_TEST(what_is_not_for_the_outbox_is_left_to_the_caller_after_what_came_before)
{
	static const uint8_t large[UDP_DATAGRAM + 1];
	struct post *p = open_post();
	in_port_t from;

	put_number(p, 0, 1);
	ck_assert(!put(p, p->to.fd, &p->to.at, large, 1)); /* another socket: no matter of ours */
	ck_assert_int_eq(get_number(p, &from), -1);
	ck_assert(!put(p, p->from[0].fd, &p->to.at, large, sizeof large));
	ck_assert_int_eq(get_number(p, &from), 1);
	for (unsigned i = 0; i < 100; i++) /* more octets than there is room for */
		ck_assert(put(p, p->from[0].fd, &p->to.at, large, UDP_DATAGRAM));
	ck_assert_uint_gt(kernel.datagrams, 64);
	close_post(p);
}
END_TEST

START_TEST(what_the_kernel_does_not_take_is_told_and_all_else_goes)
{
	struct post *p = open_post();
	struct sockaddr_in nowhere = p->to.at;
	in_port_t from;

	nowhere.sin_port = 0;
	for (unsigned i = 0; i < 9; i++) {
		udp_outbox_tag(p->box, i); /* 0: nobody wants to know */
		if (i % 3 == 0)
			ck_assert(put(p, p->from[0].fd, &nowhere, &i, sizeof i));
		else
			put_number(p, 0, i);
	}
	udp_outbox_flush(p->box);
	for (int i = 0; i < 9; i++)
		if (i % 3 != 0)
			ck_assert_int_eq(get_number(p, &from), i);
	ck_assert_int_eq(get_number(p, &from), -1);
	ck_assert_uint_eq(p->n_unsent, 2);
	ck_assert_uint_eq(p->unsent[0], 3);
	ck_assert_uint_eq(p->unsent[1], 6);
	close_post(p);
}
END_TEST

/* As by recvmsg(), with so much room. */
static ssize_t
take(struct udp_inbox *b, struct sockaddr_in *from, void *to, size_t room, int *flags)
{
	struct iovec io = { to, room };
	struct msghdr m = { .msg_name = from, .msg_namelen = sizeof *from, .msg_iov = &io, .msg_iovlen = 1 };
	ssize_t got = udp_inbox_take(b, &m);

	*flags = m.msg_flags;
	return got;
}

START_TEST(an_inbox_gives_one_by_one_what_waited)
{
	struct end at = open_end(), from = open_end();
	struct udp_inbox *b = NULL;
	struct sockaddr_in who = { .sin_port = 0 };
	struct pollfd p = { .fd = at.fd, .events = POLLIN };
	uint8_t octets[8] = "";
	int flags = 0;

	ck_assert_int_eq(udp_inbox_new(&b, NULL), ERR_OK);
	ck_assert_uint_eq(udp_inbox_fill(b, at.fd), 0);
	ck_assert_int_eq((int)take(b, &who, octets, sizeof octets, &flags), -1);
	ck_assert_int_eq(errno, EAGAIN);
	for (unsigned i = 0; i < UDP_INBOX_MAX + 3; i++)
		ck_assert_int_eq((int)sendto(from.fd, "abcdefg", 1 + i % 7, 0, (const void *)&at.at, sizeof at.at),
		    1 + (int)i % 7);
	ck_assert_int_eq(poll(&p, 1, WAIT_MS), 1);
	for (unsigned i = 0; i < UDP_INBOX_MAX + 3; i++) {
		unsigned left = i < UDP_INBOX_MAX ? UDP_INBOX_MAX - i : UDP_INBOX_MAX + 3 - i;

		ck_assert_uint_eq(udp_inbox_fill(b, at.fd), left); /* reads only when it is empty */
		ck_assert_int_eq((int)take(b, &who, octets, 4, &flags), MIN(4, 1 + (int)i % 7));
		ck_assert_int_eq(memcmp(octets, "abcdefg", MIN(4, 1 + i % 7)), 0);
		ck_assert_int_eq((flags & MSG_TRUNC) != 0, 1 + i % 7 > 4);
		ck_assert_uint_eq(who.sin_port, from.at.sin_port);
	}
	ck_assert_uint_eq(udp_inbox_fill(b, at.fd), 0);
	udp_inbox_free(b);
	(void)close(at.fd);
	(void)close(from.fd);
}
END_TEST

/* ---- in the transport ---- */

enum { CLIENTS = 20 };

START_TEST(many_devices_are_answered_by_few_calls)
{
	struct world w;
	static struct client c[CLIENTS];
	struct msg m;

	world_open(&w);
	memset(&kernel, 0, sizeof kernel);
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct msg knock_ = post_bs((uint16_t)(100 + i), "tok");

		must_open(&w, &c[i], COAP4, 0, NULL);
		ck_assert(client_send(&c[i], &knock_)); /* the loop does not turn meanwhile */
	}
	turn_until(&w, &w.n_requests, CLIENTS, WAIT_MS);
	for (unsigned i = 0; i < CLIENTS; i++) {
		must_get(&w, &c[i], &m);
		ck_assert_int_eq(m.code, CHANGED);
		ck_assert_uint_eq(m.mid, 100 + i);
		client_close(&c[i], true);
	}
	ck_assert_uint_eq(kernel.datagrams, CLIENTS);
	ck_assert_uint_lt(kernel.calls, CLIENTS / 2);
	world_close(&w);
}
END_TEST

static const int schemes[] = { COAP4, COAPS4 };

START_TEST(a_request_that_the_kernel_does_not_take_fails_at_once)
{
	static const struct client_psk psk = { "dev", 3, KEY, NULL };
	struct world w;
	struct client c;
	struct msg m;

	world_open(&w);
	must_open(&w, &c, schemes[_i], 0, schemes[_i] == COAPS4 ? &psk : NULL);
	if (schemes[_i] == COAPS4)
		ck_assert(shake(&w, &c, WAIT_MS));
	knock(&w, &c, 7, "tok");
	kernel.refuses = true;
	ask(&w, w.last.peer, TRANSPORT_DELETE, "/0", NULL, 0, PATIENT_MS);
	ck_assert_uint_eq(w.n_answers, 0);
	turn_until(&w, &w.n_answers, 1, WAIT_MS);
	kernel.refuses = false;
	ck_assert_int_eq(w.answers[0].outcome, TRANSPORT_GONE);
	ck_assert_str_eq(w.answers[0].why, "the message could not be sent");
	if (schemes[_i] == COAP4) { /* nor is it repeated: the next one is what comes */
		ask(&w, w.last.peer, TRANSPORT_DELETE, "/1", NULL, 0, PATIENT_MS);
		must_get(&w, &c, &m);
		ck_assert_str_eq(m.path, "1");
	}
	client_close(&c, true);
	world_close(&w);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(an_outbox_sends_all_in_order_by_few_calls_and_from_the_right_socket, 0),
	UNIT_CASE(nothing_leaves_before_it_is_flushed_or_full, 0),
	UNIT_CASE(what_is_not_for_the_outbox_is_left_to_the_caller_after_what_came_before, 0),
	UNIT_CASE(what_the_kernel_does_not_take_is_told_and_all_else_goes, 0),
	UNIT_CASE(an_inbox_gives_one_by_one_what_waited, 0),
	UNIT_CASE(many_devices_are_answered_by_few_calls, 0),
	UNIT_CASE(a_request_that_the_kernel_does_not_take_fails_at_once, 2),
};

UNIT_PATIENT_MAIN("udp_batch", cases, "120")
