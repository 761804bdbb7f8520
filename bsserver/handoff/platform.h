/*
 * bsserver/handoff/platform.h: what drivers share: strings of JSON; and those of platforms whose REST
 * interface takes several requests for one task: JSON in and out, and a login. For files of this folder.
 */
#ifndef BSSERVER_HANDOFF_PLATFORM_H
#define BSSERVER_HANDOFF_PLATFORM_H

#include "bsserver/handoff/driver.h"

struct json_t;

/* Strings; the caller owns them; NULL when memory is short. */
struct json_t *handoff_json_hex(const uint8_t *p, size_t n);
struct json_t *handoff_json_base64(const uint8_t *p, size_t n);
struct json_t *handoff_json_random(size_t n); /* n octets that nobody knows, in hex */
/* The JSON text of j, which is taken over, as a string. */
struct json_t *handoff_json_text(struct json_t *j);

/* Its stage and method; the URL is the server's and the path, as handoff_url() has it. HANDOFF_ASK. */
enum handoff_word handoff_aim(
    struct handoff_task *t, struct handoff_request *out, int stage, const char *method, const char *path);
/* j, taken over, is the request's body. HANDOFF_ASK; LATER when it is NULL, or memory is short. */
enum handoff_word handoff_send_json(struct json_t *j, struct handoff_request *out, struct err *why);

static inline bool
handoff_is_good(const struct handoff_reply *r)
{
	return r->status >= 200 && r->status < 300;
}

static inline bool
handoff_is_telling(const struct handoff_task *t)
{
	return t->call == HANDOFF_CALL_TELL || t->call == HANDOFF_CALL_TELL_BACK;
}

/* An answer's JSON object, the caller's; NULL: it is none. */
struct json_t *handoff_json_of(const struct handoff_reply *r);
/* A good answer that makes no sense: somebody else's. HANDOFF_LATER. */
enum handoff_word handoff_nonsense(const struct handoff_reply *r, const char *platform, struct err *why);
/* handoff_unwelcome(), which tells of the body only the member of that name: the rest may repeat what was sent. */
enum handoff_word handoff_unwelcome_member(
    const struct handoff_task *t, const struct handoff_reply *r, const char *member, struct err *why);
/* The token in that member of an answer to a login becomes t->grant. DONE, NO or LATER. */
enum handoff_word handoff_take_grant(
    struct handoff_task *t, const struct handoff_reply *r, const char *member, struct err *why);

#endif
