/*
 * lwm2m-prov/events.h: the daemon's server-sent events, one by one.
 */
#ifndef LWM2M_PROV_EVENTS_H
#define LWM2M_PROV_EVENTS_H

#include "lwm2m-prov/client.h"

struct json_t;

struct event {
	const char *kind;          /* "session", "device", "profile", "gap", "dropped"; borrowed */
	const struct json_t *data; /* borrowed */
};
/* NULL: nothing came for about a second. false ends it. */
typedef bool event_fn(void *arg, const struct event *ev);

/*
 * Listens until on_event ends it (ERR_OK). A connection that breaks is made again for some seconds,
 * behind the last event that was seen; then it is ERR_CLOSED or ERR_UNREACHABLE.
 */
enum err_code events_listen(struct client *c, event_fn *on_event, void *arg, struct err *e);

#endif
