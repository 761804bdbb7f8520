/*
 * bsserver/api/sessions.h: looking through the sessions that are kept, newest first.
 */
#ifndef BSSERVER_API_SESSIONS_H
#define BSSERVER_API_SESSIONS_H

#include "bsserver/api/internal.h"

#define SCAN_MAX 20000 /* sessions looked at for one question */

typedef void scan_visit_fn(void *arg, const struct bs_record *rec);
struct scan_conf {
	const char *endpoint; /* glob; copied; NULL any */
	const char *peer;     /* "192.0.2.1:5684", or without port; copied; NULL any */
	const char *credential; /* as in the record; copied; NULL any */
	int verdict, reason;  /* -1 any */
	int64_t since_ms;
	uint64_t before;
	unsigned limit;       /* sessions in the answer */
	unsigned max_scanned; /* looked at */
	scan_visit_fn *visit; /* instead of collecting them; limit then does not count */
	void *visit_arg;
};

/*
 * list: the sessions as JSON, borrowed. before: ask from there for more; 0: that was all. Called
 * once, also when nobody listens any more.
 */
typedef void scan_done_fn(void *arg, enum err_code rc, const struct err *e, struct json_t *list,
    unsigned scanned, uint64_t before);
void session_scan(struct req *r, const struct scan_conf *c, scan_done_fn *done, void *arg);

/* Whether the peer of a record is want, which may leave out the port. */
bool session_of_peer(const char *peer, const char *want);

#endif
