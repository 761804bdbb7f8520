/* Pieces of JSON that several answers hold. */
#include <jansson.h>
#include <string.h>

#include "bsserver/api/internal.h"
#include "lib/base/clock.h"

json_t *
json_text(const char *s)
{
	return s == NULL ? json_null() : json_string(s);
}

json_t *
json_when(int64_t wall_ms)
{
	char text[CLOCK_RFC3339_LEN + 1];

	if (wall_ms == 0)
		return json_null();
	clock_rfc3339(wall_ms, text);
	return json_string(text);
}

json_t *
json_u64(uint64_t v)
{
	return json_integer((json_int_t)MIN(v, (uint64_t)INT64_MAX));
}

json_t *
json_doc(const char *doc)
{
	json_t *j = doc == NULL ? NULL : json_loads(doc, 0, NULL);

	return j == NULL ? json_null() : j;
}

void
json_put(json_t *obj, const char *key, json_t *v)
{
	if (v != NULL)
		(void)json_object_set_new(obj, key, v);
}

json_t *
json_of_credential(const struct store_credential *c)
{
	json_t *j = json_object();

	json_put(j, "slot", json_text(c->slot));
	json_put(j, "fingerprint", json_text(c->fingerprint));
	if (c->identity != NULL)
		json_put(j, "identity", json_text(c->identity));
	json_put(j, "length", json_u64(c->key.len));
	json_put(j, "generated", json_boolean(c->generated));
	json_put(j, "revision", json_u64(c->revision));
	return j;
}

static void
put_outcome(json_t *j, const struct bs_record *r)
{
	char code[5];

	json_put(j, "verdict", json_text(bs_verdict_name(r->verdict)));
	json_put(j, "reason", json_text(bs_reason_name(r->reason)));
	json_put(j, "step", json_text(bs_step_name(r->step)));
	json_put(j, "path", r->path[0] == 0 ? json_null() : json_text(r->path));
	if (r->code != 0)
		bs_code_str(r->code, code);
	json_put(j, "code", r->code == 0 ? json_null() : json_text(code));
	json_put(j, "detail", json_text(r->detail));
	json_put(j, "unconfirmed", json_text(r->unconfirmed));
}

json_t *
json_of_session(const struct bs_record *r)
{
	json_t *j = json_object();

	json_put(j, "id", json_u64(r->id));
	json_put(j, "endpoint", json_text(r->endpoint));
	json_put(j, "peer", json_text(r->peer));
	json_put(j, "credential", json_text(r->credential));
	json_put(j, "rule", json_text(r->rule));
	json_put(j, "profile", json_text(r->profile));
	json_put(j, "revision", json_u64(r->revision));
	json_put(j, "fingerprints", json_text(r->fingerprints));
	json_put(j, "started", json_when(r->started_ms));
	json_put(j, "ended", json_when(r->ended_ms));
	json_put(j, "duration_ms", json_integer(r->ended_ms - r->started_ms));
	put_outcome(j, r);
	json_put(j, "format", r->used_format < 0 ? json_null() : json_integer(r->used_format));
	json_put(j, "exchanges", json_integer(r->exchanges));
	json_put(j, "anchor", r->anchor == NULL ? NULL : json_text(r->anchor));
	json_put(j, "given", r->given == NULL || strcmp(r->given, "[]") == 0 ? NULL : json_doc(r->given));
	return j;
}

bool
json_depth_ok(const char *text, size_t n, unsigned max)
{
	unsigned depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < n; i++) {
		char c = text[i];

		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
		} else if (c == '"')
			quoted = true;
		else if ((c == '[' || c == '{') && ++depth > max)
			return false;
		else if ((c == ']' || c == '}') && depth > 0)
			depth--;
	}
	return true;
}
