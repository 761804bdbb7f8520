/*
 * lwm2m-prov/batch.h: documents on their way to the daemon, some hundred at a time, a row of answer
 * for each.
 */
#ifndef LWM2M_PROV_BATCH_H
#define LWM2M_PROV_BATCH_H

#include "lwm2m-prov/docs.h"

struct json_t;

#define BATCH_ROWS 500                 /* documents of one request */
#define BATCH_OCTETS ((size_t)6 << 20) /* of one request, about; the daemon takes 8 MiB */

struct batch {
	struct cli *cli;
	const struct docs *docs;
	const size_t *order; /* indexes into docs, profiles before those that extend them */
	const bool *skip;    /* per place in order */
	size_t n;
	const char *path;
	/*
	 * Nothing is kept between requests: each carries the shared profiles that come before.
	 * Their rows are reported once.
	 */
	bool dry;
	/* The daemon's answer to the document at this place in order. */
	enum err_code (*on_row)(void *arg, size_t place, const struct json_t *row, struct err *e);
	/* A request was answered; an error or a stop ends it. NULL none. */
	enum err_code (*on_chunk)(void *arg, bool *stop, struct err *e);
	void *arg;
};

/*
 * Sends what is not skipped. An error is that of a whole request: what on_row was not called for is
 * not acknowledged. A daemon that is busy is asked again for some seconds.
 */
enum err_code batch_run(const struct batch *b, struct err *e);

/* A document as the row of a request: {"source":...,"doc":...} and an end of line, appended. */
void batch_put(const struct doc_item *item, struct gbuf *out);

#endif
