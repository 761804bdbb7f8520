/*
 * profiles/doc.h: what a document is made of; for profiles/ alone.
 */
#ifndef PROFILES_DOC_H
#define PROFILES_DOC_H

#include "profiles/profile.h"

/* Where a value came from; shared by all nodes of one file, counted. */
struct psource {
	char *file;
	char *shared; /* the name of the shared document it is; NULL for a device's own */
	unsigned refs;
};

enum pnode_type { PN_NULL, PN_BOOL, PN_INT, PN_REAL, PN_STRING, PN_ARRAY, PN_OBJECT };

struct pnode {
	enum pnode_type type;
	bool expanded; /* ${...} stood in it */
	bool open;     /* ${...} still stands in it: its value is not known yet */
	bool typed;    /* it was just "${v}": text may be read as what is wanted there */
	char *key;     /* its name in the object it is in; NULL elsewhere */
	struct pnode *parent, *first, *last, *next;
	size_t n; /* children; octets of a string */
	union {
		bool b;
		int64_t i;
		double f;
		char *s; /* owned, wiped; a NUL stands behind */
	};
	struct psource *src;   /* owned reference */
	unsigned line, column; /* of the value, from 1 */
	unsigned key_line, key_column;
};

struct profile_doc {
	struct pnode *root; /* an object */
	struct psource *src;
	enum profile_kind kind;
	const char *name; /* in root; NULL without kind */
	bool resolved;
};

struct psource *psource_new(const char *file);
struct psource *psource_ref(struct psource *s);
void psource_unref(struct psource *s); /* NULL is fine */

/* A node without a place in a tree; NULL when memory is short. key may be NULL and is copied. */
struct pnode *pnode_new(enum pnode_type type, const char *key, struct psource *src);
struct pnode *pnode_string(const char *key, const char *s, size_t n, struct psource *src);
void pnode_free(struct pnode *n); /* with all below; wipes; NULL is fine */
/* The same content with place and marks; NULL when memory is short. */
struct pnode *pnode_copy(const struct pnode *n);
/* Puts child behind the others of parent, which owns it then. */
void pnode_append(struct pnode *parent, struct pnode *child);
/* child leaves its parent and is the caller's. */
void pnode_detach(struct pnode *child);
/* by stands where old stood, under old's key; old is freed. */
void pnode_replace(struct pnode *old, struct pnode *by);
/* Text instead of what a string holds; wiped. */
enum err_code pnode_set_string(struct pnode *n, const char *s, size_t len, struct err *e);

/* A document's "registry" is true (registry.c). */
bool profile_wants_registry(const struct pnode *root);
/* Its account there is secured by a pre-shared key, as far as it says. */
bool profile_registry_is_psk(const struct pnode *root);

struct pnode *pnode_get(
    const struct pnode *obj, const char *key); /* NULL: not there, or obj NULL or no object */
const char *pnode_str(const struct pnode *n);  /* NULL when it is no string */
bool pnode_scalar(const struct pnode *n);
const char *pnode_type_name(const struct pnode *n); /* "a string", "a number", ... */
/* "the text \"x\"", "the number 5", "an object": for messages about values that are no secret. */
void pnode_describe(const struct pnode *n, struct gbuf *out);

/* Its JSON pointer (RFC 6901), appended; "" for the root. */
void pnode_pointer(const struct pnode *n, struct gbuf *out);
/* "file:line:column" of the value, appended. */
void pnode_place(const struct pnode *n, struct gbuf *out);
/* err_set() with "file:line:column: /pointer: " in front. */
enum err_code pnode_err(const struct pnode *n, struct err *e, enum err_code code, const char *fmt,
    ...) PRINTF_LIKE(4, 5);

/*
 * Makes text fit for one line of a message, in place: control characters, and octets that are not
 * whole characters (what was cut), become '?'.
 */
void text_clean(char *s);

/* Reads kind and name off the root. */
void pdoc_identify(struct profile_doc *d);

/* ---- where.c ---- */

/* Gives every node of a tree its place in the text it was read from. */
void where_mark(struct pnode *root, const char *text, size_t n, unsigned first_line);
/* The place of the token that ends at or after an offset. */
struct where {
	unsigned line, column;
	size_t start, end; /* offsets of that token */
};
struct where where_token(const char *text, size_t n, size_t offset, unsigned first_line);

#endif
