/*
 * lwm2m-prov/findings.h: findings as lines that compilers print, and as JSON.
 */
#ifndef LWM2M_PROV_FINDINGS_H
#define LWM2M_PROV_FINDINGS_H

#include "lwm2m-prov/docs.h"
#include "lwm2m-prov/output.h"
#include "profiles/finding.h"

struct json_t;

/*
 * Prints each (text) or adds each to list (JSON):
 * {"rule":...,"severity":...,"file":...,"line":1,"column":1,"path":...,"reason":...}
 */
void findings_put(struct out *o, struct json_t *list, const struct profile_findings *f);
void findings_add(struct json_t *list, const struct profile_finding *f);
void findings_put_one(struct out *o, struct json_t *list, const struct profile_finding *f);

/* A finding of the daemon, as it came: its line of text. Appended. */
void findings_line(struct gbuf *out, const struct json_t *finding);

#endif
