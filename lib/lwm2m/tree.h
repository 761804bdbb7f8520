/*
 * lib/lwm2m/tree.h: what a device holds, or should hold: values at paths, kept in path order.
 *
 * A node is a single Resource (depth 3), one instance of a Multiple Resource (depth 4), or an
 * Object Instance that is there but has no Resource known to us (depth 2, value LWM2M_NONE). An
 * instance with Resources has no node of its own. One Resource is either single or multiple.
 */
#ifndef LIB_LWM2M_TREE_H
#define LIB_LWM2M_TREE_H

#include "lib/lwm2m/path.h"
#include "lib/lwm2m/value.h"

#define LWM2M_TREE_MAX 4096 /* nodes; more is ERR_LIMIT */

struct lwm2m_node {
	struct lwm2m_path path;
	struct lwm2m_value value; /* owned by the tree */
};

struct lwm2m_tree {
	struct lwm2m_node *nodes; /* sorted by lwm2m_path_cmp, no path twice */
	size_t n, cap;
};

/* A run of nodes, all under one path. Valid until the tree changes. */
struct lwm2m_span {
	const struct lwm2m_node *nodes;
	size_t n;
};

void lwm2m_tree_clear(struct lwm2m_tree *t); /* wipes every value; safe twice, and on {0} */
enum err_code lwm2m_tree_copy(struct lwm2m_tree *dst, const struct lwm2m_tree *src, struct err *e);

/*
 * Takes the value over (v is LWM2M_NONE afterwards, on failure too: it is then wiped).
 * put replaces what is there. add refuses: ERR_EXISTS names the path. ERR_INVALID when the Resource
 * is already there as single and now comes as multiple, or the reverse, and for a value above a
 * Resource. LWM2M_NONE at an instance only notes it, see lwm2m_tree_put_instance().
 */
enum err_code lwm2m_tree_put(struct lwm2m_tree *t, struct lwm2m_path p, struct lwm2m_value *v, struct err *e);
enum err_code lwm2m_tree_add(struct lwm2m_tree *t, struct lwm2m_path p, struct lwm2m_value *v, struct err *e);
/* Puts all of src, which is empty afterwards; on failure too, and what was put before stays. */
enum err_code lwm2m_tree_take(struct lwm2m_tree *t, struct lwm2m_tree *src, struct err *e);
/* Notes an instance (depth 2); nothing happens when it has a node or Resources already. */
enum err_code lwm2m_tree_put_instance(struct lwm2m_tree *t, struct lwm2m_path p, struct err *e);

/* The value at exactly p, or NULL. */
const struct lwm2m_value *lwm2m_tree_get(const struct lwm2m_tree *t, struct lwm2m_path p);
/* All nodes at or under p. */
struct lwm2m_span lwm2m_tree_under(const struct lwm2m_tree *t, struct lwm2m_path p);
bool lwm2m_tree_has(const struct lwm2m_tree *t, struct lwm2m_path p);
/* Removes all at or under p; the number removed. */
size_t lwm2m_tree_remove(struct lwm2m_tree *t, struct lwm2m_path p);
bool lwm2m_tree_eq(const struct lwm2m_tree *a, const struct lwm2m_tree *b);

/*
 * Walks the distinct prefixes of a given depth inside a span: *at starts at 0; each call gives the
 * next prefix and its nodes. false at the end. Nodes above that depth are passed over.
 */
bool lwm2m_span_next(const struct lwm2m_span *s, uint8_t depth, size_t *at, struct lwm2m_path *prefix,
    struct lwm2m_span *sub);

#endif
