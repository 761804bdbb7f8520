/*
 * bsserver/loop/late.h: how late the loop is: a timer that looks at the clock each time it runs.
 */
#ifndef BSSERVER_LOOP_LATE_H
#define BSSERVER_LOOP_LATE_H

#include "bsserver/loop/loop.h"
#include "lib/base/buf.h"

struct loop_late;

/* Looks every so many milliseconds, at least 1. */
enum err_code loop_late_new(struct loop *l, unsigned every_ms, struct loop_late **out, struct err *e);
void loop_late_free(struct loop_late *l); /* NULL is fine */
/* As if it had run so many microseconds after it should have (tests). */
void loop_late_note(struct loop_late *l, uint64_t us);
/* A histogram in the text format of Prometheus, in seconds. NULL: nothing. */
void loop_late_write(const struct loop_late *l, const char *name, struct gbuf *out);

#endif
