/*
 * profiles/lower.h: a resolved document becomes values at paths, and everything that is wrong on
 * the way a finding; for profiles/ alone. check and compile are the same walk.
 */
#ifndef PROFILES_LOWER_H
#define PROFILES_LOWER_H

#include "profiles/keys.h"
#include "profiles/rules.h"
#include "profiles/uri.h"

#define SERVERS_MAX 64
#define ACCOUNTS_MAX 128 /* /0 instances */
#define APNS_MAX 64

struct lserver {
	const struct pnode *node;
	int64_t ssid;    /* -1 not known */
	uint16_t iid;    /* of /1 */
	char letters[8]; /* of its accounts' transports, in order, each once */
	bool open;       /* a URI that is not known yet */
};

/* One /0 instance to be. */
struct laccount {
	size_t server;
	const struct pnode *at;       /* the server, or the element of its endpoints */
	const struct pnode *security; /* of the element; NULL */
	const struct pnode *shared;   /* of the server; NULL */
	const struct pnode *uri;      /* NULL: not given */
	struct puri parsed;
	int64_t mode; /* -1 not known */
	uint16_t iid;
};

struct lplace {
	struct lwm2m_path path;
	const struct pnode *node;
};

struct lower {
	const struct profile_doc *doc;
	const struct lwm2m_model *m;
	const struct profile_keys *keys;
	struct profile_findings *f;
	struct profile_defaults *defaults; /* NULL */
	bool compiling;                    /* every key must be there */
	struct profile_desired d;
	struct lserver servers[SERVERS_MAX];
	size_t n_servers;
	struct laccount accounts[ACCOUNTS_MAX];
	size_t n_accounts;
	const struct pnode *apns[APNS_MAX]; /* by name: /11/k */
	bool apn_linked[APNS_MAX];
	size_t n_apns;
	struct lplace *places; /* owned: where each value of the tree came from */
	size_t n_places, cap_places;
	size_t raw[2];           /* instances of objects 0 and 1 under "objects" */
	struct secret knock_key; /* what the device knocks with, when known */
	const struct pnode *knock_node;
	struct secret knock_public; /* its certificate or SubjectPublicKeyInfo, when it must be that one */
	struct gbuf missing; /* the slot of the first key that compiling needs and nobody has */
	enum err_code rc;    /* ERR_NO_MEMORY and what keys->get failed with: it stops the walk */
	struct err *e;
};

/* Fills l->d and l->f. l->rc says whether it came through; lower_clear() in any case. */
void lower_document(struct lower *l);
void lower_clear(struct lower *l); /* l->d too */

/* Whether what is absent may still come: the document is a shared one. */
bool lower_partial(const struct lower *l);
/* Takes v over and notes where it came from. node NULL: a default. */
void lower_put(
    struct lower *l, struct lwm2m_path p, struct lwm2m_value *v, const struct pnode *node);
const struct pnode *lower_place(const struct lower *l, struct lwm2m_path p); /* NULL: a default */
/* Findings about members that a section does not know; with the nearest name. */
void lower_unknown_key(struct lower *l, const struct pnode *member, enum psection s, int oid);
/* All members of an object are known in its section and none stands there twice. */
void lower_keys(struct lower *l, const struct pnode *object, enum psection s);
/* The other spelling of this member stands before it. */
bool lower_again(const struct pnode *object, const struct pnode *member, enum psection s);
/* NULL, or the member when it is an object; another type is a finding. */
const struct pnode *lower_object(struct lower *l, const struct pnode *parent, const char *key);
/* By either spelling of a key. */
const struct pnode *lower_get(const struct pnode *object, enum psection s, const char *name);
/* A server by local name or number: its index, or -1. */
int lower_server_by_name(const struct lower *l, const char *name);

/* ---- value.c ---- */

/* One value of a resource; false: a finding was made, or it is not known yet. The caller owns *out.
 */
bool value_read(struct lower *l, const struct pnode *n, int oid, const struct lwm2m_res_def *r,
    struct lwm2m_value *out);
/* A resource with all its instances into the tree at /oid/iid. */
void value_put(
    struct lower *l, const struct pnode *n, struct lwm2m_path inst, const struct lwm2m_res_def *r);
/* Seconds of a duration; units of the number are seconds. false: a finding. */
bool value_seconds(struct lower *l, const struct pnode *n, int64_t min, int64_t max, int64_t *out);
/* A word of a list. false: a finding, or not known yet. */
bool value_word(struct lower *l, const struct pnode *n, const struct pword *words, int64_t *out);
bool value_bool(struct lower *l, const struct pnode *n, bool *out);
/* A path with names for servers and APN profiles in it. */
bool value_path(struct lower *l, const struct pnode *at, const char *text, uint8_t min, uint8_t max,
    struct lwm2m_path *out);

/* ---- material.c: see there ---- */

enum material { MATERIAL_OK, MATERIAL_UNKNOWN, MATERIAL_WRONG };
/* The octets of a key or certificate; text: a plain string is the content itself. */
enum material material_read(struct lower *l, const struct pnode *n, bool text, struct secret *out);

/* ---- the sections ---- */

void lower_servers_find(struct lower *l); /* who there is, and which instances they get */
void lower_servers(struct lower *l);
void lower_handoffs(struct lower *l);     /* after the servers */
void lower_apns_find(struct lower *l);
void lower_apns(struct lower *l);
void lower_access(struct lower *l);
void lower_objects(struct lower *l);
void lower_registry(struct lower *l);    /* its rights, and those of the others beside it */
void lower_bootstrap(struct lower *l);   /* bootstrap, bootstrap_account */
void lower_credentials(struct lower *l); /* what the device knocks with */
void check_rules(struct lower *l);       /* what only shows across the tree */
void check_order(struct lower *l);       /* one of them: order, waits and retries of the registrations */

#endif
