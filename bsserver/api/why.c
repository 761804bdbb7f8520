/* Why is a device let in or refused: record, rules, profiles, last session, and what to do. */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/api/handoffs.h"
#include "bsserver/api/prep.h"
#include "bsserver/api/sessions.h"
#include "lib/base/str.h"

#define PEER_SESSIONS 20

struct why {
	struct req *r;
	char *endpoint;
	json_t *j, *todo;
};

static void
why_free(void *arg)
{
	struct why *w = arg;

	json_decref(w->j);
	json_decref(w->todo);
	free(w->endpoint);
	free(w);
}

static void PRINTF_LIKE(2, 3) advise(struct why *w, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	(void)json_array_append_new(w->todo, json_text(text));
}

/* ---- rules ---- */

/* What every rule says, a line each. */
static json_t *
explain(const struct why *w, const struct auth_question *q)
{
	struct gbuf text = { .max = 65536 };
	json_t *list = json_array();
	char *save = NULL, *line;

	auth_explain(w->r->api->c.auth, q, &text);
	if (text.len > 0)
		for (line = strtok_r((char *)text.data, "\n", &save); line != NULL;
		     line = strtok_r(NULL, "\n", &save))
			(void)json_array_append_new(list, json_text(line));
	gbuf_clear(&text);
	return list;
}

/* Its certificate decides, and that is seen when it comes: by which ones it could. */
static bool
put_foretold(struct why *w, json_t *rules)
{
	struct gbuf text = { .max = 8192 };
	bool some = auth_foretell(w->r->api->c.auth, w->endpoint, &text);

	if (some) {
		json_put(rules, "granted", json_null());
		json_put(rules, "decision", json_text(gbuf_cstr(&text)));
	}
	gbuf_clear(&text);
	return some;
}

static void
put_decision(struct why *w, json_t *rules, const struct auth_question *q)
{
	struct auth_answer answer;

	auth_decide(w->r->api->c.auth, q, &answer);
	json_put(rules, "granted", json_boolean(answer.granted));
	json_put(rules, "decision", json_text(gbuf_cstr(&answer.rule)));
	if (!answer.granted) {
		json_put(rules, "reason", json_text(bs_reason_name(answer.reason)));
		advise(w, "%s", bs_reason_help(answer.reason));
	}
	auth_answer_clear(&answer);
}

/* No rule lets in whom nobody knows. */
static void
put_unknown(struct why *w)
{
	json_t *rules = json_object();

	json_put(rules, "identity", json_null());
	json_put(rules, "granted", json_false());
	json_put(rules, "decision", json_text("no device of this name is known"));
	json_put(rules, "reason", json_text(bs_reason_name(BS_REASON_UNKNOWN_ENDPOINT)));
	json_put(w->j, "rules", rules);
	advise(w, "%s", bs_reason_help(BS_REASON_UNKNOWN_ENDPOINT));
}

static void
put_rules(struct why *w, const struct store_credential *creds, size_t n)
{
	const struct auth_question nosec = { .credential = AUTH_NOSEC, .endpoint = w->endpoint };
	json_t *rules = json_object();
	const char *identity = NULL, *pin = NULL;

	for (size_t i = 0; i < n; i++)
		if (strcmp(creds[i].slot, STORE_SLOT_BOOTSTRAP) == 0)
			*(creds[i].key.len == 0 ? &pin : &identity) = creds[i].identity;
	json_put(rules, "identity", json_text(identity != NULL ? identity : pin));
	bool rpk = pin != NULL && strncmp(pin, "rpk ", 4) == 0;
	const struct auth_question public = {
		.credential = rpk ? AUTH_RPK : AUTH_X509, .pin = pin, .endpoint = w->endpoint };
	const struct auth_question psk = { .credential = AUTH_PSK,
		.identity = identity,
		.identity_len = identity == NULL ? 0 : strlen(identity),
		.endpoint = w->endpoint };

	json_put(rules, rpk ? "rpk" : "x509", explain(w, &public));
	if (identity != NULL)
		json_put(rules, "psk", explain(w, &psk));
	json_put(rules, "none", explain(w, &nosec));
	if (pin != NULL || identity != NULL)
		put_decision(w, rules, pin != NULL ? &public : &psk);
	else if (!put_foretold(w, rules))
		put_decision(w, rules, &nosec);
	json_put(w->j, "rules", rules);
}

/* ---- profiles ---- */

static void
put_chain(struct why *w, const struct profile_doc *own)
{
	const struct shelf *s = w->r->api->c.shelf;
	struct chain ch = { .n = 0 };
	json_t *list = json_array();

	if (own != NULL)
		chain_of(s, own, &ch);
	for (size_t i = 0; i < ch.n; i++) {
		json_t *x = json_object();

		json_put(x, "profile", json_text(ch.names[i]));
		json_put(
		    x, "revision", ch.revisions[i] == 0 ? json_null() : json_u64(ch.revisions[i]));
		if (ch.revisions[i] == 0)
			advise(w,
			    "apply the profile %s: the device extends it, and it is not there",
			    ch.names[i]);
		(void)json_array_append_new(list, x);
	}
	json_put(w->j, "extends", list);
}

static void
put_match(struct why *w)
{
	const char *profile, *pattern;
	struct err e;
	json_t *x = json_object();

	if (shelf_match(w->r->api->c.shelf, w->endpoint, &profile, &pattern, &e) != ERR_OK)
		json_put(x, "conflict", json_text(e.msg));
	else if (profile != NULL) {
		json_put(x, "profile", json_text(profile));
		json_put(x, "pattern", json_text(pattern));
	}
	json_put(w->j, "match", json_object_size(x) > 0 ? json_incref(x) : json_null());
	json_decref(x);
}

/* Whether the document compiles today. */
static void
put_findings(struct why *w, struct store_device *d, struct store_credential *creds, size_t n)
{
	struct prep *p = NULL;
	struct err e;
	enum err_code rc = prep_read(w->r->api, d->endpoint, 1, d->doc, strlen(d->doc), &p, &e);

	put_chain(w, rc == ERR_OK ? p->own : NULL);
	put_match(w);
	if (rc == ERR_OK) {
		prep_has_device(p, d, creds, n);
		rc = prep_finish(p, PREP_NO_KEYS, NULL, &e);
	}
	json_put(w->j, "findings", p == NULL ? json_array() : json_of_findings(&p->findings));
	if (rc != ERR_OK)
		advise(w, "mend the document: %s", e.msg);
	else if (p->findings.errors > 0)
		advise(w, "mend the document and apply it: %zu error%s, see findings",
		    p->findings.errors, p->findings.errors == 1 ? "" : "s");
	prep_free(p);
}

/* ---- hand-offs ---- */

/* Only of devices whose LwM2M Servers are told; then all is said. */
static void
on_handoffs(void *arg, enum err_code rc, const struct err *e, struct store_handoff *v, size_t n, bool more)
{
	struct why *w = arg;
	json_t *list = n > 0 ? json_array() : NULL;

	(void)more;
	if (rc != ERR_OK) {
		answer_err(w->r, 0, e);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		(void)json_array_append_new(list, json_of_handoff(&v[i]));
		if (v[i].state != STORE_HANDOFF_SETTLED)
			advise(w, "hand-off to %s: %s%s%s", v[i].target, store_handoff_state_help(v[i].state),
			    v[i].error == NULL ? "" : "; it said: ", v[i].error == NULL ? "" : v[i].error);
	}
	json_put(w->j, "handoffs", list);
	json_put(w->j, "to_do", json_incref(w->todo));
	answer_json(w->r, 200, json_incref(w->j));
}

static void
ask_handoffs(struct why *w)
{
	const struct store_handoff_page page = { .endpoint = w->endpoint };

	if (req_alive(w->r))
		w->r->api->c.ops->handoff_list(w->r->api->c.store, &page, on_handoffs, w);
}

/* ---- handshakes with its name as the identity, which no device is known by ---- */

static void
on_knocks(void *arg, enum err_code rc, const struct err *e, json_t *list, unsigned scanned, uint64_t before)
{
	struct why *w = arg;

	(void)scanned, (void)before;
	if (rc != ERR_OK) {
		answer_err(w->r, 0, e);
		return;
	}
	json_put(w->j, "sessions", json_incref(list));
	if (json_array_size(list) > 0)
		advise(w, "%s", bs_reason_help(BS_REASON_UNKNOWN_IDENTITY));
	else
		advise(w, "no session of it is kept: let the device knock; when it did, ask for "
		          "its address (--peer)");
	ask_handoffs(w);
}

static void
scan_knocks(struct why *w)
{
	struct gbuf credential = { .max = 4096 };
	struct scan_conf c = { .verdict = BS_VERDICT_REFUSED,
		.reason = BS_REASON_UNKNOWN_IDENTITY,
		.limit = PEER_SESSIONS,
		.max_scanned = SCAN_MAX };

	gbuf_str(&credential, "psk:");
	str_quote(&credential, w->endpoint, strlen(w->endpoint));
	c.credential = gbuf_cstr(&credential);
	session_scan(w->r, &c, on_knocks, w);
	gbuf_clear(&credential);
}

/* ---- the last session ---- */

static void
on_last(void *arg, enum err_code rc, const struct err *e, struct store_session_row *v, size_t n,
    bool more)
{
	struct why *w = arg;

	(void)more;
	if (rc != ERR_OK && rc != ERR_NOT_FOUND) {
		answer_err(w->r, 0, e);
		return;
	}
	if (rc == ERR_OK && n > 0) {
		const struct bs_record *rec = &v[0].rec;
		json_t *x = json_of_session(rec);

		json_put(x, "help", json_text(bs_reason_help(rec->reason)));
		json_put(w->j, "last_session", x);
		if (rec->reason != BS_REASON_NONE)
			advise(w, "%s", bs_reason_help(rec->reason));
		ask_handoffs(w);
		return;
	}
	json_put(w->j, "last_session", json_null());
	if (req_alive(w->r))
		scan_knocks(w);
}

static void
put_device(struct why *w, const struct store_device *d)
{
	json_put(w->j, "known", json_boolean(d != NULL));
	json_put(w->j, "state", d == NULL ? json_null() : json_text(store_state_name(d->state)));
	json_put(w->j, "revision", d == NULL ? json_null() : json_u64(d->revision));
	if (d != NULL) {
		put_registered(w->r->api, w->j, d->endpoint);
		const char *help = json_string_value(json_object_get(w->j, "after_help"));

		if (help != NULL)
			advise(w, "%s", help);
	}
	if (d != NULL && d->state != STORE_ACTIVE)
		advise(w, "the device is %s: device unblock lets it in again",
		    store_state_name(d->state));
}

static void
on_device(void *arg, enum err_code rc, const struct err *e, struct store_device *d,
    struct store_credential *creds, size_t n)
{
	struct why *w = arg;
	struct req *r = w->r;

	if (rc != ERR_OK && rc != ERR_NOT_FOUND) {
		answer_err(r, 0, e);
		return;
	}
	put_device(w, rc == ERR_OK ? d : NULL);
	if (rc == ERR_OK) {
		put_rules(w, creds, n);
		put_findings(w, d, creds, n);
	} else {
		put_unknown(w);
		put_match(w);
	}
	if (req_alive(r))
		r->api->c.ops->session_get(r->api->c.store, 0, w->endpoint, on_last, w);
}

/* ---- by address ---- */

static void
on_peer(void *arg, enum err_code rc, const struct err *e, json_t *list, unsigned scanned,
    uint64_t before)
{
	struct why *w = arg;
	size_t i;
	json_t *x;

	if (rc != ERR_OK) {
		answer_err(w->r, 0, e);
		return;
	}
	json_array_foreach(list, i, x)
	{
		enum bs_reason reason;

		if (bs_reason_from_name(json_string_value(json_object_get(x, "reason")), &reason) &&
		    reason != BS_REASON_NONE) {
			json_put(x, "help", json_text(bs_reason_help(reason)));
			if (json_array_size(w->todo) == 0)
				advise(w, "%s", bs_reason_help(reason));
		}
	}
	if (json_array_size(list) == 0)
		advise(w, "nothing came from there, or it is not kept any more: look at listeners, "
		          "routes and firewalls");
	json_put(w->j, "sessions", json_incref(list));
	json_put(w->j, "looked_at", json_integer(scanned));
	json_put(w->j, "complete", json_boolean(before == 0));
	json_put(w->j, "to_do", json_incref(w->todo));
	answer_json(w->r, 200, json_incref(w->j));
}

static void
why_peer(struct why *w, const char *peer)
{
	struct scan_conf c = { .peer = peer,
		.verdict = -1,
		.reason = -1,
		.limit = PEER_SESSIONS,
		.max_scanned = SCAN_MAX };

	json_put(w->j, "peer", json_text(peer));
	session_scan(w->r, &c, on_peer, w);
}

void
get_why(struct req *r)
{
	const char *endpoint = req_param(r, "endpoint"), *peer = req_param(r, "peer");
	struct why *w;

	if ((endpoint == NULL) == (peer == NULL)) {
		answer_fail(r, 0, ERR_USAGE, "one of endpoint and peer must be given");
		return;
	}
	w = calloc(1, sizeof *w);
	if (w == NULL) {
		answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
		return;
	}
	*w = (struct why){ .r = r, .j = json_object(), .todo = json_array() };
	r->state = w;
	r->state_free = why_free;
	if (peer != NULL) {
		why_peer(w, peer);
		return;
	}
	w->endpoint = strdup(endpoint);
	json_put(w->j, "endpoint", json_text(endpoint));
	if (w->endpoint == NULL)
		answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
	else
		r->api->c.ops->device_get(r->api->c.store, w->endpoint, on_device, w);
}
