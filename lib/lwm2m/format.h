/*
 * lib/lwm2m/format.h: content formats: one table, one codec per file (Core 1.1 section 7.4).
 *
 * Decoders are strict: what is not exactly right is refused with ERR_PARSE, ERR_RANGE, ERR_INVALID
 * or ERR_LIMIT, and a message that begins with the path it is about when there is one. *out is
 * filled only on ERR_OK; it must be empty before. ERR_UNSUPPORTED when the format has no form for
 * base (text for an Instance, TLV for the root). Types come from the model; a Resource that the
 * model does not know is OPAQUE in TLV, and what the format itself says elsewhere.
 */
#ifndef LIB_LWM2M_FORMAT_H
#define LIB_LWM2M_FORMAT_H

#include "lib/base/buf.h"
#include "lib/lwm2m/object.h"
#include "lib/lwm2m/tree.h"

enum lwm2m_content_format {
	LWM2M_CF_TEXT = 0,
	LWM2M_CF_LINK = 40,
	LWM2M_CF_OPAQUE = 42,
	LWM2M_CF_CBOR = 60,
	LWM2M_CF_SENML_JSON = 110,
	LWM2M_CF_SENML_CBOR = 112,
	LWM2M_CF_TLV = 11542,
	LWM2M_CF_LWM2M_CBOR = 11544
};

/*
 * The payload of an answer to, or of a write to, the path base (Object, Instance or Resource).
 * Everything in it must lie at or under base.
 */
typedef enum err_code lwm2m_decode_fn(const struct lwm2m_model *m, struct lwm2m_path base,
    const uint8_t *p, size_t n, struct lwm2m_tree *out, struct err *e);

/*
 * The nodes of span (all at or under base) as the payload of a write to base, appended to out.
 * ERR_UNSUPPORTED when this format cannot say it (an empty instance in SenML, two Resources in
 * text); out is then as it was.
 */
typedef enum err_code lwm2m_encode_fn(struct lwm2m_path base, struct lwm2m_span span,
    struct gbuf *out, struct err *e);

struct lwm2m_format {
	uint16_t number;
	const char *name; /* "tlv", "senml-cbor": as profiles and transcripts spell it */
	const char *media_type;
	bool single;  /* one single Resource only: text, opaque, CBOR */
	lwm2m_decode_fn *decode;
	lwm2m_encode_fn *encode;
};

/* NULL when it is not one of ours (link format is not among them: see corelink.h). */
const struct lwm2m_format *lwm2m_format(uint16_t number);
const struct lwm2m_format *lwm2m_format_by_name(const char *name);
const struct lwm2m_format *lwm2m_format_at(size_t i); /* NULL past the end */

lwm2m_decode_fn lwm2m_text_decode, lwm2m_opaque_decode, lwm2m_cbor_decode, lwm2m_tlv_decode,
    lwm2m_senml_json_decode, lwm2m_senml_cbor_decode, lwm2m_lwm2m_cbor_decode;
lwm2m_encode_fn lwm2m_text_encode, lwm2m_opaque_encode, lwm2m_cbor_encode, lwm2m_tlv_encode,
    lwm2m_senml_json_encode, lwm2m_senml_cbor_encode, lwm2m_lwm2m_cbor_encode;

#endif
