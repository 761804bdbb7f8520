/*
 * bsserver/bootstrap/record.h: what is kept of a session: verdict and transcript. No secrets.
 */
#ifndef BSSERVER_BOOTSTRAP_RECORD_H
#define BSSERVER_BOOTSTRAP_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/lwm2m/finding.h"
#include "lib/lwm2m/reason.h"

/* Verdicts, steps and methods are kept as numbers in stores: new ones go to the end. */
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

enum bs_method { BS_POST, BS_GET, BS_PUT, BS_DELETE };

/* One exchange or remark, in order. */
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
	char *text;		   /* of the answer or the remark: link list, values without secrets, error payload;
				      NULL; owned by the record */
	uint32_t text_len;
};

/*
 * What a device was seen to hold, as text. Owned. No secrets: /0 and /21 cannot be read, and what
 * the model calls secret is left out.
 */
struct bs_held {
	char *links;   /* what Discover said, in link format (RFC 6690); NULL: it was not served */
	char *values;  /* what Read showed, in SenML JSON (RFC 8428); NULL: nothing was read */
	unsigned read; /* 1 << oid of each Object that was read: 1 and 2 */
	uint64_t likeness; /* by bs_inventory_save(): the same number, what was seen is the same but for what a device
			      sets by itself (1/x/11, 1/x/12); 0: not known */
};

void bs_held_clear(struct bs_held *h); /* safe twice, and on {0} */
bool bs_held_known(const struct bs_held *h); /* anything at all was seen */

struct bs_finding {
	enum bs_finding_kind kind;
	enum bs_remedy remedy;
	char *paths;  /* "/0/1 /1/0": blank-separated; owned; "" when it is about the whole device */
	char *detail; /* a sentence without secrets; owned */
};

#define BS_FINDINGS_MAX 128 /* of one session; what is beyond is counted, not kept */

struct bs_findings {
	struct bs_finding *v; /* owned */
	size_t n, cap;
	unsigned dropped;
};

void bs_findings_clear(struct bs_findings *f); /* safe twice, and on {0} */
/* Copies. What finds no room, or no memory, is counted. */
void bs_findings_add(struct bs_findings *f, enum bs_finding_kind kind, enum bs_remedy remedy,
    const char *paths, const char *detail);
/*
 * [{"finding":"tls_alert","paths":["/1/0"],"does":"rewrite","detail":"..."}], appended. Made like
 * the transcript; the bound of *out is the caller's.
 */
void bs_findings_json(const struct bs_findings *f, struct gbuf *out);

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
	char *placed;	   /* see bs_placed_text(); of what Read does not show, where it was put; NULL */
	char *expiries;	   /* "101=1796000000": Short Server ID, and until when (s since 1970) each certificate
			      written is valid, blank-separated; NULL */
	char *anchor;	   /* SHA-256 in hex of the trust anchor that its certificate led to; NULL: it came otherwise */
	char *given;	   /* certificates in what was to be written, as handout_items_json() tells them; NULL */
	struct bs_held found; /* what the device held when it came: only after any other verdict */
	struct bs_held held;  /* what it held at the end: only after provisioned or written */
	struct bs_findings findings;
	unsigned writes;   /* Deletes and Writes that were answered well */
	bool restored;	   /* a rollback wish was what was written, see struct bs_grant */
	bool handed_over;  /* the bootstrap account was replaced */
	int used_format;   /* the content format that worked, to be remembered; -1 */
	unsigned exchanges;
	struct bs_entry *entries;
	size_t n_entries, cap_entries;
	size_t text_total; /* octets of text in entries */
	struct bs_texts *texts; /* where these lie; owned */
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
bool bs_verdict_from_name(const char *s, enum bs_verdict *out);
const char *bs_method_name(enum bs_method m);
/* "2.04" into out (RFC 7252 section 3). */
void bs_code_str(uint8_t code, char out[5]);

#endif
