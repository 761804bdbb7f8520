/*
 * bsserver/transport/udp_batch.h: datagrams come and go many at a time: one system call for all.
 *
 * An inbox has what recvmmsg() read ahead, for one that asks as by recvmsg(). An outbox keeps what was
 * to be sent as by sendmsg() until it is flushed, then sendmmsg() sends it in the same order.
 */
#ifndef BSSERVER_TRANSPORT_UDP_BATCH_H
#define BSSERVER_TRANSPORT_UDP_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/base/err.h"

#define UDP_INBOX_MAX 32   /* datagrams; libcoap walks its sessions after so many */
#define UDP_OUTBOX_MAX 64  /* datagrams */
#define UDP_OUTBOX_SOCKETS 16
#define UDP_DATAGRAM 2048  /* octets of one: libcoap reads and sends no longer ones */

struct udp_inbox;
struct udp_outbox;

enum err_code udp_inbox_new(struct udp_inbox **out, struct err *e);
void udp_inbox_free(struct udp_inbox *b); /* NULL is fine */
/* When it is empty: reads what waits on fd, without waiting. How many are in it. */
unsigned udp_inbox_fill(struct udp_inbox *b, int fd);
/* The oldest, as recvmsg() would give it; EAGAIN: there is none. */
ssize_t udp_inbox_take(struct udp_inbox *b, struct msghdr *m);

/* A datagram could not be sent; tag is what udp_outbox_tag() said when it was put in, and not 0. */
typedef void udp_unsent_fn(void *arg, uint64_t tag, int errnum);

enum err_code udp_outbox_new(udp_unsent_fn *unsent, void *arg, struct udp_outbox **out, struct err *e);
void udp_outbox_free(struct udp_outbox *b); /* NULL is fine; what is in it is not sent */
/* From here on what is sent on fd is for it. Beyond UDP_OUTBOX_SOCKETS of them: it is not. */
void udp_outbox_serve(struct udp_outbox *b, int fd);
/* What is put in next is about that; 0: about nothing that anybody wants to know of. */
void udp_outbox_tag(struct udp_outbox *b, uint64_t tag);
/*
 * false: it is not for this outbox, or too large; what was put in before has then been sent. When it is
 * full it sends what it has: unsent() may be called from here.
 */
bool udp_outbox_put(struct udp_outbox *b, int fd, const struct msghdr *m);
bool udp_outbox_waits(const struct udp_outbox *b); /* something is in it */
/* Sends all, and wipes it. A datagram that cannot be sent is left out, and told of when it has a tag. */
void udp_outbox_flush(struct udp_outbox *b);

#endif
