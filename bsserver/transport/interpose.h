/*
 * bsserver/transport/interpose.h: functions of libraries that this program has under the same name, so
 * that libcoap calls ours. Process-wide, as symbols are. For *_hook.c alone.
 */
#ifndef BSSERVER_TRANSPORT_INTERPOSE_H
#define BSSERVER_TRANSPORT_INTERPOSE_H

#include <stdbool.h>

#define INTERPOSE_EXPORT __attribute__((visibility("default"), used))

/* *to, a pointer to a function, becomes the library's own of that name; NULL: there is none. */
void interpose_resolve(void *to, const char *name);

/* Whether the one that others are bound to, the first in the order of loading, is ours. */
bool interpose_is_first(const char *name, const void *ours);
#define INTERPOSE_IS_FIRST(fn) interpose_is_first(#fn, __extension__(const void *)(fn))

#endif
