/*
 * bsserver/bootstrap/request.h: the query of a Bootstrap-Request (Transport 1.1 section 6.4.3).
 */
#ifndef BSSERVER_BOOTSTRAP_REQUEST_H
#define BSSERVER_BOOTSTRAP_REQUEST_H

#include <stdint.h>

#include "bsserver/bootstrap/record.h"
#include "lib/base/err.h"

#define BS_ENDPOINT_MAX 252 /* octets: what a Uri-Query option of 255 leaves behind "ep=" */

struct bs_query {
	const char *data; /* one Uri-Query option, as sent */
	size_t len;
};

struct bs_request {
	char ep[BS_ENDPOINT_MAX + 1]; /* percent-decoded where that is well-formed; "" when not given */
	int pct;		      /* preferred content format, -1 when not given */
	char remark[128];	      /* a harmless oddity worth a line in the transcript; "" */
};

/*
 * Reads an unordered set of options. ERR_UNSUPPORTED: pct names a format that we do not write
 * (4.15); ERR_PARSE: anything else that is wrong (4.00). Unknown keys are let pass with a remark.
 */
enum err_code bs_request_parse(const struct bs_query *q, size_t n, struct bs_request *out, struct err *e);

#endif
