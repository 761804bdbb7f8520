#include "lib/base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"

static const char *const level_names[LVL__COUNT] = {
	[LVL_ERROR] = "error",
	[LVL_WARNING] = "warning",
	[LVL_NOTICE] = "notice",
	[LVL_INFO] = "info",
	[LVL_DEBUG] = "debug",
};

static const char *const module_names[LOG__MODULES] = {
	[LOG_SERVER] = "server",
	[LOG_BOOTSTRAP] = "bootstrap",
	[LOG_TRANSPORT] = "transport",
	[LOG_DTLS] = "dtls",
	[LOG_AUTH] = "auth",
	[LOG_STORE] = "store",
	[LOG_API] = "api",
	[LOG_CONF] = "conf",
	[LOG_PORTS] = "ports",
	[LOG_REGISTRY] = "registry",
	[LOG_HANDOFF] = "handoff",
	[LOG_PKI] = "pki",
};

#define HELD_MAX 65536 /* octets of lines that wait for log_release() */

static pthread_mutex_t sink_lock = PTHREAD_MUTEX_INITIALIZER;
static log_sink_fn *sink_fn; /* under sink_lock, as all up to as_json */
static void *sink_arg;
static struct gbuf held; /* lines for stderr, from log_hold() on */
static unsigned holding;
static atomic_bool as_json;
/* What a level is above LVL_INFO, so that zero is the level at the start. */
static _Atomic int above_info[LOG__MODULES];

const char *
log_level_name(enum log_level level)
{
	return (unsigned)level < LVL__COUNT ? level_names[level] : "unknown";
}

const char *
log_module_name(enum log_module module)
{
	return (unsigned)module < LOG__MODULES ? module_names[module] : "unknown";
}

bool
log_wanted(enum log_level level, enum log_module module)
{
	return (int)level <= (int)LVL_INFO + atomic_load(&above_info[module]);
}

void
log_set_level(enum log_level level)
{
	for (size_t i = 0; i < LOG__MODULES; i++)
		atomic_store(&above_info[i], (int)level - (int)LVL_INFO);
}

void
log_set_json(bool on)
{
	atomic_store(&as_json, on);
}

void
log_set_sink(log_sink_fn *sink, void *arg)
{
	(void)pthread_mutex_lock(&sink_lock);
	sink_fn = sink;
	sink_arg = arg;
	(void)pthread_mutex_unlock(&sink_lock);
}

/* Lines for stderr, in one write as a rule. What cannot be written is lost: whom to tell? */
static void
write_lines(const void *lines, size_t n)
{
	(void)fwrite(lines, 1, n, stderr);
	(void)fflush(stderr);
}

static void
write_held(void)
{
	if (held.len > 0)
		write_lines(held.data, held.len);
	gbuf_reset(&held);
}

void
log_hold(void)
{
	(void)pthread_mutex_lock(&sink_lock);
	holding++;
	(void)pthread_mutex_unlock(&sink_lock);
}

void
log_release(void)
{
	(void)pthread_mutex_lock(&sink_lock);
	if (--holding == 0)
		write_held();
	(void)pthread_mutex_unlock(&sink_lock);
}

static bool
find_name(const char *const *table, size_t n, const char *s, size_t len, size_t *out)
{
	for (size_t i = 0; i < n; i++) {
		if (strlen(table[i]) == len && memcmp(table[i], s, len) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

/* One word of a specification: "level" or "module=level", into levels[]. */
static enum err_code
read_word(const char *word, size_t len, int levels[LOG__MODULES], struct err *e)
{
	const char *eq = memchr(word, '=', len);
	const char *level = eq == NULL ? word : eq + 1;
	size_t module = 0, value;

	if (!find_name(level_names, LVL__COUNT, level, len - (size_t)(level - word), &value))
		return err_set(e, ERR_INVALID, "log level \"%.*s\": not one of error, warning, notice, info, debug",
		    (int)len, word);
	if (eq != NULL && !find_name(module_names, LOG__MODULES, word, (size_t)(eq - word), &module))
		return err_set(e, ERR_INVALID, "log level \"%.*s\": no such module", (int)len, word);
	for (size_t i = 0; i < LOG__MODULES; i++) {
		if (eq == NULL || i == module)
			levels[i] = (int)value - (int)LVL_INFO;
	}
	return ERR_OK;
}

static enum err_code
read_levels(const char *spec, int levels[LOG__MODULES], struct err *e)
{
	for (;;) {
		size_t len = strcspn(spec, ",");
		enum err_code rc = read_word(spec, len, levels, e);
		if (rc != ERR_OK)
			return rc;
		if (spec[len] == 0)
			return ERR_OK;
		spec += len + 1;
	}
}

enum err_code
log_check_levels(const char *spec, struct err *e)
{
	int levels[LOG__MODULES];

	return read_levels(spec, levels, e);
}

enum err_code
log_set_levels(const char *spec, struct err *e)
{
	int levels[LOG__MODULES];

	for (size_t i = 0; i < LOG__MODULES; i++)
		levels[i] = atomic_load(&above_info[i]);
	enum err_code rc = read_levels(spec, levels, e);
	for (size_t i = 0; rc == ERR_OK && i < LOG__MODULES; i++)
		atomic_store(&above_info[i], levels[i]);
	return rc;
}

/* Quotes in the text are ours and stay as they are; what would break the line does not. */
static void
put_text(struct gbuf *line, const char *text)
{
	size_t len = strlen(text);

	if (str_is_printable(text, len))
		gbuf_put(line, text, len);
	else
		str_quote(line, text, len);
}

/* A member whose value is text, made printable first where it is not. */
static void
put_json(struct gbuf *line, const char *name, const char *text)
{
	struct gbuf safe = { 0 };

	put_text(&safe, text);
	gbuf_printf(line, ",\"%s\":\"", name);
	for (const char *p = gbuf_cstr(&safe); *p != 0; p++) {
		if (*p == '"' || *p == '\\')
			gbuf_u8(line, '\\');
		gbuf_u8(line, (uint8_t)*p);
	}
	gbuf_u8(line, '"');
	gbuf_clear(&safe);
}

static void
format_json(struct gbuf *line, enum log_level level, enum log_module module,
    const struct log_about *about, const char *text)
{
	char ts[CLOCK_RFC3339_LEN + 1];

	clock_rfc3339(clock_wall_ms(), ts);
	gbuf_printf(line, "{\"ts\":\"%s\",\"level\":\"%s\",\"module\":\"%s\"", ts, log_level_name(level),
	    log_module_name(module));
	put_json(line, "msg", text);
	if (about->endpoint != NULL)
		put_json(line, "endpoint", about->endpoint);
	if (about->session != 0)
		gbuf_printf(line, ",\"session\":%llu", (unsigned long long)about->session);
	if (about->peer != NULL)
		put_json(line, "peer", about->peer);
	gbuf_u8(line, '}');
}

static void
put_field(struct gbuf *line, const char *name, const char *value)
{
	bool bare = *value != 0 && strpbrk(value, " =\"\\") == NULL;

	gbuf_u8(line, ' ');
	gbuf_str(line, name);
	gbuf_str(line, bare ? "=" : "=\"");
	str_quote(line, value, strlen(value));
	if (!bare)
		gbuf_u8(line, '"');
}

static void
format_text(struct gbuf *line, enum log_level level, enum log_module module,
    const struct log_about *about, const char *text)
{
	gbuf_str(line, log_level_name(level));
	gbuf_u8(line, ' ');
	gbuf_str(line, log_module_name(module));
	gbuf_str(line, ": ");
	put_text(line, text);
	if (about->endpoint != NULL)
		put_field(line, "endpoint", about->endpoint);
	if (about->session != 0) {
		gbuf_str(line, " session=");
		gbuf_u64(line, about->session);
	}
	if (about->peer != NULL)
		put_field(line, "peer", about->peer);
}

/* line ends with an end of line, which a sink does not see. */
static void
emit(enum log_level level, struct gbuf *line)
{
	(void)pthread_mutex_lock(&sink_lock);
	if (sink_fn != NULL) {
		line->data[--line->len] = 0;
		sink_fn(level, gbuf_cstr(line), sink_arg);
	} else if (holding > 0 && level > LVL_WARNING && held.len + line->len <= HELD_MAX &&
	    gbuf_room(&held, line->len)) {
		gbuf_put(&held, line->data, line->len);
	} else {
		write_held();
		write_lines(line->data, line->len);
	}
	(void)pthread_mutex_unlock(&sink_lock);
}

void
log_msg(enum log_level level, enum log_module module, const struct log_about *about,
    const char *fmt, ...)
{
	static const struct log_about nothing = { 0 };
	struct gbuf line = { 0 };
	char text[1024];
	va_list ap;

	if (!log_wanted(level, module))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (about == NULL)
		about = &nothing;
	if (atomic_load(&as_json))
		format_json(&line, level, module, about, text);
	else
		format_text(&line, level, module, about, text);
	gbuf_u8(&line, '\n');
	if (line.failed)
		(void)fputs("error server: log line lost (out of memory)\n", stderr);
	else
		emit(level, &line);
	gbuf_clear(&line);
}
