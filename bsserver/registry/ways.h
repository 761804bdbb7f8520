/*
 * bsserver/registry/ways.h: which way a device is called back: by our own registry when it is
 * registered there, otherwise through an LwM2M Server that was told of its credential and whose driver
 * can send a Bootstrap-Request Trigger.
 */
#ifndef BSSERVER_REGISTRY_WAYS_H
#define BSSERVER_REGISTRY_WAYS_H

#include "bsserver/handoff/handoff.h"
#include "bsserver/registry/trigger.h"
#include "lib/lwm2m/object.h"

struct ways;

struct ways_conf {
	const struct store_ops *ops;
	struct store *store;
	struct handoff *handoff;	 /* NULL: there are no LwM2M Servers */
	const struct lwm2m_model *model; /* what devices showed is read by */
	struct trigger_way registry;	 /* reach NULL: there is none */
};

enum err_code ways_open(const struct ways_conf *c, struct ways **out, struct err *e);
/* Answers nobody any more: before handoff_stop(). NULL is fine. */
void ways_close(struct ways *w);
void ways_free(struct ways *w); /* after the store was closed */

struct trigger_way ways_way(struct ways *w);

/*
 * Which instance of Object 1 has that Short Server ID, in what a device showed: links of Discover and
 * values of Read as struct store_held keeps them; HANDOFF_INSTANCE_UNKNOWN.
 */
int ways_instance(const struct lwm2m_model *m, const struct store_held *h, uint16_t short_server_id);

#endif
