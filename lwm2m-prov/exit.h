/*
 * lwm2m-prov/exit.h: how a command ends: a number for scripts, a name for JSON.
 */
#ifndef LWM2M_PROV_EXIT_H
#define LWM2M_PROV_EXIT_H

#include <stdbool.h>

#include "lib/base/err.h"

enum prov_exit {
	EXIT_DONE = 0,   /* done, or nothing to do; a question was answered */
	EXIT_FAILED = 1, /* failed, every row of a batch included */
	EXIT_USAGE = 2,
	EXIT_INVALID = 3,     /* nothing was changed */
	EXIT_PARTIAL = 4,     /* some rows failed */
	EXIT_UNREACHABLE = 5, /* no daemon; rows not acknowledged are pending */
	EXIT_TIMEOUT = 6,     /* outcome unknown, safe to run again */
	EXIT_REFUSED = 7,
	EXIT_NOT_FOUND = 8,
	EXIT_DIFFERENT = 9,
	EXIT_CONFLICT = 10, /* revision, duplicate */
	EXIT_INTERRUPTED = 130
};

struct exit_row {
	enum prov_exit code;
	const char *name; /* "not_found" */
	const char *text; /* for --help */
	bool retryable;   /* the same command may succeed later, unchanged */
};
const struct exit_row *exit_at(size_t i); /* NULL past the end */
const struct exit_row *exit_row(enum prov_exit code);

enum prov_exit exit_of(enum err_code rc);
/*
 * The same end as a verdict about a certificate (--verdict-exit): 0 good, 1 revoked (EXIT_REFUSED),
 * 2 neither, 64 wrong usage, as sysexits(3) has it.
 */
int exit_as_verdict(enum prov_exit end);
/* ERR_OK ends a program too: what may work later besides what its exit code says. */
bool exit_retryable(enum err_code rc);

#endif
