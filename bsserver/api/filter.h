/*
 * bsserver/api/filter.h: which devices of a page a question is about: by their labels and attributes, and by
 * what they were provisioned with.
 */
#ifndef BSSERVER_API_FILTER_H
#define BSSERVER_API_FILTER_H

#include "bsserver/api/internal.h"
#include "bsserver/ports/shelf.h"

#define FILTER_WHERE_MAX 8
#define FILTER_PAGE 100 /* devices whose profiles are put together for their labels, in one answer */

/* One of ?where=KEY=VALUE. */
struct filter_term {
	const char *key; /* borrowed; key_len octets */
	size_t key_len;
	const char *value;
	bool label; /* otherwise an attribute */
};

struct filter {
	struct filter_term where[FILTER_WHERE_MAX]; /* all of them */
	size_t n_where;
	uint64_t older_than; /* 0: no matter */
};

/* Of the parameters "where" and "revision_older_than". false: wrong, and answered. */
bool filter_read(struct req *r, struct filter *out);

/* row: the device as JSON, with its attributes. Labels are those of the document and of all that it extends. */
bool filter_fits(const struct filter *f, const struct shelf *s, const struct store_device *d, const struct json_t *row);

#endif
