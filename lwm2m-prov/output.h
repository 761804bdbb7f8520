/*
 * lwm2m-prov/output.h: what is printed, and how: as text for people or as JSON. Commands never
 * print; they hand over JSON values and a view, which says what of them a person sees.
 */
#ifndef LWM2M_PROV_OUTPUT_H
#define LWM2M_PROV_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/buf.h"
#include "lwm2m-prov/exit.h"

struct json_t; /* of the JSON library */
struct out;

enum out_kind {
	OUT_PLAIN,   /* text, a number, true or false; a list of these with blanks between */
	OUT_TIME,    /* milliseconds since 1970, or text */
	OUT_SECONDS, /* "1d 02:03:04" */
	OUT_BLOCK,   /* text or JSON of several lines, indented */
	OUT_COUNTS,  /* an object of numbers: "provisioned 3, failed 1" */
	OUT_ROWS     /* a list of objects, each a line of view */
};

struct out_view;
struct out_field {
	const char *key;   /* a member, or of a member: "last_session/verdict" */
	const char *title; /* "last session" */
	enum out_kind kind;
	const struct out_view *view; /* ROWS */
};
struct out_view {
	const struct out_field *fields;
	size_t n;
};

/* The streams are borrowed. */
struct out *out_new(FILE *to, FILE *errors, bool json);
/* Writes what is left. false when something could not be written. NULL is fine. */
bool out_free(struct out *o);
bool out_is_json(const struct out *o);

/* One document: a title and a value on each line; what is not there, null or empty is left out. */
void out_object(struct out *o, const struct out_view *v, const struct json_t *doc);
/* A document of rows: doc[key] as a table with a heading. */
void out_table(struct out *o, const struct out_view *v, const struct json_t *doc, const char *key);
/* One row of a stream: a line either way. */
void out_row(struct out *o, const struct out_view *v, const struct json_t *row);
/* A sentence for people: nothing in JSON. An end of line is added. */
void out_say(struct out *o, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The document in JSON: nothing in text. */
void out_json(struct out *o, const struct json_t *doc);
/* Text that is the answer itself: scripts, canonical files, help. */
void out_raw(struct out *o, const char *text, size_t n);
/* Text from elsewhere, appended: as it is when it can be printed on a line, else harmless. */
void out_clean(struct gbuf *g, const char *text, size_t n);
/* A remark on the error stream, "lwm2m-prov: ...", in either form. */
void out_note(struct out *o, const char *fmt, ...) PRINTF_LIKE(2, 3);
/*
 * What went wrong, on the error stream; in JSON as a document too:
 * {"error":{"exit":8,"name":"not_found","code":"not_found","detail":"...","retryable":false}}.
 */
void out_error(struct out *o, enum prov_exit end, const struct err *e);

#endif
