/* What would be written: the operations for a fresh device, with keys shown by length and
 * fingerprint only. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/api/prep.h"
#include "bsserver/bootstrap/inventory.h"
#include "bsserver/bootstrap/plan.h"
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
};

static void
planning_clear(struct planning *pl)
{
	profile_desired_clear(&pl->desired);
	profile_defaults_clear(&pl->defaults);
	bs_plan_clear(&pl->plan);
	prep_free(pl->p);
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

/* An identity is octets by its type, and mostly text. */
static void
print_value(struct gbuf *out, const struct lwm2m_value *v)
{
	const char *s = v->type == LWM2M_OPAQUE ? (const char *)v->bytes.data : NULL;

	if (s == NULL || !str_is_printable(s, v->bytes.len)) {
		lwm2m_value_print(out, v);
		return;
	}
	gbuf_u8(out, '"');
	str_quote(out, s, v->bytes.len);
	gbuf_u8(out, '"');
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
		print_value(&text, &n->value);
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
		if (op->method == BS_PUT)
			put_payload(pl, j, op->path);
		(void)json_array_append_new(list, j);
	}
	return list;
}

static void
answer_plan(struct planning *pl)
{
	json_t *j = json_object();

	json_put(j, "endpoint", json_text(prep_name(pl->p)));
	json_put(j, "policy", json_text(profile_policy_name(pl->desired.policy)));
	json_put(j, "assumes", json_text("a fresh device: only the bootstrap account, at /0/0"));
	json_put(j, "format", json_text(pl->format->name));
	json_put(j, "format_remembered", json_boolean(pl->remembered));
	json_put(j, "verify", json_boolean(pl->desired.verify));
	json_put(j, "remark", pl->plan.remark[0] == 0 ? json_null() : json_text(pl->plan.remark));
	json_put(j, "operations", json_of_ops(pl));
	json_put(j, "findings", json_of_findings(&pl->p->findings));
	answer_json(pl->r, 200, j);
}

/* ---- making it ---- */

static enum err_code
plan_fresh(struct planning *pl, struct err *e)
{
	struct bs_inventory inv = { .account = BS_UNKNOWN_INSTANCE };
	enum err_code rc =
	    bs_inventory_discover(&inv, (const uint8_t *)fresh_device, sizeof fresh_device - 1, e);

	if (rc == ERR_OK)
		rc = bs_plan_make(&pl->desired, &inv, pl->r->api->c.model, &pl->plan, e);
	bs_inventory_clear(&inv);
	return rc;
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

/* p: read, and what the store has of it is in. */
static void
plan_it(struct req *r, struct prep *p, int remembered)
{
	struct planning pl = { .r = r, .p = p };
	struct profile_keys keys = prep_keys(p);
	struct err e;
	enum err_code rc;

	if (prep_kind(p) == PROFILE_SHARED) {
		answer_fail(r, 0, ERR_INVALID,
		    "a plan is made for a device: this is the shared profile %s", prep_name(p));
		goto out;
	}
	rc = prep_finish(p, PREP_SHAM_KEYS, NULL, &e);
	if (rc == ERR_OK && p->findings.errors > 0) {
		answer_findings(r, p, "the document is not right");
		goto out;
	}
	if (rc == ERR_OK)
		rc = profile_compile(
		    p->resolved, r->api->c.model, &keys, &pl.desired, &pl.defaults, &e);
	if (rc == ERR_OK)
		rc = plan_fresh(&pl, &e);
	if (rc != ERR_OK) {
		answer_err(r, 0, &e);
		goto out;
	}
	choose_format(&pl, remembered);
	answer_plan(&pl);
out:
	planning_clear(&pl);
}

static void
on_planned(void *arg, enum err_code rc, const struct err *e, struct store_device *d,
    struct store_credential *creds, size_t n)
{
	struct req *r = arg;
	struct prep *p = NULL;
	struct err mine;

	if (rc == ERR_NOT_FOUND) {
		answer_fail(r, 0, ERR_NOT_FOUND, "no device %s", req_arg(r, 0));
		return;
	}
	if (rc == ERR_OK) {
		e = &mine;
		rc = prep_read(r->api, d->endpoint, 1, d->doc, strlen(d->doc), &p, &mine);
	}
	if (rc != ERR_OK) {
		answer_err(r, 0, e);
		return;
	}
	prep_has_device(p, d, creds, n);
	plan_it(r, p, d->remembered_format);
}

void
get_device_plan(struct req *r)
{
	r->api->c.ops->device_get(r->api->c.store, req_arg(r, 0), on_planned, r);
}

/* ---- POST /v1/plan: of a document, with the keys that the store has for it ---- */

static void
on_had(void *arg, enum err_code rc, const struct err *e, struct store_device *d,
    struct store_credential *creds, size_t n)
{
	struct req *r = arg;
	struct prep *p = NULL;
	struct err mine;

	if (rc != ERR_OK && rc != ERR_NOT_FOUND) {
		answer_err(r, 0, e);
		return;
	}
	if (prep_read(r->api, "body", 1, gbuf_cstr(&r->body), r->body.len, &p, &mine) != ERR_OK) {
		answer_err(r, 0, &mine);
		return;
	}
	if (prep_may_bring(p, r, &mine) != ERR_OK) {
		answer_err(r, 0, &mine);
		prep_free(p);
		return;
	}
	if (rc == ERR_OK)
		prep_has_device(p, d, creds, n);
	plan_it(r, p, rc == ERR_OK ? d->remembered_format : -1);
}

void
post_plan(struct req *r)
{
	struct profile_doc *d = NULL;
	struct err e;

	if (profile_parse("body", 1, gbuf_cstr(&r->body), r->body.len, &d, &e) != ERR_OK)
		answer_err(r, 0, &e);
	else if (profile_doc_kind(d) == PROFILE_DEVICE)
		r->api->c.ops->device_get(r->api->c.store, profile_doc_name(d), on_had, r);
	else
		on_had(r, ERR_NOT_FOUND, NULL, NULL, NULL, 0);
	profile_doc_free(d);
}
