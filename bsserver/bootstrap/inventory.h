/*
 * bsserver/bootstrap/inventory.h: what a device was seen to hold. What it does not show is not
 * known: it is never taken for absent.
 */
#ifndef BSSERVER_BOOTSTRAP_INVENTORY_H
#define BSSERVER_BOOTSTRAP_INVENTORY_H

#include "bsserver/bootstrap/record.h"
#include "lib/lwm2m/corelink.h"
#include "lib/lwm2m/format.h"

#define BS_UNKNOWN_INSTANCE (-1)

struct bs_inventory {
	bool discovered;	  /* Bootstrap-Discover was answered: links says which instances there are */
	struct lwm2m_links links;
	bool read[3];		  /* Bootstrap-Read of /1 and /2 was answered (index: object) */
	struct lwm2m_tree seen;	  /* what those showed */
	int account;		  /* /0 instance of the bootstrap account: the one without ssid; or BS_UNKNOWN_INSTANCE */
};

void bs_inventory_clear(struct bs_inventory *inv); /* leaves an empty one; safe on {0} and twice */

/* A Discover answer. ERR_PARSE etc. with the reason; ERR_INVALID when two /0 instances have no ssid. */
enum err_code bs_inventory_discover(struct bs_inventory *inv, const uint8_t *p, size_t n, struct err *e);
/* An answer to Read /oid (1 or 2) in that content format. */
enum err_code bs_inventory_read(struct bs_inventory *inv, const struct lwm2m_model *m, uint16_t oid, int format,
    const uint8_t *p, size_t n, struct err *e);

/*
 * As text, and back: links and values of struct bs_held. What the model calls secret is left out;
 * so are instances that Read showed without any Resource. *h and *inv must be empty before and are
 * filled only on ERR_OK. load is strict: ERR_PARSE etc. says whether links or values were wrong
 * (values outside /1 and /2 are: ERR_INVALID).
 */
enum err_code bs_inventory_save(const struct bs_inventory *inv, const struct lwm2m_model *m, struct bs_held *h,
    struct err *e);
enum err_code bs_inventory_load(struct bs_inventory *inv, const struct lwm2m_model *m, const struct bs_held *h,
    struct err *e);

/* What Read of an Object showed from, where *to was not read: for one that was not written meanwhile. ERR_NO_MEMORY. */
enum err_code bs_inventory_adopt(struct bs_inventory *to, const struct bs_inventory *from, uint16_t oid, struct err *e);

/* Listed by Discover. */
bool bs_inventory_lists(const struct bs_inventory *inv, struct lwm2m_path p);
/* Instances listed for an Object; with /0, without the bootstrap account. */
size_t bs_inventory_count(const struct bs_inventory *inv, uint16_t oid);
/* Walks these: *at starts at 0. NULL at the end. */
const struct lwm2m_link_entry *bs_inventory_next(const struct bs_inventory *inv, uint16_t oid, size_t *at);


/* An instance that Discover lists or Read shows, with what either says of it. */
struct bs_known {
	struct lwm2m_path path;
	uint16_t ssid;	 /* of /0, /1 and /21; 0: not shown, or none */
	const char *uri; /* of /0; NULL: not shown; borrowed */
};
/* Walks those of an Object, the bootstrap account left out: *at starts at 0. false at the end. */
bool bs_inventory_known(const struct bs_inventory *inv, uint16_t oid, size_t *at, struct bs_known *out);
/* Listed or shown. */
bool bs_inventory_has(const struct bs_inventory *inv, struct lwm2m_path p);
/* All instances of it are known, so that what is not among them is not there. */
bool bs_inventory_complete(const struct bs_inventory *inv, uint16_t oid);

#endif
