/*
 * bsserver/transport/prng.h: libcoap's random numbers, drawn from the system's in larger portions.
 */
#ifndef BSSERVER_TRANSPORT_PRNG_H
#define BSSERVER_TRANSPORT_PRNG_H

/* Once, after coap_startup(). */
void prng_install(void);

#endif
