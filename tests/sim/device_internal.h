/* tests/sim/device_internal.h: what the files of the simulated device share. */
#ifndef TESTS_SIM_DEVICE_INTERNAL_H
#define TESTS_SIM_DEVICE_INTERNAL_H

#include "tests/sim/coapmsg.h"
#include "tests/sim/device.h"

#define DEVICE_NEVER UINT64_MAX
#define DEVICE_REMEMBERED 8         /* answers kept for repeated commands */
#define DEVICE_REMEMBERED_MS 247000 /* EXCHANGE_LIFETIME */
#define DEVICE_BODY_MAX (64 * 1024) /* of a Write in blocks */
#define DEVICE_BLOCK_SZX 6          /* 1024 octets */

enum device_state {
	DEVICE_IDLE,       /* not started, or over */
	DEVICE_WAITING,    /* hold-off or back-off: until timer */
	DEVICE_OPENING,    /* the world makes a connection */
	DEVICE_REQUESTING, /* GET /bspack or POST /bs went out */
	DEVICE_IN_SESSION, /* 2.04 to the request; timer: the session's end */
	DEVICE_DEAF        /* in a session, and answers nothing any more */
};

/* What was answered to a command, for when it comes again. */
struct device_memory {
	uint64_t until_ms;
	uint16_t mid;
	struct gbuf answer; /* empty: nothing was answered, and nothing is */
};

/* A message of ours that wants an ACK. */
struct device_outgoing {
	struct gbuf bytes; /* empty: none */
	uint16_t mid;
	unsigned sent;       /* times */
	uint64_t due_ms;     /* of the next time; UINT64_MAX once acknowledged */
	uint32_t timeout_ms; /* the present one */
};

struct device {
	const struct device_config *cfg;
	const struct device_ops *ops;
	void *arg;
	char *endpoint;
	uint64_t random;

	enum device_state state;
	enum device_outcome outcome;
	struct gbuf reason;
	uint8_t code;
	bool connected; /* open was answered */
	bool as_1_0;    /* the present attempt leaves out pct */
	bool no_pack;   /* the server has no /bspack */
	bool reopen_new_port;

	unsigned attempt;               /* of this start */
	unsigned failures;              /* attempts that came to nothing */
	uint64_t timer;                 /* of WAITING, IN_SESSION, DEAF; UINT64_MAX: none */
	uint64_t response_by;           /* of REQUESTING after an empty ACK */
	struct lwm2m_tree tree, before; /* before: what a failed session falls back to */
	bool wrote;                     /* tree may differ from before */
	bool borrowed;                  /* tree is the configuration's own */
	bool before_is_initial;         /* what a failed session falls back to is that one */

	uint16_t next_mid;
	uint8_t token[4]; /* of our request */
	struct device_outgoing request, answer;
	struct gbuf delayed; /* an answer that waits for delayed_at */
	uint64_t delayed_at;
	bool delayed_confirmable;
	uint16_t delayed_mid;
	struct gbuf pack; /* blocks of a Bootstrap-Pack so far */

	struct device_memory memory[DEVICE_REMEMBERED];
	unsigned memory_at;
	struct coapmsg_body body; /* of a Write in blocks */
	struct gbuf page;         /* of a Discover or Read in blocks */
	struct gbuf page_path;
	uint16_t page_format;
	bool page_endless;                /* a lie: blocks without end */
	bool finished;                    /* what is being answered is a good Finish */
	enum device_lie_kind request_lie; /* of the present request; DEVICE_LIE__KINDS: none */
	unsigned lie_hits[DEVICE_LIES_MAX];
	struct device_stats stats;
};

/* A command of the server and what is to be said to it. */
struct device_command {
	const struct coapmsg *msg;
	enum device_step step;
	struct gbuf *path;    /* as text */
	struct lwm2m_path at; /* when path_ok */
	bool path_ok;
	const uint8_t *body; /* whole */
	size_t body_len;
	const struct device_lie *lie; /* NULL: none */

	uint8_t code;
	int32_t format; /* -1: none */
	struct gbuf payload;
	bool finish_over; /* a 4.06 that ends the session */
	bool has_block1, has_block2;
	struct coapmsg_block block1, block2; /* as asked, then as answered */
};

/* device_lie.c */
/* The lie that is due, counted; NULL for none. path may be NULL. */
const struct device_lie *device_lie_due(struct device *d, enum device_step step, const char *path);
/* Changes what was decoded from a Write, before it is stored. */
void device_lie_about_write(struct lwm2m_tree *t, enum device_lie_kind kind);
/* Changes a copy of the tree, from which a Discover or Read is then answered. */
void device_lie_about_tree(struct lwm2m_tree *t, enum device_lie_kind kind);

/* device_cmd.c: fills code, format and payload of c, and changes the tree. */
void device_execute(struct device *d, struct device_command *c, uint64_t now_ms);
/* Takes a Bootstrap-Pack's content. */
bool device_take_pack(struct device *d, uint16_t format, const uint8_t *p, size_t n, struct err *e);

/* device_show.c */
void device_discover(struct device *d, struct device_command *c, const struct lwm2m_tree *t);
void device_read(struct device *d, struct device_command *c, const struct lwm2m_tree *t);

/* device_answer.c */
void device_command(struct device *d, const struct coapmsg *m, uint64_t now_ms);

/* device_request.c */
void device_begin_request(struct device *d, uint64_t now_ms);
void device_accepted(struct device *d, uint64_t now_ms); /* 2.04, or a command that implies it */
void device_refused(struct device *d, const struct coapmsg *m, uint64_t now_ms);
void device_pack_answered(struct device *d, const struct coapmsg *m, uint64_t now_ms);

/* device.c */
uint64_t device_random64(struct device *d);
void device_send(struct device *d, const struct gbuf *bytes);
void device_send_empty(struct device *d, enum coapmsg_type type, uint16_t mid);
void device_emit(struct device *d, struct device_event ev);
void device_complain(struct device *d, uint64_t now_ms, const char *path, const char *text);
void device_outgoing_start(struct device *d, struct device_outgoing *o, uint64_t now_ms);
void device_outgoing_stop(struct device_outgoing *o);
void device_roll_back(struct device *d);
void device_provisioned(struct device *d, uint64_t now_ms);
/* The attempt is over without success: falls back, and tries again or gives up. */
void device_attempt_failed(struct device *d, uint64_t now_ms, uint64_t wait_ms, const char *why);
void device_give_up(struct device *d, uint64_t now_ms, const char *why);
void device_will_write(struct device *d); /* before the tree changes */
void device_delay(
    struct device *d, const struct gbuf *bytes, bool confirmable, uint16_t mid, uint64_t at_ms);
bool device_has(const struct device *d, enum device_quirk quirk);
bool device_lacks_object(const struct device_config *cfg, uint16_t oid);
unsigned device_format_bit(uint16_t number);
/* Does the client keep this resource at all, or drop it unseen? */
bool device_knows(const struct device_config *cfg, const struct lwm2m_path *p);
/* The bootstrap account: the /0 instance whose resource 1 is true; false when there is none. */
bool device_account(const struct lwm2m_tree *t, uint16_t *iid);

#endif
