/*
 * bsserver/registry/registry_internal.h: what registry.c and registry_ask.c share.
 */
#ifndef BSSERVER_REGISTRY_REGISTRY_INTERNAL_H
#define BSSERVER_REGISTRY_REGISTRY_INTERNAL_H

#include "bsserver/registry/registry.h"

struct registry {
	struct loop *loop;
	struct registry_hooks hooks;
	const struct store_ops *ops;
	struct store *store;
	uint32_t answer_ms;
	struct transport *transport; /* NULL: closed */
	struct regs *regs;
	struct returns *returns;
	struct loop_timer *tick;
	struct registry_stats stats;
};

#endif
