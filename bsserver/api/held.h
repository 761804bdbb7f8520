/*
 * bsserver/api/held.h: what a device was seen to hold, read back from the store, for whoever shows
 * it: inventory, access control, history, plan.
 */
#ifndef BSSERVER_API_HELD_H
#define BSSERVER_API_HELD_H

#include "bsserver/api/internal.h"
#include "bsserver/bootstrap/inventory.h"
#include "bsserver/ports/past.h"
#include "profiles/profile.h"

struct seen {
	struct bs_inventory inv;
	struct profile_doc *resolved; /* the device's document, for names; NULL; owned */
};
void seen_clear(struct seen *s); /* safe twice, and on {0} */
/* *s must be empty; it may be half filled after an error. */
enum err_code seen_load(struct seen *s, const struct lwm2m_model *m, const struct store_held *h, struct err *e);
/* The local name of a server; NULL when the document has none of that number. */
const char *seen_server(const struct seen *s, int64_t ssid);
bool seen_number(const struct seen *s, struct lwm2m_path p, int64_t *out);
/* As people read it: octets that are text as text. */
void seen_print(struct gbuf *out, const struct lwm2m_value *v);
/* Session, times, revision, what is known; the contents are left to the caller. */
struct json_t *json_of_held(const struct store_held *h);

#endif
