/*
 * bsserver/ports/internal.h: what the files of this folder share.
 */
#ifndef BSSERVER_PORTS_INTERNAL_H
#define BSSERVER_PORTS_INTERNAL_H

#include "bsserver/ports/past.h"
#include "bsserver/ports/ports.h"

struct ports {
	struct ports_conf c;
	/* how many refusals may still be recorded, and when that was counted; see record.c */
	uint64_t purse, purse_ms;
	uint64_t unpaid;
	uint64_t lost; /* records that the store could not keep */
	struct table given; /* struct given, by session */
};

#endif
