/* application/cbor, 60: the value of one Resource as one CBOR item. */
#include "lib/lwm2m/format.h"

#include "lib/lwm2m/cbor_io.h"

static enum err_code
read_value(struct rbuf *r, struct gbuf *own, struct raw *v, struct err *e)
{
	struct cbr_item head;
	enum err_code rc = cbr_next(r, &head, e);

	if (rc == ERR_OK)
		rc = cbr_value(r, &head, own, v, e);
	return rc == ERR_OK ? cbr_end(r, e) : rc;
}

enum err_code
lwm2m_cbor_decode(const struct lwm2m_model *m, struct lwm2m_path base, const uint8_t *p, size_t n,
    struct lwm2m_tree *out, struct err *e)
{
	const struct raw_sink sink = { .model = m, .base = base, .tree = out };
	struct rbuf r = rbuf_make(p, n);
	struct gbuf own = { 0 };
	struct raw v;
	const struct lwm2m_res_def *def;
	enum err_code rc = raw_single(m, base, &def, e);

	if (rc != ERR_OK)
		return rc;
	rc = read_value(&r, &own, &v, e);
	if (rc != ERR_OK)
		(void)err_wrap(e, "%s", lwm2m_path_str(base).s);
	else
		rc = raw_add(&sink, base, &v, e);
	gbuf_clear(&own);
	return rc;
}

enum err_code
lwm2m_cbor_encode(struct lwm2m_path base, struct lwm2m_span span, struct gbuf *out, struct err *e)
{
	if (base.depth != LWM2M_RESOURCE || span.n != 1 ||
	    !lwm2m_path_eq(&span.nodes[0].path, &base))
		return err_set(e, ERR_UNSUPPORTED, "%s: this format is of one single Resource",
		    lwm2m_path_str(base).s);
	enum err_code rc = raw_sayable(&span.nodes[0], e);
	if (rc != ERR_OK)
		return rc;
	cbw_value(out, &span.nodes[0].value);
	return gbuf_check(out, e);
}
