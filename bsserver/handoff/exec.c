/*
 * A program of the operator's: one JSON object on its standard input, one (or nothing) on its standard
 * output. Exit status 0: done; 75: not now, another time; any other: refused. What it says in "error"
 * is what people are told.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/handoff/platform.h"
#include "lib/base/secret.h"
#include "lib/base/str.h"
#include "lib/base/util.h"

#define NOT_NOW 75 /* EX_TEMPFAIL of <sysexits.h> */

static const char *
word_of(enum handoff_call c)
{
	return c == HANDOFF_CALL_TELL_BACK ? "tell" : handoff_call_name(c);
}

static json_t *
task_json(const struct handoff_task *t)
{
	const struct handoff_credential *c = &t->cred;
	bool cred = t->call == HANDOFF_CALL_TELL || t->call == HANDOFF_CALL_TELL_BACK || t->call == HANDOFF_CALL_DROP;
	json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:i}", "call", word_of(t->call), "server", t->server->name, "endpoint",
	    t->endpoint, "account", t->account, "short_server_id", (int)t->short_server_id);

	if (j == NULL || !cred)
		return j;
	bool whole = json_object_set_new(j, "mode", json_string(handoff_mode_name(c->mode))) == 0;
	if (c->mode == HANDOFF_PSK && str_is_utf8(c->identity == NULL ? "" : (const void *)c->identity, c->identity_len))
		whole &= json_object_set_new(j, "identity", json_stringn((const char *)c->identity, c->identity_len)) == 0;
	whole &= json_object_set_new(j, "identity_hex", handoff_json_hex(c->identity, c->identity_len)) == 0;
	if (c->mode == HANDOFF_PSK)
		whole &= json_object_set_new(j, "key_hex", handoff_json_hex(c->key, c->key_len)) == 0;
	if (whole)
		return j;
	json_decref(j);
	return NULL;
}

static enum handoff_word
ask(struct handoff_task *t, struct handoff_request *out, struct err *why)
{
	enum handoff_word word = handoff_send_json(task_json(t), out, why);

	if (word == HANDOFF_ASK)
		gbuf_u8(&out->body, '\n');
	return word;
}

static enum handoff_word
next(struct handoff_task *t, const struct handoff_reply *last, struct handoff_request *out, struct err *why)
{
	json_t *said;
	struct gbuf text = { .max = 1024 };

	if (last == NULL)
		return ask(t, out, why);
	if (last->status == 0)
		return HANDOFF_DONE;
	said = json_loadb((const char *)last->body, last->body_len, 0, NULL);
	const char *error = json_string_value(json_object_get(said, "error"));
	if (error != NULL)
		handoff_quote(&text, t, error, strlen(error));
	(void)err_set(why, ERR_REFUSED, "the program ended with %ld%s%s", last->status, text.len > 0 ? ": " : "",
	    gbuf_cstr(&text));
	gbuf_clear(&text);
	json_decref(said);
	return last->status == NOT_NOW ? HANDOFF_LATER : HANDOFF_NO;
}

const struct handoff_driver handoff_exec = { .name = "exec", .program = true, .modes = HANDOFF_HOLDS_ALL, .next = next };
