#include "tests/unit/codec_rows.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/enc.h"
#include "tests/fuzz/codec.h"

#define MUTATIONS 300 /* of each payload */
#define PAYLOAD_MAX 512

struct lwm2m_path
path_of(const char *s)
{
	struct lwm2m_path p;

	ck_assert_int_eq(lwm2m_path_parse(s, strlen(s), &p, NULL), ERR_OK);
	return p;
}

struct gbuf
payload_of(enum payload_as as, const char *s)
{
	struct gbuf out = { 0 };
	uint8_t octets[PAYLOAD_MAX];

	if (as == AS_TEXT)
		gbuf_str(&out, s);
	else
		gbuf_put(&out, octets, codec_unhex(s, octets, sizeof octets));
	return out;
}

static void
check_own(const struct lwm2m_format *f, enum payload_as as, const struct good_row *row,
    const struct lwm2m_tree *t)
{
	struct lwm2m_span all = { .nodes = t->nodes, .n = t->n };
	struct gbuf out = { 0 }, want = payload_of(as, row->payload), got = { 0 };
	struct err e = { .code = ERR_OK };

	ck_assert_msg(
	    f->encode(path_of(row->base), all, &out, &e) == ERR_OK, "%s: %s", row->tree, e.msg);
	enc_hex(&got, out.data, out.len);
	ck_assert_msg(out.len == want.len && memcmp(out.data, want.data, want.len) == 0,
	    "%s encodes to %s", row->tree, as == AS_TEXT ? gbuf_cstr(&out) : gbuf_cstr(&got));
	gbuf_clear(&out);
	gbuf_clear(&want);
	gbuf_clear(&got);
}

void
check_good(const struct lwm2m_format *f, enum payload_as as, const struct good_row *row)
{
	struct gbuf in = payload_of(as, row->payload), text = { 0 };
	struct lwm2m_tree t = { 0 };
	struct err e = { .code = ERR_OK };

	enum err_code rc = f->decode(codec_model(), path_of(row->base), in.data, in.len, &t, &e);
	ck_assert_msg(rc == ERR_OK, "%s %s: %s", row->base, row->payload, e.msg);
	codec_print(&t, &text);
	ck_assert_msg(strcmp(gbuf_cstr(&text), row->tree) == 0, "%s is %s, must be %s",
	    row->payload, gbuf_cstr(&text), row->tree);
	ck_assert(codec_check(f, path_of(row->base), in.data, in.len));
	if (row->own)
		check_own(f, as, row, &t);
	gbuf_clear(&text);
	gbuf_clear(&in);
	lwm2m_tree_clear(&t);
}

void
check_bad(const struct lwm2m_format *f, enum payload_as as, const struct bad_row *row)
{
	struct gbuf in = payload_of(as, row->payload);
	struct lwm2m_tree t = { 0 };
	struct err e = { .code = ERR_OK };

	enum err_code rc = f->decode(codec_model(), path_of(row->base), in.data, in.len, &t, &e);
	ck_assert_msg(rc == row->code && strcmp(e.msg, row->msg) == 0,
	    "%s %s: is %s (%s), must be %s (%s)", row->base, row->payload,
	    rc == ERR_OK ? "accepted" : e.msg, err_name(rc), row->msg, err_name(row->code));
	ck_assert(!codec_check(f, path_of(row->base), in.data, in.len));
	ck_assert_int_eq(
	    f->decode(codec_model(), path_of(row->base), in.data, in.len, &t, NULL), row->code);
	gbuf_clear(&in);
}

void
check_mutations(const struct lwm2m_format *f, enum payload_as as, const struct good_row *row)
{
	struct gbuf in = payload_of(as, row->payload);
	uint8_t changed[2 * PAYLOAD_MAX];
	uint64_t state = unit_seed();

	ck_assert_uint_le(in.len, sizeof changed);
	for (int i = 0; i < MUTATIONS; i++) {
		if (in.len > 0)
			memcpy(changed, in.data, in.len);
		size_t n = codec_mutate(changed, in.len, sizeof changed, &state);
		uint8_t *exact = malloc(n); /* so that a sanitizer sees one octet too many */
		memcpy(exact, changed, n);
		(void)codec_check(f, path_of(row->base), exact, n);
		free(exact);
	}
	gbuf_clear(&in);
}

void
check_unsayable(const struct lwm2m_format *f, const struct unsayable *row)
{
	struct lwm2m_node node = { path_of(row->path), row->v };
	struct gbuf out = { 0 };
	struct err e = { .code = ERR_OK };

	ck_assert_int_eq(f->encode(path_of(row->base), (struct lwm2m_span){ &node, 1 }, &out, &e), ERR_UNSUPPORTED);
	ck_assert_str_eq(e.msg, row->msg);
	gbuf_clear(&out);
}

void
check_bounded(const struct lwm2m_format *f, enum payload_as as, const struct good_row *row, const char *msg)
{
	struct gbuf in = payload_of(as, row->payload), out = { .max = in.len - 1 };
	struct lwm2m_path base = path_of(row->base);
	struct lwm2m_tree t = { 0 };
	struct err e = { .code = ERR_OK };

	ck_assert_int_eq(f->decode(codec_model(), base, in.data, in.len, &t, NULL), ERR_OK);
	ck_assert_int_eq(f->encode(base, (struct lwm2m_span){ t.nodes, t.n }, &out, &e), ERR_LIMIT);
	ck_assert_str_eq(e.msg, msg);
	gbuf_clear(&out);
	gbuf_clear(&in);
	lwm2m_tree_clear(&t);
}
