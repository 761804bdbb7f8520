/*
 * profiles/finding.h: what is wrong with a profile file: which rule, where, and why.
 */
#ifndef PROFILES_FINDING_H
#define PROFILES_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

enum profile_severity { PROFILE_ERROR, PROFILE_WARNING };

struct profile_rule {
	const char *name; /* "duplicate-short-server-id": stable, for people and programs */
	enum profile_severity severity;
	const char *help; /* what it means and what to do about it */
};

/* The i-th rule, NULL past the end; by name, NULL when there is none. */
const struct profile_rule *profile_rule_at(size_t i);
const struct profile_rule *profile_rule_by_name(const char *name);
const char *profile_severity_name(enum profile_severity s); /* "error", "warning" */

struct profile_finding {
	const struct profile_rule *rule;
	char *file;            /* owned; of the document that the value came from */
	unsigned line, column; /* from 1; columns count characters */
	char *path;            /* owned; JSON pointer in the resolved document, "" its whole */
	char *reason;          /* owned; never a secret */
};

#define PROFILE_FINDINGS_MAX 1000 /* of one list; further ones are only counted */

struct profile_findings {
	struct profile_finding *v;
	size_t n, cap;
	size_t errors, warnings; /* those not kept included */
};

void profile_findings_clear(struct profile_findings *f); /* safe twice, and on {0} */

/* "file:line:column: error: reason (/path) [rule]", appended. */
struct gbuf;
void profile_finding_print(struct gbuf *out, const struct profile_finding *f);
/* "file:line:column: /path: reason" as ERR_INVALID. */
enum err_code profile_finding_err(const struct profile_finding *f, struct err *e);

#endif
