/*
 * bsserver/api/rows.h: the documents in the body of apply and diff: {"source": "file:line", "doc":
 * {...}}, one a line or in one array. Each document's text is found in place, so that its reader
 * can say where in it something is wrong.
 */
#ifndef BSSERVER_API_ROWS_H
#define BSSERVER_API_ROWS_H

#include <stdbool.h>

#include "lib/base/err.h"

struct rows {
	const char *text; /* borrowed */
	size_t n, at;
	unsigned line, row;
	bool array, over;
};

#define ROWS_SOURCE_MAX 512

struct rows_doc {
	unsigned row; /* from 1 */
	char file[ROWS_SOURCE_MAX + 1];
	unsigned line;
	const char *doc; /* borrowed */
	size_t doc_len;
};

void rows_open(struct rows *rs, const char *text, size_t n);
/*
 * false: that was the last. Otherwise *out is the next, or *rc and *e say what is wrong with it
 * (out->row, file and line are filled all the same); after what is wrong with an array nothing
 * comes.
 */
bool rows_next(struct rows *rs, struct rows_doc *out, enum err_code *rc, struct err *e);

#endif
