/*
 * tests/unit/profile_kit.h: documents as text, for the tests of profiles/.
 *
 * An '@' in a text marks the place where something is expected; it is taken out before reading.
 * "@@" is one that stays.
 */
#ifndef TESTS_UNIT_PROFILE_KIT_H
#define TESTS_UNIT_PROFILE_KIT_H

#include "profiles/profile.h"

#define KIT_MAX 8
struct kit {
	struct profile_doc *docs[KIT_MAX]; /* the first is the one that is asked about */
	size_t n;
	struct profile_doc *resolved; /* NULL when it does not resolve */
	struct profile_findings f;
	const char *file; /* of the mark; NULL: there was none */
	unsigned line, column;
};

/* Reads one more text; its file is called name. The text must be right. */
void kit_add(struct kit *k, const char *name, const char *text);
/* Finds among the texts. */
const struct profile_doc *kit_find(void *arg, const char *name, struct err *e);
void kit_resolve(struct kit *k);
/* Resolves and checks; keys may be NULL. */
void kit_check(struct kit *k, const struct profile_keys *keys);
void kit_clear(struct kit *k);

/* The text without its mark, whose place is put into *line and *column (0: no mark). Static memory.
 */
const char *kit_unmark(const char *text, unsigned *line, unsigned *column);
/* All findings, one a line. Static memory. */
const char *kit_print(const struct profile_findings *f);
/* The values of a tree, one a line; octets in hex. Static memory. */
const char *kit_tree(const struct lwm2m_tree *t);

/* Answers every slot with octets made of its name; "servers/none/..." and such are not found. */
enum err_code kit_key(
    void *arg, const char *slot, const char *from, struct secret *out, struct err *e);

#endif
