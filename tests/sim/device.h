/*
 * tests/sim/device.h: a simulated LwM2M device on its bootstrap interface. Pure: no I/O, no clock,
 * no threads, and everything random comes from its seed: the same calls give the same bytes.
 *
 * It is written from the protocol and knows nothing of the server under test. Its owner (a "world":
 * a unit test, a fake network, the lwm2m-device program) gives it four callbacks and calls:
 *
 *	d = device_new(&cfg, "urn:dev:1", seed, &ops, arg, &e);
 *	device_start(d, now);			-> ops.open: make a connection, then device_opened()
 *	device_opened(d, now);			-> ops.send: POST /bs?ep=...
 *	device_input(d, now, bytes, n);		-> ops.send: its answers
 *	device_tick(d, now);			when device_next(d) <= now
 *	... ops.event of a final kind (device_event_is_final()), device_outcome(d)
 *	device_free(d);
 *
 * Times are milliseconds of any clock that does not go back. A final outcome does not make it deaf:
 * a provisioned device still answers repeated commands and Finish, until device_free().
 *
 * Callbacks may call device_opened() and device_open_failed() from inside open, as the last thing
 * they do, and nothing else of the same device: queue what you want to feed back.
 */
#ifndef TESTS_SIM_DEVICE_H
#define TESTS_SIM_DEVICE_H

#include "lib/lwm2m/object.h"
#include "lib/lwm2m/tree.h"

struct device;

/* --- What the world gives ----------------------------------------------------------------- */

enum device_event_type {
	DEVICE_EV_REQUEST,  /* POST /bs went out for the first time; attempt counts from 1 */
	DEVICE_EV_ACCEPTED, /* 2.04 to it, or the first command without it */
	DEVICE_EV_COMMAND,  /* a command was answered: step, path, code (0: not answered) */
	DEVICE_EV_LIED,     /* a lie was told in the command that is reported next; text names it */
	DEVICE_EV_FINISH_REJECTED, /* 4.06 was given to Finish, text says why; it goes on */
	DEVICE_EV_COMPLAINT,       /* the server broke a rule: text says which */
	DEVICE_EV_RETRY, /* this attempt is over, the next begins at until_ms; text says why */
	/* the final kinds, once in a device's life */
	DEVICE_EV_PROVISIONED, /* it gave 2.04 to Finish (or took a Bootstrap-Pack) */
	DEVICE_EV_REFUSED,     /* code: the 4.xx or 5.xx that its last attempt got */
	DEVICE_EV_FAILED       /* text: no answer, no session, Finish not good enough, ... */
};

enum device_step {
	DEVICE_REQUEST, /* POST /bs of the device */
	DEVICE_PACK,    /* GET /bspack of the device (1.2) */
	DEVICE_DISCOVER,
	DEVICE_READ,
	DEVICE_WRITE,
	DEVICE_DELETE,
	DEVICE_FINISH,
	DEVICE_OTHER, /* any command that is none of these */
	DEVICE_ANY,   /* in a lie only: every command of the server */
	DEVICE__STEPS
};

struct device_event {
	enum device_event_type type;
	uint64_t now_ms;
	unsigned attempt; /* of the Bootstrap-Request, from 1 */
	enum device_step step;
	uint8_t code;      /* 0x86 is 4.06; 0: none */
	const char *path;  /* "/1/0"; NULL when there is none; valid during the call */
	const char *text;  /* reason; NULL when there is none; valid during the call */
	uint64_t until_ms; /* of DEVICE_EV_RETRY */
};

struct device_ops {
	/* One datagram to the server on the present connection; p is borrowed. */
	void (*send)(void *arg, const uint8_t *p, size_t n);
	/*
	 * A new connection is wanted, with nothing kept of an earlier one: from a new port, or from
	 * the same port (as after a reset, the server still knows the old one: with DTLS a new
	 * handshake without close_notify). The world answers by device_opened() or
	 * device_open_failed(), at once or later.
	 */
	void (*open)(void *arg, bool new_port);
	/* The device is done with its connection and will send no more on it. May be NULL. */
	void (*close)(void *arg);
	/* May be NULL. */
	void (*event)(void *arg, const struct device_event *ev);
};

/* --- How it behaves ------------------------------------------------------------------------ */

enum device_version { DEVICE_1_0 = 10, DEVICE_1_1 = 11, DEVICE_1_2 = 12 };

/* Content formats it can read and write, as bits. Text and Opaque are of single Resources. */
enum device_format {
	DEVICE_TEXT = 1 << 0,
	DEVICE_OPAQUE = 1 << 1,
	DEVICE_CBOR = 1 << 2,
	DEVICE_SENML_JSON = 1 << 3,
	DEVICE_SENML_CBOR = 1 << 4,
	DEVICE_TLV = 1 << 5,
	DEVICE_LWM2M_CBOR = 1 << 6
};

/*
 * Peculiarities of clients that are to be tolerated; device_quirk_at() lists them with what they
 * do. A name is the constant in lower case with dashes: "finish-separate".
 */
enum device_quirk {
	DEVICE_Q_SEPARATE,
	DEVICE_Q_SLOW_SEPARATE,
	DEVICE_Q_SEPARATE_WITHOUT_ACK,
	DEVICE_Q_FINISH_SEPARATE,
	DEVICE_Q_SLOW,
	DEVICE_Q_IGNORE_RETRANSMISSIONS,
	DEVICE_Q_STRICT_ORDER,
	DEVICE_Q_BLOCK_NEW_TOKEN,
	DEVICE_Q_SMALL_BLOCKS,
	DEVICE_Q_SMALL_BUFFER,
	DEVICE_Q_TINY_BUFFER,
	DEVICE_Q_NO_BLOCK1,
	DEVICE_Q_ACCEPT_4_15,
	DEVICE_Q_FORMAT_4_00,
	DEVICE_Q_FORMAT_5_00,
	DEVICE_Q_FORMAT_4_06,
	DEVICE_Q_CREATED_2_01,
	DEVICE_Q_WRITE_MANDATORY_4_00,
	DEVICE_Q_UNKNOWN_OBJECT_4_00,
	DEVICE_Q_UNKNOWN_OBJECT_5_00,
	DEVICE_Q_NO_OBJECT_WRITE,
	DEVICE_Q_NO_RESOURCE_WRITE,
	DEVICE_Q_ONE_ACCOUNT_ONLY,
	DEVICE_Q_NO_DELETE_OBJECT,
	DEVICE_Q_DELETE_MISSING_4_00,
	DEVICE_Q_DELETE_MISSING_4_04,
	DEVICE_Q_DELETE_DEVICE_4_05,
	DEVICE_Q_DELETE_DROPS_DEVICE,
	DEVICE_Q_DELETE_EXPLICIT_ACCOUNT,
	DEVICE_Q_DISCOVER_4_00,
	DEVICE_Q_DISCOVER_4_04,
	DEVICE_Q_DISCOVER_4_05,
	DEVICE_Q_DISCOVER_ROOT_4_00,
	DEVICE_Q_DISCOVER_NO_VERSION,
	DEVICE_Q_DISCOVER_BARE_VERSION,
	DEVICE_Q_DISCOVER_QUOTED_VERSION,
	DEVICE_Q_DISCOVER_SAYS_1_0,
	DEVICE_Q_DISCOVER_OBJECT_LINKS,
	DEVICE_Q_DISCOVER_BLANKS,
	DEVICE_Q_DISCOVER_SLASHES,
	DEVICE_Q_DISCOVER_NO_URI,
	DEVICE_Q_DISCOVER_REVERSED,
	DEVICE_Q_READ_4_00,
	DEVICE_Q_READ_4_05,
	DEVICE_Q_READ_ONLY_2,
	DEVICE_Q_LESHAN_RESOURCES,
	DEVICE_Q_ANJAY_RESOURCES,
	DEVICE_Q_SETS_LAST_BOOTSTRAPPED,
	DEVICE_Q_NEEDS_BINDING_MODES,
	DEVICE_Q_NO_RPK,
	DEVICE_Q_FINISH_UNCHECKED,
	DEVICE_Q_FINISH_ENDS_SESSION,
	DEVICE_Q_FIXED_SESSION_TIMER,
	DEVICE_Q_RETRY_AS_1_0,
	DEVICE_Q_NO_RETRY_AFTER,
	DEVICE_Q_NO_ROLL_BACK,
	DEVICE__QUIRKS
};

struct device_quirks {
	uint64_t bits[(DEVICE__QUIRKS + 63) / 64];
};
bool device_quirk_has(const struct device_quirks *q, enum device_quirk quirk);
void device_quirk_set(struct device_quirks *q, enum device_quirk quirk);
struct device_quirk_name {
	const char *name, *what;
};
const struct device_quirk_name *device_quirk_at(enum device_quirk quirk);
/* By name. ERR_NOT_FOUND names the nearest. */
enum err_code device_quirk_parse(const char *name, struct device_quirks *q, struct err *e);

/*
 * A lie: what the device does wrong, and at which command. In text: STEP[:PATH][#N]=WHAT, such as
 * "write:/1/0=4.00", "discover#2=list-omit", "finish=no-answer", "any#5=restart-new-port". With #N
 * only the N-th matching command of the device's life is lied to (from 1), else every one; a lie
 * that restarts the device happens once in any case. WHAT is a response code (answered, and nothing
 * is done) or a name of device_lie_at(), which says to which steps it belongs.
 */
enum device_lie_kind {
	DEVICE_LIE_CODE,      /* answers code, does nothing */
	DEVICE_LIE_DONE_CODE, /* "done-5.00": does it, and answers code all the same */
	DEVICE_LIE_NO_ANSWER,
	DEVICE_LIE_ACK_ONLY,
	DEVICE_LIE_RST,
	DEVICE_LIE_TWICE,
	DEVICE_LIE_LATE,
	DEVICE_LIE_WRONG_TOKEN,
	DEVICE_LIE_WRONG_CODE,
	DEVICE_LIE_MALFORMED,
	DEVICE_LIE_SILENT,
	DEVICE_LIE_CLOSE,
	DEVICE_LIE_RESTART,
	DEVICE_LIE_RESTART_NEW_PORT,
	DEVICE_LIE_GARBAGE,
	DEVICE_LIE_EMPTY,
	DEVICE_LIE_WRONG_FORMAT,
	DEVICE_LIE_NO_FORMAT,
	DEVICE_LIE_ENDLESS,
	DEVICE_LIE_STORE_NOTHING,
	DEVICE_LIE_STORE_OTHER,
	DEVICE_LIE_STORE_PART,
	DEVICE_LIE_STORE_OTHER_SSID,
	DEVICE_LIE_LIST_EXTRA,
	DEVICE_LIE_LIST_OMIT,
	DEVICE_LIE_LIST_OTHER_SSID,
	DEVICE_LIE_LIST_TWO_ACCOUNTS,
	DEVICE_LIE_READ_OTHER,
	DEVICE_LIE_READ_OMIT,
	DEVICE_LIE_READ_EXTRA,
	DEVICE_LIE_NON,
	DEVICE_LIE_NO_EP,
	DEVICE_LIE__KINDS
};

#define DEVICE_LIES_MAX 8
struct device_lie {
	enum device_step step;
	char path[24]; /* "": any */
	unsigned nth;  /* 0: every one */
	enum device_lie_kind kind;
	uint8_t code;
};
enum err_code device_lie_parse(const char *text, struct device_lie *out, struct err *e);
struct device_lie_name {
	const char *name, *what;
	unsigned steps; /* bits of 1 << enum device_step where it makes sense */
};
const struct device_lie_name *device_lie_at(enum device_lie_kind kind);
const char *device_step_name(enum device_step step); /* "discover" */

/*
 * What a device is made from; borrowed, so that thousands share one. Start from
 * device_config_init(), then perhaps device_config_like(), then change what you want.
 */
struct device_config {
	const struct lwm2m_model *model; /* built in */
	enum device_version version;     /* 1.1 */
	bool merges;          /* a Write to an instance that is there: false replaces it */
	unsigned formats;     /* DEVICE_* bits; 1.1: all but LwM2M CBOR */
	uint16_t pct;         /* in the Bootstrap-Request; 0: none */
	uint16_t read_format; /* of a Read without Accept; must be among formats */
	struct device_quirks quirks;
	struct device_lie lies[DEVICE_LIES_MAX];
	size_t n_lies;
	uint16_t without[16]; /* Objects it lacks altogether */
	size_t n_without;
	const struct lwm2m_tree *initial; /* what it holds at first; see device_factory_tree() */
	const char *query;                /* more of the Bootstrap-Request's query, "x=1"; NULL */

	uint32_t ack_timeout_ms; /* 2000, times 1..1.5 */
	unsigned max_retransmit; /* 4 */
	uint32_t response_ms;    /* 93000: how long it waits for a separate response */
	uint32_t session_ms;     /* 247000 without a command: the session is over */
	uint32_t hold_off_ms;    /* 0: before the first request */
	uint32_t retry_ms;       /* 10000: first back-off, doubled for each, times 1..1.5 */
	uint32_t retry_max_ms;   /* 600000 */
	unsigned max_attempts;   /* 1 */
	uint32_t slow_ms;        /* 3000: of quirks and lies that are slow */
	int64_t wall_s;          /* seconds since 1970 at time 0: for Last Bootstrapped */
};
void device_config_init(struct device_config *cfg);
/*
 * Makes it like a known client, by name ("anjay", "anjay-lite", "leshan", "wakaama", "zephyr",
 * "modem-1.0"): version, formats, quirks, timers. ERR_NOT_FOUND names the nearest.
 */
enum err_code device_config_like(struct device_config *cfg, const char *name, struct err *e);
const char *device_like_at(size_t i); /* NULL past the end */

/* --- What it holds -------------------------------------------------------------------------- */

struct device_factory {
	uint16_t account;     /* Object Instance of the bootstrap account: 0 or 1 usually */
	const char *uri;      /* "coaps://bs.example.com" */
	int mode;             /* 0 PSK, 3 NoSec */
	const char *identity; /* PSK; NULL: empty */
	const void *key;
	size_t key_len;
	int64_t hold_off; /* 0/x/11; -1: absent */
};
/* A device as it leaves the factory: its bootstrap account and /3/0. t must be empty. */
enum err_code device_factory_tree(
    struct lwm2m_tree *t, const struct device_factory *f, struct err *e);
/* A NoSec server account more: /0/{security} and /1/{server}. For devices that were provisioned
 * before. */
enum err_code device_add_account(struct lwm2m_tree *t, uint16_t security, uint16_t server,
    uint16_t ssid, const char *uri, struct err *e);
/* Access Control: /2/{iid} for the instance, with one entry for one Short Server ID (0: none). */
enum err_code device_add_acl(struct lwm2m_tree *t, uint16_t iid, struct lwm2m_path target,
    uint16_t owner, uint16_t ssid, int64_t rights, struct err *e);

/*
 * A tree as JSON: { "/0/0/0": "coap://[::1]", "/0/0/1": true, "/2/0/2/101": 15, "/1/0/10": "11:0",
 * "/0/0/5": { "hex": "00ff" }, "/5/0": {} }. Types are the model's. Printed opaque values, and
 * others that the model calls secret, are {"bytes": 16} unless secrets is true.
 */
enum err_code device_tree_load(
    const struct lwm2m_model *m, const char *json, size_t n, struct lwm2m_tree *out, struct err *e);
void device_tree_print(
    const struct lwm2m_model *m, const struct lwm2m_tree *t, bool secrets, struct gbuf *out);

/*
 * Is the tree one that a client would be content with at Finish? Fills why ("/1/0: no Lifetime")
 * and returns false when not. Of cfg the version, the model and some quirks matter.
 */
bool device_tree_is_consistent(
    const struct device_config *cfg, const struct lwm2m_tree *t, struct gbuf *why);

/* --- The device ------------------------------------------------------------------------------ */

enum device_outcome {
	DEVICE_PENDING,
	DEVICE_WAS_PROVISIONED,
	DEVICE_WAS_REFUSED,
	DEVICE_HAS_FAILED
};

struct device_stats {
	unsigned attempts; /* Bootstrap-Requests, each counted once */
	unsigned commands; /* answered commands of the server: exchanges without the request */
	unsigned writes, deletes; /* of these; each block of a Write counts */
	unsigned received, sent;  /* datagrams */
	unsigned retransmissions; /* of ours */
	unsigned duplicates;      /* of theirs */
	unsigned malformed;       /* datagrams that were no CoAP */
	unsigned complaints;
	unsigned lies;
};

/*
 * cfg (with its initial tree) and ops are borrowed until device_free(); endpoint is copied, NULL leaves ep out of the request.
 * NULL when memory is short.
 */
struct device *device_new(const struct device_config *cfg, const char *endpoint, uint64_t seed,
    const struct device_ops *ops, void *arg, struct err *e);
void device_free(struct device *d); /* wipes; no callback; NULL is fine */

/* Begins, after the hold-off. Again after a final outcome: it bootstraps anew with what it holds
 * now. */
void device_start(struct device *d, uint64_t now_ms);
/* The connection that was asked for is there; or is not: counts as a failed attempt. */
void device_opened(struct device *d, uint64_t now_ms);
void device_open_failed(struct device *d, uint64_t now_ms, const char *why);
/* A datagram from the server. From anybody else: do not feed it. Any bytes are safe. */
void device_input(struct device *d, uint64_t now_ms, const uint8_t *p, size_t n);
/* The connection is gone (close_notify, alert, port unreachable). */
void device_closed(struct device *d, uint64_t now_ms, const char *why);
void device_tick(struct device *d, uint64_t now_ms);
/* When device_tick() has something to do; UINT64_MAX: never. */
uint64_t device_next(const struct device *d);
/* Loses power and comes back at once: what was written in an unfinished session is lost. */
void device_restart(struct device *d, uint64_t now_ms, bool new_port);

/*
 * Nothing of it is under way: no answer that waits to be sent or acknowledged. A world that frees
 * devices when they are final waits for this, and with a lossy network some time longer: the server
 * may not have got the last answer.
 */
bool device_is_quiet(const struct device *d);

enum device_outcome device_outcome(const struct device *d);
/* What it holds now; after a session that did not finish, what it held before. Valid until the next
 * call. */
const struct lwm2m_tree *device_tree(const struct device *d);
struct lwm2m_tree *device_tree_mutable(struct device *d); /* to break things between sessions */
const struct device_stats *device_stats(const struct device *d);
const char *device_endpoint(const struct device *d); /* "" when it has none */
/* The text of its final event, "" before. */
const char *device_reason(const struct device *d);
uint8_t device_code(const struct device *d); /* of DEVICE_WAS_REFUSED */
static inline bool
device_event_is_final(const struct device_event *ev)
{
	return ev->type >= DEVICE_EV_PROVISIONED;
}

#endif
