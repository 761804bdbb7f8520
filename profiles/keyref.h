/*
 * profiles/keyref.h: where keys stand in a document, whatever form they have; for profiles/ alone.
 */
#ifndef PROFILES_KEYREF_H
#define PROFILES_KEYREF_H

#include "profiles/keys.h"

struct keyref {
	struct pnode *n; /* the value: text, or {"file": ...} and so on */
	bool secret;     /* never to be kept with the document */
	bool text;       /* a string resource: its plain form is the content itself */
};

/* An error stops the walk. The visit may replace what is below n, and n itself. */
typedef enum err_code keyref_fn(void *arg, const struct keyref *k, struct err *e);
enum err_code keyref_walk(struct pnode *root, keyref_fn *visit, void *arg, struct err *e);

/* The octets instead of whatever the value was: {"base64": ...}, in the same place. */
enum err_code keyref_set_bytes(struct pnode *n, const struct secret *bytes, struct err *e);
/* {"credential": slot, "fingerprint": ...}; fingerprint NULL or "": without. */
enum err_code keyref_set_reference(
    struct pnode *n, const char *slot, const char *fingerprint, struct err *e);
/* What is wrong with a PEM of that label in this place; NULL: nothing. "" is no PEM. */
const char *keyref_wrong_label(const struct pnode *n, const char *label);

#endif
