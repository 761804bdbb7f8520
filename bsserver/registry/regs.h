/*
 * bsserver/registry/regs.h: the table of registrations: by endpoint, by location, and by when they
 * end. Pure: the caller brings the time, and random numbers for locations. Bounded: when it is full
 * a new endpoint is refused, unless one that is not registered any more can go.
 *
 * Times: mono_ms counts from anywhere and rises, wall_ms is 1970 UTC.
 */
#ifndef BSSERVER_REGISTRY_REGS_H
#define BSSERVER_REGISTRY_REGS_H

#include "bsserver/registry/request.h"
#include "lib/base/buf.h"
#include "lib/base/table.h"

#define REG_GRACE_S 93		/* a registration outlives its lifetime by MAX_TRANSMIT_WAIT */
#define REG_AWAKE_MS 93000	/* MAX_TRANSMIT_WAIT (RFC 7252 section 4.8.2) */
#define REG_LOCATION_LEN 12	/* hexadecimal digits behind "rd/" */

enum reg_state {
	REG_REGISTERED,
	REG_EXPIRED,	  /* its lifetime ran out without an Update */
	REG_DEREGISTERED, /* it said so */
	REG__STATES
};
const char *reg_state_name(enum reg_state s); /* "registered", "expired", "deregistered" */
bool reg_state_from_name(const char *name, enum reg_state *out);

/* A list of Objects: devices of one kind share it. */
struct reg_links {
	struct table_node node;
	size_t refs;
	struct reg_objects objects;
	size_t len;
	char text[]; /* as sent, len octets and a NUL */
};

struct reg {
	struct table_node by_endpoint, by_location;
	struct reg *next, **at; /* in its second of the wheel, or among those that ended */
	struct reg_links *links; /* NULL: it sent no list */
	uint64_t location;	 /* 48 bits; never 0 */
	uint64_t due_ms;	 /* mono: when it ends; 0: never */
	int64_t registered_ms, seen_ms; /* wall */
	uint64_t awake_ms;	 /* mono: in queue mode it listens until then */
	int64_t kept_ms;		 /* wall: what is in the store */
	uint64_t seat;		 /* transport's: the session that is kept; 0: none */
	uint32_t lifetime;	 /* seconds; 0: without end */
	uint32_t updates;	 /* since it registered */
	uint16_t server;	 /* instance of Object 1 that obeyed us; 65535: not known */
	uint8_t version;	 /* 10, 11, 12 */
	enum reg_state state : 8;
	bool queue, secure;
	char binding[8];
	char addr[48]; /* it came from, as text, cut; "" after a restart */
	char endpoint[];
};

struct regs;

/* max: endpoints in the table. seed: random, for the hashes. */
enum err_code regs_new(size_t max, uint64_t seed, struct regs **out, struct err *e);
/* So long a device in queue mode listens after it spoke; REG_AWAKE_MS when nothing is said. */
void regs_set_awake(struct regs *t, uint32_t ms);
void regs_free(struct regs *t); /* NULL is fine */

size_t regs_count(const struct regs *t);	  /* endpoints known */
size_t regs_registered(const struct regs *t);	  /* of these registered now */

struct reg *regs_find(const struct regs *t, const char *endpoint);
/* By the text behind "rd/"; NULL when it is none of ours. */
struct reg *regs_at(const struct regs *t, const char *location);
void regs_location(const struct reg *r, char out[REG_LOCATION_LEN + 1]);

struct regs_news {
	const char *endpoint;
	const struct reg_request *request;
	const char *links; /* list of Objects; NULL: none was sent */
	size_t links_len;
	const char *addr;
	bool secure;
	uint64_t random; /* for the location */
	uint64_t mono_ms;
	int64_t wall_ms;
};

/*
 * Registers: what was there of this endpoint is replaced, with a new location; its seat stays, for
 * the caller to change. ERR_PARSE, ERR_LIMIT: the list of Objects. ERR_BUSY: the table is full.
 */
enum err_code regs_register(struct regs *t, const struct regs_news *n, struct reg **out, struct err *e);
/* Update of one that is registered: what is absent stays as it is. ERR_PARSE, ERR_LIMIT: nothing has changed. */
enum err_code regs_update(struct regs *t, struct reg *r, const struct regs_news *n, struct err *e);
/* It ends: it stays in the table as what it was, until its place is needed. */
void regs_end(struct regs *t, struct reg *r, enum reg_state how);
/* Forgets it altogether. */
void regs_remove(struct regs *t, struct reg *r);

/* What was kept before a restart; all strings copied. An endpoint that is there already stays as it is. */
struct regs_kept {
	const char *endpoint, *links;
	uint64_t location;
	int64_t registered_ms, seen_ms;
	uint32_t lifetime;
	uint16_t server;
	uint8_t version;
	enum reg_state state;
	bool queue, secure;
	const char *binding;
};
enum err_code regs_restore(struct regs *t, const struct regs_kept *k, uint64_t mono_ms, int64_t wall_ms, struct err *e);

/* As text, for the store; and back: strings of *out point into text, which is changed. ERR_PARSE. */
void regs_write(const struct reg *r, struct gbuf *out);
enum err_code regs_read(const char *endpoint, char *text, struct regs_kept *out, struct err *e);

/* One whose time is over, still registered: the caller ends it. NULL: none. Ask until NULL. */
struct reg *regs_due(struct regs *t, uint64_t mono_ms);

/* Whether it listens: registered, and not in queue mode or awake. */
bool reg_awake(const struct reg *r, uint64_t mono_ms);

/* All, in no order: *at starts at 0, prev at NULL. Nothing may be added or removed meanwhile. */
struct reg *regs_each(const struct regs *t, size_t *at, struct reg *prev);

#endif
