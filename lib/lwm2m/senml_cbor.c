/* application/senml+cbor, 112 (RFC 8428 section 6). */
#include "lib/lwm2m/format.h"

#include <string.h>

#include "lib/lwm2m/cbor_io.h"
#include "lib/lwm2m/senml.h"

/* A record as it is read, with the strings of it that came in pieces. */
struct reading {
	struct senml_record rec;
	struct gbuf own[SENML__FIELDS];
};

static void
reading_clear(struct reading *rd)
{
	for (size_t i = 0; i < N_ELEMS(rd->own); i++)
		gbuf_clear(&rd->own[i]);
}

static enum senml_field
number_field(const struct cbr_item *key)
{
	if (key->n > INT64_MAX)
		return SENML__FIELDS;
	return senml_field_numbered(key->kind == CBR_UINT ? (int64_t)key->n : -1 - (int64_t)key->n);
}

static enum err_code
text_field(struct rbuf *r, struct cbr_item *key, enum senml_field *f, struct err *e)
{
	struct gbuf own = { 0 };
	enum err_code rc = cbr_string(r, key, &own, e);

	if (rc == ERR_OK) {
		const char *name = (const char *)key->p;
		*f = senml_field_named(name, (size_t)key->n);
		if (*f == SENML__FIELDS)
			rc = senml_unknown(name, (size_t)key->n, e);
		else if (senml_label(*f)->number != SENML_LABEL_TEXT)
			rc = err_set(e, ERR_PARSE, "byte %zu: %s must be written as its number",
			    key->at, senml_label(*f)->name);
	}
	gbuf_clear(&own);
	return rc;
}

static enum err_code
read_field(struct rbuf *r, struct cbr_item *key, struct reading *rd, struct err *e)
{
	enum senml_field f = SENML__FIELDS;
	struct cbr_item head;
	struct raw v;
	enum err_code rc = ERR_OK;

	if (key->kind == CBR_UINT || key->kind == CBR_NEGINT)
		f = number_field(key);
	else if (key->kind == CBR_TEXT)
		rc = text_field(r, key, &f, e);
	else
		rc = err_set(e, ERR_PARSE, "byte %zu: a label must be a number or text", key->at);
	if (rc == ERR_OK)
		rc = cbr_next(r, &head, e);
	if (rc != ERR_OK)
		return rc;
	if (f == SENML__FIELDS)
		return cbr_skip(r, &head, e);
	if ((rd->rec.seen & 1U << f) != 0)
		return err_set(e, ERR_PARSE, "%s is there twice", senml_label(f)->name);
	rc = cbr_value(r, &head, &rd->own[f], &v, e);
	return rc == ERR_OK ? senml_set(&rd->rec, f, &v, e) : rc;
}

static enum err_code
read_record(struct rbuf *r, const struct cbr_item *head, struct senml_pack *pack, struct err *e)
{
	struct reading rd = { .rec = { 0 } };
	struct cbr_list pairs = cbr_list(head);
	struct cbr_item key;
	bool more = true;
	enum err_code rc = ERR_OK;

	if (head->kind != CBR_MAP)
		rc = err_set(e, ERR_PARSE, "byte %zu: must be a map", head->at);
	while (rc == ERR_OK && more) {
		rc = cbr_list_next(r, &pairs, &key, &more, e);
		if (rc == ERR_OK && more)
			rc = read_field(r, &key, &rd, e);
	}
	if (rc == ERR_OK)
		rc = senml_take(pack, &rd.rec, e);
	else
		(void)senml_in_record(pack, rc, e);
	reading_clear(&rd);
	return rc;
}

static enum err_code
read_pack(struct rbuf *r, struct senml_pack *pack, struct err *e)
{
	struct cbr_item it;
	enum err_code rc = cbr_next(r, &it, e);

	if (rc != ERR_OK)
		return rc;
	if (it.kind != CBR_ARRAY)
		return err_set(e, ERR_PARSE, "byte %zu: must be an array of records", it.at);
	struct cbr_list records = cbr_list(&it);
	for (bool more = true; rc == ERR_OK && more;) {
		rc = cbr_list_next(r, &records, &it, &more, e);
		if (rc != ERR_OK)
			(void)senml_in_record(pack, rc, e);
		else if (more)
			rc = read_record(r, &it, pack, e);
	}
	return rc == ERR_OK ? cbr_end(r, e) : rc;
}

enum err_code
lwm2m_senml_cbor_decode(const struct lwm2m_model *m, struct lwm2m_path base, const uint8_t *p,
    size_t n, struct lwm2m_tree *out, struct err *e)
{
	struct senml_pack pack = { .sink = { .model = m, .base = base, .tree = out } };
	struct rbuf r = rbuf_make(p, n);
	enum err_code rc = read_pack(&r, &pack, e);

	if (rc != ERR_OK)
		lwm2m_tree_clear(out);
	return rc;
}

static void
put_key(struct gbuf *out, enum senml_field f)
{
	const struct senml_label *l = senml_label(f);

	if (l->number == SENML_LABEL_TEXT)
		cbw_text(out, l->name, strlen(l->name));
	else
		cbw_int(out, l->number);
}

static void
put_text(struct gbuf *out, enum senml_field f, const char *s)
{
	if (s[0] == 0)
		return;
	put_key(out, f);
	cbw_text(out, s, strlen(s));
}

enum err_code
lwm2m_senml_cbor_encode(
    struct lwm2m_path base, struct lwm2m_span span, struct gbuf *out, struct err *e)
{
	cbw_array(out, span.n);
	for (size_t i = 0; i < span.n; i++) {
		const struct lwm2m_node *node = &span.nodes[i];
		struct senml_names names;
		enum err_code rc = raw_sayable(node, e);

		if (rc != ERR_OK)
			return rc;
		senml_names(base, node->path, i == 0, &names);
		cbw_map(out, 1U + (names.bn[0] != 0) + (names.n[0] != 0));
		put_text(out, SENML_BN, names.bn);
		put_text(out, SENML_N, names.n);
		put_key(out, senml_value_field(node->value.type));
		cbw_value(out, &node->value);
	}
	return gbuf_check(out, e);
}
