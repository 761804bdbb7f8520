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
#include "bsserver/handoff/run.h"
#include "bsserver/ports/internal.h"
#include "tests/sim/device.h"

#define WORLD_DEVICES 6
#define WORLD_ACCOUNTS 2 /* of a device, each at an LwM2M Server of its own */
#define WORLD_SERVERS 2
#define ONE_SECRET 0 /* the LwM2M Server that holds one credential of a device */
#define STRANGER WORLD_DEVICES /* in place of a device's number */

/* Worlds that are wrong on purpose: each must be found out. */
enum sabotage {
	HONEST,
	LETS_ANYBODY_IN,   /* the store grants every claim */
	BELIEVES_LIARS,	   /* what a device says that lies is held against the verdict */
	SLEEPS,		   /* deadlines are not kept */
	FORGETS_REPLY,	   /* a refusal is not sent */
	LOSES_RECORDS,	   /* the store acknowledges, and a crash loses it */
	CLAIMS_TOLD,	   /* an LwM2M Server is said to know a credential before it says so */
	GIVES_NOTHING_BACK, /* the old credential is not given back, and said to be */
	DROPS_NOTHING,	   /* what an LwM2M Server should know no more stays there */
	HAS_NO_GRACE,	   /* an old credential goes as soon as there is a new one */
	FORGETS_ROWS,	   /* how far a hand-off is is acknowledged, and not kept */
	FINISHES_UNRECORDED, /* nobody notes that Finish comes now */
	RENEWS_EARLY,	   /* a key is made anew before its time */
	RENEWS_NEVER,	   /* nor when it has come */
	SABOTAGES
};

struct faults {
	unsigned loss, doubled;	      /* of 1000 datagrams */
	uint32_t delay_ms;	      /* of a datagram, at most */
	unsigned store_fails, store_stalls; /* of 1000 calls */
	uint32_t store_ms;	      /* an answer of the store, at most */
	/* of LwM2M Servers: says no, cannot be reached, does it and is not heard; an answer, at most */
	unsigned server_refuses, server_down, server_deaf;
	uint32_t server_ms;
};

struct version;

/* An account of a device, and the credentials that it was to have, the newest last. */
struct account {
	uint16_t ssid;
	unsigned server; /* the LwM2M Server that it is at */
	bool told;	 /* and whether that is told */
	bool late;	 /* only after Finish */
	bool rotates;
	uint32_t rotate_s;
	enum handoff_mode mode;
	struct version *versions;
	size_t n_versions, cap_versions;
	int held;	  /* the version that the device had when it was finished last; -1: none */
	bool doubt;	  /* it lied, or whether Finish reached it was not heard */
	int good;	  /* the version of the session that ended well last; -1 */
	uint64_t good_ms; /* when the first one of that version did */
	uint64_t finished_ms, seen_ms; /* since when the device has that version; when it registered last */
	size_t due_versions; /* its key is to be made anew by now; 0: it is not */
};

struct sim_device {
	struct device *d;
	struct device_config cfg;
	struct lwm2m_tree initial;
	struct profile_desired desired;
	char endpoint[16], identity[16];
	bool secure;
	struct account accounts[WORLD_ACCOUNTS];
	unsigned n_accounts;
	uint64_t revision; /* of what it should hold */
	bool keeping;	   /* a session of it is about to begin a hand-off */
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
	int version[WORLD_ACCOUNTS]; /* of each credential that it is to write */
	bool finishing;		     /* Finish was sent, or is about to be */
	enum bs_verdict verdict;
	enum bs_step step;
	uint8_t code;
};

struct happening;

struct world {
	uint64_t seed, rng, now, epoch, wake_ms, quiet_ms, calm_ms, end_ms;
	bool asleep; /* no device says anything, nothing fails any more */
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
	unsigned crashes, superseded, refused, provisioned, failed, renewed, given_back, doubts; /* counted over the world's life */
	/* hand-off: the engine, what is in the store of it, and the LwM2M Servers */
	struct handoff *handoff;
	struct handoff_rules rules;
	struct ports ports;
	struct store_handoff *rows;
	size_t n_rows, cap_rows;
	struct lwm2m_server *servers;
	/* its loop */
	struct loop_timer *timers;
	struct post *posts;
	size_t n_posts, cap_posts;
	struct pending *pending;
	size_t n_pending, cap_pending;
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
	CHANGE_KEY, /* somebody gives a device another credential */
	REGISTERED, /* a device that is finished registers, and the daemon sees that */
	QUIET,
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
/* Later: an answer of the store that says nothing else. */
void store_say(struct world *w, uint64_t session, enum bs_event_type type);
/* Whether the device holds all that it should but for its credentials; with shown: only what it shows to the server. */
bool store_agrees(const struct sim_device *sd, bool shown);

/* world_handoff.c: devices' credentials, the daemon's engine around them, and what must hold */
void accounts_make(struct world *w, struct sim_device *sd);
void accounts_end(struct sim_device *sd);
void accounts_change(struct world *w, struct sim_device *sd, unsigned n);
void accounts_renew(struct world *w, struct sim_device *sd, const char *slot, const struct secret *key);
size_t accounts_generated(const struct sim_device *sd, struct store_credential *out);
struct sim_device *accounts_device(struct world *w, const char *endpoint);
/* What is to be handed off of it, and with which credentials (sh may be NULL). */
void accounts_grant(const struct world *w, const struct sim_device *sd, struct profile_desired *d, struct shadow *sh);
int accounts_version(const struct sim_device *sd, unsigned n);
void accounts_finished(const struct world *w, struct sim_device *sd);
/* Whether it was finished with what that session was to write. */
bool accounts_agree(const struct sim_device *sd, const struct shadow *sh);
void accounts_check_told(struct world *w, const struct shadow *sh, const char *when);
void accounts_check_drop(struct world *w, unsigned dev, unsigned server, const struct secret *cred);
void accounts_check(struct world *w);
void accounts_crash(struct world *w);
void accounts_lied(struct sim_device *sd);
/* It registered: the daemon sees it. */
void accounts_seen(struct world *w, struct sim_device *sd);
/* Notes whose keys are old enough, and finds that they were made anew. */
void accounts_note_due(struct world *w);
void accounts_check_due(struct world *w);
void accounts_recorded(struct world *w, const struct shadow *sh, const struct bs_record *r);
void engine_choose(struct world *w);
void engine_start(struct world *w);
void engine_stop(struct world *w);
void engine_ports(struct bs_ports *p);
/* Keys that are old enough are made anew; then it goes on. */
void engine_rotate(struct world *w, const struct sim_device *sd, uint64_t session, void (*then)(struct world *, uint64_t));

/* world_rows.c: what the store keeps of hand-offs */
extern const struct store_ops rows_ops; /* its struct store is the world */
const struct store_handoff *rows_find(const struct world *w, const char *endpoint, const char *target);
void rows_end(struct world *w);

/* world_server.c: what LwM2M Servers know */
extern const char *const server_names[WORLD_SERVERS];
void servers_begin(struct world *w);
void servers_end(struct world *w);
/* confirmed: and it has said so; NULL: does not matter. */
bool server_knows(const struct world *w, unsigned server, unsigned dev, const struct secret *cred, bool *confirmed);
size_t server_count(const struct world *w, unsigned server, unsigned dev);

/* world_loop.c: its struct loop is the world */
void wloop_begin(const struct world *w);
uint64_t wloop_next(const struct world *w);
void wloop_tick(struct world *w);
/* Once, in that many milliseconds; crashed: nobody is there any more to be told. */
typedef void pending_fn(struct world *w, void *arg, bool crashed);
void wloop_later(struct world *w, uint64_t in_ms, pending_fn *fn, void *arg);
void wloop_crash(struct world *w);
void wloop_end(struct world *w);

#endif
