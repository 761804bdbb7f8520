/*
 * lwm2m-prov/result.h: the result file of a batch: one row of NDJSON for each document, appended
 * and synced request by request, so that it is valid to its last row whatever happens. A batch that
 * is run again with it skips what it acknowledges.
 */
#ifndef LWM2M_PROV_RESULT_H
#define LWM2M_PROV_RESULT_H

#include "lwm2m-prov/docs.h"

struct json_t;
struct result_file;

/*
 * Opens (mode 0600 when it is made) and reads what is there. A last row that was cut off is
 * removed. ERR_INVALID when it holds anything else than rows of results.
 */
enum err_code result_open(const char *path, struct result_file **out, struct err *e);
void result_close(struct result_file *r); /* NULL is fine */

/*
 * Whether an earlier run had this document acknowledged as it is now. Documents hold keys: what is
 * compared is a digest under random octets that stand in the row.
 */
bool result_has(const struct result_file *r, const struct doc_item *item);

/* A row, kept until the next sync; digest and source are added to it. */
enum err_code result_put(
    struct result_file *r, const struct doc_item *item, struct json_t *row, struct err *e);
/* Writes what was put, and waits for the disk. */
enum err_code result_sync(struct result_file *r, struct err *e);

#endif
