/*
 * lib/lwm2m/finding.h: what an audit of a device can find: one closed list of names, with a
 * sentence each for people. The daemon records them, the command line explains them.
 */
#ifndef LIB_LWM2M_FINDING_H
#define LIB_LWM2M_FINDING_H

#include <stdbool.h>

/* What the audit can find. One row each in finding.c. Kept as names in stores. */
enum bs_finding_kind {
	BS_FIND_NOT_KNOWN,	      /* Discover or Read is not served: what cannot be known */
	BS_FIND_HALF_ACCOUNT,	      /* /0 without /1, or /1 without /0 */
	BS_FIND_SSID_TWICE,	      /* one Short Server ID in two instances that exclude each other */
	BS_FIND_FOREIGN_ACCOUNT,      /* in no profile */
	BS_FIND_DEAD_FOREIGN_ACCOUNT, /* the same, broken, and it sends the device back for ever (1/x/16) */
	BS_FIND_TLS_ALERT,	      /* 1/x/11 is set */
	BS_FIND_ELSEWHERE,	      /* 1/x/12: bootstrapped by somebody else since */
	BS_FIND_CERTIFICATE_EXPIRED,  /* one that we wrote */
	BS_FIND_DRIFT,		      /* a value that we wrote reads as another now */
	BS_FIND_ACL_OWNER,	      /* owner is no server of this device */
	BS_FIND_ACL_TARGET,	      /* about an instance that does not exist */
	BS_FIND_ACL_TWICE,	      /* two /2 instances about one thing */
	BS_FIND_NO_ACL,		      /* an instance without one, on a device of several servers */
	BS_FIND_CREATE_MISSING,	      /* the profile gives somebody the right to create, the device does not */
	BS_FIND_CREATE_LEFT_OVER,     /* the device gives it, no profile does */
	BS_FIND_EARLY_RETURN,	      /* it came back too soon after a session that ended well */
	BS_FIND_AFTER_FAILURE,	      /* the session before this one failed in the middle */
	BS_FIND_CREDENTIAL_REJECTED,  /* why it came back: an alert about keys or certificates */
	BS_FIND_SERVER_UNREACHABLE,   /* why it came back: an address that nobody answers at */
	BS_FIND_ACCOUNT_LOST,	      /* why it came back: an account that we wrote is gone */
	BS_FIND__COUNT
};

/* What the plan does about it. */
enum bs_remedy {
	BS_REMEDY_NONE,	   /* told, nothing is done */
	BS_REMEDY_KEEP,	   /* left as it is, because the profile says so */
	BS_REMEDY_ADD,	   /* what is missing is written */
	BS_REMEDY_REWRITE, /* written anew, though it reads well */
	BS_REMEDY_REMOVE,
	BS_REMEDY__COUNT
};

const char *bs_finding_name(enum bs_finding_kind k); /* "half_account" */
const char *bs_finding_help(enum bs_finding_kind k); /* what it means and what is done, for `explain` */
bool bs_finding_from_name(const char *s, enum bs_finding_kind *out);
const char *bs_remedy_name(enum bs_remedy r); /* "none", "keep", "add", "rewrite", "remove" */
bool bs_remedy_from_name(const char *s, enum bs_remedy *out);

#endif
