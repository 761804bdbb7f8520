/*
 * profiles/keys.h: which keys there are, in one table; for profiles/ alone.
 *
 * A place in a document is a section: which keys stand there, and which section each leads to. Some
 * sections also take every resource of one Object by its registered name.
 */
#ifndef PROFILES_KEYS_H
#define PROFILES_KEYS_H

#include "profiles/doc.h"

enum psection {
	SEC_NONE, /* a scalar, a list of scalars, or the user's own: nothing is known below */
	SEC_TOP,
	SEC_MATCHES, /* list of SEC_MATCH */
	SEC_MATCH,
	SEC_VARS,   /* map of scalars */
	SEC_LABELS, /* map of strings */
	SEC_CREDENTIALS,
	SEC_KNOCK,
	SEC_SERVERS, /* map of SEC_SERVER */
	SEC_SERVER,
	SEC_ENDPOINTS, /* list of SEC_ENDPOINT */
	SEC_ENDPOINT,
	SEC_SECURITY,
	SEC_APNS, /* map of SEC_APN */
	SEC_APN,
	SEC_ACLS, /* map of SEC_ACL */
	SEC_ACL,
	SEC_RIGHTS,  /* map of lists of words */
	SEC_OBJECTS, /* map of SEC_OBJECT */
	SEC_OBJECT,
	SEC_BOOTSTRAP,
	SEC_ACCOUNT,
	SEC_HANDOFF,
	SEC_KEY, /* how a key is given: {"file": ...} */
};

/* A key with a row of its own. Those without one are resources by their registered names. */
struct pkey {
	enum psection in;
	const char *name;
	const char *registered; /* name is short for this key; NULL */
	int oid, rid;           /* the resource it is, -1 none */
	enum psection leads_to;
	const char *type; /* for people; NULL: from the model */
	const char *text;
};
const struct pkey *pkey_at(size_t i);
/* The row of a key in a section, by its short name only; NULL. */
const struct pkey *pkey_find(enum psection in, const char *name);

/* The Object whose resources stand in a section; -1 none. */
int psection_object(enum psection s);
/* "servers.NAME.security": for people. */
const char *psection_place(enum psection s);
/* The section that a member leads to. */
enum psection psection_below(enum psection s, const struct pnode *member);
/* The section of a node, found from the root down. */
enum psection psection_of(const struct pnode *n);

/* The other spelling of a key in that section: "uri" <-> "lwm2m_server_uri"; NULL. */
const char *pkey_other(enum psection in, const char *name);
/* The resource that a key means in a section; oid is for SEC_OBJECT. NULL: none. *oid_out its
 * Object. */
const struct lwm2m_res_def *pkey_resource(
    const struct lwm2m_model *m, enum psection in, int oid, const char *name, int *oid_out);
/* Where it stands in a canonical document: lower comes first. */
unsigned pkey_order(enum psection in, const char *name);
/* The names that are known in a section, for a nearest match; the number filled. */
size_t pkey_names(
    const struct lwm2m_model *m, enum psection in, int oid, const char **out, size_t max);
/* A member of the user's own: x_... */
bool pkey_is_own(const char *name);

/* Words for numbers. */
struct pword {
	const char *word;
	int64_t value;
};
/* The words of a resource; NULL when it has none. The list ends with word NULL. */
const struct pword *pwords(int oid, int rid);
bool pword_find(const struct pword *words, const char *word, int64_t *out);
/* "nosec, psk, ...", appended. */
void pwords_print(const struct pword *words, struct gbuf *out);
extern const struct pword pwords_rights[], pwords_policy[], pwords_foreign[], pwords_acl_mode[];

#endif
