#include "lwm2m-prov/views.h"

/* clang-format off */
static const struct out_field exchange_fields[] = {
	{ "at_ms", "ms", OUT_PLAIN, NULL },
	{ "step", "step", OUT_PLAIN, NULL },
	{ "method", "method", OUT_PLAIN, NULL },
	{ "path", "path", OUT_PLAIN, NULL },
	{ "code", "code", OUT_PLAIN, NULL },
	{ "sent", "sent", OUT_PLAIN, NULL },
	{ "received", "received", OUT_PLAIN, NULL },
	{ "remark", "remark", OUT_PLAIN, NULL },
	{ "text", "answer", OUT_PLAIN, NULL },
};
static const struct out_view exchanges = { exchange_fields, N_ELEMS(exchange_fields) };

static const struct out_field given_fields[] = {
	{ "path", "path", OUT_PLAIN, NULL },
	{ "kind", "kind", OUT_PLAIN, NULL },
	{ "subject", "subject", OUT_PLAIN, NULL },
	{ "digest", "digest", OUT_PLAIN, NULL },
};
static const struct out_view given = { given_fields, N_ELEMS(given_fields) };
static const struct out_field session_fields[] = {
	{ "id", "session", OUT_PLAIN, NULL },
	{ "endpoint", "endpoint", OUT_PLAIN, NULL },
	{ "verdict", "verdict", OUT_PLAIN, NULL },
	{ "reason", "reason", OUT_PLAIN, NULL },
	{ "step", "step", OUT_PLAIN, NULL },
	{ "path", "path", OUT_PLAIN, NULL },
	{ "code", "code", OUT_PLAIN, NULL },
	{ "detail", "detail", OUT_PLAIN, NULL },
	{ "help", "what to do", OUT_PLAIN, NULL },
	{ "peer", "peer", OUT_PLAIN, NULL },
	{ "credential", "credential", OUT_PLAIN, NULL },
	{ "rule", "rule", OUT_PLAIN, NULL },
	{ "profile", "profile", OUT_PLAIN, NULL },
	{ "revision", "revision", OUT_PLAIN, NULL },
	{ "fingerprints", "keys written", OUT_PLAIN, NULL },
	{ "anchor", "came under", OUT_PLAIN, NULL },
	{ "given", "certificates", OUT_ROWS, &given },
	{ "unconfirmed", "not shown", OUT_PLAIN, NULL },
	{ "started", "started", OUT_TIME, NULL },
	{ "ended", "ended", OUT_TIME, NULL },
	{ "duration_ms", "milliseconds", OUT_PLAIN, NULL },
	{ "exchanges", "exchanges", OUT_PLAIN, NULL },
	{ "transcript", "transcript", OUT_ROWS, &exchanges },
};
const struct out_view view_session = { session_fields, N_ELEMS(session_fields) };

static const struct out_field row_fields[] = {
	{ "id", "id", OUT_PLAIN, NULL },
	{ "ended", "ended", OUT_TIME, NULL },
	{ "endpoint", "endpoint", OUT_PLAIN, NULL },
	{ "peer", "peer", OUT_PLAIN, NULL },
	{ "verdict", "verdict", OUT_PLAIN, NULL },
	{ "reason", "reason", OUT_PLAIN, NULL },
	{ "step", "step", OUT_PLAIN, NULL },
	{ "path", "path", OUT_PLAIN, NULL },
	{ "code", "code", OUT_PLAIN, NULL },
	{ "detail", "detail", OUT_PLAIN, NULL },
	{ "after", "after it", OUT_PLAIN, NULL },
};
const struct out_view view_session_row = { row_fields, N_ELEMS(row_fields) };

static const struct out_field finding_fields[] = {
	{ "severity", "severity", OUT_PLAIN, NULL },
	{ "rule", "finding", OUT_PLAIN, NULL },
	{ "path", "path", OUT_PLAIN, NULL },
	{ "reason", "reason", OUT_PLAIN, NULL },
};
const struct out_view view_findings = { finding_fields, N_ELEMS(finding_fields) };
/* clang-format on */
