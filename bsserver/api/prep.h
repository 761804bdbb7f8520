/*
 * bsserver/api/prep.h: one document on its way from the request to the store, to a plan or to a
 * comparison: read, its keys taken out, resolved, checked, and compiled.
 *
 *   prep_read() -> prep_has() with what the store has of it -> prep_finish()
 */
#ifndef BSSERVER_API_PREP_H
#define BSSERVER_API_PREP_H

#include "bsserver/api/internal.h"
#include "bsserver/ports/compile.h"

struct prep;

/* Where a document's parents are found before the shelf: the accepted ones of a dry run. */
struct overlay {
	struct prep **v; /* owned: see overlay_clear() */
	size_t n, cap;
};
void overlay_clear(struct overlay *o);

struct slot {
	char *name, *fingerprint; /* fingerprint: as the document says; NULL */
};

struct prep {
	struct api *api;
	const struct overlay *overlay; /* NULL: none */
	struct profile_doc *own, *resolved;
	struct gbuf text;  /* own, compact, without keys */
	struct slot *kept; /* what own says it has here already */
	size_t n_kept, cap_kept;
	/* what is new: to be put */
	struct store_credential *creds;
	size_t n_creds, cap_creds;
	size_t brought; /* of them were in the document itself */
	/* what stays: names of slots, the store's */
	const char **keep;
	size_t n_keep, cap_keep;
	/* what the store has of it */
	bool exists;
	uint64_t revision;
	char *had; /* its document */
	struct store_credential *had_creds;
	size_t n_had_creds;
	struct profile_findings findings;
	struct secret packed;
	char *compiled_key;
};

void prep_free(struct prep *p); /* wipes; NULL is fine */

/* Reads text, takes its keys out. file and line: where it stands, for messages. */
enum err_code prep_read(struct api *a, const char *file, unsigned line, const char *text, size_t n,
    struct prep **out, struct err *e);

enum profile_kind prep_kind(const struct prep *p);
const char *prep_name(const struct prep *p); /* NULL without kind */

/*
 * Whether who asks may bring keys: an answer tells by their fingerprints whether they are those
 * that are kept, so that who may only look could try keys out. ERR_REFUSED.
 */
enum err_code prep_may_bring(const struct prep *p, const struct req *r, struct err *e);

/* What is in the store under its name; takes the contents. NULL and 0: nothing. */
void prep_has_device(
    struct prep *p, struct store_device *d, struct store_credential *creds, size_t n);
void prep_has_profile(
    struct prep *p, struct store_profile *s, struct store_credential *creds, size_t n);

enum prep_keys {
	PREP_MAKE_KEYS, /* {"generate": n} of a key that is not there yet makes one */
	PREP_NO_KEYS,   /* a dry run: it stays open */
	PREP_SHAM_KEYS  /* a plan: something stands there that is never written; marked by
	                   prep_is_sham() */
};

/*
 * Resolves, finds the keys, checks. ERR_OK with findings that may hold errors; another code when it
 * cannot go on (no findings then say why). fleet: NULL: not compared with others.
 */
enum err_code prep_finish(
    struct prep *p, enum prep_keys keys, struct profile_fleet *fleet, struct err *e);
/* A device without errors: fills packed and compiled_key. */
enum err_code prep_compile(struct prep *p, struct err *e);
/* The keys that it will have, for profile_compile(). */
struct profile_keys prep_keys(struct prep *p);
bool prep_is_sham(const struct prep *p, const struct secret *key);

/* Whether the store's document and keys are what this one says. */
bool prep_unchanged(const struct prep *p);
/* PUT of it. Everything in it is borrowed from p. */
struct store_change prep_change(const struct prep *p);
struct json_t *json_of_findings(const struct profile_findings *f);

/* 422 with the findings: "what: 2 errors". */
void answer_findings(struct req *r, const struct prep *p, const char *what);

/* A finder over overlay and shelf, for profile_resolve(); arg is the prep. */
const struct profile_doc *prep_find(void *arg, const char *name, struct err *e);

/* The names that a document rests on, nearest first; those that are not there count with revision
 * 0. */
struct chain {
	const char *names[PROFILE_EXTENDS_MAX + 1]; /* borrowed from the documents */
	uint64_t revisions[PROFILE_EXTENDS_MAX + 1];
	size_t n;
	uint64_t newest;
};
void chain_of(const struct shelf *s, const struct profile_doc *d, struct chain *out);

#endif
