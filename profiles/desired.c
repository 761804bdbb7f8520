#include "profiles/desired.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/base/util.h"

/*
 * The packed form: "BSD" and a version; policy, foreign, verify, set_time; format, the times;
 * the lists of paths; the rules for access control; the hand-offs; the trees. Numbers are big-endian, lists begin with their length (4 octets),
 * a path is its depth and that many ids, a value its type and then what the type needs.
 */
static const uint8_t magic[4] = { 'B', 'S', 'D', 4 };

static const char *const policy_names[] = {
	[PROFILE_INCREMENTAL] = "incremental",
	[PROFILE_REPLACE] = "replace",
	[PROFILE_MERGE] = "merge",
};

const char *
profile_policy_name(enum profile_policy p)
{
	return (unsigned)p < N_ELEMS(policy_names) ? policy_names[p] : "unknown";
}

enum profile_acl_mode
profile_desired_acl_mode(const struct profile_desired *d, uint16_t instance)
{
	for (size_t i = 0; i < d->n_acl; i++)
		if (d->acl[i].instance == instance)
			return d->acl[i].mode;
	return PROFILE_ACL_REFUSE;
}

void
profile_desired_clear(struct profile_desired *d)
{
	lwm2m_tree_clear(&d->tree);
	lwm2m_tree_clear(&d->account);
	lwm2m_tree_clear(&d->digested);
	free_some(d->kept);
	free_some(d->retain);
	free_some(d->required_confirmed);
	free_some(d->acl);
	for (size_t i = 0; i < d->n_handoffs; i++)
		profile_handoff_clear(&d->handoffs[i]);
	free_some(d->handoffs);
	*d = (struct profile_desired){ 0 };
}

enum err_code
profile_desired_keep(struct profile_desired *d, struct lwm2m_path p, struct err *e)
{
	struct lwm2m_path *v = realloc(d->kept, (d->n_kept + 1) * sizeof *v);

	if (v == NULL)
		return err_no_memory(e);
	d->kept = v;
	v[d->n_kept++] = p;
	return ERR_OK;
}

void
profile_handoff_clear(struct profile_handoff *h)
{
	free(h->to);
	free(h->server);
	free(h->slot);
	*h = (struct profile_handoff){ 0 };
}

enum err_code
profile_desired_hand_off(struct profile_desired *d, struct profile_handoff *h, struct err *e)
{
	struct profile_handoff *v = realloc(d->handoffs, (d->n_handoffs + 1) * sizeof *v);

	if (v == NULL) {
		profile_handoff_clear(h);
		return err_no_memory(e);
	}
	d->handoffs = v;
	v[d->n_handoffs++] = *h;
	*h = (struct profile_handoff){ 0 };
	return ERR_OK;
}

bool
profile_desired_keeps(const struct profile_desired *d, struct lwm2m_path instance)
{
	for (size_t i = 0; i < d->n_kept; i++)
		if (lwm2m_path_under(&d->kept[i], &instance))
			return true;
	return false;
}

static void
pack_path(struct gbuf *out, struct lwm2m_path p)
{
	gbuf_u8(out, p.depth);
	for (uint8_t i = 0; i < p.depth; i++)
		gbuf_be(out, p.id[i], 2);
}

static void
pack_paths(struct gbuf *out, const struct lwm2m_path *v, size_t n)
{
	gbuf_be(out, n, 4);
	for (size_t i = 0; i < n; i++)
		pack_path(out, v[i]);
}

static void
pack_text(struct gbuf *out, const char *s)
{
	size_t n = s == NULL ? 0 : strlen(s);

	gbuf_be(out, n, 2);
	gbuf_put(out, s, n);
}

static void
pack_handoffs(struct gbuf *out, const struct profile_desired *d)
{
	gbuf_be(out, d->n_handoffs, 4);
	for (size_t i = 0; i < d->n_handoffs; i++) {
		const struct profile_handoff *h = &d->handoffs[i];

		pack_text(out, h->to);
		pack_text(out, h->server);
		gbuf_be(out, h->short_server_id, 2);
		gbuf_be(out, h->account, 2);
		gbuf_u8(out, h->within_delay ? 1 : 0);
		gbuf_be(out, h->deadline_ms, 4);
		pack_text(out, h->slot);
		gbuf_be(out, h->rotate_s, 4);
		gbuf_be(out, h->octets, 2);
	}
}

static void
pack_value(struct gbuf *out, const struct lwm2m_value *v)
{
	uint64_t bits;

	gbuf_u8(out, (uint8_t)v->type);
	switch (v->type) {
	case LWM2M_NONE:
	case LWM2M__TYPES:
		break;
	case LWM2M_INTEGER:
	case LWM2M_TIME:
		gbuf_be(out, (uint64_t)v->i, 8);
		break;
	case LWM2M_UNSIGNED:
		gbuf_be(out, v->u, 8);
		break;
	case LWM2M_FLOAT:
		memcpy(&bits, &v->f, sizeof bits);
		gbuf_be(out, bits, 8);
		break;
	case LWM2M_BOOLEAN:
		gbuf_u8(out, v->b ? 1 : 0);
		break;
	case LWM2M_OBJLNK:
		gbuf_be(out, v->link.object, 2);
		gbuf_be(out, v->link.instance, 2);
		break;
	case LWM2M_STRING:
	case LWM2M_CORELNK:
	case LWM2M_OPAQUE:
		gbuf_be(out, v->bytes.len, 4);
		gbuf_put(out, v->bytes.data, v->bytes.len);
		break;
	}
}

static void
pack_tree(struct gbuf *out, const struct lwm2m_tree *t)
{
	gbuf_be(out, t->n, 4);
	for (size_t i = 0; i < t->n; i++) {
		pack_path(out, t->nodes[i].path);
		pack_value(out, &t->nodes[i].value);
	}
}

enum err_code
profile_desired_pack(const struct profile_desired *d, struct gbuf *out, struct err *e)
{
	gbuf_put(out, magic, sizeof magic);
	gbuf_u8(out, (uint8_t)d->policy);
	gbuf_u8(out, (uint8_t)d->foreign);
	gbuf_u8(out, d->verify ? 1 : 0);
	gbuf_u8(out, d->set_time ? 1 : 0);
	gbuf_be(out, (uint32_t)d->format, 4);
	gbuf_be(out, d->request_timeout_ms, 4);
	gbuf_be(out, d->session_timeout_ms, 4);
	gbuf_be(out, d->next_bootstrap_s, 4);
	gbuf_be(out, d->early_return_ms, 4);
	pack_paths(out, d->retain, d->n_retain);
	pack_paths(out, d->required_confirmed, d->n_required_confirmed);
	pack_paths(out, d->kept, d->n_kept);
	gbuf_be(out, d->n_acl, 4);
	for (size_t i = 0; i < d->n_acl; i++) {
		gbuf_be(out, d->acl[i].instance, 2);
		gbuf_u8(out, (uint8_t)d->acl[i].mode);
	}
	pack_handoffs(out, d);
	pack_tree(out, &d->tree);
	pack_tree(out, &d->account);
	pack_tree(out, &d->digested);
	return gbuf_check(out, e);
}

static enum err_code
damaged(struct err *e, const char *what)
{
	return err_set(e, ERR_PARSE, "packed configuration: %s", what);
}

static enum err_code
unpack_path(struct rbuf *r, uint8_t min, struct lwm2m_path *out, struct err *e)
{
	*out = (struct lwm2m_path){ .depth = rbuf_u8(r) };
	if (out->depth < min || out->depth > LWM2M_RES_INSTANCE)
		return damaged(e, "a path of an impossible depth");
	for (uint8_t i = 0; i < out->depth; i++) {
		out->id[i] = (uint16_t)rbuf_be(r, 2);
		if (out->id[i] > LWM2M_ID_MAX)
			return damaged(e, "a path with a reserved id");
	}
	return r->overrun ? damaged(e, "it is cut short") : ERR_OK;
}

static enum err_code
unpack_paths(struct rbuf *r, struct lwm2m_path **out, size_t *n, struct err *e)
{
	size_t count = rbuf_be(r, 4);

	if (r->overrun)
		return damaged(e, "it is cut short");
	if (count > rbuf_left(r))
		return damaged(e, "a list longer than all of it");
	if (count == 0)
		return ERR_OK;
	*out = calloc(count, sizeof **out);
	if (*out == NULL)
		return err_no_memory(e);
	for (*n = 0; *n < count; (*n)++) {
		enum err_code rc = unpack_path(r, LWM2M_OBJECT, &(*out)[*n], e);

		if (rc != ERR_OK)
			return rc;
	}
	return ERR_OK;
}

static enum err_code
unpack_rules(struct rbuf *r, struct profile_desired *d, struct err *e)
{
	size_t count = rbuf_be(r, 4);

	if (r->overrun)
		return damaged(e, "it is cut short");
	if (count > rbuf_left(r))
		return damaged(e, "a list longer than all of it");
	d->acl = count == 0 ? NULL : calloc(count, sizeof *d->acl);
	if (d->acl == NULL && count > 0)
		return err_no_memory(e);
	for (; d->n_acl < count; d->n_acl++) {
		uint16_t instance = (uint16_t)rbuf_be(r, 2);
		uint8_t mode = rbuf_u8(r);

		if (r->overrun)
			return damaged(e, "it is cut short");
		if (mode == PROFILE_ACL_REFUSE || mode > PROFILE_ACL_REPLACE ||
		    (d->n_acl > 0 && d->acl[d->n_acl - 1].instance >= instance))
			return damaged(e, "a rule for access control that is none, or out of order");
		d->acl[d->n_acl] = (struct profile_acl_rule){ instance, (enum profile_acl_mode)mode };
	}
	return ERR_OK;
}

/* An empty one is NULL where it may be. */
static enum err_code
unpack_text(struct rbuf *r, bool may_be_empty, char **out, struct err *e)
{
	size_t n = rbuf_be(r, 2);
	const uint8_t *p = rbuf_take(r, n);

	if (p == NULL)
		return damaged(e, "it is cut short");
	if (n == 0 && may_be_empty)
		return ERR_OK;
	if (n == 0 || !str_is_printable((const char *)p, n))
		return damaged(e, "a name that is none");
	*out = str_dup_n((const char *)p, n);
	return *out == NULL ? err_no_memory(e) : ERR_OK;
}

static enum err_code
unpack_handoff(struct rbuf *r, struct profile_handoff *h, struct err *e)
{
	enum err_code rc = unpack_text(r, false, &h->to, e);
	uint8_t late;

	if (rc == ERR_OK)
		rc = unpack_text(r, false, &h->server, e);
	if (rc != ERR_OK)
		return rc;
	h->short_server_id = (uint16_t)rbuf_be(r, 2);
	h->account = (uint16_t)rbuf_be(r, 2);
	late = rbuf_u8(r);
	h->within_delay = late == 1;
	h->deadline_ms = (uint32_t)rbuf_be(r, 4);
	rc = unpack_text(r, true, &h->slot, e);
	if (rc != ERR_OK)
		return rc;
	h->rotate_s = (uint32_t)rbuf_be(r, 4);
	h->octets = (uint16_t)rbuf_be(r, 2);
	if (r->overrun)
		return damaged(e, "it is cut short");
	return late > 1 || h->octets > 64 ? damaged(e, "a hand-off out of its range") : ERR_OK;
}

static enum err_code
unpack_handoffs(struct rbuf *r, struct profile_desired *d, struct err *e)
{
	size_t count = rbuf_be(r, 4);

	if (r->overrun)
		return damaged(e, "it is cut short");
	if (count > rbuf_left(r))
		return damaged(e, "a list longer than all of it");
	for (size_t i = 0; i < count; i++) {
		struct profile_handoff h = { 0 };
		enum err_code rc = unpack_handoff(r, &h, e);

		if (rc == ERR_OK)
			rc = profile_desired_hand_off(d, &h, e);
		profile_handoff_clear(&h);
		if (rc != ERR_OK)
			return rc;
	}
	return ERR_OK;
}

static enum err_code
unpack_bytes(struct rbuf *r, enum lwm2m_type type, struct lwm2m_value *v, struct err *e)
{
	size_t n = rbuf_be(r, 4);
	const uint8_t *p = rbuf_take(r, n);

	if (p == NULL)
		return damaged(e, "it is cut short");
	if (type != LWM2M_OPAQUE && !str_is_utf8(p, n))
		return damaged(e, "a string that is not UTF-8");
	return lwm2m_value_bytes(v, type, p, n, e);
}

static enum err_code
unpack_value(struct rbuf *r, struct lwm2m_value *v, struct err *e)
{
	enum lwm2m_type type = (enum lwm2m_type)rbuf_u8(r);
	uint64_t bits;

	*v = (struct lwm2m_value){ .type = LWM2M_NONE };
	if (type >= LWM2M__TYPES)
		return damaged(e, "a value of an unknown type");
	switch (type) {
	case LWM2M_NONE:
		break;
	case LWM2M_INTEGER:
		*v = lwm2m_int((int64_t)rbuf_be(r, 8));
		break;
	case LWM2M_TIME:
		*v = lwm2m_time((int64_t)rbuf_be(r, 8));
		break;
	case LWM2M_UNSIGNED:
		*v = lwm2m_uint(rbuf_be(r, 8));
		break;
	case LWM2M_FLOAT:
		*v = lwm2m_float(0);
		bits = rbuf_be(r, 8);
		memcpy(&v->f, &bits, sizeof v->f);
		break;
	case LWM2M_BOOLEAN:
		bits = rbuf_u8(r);
		if (bits > 1)
			return damaged(e, "a boolean that is neither 0 nor 1");
		*v = lwm2m_bool(bits == 1);
		break;
	case LWM2M_OBJLNK:
		bits = rbuf_be(r, 4);
		*v = lwm2m_link((uint16_t)(bits >> 16), (uint16_t)bits);
		break;
	case LWM2M_STRING:
	case LWM2M_CORELNK:
	case LWM2M_OPAQUE:
		return unpack_bytes(r, type, v, e);
	case LWM2M__TYPES:
		break;
	}
	return r->overrun ? damaged(e, "it is cut short") : ERR_OK;
}

static enum err_code
unpack_tree(struct rbuf *r, struct lwm2m_tree *t, struct err *e)
{
	size_t count = rbuf_be(r, 4);

	if (r->overrun)
		return damaged(e, "it is cut short");
	for (size_t i = 0; i < count; i++) {
		struct lwm2m_path p;
		struct lwm2m_value v;
		enum err_code rc = unpack_path(r, LWM2M_INSTANCE, &p, e);

		if (rc == ERR_OK && t->n > 0 && lwm2m_path_cmp(&t->nodes[t->n - 1].path, &p) >= 0)
			rc = damaged(e, "its paths are out of order");
		if (rc == ERR_OK)
			rc = unpack_value(r, &v, e);
		if (rc == ERR_OK && (p.depth == LWM2M_INSTANCE) != (v.type == LWM2M_NONE)) {
			lwm2m_value_clear(&v);
			rc = damaged(e, "a value where none can be, or none where one must be");
		}
		if (rc == ERR_OK)
			rc = lwm2m_tree_add(t, p, &v, e);
		if (rc != ERR_OK)
			return rc;
	}
	/* An instance's own node goes when a Resource of it comes: then it was not packed by us. */
	return t->n == count ? ERR_OK : damaged(e, "an instance that is empty and is not");
}

static enum err_code
unpack_head(struct rbuf *r, struct profile_desired *d, struct err *e)
{
	const uint8_t *m = rbuf_take(r, sizeof magic);

	if (m == NULL || memcmp(m, magic, sizeof magic) != 0)
		return damaged(e, "it is not one, or of another version");
	uint8_t policy = rbuf_u8(r), foreign = rbuf_u8(r), verify = rbuf_u8(r),
	        set_time = rbuf_u8(r);
	int32_t format = (int32_t)(uint32_t)rbuf_be(r, 4);
	d->request_timeout_ms = (uint32_t)rbuf_be(r, 4);
	d->session_timeout_ms = (uint32_t)rbuf_be(r, 4);
	d->next_bootstrap_s = (uint32_t)rbuf_be(r, 4);
	d->early_return_ms = (uint32_t)rbuf_be(r, 4);
	if (r->overrun)
		return damaged(e, "it is cut short");
	if (policy > PROFILE_MERGE || foreign > PROFILE_FOREIGN_REMOVE_INVALID || verify > 1 ||
	    set_time > 1 || format < PROFILE_FORMAT_AUTO || format > UINT16_MAX)
		return damaged(e, "a setting out of its range");
	d->policy = (enum profile_policy)policy;
	d->foreign = (enum profile_foreign)foreign;
	d->verify = verify == 1;
	d->set_time = set_time == 1;
	d->format = format;
	return ERR_OK;
}

enum err_code
profile_desired_unpack(const uint8_t *p, size_t n, struct profile_desired *out, struct err *e)
{
	struct rbuf r = rbuf_make(p, n);
	struct profile_desired d = { 0 };
	enum err_code rc = unpack_head(&r, &d, e);

	if (rc == ERR_OK)
		rc = unpack_paths(&r, &d.retain, &d.n_retain, e);
	if (rc == ERR_OK)
		rc = unpack_paths(&r, &d.required_confirmed, &d.n_required_confirmed, e);
	if (rc == ERR_OK)
		rc = unpack_paths(&r, &d.kept, &d.n_kept, e);
	if (rc == ERR_OK)
		rc = unpack_rules(&r, &d, e);
	if (rc == ERR_OK)
		rc = unpack_handoffs(&r, &d, e);
	if (rc == ERR_OK)
		rc = unpack_tree(&r, &d.tree, e);
	if (rc == ERR_OK)
		rc = unpack_tree(&r, &d.account, e);
	if (rc == ERR_OK)
		rc = unpack_tree(&r, &d.digested, e);
	if (rc == ERR_OK && rbuf_left(&r) > 0)
		rc = damaged(e, "something stands behind its end");
	if (rc != ERR_OK) {
		profile_desired_clear(&d);
		return rc;
	}
	*out = d;
	return ERR_OK;
}
