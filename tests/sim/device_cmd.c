/* What a device does when told: Bootstrap-Write, -Delete, -Finish, and a Bootstrap-Pack. */
#include "lib/lwm2m/format.h"
#include "tests/sim/device_internal.h"

static bool
lies(const struct device_command *c, enum device_lie_kind kind)
{
	return c->lie != NULL && c->lie->kind == kind;
}

/* --- Write ---------------------------------------------------------------------------------- */

bool
device_knows(const struct device_config *cfg, const struct lwm2m_path *p)
{
	static const uint64_t leshan =
	    1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 7 | 1 << 22;
	static const uint64_t not_anjay = 1 << 10 | 1 << 13 | 1 << 15 | 1 << 21;
	if (p->depth < LWM2M_RESOURCE)
		return true;
	uint64_t bit = p->id[0] == LWM2M_SERVER && p->id[2] < 64 ? (uint64_t)1 << p->id[2] : 0;
	if (bit != 0 && device_quirk_has(&cfg->quirks, DEVICE_Q_LESHAN_RESOURCES))
		return (bit & leshan) != 0;
	if (bit != 0 && device_quirk_has(&cfg->quirks, DEVICE_Q_ANJAY_RESOURCES))
		return (bit & not_anjay) == 0;
	return lwm2m_model_resource(cfg->model, p->id[0], p->id[2]) != NULL;
}

static uint8_t
unknown_object(const struct device *d)
{
	return device_has(d, DEVICE_Q_UNKNOWN_OBJECT_4_00)   ? CM_BAD_REQUEST
	       : device_has(d, DEVICE_Q_UNKNOWN_OBJECT_5_00) ? CM_INTERNAL
	                                                     : CM_NOT_FOUND;
}

static uint8_t
unknown_format(const struct device *d)
{
	return device_has(d, DEVICE_Q_FORMAT_4_00)   ? CM_BAD_REQUEST
	       : device_has(d, DEVICE_Q_FORMAT_5_00) ? CM_INTERNAL
	       : device_has(d, DEVICE_Q_FORMAT_4_06) ? CM_NOT_ACCEPTABLE
	                                             : CM_BAD_FORMAT;
}

static uint8_t
write_refusal(const struct device *d, const struct device_command *c)
{
	if (!c->path_ok || c->at.depth == LWM2M_ROOT || c->at.depth > LWM2M_RESOURCE)
		return CM_NOT_ALLOWED;
	if (device_lacks_object(d->cfg, c->at.id[0]))
		return unknown_object(d);
	if (c->at.depth == LWM2M_OBJECT && device_has(d, DEVICE_Q_NO_OBJECT_WRITE))
		return CM_NOT_ALLOWED;
	if (c->at.depth == LWM2M_RESOURCE && device_has(d, DEVICE_Q_NO_RESOURCE_WRITE))
		return CM_NOT_ALLOWED;
	return 0;
}

/* A second bootstrap account in what is to be written. */
static bool
second_account(const struct device *d, const struct lwm2m_tree *t)
{
	uint16_t ours = 0, theirs = 0;
	return device_account(t, &theirs) && device_account(&d->tree, &ours) && ours != theirs;
}

/* Every mandatory Resource of every instance that would be new. */
static bool
lacks_mandatory(const struct device *d, const struct lwm2m_tree *t)
{
	struct lwm2m_span all = { .nodes = t->nodes, .n = t->n }, sub;
	struct lwm2m_path p;
	size_t at = 0;
	while (lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &p, &sub)) {
		const struct lwm2m_obj_def *o = lwm2m_model_object(d->cfg->model, p.id[0]);
		for (size_t i = 0; o != NULL && i < o->n_res && !lwm2m_tree_has(&d->tree, p); i++)
			if (o->res[i].mandatory && o->res[i].type != LWM2M_NONE &&
			    !lwm2m_tree_has(t, lwm2m_path_child(p, o->res[i].id)))
				return true;
	}
	return false;
}

static uint8_t
content_refusal(const struct device *d, const struct device_command *c, const struct lwm2m_tree *t)
{
	const struct lwm2m_obj_def *o = lwm2m_model_object(d->cfg->model, c->at.id[0]);
	for (size_t i = 0; i < t->n; i++)
		if (o != NULL && !o->multiple && t->nodes[i].path.id[1] != 0)
			return CM_BAD_REQUEST;
	if (device_has(d, DEVICE_Q_ONE_ACCOUNT_ONLY) && second_account(d, t))
		return CM_BAD_REQUEST;
	if (c->at.depth < LWM2M_RESOURCE && device_has(d, DEVICE_Q_WRITE_MANDATORY_4_00) &&
	    lacks_mandatory(d, t))
		return CM_BAD_REQUEST;
	return 0;
}

/* Moves one instance's nodes into the tree; true when there was no such instance. */
static bool
store_instance(struct device *d, const struct lwm2m_tree *from, struct lwm2m_path p, bool replace)
{
	bool created = !lwm2m_tree_has(&d->tree, p);
	struct lwm2m_path last = { .depth = 0 };
	if (replace)
		(void)lwm2m_tree_remove(&d->tree, p);
	(void)lwm2m_tree_put_instance(&d->tree, p, NULL);
	for (size_t i = 0; i < from->n; i++) {
		struct lwm2m_node *n = &from->nodes[i];
		if (!lwm2m_path_under(&n->path, &p) || n->path.depth < LWM2M_RESOURCE ||
		    !device_knows(d->cfg, &n->path))
			continue;
		struct lwm2m_path r = lwm2m_path_up(n->path, LWM2M_RESOURCE);
		if (!replace && !lwm2m_path_eq(&r, &last))
			(void)lwm2m_tree_remove(&d->tree, r);
		last = r;
		(void)lwm2m_tree_put(&d->tree, n->path, &n->value, NULL);
	}
	/* Taking its last Resource away does not take the instance away. */
	(void)lwm2m_tree_put_instance(&d->tree, p, NULL);
	return created;
}

static bool
store(struct device *d, const struct lwm2m_tree *from, struct lwm2m_path base)
{
	bool replace = !d->cfg->merges && base.depth < LWM2M_RESOURCE, created = false;
	struct lwm2m_span all = { .nodes = from->nodes, .n = from->n }, sub;
	struct lwm2m_path p;
	size_t at = 0;
	device_will_write(d);
	while (lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &p, &sub))
		created = store_instance(d, from, p, replace) || created;
	if (from->n == 0 && base.depth == LWM2M_INSTANCE) /* an instance without anything in it */
		created = store_instance(d, from, base, replace);
	return created;
}

static void
write_decoded(struct device *d, struct device_command *c, struct lwm2m_tree *t)
{
	bool created = false;
	c->code = content_refusal(d, c, t);
	if (c->code != 0)
		return;
	if (c->lie != NULL)
		device_lie_about_write(t, c->lie->kind);
	if (!lies(c, DEVICE_LIE_STORE_NOTHING))
		created = store(d, t, c->at);
	c->code = created && device_has(d, DEVICE_Q_CREATED_2_01) ? CM_CREATED : CM_CHANGED;
}

static void
command_write(struct device *d, struct device_command *c)
{
	uint32_t number = coapmsg_uint(c->msg, CM_OPT_CONTENT_FORMAT, UINT32_MAX);
	const struct lwm2m_format *f = number > UINT16_MAX ? NULL : lwm2m_format((uint16_t)number);
	struct lwm2m_tree t = { 0 };
	struct err e = { ERR_OK, "" };
	c->code = write_refusal(d, c);
	if (c->code != 0)
		return;
	if (f == NULL || (device_format_bit(f->number) & d->cfg->formats) == 0) {
		c->code = unknown_format(d);
	} else if (f->decode(d->cfg->model, c->at, c->body, c->body_len, &t, &e) != ERR_OK) {
		c->code = CM_BAD_REQUEST;
		gbuf_str(&c->payload, e.msg);
	} else {
		write_decoded(d, c, &t);
	}
	lwm2m_tree_clear(&t);
}

/* --- Delete --------------------------------------------------------------------------------- */

static bool
is_kept(const struct device *d, struct lwm2m_path p)
{
	uint16_t account = 0;
	if (p.id[0] == LWM2M_DEVICE)
		return true;
	if (!device_account(&d->tree, &account))
		return false;
	if (p.id[0] == LWM2M_SECURITY)
		return p.id[1] == account;
	const struct lwm2m_value *v =
	    lwm2m_tree_get(&d->tree, lwm2m_path3(LWM2M_SECURITY, account, 17));
	return p.id[0] == LWM2M_OSCORE && v != NULL && v->type == LWM2M_OBJLNK &&
	       v->link.instance == p.id[1];
}

/* Every instance at or under p but those that no Delete touches. */
static void
delete_under(struct device *d, struct lwm2m_path p)
{
	size_t i = 0;
	device_will_write(d);
	while (i < d->tree.n) {
		struct lwm2m_path at = lwm2m_path_up(d->tree.nodes[i].path, LWM2M_INSTANCE);
		bool drops = p.depth == LWM2M_ROOT && at.id[0] == LWM2M_DEVICE &&
		             device_has(d, DEVICE_Q_DELETE_DROPS_DEVICE);
		if (lwm2m_path_under(&at, &p) && (drops || !is_kept(d, at)))
			(void)lwm2m_tree_remove(&d->tree, at);
		else
			i++;
	}
}

static uint8_t
delete_missing(const struct device *d)
{
	return device_has(d, DEVICE_Q_DELETE_MISSING_4_00)   ? CM_BAD_REQUEST
	       : device_has(d, DEVICE_Q_DELETE_MISSING_4_04) ? CM_NOT_FOUND
	                                                     : CM_DELETED;
}

static void
command_delete(struct device *d, struct device_command *c)
{
	c->code = CM_DELETED;
	if (!c->path_ok || c->at.depth > LWM2M_INSTANCE)
		c->code = CM_BAD_REQUEST;
	else if (c->at.depth == LWM2M_OBJECT && device_has(d, DEVICE_Q_NO_DELETE_OBJECT))
		c->code = CM_NOT_ALLOWED;
	else if (c->at.depth > LWM2M_ROOT && c->at.id[0] == LWM2M_DEVICE &&
	         device_has(d, DEVICE_Q_DELETE_DEVICE_4_05))
		c->code = CM_NOT_ALLOWED;
	else if (c->at.depth > LWM2M_ROOT && !lwm2m_tree_has(&d->tree, c->at))
		c->code = delete_missing(d);
	else if (lies(c, DEVICE_LIE_STORE_NOTHING))
		return;
	else if (c->at.depth == LWM2M_INSTANCE && c->at.id[0] == LWM2M_SECURITY &&
	         device_has(d, DEVICE_Q_DELETE_EXPLICIT_ACCOUNT)) {
		device_will_write(d);
		(void)lwm2m_tree_remove(&d->tree, c->at);
	} else
		delete_under(d, c->at);
}

/* --- Finish, Pack --------------------------------------------------------------------------- */

static void
set_last_bootstrapped(struct device *d, uint64_t now_ms)
{
	struct lwm2m_path ids[64];
	size_t n = 0, at = 0;
	struct lwm2m_span all = lwm2m_tree_under(&d->tree, lwm2m_path1(LWM2M_SERVER)), sub;
	while (n < N_ELEMS(ids) && lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &ids[n], &sub))
		n++;
	for (size_t i = 0; i < n; i++) {
		struct lwm2m_value v = lwm2m_time(d->cfg->wall_s + (int64_t)(now_ms / 1000));
		(void)lwm2m_tree_put(&d->tree, lwm2m_path_child(ids[i], 12), &v, NULL);
	}
}

static void
command_finish(struct device *d, struct device_command *c, uint64_t now_ms)
{
	if (d->outcome == DEVICE_WAS_PROVISIONED) { /* once more, and no harm in it */
		c->code = CM_CHANGED;
		return;
	}
	if (c->body_len > 0)
		device_complain(d, now_ms, "/bs", "a Finish with a payload");
	if (!device_has(d, DEVICE_Q_FINISH_UNCHECKED) &&
	    !device_tree_is_consistent(d->cfg, &d->tree, &c->payload)) {
		c->code = CM_NOT_ACCEPTABLE;
		c->finish_over = device_has(d, DEVICE_Q_FINISH_ENDS_SESSION);
		return;
	}
	c->code = CM_CHANGED;
	d->finished = true;
	if (device_has(d, DEVICE_Q_SETS_LAST_BOOTSTRAPPED)) {
		device_will_write(d);
		set_last_bootstrapped(d, now_ms);
	}
	if (lies(c, DEVICE_LIE_STORE_NOTHING))
		device_roll_back(d);
}

bool
device_take_pack(struct device *d, uint16_t format, const uint8_t *p, size_t n, struct err *e)
{
	const struct lwm2m_format *f = lwm2m_format(format);
	struct lwm2m_tree t = { 0 };
	struct lwm2m_path root = { .depth = LWM2M_ROOT }, object;
	struct lwm2m_span sub;
	size_t at = 0;
	if (f == NULL || f->decode(d->cfg->model, root, p, n, &t, e) != ERR_OK)
		return false;
	struct lwm2m_span all = { .nodes = t.nodes, .n = t.n };
	while (lwm2m_span_next(&all, LWM2M_OBJECT, &at, &object, &sub))
		delete_under(d, object);
	(void)store(d, &t, root);
	lwm2m_tree_clear(&t);
	return true;
}

/* A Discover or Read, from the tree or from what a lie makes of it. */
static void
command_show(struct device *d, struct device_command *c)
{
	struct lwm2m_tree t = { 0 };
	const struct lwm2m_tree *from = &d->tree;
	if (c->lie != NULL && c->lie->kind >= DEVICE_LIE_LIST_EXTRA &&
	    lwm2m_tree_copy(&t, &d->tree, NULL) == ERR_OK) {
		device_lie_about_tree(&t, c->lie->kind);
		from = &t;
	}
	if (c->step == DEVICE_DISCOVER)
		device_discover(d, c, from);
	else
		device_read(d, c, from);
	lwm2m_tree_clear(&t);
}

void
device_execute(struct device *d, struct device_command *c, uint64_t now_ms)
{
	switch (c->step) {
	case DEVICE_DISCOVER:
	case DEVICE_READ:
		command_show(d, c);
		break;
	case DEVICE_WRITE:
		command_write(d, c);
		break;
	case DEVICE_DELETE:
		command_delete(d, c);
		break;
	case DEVICE_FINISH:
		command_finish(d, c, now_ms);
		break;
	case DEVICE_REQUEST:
	case DEVICE_PACK:
	case DEVICE_OTHER:
	case DEVICE_ANY:
	case DEVICE__STEPS:
		c->code = CM_NOT_ALLOWED;
		break;
	}
}
