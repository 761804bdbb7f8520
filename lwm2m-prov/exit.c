#include "lwm2m-prov/exit.h"

/* clang-format off */
static const struct exit_row rows[] = {
	{ EXIT_DONE,        "done",        "done, or nothing to do; a question was answered", false },
	{ EXIT_FAILED,      "failed",      "failed, every row of a batch included", false },
	{ EXIT_USAGE,       "usage",       "wrong usage; nothing was changed", false },
	{ EXIT_INVALID,     "invalid",     "invalid input; nothing was changed", false },
	{ EXIT_PARTIAL,     "partial",     "some rows failed", true },
	{ EXIT_UNREACHABLE, "unreachable", "daemon unreachable; rows not acknowledged are pending", true },
	{ EXIT_TIMEOUT,     "timeout",     "timed out, outcome unknown, safe to run again", true },
	{ EXIT_REFUSED,     "refused",     "refused", false },
	{ EXIT_NOT_FOUND,   "not_found",   "not found", false },
	{ EXIT_DIFFERENT,   "different",   "differences (diff with --exit-code)", false },
	{ EXIT_CONFLICT,    "conflict",    "conflict: revision, duplicate", false },
	{ EXIT_INTERRUPTED, "interrupted", "interrupted; the result file is valid to its last row", true },
};
/* clang-format on */

const struct exit_row *
exit_at(size_t i)
{
	return i < N_ELEMS(rows) ? &rows[i] : NULL;
}

const struct exit_row *
exit_row(enum prov_exit code)
{
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		if (rows[i].code == code)
			return &rows[i];
	return &rows[EXIT_FAILED];
}

enum prov_exit
exit_of(enum err_code rc)
{
	static const enum prov_exit by_code[ERR__COUNT] = {
		[ERR_OK] = EXIT_DONE,
		[ERR_USAGE] = EXIT_USAGE,
		[ERR_INVALID] = EXIT_INVALID,
		[ERR_PARSE] = EXIT_INVALID,
		[ERR_RANGE] = EXIT_INVALID,
		[ERR_UNSUPPORTED] = EXIT_INVALID,
		[ERR_NOT_FOUND] = EXIT_NOT_FOUND,
		[ERR_EXISTS] = EXIT_CONFLICT,
		[ERR_CONFLICT] = EXIT_CONFLICT,
		[ERR_REFUSED] = EXIT_REFUSED,
		[ERR_LIMIT] = EXIT_INVALID,
		[ERR_BUSY] = EXIT_FAILED,
		[ERR_NO_MEMORY] = EXIT_FAILED,
		[ERR_IO] = EXIT_FAILED,
		[ERR_TIMEOUT] = EXIT_TIMEOUT,
		[ERR_CRYPTO] = EXIT_FAILED,
		[ERR_UNREACHABLE] = EXIT_UNREACHABLE,
		[ERR_CLOSED] = EXIT_UNREACHABLE,
		[ERR_INTERNAL] = EXIT_FAILED,
	};

	return (unsigned)rc < ERR__COUNT ? by_code[rc] : EXIT_FAILED;
}

bool
exit_retryable(enum err_code rc)
{
	return rc == ERR_BUSY || exit_row(exit_of(rc))->retryable;
}

int
exit_as_verdict(enum prov_exit end)
{
	switch ((int)end) {
	case EXIT_DONE:
		return 0;
	case EXIT_REFUSED:
		return 1;
	case EXIT_USAGE:
		return 64;
	default:
		return 2;
	}
}
