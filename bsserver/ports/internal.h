/*
 * bsserver/ports/internal.h: what the files of this folder share.
 */
#ifndef BSSERVER_PORTS_INTERNAL_H
#define BSSERVER_PORTS_INTERNAL_H

#include "bsserver/ports/ports.h"

struct ports {
	struct ports_conf c;
};

#endif
