#include "lib/lwm2m/tree.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/util.h"

void
lwm2m_tree_clear(struct lwm2m_tree *t)
{
	for (size_t i = 0; i < t->n; i++)
		lwm2m_value_clear(&t->nodes[i].value);
	free_some(t->nodes);
	*t = (struct lwm2m_tree){ 0 };
}

static inline bool
is_before(const struct lwm2m_path *p, uint64_t ids, uint8_t depth)
{
	uint64_t number = lwm2m_path_number(p);

	return (number < ids) | ((number == ids) & (p->depth < depth));
}

/* The first node whose path is not before p. */
static size_t
lower_bound(const struct lwm2m_tree *t, const struct lwm2m_path *p)
{
	const struct lwm2m_node *from = t->nodes;
	uint64_t ids = lwm2m_path_number(p);
	size_t n = t->n;

	if (n == 0 || is_before(&from[n - 1].path, ids, p->depth))
		return n; /* most trees are built in order */
	/* without branches: where it goes is anybody's guess */
	while (n > 1) {
		size_t half = n / 2;

		from += is_before(&from[half - 1].path, ids, p->depth) ? half : 0;
		n -= half;
	}
	return (size_t)(from - t->nodes) + is_before(&from->path, ids, p->depth);
}

static bool
node_is(const struct lwm2m_tree *t, size_t at, const struct lwm2m_path *p)
{
	return at < t->n && lwm2m_path_eq(&t->nodes[at].path, p);
}

static enum err_code
insert(struct lwm2m_tree *t, size_t at, struct lwm2m_path p, struct lwm2m_value *v, struct err *e)
{
	if (t->n >= LWM2M_TREE_MAX)
		return err_set(
		    e, ERR_LIMIT, "%s: more than %d values", lwm2m_path_str(p).s, LWM2M_TREE_MAX);
	struct lwm2m_node *arr = grow(t->nodes, t->n, &t->cap, sizeof *arr);
	if (arr == NULL)
		return err_no_memory(e);
	t->nodes = arr;
	memmove(arr + at + 1, arr + at, (t->n - at) * sizeof *arr);
	arr[at] = (struct lwm2m_node){ .path = p, .value = *v };
	t->n++;
	v->type = LWM2M_NONE;
	return ERR_OK;
}

static void
remove_at(struct lwm2m_tree *t, size_t at, size_t n)
{
	if (n == 0)
		return;
	for (size_t i = at; i < at + n; i++)
		lwm2m_value_clear(&t->nodes[i].value);
	memmove(t->nodes + at, t->nodes + at + n, (t->n - at - n) * sizeof *t->nodes);
	t->n -= n;
}

/*
 * A value stands at a Resource or its instance; no Resource is single and multiple at once. at is
 * the place of p: a single one would stand before its instances, instances behind a single one.
 */
static enum err_code
check_shape(const struct lwm2m_tree *t, size_t at, const struct lwm2m_path *p, const struct lwm2m_value *v,
    struct err *e)
{
	if (p->depth < LWM2M_INSTANCE || (p->depth == LWM2M_INSTANCE && v->type != LWM2M_NONE))
		return err_set(e, ERR_INVALID, "%s: no place for a value", lwm2m_path_str(*p).s);
	if (p->depth == LWM2M_RES_INSTANCE && lwm2m_tree_get(t, lwm2m_path_up(*p, LWM2M_RESOURCE)) != NULL)
		return err_set(
		    e, ERR_INVALID, "%s: the resource is there as a single one", lwm2m_path_str(*p).s);
	if (p->depth == LWM2M_RESOURCE && at < t->n && t->nodes[at].path.depth == LWM2M_RES_INSTANCE &&
	    lwm2m_path_under(&t->nodes[at].path, p))
		return err_set(
		    e, ERR_INVALID, "%s: the resource is there as a multiple one", lwm2m_path_str(*p).s);
	return ERR_OK;
}

static enum err_code
store(struct lwm2m_tree *t, struct lwm2m_path p, struct lwm2m_value *v, bool replace, struct err *e)
{
	size_t at = lower_bound(t, &p);
	enum err_code rc = check_shape(t, at, &p, v, e);
	struct lwm2m_path inst = lwm2m_path_up(p, LWM2M_INSTANCE);

	if (rc != ERR_OK)
		goto out;
	if (p.depth == LWM2M_INSTANCE && at < t->n && lwm2m_path_under(&t->nodes[at].path, &p) &&
	    !node_is(t, at, &p))
		goto out; /* it has Resources: nothing is left to note */
	if (node_is(t, at, &p)) {
		if (!replace) {
			rc = err_set(e, ERR_EXISTS, "%s: is there twice", lwm2m_path_str(p).s);
			goto out;
		}
		lwm2m_value_clear(&t->nodes[at].value);
		t->nodes[at].value = *v;
		v->type = LWM2M_NONE;
		goto out;
	}
	if (p.depth > LWM2M_INSTANCE && at > 0 && node_is(t, at - 1, &inst)) {
		remove_at(t, at - 1, 1); /* no longer an instance without Resources */
		at--;
	}
	rc = insert(t, at, p, v, e);
out:
	if (rc != ERR_OK)
		lwm2m_value_clear(v);
	return rc;
}

enum err_code
lwm2m_tree_put(struct lwm2m_tree *t, struct lwm2m_path p, struct lwm2m_value *v, struct err *e)
{
	return store(t, p, v, true, e);
}

enum err_code
lwm2m_tree_add(struct lwm2m_tree *t, struct lwm2m_path p, struct lwm2m_value *v, struct err *e)
{
	return store(t, p, v, false, e);
}

enum err_code
lwm2m_tree_take(struct lwm2m_tree *t, struct lwm2m_tree *src, struct err *e)
{
	enum err_code rc = ERR_OK;

	if (t->n == 0) {
		lwm2m_tree_clear(t);
		*t = *src;
		*src = (struct lwm2m_tree){ 0 };
		return ERR_OK;
	}
	for (size_t i = 0; rc == ERR_OK && i < src->n; i++)
		rc = lwm2m_tree_put(t, src->nodes[i].path, &src->nodes[i].value, e);
	lwm2m_tree_clear(src);
	return rc;
}

enum err_code
lwm2m_tree_put_instance(struct lwm2m_tree *t, struct lwm2m_path p, struct err *e)
{
	struct lwm2m_value none = { .type = LWM2M_NONE };

	return lwm2m_tree_has(t, p) ? ERR_OK : store(t, p, &none, true, e);
}

const struct lwm2m_value *
lwm2m_tree_get(const struct lwm2m_tree *t, struct lwm2m_path p)
{
	size_t at = lower_bound(t, &p);

	return node_is(t, at, &p) ? &t->nodes[at].value : NULL;
}

struct lwm2m_span
lwm2m_tree_under(const struct lwm2m_tree *t, struct lwm2m_path p)
{
	size_t at = lower_bound(t, &p), end = at;
	uint64_t bits = lwm2m_path_bits(p.depth), ids = lwm2m_path_number(&p) & bits;

	/* what comes behind p stands behind its parents: the ids alone tell */
	while (end < t->n && (lwm2m_path_number(&t->nodes[end].path) & bits) == ids)
		end++;
	return (struct lwm2m_span){ .nodes = end > at ? t->nodes + at : NULL, .n = end - at };
}

bool
lwm2m_tree_has(const struct lwm2m_tree *t, struct lwm2m_path p)
{
	size_t at = lower_bound(t, &p);

	return at < t->n && lwm2m_path_under(&t->nodes[at].path, &p);
}

size_t
lwm2m_tree_remove(struct lwm2m_tree *t, struct lwm2m_path p)
{
	size_t at = lower_bound(t, &p);
	size_t n = lwm2m_tree_under(t, p).n;

	remove_at(t, at, n);
	return n;
}

enum err_code
lwm2m_tree_copy(struct lwm2m_tree *dst, const struct lwm2m_tree *src, struct err *e)
{
	enum err_code rc = ERR_OK;

	*dst = (struct lwm2m_tree){ 0 };
	for (size_t i = 0; rc == ERR_OK && i < src->n; i++) {
		struct lwm2m_value v;

		rc = lwm2m_value_copy(&v, &src->nodes[i].value, e);
		if (rc == ERR_OK)
			rc = insert(dst, dst->n, src->nodes[i].path, &v, e);
		lwm2m_value_clear(&v); /* the tree has it, unless that failed */
	}
	if (rc != ERR_OK)
		lwm2m_tree_clear(dst);
	return rc;
}

bool
lwm2m_tree_eq(const struct lwm2m_tree *a, const struct lwm2m_tree *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!lwm2m_path_eq(&a->nodes[i].path, &b->nodes[i].path) ||
		    !lwm2m_value_eq(&a->nodes[i].value, &b->nodes[i].value))
			return false;
	return true;
}

bool
lwm2m_span_next(const struct lwm2m_span *s, uint8_t depth, size_t *at, struct lwm2m_path *prefix,
    struct lwm2m_span *sub)
{
	while (*at < s->n && s->nodes[*at].path.depth < depth)
		(*at)++;
	if (*at >= s->n)
		return false;
	size_t start = *at, end = start + 1;
	*prefix = lwm2m_path_up(s->nodes[start].path, depth);
	uint64_t bits = lwm2m_path_bits(depth), ids = lwm2m_path_number(prefix);
	/* what comes behind stands behind its parents: the ids alone tell */
	while (end < s->n && (lwm2m_path_number(&s->nodes[end].path) & bits) == ids)
		end++;
	*at = end;
	*sub = (struct lwm2m_span){ .nodes = s->nodes + start, .n = *at - start };
	return true;
}
