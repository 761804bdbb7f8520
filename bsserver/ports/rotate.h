/*
 * bsserver/ports/rotate.h: keys that are made anew from time to time, before a device is told what
 * it should hold: only where device and LwM2M Server are known to have the one of now.
 */
#ifndef BSSERVER_PORTS_ROTATE_H
#define BSSERVER_PORTS_ROTATE_H

#include "bsserver/ports/internal.h"

/* Some key of it is made anew from time to time. */
bool rotate_wanted(const struct profile_desired *d);

/* done: ERR_OK with changed: the device has new keys in the store. */
typedef void rotate_fn(void *arg, enum err_code rc, const struct err *e, bool changed);
/* d and desired are only borrowed for the call. done is called once, later, never from inside. */
void rotate_keys(struct ports *p, const struct store_device *d, const struct profile_desired *desired, rotate_fn *done,
    void *arg);

#endif
