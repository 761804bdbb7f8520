/*
 * bsserver/store/sqlite_internal.h: what the files of the SQLite back end share. Three threads: a
 * writer that puts all that waits into one transaction, one for gets, one for lists (a long list
 * holds up no device). Each has a connection of its own.
 */
#ifndef BSSERVER_STORE_SQLITE_INTERNAL_H
#define BSSERVER_STORE_SQLITE_INTERNAL_H

#include "bsserver/store/sqlite_db.h"
#include "bsserver/store/sqlite_hot.h"
#include "bsserver/store/sqlite_queue.h"
#include "bsserver/store/store.h"
#include "lib/base/util.h"

#define SQ_DEVICE_HISTORY 50
#define SQ_PROFILE_HISTORY 1000
#define SQ_DAY_MS 86400000

struct sq_tally {
	struct store_counts counts;
	uint64_t strays; /* sessions of nobody's device */
};

struct store {
	struct loop *loop;
	store_feed_fn *feed;
	void *feed_arg;
	struct secret key;
	int lock_fd; /* -1 none */
	unsigned max_sessions, max_strays, max_held;
	struct sq_mailbox *mailbox;
	struct sq_worker writer, getter, lister;
	struct sq_hot *hot; /* the loop's; NULL: memory was short */

	/* the writer's */
	struct sq_tally tally;
	uint64_t seq_saved; /* as in the file */
	int64_t swept;	    /* sessions older than this id were looked at */
	bool broken;	    /* this transaction must be undone as a whole */

	pthread_mutex_t lock; /* of published */
	struct store_counts published;
};

/* sqlite_seal.c: values bound to their row: table, kind, owner, slot. */
enum err_code sq_seal(struct sq_db *db, const char *table, enum sq_kind kind, const char *owner,
    const char *slot, const struct secret *plain, struct gbuf *out, struct err *e);
enum err_code sq_unseal(struct sq_db *db, const char *table, enum sq_kind kind, const char *owner,
    const char *slot, const void *sealed, size_t n, struct secret *out, struct err *e);

/* sqlite_row.c: a row into a struct, which must be empty; it may be half filled after an error. */
enum err_code sq_row_device(struct sq *q, struct store_device *d, struct err *e);
enum err_code sq_row_profile(struct sq *q, struct store_profile *p, struct err *e);
enum err_code sq_row_session(struct sq *q, struct store_session_row *r, bool transcript, struct err *e);
enum err_code sq_row_audit(struct sq *q, struct store_audit_row *r, struct err *e);
/* All credentials of one owner, by slot; owned by the caller. */
struct sq_creds {
	struct store_credential *v;
	size_t n, cap;
};
enum err_code sq_creds_load(struct sq_db *db, enum sq_kind kind, const char *owner,
    struct sq_creds *out, struct err *e);
void sq_creds_clear(struct sq_creds *c);
/* The string members of a record in the order of the session's columns. */
#define SQ_RECORD_STRINGS 10
char **sq_record_string(struct bs_record *r, size_t i);

/* sqlite_feed.c: what the writer has to tell, kept until the loop tells it. */
struct sq_feed_item {
	struct store_feed f; /* points into the strings and the key below */
	char *name, *identity, *doc;
	struct secret key;
	struct sq_creds creds; /* of a profile */
};
struct sq_feed {
	struct sq_feed_item *v;
	size_t n, cap;
};
enum err_code sq_feed_add(struct sq_feed *f, const struct store_feed *what, struct err *e);
void sq_feed_cut(struct sq_feed *f, size_t n); /* forgets all from the n-th on */
void sq_feed_clear(struct sq_feed *f);
void sq_feed_tell(struct store *s, const struct sq_feed *f);
/* Everything there is, told at once. */
enum err_code sq_feed_all(struct store *s, struct sq_db *db, struct err *e);

/* sqlite_apply.c, sqlite_session.c, sqlite_read.c: the operations. */
struct sq_change {
	const struct store_change *c;
	const struct store_actor *who;
	enum sq_kind kind;
	int64_t now_ms;
	uint64_t seq; /* this change's number, once it is clear that it changes something */
	struct sq_feed *feed;
	struct store_result *result;
	struct gbuf detail; /* for the audit trail */
};
/* sqlite_cred.c: brings the credentials of c->name to what the change says. */
enum err_code sq_creds_diff(struct store *s, struct sq_db *db, const struct sq_change *ch,
    const struct sq_creds *have, bool *differ, struct err *e);
enum err_code sq_creds_apply(struct store *s, struct sq_db *db, struct sq_change *ch,
    const struct sq_creds *have, struct err *e);

/* sqlite_withdrawn.c: keys that are in no document any more, certificates that were issued, or revoked. */
enum err_code sq_withdraw(struct sq_db *db, const struct sq_change *ch, const struct store_credential *old,
    enum store_withdrawal why, struct err *e);
/* All keys of a profile that goes; before they do. */
enum err_code sq_withdraw_all(struct sq_db *db, const struct sq_change *ch, struct err *e);
/* The key is in force: again, perhaps. */
enum err_code sq_in_force(struct sq_db *db, const struct sq_change *ch, const char *fingerprint, struct err *e);
/* A device that goes takes its own along. */
enum err_code sq_withdrawn_remove(struct sq_db *db, const struct sq_change *ch, struct err *e);
/* Fills h->withdrawn, by h->fingerprints. */
enum err_code sq_withdrawn_find(struct sq_db *db, const char *endpoint, struct store_held *h, struct err *e);
enum err_code sq_issued_put(struct store *s, struct sq_db *db, struct sq_change *ch, struct err *e);
enum err_code sq_revoke(struct store *s, struct sq_db *db, struct sq_change *ch, struct err *e);

/* sqlite_anchor.c: trust anchors, and who came under them or was given them. */
enum err_code sq_anchor_put(struct store *s, struct sq_db *db, struct sq_change *ch, struct err *e);
enum err_code sq_anchor_retire(struct store *s, struct sq_db *db, struct sq_change *ch, struct err *e);
/* What a session says of it, which is the newest of its device; good: it ended well. */
struct sq_kept;
enum err_code sq_given_keep(struct sq_db *db, const struct sq_kept *k, struct err *e);
enum err_code sq_given_remove(struct sq_db *db, int64_t device, struct err *e);
enum err_code sq_anchor_tell(struct store *s, struct sq_db *db, struct err *e);
enum err_code sq_row_anchor(struct sq *q, struct store_anchor *a, struct err *e);
enum err_code sq_row_given(struct sq *q, struct store_given *g, struct err *e);

/* sqlite_held.c: what sessions left. */
struct sq_outcome { /* a copy of a struct store_outcome */
	char *links, *values, *placed, *expiries, *findings;
	struct secret wrote;
	struct store_outcome o; /* points to these */
};
enum err_code sq_outcome_copy(const struct store_outcome *from, struct sq_outcome **out, struct err *e);
void sq_outcome_free(struct sq_outcome *o); /* wipes; NULL is fine */
size_t sq_outcome_weight(const struct sq_outcome *o);
bool sq_same_text(const char *a, const char *b); /* NULL is like no other */
/* Something is kept of it. */
bool sq_held_is_worth(const struct sq_outcome *o, bool good);
/* The newest good one says all that this one does. */
bool sq_held_is_again(const struct store_held *last, const struct bs_record *r, const struct store_outcome *o);
/* sqlite_session.c: failures in a row, when there were so many before. */
int64_t sq_failures_after(int64_t failures, enum bs_verdict v);

struct sq_kept {
	int64_t device;
	bool good;
	uint64_t again; /* of sq_hot_again(), and what memory knows was found to hold */
	bool undo;  /* what another session, that came to nothing, saw is kept */
	bool given; /* it came under an anchor, or was given something, before */
	const struct bs_record *rec;
	const struct sq_outcome *o;
};
enum err_code sq_held_keep(const struct store *s, struct sq_db *db, const struct sq_kept *k, struct err *e);
/* With its wishes. */
enum err_code sq_held_remove(struct sq_db *db, int64_t device, struct err *e);

struct sq_held_key {
	int64_t device;
	uint64_t session;     /* SQ_HELD_OF */
	const char *endpoint; /* NULL: wrote is not wanted */
};
/* One row into *h, which must be empty and stays so when there is none. */
enum err_code sq_held_find(struct sq_db *db, enum sq_query which, const struct sq_held_key *k,
    struct store_held *h, struct err *e);
enum err_code sq_row_held(struct sq *q, const char *endpoint, struct store_held *h,
    struct err *e);

/* sqlite_wish.c */
enum err_code sq_wishes_load(struct sq_db *db, int64_t device, struct store_wish wishes[STORE_WISH__COUNT],
    struct err *e);
/* SET_WISH of a device that is there; ch has its number. */
enum err_code sq_wish_set(struct sq_db *db, struct sq_change *ch, int64_t device, struct err *e);
enum err_code sq_wishes_met(struct sq_db *db, const struct sq_kept *k, struct err *e);

/* sqlite_handoff.c */
enum err_code sq_handoffs_leave(struct sq_db *db, const char *endpoint, int64_t now_ms, struct err *e);
void sq_handoff_put(struct store *s, const struct store_handoff *h, store_done_fn *done, void *arg);
void sq_handoff_rm(struct store *s, const char *endpoint, const char *target, uint64_t version,
    store_done_fn *done, void *arg);
void sq_handoff_list(struct store *s, const struct store_handoff_page *p, store_handoffs_fn *done, void *arg);

void sq_apply(struct store *s, const struct store_actor *who, const struct store_change *v, size_t n,
    store_apply_fn *done, void *arg);
void sq_compiled_put(struct store *s, const char *endpoint, uint64_t revision, const struct secret *compiled,
    const char *key);
void sq_session_put(struct store *s, const struct bs_record *r, const struct store_outcome *o, store_done_fn *done,
    void *arg);

void sq_device_get(struct store *s, const char *endpoint, store_device_fn *done, void *arg);
void sq_device_look(struct store *s, const char *endpoint, store_device_fn *done, void *arg);
void sq_profile_get(struct store *s, const char *name, store_profile_fn *done, void *arg);
void sq_session_get(struct store *s, uint64_t id, const char *endpoint, store_sessions_fn *done, void *arg);
void sq_device_list(struct store *s, const struct store_page *p, store_devices_fn *done, void *arg);
void sq_profile_list(struct store *s, const struct store_page *p, store_profiles_fn *done, void *arg);
void sq_profile_history(struct store *s, const char *name, store_profiles_fn *done, void *arg);
void sq_device_history(struct store *s, const char *endpoint, store_profiles_fn *done, void *arg);
void sq_session_list(struct store *s, const struct store_page *p, store_sessions_fn *done, void *arg);
void sq_held_list(struct store *s, const char *endpoint, store_held_fn *done, void *arg);
void sq_held_get(struct store *s, const char *endpoint, uint64_t session, store_held_fn *done, void *arg);
void sq_anchor_list(struct store *s, store_anchors_fn *done, void *arg);
void sq_given_list(struct store *s, const struct store_page *p, store_given_fn *done, void *arg);
void sq_audit_list(struct store *s, const struct store_page *p, store_audit_fn *done, void *arg);

void sq_note_put(struct store *s, const struct store_note *v, size_t n, store_done_fn *done, void *arg);
void sq_note_list(struct store *s, enum store_note_kind kind, store_notes_fn *done, void *arg);

/* sqlite_writer.c: the writer's turn. */
sq_turn_fn sq_write_turn;

#endif
