/*
 * bsserver/api/handoffs.h: a hand-off as JSON.
 */
#ifndef BSSERVER_API_HANDOFFS_H
#define BSSERVER_API_HANDOFFS_H

#include "bsserver/api/internal.h"

/* No secret in it: fingerprints. */
struct json_t *json_of_handoff(const struct store_handoff *h);

#endif
