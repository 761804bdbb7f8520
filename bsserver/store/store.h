/*
 * bsserver/store/store.h: what is kept, and what a back end is.
 *
 * Every call is answered later by its callback, on the loop, never from inside the call, in order
 * of submission per kind (writes among themselves, gets of one device or profile among themselves,
 * lists among themselves); a read submitted after a write was answered sees it. Changes are durable
 * when their callback says ERR_OK: not before. Each change gets the next number of one rising
 * sequence; the same numbers are the revisions of what they changed. STORE_UNCHANGED takes no number.
 * Secrets are sealed at rest (AES-256-GCM under the store's key, bound to their row).
 *
 * Arguments are borrowed for the call unless a comment says longer. A callback's e is NULL with
 * ERR_OK. Any call may be answered with ERR_BUSY (too much waits), ERR_IO (the disk; the text says
 * whether it is full: nothing of that change was kept, and later ones work when there is room),
 * ERR_NO_MEMORY, or ERR_CLOSED when the store closes.
 */
#ifndef BSSERVER_STORE_STORE_H
#define BSSERVER_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "bsserver/bootstrap/record.h"
#include "lib/base/crypt.h"
#include "lib/base/err.h"
#include "lib/base/secret.h"

struct store;
struct loop;

enum store_state { STORE_ACTIVE, STORE_BLOCKED, STORE_RETIRED };

/*
 * What an operator wants the next session of a device to do besides. One of each kind is kept; a
 * newer one takes the place of the older.
 */
enum store_wish_kind {
	STORE_WISH_ROLLBACK, /* what an earlier session left is restored */
	STORE_WISH_HANDOVER, /* the bootstrap account is replaced */
	STORE_WISH__COUNT
};

struct store_wish {
	uint64_t number; /* of the change that made it; 0: there is none */
	int64_t asked_ms;
	char *actor;
	char *profile;	       /* HANDOVER: the shared profile with the new account */
	uint64_t session;      /* ROLLBACK: whose; of struct store_held */
	bool with_credentials; /* ROLLBACK: the keys as well */
	/* A rollback stays when it was done, so that the device is not brought forward again: */
	uint64_t done_session;	/* 0: still to come */
	uint64_t done_revision; /* the newest change of document and parents then; it holds as long as there is none newer */
};
void store_wish_clear(struct store_wish *w);

/*
 * A key that was in a document and is no more. Kept for each device and profile, the newest 256; one
 * that is put again is withdrawn no longer.
 */
enum store_withdrawal {
	STORE_KEY_IN_FORCE,
	STORE_KEY_REPLACED, /* another key took its place */
	STORE_KEY_REMOVED	/* its account went, or its profile */
};
struct store_withdrawn {
	enum store_withdrawal why;
	uint64_t number; /* of the change that withdrew it */
	int64_t at_ms;
	char *owner, *slot; /* where it was: an endpoint or a profile's name */
	char *actor;
};

/*
 * What a device was seen to hold at the end of a session, and what was wanted of it. Sessions in a
 * row that left the same share one: it has the first one's number, and is otherwise the newest's.
 */
struct store_held {
	uint64_t session, last_session; /* the first and the newest that left it so */
	int64_t at_ms;			/* when the first ended */
	int64_t started_ms, last_ms;	/* when the newest began and ended */
	bool good;			/* false: that session came to nothing, and this is what it saw */
	bool restored;			/* a rollback was written, not what the profile said */
	uint64_t revision;
	char *profile, *fingerprints, *expiries, *placed; /* as in bs_record; NULL */
	char *links, *values; /* as in bs_held; NULL: not known */
	unsigned read;
	uint64_t likeness;    /* of struct store_outcome */
	char *findings;	      /* as the session told them, JSON; NULL */
	struct secret wrote;  /* profile_desired_pack() of what was wanted; empty in lists */
	/* The gravest case among the keys of fingerprints, then the newest. Only of store_device.restore and held_get. */
	struct store_withdrawn withdrawn;
};
void store_held_clear(struct store_held *h);

/* Strings are owned by the struct unless a call says that it borrows. */
struct store_device {
	char *endpoint;
	char *doc;	   /* its profile document, JSON, without secrets: they are credentials */
	uint64_t revision; /* of doc or credentials: the newest */
	enum store_state state;
	int64_t created_ms, updated_ms;
	struct secret compiled; /* profile_desired_pack() of it, as ports made it; may be empty */
	char *compiled_key;	/* what it was compiled from, ports' own; NULL */
	/* of its sessions */
	uint64_t last_session;
	enum bs_verdict last_verdict;
	enum bs_reason last_reason;
	int64_t last_ended_ms;
	int remembered_format;	     /* -1 */
	uint64_t confirmed_revision; /* of the last session that ended `provisioned` */
	uint32_t failures;	     /* in a row */
	unsigned recent_good;	     /* sessions of the last 24 h that ended well, of those kept. Not in lists */
	struct store_wish wishes[STORE_WISH__COUNT];
	struct store_held held;	   /* the newest that a good session left; session 0: none. Not in lists */
	struct store_held restore; /* what the wish for a rollback is about; session 0: none. Not in lists */
};
void store_device_clear(struct store_device *d);

/* The slot of what a device knocks with (PROFILE_SLOT_BOOTSTRAP of profiles/profile.h). */
#define STORE_SLOT_BOOTSTRAP "credentials/bootstrap/key"
/* The slot of what it registers with at our own registry. */
#define STORE_SLOT_REGISTRY "servers/registry/security/key"

/* A key of a device or of a shared profile. slot: as above, or "servers/dm/security/key". */
struct store_credential {
	char *owner; /* endpoint or name of the profile; ignored in a change: it is the change's name */
	char *slot;
	/*
	 * STORE_SLOT_BOOTSTRAP: the PSK identity, octets in UTF-8, or with an empty key the name of a
	 * certificate or raw public key (auth_pin()); unique in the store. NULL otherwise.
	 */
	char *identity;
	struct secret key;
	char fingerprint[CRYPT_FP_LEN + 1]; /* the store's; ignored in a change */
	uint64_t revision;		    /* of the change that set it; ignored in a change */
	bool generated;			    /* made by us, once */
};
void store_credential_clear(struct store_credential *c);

/* What operators said of a trust anchor, and who has to do with it. */
struct store_anchor {
	char *sha256;	   /* of the certificate, lower-case hex */
	char *trust;	   /* which trust of the configuration it is in; NULL: nobody said anything of it */
	struct secret der; /* the certificate; empty likewise */
	bool retired;
	uint64_t number;   /* of the change that said so */
	int64_t at_ms;
	char *actor;
	char *subject;	   /* as devices were given it; NULL */
	int64_t not_after; /* likewise, s since 1970; 0 */
	uint64_t under, given; /* devices (not retired ones) that came under it the last time; were given it */
};
void store_anchor_clear(struct store_anchor *a);

/* One certificate that a device was given, or the anchor that it came under. */
struct store_given {
	uint64_t id;  /* of the row, rising */
	char *endpoint; /* NULL: nobody's, of "issued" */
	char *kind;   /* "under", as handout_kind_name(), "issued", or "unknown": what an older program left */
	char *path;   /* "/0/1/4"; "" of "under"; of "issued" "SERIAL by ISSUER", or "" when an older program noted it */
	char *sha256; /* or another digest, where only that is known; "" of "unknown" */
	char *subject; /* NULL */
	int64_t not_after; /* s since 1970; 0: not known */
	uint64_t session; /* 0 of "issued" */
	int64_t at_ms;
};
#define STORE_ISSUED_BY " by "
void store_given_clear(struct store_given *g);

struct store_profile {
	char *name, *doc;
	uint64_t revision;
	int64_t updated_ms;
};
void store_profile_clear(struct store_profile *p);

/* One change; a batch is applied whole or not at all. Borrowed until the callback. */
enum store_op {
	STORE_PUT_DEVICE,
	STORE_RM_DEVICE,
	STORE_PUT_PROFILE,
	STORE_RM_PROFILE,
	STORE_SET_STATE,
	STORE_SET_WISH,
	STORE_ISSUE,  /* a certificate was issued: name is its SHA-256 in lower-case hex, issued the rest */
	STORE_REVOKE, /* a certificate: name is its SHA-256 in lower-case hex, detail who said so */
	/*
	 * A trust anchor: name is its SHA-256, anchor the rest. One that was retired can be put again.
	 * ERR_REFUSED, unless forced, while devices (that are not retired themselves) came under it the
	 * last time or were given it, or it is not known of them: names how many and the first.
	 */
	STORE_PUT_ANCHOR,
	STORE_RETIRE_ANCHOR
};
struct store_change {
	enum store_op op;
	const char *name;	 /* endpoint or profile name */
	const char *detail;	 /* REVOKE; NULL */
	const struct store_anchor *anchor; /* PUT_, RETIRE_ANCHOR: trust and der */
	bool force;			   /* RETIRE_ANCHOR */
	const struct store_given *issued;  /* ISSUE: subject and not_after */
	const char *doc;	 /* PUT: without secrets */
	const struct store_credential *credentials; /* PUT: all that it has now; those neither named
						     * here nor in keep_slots are removed */
	size_t n_credentials;
	/*
	 * PUT: slots to be kept as they are when they are there; a credential of such a slot is put
	 * only when it is not. So a key that is generated once is offered with every PUT.
	 */
	const char *const *keep_slots;
	size_t n_keep_slots;
	const struct secret *compiled; /* PUT_DEVICE; NULL none: what was there stays when nothing else changes */
	const char *compiled_key;
	enum store_state state;	   /* SET_STATE */
	/*
	 * SET_WISH: of wish only profile, session and with_credentials count; NULL takes back what is
	 * wanted. A session that left nothing that is kept is ERR_NOT_FOUND.
	 */
	enum store_wish_kind wish_kind;
	const struct store_wish *wish;
	uint64_t expect_revision;  /* 0: any; otherwise ERR_CONFLICT unless it is that now */
	bool must_be_new;	   /* ERR_EXISTS when it is there */
};

struct store_actor {
	const char *name;   /* "uid 0 (root)", "system" */
	const char *reason; /* of --reason; NULL */
};

enum store_result_kind { STORE_CREATED, STORE_UPDATED, STORE_UNCHANGED, STORE_REMOVED };
struct store_result {
	enum store_result_kind kind;
	uint64_t revision; /* of it now (of a removed one: the number of the removal) */
};

/*
 * How far it is with telling an LwM2M Server of a device's credential. Numbers are kept in stores: new
 * ones go to the end. Who goes from which to which is bsserver/handoff/step.c.
 */
enum store_handoff_state {
	STORE_HANDOFF_HELD,	 /* nothing is under way: the server knows `known`, and will hear of `other` */
	STORE_HANDOFF_INTENT,	 /* a session is about to tell it `other` */
	STORE_HANDOFF_TOLD,	 /* it knows `other`, the device does not yet */
	STORE_HANDOFF_FINISHING, /* Finish was begun, and its answer is not known: the device has one of the two */
	STORE_HANDOFF_LATE,	 /* the device has `other`, the server is still to hear of it */
	STORE_HANDOFF_RETURNING, /* the session came to nothing: the server is to have `known` again */
	STORE_HANDOFF_RETIRING,	 /* both have `known`; `other` is the old one, to be taken from the server when it is due */
	STORE_HANDOFF_SETTLED,	 /* both have `known` */
	STORE_HANDOFF_LEAVING,	 /* the device is gone: the server is to forget it */
	STORE_HANDOFF__COUNT
};

/* One for each device and LwM2M Server of the configuration that is told of its credentials. */
struct store_handoff {
	char *endpoint, *target; /* target: by the name of the configuration */
	char *server;		 /* the local name of the account in the device's document */
	uint16_t short_server_id;
	enum store_handoff_state state;
	bool late;	  /* the server is told after Finish */
	uint64_t version; /* rises by one with each put */
	uint64_t session; /* the newest that it was about; 0: none */
	int64_t since_ms;   /* when it came into this state */
	int64_t settled_ms; /* since when device and server have `known`; 0: never */
	int64_t due_ms;	    /* when something is to be done next; 0: nothing is */
	unsigned attempts;  /* of what is to be done now */
	char *error;	    /* what the server said last, when that was not good; NULL */
	struct secret known, other; /* as bsserver/handoff packs them; either may be empty */
	char known_fp[CRYPT_FP_LEN + 1], other_fp[CRYPT_FP_LEN + 1]; /* their fingerprints; "" */
};
void store_handoff_clear(struct store_handoff *h);

/* Which of them. */
struct store_handoff_page {
	const char *endpoint; /* NULL: of all devices */
	const char *after_endpoint, *after_target; /* continue behind this one; NULL from the start */
	int64_t due_until_ms; /* only what is due by then; 0: whatever there is */
	unsigned limit;	      /* 1..1000 */
	bool secrets;	      /* known and other are wanted */
};

/* What a session leaves besides its record. Borrowed for the call. */
struct store_outcome {
	const char *links, *values; /* as in bs_held; both NULL: nothing was seen */
	unsigned read;
	uint64_t likeness; /* the same number: what was held is the same, though not to the letter */
	const char *placed, *expiries, *findings; /* NULL */
	bool restored;
	const struct secret *wrote; /* profile_desired_pack() of what was wanted; NULL: cannot be restored later */
	uint64_t same_wrote; /* of store_held.session, whose wrote is known to be equal to this one; 0: not known */
	uint64_t fulfilled[STORE_WISH__COUNT]; /* numbers of the wishes that it was about; 0: none of that kind */
	uint64_t wanted_revision; /* the newest change of document and parents, whatever was restored */
};

struct store_session_row {
	struct bs_record rec;  /* without entries */
	char *transcript;      /* JSON array; only by session_get */
};
void store_session_row_clear(struct store_session_row *r);

struct store_audit_row {
	uint64_t seq;
	int64_t at_ms;
	char *actor;  /* who */
	char *action; /* "device.create", .update, .remove, .state, .rollback, .handover; "profile.create", .update, .remove; "certificate.revoke"; "anchor.add", .retire */
	char *object; /* endpoint, name, or SHA-256 of a certificate */
	char *detail; /* which credentials, by fingerprint; which state; NULL */
	char *reason; /* as the actor gave it; NULL */
};
void store_audit_row_clear(struct store_audit_row *r);

struct store_page { /* what a list asks for */
	const char *glob;   /* endpoint, name or object, as str_glob(); NULL all */
	const char *after;  /* continue behind this key; NULL from the start */
	unsigned limit;	    /* 1..1000 */
	const char *profile; /* devices: whose document extends this; NULL any */
	const char *anchor;  /* devices, given: that came under it or were given it; SHA-256; NULL any */
	int64_t until_s;     /* given: certificates that end by then; 0 any */
	uint64_t after_id;   /* given: behind this row */
	int verdict;	     /* sessions: enum bs_verdict, -1 any */
	int64_t since_ms;    /* sessions, audit; 0 any */
	uint64_t before_id;  /* sessions, audit: older than this; 0 newest */
};

/*
 * What a callback gets is borrowed for the callback; it may take an element by clearing the original
 * (*d = (struct store_device){ 0 }). A get that finds nothing is ERR_NOT_FOUND; a list is just empty.
 */
typedef void store_done_fn(void *arg, enum err_code rc, const struct err *e);
typedef void store_apply_fn(void *arg, enum err_code rc, const struct err *e, size_t failed_at,
    const struct store_result *results, size_t n);
typedef void store_device_fn(void *arg, enum err_code rc, const struct err *e, struct store_device *d,
    struct store_credential *creds, size_t n_creds);
typedef void store_profile_fn(void *arg, enum err_code rc, const struct err *e, struct store_profile *p,
    struct store_credential *creds, size_t n_creds);
typedef void store_devices_fn(void *arg, enum err_code rc, const struct err *e, struct store_device *v, size_t n,
    bool more);
typedef void store_profiles_fn(void *arg, enum err_code rc, const struct err *e, struct store_profile *v, size_t n,
    bool more);
typedef void store_sessions_fn(void *arg, enum err_code rc, const struct err *e, struct store_session_row *v,
    size_t n, bool more);
typedef void store_audit_fn(void *arg, enum err_code rc, const struct err *e, struct store_audit_row *v, size_t n,
    bool more);
typedef void store_handoffs_fn(void *arg, enum err_code rc, const struct err *e, struct store_handoff *v, size_t n,
    bool more);
typedef void store_held_fn(void *arg, enum err_code rc, const struct err *e, struct store_held *v, size_t n, bool more);
typedef void store_anchors_fn(void *arg, enum err_code rc, const struct err *e, struct store_anchor *v, size_t n,
    bool more);
typedef void store_given_fn(void *arg, enum err_code rc, const struct err *e, struct store_given *v, size_t n, bool more);
struct store_counts {
	uint64_t devices, profiles, sessions, seq;
	uint64_t by_verdict[BS_VERDICT__COUNT]; /* devices by their last verdict */
};
typedef void store_counts_fn(void *arg, enum err_code rc, const struct err *e, const struct store_counts *c);

/* Who may knock: everything auth and lookup keep in memory. Called on the loop. */
enum store_feed_kind {
	STORE_FEED_IDENTITY,	/* name: endpoint; identity and key: a bootstrap PSK, new or changed */
	STORE_FEED_NO_IDENTITY, /* name: endpoint; identity: no longer valid */
	STORE_FEED_REGISTRY_KEY, /* name: endpoint; key and identity (or NULL): of STORE_SLOT_REGISTRY; key NULL: none any more */
	STORE_FEED_STATE,	/* name: endpoint; state */
	STORE_FEED_DEVICE,	/* name: endpoint: document or credentials changed */
	STORE_FEED_NO_DEVICE,
	STORE_FEED_PROFILE,	/* name, doc, revision: new or changed */
	STORE_FEED_NO_PROFILE,
	STORE_FEED_ANCHOR, /* name: SHA-256; identity: its trust; key: the certificate; state: ACTIVE, RETIRED; at_ms: since */
	STORE_FEED_REVOKED, /* name: SHA-256 of a certificate; doc: who said so, and when */
};
struct store_feed {
	enum store_feed_kind kind;
	uint64_t seq;
	const char *name, *identity, *doc;
	const struct secret *key;
	enum store_state state;
	uint64_t revision;			    /* PROFILE */
	int64_t at_ms;				    /* ANCHOR */
	const struct store_credential *credentials; /* PROFILE: all its keys, opened */
	size_t n_credentials;
};
typedef void store_feed_fn(void *arg, const struct store_feed *f);

/*
 * What another part of the daemon keeps of its own, in its own words: text by name and number. Not
 * sealed: no secrets. In lists by name, then number.
 */
enum store_note_kind {
	STORE_NOTE_REGISTRATION, /* registry: name is the endpoint, number 0 */
	STORE_NOTE_JOB,		 /* registry: name is the job's, number 0 the job, 1... its devices */
};
#define STORE_NOTE_ALL (-1)
struct store_note {
	enum store_note_kind kind;
	const char *name;
	int64_t number;
	const char *text; /* NULL in a put: it goes; with STORE_NOTE_ALL all of that name */
};
typedef void store_notes_fn(void *arg, enum err_code rc, const struct err *e, const struct store_note *v, size_t n);

struct store_conf {
	const char *uri;      /* "sqlite:/var/lib/bsserver/store.db" */
	const char *key_file; /* sealing key, 32 bytes in hex, mode 0600 or 0400 */
	bool create;	      /* make store and schema when the file is not there; never makes a key */
	unsigned max_queue;   /* writes waiting, and reads; more are ERR_BUSY. 0: default 65536 */
	/*
	 * Kept per device, older ones go. 0: default 20. Of all devices together half of that is kept on
	 * average (but 1000 in any case): the oldest of all go, though never a device's newest.
	 */
	unsigned max_sessions;
	/* Kept of peers that did not prove to be a device of ours, all together. 0: default 5000 */
	unsigned max_stray_sessions;
	/* What good sessions left, per device, older ones go (not what a rollback is about). 0: default 10. */
	unsigned max_held;
	size_t max_hot; /* octets of devices that were looked at lately, kept in memory. 0: default 24 MiB */
};

struct store_ops {
	const char *name; /* "sqlite" */
	/*
	 * Blocking, at start only. Refuses: a key that is not the one the store was made with (names
	 * both ids), a missing key, a newer schema, a damaged file. Then calls feed for everything
	 * there is, and later for every change after it was committed, before its callback. One store is open
	 * in one process at a time (ERR_BUSY). A store of an older schema is copied to FILE.schema-N and brought up.
	 */
	enum err_code (*open)(const struct store_conf *c, struct loop *l, store_feed_fn *feed, void *feed_arg,
	    struct store **out, struct err *e);
	/* Writes out what is queued (blocking), answers everything pending, closes. NULL is fine. */
	void (*close)(struct store *s);

	/* v is borrowed until the callback. A failure names the device or profile; failed_at is its place in v. */
	void (*apply)(struct store *s, const struct store_actor *who, const struct store_change *v, size_t n,
	    store_apply_fn *done, void *arg);
	void (*device_get)(struct store *s, const char *endpoint, store_device_fn *done, void *arg);
	/*
	 * The same, for whoever is in a hurry: without credentials, doc and held.findings when there is a compiled
	 * form. *d stays the store's: it is only read. recent_good may be so of up to ten minutes ago.
	 */
	void (*device_look)(struct store *s, const char *endpoint, store_device_fn *done, void *arg);
	/* Without compiled. By endpoint. */
	void (*device_list)(struct store *s, const struct store_page *p, store_devices_fn *done, void *arg);
	/* Keeps a compiled form without a new revision; dropped silently when the device changed since. */
	void (*compiled_put)(struct store *s, const char *endpoint, uint64_t revision, const struct secret *compiled,
	    const char *key);
	void (*profile_list)(struct store *s, const struct store_page *p, store_profiles_fn *done, void *arg);
	void (*profile_get)(struct store *s, const char *name, store_profile_fn *done, void *arg);
	/* All revisions of one profile that are kept (the newest 1000), newest first. ERR_NOT_FOUND when it is not there. */
	void (*profile_history)(struct store *s, const char *name, store_profiles_fn *done, void *arg);
	/* The same of a device (the newest 50): name is the endpoint. */
	void (*device_history)(struct store *s, const char *endpoint, store_profiles_fn *done, void *arg);
	/*
	 * Keeps the record, and updates its device's session columns. A session that was refused before
	 * its peer had proved to be that device (bad_request ... no_credential_rule, overload, store) is
	 * kept, but changes nothing of the device and pushes out none of its sessions. ERR_EXISTS: same id.
	 * o (NULL: nothing) is kept with it: after a good session (`provisioned`, `written`) as something
	 * to come back to, and the wishes it was about are fulfilled; after another one until the next.
	 */
	void (*session_put)(struct store *s, const struct bs_record *r, const struct store_outcome *o,
	    store_done_fn *done, void *arg);
	void (*session_list)(struct store *s, const struct store_page *p, store_sessions_fn *done, void *arg);
	/* With transcript; id 0: the newest of endpoint, whoever claimed to be it. One row or ERR_NOT_FOUND. */
	void (*session_get)(struct store *s, uint64_t id, const char *endpoint, store_sessions_fn *done, void *arg);
	/* What sessions of the device left, newest first, without wrote. */
	void (*held_list)(struct store *s, const char *endpoint, store_held_fn *done, void *arg);
	/* What that session left (0: the newest of all, good or not). One row or ERR_NOT_FOUND. */
	void (*held_get)(struct store *s, const char *endpoint, uint64_t session, store_held_fn *done, void *arg);
	/* All that are known: what was said of them, what devices came under or were given. By SHA-256. */
	void (*anchor_list)(struct store *s, store_anchors_fn *done, void *arg);
	void (*given_list)(struct store *s, const struct store_page *p, store_given_fn *done, void *arg);
	/*
	 * Puts h, whose version must be the one that is there (0: it must not be there), with the next.
	 * ERR_CONFLICT otherwise, and when the device is gone and the state is not LEAVING. Fingerprints are made.
	 */
	void (*handoff_put)(struct store *s, const struct store_handoff *h, store_done_fn *done, void *arg);
	/* When its version is still that. A removed device leaves its rows as LEAVING, due at once. */
	void (*handoff_rm)(struct store *s, const char *endpoint, const char *target, uint64_t version,
	    store_done_fn *done, void *arg);
	/* By endpoint and target. */
	void (*handoff_list)(struct store *s, const struct store_handoff_page *p, store_handoffs_fn *done, void *arg);
	void (*audit_list)(struct store *s, const struct store_page *p, store_audit_fn *done, void *arg);
	/* All of v or nothing, with the next group of writes. done: NULL, nobody wants to know. */
	void (*note_put)(struct store *s, const struct store_note *v, size_t n, store_done_fn *done, void *arg);
	void (*note_list)(struct store *s, enum store_note_kind kind, store_notes_fn *done, void *arg);
	void (*counts)(struct store *s, store_counts_fn *done, void *arg);
	/*
	 * Answered when every write that was submitted before is, and hurries those that wait for company: what
	 * is read then shows them. Whatever the answer says, there is nothing left to wait for.
	 */
	void (*settle)(struct store *s, store_done_fn *done, void *arg);
	/* The fingerprint of a secret under this store's key; loop's thread, at once. */
	enum err_code (*fingerprint)(struct store *s, const struct secret *key, char out[CRYPT_FP_LEN + 1],
	    struct err *e);
};

extern const struct store_ops store_sqlite;
/* By the scheme of a URI; NULL when no back end has it. */
const struct store_ops *store_by_uri(const char *uri);
/* Its file is not there or has nothing in it: opened, it will know nobody. */
bool store_is_anew(const char *uri);

/* A new sealing key in a new file (0600, O_EXCL, fsync). ERR_EXISTS when there is one. */
enum err_code store_key_create(const char *file, struct err *e);
/* *out must be empty. ERR_NOT_FOUND, ERR_REFUSED (others may read it), ERR_PARSE. */
enum err_code store_key_load(const char *file, struct secret *out, struct err *e);

const char *store_wish_name(enum store_wish_kind k); /* "rollback", "handover" */
const char *store_withdrawal_name(enum store_withdrawal w); /* "in force", "replaced", "removed" */
const char *store_handoff_state_help(enum store_handoff_state s); /* a sentence for people */
const char *store_handoff_state_name(enum store_handoff_state s); /* "held", "told", ... */
const char *store_state_name(enum store_state s); /* "active", "blocked", "retired" */
bool store_state_from_name(const char *s, enum store_state *out);

#endif
