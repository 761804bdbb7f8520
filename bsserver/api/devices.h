/*
 * bsserver/api/devices.h: what changes and counts of devices and profiles share.
 */
#ifndef BSSERVER_API_DEVICES_H
#define BSSERVER_API_DEVICES_H

#include "bsserver/api/internal.h"

/* One change of what the path names, with expect_revision of the query; answers. */
void change_one(struct req *r, enum store_op op, enum store_state state);

#define COUNT_MAX 100000 /* devices are counted up to about this many */

/* complete: false: there are more. Called once, also when nobody listens any more. */
typedef void count_fn(void *arg, enum err_code rc, const struct err *e, uint64_t n, bool complete);
/* How many devices extend a profile by name. */
void count_devices(struct req *r, const char *profile, count_fn *done, void *arg);

#endif
