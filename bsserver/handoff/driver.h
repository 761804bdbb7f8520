/*
 * bsserver/handoff/driver.h: how one kind of LwM2M Server is told of a device's credential: a row of
 * functions that make requests and read answers, without doing any I/O themselves.
 */
#ifndef BSSERVER_HANDOFF_DRIVER_H
#define BSSERVER_HANDOFF_DRIVER_H

#include "bsserver/handoff/step.h"

enum handoff_mode { HANDOFF_PSK, HANDOFF_RPK, HANDOFF_X509 };

/* What a device registers with. Never a private key: those are the device's alone. Borrowed. */
struct handoff_credential {
	enum handoff_mode mode;
	uint16_t short_server_id;
	const uint8_t *identity; /* PSK: its identity; RPK: SubjectPublicKeyInfo, X.509: the certificate, DER (or none) */
	size_t identity_len;
	const uint8_t *key; /* PSK only */
	size_t key_len;
};

/* As the store keeps it. *out must be empty. */
enum err_code handoff_pack(const struct handoff_credential *c, struct secret *out, struct err *e);
/* *out points into s. ERR_PARSE when it is not exactly one of ours; *out is empty then. */
enum err_code handoff_unpack(const struct secret *s, struct handoff_credential *out, struct err *e);
const char *handoff_mode_name(enum handoff_mode m); /* "psk", "rpk", "x509" */

/* An LwM2M Server of the configuration. Owned by handoff.c; everything but the secrets is for messages too. */
struct handoff_server {
	char *name;
	const struct handoff_driver *driver;
	char *url;	/* without a slash at its end; NULL for a program */
	char *ca_file;	/* NULL: the system's */
	struct secret token; /* of the token file: without its end of line; may be empty */
	char *login;	     /* thingsboard, coiote: instead of a token; NULL */
	struct secret password;
	bool bearer;	      /* thingsboard: the token is one of a login, not an API key */
	char *device_profile; /* thingsboard: of devices that are new to it; NULL: there are to be none */
	char *domain;	      /* coiote: the same */
	char **program;	     /* with its arguments, up to a NULL */
	uint32_t timeout_ms; /* of one request */
	/* http: "METHOD /path" and the body for it; NULL: that call is not served. See http.c */
	char *tell, *tell_body, *drop, *drop_body, *forget, *forget_body, *test, *trigger, *trigger_body;
	bool several; /* http, exec: it keeps several credentials of a device */
	struct handoff_rules rules;
	unsigned holders; /* handoff_server_release() */
};
/* One more, or one less, who uses it: the last one's release wipes and frees it. NULL is fine for release. */
struct handoff_server *handoff_server_hold(struct handoff_server *s);
void handoff_server_release(struct handoff_server *s);

/* What came of HANDOFF_CALL_TRIGGER. */
enum handoff_said {
	HANDOFF_SAID_NO,     /* the server refuses; so does whoever says nothing */
	HANDOFF_SAID_NOBODY, /* the server gave no answer, or one that may be another next time */
	HANDOFF_SAID_CODE,   /* the device answered it code */
	HANDOFF_SAID_YES,    /* it did so; what the device answered it does not tell */
	HANDOFF_SAID_QUEUED, /* the device sleeps: the server has it in line for when it wakes */
	HANDOFF_SAID_ASLEEP, /* the device sleeps, and the server has nothing in line */
	HANDOFF_SAID_ABSENT, /* the device is not registered there now */
	HANDOFF_SAID_SILENT, /* the device did not answer the server */
	HANDOFF_SAID__COUNT
};
struct handoff_heard {
	enum handoff_said said;
	uint8_t code; /* CODE: of the device, as on the wire */
};

#define HANDOFF_INSTANCE_UNKNOWN (-1)

/* What it is about. Borrowed. */
struct handoff_task {
	const struct handoff_server *server;
	enum handoff_call call;
	const char *endpoint;
	const char *account; /* the local name of the account in the device's document */
	uint16_t short_server_id;
	struct handoff_credential cred; /* to be told, or dropped; FORGET, TEST, TRIGGER: zeros */
	unsigned turn; /* requests so far */
	int stage;     /* the driver's own: what its last request was for; 0 at first */
	struct secret grant; /* the driver's own: a token that the server gave for this task. Wiped by whoever runs it */
	/* TRIGGER: which instance of Object 1 the account is, as far as is known; whether it was looked for there */
	int instance;
	bool looked;
	struct handoff_heard heard; /* TRIGGER that is DONE: what it came to */
};

struct handoff_request {
	const char *method;
	struct gbuf url, body;
	const char *type; /* of the body; NULL: there is none */
	struct gbuf authorization; /* the header with its name; empty: there is none */
};
void handoff_request_clear(struct handoff_request *q); /* wipes */
/*
 * Whether it is fit to be sent. ERR_LIMIT, ERR_NO_MEMORY: it is not whole. ERR_INVALID: behind the
 * server's own url its path has "." or ".." between slashes, which stand for another place.
 */
enum err_code handoff_request_check(const struct handoff_request *q, const struct handoff_server *s, struct err *e);

struct handoff_reply {
	long status; /* of HTTP; a program's exit status */
	const char *type;
	const uint8_t *body;
	size_t body_len;
};

enum handoff_word {
	HANDOFF_ASK,   /* *out is to be sent, and the answer comes back here */
	HANDOFF_DONE,
	HANDOFF_NO,    /* it says no: why says what it said */
	HANDOFF_LATER  /* it could not: another time it may */
};

#define HANDOFF_HOLDS(mode) (1U << (mode))
#define HANDOFF_HOLDS_ALL (HANDOFF_HOLDS(HANDOFF_PSK) | HANDOFF_HOLDS(HANDOFF_RPK) | HANDOFF_HOLDS(HANDOFF_X509))

struct handoff_driver {
	const char *name; /* as the configuration spells it */
	bool one_secret;
	bool program; /* the request's body goes to a program, its answer is what that says */
	unsigned modes; /* HANDOFF_HOLDS() of each that it has a place for */
	/* Whether a server's settings make sense; NULL: nothing is to be checked. ERR_INVALID: "setting: reason". */
	enum err_code (*check)(const struct handoff_server *s, struct err *e);
	/* last NULL: the first request. why is filled with NO and LATER, without secrets. */
	enum handoff_word (*next)(struct handoff_task *t, const struct handoff_reply *last, struct handoff_request *out,
	    struct err *why);
	/* Whether that server can send a device a Bootstrap-Request Trigger; NULL: none of its kind can. */
	bool (*can_trigger)(const struct handoff_server *s);
};
bool handoff_can_trigger(const struct handoff_server *s);

extern const struct handoff_driver handoff_leshan, handoff_thingsboard, handoff_coiote, handoff_http, handoff_exec;
const struct handoff_driver *handoff_driver_by_name(const char *name);
const char *handoff_driver_at(size_t i); /* NULL past the end */

/* Driver http: whether its templates can be used at all. ERR_INVALID: "tell: reason". */
enum err_code handoff_http_check(const struct handoff_server *s, struct err *e);

/* For drivers. Octets other than the unreserved ones of RFC 3986 section 2.3 become %XX; appended. */
void handoff_percent_encode(struct gbuf *out, const char *s);
/* The server's url and the path, in which %e is the percent-encoded endpoint. */
void handoff_url(struct handoff_request *q, const struct handoff_task *t, const char *path);
/* The server's token, when it has one. */
void handoff_authorize(struct handoff_request *q, const struct handoff_task *t);
/* What somebody said, for people: the first 200 octets, made harmless; nothing of it when it repeats a key, token or password. */
void handoff_quote(struct gbuf *out, const struct handoff_task *t, const void *said, size_t n);
/* What an unwelcome answer was: "HTTP 400: text of it"; 5xx, 408, 425 and 429 are LATER, all others NO. */
enum handoff_word handoff_unwelcome(const struct handoff_task *t, const struct handoff_reply *r, struct err *why);

#endif
