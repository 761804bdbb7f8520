/*
 * bsserver/api/apply.h: one request of apply or diff, and its rows.
 *
 * Rows are taken in groups: read, asked for in the store, finished, put, told. A shared profile is
 * a group of its own, so that devices behind it find it. Nothing takes longer than a few
 * milliseconds of a turn of the loop.
 */
#ifndef BSSERVER_API_APPLY_H
#define BSSERVER_API_APPLY_H

#include "bsserver/api/prep.h"
#include "bsserver/api/rows.h"

#define GROUP 64 /* rows of one batch of the store */
#define SLICE 8  /* rows worked on in one turn of the loop */

enum row_result {
	ROW_CREATED,
	ROW_UPDATED,
	ROW_UNCHANGED,
	ROW_INVALID,  /* the document is wrong: see findings or error */
	ROW_CONFLICT, /* somebody else's revision, identity or key */
	ROW_EXISTS,   /* must_be_new */
	ROW_ERROR,    /* not the row's fault, or it may not be done */
	ROW__COUNT
};

struct row {
	struct job *job;
	unsigned no;
	char *source;   /* "file:line" */
	struct prep *p; /* NULL: not even read */
	bool over;      /* result is known */
	enum row_result result;
	struct err e; /* code ERR_OK: none */
	uint64_t revision;
	bool counted, counted_all; /* a profile: how many devices extend it */
	uint64_t devices;
};

enum job_kind { JOB_APPLY, JOB_DRY_RUN, JOB_DIFF };

struct job {
	struct req *r;
	struct api *api;
	enum job_kind kind;
	uint64_t expect_revision;
	bool must_be_new;
	struct rows rows;
	bool read_all;
	struct row v[GROUP];
	struct row ahead; /* a profile that waits for the group before it */
	bool has_ahead;
	size_t n, at;   /* rows in the group; the next to be worked on */
	size_t waiting; /* answers of the store that are still to come */
	struct store_change changes[GROUP];
	size_t rows_of[GROUP];           /* changes[i] is of v[rows_of[i]] */
	size_t n_changes, from, to, end; /* [from, to) is being put, [to, end) is not yet */
	struct store_actor who;
	struct overlay overlay; /* of a dry run: profiles that were accepted */
	struct profile_fleet *fleet;
	struct gbuf out;
	uint64_t results[ROW__COUNT];
	struct err unkept; /* why the store as a whole took no rows; ERR_OK: it did */
	size_t n_unkept;   /* how many */
};

const char *row_result_name(enum row_result r);                           /* "created" */
void row_end(struct row *w, enum row_result result, const struct err *e); /* e NULL: no error */
/* The row's answer, a line appended to out. */
void row_print(const struct row *w, struct gbuf *out);

/* What would change in a document, as [{path, has, wants}]; had NULL: everything is new. */
struct json_t *diff_documents(const char *had, const char *wants);

#endif
