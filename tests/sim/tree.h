/*
 * tests/sim/tree.h: trees of what devices are given and hold, as tests put them together.
 */
#ifndef TESTS_SIM_TREE_H
#define TESTS_SIM_TREE_H

#include <stdbool.h>

#include "lib/lwm2m/tree.h"

/* v is taken over. The test ends where memory is short. */
void tree_put(struct lwm2m_tree *t, struct lwm2m_path p, struct lwm2m_value v);
void tree_put_text(struct lwm2m_tree *t, struct lwm2m_path p, enum lwm2m_type type, const char *s);

/* want is one instance: has holds one of the same object with all its values, under whatever id. */
bool tree_holds(const struct lwm2m_tree *has, const struct lwm2m_span *want);

#endif
