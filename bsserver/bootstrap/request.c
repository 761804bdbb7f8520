#include "bsserver/bootstrap/request.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/lwm2m/format.h"

#define QUERIES_MAX 16

static enum err_code
parse_ep(const char *value, size_t n, struct bs_request *out, struct err *e)
{
	if (out->ep[0] != 0)
		return err_set(e, ERR_PARSE, "query: ep is there twice");
	if (n == 0 || n > BS_ENDPOINT_MAX)
		return err_set(e, ERR_PARSE, "query: ep must have 1 to %d octets, has %zu", BS_ENDPOINT_MAX, n);
	memcpy(out->ep, value, n);
	size_t len = n;
	if (!str_percent_decode(out->ep, &len)) { /* a '%' that stands for itself */
		memcpy(out->ep, value, n);
		len = n;
	}
	out->ep[len] = 0;
	if (!str_is_printable(out->ep, len)) {
		out->ep[0] = 0;
		return err_set(e, ERR_PARSE, "query: ep is not printable UTF-8");
	}
	return ERR_OK;
}

static enum err_code
parse_pct(const char *value, size_t n, struct bs_request *out, struct err *e)
{
	uint64_t v;

	if (out->pct >= 0)
		return err_set(e, ERR_PARSE, "query: pct is there twice");
	if (!str_to_u64(value, n, 0, UINT16_MAX, &v))
		return err_set(e, ERR_PARSE, "query: pct is not a content format number");
	const struct lwm2m_format *f = lwm2m_format((uint16_t)v);
	if (f == NULL || f->single)
		return err_set(e, ERR_UNSUPPORTED, "query: pct=%u is not a format that bootstrap writes use",
		    (unsigned)v);
	out->pct = (int)v;
	return ERR_OK;
}

enum err_code
bs_request_parse(const struct bs_query *q, size_t n, struct bs_request *out, struct err *e)
{
	*out = (struct bs_request){ .pct = -1 };
	if (n > QUERIES_MAX)
		return err_set(e, ERR_PARSE, "query: more than %d options", QUERIES_MAX);
	for (size_t i = 0; i < n; i++) {
		enum err_code rc = ERR_OK;

		if (q[i].len >= 3 && memcmp(q[i].data, "ep=", 3) == 0)
			rc = parse_ep(q[i].data + 3, q[i].len - 3, out, e);
		else if (q[i].len >= 4 && memcmp(q[i].data, "pct=", 4) == 0)
			rc = parse_pct(q[i].data + 4, q[i].len - 4, out, e);
		else
			(void)snprintf(out->remark, sizeof out->remark,
			    "a query option that is neither ep nor pct was passed over");
		if (rc != ERR_OK)
			return rc;
	}
	return ERR_OK;
}
