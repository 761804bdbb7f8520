#include "tests/fuzz/codec.h"

#include <string.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/lwm2m/object_model.h"
#include "tests/fuzz/fuzz.h"

#define RES(i, t, m)                                                                            \
	{ .id = (i), .name = "", .key = "", .type = (t), .multiple = (m), .range = "", .unit = "" }
#define SINGLE(t) RES(t, t, false)
#define MULTIPLE(t) RES(CODEC_MULTIPLE + (t), t, true)

static const struct lwm2m_res_def all_types[] = {
	SINGLE(LWM2M_NONE),
	SINGLE(LWM2M_STRING),
	SINGLE(LWM2M_INTEGER),
	SINGLE(LWM2M_UNSIGNED),
	SINGLE(LWM2M_FLOAT),
	SINGLE(LWM2M_BOOLEAN),
	SINGLE(LWM2M_OPAQUE),
	SINGLE(LWM2M_TIME),
	SINGLE(LWM2M_OBJLNK),
	SINGLE(LWM2M_CORELNK),
	MULTIPLE(LWM2M_STRING),
	MULTIPLE(LWM2M_INTEGER),
	MULTIPLE(LWM2M_UNSIGNED),
	MULTIPLE(LWM2M_FLOAT),
	MULTIPLE(LWM2M_BOOLEAN),
	MULTIPLE(LWM2M_OPAQUE),
	MULTIPLE(LWM2M_TIME),
	MULTIPLE(LWM2M_OBJLNK),
	MULTIPLE(LWM2M_CORELNK),
};

static const struct lwm2m_obj_def types_object = {
	.id = CODEC_OBJECT,
	.name = "Types",
	.key = "types",
	.version = { 1, 0 },
	.lwm2m_version = { 1, 1 },
	.multiple = true,
	.res = all_types,
	.n_res = N_ELEMS(all_types),
};

const struct lwm2m_model *
codec_model(void)
{
	static const struct lwm2m_obj_def *defs[32];
	static struct lwm2m_model model = { .defs = defs };
	const struct lwm2m_obj_def *o;

	if (model.n > 0)
		return &model;
	while ((o = lwm2m_model_at(lwm2m_model_builtin(), model.n)) != NULL) {
		FUZZ_MUST(model.n + 1 < N_ELEMS(defs) && o->id < CODEC_OBJECT, "no room");
		defs[model.n++] = o;
	}
	defs[model.n++] = &types_object;
	return &model;
}

struct lwm2m_path
codec_base(uint8_t choice)
{
	static const struct lwm2m_path bases[] = {
		{ { 1 }, 1 },
		{ { 1, 0 }, 2 },
		{ { 0 }, 1 },
		{ { 0, 1 }, 2 },
		{ { 2 }, 1 },
		{ { 2, 0 }, 2 },
		{ { 2, 0, 2 }, 3 },
		{ { 3, 0 }, 2 },
		{ { 3, 0, 13 }, 3 },
		{ { 21, 0 }, 2 },
		{ { CODEC_OBJECT }, 1 },
		{ { CODEC_OBJECT, 0 }, 2 },
		{ { 9999 }, 1 }, /* not in the model */
		{ { 9999, 7, 300 }, 3 },
		{ { 0 }, 0 },
		{ { 2, 0, 2, 1 }, 4 },
	};
	uint16_t type = choice % 32;

	if (choice >= 0x80) /* one Resource of each type */
		return lwm2m_path3(CODEC_OBJECT, 0, type);
	return bases[choice % N_ELEMS(bases)];
}

static void
check_refusal(enum err_code rc, const struct err *e, const struct lwm2m_tree *t)
{
	bool fits = rc == ERR_PARSE || rc == ERR_RANGE || rc == ERR_INVALID || rc == ERR_LIMIT ||
	    rc == ERR_UNSUPPORTED || rc == ERR_NO_MEMORY;

	FUZZ_MUST(fits && e->code == rc, "refused as %s: %s", err_name(rc), e->msg);
	FUZZ_MUST(e->msg[0] != '\0', "refused without a reason");
	FUZZ_MUST(str_is_printable(e->msg, strlen(e->msg)), "the reason is not printable");
	FUZZ_MUST(t->n == 0 && t->nodes == NULL, "refused, but something was left: %s", e->msg);
}

static void
check_again(const struct lwm2m_format *f, struct lwm2m_path base, const struct lwm2m_tree *t)
{
	struct lwm2m_span all = { .nodes = t->nodes, .n = t->n };
	struct lwm2m_tree t2 = { 0 };
	struct gbuf out = { 0 };
	struct err e = { .code = ERR_OK };

	for (size_t i = 0; i < t->n; i++)
		FUZZ_MUST(lwm2m_path_under(&t->nodes[i].path, &base), "%s is not asked for",
		    lwm2m_path_str(t->nodes[i].path).s);
	enum err_code rc = f->encode(base, all, &out, &e);
	FUZZ_MUST(rc == ERR_OK || rc == ERR_UNSUPPORTED, "does not encode: %s", e.msg);
	if (rc == ERR_OK) {
		rc = f->decode(codec_model(), base, out.data, out.len, &t2, &e);
		FUZZ_MUST(rc == ERR_OK, "does not decode again: %s", e.msg);
		FUZZ_MUST(lwm2m_tree_eq(t, &t2), "is another tree the second time");
	}
	lwm2m_tree_clear(&t2);
	gbuf_clear(&out);
}

bool
codec_check(const struct lwm2m_format *f, struct lwm2m_path base, const uint8_t *p, size_t n)
{
	struct lwm2m_tree t = { 0 };
	struct err e = { .code = ERR_OK };
	enum err_code rc = f->decode(codec_model(), base, p, n, &t, &e);

	if (rc != ERR_OK)
		check_refusal(rc, &e, &t);
	else
		check_again(f, base, &t);
	lwm2m_tree_clear(&t);
	return rc == ERR_OK;
}

int
codec_fuzz(const struct lwm2m_format *f, const uint8_t *data, size_t size)
{
	if (size > 0)
		(void)codec_check(f, codec_base(data[0]), data + 1, size - 1);
	return 0;
}

void
codec_print(const struct lwm2m_tree *t, struct gbuf *out)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct lwm2m_value *v = &t->nodes[i].value;

		gbuf_printf(out, "%s%s %s", i > 0 ? "; " : "", lwm2m_path_str(t->nodes[i].path).s,
		    lwm2m_type_name(v->type));
		gbuf_str(out, v->type == LWM2M_NONE ? "" : " ");
		if (v->type == LWM2M_OPAQUE)
			enc_hex(out, v->bytes.data, v->bytes.len);
		else if (v->type != LWM2M_NONE)
			lwm2m_value_print(out, v);
	}
}

size_t
codec_unhex(const char *hex, uint8_t *out, size_t cap)
{
	struct gbuf digits = { 0 };
	struct secret bytes = SECRET_NONE;

	for (; *hex != '\0'; hex++)
		if (*hex != ' ')
			gbuf_put(&digits, hex, 1);
	FUZZ_MUST(dec_hex(gbuf_cstr(&digits), digits.len, &bytes, NULL) == ERR_OK, "no hex");
	FUZZ_MUST(bytes.len <= cap, "more than %zu octets", cap);
	size_t n = bytes.len;
	if (n > 0)
		memcpy(out, bytes.data, n);
	secret_clear(&bytes);
	gbuf_clear(&digits);
	return n;
}

/* splitmix64, as unit_random() has it: a fuzz target is not linked with the unit tests' frame. */
static size_t
below(uint64_t *state, size_t n)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return n == 0 ? 0 : (size_t)((z ^ z >> 31) % n);
}

static size_t
mutate_once(uint8_t *p, size_t n, size_t cap, uint64_t *state)
{
	size_t at = below(state, n), len = 1 + below(state, 4);

	switch (below(state, 6)) {
	case 0: /* cut the end */
		return at;
	case 1: /* take out */
		len = MIN(len, n - at);
		memmove(p + at, p + at + len, n - at - len);
		return n - len;
	case 2: /* put in */
		len = MIN(len, cap - n);
		memmove(p + at + len, p + at, n - at);
		for (size_t i = 0; i < len; i++)
			p[at + i] = (uint8_t)below(state, 256);
		return n + len;
	case 3: /* the same once more */
		len = MIN(len, MIN(n - at, cap - n));
		memmove(p + at + len, p + at, n - at);
		return n + len;
	case 4: /* one bit */
		if (n > 0)
			p[at] ^= (uint8_t)(1U << below(state, 8));
		return n;
	default: /* one octet, often of those that mean something */
		if (n > 0)
			p[at] = (uint8_t)(below(state, 2) ? p[below(state, n)] : below(state, 256));
		return n;
	}
}

size_t
codec_mutate(uint8_t *p, size_t n, size_t cap, uint64_t *state)
{
	size_t times = 1 + below(state, 3);

	while (times-- > 0)
		n = mutate_once(p, n, cap, state);
	return n;
}
