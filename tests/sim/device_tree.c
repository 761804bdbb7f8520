/* Trees of devices: as they leave the factory, from JSON, and as JSON. */
#include <jansson.h>
#include <math.h>

#include "lib/base/enc.h"
#include "tests/sim/device_internal.h"

static enum err_code
put_str(struct lwm2m_tree *t, struct lwm2m_path p, const char *s, struct err *e)
{
	struct lwm2m_value v = { .type = LWM2M_NONE };
	enum err_code rc = lwm2m_value_str(&v, s, e);
	return rc != ERR_OK ? rc : lwm2m_tree_put(t, p, &v, e);
}

static enum err_code
put_bytes(struct lwm2m_tree *t, struct lwm2m_path p, const void *b, size_t n, struct err *e)
{
	struct lwm2m_value v = { .type = LWM2M_NONE };
	enum err_code rc = lwm2m_value_bytes(&v, LWM2M_OPAQUE, b, n, e);
	return rc != ERR_OK ? rc : lwm2m_tree_put(t, p, &v, e);
}

static enum err_code
put_int(struct lwm2m_tree *t, struct lwm2m_path p, int64_t i, struct err *e)
{
	struct lwm2m_value v = lwm2m_int(i);
	return lwm2m_tree_put(t, p, &v, e);
}

static enum err_code
put_bool(struct lwm2m_tree *t, struct lwm2m_path p, bool b, struct err *e)
{
	struct lwm2m_value v = lwm2m_bool(b);
	return lwm2m_tree_put(t, p, &v, e);
}

/* The first error stops the rest: rc is what came before. */
#define THEN(rc, call) ((rc) != ERR_OK ? (rc) : (call))

static enum err_code
put_security(
    struct lwm2m_tree *t, uint16_t iid, const struct device_factory *f, bool account, struct err *e)
{
	const char *identity = f->identity == NULL ? "" : f->identity;
	enum err_code rc = put_str(t, lwm2m_path3(0, iid, 0), f->uri, e);
	rc = THEN(rc, put_bool(t, lwm2m_path3(0, iid, 1), account, e));
	rc = THEN(rc, put_int(t, lwm2m_path3(0, iid, 2), f->mode, e));
	rc = THEN(rc, put_bytes(t, lwm2m_path3(0, iid, 3), identity, strlen(identity), e));
	rc = THEN(rc, put_bytes(t, lwm2m_path3(0, iid, 4), NULL, 0, e));
	return THEN(rc, put_bytes(t, lwm2m_path3(0, iid, 5), f->key, f->key_len, e));
}

enum err_code
device_factory_tree(struct lwm2m_tree *t, const struct device_factory *f, struct err *e)
{
	enum err_code rc = put_security(t, f->account, f, true, e);
	if (f->hold_off >= 0)
		rc = THEN(rc, put_int(t, lwm2m_path3(0, f->account, 11), f->hold_off, e));
	rc = THEN(rc, put_str(t, lwm2m_path3(3, 0, 0), "Simulated", e));
	rc = THEN(rc, put_str(t, lwm2m_path3(3, 0, 1), "device", e));
	return THEN(rc, put_str(t, lwm2m_path3(3, 0, 16), "U", e));
}

enum err_code
device_add_account(struct lwm2m_tree *t, uint16_t security, uint16_t server, uint16_t ssid,
    const char *uri, struct err *e)
{
	struct device_factory f = { .uri = uri, .mode = 3 };
	enum err_code rc = put_security(t, security, &f, false, e);
	rc = THEN(rc, put_int(t, lwm2m_path3(0, security, 10), ssid, e));
	rc = THEN(rc, put_int(t, lwm2m_path3(1, server, 0), ssid, e));
	rc = THEN(rc, put_int(t, lwm2m_path3(1, server, 1), 86400, e));
	rc = THEN(rc, put_bool(t, lwm2m_path3(1, server, 6), true, e));
	return THEN(rc, put_str(t, lwm2m_path3(1, server, 7), "U", e));
}

enum err_code
device_add_acl(struct lwm2m_tree *t, uint16_t iid, struct lwm2m_path target, uint16_t owner,
    uint16_t ssid, int64_t rights, struct err *e)
{
	enum err_code rc = put_int(t, lwm2m_path3(2, iid, 0), target.id[0], e);
	int64_t instance = target.depth == LWM2M_OBJECT ? LWM2M_MAX_ID : target.id[1];
	rc = THEN(rc, put_int(t, lwm2m_path3(2, iid, 1), instance, e));
	if (ssid != 0)
		rc = THEN(rc, put_int(t, lwm2m_path4(2, iid, 2, ssid), rights, e));
	return THEN(rc, put_int(t, lwm2m_path3(2, iid, 3), owner, e));
}

/* --- JSON ----------------------------------------------------------------------------------- */

static bool
bytes_from(const json_t *j, enum lwm2m_type type, struct lwm2m_value *v, struct err *e)
{
	const json_t *hex = json_object_get(j, "hex");
	if (json_is_string(j))
		return lwm2m_value_bytes(v, type, json_string_value(j), json_string_length(j), e) ==
		       ERR_OK;
	struct secret s = SECRET_NONE;
	if (!json_is_string(hex) ||
	    dec_hex(json_string_value(hex), json_string_length(hex), &s, e) != ERR_OK)
		return false;
	bool ok = lwm2m_value_bytes(v, type, s.data, s.len, e) == ERR_OK;
	secret_clear(&s);
	return ok;
}

static bool
link_from(const json_t *j, struct lwm2m_value *v)
{
	unsigned o = 0, i = 0;
	int end = 0;
	if (!json_is_string(j) || sscanf(json_string_value(j), "%5u:%5u%n", &o, &i, &end) != 2 ||
	    (size_t)end != json_string_length(j) || o > 65535 || i > 65535)
		return false;
	*v = lwm2m_link((uint16_t)o, (uint16_t)i);
	return true;
}

static bool
value_from(const json_t *j, enum lwm2m_type type, struct lwm2m_value *v, struct err *e)
{
	switch (type) {
	case LWM2M_STRING:
	case LWM2M_CORELNK:
	case LWM2M_OPAQUE:
		return bytes_from(j, type, v, e);
	case LWM2M_INTEGER:
		*v = lwm2m_int(json_integer_value(j));
		return json_is_integer(j);
	case LWM2M_TIME:
		*v = lwm2m_time(json_integer_value(j));
		return json_is_integer(j);
	case LWM2M_UNSIGNED:
		*v = lwm2m_uint((uint64_t)json_integer_value(j));
		return json_is_integer(j) && json_integer_value(j) >= 0;
	case LWM2M_FLOAT:
		*v = lwm2m_float(json_number_value(j));
		return json_is_number(j);
	case LWM2M_BOOLEAN:
		*v = lwm2m_bool(json_is_true(j));
		return json_is_boolean(j);
	case LWM2M_OBJLNK:
		return link_from(j, v);
	case LWM2M_NONE:
	case LWM2M__TYPES:
		break;
	}
	return false;
}

static enum err_code
load_one(const struct lwm2m_model *m, const char *key, const json_t *j, struct lwm2m_tree *out,
    struct err *e)
{
	struct lwm2m_path p;
	struct lwm2m_value v = { .type = LWM2M_NONE };
	if (lwm2m_path_parse(key, strlen(key), &p, e) != ERR_OK)
		return err_wrap(e, "%s", key);
	if (p.depth == LWM2M_INSTANCE && json_is_object(j) && json_object_size(j) == 0)
		return lwm2m_tree_put_instance(out, p, e);
	if (p.depth < LWM2M_RESOURCE)
		return err_set(e, ERR_INVALID, "%s: not a Resource, and not {}", key);
	const struct lwm2m_res_def *def = lwm2m_model_resource(m, p.id[0], p.id[2]);
	if (def == NULL)
		return err_set(e, ERR_NOT_FOUND, "%s: not in the model", key);
	if (!value_from(j, def->type, &v, NULL)) {
		lwm2m_value_clear(&v);
		return err_set(
		    e, ERR_INVALID, "%s: not a value of type %s", key, lwm2m_type_name(def->type));
	}
	return lwm2m_tree_add(out, p, &v, e);
}

enum err_code
device_tree_load(
    const struct lwm2m_model *m, const char *json, size_t n, struct lwm2m_tree *out, struct err *e)
{
	json_error_t at;
	json_t *root = json_loadb(json, n, JSON_REJECT_DUPLICATES, &at);
	if (!json_is_object(root)) {
		json_decref(root);
		return err_set(e, ERR_PARSE, "line %d: %s", MAX(at.line, 1),
		    root == NULL ? at.text : "not an object");
	}
	enum err_code rc = ERR_OK;
	const char *key = NULL;
	json_t *value = NULL;
	json_object_foreach(root, key, value) rc = THEN(rc, load_one(m, key, value, out, e));
	if (rc != ERR_OK)
		lwm2m_tree_clear(out);
	json_decref(root);
	return rc;
}

static json_t *
bytes_to(const struct lwm2m_value *v, bool hide)
{
	if (hide)
		return json_pack("{s:I}", "bytes", (json_int_t)v->bytes.len);
	const char *text = v->bytes.len == 0 ? "" : (const char *)v->bytes.data;
	json_t *j = v->type == LWM2M_OPAQUE ? NULL : json_stringn(text, v->bytes.len);
	if (j != NULL)
		return j;
	struct gbuf hex = { 0 };
	enc_hex(&hex, v->bytes.data, v->bytes.len);
	j = json_pack("{s:s}", "hex", gbuf_cstr(&hex));
	gbuf_clear(&hex);
	return j;
}

static json_t *
value_to(const struct lwm2m_value *v, bool hide)
{
	char link[16];
	switch (v->type) {
	case LWM2M_STRING:
	case LWM2M_CORELNK:
	case LWM2M_OPAQUE:
		return bytes_to(v, hide);
	case LWM2M_INTEGER:
	case LWM2M_TIME:
		return json_integer(v->i);
	case LWM2M_UNSIGNED:
		return json_integer((json_int_t)v->u);
	case LWM2M_FLOAT:
		return isfinite(v->f) ? json_real(v->f) : json_null();
	case LWM2M_BOOLEAN:
		return json_boolean(v->b);
	case LWM2M_OBJLNK:
		(void)snprintf(link, sizeof link, "%u:%u", v->link.object, v->link.instance);
		return json_string(link);
	case LWM2M_NONE:
	case LWM2M__TYPES:
		break;
	}
	return json_object();
}

void
device_tree_print(
    const struct lwm2m_model *m, const struct lwm2m_tree *t, bool secrets, struct gbuf *out)
{
	json_t *root = json_object();
	for (size_t i = 0; i < t->n; i++) {
		const struct lwm2m_node *n = &t->nodes[i];
		const struct lwm2m_res_def *def =
		    n->path.depth < LWM2M_RESOURCE
		        ? NULL
		        : lwm2m_model_resource(m, n->path.id[0], n->path.id[2]);
		bool hide = !secrets && lwm2m_type_has_bytes(n->value.type) &&
		            (n->value.type == LWM2M_OPAQUE || (def != NULL && def->secret));
		(void)json_object_set_new(
		    root, lwm2m_path_str(n->path).s, value_to(&n->value, hide));
	}
	char *text = json_dumps(root, JSON_INDENT(1));
	gbuf_str(out, text == NULL ? "{}" : text);
	if (text != NULL)
		wipe(text, strlen(text));
	free(text);
	json_decref(root);
}
