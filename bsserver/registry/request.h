/*
 * bsserver/registry/request.h: what a device says when it registers (Transport 1.1 section 6.4.3):
 * the query of Register and Update, and the list of its Objects. Pure.
 */
#ifndef BSSERVER_REGISTRY_REQUEST_H
#define BSSERVER_REGISTRY_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

#define REG_ENDPOINT_MAX 252 /* octets: what a Uri-Query option of 255 leaves behind "ep=" */
#define REG_SMS_MAX 63
#define REG_ROOT_MAX 31	   /* octets of an alternate path, without the slash behind it */
#define REG_SERVERS_MAX 8  /* instances of Object 1 that are remembered, the first ones */
#define REG_LINKS_MAX 4096 /* octets of a list */

struct reg_query {
	const char *data; /* one Uri-Query option, as sent */
	size_t len;
};

enum reg_op { REG_REGISTER, REG_UPDATE };

struct reg_request {
	char ep[REG_ENDPOINT_MAX + 1]; /* percent-decoded where that is well-formed; "" when not given */
	char sms[REG_SMS_MAX + 1];     /* "" when not given */
	char binding[8];	       /* letters of U T S N M H, without Q; "" when not given */
	uint8_t version;	       /* 10, 11, 12; 0 when not given */
	bool has_lifetime;
	bool queue;	    /* Q, or a Q among the letters */
	uint32_t lifetime;  /* seconds; 0: without end (1.2) */
};

/*
 * Reads an unordered set of options. ERR_UNSUPPORTED: a version that is not spoken here (4.12).
 * ERR_PARSE: anything else that is wrong (4.00); with REG_REGISTER also a missing lwm2m or lt, and
 * lt=0 before 1.2. With REG_UPDATE ep and lwm2m are passed over. Unknown keys are let pass.
 */
enum err_code reg_request_parse(const struct reg_query *q, size_t n, enum reg_op op, struct reg_request *out,
    struct err *e);

struct reg_objects {
	uint16_t servers[REG_SERVERS_MAX]; /* instances of Object 1, in the order of the list */
	uint8_t n_servers;
	uint16_t n; /* instances and Objects in all, without those that are never listed */
	char root[REG_ROOT_MAX + 1]; /* "" or "/lwm2m": stands before each path */
};

/*
 * The list of Objects, CoRE link format (RFC 6690): the root link may be there or not, and may name
 * an alternate path. Objects 0, 21 and 23 are passed over, and so is what is no path of LwM2M.
 * ERR_PARSE: no link format. ERR_LIMIT: too long.
 */
enum err_code reg_objects_parse(const char *s, size_t n, struct reg_objects *out, struct err *e);

#endif
