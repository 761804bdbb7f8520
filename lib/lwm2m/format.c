#include "lib/lwm2m/format.h"

#include <string.h>

/* clang-format off */
static const struct lwm2m_format formats[] = {
	{ LWM2M_CF_TEXT, "text", "text/plain", true,
	    lwm2m_text_decode, lwm2m_text_encode },
	{ LWM2M_CF_OPAQUE, "opaque", "application/octet-stream", true,
	    lwm2m_opaque_decode, lwm2m_opaque_encode },
	{ LWM2M_CF_CBOR, "cbor", "application/cbor", true,
	    lwm2m_cbor_decode, lwm2m_cbor_encode },
	{ LWM2M_CF_SENML_JSON, "senml-json", "application/senml+json", false,
	    lwm2m_senml_json_decode, lwm2m_senml_json_encode },
	{ LWM2M_CF_SENML_CBOR, "senml-cbor", "application/senml+cbor", false,
	    lwm2m_senml_cbor_decode, lwm2m_senml_cbor_encode },
	{ LWM2M_CF_TLV, "tlv", "application/vnd.oma.lwm2m+tlv", false,
	    lwm2m_tlv_decode, lwm2m_tlv_encode },
	{ LWM2M_CF_LWM2M_CBOR, "lwm2m-cbor", "application/vnd.oma.lwm2m+cbor", false,
	    lwm2m_lwm2m_cbor_decode, lwm2m_lwm2m_cbor_encode },
};
/* clang-format on */

const struct lwm2m_format *
lwm2m_format(uint16_t number)
{
	for (size_t i = 0; i < N_ELEMS(formats); i++)
		if (formats[i].number == number)
			return &formats[i];
	return NULL;
}

const struct lwm2m_format *
lwm2m_format_by_name(const char *name)
{
	for (size_t i = 0; i < N_ELEMS(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

const struct lwm2m_format *
lwm2m_format_at(size_t i)
{
	return i < N_ELEMS(formats) ? &formats[i] : NULL;
}
