/*
 * lib/base/log.h: one line per event, on stderr unless a sink is set.
 *
 * A line of text is "level module: subject, action (reason)" with fields (endpoint, session, peer) given
 * as arguments, never pasted into the text. Each module has a level of its own. The sink and the
 * levels are the only globals of the project.
 */
#ifndef LIB_BASE_LOG_H
#define LIB_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

/* Not LOG_WARNING and so on: those are macros of <syslog.h> and of libcoap. */
enum log_level { LVL_ERROR, LVL_WARNING, LVL_NOTICE, LVL_INFO, LVL_DEBUG, LVL__COUNT };

enum log_module {
	LOG_SERVER,
	LOG_BOOTSTRAP,
	LOG_TRANSPORT,
	LOG_DTLS,
	LOG_AUTH,
	LOG_STORE,
	LOG_API,
	LOG_CONF,
	LOG_PORTS,
	LOG_REGISTRY,
	LOG_HANDOFF,
	LOG_PKI,
	LOG__MODULES
};

/* What a line is about. NULL or 0: not said. Borrowed for the call. */
struct log_about {
	const char *endpoint, *peer;
	uint64_t session;
};

/*
 * The text is cut after 1023 bytes. Control characters and bytes that are not UTF-8 are escaped,
 * in the text and in the fields: a line stays one line whatever a peer sent.
 */
void log_msg(enum log_level level, enum log_module module, const struct log_about *about, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
bool log_wanted(enum log_level level, enum log_module module);

/* A line without its end of line; called from any thread, one at a time. NULL puts stderr back. */
typedef void log_sink_fn(enum log_level level, const char *line, void *arg);
void log_set_sink(log_sink_fn *sink, void *arg);

/*
 * Between the two, lines for stderr below a warning are gathered and written together by the last
 * log_release(): a loop holds them while it does what is there to be done, not while it waits. A
 * warning or an error is written at once, after what was held. Lines stay in order.
 */
void log_hold(void);
void log_release(void);

/*
 * "info" for all, or "info,transport=debug,store=warning". ERR_INVALID names the word, and no level
 * is changed then. At the start every module has "info".
 */
enum err_code log_set_levels(const char *spec, struct err *e);
/* What log_set_levels() would say; no level is changed. */
enum err_code log_check_levels(const char *spec, struct err *e);
void log_set_level(enum log_level level);

/* true: lines are JSON objects with ts, level, module, msg and the fields. Default false. */
void log_set_json(bool on);

const char *log_level_name(enum log_level level);
const char *log_module_name(enum log_module module);

#endif
