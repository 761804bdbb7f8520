/*
 * lib/base/err.h: what failed, and in what.
 *
 * A function that can fail returns a code and, on failure, fills the struct err its caller gave it
 * (NULL is fine: the message is dropped). The origin says err_set(), everyone on the way up says
 * err_wrap(), and the boundary that can answer for it logs or prints it, once.
 */
#ifndef LIB_BASE_ERR_H
#define LIB_BASE_ERR_H

#include "lib/base/util.h"

enum err_code {
	ERR_OK = 0,
	ERR_USAGE,	 /* the command line or the call is wrong */
	ERR_INVALID,	 /* the content is wrong: syntax was fine, sense is not */
	ERR_PARSE,	 /* the bytes are not what they should be */
	ERR_RANGE,	 /* a number outside what is allowed */
	ERR_UNSUPPORTED, /* right, but not something we do */
	ERR_NOT_FOUND,
	ERR_EXISTS,
	ERR_CONFLICT,	 /* somebody else changed it meanwhile */
	ERR_REFUSED,	 /* a rule says no */
	ERR_LIMIT,	 /* a bound of ours was reached */
	ERR_BUSY,	 /* not now; the same call may work later */
	ERR_NO_MEMORY,
	ERR_IO,
	ERR_TIMEOUT,
	ERR_CRYPTO,
	ERR_UNREACHABLE, /* nobody answers there */
	ERR_CLOSED,	 /* the peer or the store went away */
	ERR_INTERNAL,	 /* our own mistake */
	ERR__COUNT
};

struct err {
	enum err_code code;
	char msg[512]; /* outermost context first; never a secret */
};

/* Each returns the code, so that callers write: return err_set(e, ERR_PARSE, "..."). */
enum err_code err_set(struct err *e, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts "text: " before what is there; keeps and returns the code. With e NULL returns ERR_INTERNAL. */
enum err_code err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* "text: strerror", as ERR_IO (ERR_NO_MEMORY, ERR_NOT_FOUND, ERR_EXISTS where errnum says so). */
enum err_code err_errno(struct err *e, int errnum, const char *fmt, ...) PRINTF_LIKE(3, 4);

enum err_code err_no_memory(struct err *e);

#if defined(__clang_analyzer__) && !defined(ERR_C)
/* The analyzer does not look into err.c; this tells it that none of these returns ERR_OK. */
#define err_set(e, code, ...) ((void)(err_set)(e, code, __VA_ARGS__), (code))
#define err_wrap(e, ...) ((void)(err_wrap)(e, __VA_ARGS__), ERR_INTERNAL)
#define err_errno(e, errnum, ...) ((void)(err_errno)(e, errnum, __VA_ARGS__), ERR_IO)
#define err_no_memory(e) ((void)(err_no_memory)(e), ERR_NO_MEMORY)
#endif

/* "not_found": the stable name used in JSON; "unknown" for a number that is no code. */
const char *err_name(enum err_code code);

#endif
