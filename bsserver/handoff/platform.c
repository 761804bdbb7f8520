#include "bsserver/handoff/platform.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"

static json_t *
string_of(struct gbuf *g)
{
	json_t *j = g->failed ? NULL : json_stringn(gbuf_cstr(g), g->len);

	gbuf_clear(g);
	return j;
}

struct json_t *
handoff_json_hex(const uint8_t *p, size_t n)
{
	struct gbuf g = { 0 };

	enc_hex(&g, p, n);
	return string_of(&g);
}

struct json_t *
handoff_json_base64(const uint8_t *p, size_t n)
{
	struct gbuf g = { 0 };

	enc_base64(&g, p, n);
	return string_of(&g);
}

struct json_t *
handoff_json_random(size_t n)
{
	struct secret s = SECRET_NONE;
	json_t *j = secret_random(&s, n, NULL) == ERR_OK ? handoff_json_hex(s.data, s.len) : NULL;

	secret_clear(&s);
	return j;
}

/* Freed by wipe_text(). */
static char *
text_of(json_t *j)
{
	char *text = j == NULL ? NULL : json_dumps(j, JSON_COMPACT);

	json_decref(j);
	return text;
}

static void
wipe_text(char *text)
{
	if (text != NULL)
		wipe(text, strlen(text));
	free(text);
}

struct json_t *
handoff_json_text(struct json_t *j)
{
	char *text = text_of(j);
	json_t *s = text == NULL ? NULL : json_string(text);

	wipe_text(text);
	return s;
}

enum handoff_word
handoff_aim(struct handoff_task *t, struct handoff_request *out, int stage, const char *method, const char *path)
{
	t->stage = stage;
	out->method = method;
	handoff_url(out, t, path);
	return HANDOFF_ASK;
}

enum handoff_word
handoff_send_json(struct json_t *j, struct handoff_request *out, struct err *why)
{
	char *text = text_of(j);

	if (text == NULL) {
		(void)err_no_memory(why);
		return HANDOFF_LATER;
	}
	out->type = "application/json";
	gbuf_str(&out->body, text);
	wipe_text(text);
	return HANDOFF_ASK;
}

struct json_t *
handoff_json_of(const struct handoff_reply *r)
{
	json_t *j = json_loadb((const char *)r->body, r->body_len, 0, NULL);

	if (json_is_object(j))
		return j;
	json_decref(j);
	return NULL;
}

enum handoff_word
handoff_nonsense(const struct handoff_reply *r, const char *platform, struct err *why)
{
	(void)err_set(why, ERR_PARSE, "HTTP %ld, and the answer is not one of %s's", r->status, platform);
	return HANDOFF_LATER;
}

enum handoff_word
handoff_unwelcome_member(const struct handoff_task *t, const struct handoff_reply *r, const char *member, struct err *why)
{
	json_t *j = handoff_json_of(r);
	const json_t *said = json_object_get(j, member);
	struct handoff_reply short_of_it = { .status = r->status, .type = r->type };

	short_of_it.body = (const uint8_t *)json_string_value(said);
	short_of_it.body_len = json_string_length(said);
	enum handoff_word word = handoff_unwelcome(t, &short_of_it, why);
	json_decref(j);
	return word;
}

enum handoff_word
handoff_take_grant(struct handoff_task *t, const struct handoff_reply *r, const char *member, struct err *why)
{
	json_t *j = handoff_json_of(r);
	const json_t *token = json_object_get(j, member);
	const char *text = json_string_value(token);
	enum handoff_word word = HANDOFF_DONE;

	/* it becomes a header */
	if (text == NULL || text[0] == 0 || !str_is_printable(text, json_string_length(token))) {
		(void)err_set(why, ERR_PARSE, "HTTP %ld, and the answer to the login has no token", r->status);
		word = HANDOFF_LATER;
	} else if (secret_set(&t->grant, text, strlen(text), why) != ERR_OK)
		word = HANDOFF_LATER;
	json_decref(j);
	return word;
}
