#include "bsserver/bootstrap/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/str.h"

#define UNCONFIRMED_MAX 64

struct verifier {
	const struct profile_desired *d;
	const struct bs_plan *p;
	const struct bs_inventory *after;
	struct bs_verified *out;
};

void
bs_verified_clear(struct bs_verified *v)
{
	gbuf_clear(&v->unconfirmed);
	*v = (struct bs_verified){ 0 };
}

/* The first finding is the verdict's; later ones are counted by their kind only. */
static void PRINTF_LIKE(4, 5)
found(struct verifier *v, enum bs_reason reason, struct lwm2m_path path, const char *fmt, ...)
{
	va_list ap;

	if (v->out->reason != BS_REASON_NONE)
		return;
	v->out->reason = reason;
	v->out->path = path;
	va_start(ap, fmt);
	(void)vsnprintf(v->out->detail, sizeof v->out->detail, fmt, ap);
	va_end(ap);
}

static bool
must_be_confirmed(const struct verifier *v, struct lwm2m_path p)
{
	for (size_t i = 0; i < v->d->n_required_confirmed; i++)
		if (lwm2m_path_under(&p, &v->d->required_confirmed[i]))
			return true;
	return false;
}

static void
not_shown(struct verifier *v, struct lwm2m_path p)
{
	if (must_be_confirmed(v, p))
		found(v, BS_REASON_NOT_CONFIRMED, p, "%s was written, but the device does not show it",
		    lwm2m_path_str(p).s);
	if (v->out->not_shown++ < UNCONFIRMED_MAX) {
		if (v->out->unconfirmed.len > 0)
			gbuf_u8(&v->out->unconfirmed, ' ');
		gbuf_str(&v->out->unconfirmed, lwm2m_path_str(p).s);
	}
}

static bool
is_exact(const struct verifier *v, uint16_t oid)
{
	for (size_t i = 0; i < v->p->n_exact; i++)
		if (v->p->exact[i] == oid)
			return true;
	return false;
}

static bool
ours_here(const struct verifier *v, struct lwm2m_path p)
{
	return lwm2m_tree_has(&v->p->tree, p);
}

static void
check_ssid(struct verifier *v, const struct lwm2m_link_entry *l)
{
	const struct lwm2m_value *want = lwm2m_tree_get(&v->p->tree,
	    lwm2m_path_child(l->path, l->path.id[0] == LWM2M_SECURITY ? 10 : 0));
	int64_t ssid;

	if (want == NULL || !lwm2m_value_number(want, &ssid))
		return;
	if (l->ssid == 0 && l->path.id[0] == LWM2M_SECURITY)
		found(v, BS_REASON_DIFFERENT, l->path, "%s was written as an account and is listed without ssid",
		    lwm2m_path_str(l->path).s);
	if (l->ssid == 0)
		return;
	if (l->ssid != ssid)
		found(v, BS_REASON_DIFFERENT, l->path, "%s belongs to Short Server ID %u, not to %lld",
		    lwm2m_path_str(l->path).s, (unsigned)l->ssid, (long long)ssid);
}

static void
check_uri(struct verifier *v, const struct lwm2m_link_entry *l)
{
	const struct lwm2m_value *want = lwm2m_tree_get(&v->p->tree, lwm2m_path_child(l->path, 0));

	if (l->path.id[0] != LWM2M_SECURITY || l->uri == NULL || want == NULL || want->type != LWM2M_STRING)
		return;
	if (!secret_equal_bytes(&want->bytes, l->uri, strlen(l->uri)))
		found(v, BS_REASON_DIFFERENT, l->path, "%s is listed with another uri than was written",
		    lwm2m_path_str(l->path).s);
}

/* What the device lists: nothing missing, nothing else in Objects that should hold exactly ours. */
static void
check_instances(struct verifier *v)
{
	struct lwm2m_span all = { .nodes = v->p->tree.nodes, .n = v->p->tree.n }, sub;
	struct lwm2m_path prefix;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &prefix, &sub);) {
		const struct lwm2m_link_entry *l = lwm2m_links_find(&v->after->links, prefix);

		if (l == NULL) {
			found(v, BS_REASON_MISSING, prefix, "%s was written, but the device does not list it",
			    lwm2m_path_str(prefix).s);
			continue;
		}
		check_ssid(v, l);
		check_uri(v, l);
	}
}

static bool
is_retained(const struct verifier *v, struct lwm2m_path p)
{
	for (size_t i = 0; i < v->d->n_retain; i++)
		if (lwm2m_path_under(&p, &v->d->retain[i]) || lwm2m_path_under(&v->d->retain[i], &p))
			return true;
	return false;
}

static bool
is_left_over(const struct verifier *v, struct lwm2m_path p)
{
	if (p.depth != LWM2M_INSTANCE || !is_exact(v, p.id[0]) || ours_here(v, p) || is_retained(v, p))
		return false;
	return p.id[0] != LWM2M_SECURITY || p.id[1] != v->after->account;
}

static void
check_left_over(struct verifier *v)
{
	for (size_t i = 0; i < v->after->links.n; i++) {
		struct lwm2m_path p = v->after->links.v[i].path;

		if (is_left_over(v, p))
			found(v, BS_REASON_LEFT_OVER, p, "%s was deleted, but the device still lists it",
			    lwm2m_path_str(p).s);
	}
}

/* A stale instance that the plan deleted. */
static void
check_deleted(struct verifier *v)
{
	for (size_t i = 0; i < v->p->n_ops; i++) {
		const struct bs_op *op = &v->p->ops[i];

		if (op->method == BS_DELETE && op->path.depth == LWM2M_INSTANCE && !ours_here(v, op->path) &&
		    bs_inventory_has(v->after, op->path))
			found(v, BS_REASON_LEFT_OVER, op->path, "%s was deleted, but the device still shows it",
			    lwm2m_path_str(op->path).s);
	}
}

/* Discover may not be served, or not agree with Read: what a reading shows is held against the plan too. */
static void
check_read_instances(struct verifier *v)
{
	struct lwm2m_span all = { .nodes = v->after->seen.nodes, .n = v->after->seen.n }, sub;
	struct lwm2m_path prefix;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &prefix, &sub);)
		if (is_left_over(v, prefix))
			found(v, BS_REASON_LEFT_OVER, prefix, "%s was deleted, but it can still be read",
			    lwm2m_path_str(prefix).s);
	all = (struct lwm2m_span){ .nodes = v->p->tree.nodes, .n = v->p->tree.n };
	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &prefix, &sub);) {
		/* Resource 0 of /1 and of /2 is mandatory: who reads the instance shows at least that */
		if (prefix.id[0] < N_ELEMS(v->after->read) && v->after->read[prefix.id[0]] &&
		    lwm2m_tree_has(&v->p->tree, lwm2m_path_child(prefix, 0)) &&
		    !lwm2m_tree_has(&v->after->seen, prefix))
			found(v, BS_REASON_MISSING, prefix, "%s was written, but Read does not show it",
			    lwm2m_path_str(prefix).s);
	}
}

/* Discover shows an account's URI and Short Server ID, and check_instances() compared them. */
static bool
shown_by_link(const struct verifier *v, struct lwm2m_path p)
{
	const struct lwm2m_link_entry *l = lwm2m_links_find(&v->after->links, lwm2m_path_up(p, LWM2M_INSTANCE));

	if (l == NULL || p.depth != LWM2M_RESOURCE)
		return false;
	if (p.id[0] == LWM2M_SECURITY)
		return (p.id[2] == 0 && l->uri != NULL) || (p.id[2] == 10 && l->ssid != 0);
	return p.id[0] == LWM2M_SERVER && p.id[2] == 0 && l->ssid != 0;
}

/* What the device shows at a path; both trees are in order, and *at is where the last one was. */
static const struct lwm2m_value *
shown_at(const struct lwm2m_tree *seen, size_t *at, const struct lwm2m_path *p)
{
	while (*at < seen->n && lwm2m_path_cmp(&seen->nodes[*at].path, p) < 0)
		++*at;
	return *at < seen->n && lwm2m_path_eq(&seen->nodes[*at].path, p) ? &seen->nodes[*at].value : NULL;
}

static void
compare(struct verifier *v, const struct lwm2m_node *want, const struct lwm2m_value *has)
{
	if (has == NULL && shown_by_link(v, want->path)) {
		v->out->equal++;
		return;
	}
	if (has == NULL) {
		not_shown(v, want->path);
		return;
	}
	if (lwm2m_value_eq(&want->value, has)) {
		v->out->equal++;
		return;
	}
	v->out->different++;
	found(v, BS_REASON_DIFFERENT, want->path, "%s was written and reads back as something else",
	    lwm2m_path_str(want->path).s);
}

/* An access control entry that nobody wrote lets somebody in: it is a difference. */
static void
check_extra_entries(struct verifier *v)
{
	for (size_t i = 0; i < v->after->seen.n; i++) {
		struct lwm2m_path p = v->after->seen.nodes[i].path;

		if (p.depth != LWM2M_RES_INSTANCE || !lwm2m_tree_has(&v->p->tree, lwm2m_path_up(p, LWM2M_RESOURCE)))
			continue;
		if (lwm2m_tree_get(&v->p->tree, p) == NULL)
			found(v, BS_REASON_DIFFERENT, p, "%s was not written, but reads back", lwm2m_path_str(p).s);
	}
}

enum err_code
bs_verify(const struct profile_desired *d, const struct bs_plan *p, const struct bs_inventory *after,
    struct bs_verified *out, struct err *e)
{
	struct verifier v = { .d = d, .p = p, .after = after, .out = out };

	*out = (struct bs_verified){ 0 };
	if (after->discovered) {
		check_instances(&v);
		check_left_over(&v);
	}
	check_read_instances(&v);
	check_deleted(&v);
	for (size_t i = 0, at = 0; i < p->tree.n; i++)
		if (p->tree.nodes[i].path.depth >= LWM2M_RESOURCE)
			compare(&v, &p->tree.nodes[i], shown_at(&after->seen, &at, &p->tree.nodes[i].path));
	check_extra_entries(&v);
	return gbuf_check(&out->unconfirmed, e);
}
