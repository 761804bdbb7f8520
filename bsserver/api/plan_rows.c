#include "bsserver/api/plan_rows.h"

#include <jansson.h>

#include "bsserver/api/held.h"
#include "profiles/timeline.h"

static bool
is_secret(const struct plan_rows *v, struct lwm2m_path p, const struct lwm2m_value *value)
{
	const struct lwm2m_res_def *def = lwm2m_model_resource(v->m, p.id[0], p.id[2]);

	return lwm2m_type_has_bytes(value->type) && (def == NULL || def->secret);
}

static json_t *
text_of(const struct plan_rows *v, struct lwm2m_path p, const struct lwm2m_value *value)
{
	struct gbuf text = { .max = 65536 };
	json_t *j;

	if (is_secret(v, p, value))
		v->print_secret(v->arg, &value->bytes, &text);
	else
		seen_print(&text, value);
	j = json_text(gbuf_cstr(&text));
	gbuf_clear(&text);
	return j;
}

/* What is known of a place that Read does not show: Discover tells the number and the address of an account. */
static json_t *
from_link(const struct plan_rows *v, struct lwm2m_path p)
{
	const struct lwm2m_link_entry *l = lwm2m_links_find(&v->inv->links, lwm2m_path2(p.id[0], p.id[1]));
	struct gbuf text = { .max = 4096 };
	json_t *j = NULL;

	if (l == NULL)
		return json_null(); /* it has no such instance */
	if (p.id[0] == LWM2M_SECURITY && p.id[2] == 0 && l->uri != NULL)
		gbuf_printf(&text, "\"%s\"", l->uri);
	else if (((p.id[0] == LWM2M_SECURITY && p.id[2] == 10) || (p.id[0] == LWM2M_SERVER && p.id[2] == 0)) &&
	    l->ssid != 0)
		gbuf_printf(&text, "%u", (unsigned)l->ssid);
	else if (v->inv->read[LWM2M_SERVER] && p.id[0] == LWM2M_SERVER)
		gbuf_str(&text, "(not shown)");
	else
		gbuf_str(&text, "(cannot be read)");
	j = json_text(gbuf_cstr(&text));
	gbuf_clear(&text);
	return j;
}

/* Whether one of the operations is about p: itself, or something around it. */
static bool
done_to(const struct plan_rows *v, struct lwm2m_path p, enum bs_method method)
{
	for (size_t i = 0; i < v->plan->n_ops; i++)
		if (v->plan->ops[i].method == method && lwm2m_path_under(&p, &v->plan->ops[i].path))
			return true;
	return false;
}

static const char *
does(const struct plan_rows *v, struct lwm2m_path p, bool wanted)
{
	if (wanted && done_to(v, p, BS_PUT))
		return "write";
	return done_to(v, p, BS_DELETE) ? "delete" : "keep";
}

static void
add(const struct plan_rows *v, json_t *list, struct lwm2m_path p, json_t *has, json_t *wants)
{
	const struct lwm2m_res_def *def =
	    p.depth < LWM2M_RESOURCE ? NULL : lwm2m_model_resource(v->m, p.id[0], p.id[2]);
	json_t *j = json_object();
	bool wanted = !json_is_null(wants);

	json_put(j, "path", json_text(lwm2m_path_str(p).s));
	json_put(j, "name", json_text(def == NULL ? NULL : def->key));
	json_put(j, "has", has);
	json_put(j, "wants", wants);
	json_put(j, "does", json_text(does(v, p, wanted)));
	(void)json_array_append_new(list, j);
}

/* An instance of which nothing is known but that it is there, and nothing is wanted. */
static void
add_instances(const struct plan_rows *v, json_t *list)
{
	for (size_t i = 0; i < v->inv->links.n; i++) {
		const struct lwm2m_link_entry *l = &v->inv->links.v[i];
		struct gbuf text = { .max = 4096 };

		if (l->path.depth != LWM2M_INSTANCE || lwm2m_tree_has(&v->plan->tree, l->path) ||
		    lwm2m_tree_has(&v->inv->seen, l->path))
			continue;
		gbuf_str(&text, "(there");
		if (l->ssid != 0)
			gbuf_printf(&text, ", ssid %u", (unsigned)l->ssid);
		if (l->uri != NULL)
			gbuf_printf(&text, ", %s", l->uri);
		gbuf_str(&text, ")");
		add(v, list, l->path, json_text(gbuf_cstr(&text)), json_null());
		gbuf_clear(&text);
	}
}

/* The next of both trees, which are in the order of paths; both when they meet. false at the end. */
static bool
next_pair(const struct lwm2m_tree *wants, const struct lwm2m_tree *has, size_t *i, size_t *k,
    const struct lwm2m_node **w, const struct lwm2m_node **h)
{
	*w = *i < wants->n ? &wants->nodes[*i] : NULL;
	*h = *k < has->n ? &has->nodes[*k] : NULL;
	if (*w != NULL && *h != NULL) {
		int order = lwm2m_path_cmp(&(*w)->path, &(*h)->path);

		if (order < 0)
			*h = NULL;
		else if (order > 0)
			*w = NULL;
	}
	*i += *w != NULL;
	*k += *h != NULL;
	return *w != NULL || *h != NULL;
}

json_t *
plan_rows(const struct plan_rows *v)
{
	const struct lwm2m_node *w, *h;
	json_t *list = json_array();
	size_t i = 0, k = 0;

	add_instances(v, list);
	while (next_pair(&v->plan->tree, &v->inv->seen, &i, &k, &w, &h)) {
		if (w != NULL && w->path.depth >= LWM2M_RESOURCE)
			add(v, list, w->path, h != NULL ? text_of(v, h->path, &h->value) : from_link(v, w->path),
			    text_of(v, w->path, &w->value));
		else if (w == NULL && h != NULL && h->path.depth >= LWM2M_RESOURCE)
			add(v, list, h->path, text_of(v, h->path, &h->value), json_null());
	}
	for (i = 0; i < v->plan->n_ops; i++)
		if (v->plan->ops[i].clock)
			add(v, list, v->plan->ops[i].path, from_link(v, v->plan->ops[i].path),
			    json_text("(the time, as it is then)"));
	return list;
}

/* ---- afterwards ---- */

static json_t *
seconds(int64_t s)
{
	return s < 0 ? json_null() : json_integer(s);
}

static json_t *
json_of_server(const struct timeline_server *s, const struct profile_doc *doc)
{
	json_t *j = json_object();

	json_put(j, "server", json_text(doc == NULL ? NULL : profile_server_name(doc, s->ssid)));
	json_put(j, "short_server_id", json_integer(s->ssid));
	json_put(j, "order", s->ordered ? json_integer(s->order) : json_null());
	json_put(j, "delay", seconds(s->delay_s));
	json_put(j, "registers", seconds(s->registers_s));
	json_put(j, "after_failures", seconds(s->after_failure_s));
	json_put(j, "gives_up_after", seconds(s->tries_s));
	json_put(j, "then", json_text(timeline_then_name(s->then)));
	return j;
}

json_t *
plan_timeline(const struct profile_desired *d, const struct profile_doc *doc)
{
	json_t *j = json_object(), *list = json_array();
	struct timeline t;

	timeline_make(d, &t);
	for (size_t i = 0; i < t.n; i++)
		(void)json_array_append_new(list, json_of_server(&t.v[i], doc));
	json_put(j, "servers", list);
	json_put(j, "comes_back_by", seconds(t.worst_s));
	json_put(j, "hold_off", seconds(t.hold_off_s));
	json_put(j, "forgets_bootstrap_account", t.forgets_s > 0 ? json_integer(t.forgets_s) : json_null());
	return j;
}
