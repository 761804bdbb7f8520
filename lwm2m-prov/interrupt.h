/*
 * lwm2m-prov/interrupt.h: Ctrl-C asks to stop after what is in flight; the second one stops at
 * once.
 */
#ifndef LWM2M_PROV_INTERRUPT_H
#define LWM2M_PROV_INTERRUPT_H

#include <stdbool.h>

/* From now on SIGINT and SIGTERM are noted; a pipe that nobody reads is an error, not an end. */
void interrupt_watch(void);
bool interrupted(void);

#endif
