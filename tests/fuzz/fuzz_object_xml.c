/* An OMA object file: what is accepted has the order and the keys that lookups stand on. */
#include <string.h>

#include "lib/lwm2m/object.h"
#include "tests/fuzz/fuzz.h"

static void
look_up(const struct lwm2m_model *m, const struct lwm2m_obj_def *o)
{
	struct lwm2m_value v = { .type = LWM2M_NONE };

	FUZZ_MUST(
	    lwm2m_model_object_version(m, o->id, o->version) == o, "object %u is lost", o->id);
	FUZZ_MUST(o->n_res > 0, "object %u is empty", o->id);
	for (size_t i = 0; i < o->n_res; i++) {
		const struct lwm2m_res_def *r = &o->res[i];

		FUZZ_MUST(i == 0 || r[-1].id < r->id, "resource %u is out of order", r->id);
		FUZZ_MUST(lwm2m_obj_resource(o, r->id) == r, "resource %u is lost", r->id);
		FUZZ_MUST(lwm2m_obj_resource_by_key(o, r->key) != NULL, "key %s is lost", r->key);
		FUZZ_MUST(r->has_min == r->has_max && r->min <= r->max, "range %s", r->range);
		(void)strlen(r->name);
		(void)strlen(r->unit);
		(void)lwm2m_value_check(r, &v, NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lwm2m_model *m = lwm2m_model_new();
	struct err e = { .code = ERR_OK };
	const struct lwm2m_obj_def *o;

	FUZZ_MUST(m != NULL, "out of memory");
	enum err_code rc = lwm2m_model_load_xml(m, "xml", (const char *)data, size, &e);
	FUZZ_MUST(rc == ERR_OK || strncmp(e.msg, "xml:", 4) == 0, "refused with %s", e.msg);
	for (size_t i = 0; (o = lwm2m_model_at(m, i)) != NULL; i++)
		look_up(m, o);
	if (rc == ERR_OK) /* what went in once is the same the second time */
		FUZZ_MUST(lwm2m_model_load_xml(m, "xml", (const char *)data, size, &e) == ERR_OK,
		    "refused again: %s", e.msg);
	lwm2m_model_free(m);
	return 0;
}
