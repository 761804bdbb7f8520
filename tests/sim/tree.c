#include "tests/sim/tree.h"

#include <stdlib.h>
#include <string.h>

void
tree_put(struct lwm2m_tree *t, struct lwm2m_path p, struct lwm2m_value v)
{
	if (lwm2m_tree_put(t, p, &v, NULL) != ERR_OK)
		abort();
}

void
tree_put_text(struct lwm2m_tree *t, struct lwm2m_path p, enum lwm2m_type type, const char *s)
{
	struct lwm2m_value v;

	if (lwm2m_value_bytes(&v, type, s, strlen(s), NULL) != ERR_OK)
		abort();
	tree_put(t, p, v);
}

static bool
is_there_as(const struct lwm2m_tree *has, uint16_t iid, const struct lwm2m_span *want)
{
	for (size_t i = 0; i < want->n; i++) {
		struct lwm2m_path p = want->nodes[i].path;

		p.id[1] = iid;
		const struct lwm2m_value *v = lwm2m_tree_get(has, p);
		if (v == NULL || !lwm2m_value_eq(v, &want->nodes[i].value))
			return false;
	}
	return true;
}

bool
tree_holds(const struct lwm2m_tree *has, const struct lwm2m_span *want)
{
	for (size_t i = 0; i < has->n; i++) {
		const uint16_t *id = has->nodes[i].path.id;

		if (id[0] == want->nodes[0].path.id[0] && is_there_as(has, id[1], want))
			return true;
	}
	return false;
}
