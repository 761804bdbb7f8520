#define ERR_C
#include "lib/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[ERR__COUNT] = {
	[ERR_OK] = "ok",
	[ERR_USAGE] = "usage",
	[ERR_INVALID] = "invalid",
	[ERR_PARSE] = "parse",
	[ERR_RANGE] = "range",
	[ERR_UNSUPPORTED] = "unsupported",
	[ERR_NOT_FOUND] = "not_found",
	[ERR_EXISTS] = "exists",
	[ERR_CONFLICT] = "conflict",
	[ERR_REFUSED] = "refused",
	[ERR_LIMIT] = "limit",
	[ERR_BUSY] = "busy",
	[ERR_NO_MEMORY] = "no_memory",
	[ERR_IO] = "io",
	[ERR_TIMEOUT] = "timeout",
	[ERR_CRYPTO] = "crypto",
	[ERR_UNREACHABLE] = "unreachable",
	[ERR_CLOSED] = "closed",
	[ERR_INTERNAL] = "internal",
};

const char *
err_name(enum err_code code)
{
	return (unsigned)code < ERR__COUNT ? names[code] : "unknown";
}

enum err_code
err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return code;
	e->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	return code;
}

enum err_code
err_wrap(struct err *e, const char *fmt, ...)
{
	char inner[sizeof e->msg];
	va_list ap;

	if (e == NULL)
		return ERR_INTERNAL;
	memcpy(inner, e->msg, sizeof inner);
	va_start(ap, fmt);
	(void)vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	size_t n = strlen(e->msg);
	(void)snprintf(e->msg + n, sizeof e->msg - n, ": %.*s", (int)sizeof inner - 1, inner);
	return e->code;
}

static enum err_code
code_of_errno(int errnum)
{
	switch (errnum) {
	case ENOMEM:
		return ERR_NO_MEMORY;
	case ENOENT:
		return ERR_NOT_FOUND;
	case EEXIST:
		return ERR_EXISTS;
	default:
		return ERR_IO;
	}
}

enum err_code
err_errno(struct err *e, int errnum, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return code_of_errno(errnum);
	e->code = code_of_errno(errnum);
	va_start(ap, fmt);
	(void)vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	size_t n = strlen(e->msg);
	(void)snprintf(e->msg + n, sizeof e->msg - n, ": %s", strerror(errnum));
	return e->code;
}

enum err_code
err_no_memory(struct err *e)
{
	return err_set(e, ERR_NO_MEMORY, "out of memory");
}
