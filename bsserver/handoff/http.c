/*
 * Any REST interface, by templates of the configuration: "METHOD /path" and a body for each call. In
 * them stand for values: %e the endpoint, %a the account's local name, %s its Short Server ID, %m the
 * mode (psk, rpk, x509), %i the identity as text, %h in hex, %b in base64, %k a PSK in hex, %K in
 * base64, %n the instance of Object 1 that the account is, %% a percent sign; percent-encoded in a path,
 * escaped as in a JSON string in a body.
 */
#include <string.h>

#include "bsserver/handoff/driver.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/base/util.h"

struct template {
	const char *line, *body; /* NULL: not served; body NULL: none */
};

static struct template
template_of(const struct handoff_task *t)
{
	const struct handoff_server *s = t->server;

	switch (t->call) {
	case HANDOFF_CALL_TELL:
	case HANDOFF_CALL_TELL_BACK:
		return (struct template){ s->tell, s->tell_body };
	case HANDOFF_CALL_DROP:
		return (struct template){ s->drop, s->drop_body };
	case HANDOFF_CALL_FORGET:
		return (struct template){ s->forget, s->forget_body };
	case HANDOFF_CALL_TEST:
		return (struct template){ s->test, NULL };
	case HANDOFF_CALL_TRIGGER:
		return (struct template){ s->trigger, s->trigger_body };
	case HANDOFF_CALL_NONE:
	case HANDOFF_CALL__COUNT:
		break;
	}
	return (struct template){ NULL, NULL };
}

static bool
put_value(struct gbuf *out, const struct handoff_task *t, char sign)
{
	const struct handoff_credential *c = &t->cred;

	switch (sign) {
	case '%':
		gbuf_u8(out, '%');
		return true;
	case 'e':
		gbuf_str(out, t->endpoint);
		return true;
	case 'a':
		gbuf_str(out, t->account);
		return true;
	case 's':
		gbuf_u64(out, t->short_server_id);
		return true;
	case 'n':
		gbuf_u64(out, t->instance < 0 ? 0 : (uint64_t)t->instance);
		return t->instance >= 0;
	case 'm':
		gbuf_str(out, handoff_mode_name(c->mode));
		return true;
	case 'i':
		gbuf_put(out, c->identity, c->identity_len);
		return str_is_utf8(c->identity == NULL ? "" : (const void *)c->identity, c->identity_len);
	case 'h':
		enc_hex(out, c->identity, c->identity_len);
		return true;
	case 'b':
		enc_base64(out, c->identity, c->identity_len);
		return true;
	case 'k':
		enc_hex(out, c->key, c->key_len);
		return true;
	case 'K':
		enc_base64(out, c->key, c->key_len);
		return true;
	default:
		return false;
	}
}

static void
json_escape(struct gbuf *out, const char *s)
{
	for (; *s != 0; s++) {
		if (*s == '"' || *s == '\\')
			gbuf_u8(out, '\\');
		if ((unsigned char)*s < 0x20)
			gbuf_printf(out, "\\u%04x", (unsigned)*s);
		else
			gbuf_u8(out, (uint8_t)*s);
	}
}

/* false: a sign that stands for nothing, or a value that is no text; in a path, one that is empty: it would name all. */
static bool
expand(struct gbuf *out, const struct handoff_task *t, const char *text, bool path)
{
	struct gbuf value = { 0 };
	bool ok = true;

	for (; ok && *text != 0; text++) {
		if (*text != '%') {
			gbuf_u8(out, (uint8_t)*text);
			continue;
		}
		gbuf_reset(&value);
		ok = put_value(&value, t, *++text) && !(path && value.len == 0);
		if (ok && path)
			handoff_percent_encode(out, gbuf_cstr(&value));
		else if (ok)
			json_escape(out, gbuf_cstr(&value));
	}
	gbuf_clear(&value);
	return ok;
}

static const char *
method_of(const char *line, const char **path)
{
	static const char *const methods[] = { "PUT", "POST", "PATCH", "DELETE", "GET" };

	for (size_t i = 0; i < N_ELEMS(methods); i++) {
		size_t n = strlen(methods[i]);

		if (strncmp(line, methods[i], n) == 0 && line[n] == ' ' && line[n + 1] == '/') {
			*path = line + n + 1;
			return methods[i];
		}
	}
	return NULL;
}

static enum handoff_word
ask(struct handoff_task *t, struct handoff_request *out, struct err *why)
{
	struct template m = template_of(t);
	const char *path = NULL;

	if (m.line == NULL) { /* nothing can be taken from it; a test has no way to ask */
		(void)err_set(why, ERR_UNSUPPORTED, "the configuration does not say how to %s", handoff_call_name(t->call));
		return HANDOFF_NO;
	}
	out->method = method_of(m.line, &path);
	if (out->method == NULL) {
		(void)err_set(why, ERR_INVALID, "\"%s\" is not METHOD /path", m.line);
		return HANDOFF_NO;
	}
	gbuf_str(&out->url, t->server->url);
	out->type = m.body == NULL ? NULL : "application/json";
	handoff_authorize(out, t);
	if (expand(&out->url, t, path, true) && (m.body == NULL || expand(&out->body, t, m.body, false)))
		return HANDOFF_ASK;
	(void)err_set(why, ERR_INVALID, "the template cannot be filled: %s",
	    t->call == HANDOFF_CALL_TRIGGER ? "which instance of Object 1 its account is, is not known" :
	                                      "the identity is no text, or what its path needs is empty");
	return HANDOFF_NO;
}

/* ---- the configuration ---- */

static enum err_code
check_signs(const char *name, const char *text, const char *signs, struct err *e)
{
	for (const char *p = strchr(text, '%'); p != NULL; p = strchr(p + 2, '%'))
		if (p[1] == 0 || strchr(signs, p[1]) == NULL)
			return err_set(e, ERR_INVALID, "%s: behind %% comes one of %s", name, signs);
	return ERR_OK;
}

static enum err_code
check_call(const char *name, const struct template *m, const char *path_signs, const char *body_signs, struct err *e)
{
	const char *path = NULL;
	enum err_code rc;

	if (m->line == NULL)
		return m->body == NULL ? ERR_OK : err_set(e, ERR_INVALID, "%s_body: there is no %s that it belongs to", name, name);
	if (method_of(m->line, &path) == NULL || !str_is_printable(path, strlen(path)) || path[strcspn(path, " #\\")] != 0)
		return err_set(e, ERR_INVALID,
		    "%s: must be \"METHOD /path\" with PUT, POST, PATCH, DELETE or GET, and no blank or # in the path", name);
	rc = check_signs(name, path, path_signs, e);
	return rc == ERR_OK && m->body != NULL ? check_signs(name, m->body, body_signs, e) : rc;
}

enum err_code
handoff_http_check(const struct handoff_server *s, struct err *e)
{
	/* a key in a path would stand in logs on its way; a device that is gone has no credential, a test no device */
	const struct {
		const char *name;
		struct template m;
		const char *path, *body;
		bool needed;
	} calls[] = {
		{ "tell", { s->tell, s->tell_body }, "%easmihb", "%easmihbkK", true },
		{ "drop", { s->drop, s->drop_body }, "%easmihb", "%easmihbkK", s->several },
		{ "forget", { s->forget, s->forget_body }, "%eas", "%eas", true },
		{ "test", { s->test, NULL }, "%", "%", false },
		{ "trigger", { s->trigger, s->trigger_body }, "%easn", "%easn", false },
	};

	for (size_t i = 0; i < N_ELEMS(calls); i++) {
		if (calls[i].needed && calls[i].m.line == NULL)
			return err_set(e, ERR_INVALID, "%s: is missing: driver http needs it%s", calls[i].name,
			    strcmp(calls[i].name, "drop") == 0 ? " with several" : "");
		if (check_call(calls[i].name, &calls[i].m, calls[i].path, calls[i].body, e) != ERR_OK)
			return ERR_INVALID;
	}
	return ERR_OK;
}

/* What it says of the device goes by the status alone. */
static enum handoff_word
triggered(struct handoff_task *t, const struct handoff_reply *r, struct err *why)
{
	static const struct {
		long status;
		enum handoff_said said;
	} rows[] = { { 202, HANDOFF_SAID_QUEUED }, { 404, HANDOFF_SAID_ABSENT }, { 410, HANDOFF_SAID_ABSENT },
		{ 408, HANDOFF_SAID_SILENT }, { 504, HANDOFF_SAID_SILENT } };

	for (size_t i = 0; i < N_ELEMS(rows); i++)
		if (rows[i].status == r->status) {
			t->heard.said = rows[i].said;
			return HANDOFF_DONE;
		}
	if (r->status < 200 || r->status >= 300)
		return handoff_unwelcome(t, r, why);
	t->heard.said = HANDOFF_SAID_YES;
	return HANDOFF_DONE;
}

static bool
can_trigger(const struct handoff_server *s)
{
	return s->trigger != NULL;
}

static enum handoff_word
next(struct handoff_task *t, const struct handoff_reply *last, struct handoff_request *out, struct err *why)
{
	bool takes = t->call == HANDOFF_CALL_DROP || t->call == HANDOFF_CALL_FORGET;

	if (last == NULL)
		return ask(t, out, why);
	if (t->call == HANDOFF_CALL_TRIGGER)
		return triggered(t, last, why);
	if ((last->status >= 200 && last->status < 300) || (takes && (last->status == 404 || last->status == 410)))
		return HANDOFF_DONE;
	return handoff_unwelcome(t, last, why);
}

const struct handoff_driver handoff_http = { .name = "http", .modes = HANDOFF_HOLDS_ALL, .check = handoff_http_check,
	.next = next, .can_trigger = can_trigger };
