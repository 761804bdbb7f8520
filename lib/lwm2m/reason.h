/*
 * lib/lwm2m/reason.h: why a bootstrap ended as it did: one closed list of names, with a sentence each
 * for people. The daemon records them, and the command line explains them without a daemon.
 */
#ifndef LIB_LWM2M_REASON_H
#define LIB_LWM2M_REASON_H

#include <stdbool.h>

/* One row per reason in reason.c. Kept as numbers in stores: new ones go to the end. */
enum bs_reason {
	BS_REASON_NONE,
	/* refusals */
	BS_REASON_BAD_REQUEST,	      /* malformed query, ep or pct */
	BS_REASON_NO_ENDPOINT,	      /* no ep, and no credential that says who it is */
	BS_REASON_UNKNOWN_ENDPOINT,
	BS_REASON_IDENTITY_MISMATCH,  /* this credential may not call itself that */
	BS_REASON_NO_CREDENTIAL_RULE, /* no rule lets a peer without credentials in */
	BS_REASON_BLOCKED,	      /* the device is blocked or retired */
	BS_REASON_NO_PROFILE,	      /* known, but nothing says what it should hold */
	BS_REASON_BAD_PROFILE,	      /* its profile does not resolve or uses what is not served */
	BS_REASON_UNSUPPORTED_FORMAT, /* pct: 4.15 */
	BS_REASON_OVERLOAD,	      /* 5.03 */
	BS_REASON_STORE,	      /* the store did not answer: 5.03 */
	BS_REASON_CERTIFICATE,	      /* the device's certificate was refused */
	BS_REASON_UNKNOWN_IDENTITY,   /* handshake: nobody is registered with this PSK identity or raw public key */
	BS_REASON_WRONG_KEY,	      /* handshake: the identity is known, the key is another */
	BS_REASON_HANDSHAKE,	      /* handshake: it came to nothing for another reason */
	/* failures */
	BS_REASON_ERROR_RESPONSE, /* a required step was answered 4.xx or 5.xx */
	BS_REASON_NO_ANSWER,	  /* request deadline */
	BS_REASON_RESET,	  /* RST */
	BS_REASON_BAD_RESPONSE,	  /* an answer that is not what was asked for, or garbage */
	BS_REASON_DEADLINE,	  /* whole-session deadline */
	BS_REASON_PEER_GONE,	  /* the DTLS session went away */
	BS_REASON_DIFFERENT,	  /* read back, and not what was written */
	BS_REASON_NOT_CONFIRMED,  /* must be confirmed by the profile, could not be read */
	BS_REASON_MISSING,	  /* an instance that was written is not listed afterwards */
	BS_REASON_LEFT_OVER,	  /* an instance that was deleted is still listed */
	BS_REASON_INCONSISTENT,	  /* Finish was answered 4.06 */
	BS_REASON_CANNOT_ENCODE,  /* no content format that the device takes can carry it */
	BS_REASON_CONFLICT,	  /* plan and device do not go together; the profile must decide */
	BS_REASON_KEEP,		  /* a generated secret could not be kept */
	BS_REASON_HANDOFF,	  /* an LwM2M Server refused the new credentials */
	BS_REASON_SEND,		  /* the transport could not send */
	BS_REASON_NO_MEMORY,
	BS_REASON_RESTARTED, /* the server was stopped in the middle */
	BS_REASON_SUPERSEDED, /* a newer, granted request of the same device */
	BS_REASON_OPERATOR,
	BS_REASON_CLOCK, /* the time is to be written, and our own clock is not known to be right */
	BS_REASON_HANDOUT, /* a certificate or key that the device was to be given is not good */
	BS_REASON_REVOKED,	  /* the device's certificate, or a CA's between it and its anchor */
	BS_REASON_STATUS_UNKNOWN, /* the responder does not know that certificate */
	BS_REASON_NO_STATUS,	  /* nobody could say whether it is revoked */
	BS_REASON_HELD_BACK,	  /* it comes back again and again and does not register: 5.03 */
	BS_REASON__COUNT
};

/* Lower case, as in JSON: "identity_mismatch". A number that is none of the enum's: "unknown". */
const char *bs_reason_name(enum bs_reason r);
/* What it means and what to do, for `explain`. */
const char *bs_reason_help(enum bs_reason r);
bool bs_reason_from_name(const char *s, enum bs_reason *out);

#endif
