/*
 * tests/sim/explore.h: what the explorer's files share: plans, the menu of events, one run of the
 * session machine along a path of events, and the oracle that watches it.
 *
 * A path is a list of rows of the menu, and says everything: the same path gives the same run. A
 * state is reached again by walking its path from the start, through the machine's own interface.
 */
#ifndef TESTS_SIM_EXPLORE_H
#define TESTS_SIM_EXPLORE_H

#include "bsserver/bootstrap/session.h"

#define PATH_MAX_EVENTS 160
#define LIST_MAX 24
#define KEY "marked key: 4711"	   /* what must be nowhere afterwards */

/* Bodies of answers, as the device that the oracle keeps would give them, or not. */
enum body {
	NO_BODY,
	WHY,
	SECRET, /* the device repeats the key */
	LIST_FRESH,
	LIST_OLD,	 /* an account of a foreign server */
	LIST_MINE,	 /* an account with our Short Server ID */
	LIST_LEFT,	 /* what our last session left: see struct plan */
	LIST_NO_ACCOUNT, /* no bootstrap account among them */
	LIST_SECRET,
	LIST_TWO, /* two bootstrap accounts */
	LIST_HELD,
	LIST_BARE, /* the same without a content format */
	LIST_LACKING,
	LIST_EXTRA,
	LIST_SSID,
	LIST_LOST,   /* without the bootstrap account that was there */
	LIST_AS_TLV, /* what it holds, called TLV */
	GARBAGE_LIST,
	READ_HELD,
	READ_OTHER,
	READ_LACKING,
	READ_EXTRA,
	READ_MINE,
	READ_LEFT,	/* what our last session left */
	READ_ALERT,	/* the same, and our server has rejected the key since (1/x/11) */
	READ_ELSEWHERE, /* the same, and another server has bootstrapped it since (1/x/12) */
	GARBAGE_TLV,
	AS_TEXT
};

/* What the device is given. */
struct plan {
	const char *name;
	enum profile_policy policy;
	bool verify, server_only; /* server_only: /1 alone, one Write */
	bool vets, inspects, keeps, hands_off;
	bool pair; /* the account is one with a certificate: that is inspected */
	bool time; /* the device is to be given the time first */
	bool account; /* a Resource of the bootstrap account is to be written */
	bool acl;     /* and an instance of /2 */
	bool confirm; /* Lifetime must be confirmed */
	const char *retain;
	int format;
	unsigned refusals; /* of content formats that the device may utter, in Reads and Writes together */
	/*
	 * policy incremental: the device comes back. Its last session ended well and left LIST_LEFT, with an
	 * account of ours and one of a foreign server; it shows shows of /1 (NO_BODY: Read is refused), or it was reset.
	 */
	bool returns;
	enum body shows;
	bool more; /* the profile has one server more by now */
};
extern const struct plan plans[];
extern const size_t n_plans;

struct stim {
	const char *name; /* as in a printed path */
	enum bs_event_type type;
	uint8_t code;
	enum body body;
	enum bs_reason reason;
};
extern const struct stim menu[];
extern const size_t n_menu;
/* -1: there is none of that name. */
int menu_find(const char *name, size_t len);

/* What must always hold. */
enum rule {
	HOLDS,
	R_EARLY,
	R_EARLY_WRITE,
	R_FINISH,
	R_GOES_ON,
	R_PROVISIONED,
	R_WRITTEN,
	R_END,
	R_LATE,
	R_RECORD,
	R_REPLY,
	R_ENDLESS,
	R_SECRET,
	R_TOUCH,
	R_NEEDLESS,
	R_VERDICT,
	R_ACCEPTS,
	R_MERGED,
	R_SETTLE,
	RULES
};
extern const char *const rule_texts[RULES];

struct listed {
	struct lwm2m_path path;
	uint16_t ssid;
	bool written; /* by us */
};

/* The oracle's memory: what was asked and answered, and so what the device holds. */
struct ghost {
	enum bs_action_type waits; /* what the machine asked for last */
	unsigned replies, records;
	uint8_t reply;
	struct bs_send sent; /* without its payload */
	struct lwm2m_tree offered, held;
	struct listed list[LIST_MAX];
	size_t n_list;
	int account;	   /* of the last list before the writes */
	bool discovered;
	bool looking;	   /* before the writes */
	bool listed;	   /* a list was answered in this phase */
	bool read[3];	   /* Read of /1, /2 was answered in this phase */
	bool emptied[3];   /* Delete of a whole Object was answered well, or there was nothing */
	bool right_list, right_read[3], confirmed; /* since the last change */
	unsigned refusals; /* of content formats */
	bool inconsistent; /* 4.06 to Finish was seen */
	bool handed_off;   /* the LwM2M Servers were told */
	bool settled;	   /* that Finish comes was noted */
	bool finished;	   /* 2.04 to Finish */
	bool must_end;	   /* what happened last leaves only the end */
};

struct run;

/* A machine that is wrong on purpose: the oracle must see it. */
struct mutant {
	const char *name;
	const char *plan;
	enum rule rule;
	void (*before)(struct run *r, struct bs_event *ev); /* changes what the machine is told */
	void (*after)(struct run *r, const struct bs_event *ev); /* changes what it did */
	bool half_blind; /* the machine is as it is, but states that differ in what was listed are taken for one */
};
extern const struct mutant mutants[];
extern const size_t n_mutants;

struct run {
	const struct plan *plan;
	const struct mutant *mutant; /* NULL: the machine as it is */
	struct bs_session s;
	struct bs_action act;
	struct ghost g;
	struct lwm2m_tree body; /* what the body of the last answer says, when it is a Read's */
	unsigned steps;
	bool again; /* on the way to a known state: what is costly was looked at when it was walked first */
};

void run_begin(struct run *r, const struct plan *plan, const struct mutant *mutant);
void run_end(struct run *r);
/* One event; HOLDS, or the rule that was broken. */
enum rule run_step(struct run *r, size_t stim);
/* The machine may be given this now, by what it asked for last. */
bool run_takes(const struct run *r, enum bs_event_type type);
/*
 * The device may say this now. What the bodies of answers say is a choice: a list that lacks what was
 * written is offered where something was written, and a second look, after a 4.06, finds what is held.
 */
bool run_offers(const struct run *r, const struct stim *st);
/* Everything that decides how it goes on. */
uint64_t run_hash(const struct run *r);

/* explore_plan.c */
void plan_desired(const struct plan *p, struct profile_desired *d);
void plan_history(const struct plan *p, struct bs_history *h);
/* The body of a row of the menu, appended; its content format. */
int body_write(struct run *r, const struct stim *st, struct gbuf *out);

/* explore_return.c: what the oracle makes of a device that comes back. Nothing unless the plan says so. */
void return_listed(struct run *r, const struct profile_desired *d);
void return_read(struct run *r);
/* A Write, or a Delete of an instance, of what is right already. */
bool return_is_needless(const struct run *r, const struct profile_desired *d, const struct bs_send *s);

/* explore_oracle.c, the last two explore_run.c */
void oracle_begin(struct run *r);
void oracle_event(struct run *r, const struct bs_event *ev);
enum rule oracle_action(struct run *r, const struct bs_event *ev, bool taken);
void oracle_end(struct run *r);
/* Blocks that were freed with the key in them, since the last call, while it was looked for. */
unsigned freed_secrets(void);
void look_for_freed_secrets(bool on);

#endif
