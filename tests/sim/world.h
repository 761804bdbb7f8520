/*
 * tests/sim/world.h: a small world around the real driver: a fake clock, simulated devices, a
 * network that loses, doubles, delays and so reorders, a store that is slow, fails or never answers,
 * a server that crashes and starts again, and strangers who call themselves like the devices.
 *
 * All that happens comes from one seed: the same seed gives the same world, event by event. Nothing
 * here waits: time is a number that jumps to what happens next.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "bsserver/bootstrap/driver.h"
#include "tests/sim/device.h"

#define WORLD_DEVICES 6
#define STRANGER WORLD_DEVICES /* in place of a device's number */

/* Worlds that are wrong on purpose: each must be found out. */
enum sabotage {
	HONEST,
	LETS_ANYBODY_IN,   /* the store grants every claim */
	BELIEVES_LIARS,	   /* what a device says that lies is held against the verdict */
	SLEEPS,		   /* deadlines are not kept */
	FORGETS_REPLY,	   /* a refusal is not sent */
	LOSES_RECORDS,	   /* the store acknowledges, and a crash loses it */
	SABOTAGES
};

struct faults {
	unsigned loss, doubled;	      /* of 1000 datagrams */
	uint32_t delay_ms;	      /* of a datagram, at most */
	unsigned store_fails, store_stalls; /* of 1000 calls */
	uint32_t store_ms;	      /* an answer of the store, at most */
};

struct sim_device {
	struct device *d;
	struct device_config cfg;
	struct lwm2m_tree initial;
	struct profile_desired desired;
	char endpoint[16], identity[16];
	bool secure;
	uint64_t conn;	    /* the present connection; 0: none */
	bool open;
	/* of the present attempt */
	unsigned attempt, heard; /* and of which the server got the request */
	bool lied_looking, lied_storing, lied_finishing, shown;
	uint64_t finished_conn; /* the connection on which Finish was answered 2.04 last */
	bool holds_all, holds_shown; /* and what it held then: all that was wanted; what it shows of it */
	unsigned finished_attempt;
	bool excused, excused_all;   /* it had lied about what it stored; or in what it showed, too */
};

struct conn {
	unsigned dev;
	bool secure, alive; /* at the server */
};

/* A Bootstrap-Request that came in: a repetition gets the same answer. */
struct knock {
	uint64_t conn, epoch, session;
	uint16_t mid;
	uint8_t token[8], token_len;
	unsigned replies;
	struct gbuf answer;
	uint64_t at_ms;
};

/* A downlink request that waits for its answer. */
struct exchange {
	uint64_t session, conn;
	uint16_t mid;
	uint8_t token[4];
	struct gbuf bytes;
	uint64_t next_ms, by_ms;
	uint32_t step_ms;
	unsigned tries;
	bool acked;
};

/* What the world knows of a session of the driver. */
struct shadow {
	uint64_t id, conn, epoch;
	unsigned dev; /* whose connection; STRANGER */
	unsigned claims; /* which device it calls itself */
	unsigned attempt; /* of that device */
	bool granted;
	bool durable, acknowledged; /* its record */
	unsigned records;
};

struct happening;

struct world {
	uint64_t seed, rng, now, epoch, wake_ms, calm_ms, end_ms;
	int64_t wall_ms; /* less the clock that never goes back */
	enum sabotage sabotage;
	bool verbose;
	struct faults faults;
	struct bs_driver *driver;
	struct bs_driver_conf conf;
	struct sim_device dev[WORLD_DEVICES];
	unsigned n_dev;
	struct conn *conns; /* by number, from 1 */
	size_t n_conns, cap_conns;
	struct knock *knocks; /* by number, from 1 */
	size_t n_knocks, cap_knocks;
	struct exchange *exchanges;
	size_t n_exchanges, cap_exchanges;
	struct shadow *shadows;
	size_t n_shadows, cap_shadows;
	struct happening *heap;
	size_t n_heap, cap_heap;
	uint64_t n_happened;
	uint16_t next_mid;
	uint64_t digest; /* of every line of the log */
	unsigned wrongs;
	char wrong[256]; /* the first */
	unsigned crashes, superseded, refused, provisioned, failed; /* counted over the world's life */
};

enum happening_kind {
	TO_DEVICE,
	TO_SERVER,
	OPENED,
	OPEN_FAILED,
	CLOSED_AT_DEVICE,
	CLOSED_AT_SERVER,
	STORE_ANSWERS, /* lookup, keep, vet, handoff */
	STORE_KEPT,    /* a record */
	CRASH,
	RESTART_DEVICE,
	KNOCK_OF_STRANGER,
	CALM
};

struct happening {
	uint64_t at_ms, seq, epoch;
	enum happening_kind kind;
	unsigned dev;
	uint64_t conn, session;
	enum bs_event_type type; /* STORE_ANSWERS */
	enum bs_reason reason;
	struct gbuf bytes;
};

/* world.c */
void world_run(struct world *w, uint64_t seed, enum sabotage sabotage, bool verbose);
void world_log(struct world *w, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Something that must hold does not. */
void world_wrong(struct world *w, const char *fmt, ...) PRINTF_LIKE(2, 3);
uint64_t world_random(struct world *w, uint64_t below); /* 0 when below is 0 */
bool world_chance(struct world *w, unsigned of_1000);
/* Later, in that many milliseconds; to be filled at once. */
struct happening *world_later(struct world *w, enum happening_kind kind, uint64_t in_ms);
struct shadow *world_shadow(struct world *w, uint64_t session);

/* world_net.c: CoAP over that network, as the daemon's transport does it */
extern const struct device_ops net_ops; /* arg: struct world_device_arg */
struct net_arg {
	struct world *w;
	unsigned dev;
};
/* attempt: which of the device's it was sent in. */
void net_to_server(struct world *w, uint64_t conn, unsigned attempt, const struct gbuf *bytes);
void net_reply(struct world *w, uint64_t request, const struct bs_reply *r);
void net_send(struct world *w, uint64_t session, uint64_t peer, const struct bs_send *s);
void net_release(struct world *w, uint64_t session, uint64_t peer, bool failed);
void net_opened(struct world *w, unsigned dev, uint64_t conn, uint64_t old);
void net_forget(struct world *w); /* the server crashed */
uint64_t net_next(const struct world *w);
void net_tick(struct world *w);
uint64_t net_add_knock(struct world *w, uint64_t conn);

/* world_store.c: who is let in, and what is kept */
void store_ports(struct world *w, struct bs_ports *p);
void store_answers(struct world *w, const struct happening *h);
void store_kept(struct world *w, const struct happening *h);
void store_desired(struct world *w, struct sim_device *sd);
/* Whether the device holds all that it should; with shown: only what it shows to the server. */
bool store_agrees(const struct sim_device *sd, bool shown);

#endif
