/* Certificates that are not to be handed out any more. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/api/internal.h"
#include "lib/base/str.h"

#define WHY_MAX 300

struct revoking {
	struct req *r;
	struct store_change c;
	struct store_actor who;
	char *why;
};

static void
revoking_free(void *arg)
{
	struct revoking *v = arg;

	free(v->why);
	free(v);
}

static void
on_noted(void *arg, enum err_code rc, const struct err *e, size_t failed_at, const struct store_result *v, size_t n)
{
	struct revoking *me = arg;
	json_t *j;

	(void)failed_at;
	if (rc != ERR_OK || n == 0) {
		answer_err(me->r, 0, e);
		return;
	}
	j = json_object();
	json_put(j, "sha256", json_text(me->c.name));
	json_put(j, "result", json_text(v[0].kind == STORE_UNCHANGED ? "unchanged" : "revoked"));
	json_put(j, "seq", json_u64(v[0].revision));
	answer_json(me->r, 200, j);
}

void
post_certificate_revoke(struct req *r)
{
	json_t *j = req_json(r);
	const json_t *why = json_object_get(j, "why");
	struct revoking *v = NULL;

	if (j == NULL)
		return;
	if (!req_members(r, j, "why"))
		;
	else if (why != NULL && (!json_is_string(why) || json_string_length(why) > WHY_MAX ||
				   !str_is_printable(json_string_value(why), json_string_length(why))))
		answer_fail(r, 0, ERR_INVALID, "/why: must be text of up to %d octets in one line", WHY_MAX);
	else if ((v = calloc(1, sizeof *v)) == NULL)
		answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
	if (v != NULL) {
		v->r = r;
		v->who = req_actor(r);
		v->why = strdup(why == NULL ? "revoked" : json_string_value(why));
		v->c = (struct store_change){ .op = STORE_REVOKE, .name = req_arg(r, 0), .detail = v->why };
		r->state = v;
		r->state_free = revoking_free;
		r->api->c.ops->apply(r->api->c.store, &v->who, &v->c, 1, on_noted, v);
	}
	json_decref(j);
}
