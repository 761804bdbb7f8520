/*
 * bsserver/store/sqlite_sql.h: every statement that is prepared, by name; the texts are one table.
 */
#ifndef BSSERVER_STORE_SQLITE_SQL_H
#define BSSERVER_STORE_SQLITE_SQL_H

/* What comes in two kinds, devices first, is chosen by adding enum sq_kind. */
enum sq_kind { SQ_DEVICE, SQ_PROFILE, SQ_CERTIFICATE, SQ_ANCHOR }; /* the last two only in changes */

enum sq_query {
	SQ_BEGIN_WRITE,
	SQ_BEGIN_READ,
	SQ_COMMIT,
	SQ_SAVE,
	SQ_RELEASE,
	SQ_UNDO,
	SQ_META_PUT, /* (name, value) */
	SQ_META_GET, /* (name) -> value */

	/* (name) -> id, revision, state, doc */
	SQ_FIND,
	SQ_FIND_PROFILE,
	/* (name, revision, now, doc), and for devices (compiled, compiled_key) */
	SQ_INSERT,
	SQ_INSERT_PROFILE,
	SQ_UPDATE,
	SQ_UPDATE_PROFILE,
	SQ_REMOVE,
	SQ_REMOVE_PROFILE,
	SQ_HISTORY_KEEP, /* (name): what is there now becomes history */
	SQ_HISTORY_KEEP_PROFILE,
	SQ_HISTORY_LIST, /* (name) -> name, doc, revision, updated_ms; the newest one first */
	SQ_HISTORY_LIST_PROFILE,
	SQ_HISTORY_PRUNE,  /* (kind, name, how many stay) */
	SQ_HISTORY_REMOVE, /* (kind, name) */
	SQ_SET_STATE,	   /* (state, now, id) */
	SQ_COMPILED_PUT,   /* (compiled, compiled_key, id) */

	SQ_CRED_LIST,	/* (kind, owner) -> slot, identity, fingerprint, revision, generated, sealed */
	SQ_CRED_PUT,	/* (kind, owner, slot, identity, fingerprint, revision, generated, sealed) */
	SQ_CRED_REMOVE, /* (kind, owner, slot) */
	SQ_CRED_REMOVE_ALL, /* (kind, owner) */
	SQ_CRED_BY_IDENTITY, /* (identity) -> owner: of devices */
	SQ_WITHDRAW,	     /* (kind, owner, fingerprint, slot, why, number, at_ms, actor) */
	SQ_WITHDRAW_ALL,     /* (kind, owner, why, number, at_ms, actor): every credential it has */
	SQ_WITHDRAWN_UNDO,   /* (kind, owner, fingerprint) */
	SQ_WITHDRAWN_PRUNE,  /* (kind, owner, how many stay) */
	SQ_WITHDRAWN_REMOVE, /* (kind, owner) */
	SQ_WITHDRAWN_FIND,   /* (endpoint, fingerprint) -> why, number, at_ms, owner, slot, actor: unless it is in force */
	SQ_ISSUED_PUT,	     /* (sha256, subject, not_after, at_ms) */
	SQ_ISSUED_GET,	     /* (sha256) -> 0 */
	SQ_REVOKED_PUT,	     /* (sha256, number, at_ms, detail) */
	SQ_REVOKED_GET,	     /* (sha256) -> number */
	SQ_AUDIT_PUT,	     /* (seq, at_ms, actor, action, object, detail, reason) */

	SQ_SESSION_OF,	    /* (endpoint) -> id, last_session, verdict, failures, kept; whether something that came to
			     * nothing is kept of it, whether it came under an anchor or was given anything */
	SQ_SESSION_PUT,	    /* a row of session */
	SQ_SESSION_NOTE,    /* (last_session, verdict, reason, ended_ms, format, confirmed, failures, kept, id) */
	SQ_SESSION_NOTE_KNOWN, /* as SQ_SESSION_NOTE and (last_session, kept): nothing is changed unless it has these */
	SQ_SESSION_KEPT,    /* (kept, id): an older session that came late */
	SQ_SESSION_PRUNE,   /* (device, how many of the oldest go) */
	SQ_SESSION_SWEEP,   /* (first id, how many go) -> id, device: the oldest, but no device's newest */
	SQ_SESSION_FEWER,   /* (device): one less is kept */
	SQ_SESSION_REMOVE,  /* (device) */
	SQ_SESSION_NEW,	    /* (device) */
	SQ_SESSION_NOTE_REMOVE, /* (device) -> verdict */

	SQ_DEVICE_GET,	 /* (endpoint, since) -> device columns, compiled, id, whether there are wishes, how many
			  * sessions ended well since, held columns of the newest good one (NULL: none) */
	SQ_PROFILE_GET,	 /* (name) -> name, doc, revision, updated_ms */
	SQ_DEVICE_LIST,	 /* (first) -> extends, device columns */
	SQ_PROFILE_LIST, /* (first) -> name, doc, revision, updated_ms */
	SQ_SESSION_LIST, /* (before) -> session columns */
	SQ_SESSION_LIST_OF, /* (endpoint, before) -> session columns */
	SQ_SESSION_GET,	    /* (id) -> session columns, transcript */
	SQ_SESSION_LAST,    /* (endpoint) -> session columns, transcript */
	SQ_HELD_PUT,	/* (held columns, device) */
	SQ_HELD_AGAIN,	/* (last_session, started_ms, last_ms, expiries, links, values, findings, session) */
	SQ_HELD_FINDINGS, /* (last_session, started_ms, last_ms, findings, session, device) */
	SQ_HELD_SAME,	/* as SQ_HELD_AGAIN and (device, revision, restored, seen, likeness, profile, fingerprints): the
			 * newest good one, and nothing of these differs; else nothing is changed */
	SQ_HELD_PRUNE,	/* (device, how many stay): the oldest good ones, but not what a rollback is about */
	SQ_HELD_UNDO,	/* (device): what came to nothing */
	SQ_HELD_REMOVE, /* (device) */
	SQ_HELD_LAST,	/* (device) -> held columns: the newest good one */
	SQ_HELD_OF,	/* (device, session) -> held columns: the good one that this session left */
	SQ_HELD_SEEN,	/* (device) -> held columns: the newest */
	SQ_HELD_LIST,	/* (device) -> held columns, newest first */
	SQ_WISH_PUT,	/* (device, kind, number, asked_ms, actor, profile, session, with_credentials) */
	SQ_WISH_REMOVE, /* (device, kind) */
	SQ_WISH_REMOVE_ALL, /* (device) */
	SQ_WISH_LIST, /* (device) -> kind, number, asked_ms, actor, profile, session, with_credentials, done_session, done_revision */
	SQ_WISH_DONE, /* (done_session, done_revision, device, kind, number) */
	SQ_WISH_MET,  /* (device, kind, number): it goes */
	SQ_ANCHOR_GET,	/* (sha256) -> trust, retired, number */
	SQ_ANCHOR_PUT,	/* (sha256, trust, retired, number, at_ms, actor, der) */
	SQ_ANCHOR_LIST, /* -> sha256, trust, retired, number, at_ms, actor, der, subject, not_after, under, given */
	SQ_ANCHOR_REMAINING, /* (sha256) -> endpoint: of devices that came under it or were given it; whether that is not known */
	SQ_GIVEN_UNDER,	     /* (device, sha256): what it came under before goes */
	SQ_GIVEN_ADD,	     /* (device, session, at_ms, items in JSON) */
	SQ_GIVEN_ONLY,	     /* (device, session): what earlier ones gave goes */
	SQ_GIVEN_REMOVE,     /* (device) */
	SQ_GIVEN_LIST, /* (after id, sha256 or NULL, until or 0) -> id, endpoint or NULL, kind, path, sha256, subject,
			* not_after, session, at_ms */
	SQ_DEVICE_LIST_UNDER, /* (first, sha256) -> as SQ_DEVICE_LIST */
	SQ_FEED_ANCHORS,      /* -> sha256, trust, retired, at_ms, der */
	SQ_HANDOFF_PUT,	    /* (handoff columns): new, or the next version of what is there */
	SQ_HANDOFF_REMOVE,  /* (endpoint, target, version) */
	SQ_HANDOFF_LIST,    /* (endpoint, target): behind these -> handoff columns */
	SQ_HANDOFF_LIST_OF, /* (endpoint, target): of this endpoint, behind this target -> handoff columns */
	SQ_HANDOFF_LIST_DUE, /* (endpoint, target, until): due, behind these -> handoff columns */
	SQ_HANDOFF_LEAVE,   /* (state, now, endpoint): all of a device */
	SQ_AUDIT_LIST,	    /* (before, since) -> seq, at_ms, actor, action, object, detail, reason */
	SQ_FEED_REVOKED,    /* -> sha256, detail */
	SQ_NOTE_PUT,	    /* (kind, name, number, text) */
	SQ_NOTE_REMOVE,	    /* (kind, name, number) */
	SQ_NOTE_REMOVE_ALL, /* (kind, name) */
	SQ_NOTE_LIST,	    /* (kind) -> name, number, text; in order */
	SQ_FEED_DEVICES,    /* -> endpoint, state, identity, slot, sealed */
	SQ_FEED_REGISTRY,   /* -> endpoint, sealed */
	SQ__COUNT
};

const char *sq_sql(enum sq_query q);

#endif
