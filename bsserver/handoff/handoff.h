/*
 * bsserver/handoff/handoff.h: LwM2M Servers are told of devices' credentials. What is to be done is in
 * the store before it is done, so that whoever starts after a crash knows what the server may have
 * been told, and brings it to what the device has.
 *
 * A session asks in four steps, each answered by conf.answer: handoff_ask() records, handoff_tell()
 * tells, handoff_finish() notes that Finish comes now; handoff_end(), unanswered, says how it went.
 */
#ifndef BSSERVER_HANDOFF_HANDOFF_H
#define BSSERVER_HANDOFF_HANDOFF_H

#include "bsserver/handoff/driver.h"
#include "bsserver/loop/loop.h"

struct handoff;

enum handoff_stage { HANDOFF_RECORDED, HANDOFF_TOLD, HANDOFF_FINISHING };

struct handoff_conf {
	struct loop *loop;
	const struct store_ops *ops;
	struct store *store;
	uint64_t seed;
	void *arg;
	/* text: what was done, for the transcript, or why not; borrowed. Never called from inside. */
	void (*answer)(void *arg, uint64_t session, enum handoff_stage stage, bool ok, const char *text);
};

/* servers and what is in them are taken over, also on an error. */
enum err_code handoff_open(const struct handoff_conf *c, struct handoff_server *servers, size_t n, struct handoff **out,
    struct err *e);
/*
 * The configuration was read again: these are the LwM2M Servers now. What is under way ends as it
 * began; what waits is tried now. Of one that is not there any more it is logged whom it leaves behind,
 * and what would be asked of it waits until it is there again. Taken over as by handoff_open().
 */
enum err_code handoff_reload(struct handoff *h, struct handoff_server *servers, size_t n, struct err *e);
/* Looks for what an earlier process left. Once, when the loop is about to run. */
void handoff_start(struct handoff *h);
/* A device was removed: its rows are looked at now. */
void handoff_look(struct handoff *h);
/* Stops; requests that are under way are forgotten. The store's answers still come: free it after the store was closed. */
void handoff_stop(struct handoff *h);
void handoff_free(struct handoff *h); /* NULL is fine */
void handoff_server_clear(struct handoff_server *s); /* wipes; safe twice */

/* One server that is to be told. cred is moved out of it. */
struct handoff_want {
	const char *target, *account; /* borrowed for the call */
	uint16_t short_server_id;
	bool late; /* only after the session ended well */
	uint32_t deadline_ms;
	struct secret cred; /* handoff_pack() */
};
#define HANDOFF_WANTS_MAX 64

void handoff_ask(struct handoff *h, uint64_t session, const char *endpoint, struct handoff_want *v, size_t n);
void handoff_tell(struct handoff *h, uint64_t session);
void handoff_finish(struct handoff *h, uint64_t session);
/* How it ended, for what asked: HANDOFF_EV_GOOD, _BAD or _DOUBT. */
void handoff_end(struct handoff *h, uint64_t session, enum handoff_event how);
/*
 * The device has registered, and has proved to be it: what it was given last it has. Servers that keep an
 * old credential of it besides are asked to drop that now.
 */
void handoff_seen(struct handoff *h, const char *endpoint);
/* Which of them a record tells of. */
enum handoff_event handoff_how(const struct bs_record *r);

/* An operator does not want to wait. Of that device, or of all (NULL). */
void handoff_retry(struct handoff *h, const char *endpoint, store_done_fn *done, void *arg);
/* Whether that LwM2M Server answers and takes our token. ERR_NOT_FOUND: none is called that. */
enum err_code handoff_test(struct handoff *h, const char *target, void (*done)(void *arg, bool ok, const char *text),
    void *arg, struct err *e);
/* A device that is to be called back through an LwM2M Server. Borrowed for the call. */
struct handoff_errand {
	const char *target, *endpoint, *account; /* account: its local name in the device's document */
	uint16_t short_server_id;
	int instance; /* of Object 1; HANDOFF_INSTANCE_UNKNOWN */
};
/* text: of SAID_NO and SAID_NOBODY, why; else "". */
typedef void handoff_heard_fn(void *arg, const struct handoff_heard *h, const char *text);
/*
 * That server is asked for a Bootstrap-Request Trigger, 16 devices at once; others wait in line, and
 * when it gives no answer they are told so too. fn is called once, later, never from inside, unless
 * handoff_stop() comes first. ERR_NOT_FOUND, ERR_UNSUPPORTED: there is no such server, it has no way.
 */
enum err_code handoff_trigger(struct handoff *h, const struct handoff_errand *d, handoff_heard_fn *fn, void *arg,
    struct err *e);
/* The i-th LwM2M Server of the configuration; NULL past the end. */
const struct handoff_server *handoff_server_at(const struct handoff *h, size_t i);
const struct handoff_server *handoff_server_named(const struct handoff *h, const char *name);

struct handoff_stats {
	uint64_t told, refused, unanswered, given_back, doubts;
	uint64_t triggers; /* Bootstrap-Request Triggers asked for */
	uint64_t under_way; /* rows that are being worked on */
};
void handoff_stats(const struct handoff *h, struct handoff_stats *out);

#endif
