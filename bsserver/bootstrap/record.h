/*
 * bsserver/bootstrap/record.h: what is kept of a session: verdict and transcript. No secrets.
 */
#ifndef BSSERVER_BOOTSTRAP_RECORD_H
#define BSSERVER_BOOTSTRAP_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

/* Verdicts, steps, reasons and methods are kept as numbers in stores: new ones go to the end. */
enum bs_verdict {
	BS_VERDICT_NONE,	/* still running */
	BS_VERDICT_PROVISIONED, /* written, verified, finished with 2.04 */
	BS_VERDICT_WRITTEN,	/* the same without verification, because the profile says so */
	BS_VERDICT_FAILED,	/* begun and not finished: the device keeps or restores what it had */
	BS_VERDICT_REFUSED,	/* answered 4.xx: nothing was read or written */
	BS_VERDICT_CANCELLED,	/* a newer session of the same device, or an operator */
	BS_VERDICT__COUNT
};

/* Where in the session it ended. */
enum bs_step {
	BS_STEP_NONE,
	BS_STEP_REQUEST,
	BS_STEP_LOOKUP,
	BS_STEP_VET,
	BS_STEP_REPLY,
	BS_STEP_DISCOVER,
	BS_STEP_READ,
	BS_STEP_PLAN,
	BS_STEP_KEEP,
	BS_STEP_HANDOFF,
	BS_STEP_DELETE,
	BS_STEP_WRITE,
	BS_STEP_VERIFY,
	BS_STEP_FINISH,
	BS_STEP__COUNT
};

/* Why: the closed list that `explain` prints. One row per reason in record.c. */
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
	BS_REASON_UNKNOWN_IDENTITY,   /* handshake: nobody is registered under this PSK identity */
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
	BS_REASON__COUNT
};

enum bs_method { BS_POST, BS_GET, BS_PUT, BS_DELETE };

/* One exchange or remark, in order. Owned strings. */
struct bs_entry {
	uint32_t at_ms;		   /* since the session began */
	enum bs_step step : 8;
	enum bs_method method : 8;
	uint8_t code;		   /* CoAP code octet of the answer (0x44 is 2.04); 0: none came */
	bool remark : 1;	   /* not an exchange: text says something (a quirk tolerated, a choice made) */
	bool uplink : 1;	   /* from the device */
	char path[28];		   /* "/bs", "/0/1" */
	int format;		   /* content format of the request's payload, -1 none */
	uint32_t sent, received;   /* payload octets */
	char *text;		   /* of the answer or the remark: link list, values without secrets, error payload; NULL */
};

#define BS_TRANSCRIPT_MAX 512	/* entries; what is beyond is counted, not kept */
#define BS_ENTRY_TEXT_MAX 4096 /* octets of text kept of one entry */
#define BS_TRANSCRIPT_TEXT_MAX 65536 /* of all entries together; later entries are kept without theirs */

struct bs_record {
	uint64_t id;	     /* unique in the store: wall time in us at the start, made distinct */
	char *endpoint;	     /* as claimed or derived; NULL when nobody said */
	char *peer;	     /* "[::1]:1234" */
	char *credential;    /* "psk:identity", "nosec"; NULL */
	char *rule;	     /* which rule granted or refused it, for `why`; NULL */
	char *profile;	     /* name it resolved to; NULL */
	uint64_t revision;   /* of what was written: device's and profiles' newest change; 0: none */
	char *fingerprints;  /* "dm=0123abcd..." of each credential written, blank-separated; NULL */
	int64_t started_ms, ended_ms; /* wall clock */
	enum bs_verdict verdict;
	enum bs_step step;
	enum bs_reason reason;
	char path[28];	/* what the reason is about; "" */
	uint8_t code;	/* CoAP code octet that decided; 0 */
	char *detail;	/* a sentence for people; NULL */
	char *unconfirmed; /* "/1/0/13 /0/1/5": written and not shown; NULL */
	int used_format;   /* the content format that worked, to be remembered; -1 */
	unsigned exchanges;
	struct bs_entry *entries;
	size_t n_entries, cap_entries;
	size_t text_total; /* octets of text in entries */
	unsigned entries_dropped;
};

void bs_record_clear(struct bs_record *r); /* safe twice */
/*
 * A copy of *entry with this text instead of its own (NULL: none), cut at BS_ENTRY_TEXT_MAX between
 * characters; a NUL in it becomes '?'. Returns NULL when full or memory is short: counted. What it
 * returns is valid until the next one.
 */
struct bs_entry *bs_record_add(struct bs_record *r, const struct bs_entry *entry, const char *text, size_t len);
/*
 * The transcript as a JSON array, appended; made without a JSON library since it is on the hot path.
 * {"at_ms":12,"step":"discover","method":"GET","path":"/0","code":"2.05","sent":0,"received":31,
 * "text":"..."} for each exchange, with "uplink":true when the device asked, "format" when there was
 * one, "code":null when no answer came; {"at_ms":12,"step":"plan","remark":"..."} for each remark.
 * What is not UTF-8 in a text is U+FFFD. The bound of *out is the caller's.
 */
void bs_record_transcript_json(const struct bs_record *r, struct gbuf *out);

/* Names: lower case, as in JSON. A number that is none of the enum's: "unknown". */
const char *bs_verdict_name(enum bs_verdict v); /* BS_VERDICT_NONE: "running" */
const char *bs_step_name(enum bs_step s);
const char *bs_reason_name(enum bs_reason r); /* "identity_mismatch" */
/* What it means and what to do, for `explain`. */
const char *bs_reason_help(enum bs_reason r);
bool bs_verdict_from_name(const char *s, enum bs_verdict *out);
bool bs_reason_from_name(const char *s, enum bs_reason *out);
const char *bs_method_name(enum bs_method m);
/* "2.04" into out (RFC 7252 section 3). */
void bs_code_str(uint8_t code, char out[5]);

#endif
