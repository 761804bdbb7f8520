/*
 * lwm2m-prov/input.h: the files of -f and -I: one document each, or one a line.
 */
#ifndef LWM2M_PROV_INPUT_H
#define LWM2M_PROV_INPUT_H

#include <stdbool.h>

#include "lib/base/buf.h"

#define INPUT_MAX ((size_t)512 << 20) /* octets of one file */

struct input {
	char *name;       /* owned; "-" is standard input */
	bool bom;         /* a byte order mark stood before it; it is not in text */
	bool ndjson;      /* one document a line */
	struct gbuf text; /* wiped when it goes: there may be keys in it */
};
struct inputs {
	struct input *v;
	size_t n, cap;
};

/*
 * Adds a file, standard input ("-"), or the *.json, *.ndjson and *.jsonl of a folder in the order
 * of their names. ERR_INVALID names the file and what is wrong with it.
 */
enum err_code inputs_add(struct inputs *in, const char *path, struct err *e);
void inputs_clear(struct inputs *in);

/* Replaces a file's content: a new file beside it, synced and renamed; mode and owner are kept. */
enum err_code input_replace(const char *path, const void *text, size_t n, struct err *e);

#endif
