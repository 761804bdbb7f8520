/*
 * bsserver/bootstrap/facts.h: what an inventory, held against the profile and the history, tells of
 * a device's accounts. The planner and the audit stand on it.
 */
#ifndef BSSERVER_BOOTSTRAP_FACTS_H
#define BSSERVER_BOOTSTRAP_FACTS_H

#include "bsserver/bootstrap/plan.h"

/* All instances of one Short Server ID. */
struct bs_account {
	uint16_t ssid;
	uint16_t now; /* the Short Server ID that the profile knows it by: the same, another one when
			 that server has moved (same uri), or 0: it is foreign */
	unsigned n_security, n_server;
	struct lwm2m_path security, server; /* the first of each */
	bool half;	 /* one side is missing, and would be known if it were there */
	int64_t alert;	 /* 1/x/11; 0: clear or not shown */
	bool sends_back; /* 1/x/16 is true, absent or not shown: when it fails, the device comes here */
	bool ours;	 /* foreign to the profile, but our last good session wrote it: it goes with it */
	bool stays;	 /* the profile retains some of it */
	bool expired;	 /* a certificate that we wrote has */
};

struct bs_facts {
	struct bs_account *v; /* owned */
	size_t n, cap;
	bool elsewhere, early, broke_off;
	bool sure; /* what we wrote in the last good session is still there, where nothing says otherwise */
};

/* *f must be empty. ERR_NO_MEMORY only. */
enum err_code bs_facts_find(const struct bs_planning *in, struct bs_facts *f, struct err *e);
void bs_facts_clear(struct bs_facts *f); /* safe twice */
struct bs_account *bs_facts_account(const struct bs_facts *f, uint16_t ssid); /* NULL: none */

/* Foreign and of no use: half, or rejected by its server. */
bool bs_account_dead(const struct bs_account *a);
/* Foreign, and goes by the profile's word. */
bool bs_account_goes(const struct profile_desired *d, const struct bs_account *a);
/* Short Server ID of an instance of /0 or /1 in a tree; 0: none. */
uint16_t bs_ssid_in(const struct lwm2m_tree *t, struct lwm2m_path inst);
/* In the profile. */
bool bs_is_wanted(const struct profile_desired *d, uint16_t ssid);
/* The profile says hands off: p itself, or something around it. */
bool bs_is_retained(const struct profile_desired *d, struct lwm2m_path p);
/* Something below p must stay. */
bool bs_holds_retained(const struct profile_desired *d, struct lwm2m_path p);

#endif
