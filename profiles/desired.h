/*
 * profiles/desired.h: what one device should hold: a profile file with everything in it resolved.
 *
 * Instance ids in the tree are the profile's own: /0/k and /1/k are the k-th account (0, 1, ...,
 * in order of Short Server ID, then of transport), /11/k the k-th APN profile, /2/k the k-th access
 * control rule. The planner maps them to the ids that fit the device (it leaves the bootstrap
 * account where it is, and reuses what is there). Links inside the tree (1/x/10 -> 11:k, 0/x/17 ->
 * 21:k, 2/x/0..1 -> object and instance) use the same ids and are mapped with them.
 */
#ifndef PROFILES_DESIRED_H
#define PROFILES_DESIRED_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/lwm2m/tree.h"

enum profile_policy { PROFILE_INCREMENTAL, PROFILE_REPLACE, PROFILE_MERGE };
enum profile_foreign {
	PROFILE_FOREIGN_KEEP,
	PROFILE_FOREIGN_REMOVE,
	PROFILE_FOREIGN_REMOVE_INVALID
};

/* What becomes of an access control instance that the device has already (incremental, merge). */
enum profile_acl_mode {
	PROFILE_ACL_REFUSE, /* they go together or the session is refused */
	PROFILE_ACL_KEEP,   /* the device's stays as it is */
	PROFILE_ACL_MERGE,  /* both sets of rights; the device's owner stays if it is another's server */
	PROFILE_ACL_REPLACE /* the profile's, as if there were none */
};

struct profile_acl_rule {
	uint16_t instance; /* /2/instance of the tree */
	enum profile_acl_mode mode;
};

#define PROFILE_FORMAT_AUTO (-1)

/* An LwM2M Server that is told of the device's credential before the device registers with it. */
struct profile_handoff {
	char *to;                /* its name in the daemon's configuration; owned */
	char *server;            /* its local name in the document; owned */
	uint16_t short_server_id;
	uint16_t account;        /* /0/account of the tree: whose credential */
	bool within_delay;       /* after Finish, inside 1/x/14, rather than before */
	uint32_t deadline_ms;    /* until it must have taken it */
	char *slot;              /* of the key that is made anew from time to time; owned; NULL: none is */
	uint32_t rotate_s;       /* how old it gets; 0: at each bootstrap */
	uint16_t octets;         /* of the new key */
};

struct profile_desired {
	struct lwm2m_tree tree;    /* as above; never holds the bootstrap account */
	struct lwm2m_tree account; /* resources to set in the device's bootstrap account, as /0/0/11
	                              and /0/0/12 */
	struct lwm2m_tree digested; /* /0/k/4 of the accounts that get a digest: the certificate or
	                               public key that it is of, where it is known; never written */
	struct lwm2m_path *kept;    /* /0/k/3 and /0/k/5 that stay as the device has them: nothing
	                               in tree, and the instance is written by Resource; owned */
	size_t n_kept;
	enum profile_policy policy;
	enum profile_foreign foreign;
	int format;                /* content format number, or PROFILE_FORMAT_AUTO */
	bool verify;               /* false: the verdict is at best `written` */
	struct lwm2m_path *retain; /* never deleted or written; owned */
	size_t n_retain;
	struct lwm2m_path
	    *required_confirmed; /* "not shown" counts as a failure for these; owned */
	size_t n_required_confirmed;
	struct profile_acl_rule *acl; /* rules with a mode other than REFUSE, by instance; owned */
	size_t n_acl;
	uint32_t early_return_ms; /* a device that is back sooner is not well; 0: never */
	uint32_t
	    request_timeout_ms; /* one downlink request, retransmissions included; default 93 s */
	uint32_t session_timeout_ms; /* the whole session; default 247 s */
	uint32_t next_bootstrap_s;   /* when the device is expected again; 0: not said */
	bool set_time;               /* /3/0/13 is written first, when anything is written */
	struct profile_handoff *handoffs; /* owned, by Short Server ID */
	size_t n_handoffs;
};

void profile_desired_clear(struct profile_desired *d); /* wipes; safe twice, and on {0} */

/* One more path into kept. ERR_NO_MEMORY. */
enum err_code profile_desired_keep(struct profile_desired *d, struct lwm2m_path p, struct err *e);
/* One more hand-off; h is taken over, also on ERR_NO_MEMORY. */
enum err_code profile_desired_hand_off(struct profile_desired *d, struct profile_handoff *h, struct err *e);
void profile_handoff_clear(struct profile_handoff *h); /* safe twice, and on {0} */
/* Something of this instance is kept. */
bool profile_desired_keeps(const struct profile_desired *d, struct lwm2m_path instance);

/*
 * A compact form of it that the daemon keeps sealed beside the device: appended to out / read back
 * strictly (a fuzz target). It holds secrets: out is wiped by gbuf_clear(). ERR_PARSE when p is not
 * exactly one of ours of this version.
 */
enum err_code profile_desired_pack(
    const struct profile_desired *d, struct gbuf *out, struct err *e);
enum err_code profile_desired_unpack(
    const uint8_t *p, size_t n, struct profile_desired *out, struct err *e);

enum profile_acl_mode profile_desired_acl_mode(const struct profile_desired *d, uint16_t instance);
const char *profile_policy_name(enum profile_policy p); /* "incremental", "replace", "merge" */

#endif
