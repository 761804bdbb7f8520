/*
 * lwm2m-prov/docs.h: the documents of a command: those given with -f, and those of -I that they
 * extend.
 */
#ifndef LWM2M_PROV_DOCS_H
#define LWM2M_PROV_DOCS_H

#include "lwm2m-prov/cli.h"
#include "profiles/profile.h"

struct doc_item {
	struct profile_doc *doc; /* owned; NULL: it cannot be parsed, see problem */
	char *source;            /* owned; "file:line" */
	bool given;              /* with -f; else it was found in a folder of -I */
	bool needed;             /* given, or extended by one that is */
	char *problem;           /* owned; "file:line:column: reason"; NULL when it was parsed */
	struct profile_findings files; /* what docs_inline() found about its key files */
};

struct docs {
	struct doc_item *v;
	size_t n, cap;
	size_t *shared; /* owned: which are shared profiles */
	size_t n_shared, cap_shared;
};

/*
 * Reads what -f and -I name. Documents that cannot be parsed are there with their problem; an error
 * is a file that cannot be read, or no document at all.
 */
enum err_code docs_load(struct docs *d, const struct cli *cli, struct err *e);
/* One more document; file is its name in messages, and its folder is where its key files lie. */
enum err_code docs_add_text(
    struct docs *d, const char *file, const char *text, size_t n, struct err *e);
void docs_clear(struct docs *d);

/*
 * Key files become bytes in every document that is needed (profile_inline()), with --root. What
 * goes wrong is in the document's findings. Only memory is an error.
 */
enum err_code docs_inline(struct docs *d, const struct cli *cli, struct err *e);

/*
 * ERR_INVALID when a needed document cannot be parsed or its key files cannot be had; what is wrong
 * is noted on the error stream.
 */
struct out;
enum err_code docs_usable(const struct docs *d, struct out *o, struct err *e);

/* A profile_find_fn over these; arg is the struct docs. */
const struct profile_doc *docs_find(void *arg, const char *name, struct err *e);

/*
 * The order in which the daemon can take them: shared profiles behind those that they extend, then
 * devices; given or needed, and without a problem or with. order[] has room for d->n; the number
 * put.
 */
size_t docs_order(const struct docs *d, size_t *order);

/* The problem as a finding whose strings are borrowed from *item and buf; printed as any other. */
#define DOCS_PROBLEM_BUF 600
struct profile_finding docs_problem(const struct doc_item *item, char buf[DOCS_PROBLEM_BUF]);

extern const struct profile_rule docs_rule_syntax;

#endif
