/* What would be written, to a device as it was last seen or to a fresh one, with keys shown by
 * length and fingerprint only. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/api/held.h"
#include "bsserver/api/plan_rows.h"
#include "bsserver/api/prep.h"
#include "bsserver/bootstrap/audit.h"
#include "bsserver/ports/restore.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/lwm2m/format.h"

/* A device that holds nothing but the account it knocks with. */
static const char fresh_device[] = "</>;lwm2m=1.1,</0/0>,</1>,</3/0>";

struct planning {
	struct req *r;
	struct prep *p;
	struct profile_desired desired;
	struct profile_defaults defaults;
	struct bs_plan plan;
	const struct lwm2m_format *format;
	bool remembered; /* the format is what worked last time */
	/* what it is planned for */
	struct store_held held; /* links and values NULL: nothing is known */
	struct seen seen;
	const char *assumes;
	uint64_t restores; /* the session whose configuration is restored; 0: the document's is written */
	int remembered_format;
	struct bs_history history;
	struct bs_findings audit;
	struct store_device device; /* wishes and revision; empty for a document alone */
};

static void
planning_clear(struct planning *pl)
{
	store_held_clear(&pl->held);
	store_device_clear(&pl->device);
	seen_clear(&pl->seen);
	bs_history_clear(&pl->history);
	bs_findings_clear(&pl->audit);
	profile_desired_clear(&pl->desired);
	profile_defaults_clear(&pl->defaults);
	bs_plan_clear(&pl->plan);
	prep_free(pl->p);
}

static void
planning_free(void *arg)
{
	planning_clear(arg);
	free(arg);
}

/* ---- as JSON ---- */

/* In the document's numbering a path may have another instance: defaults are told by Object and
 * Resource, and the order of instances is kept. */
static bool
is_default(const struct planning *pl, const struct lwm2m_path *p)
{
	for (size_t i = 0; i < pl->defaults.n; i++) {
		const struct lwm2m_path *d = &pl->defaults.paths[i];

		if (d->depth < LWM2M_RESOURCE || d->id[0] != p->id[0] || d->id[2] != p->id[2])
			continue;
		const struct lwm2m_value *mine = lwm2m_tree_get(&pl->desired.tree, *d);
		const struct lwm2m_value *there = lwm2m_tree_get(&pl->plan.tree, *p);
		if (mine != NULL && there != NULL && lwm2m_value_eq(mine, there))
			return true;
	}
	return false;
}

static json_t *
secret_value(const struct planning *pl, const struct secret *key)
{
	struct api *a = pl->r->api;
	char fp[CRYPT_FP_LEN + 1];
	json_t *j = json_object();

	json_put(j, "length", json_u64(key->len));
	if (prep_is_sham(pl->p, key))
		json_put(j, "generated", json_true());
	else if (key->len > 0 && a->c.ops->fingerprint(a->c.store, key, fp, NULL) == ERR_OK)
		json_put(j, "fingerprint", json_text(fp));
	return j;
}

static json_t *
json_of_value(const struct planning *pl, const struct lwm2m_node *n)
{
	const struct lwm2m_res_def *def =
	    lwm2m_model_resource(pl->r->api->c.model, n->path.id[0], n->path.id[2]);
	struct gbuf text = { .max = 65536 };
	json_t *j = json_object();

	json_put(j, "path", json_text(lwm2m_path_str(n->path).s));
	json_put(j, "name", json_text(def == NULL ? NULL : def->key));
	if (lwm2m_type_has_bytes(n->value.type) && (def == NULL || def->secret))
		json_put(j, "secret", secret_value(pl, &n->value.bytes));
	else {
		seen_print(&text, &n->value);
		json_put(j, "value", json_text(gbuf_cstr(&text)));
	}
	if (is_default(pl, &n->path))
		json_put(j, "default", json_true());
	gbuf_clear(&text);
	return j;
}

static void
put_payload(const struct planning *pl, json_t *j, struct lwm2m_path path)
{
	struct lwm2m_span span = lwm2m_tree_under(&pl->plan.tree, path);
	struct gbuf bytes = { 0 };
	struct err e;
	json_t *values = json_array();

	if (pl->format->encode(path, span, &bytes, &e) == ERR_OK) {
		json_put(j, "format", json_text(pl->format->name));
		json_put(j, "bytes", json_u64(bytes.len));
	} else {
		json_put(j, "format", json_null());
		json_put(j, "problem", json_text(e.msg));
	}
	gbuf_clear(&bytes);
	for (size_t i = 0; i < span.n; i++)
		if (span.nodes[i].path.depth >= LWM2M_RESOURCE)
			(void)json_array_append_new(values, json_of_value(pl, &span.nodes[i]));
	json_put(j, "values", values);
}

static json_t *
json_of_ops(const struct planning *pl)
{
	json_t *list = json_array();

	for (size_t i = 0; i < pl->plan.n_ops; i++) {
		const struct bs_op *op = &pl->plan.ops[i];
		json_t *j = json_object();

		json_put(j, "method", json_text(bs_method_name(op->method)));
		json_put(j, "path", json_text(lwm2m_path_str(op->path).s));
		if (op->clock)
			json_put(j, "clock", json_true());
		else if (op->method == BS_PUT)
			put_payload(pl, j, op->path);
		(void)json_array_append_new(list, j);
	}
	return list;
}

static json_t *
json_of_audit(const struct bs_findings *f)
{
	struct gbuf text = { .max = API_ANSWER_MAX };
	json_t *j;

	bs_findings_json(f, &text);
	j = json_doc(text.failed ? NULL : gbuf_cstr(&text));
	gbuf_clear(&text);
	return j;
}

/* A secret as a word of a row. */
static void
print_secret(const void *arg, const struct secret *key, struct gbuf *out)
{
	const struct planning *pl = arg;
	struct api *a = pl->r->api;
	char fp[CRYPT_FP_LEN + 1];

	gbuf_printf(out, "%zu octets", key->len);
	if (prep_is_sham(pl->p, key))
		gbuf_str(out, ", made when it is stored");
	else if (key->len > 0 && a->c.ops->fingerprint(a->c.store, key, fp, NULL) == ERR_OK)
		gbuf_printf(out, ", %s", fp);
}

static json_t *
rows_of(const struct planning *pl)
{
	const struct plan_rows v = { .plan = &pl->plan, .inv = &pl->seen.inv, .m = pl->r->api->c.model,
		.print_secret = print_secret, .arg = pl };

	return plan_rows(&v);
}

static void
answer_plan(struct planning *pl)
{
	json_t *j = json_object();

	json_put(j, "endpoint", json_text(prep_name(pl->p)));
	json_put(j, "policy", json_text(profile_policy_name(pl->desired.policy)));
	json_put(j, "assumes", json_text(pl->assumes));
	json_put(j, "session", pl->held.last_session == 0 ? json_null() : json_u64(pl->held.last_session));
	json_put(j, "seen", json_when(pl->held.last_ms));
	json_put(j, "restores", pl->restores == 0 ? json_null() : json_u64(pl->restores));
	json_put(j, "format", json_text(pl->format->name));
	json_put(j, "format_remembered", json_boolean(pl->remembered));
	json_put(j, "verify", json_boolean(pl->desired.verify));
	json_put(j, "remark", pl->plan.remark[0] == 0 ? json_null() : json_text(pl->plan.remark));
	json_put(j, "operations", json_of_ops(pl));
	json_put(j, "rows", rows_of(pl));
	json_put(j, "timeline", plan_timeline(&pl->desired, pl->p->resolved));
	json_put(j, "findings", json_of_findings(&pl->p->findings));
	json_put(j, "audit", json_of_audit(&pl->audit));
	answer_json(pl->r, 200, j);
}

/* ---- making it ---- */

/* From what was seen; where that is nothing, from a fresh device. */
static enum err_code
make_plan(struct planning *pl, struct err *e)
{
	enum err_code rc;

	if (pl->assumes == NULL) {
		pl->held = (struct store_held){ .links = str_dup_n(fresh_device, sizeof fresh_device - 1) };
		pl->assumes = "a fresh device: only the bootstrap account, at /0/0";
	}
	rc = seen_load(&pl->seen, pl->r->api->c.model, &pl->held, e);
	if (rc == ERR_OK && pl->held.last_session != 0)
		rc = past_history(&pl->device, NULL, clock_wall_ms(), &pl->history, e);
	if (rc != ERR_OK)
		return rc;
	const struct bs_planning in = { .desired = &pl->desired, .inv = &pl->seen.inv, .model = pl->r->api->c.model,
		.history = pl->held.last_session != 0 ? &pl->history : NULL };
	/* it is not said that the device came back: only that it comes */
	pl->history.invited = true;
	rc = bs_plan_for(&in, &pl->plan, e);
	if (pl->held.last_session != 0 || pl->held.links == NULL)
		bs_audit(&in, rc == ERR_OK ? &pl->plan : NULL, &pl->audit);
	return rc;
}

/* What an operator wanted back goes before what the document says. */
static enum err_code
put_back(struct planning *pl, struct err *e)
{
	const struct store_device *d = &pl->device;
	const struct store_wish *w = &d->wishes[STORE_WISH_ROLLBACK];
	const struct restore r = { .wrote = &d->restore.wrote, .now = &pl->desired,
		.with_credentials = w->with_credentials, .withdrawn = &d->restore.withdrawn, .agreed = w->number };
	struct profile_desired got = { 0 };
	struct chain ch = { .n = 0 };
	enum err_code rc;

	chain_of(pl->r->api->c.shelf, pl->p->own, &ch);
	if (d->restore.session == 0 || !past_restores(d, MAX(d->revision, ch.newest)))
		return ERR_OK;
	rc = restore_make(&r, pl->r->api->c.model, &got, e);
	if (rc != ERR_OK)
		return rc;
	profile_desired_clear(&pl->desired);
	pl->desired = got;
	pl->restores = d->restore.session;
	return ERR_OK;
}

static void
choose_format(struct planning *pl, int remembered)
{
	int number = pl->desired.format;

	pl->remembered = number == PROFILE_FORMAT_AUTO && remembered >= 0;
	if (number == PROFILE_FORMAT_AUTO)
		number = remembered >= 0 ? remembered : LWM2M_CF_TLV;
	pl->format = lwm2m_format((uint16_t)number);
	if (pl->format == NULL)
		pl->format = lwm2m_format(LWM2M_CF_TLV);
}

void
answer_findings(struct req *r, const struct prep *p, const char *what)
{
	struct err e;
	json_t *j;
	struct gbuf g = { .max = API_ANSWER_MAX };
	char *text;

	(void)err_set(&e, ERR_INVALID, "%s: %zu error%s", what, p->findings.errors,
	    p->findings.errors == 1 ? "" : "s");
	j = answer_problem(422, &e);
	json_put(j, "findings", json_of_findings(&p->findings));
	text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	if (text == NULL)
		g.failed = true;
	else
		gbuf_str(&g, text);
	free(text);
	answer_text(r, 422, "application/problem+json", &g);
}

/* pl->p: read, and what the store has of it is in. It stays the request's. */
static void
plan_it(struct planning *pl)
{
	struct req *r = pl->r;
	struct prep *p = pl->p;
	struct profile_keys keys = prep_keys(p);
	struct err e;
	enum err_code rc;

	if (prep_kind(p) == PROFILE_SHARED) {
		answer_fail(r, 0, ERR_INVALID, "a plan is made for a device: this is the shared profile %s",
		    prep_name(p));
		return;
	}
	rc = prep_finish(p, PREP_SHAM_KEYS, NULL, &e);
	if (rc == ERR_OK && p->findings.errors > 0) {
		answer_findings(r, p, "the document is not right");
		return;
	}
	if (rc == ERR_OK)
		rc = profile_compile(p->resolved, r->api->c.model, &keys, &pl->desired, &pl->defaults, &e);
	if (rc == ERR_OK)
		rc = put_back(pl, &e);
	if (rc == ERR_OK)
		rc = make_plan(pl, &e);
	if (rc != ERR_OK) {
		answer_err(r, 0, &e);
		return;
	}
	choose_format(pl, pl->remembered_format);
	answer_plan(pl);
}

static struct planning *
new_planning(struct req *r)
{
	struct planning *pl = calloc(1, sizeof *pl);

	if (pl == NULL) {
		answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
		return NULL;
	}
	pl->r = r;
	pl->remembered_format = -1;
	pl->seen.inv.account = BS_UNKNOWN_INSTANCE;
	r->state = pl;
	r->state_free = planning_free;
	return pl;
}

/* ---- GET /v1/devices/{ep}/plan ---- */

static void
on_seen(void *arg, enum err_code rc, const struct err *e, struct store_held *v, size_t n, bool more)
{
	struct planning *pl = arg;

	(void)more;
	if (rc != ERR_OK && rc != ERR_NOT_FOUND) {
		answer_err(pl->r, 0, e);
		return;
	}
	if (rc == ERR_OK && n > 0) {
		pl->held = v[0];
		v[0] = (struct store_held){ 0 };
		pl->assumes = pl->held.good ? "what the device was left with" : "what the device showed last";
	}
	if (req_alive(pl->r))
		plan_it(pl);
}

static void
on_planned(void *arg, enum err_code rc, const struct err *e, struct store_device *d,
    struct store_credential *creds, size_t n)
{
	struct planning *pl = arg;
	struct req *r = pl->r;
	struct err mine;
	bool fresh;

	if (rc == ERR_NOT_FOUND) {
		answer_fail(r, 0, ERR_NOT_FOUND, "no device %s", req_arg(r, 0));
		return;
	}
	if (rc == ERR_OK) {
		e = &mine;
		rc = prep_read(r->api, d->endpoint, 1, d->doc, strlen(d->doc), &pl->p, &mine);
	}
	if (rc != ERR_OK) {
		answer_err(r, 0, e);
		return;
	}
	prep_has_device(pl->p, d, creds, n);
	pl->remembered_format = d->remembered_format;
	pl->device = *d;
	*d = (struct store_device){ 0 };
	if (!req_flag(r, "fresh", &fresh))
		return;
	if (fresh)
		plan_it(pl);
	else if (req_alive(r))
		r->api->c.ops->held_get(r->api->c.store, req_arg(r, 0), 0, on_seen, pl);
}

void
get_device_plan(struct req *r)
{
	struct planning *pl = new_planning(r);

	if (pl != NULL)
		r->api->c.ops->device_get(r->api->c.store, req_arg(r, 0), on_planned, pl);
}

/* ---- POST /v1/plan: of a document, with the keys that the store has for it ---- */

static void
on_had(void *arg, enum err_code rc, const struct err *e, struct store_device *d,
    struct store_credential *creds, size_t n)
{
	struct planning *pl = arg;
	struct err mine;

	if (rc != ERR_OK && rc != ERR_NOT_FOUND) {
		answer_err(pl->r, 0, e);
		return;
	}
	if (prep_may_bring(pl->p, pl->r, &mine) != ERR_OK) {
		answer_err(pl->r, 0, &mine);
		return;
	}
	if (rc == ERR_OK) {
		prep_has_device(pl->p, d, creds, n);
		pl->remembered_format = d->remembered_format;
	}
	plan_it(pl);
}

static char *
text_member(const json_t *j, const char *key)
{
	const json_t *v = json_object_get(j, key);

	return v == NULL ? NULL : str_dup_n(json_string_value(v), json_string_length(v));
}

/* {"links": ..., "values": ..., "read": ...}, as an inventory's "raw" has it. */
static bool
read_inventory(struct planning *pl, const json_t *j)
{
	const json_t *links = json_object_get(j, "links"), *values = json_object_get(j, "values"),
		     *read = json_object_get(j, "read");

	if (json_is_null(links))
		links = NULL;
	if (json_is_null(values))
		values = NULL;
	if (!json_is_object(j) || (links != NULL && !json_is_string(links)) ||
	    (values != NULL && !json_is_string(values)) || !json_is_integer(read) ||
	    json_integer_value(read) < 0 || json_integer_value(read) > UINT16_MAX) {
		answer_fail(pl->r, 0, ERR_INVALID,
		    "/inventory: must be {\"links\": text, \"values\": text, \"read\": number}");
		return false;
	}
	pl->held.links = links == NULL ? NULL : text_member(j, "links");
	pl->held.values = values == NULL ? NULL : text_member(j, "values");
	pl->held.read = (unsigned)json_integer_value(read);
	pl->assumes = "the inventory that was given";
	return true;
}

/* The document, alone or beside an inventory. false: answered. */
static bool
read_body(struct planning *pl)
{
	json_t *j = req_json(pl->r), *doc = json_object_get(j, "document");
	char *text = NULL;
	struct err e;
	bool fine = j != NULL;

	if (fine && doc != NULL)
		fine = req_members(pl->r, j, "document inventory") &&
		    (json_object_get(j, "inventory") == NULL || read_inventory(pl, json_object_get(j, "inventory")));
	if (fine && doc != NULL)
		text = json_dumps(doc, JSON_ENCODE_ANY);
	if (fine &&
	    prep_read(pl->r->api, "body", 1, text != NULL ? text : gbuf_cstr(&pl->r->body),
	        text != NULL ? strlen(text) : pl->r->body.len, &pl->p, &e) != ERR_OK) {
		answer_err(pl->r, 0, &e);
		fine = false;
	}
	if (text != NULL)
		wipe(text, strlen(text));
	free(text);
	json_decref(j);
	return fine;
}

void
post_plan(struct req *r)
{
	struct planning *pl = new_planning(r);

	if (pl == NULL || !read_body(pl))
		return;
	if (prep_kind(pl->p) == PROFILE_DEVICE)
		r->api->c.ops->device_get(r->api->c.store, prep_name(pl->p), on_had, pl);
	else
		on_had(pl, ERR_NOT_FOUND, NULL, NULL, NULL, 0);
}
