/*
 * bsserver/handoff/step.h: the way of one credential to one LwM2M Server: a pure state machine. It
 * does no I/O and reads no clock; what it is told, and in which order, is written into the store by
 * whoever drives it before anything it asks for is done.
 *
 *   HELD -begin-> INTENT -the server said yes-> TOLD -before Finish-> FINISHING -it ended well-> SETTLED
 *
 * A session that comes to nothing turns INTENT and TOLD into RETURNING, and when the server has the
 * old credential again into HELD. FINISHING whose answer nobody knows stays, with attempts above 0
 * once another session took it over: the device has one of the two, a session that ends well or the
 * time of grace decides. A server that holds several credentials of
 * a device keeps the old one meanwhile, and after SETTLED, as RETIRING, until the device is seen, or for
 * the time of grace.
 */
#ifndef BSSERVER_HANDOFF_STEP_H
#define BSSERVER_HANDOFF_STEP_H

#include "bsserver/store/store.h"

enum handoff_event {
	HANDOFF_EV_TAKEN,   /* the server did what it was asked for */
	HANDOFF_EV_REFUSED, /* it said no, and asking again is of no use */
	HANDOFF_EV_NOBODY,  /* no answer, or one that may be another next time */
	HANDOFF_EV_FINISH,  /* the session is about to send Finish */
	HANDOFF_EV_GOOD,    /* it ended well */
	HANDOFF_EV_BAD,	    /* it came to nothing, and the device has what it had */
	HANDOFF_EV_DOUBT,   /* it ended, or left no word, and nobody knows what the device has */
	HANDOFF_EV_DUE,	    /* due_ms has come */
	HANDOFF_EV_RETRY,   /* an operator: now */
	HANDOFF_EV_SEEN,    /* the device was seen at work with what its last session gave it */
	HANDOFF_EV__COUNT
};

/* What the server is to be asked for, if anything. */
enum handoff_call {
	HANDOFF_CALL_NONE,
	HANDOFF_CALL_TELL,	 /* `other` from now on; a server of one credential forgets `known` by that */
	HANDOFF_CALL_TELL_BACK,	 /* `known` again */
	HANDOFF_CALL_DROP,	 /* forget `other` */
	HANDOFF_CALL_FORGET,	 /* forget the device */
	HANDOFF_CALL_TEST,	 /* of an operator: does it answer, and take our token? Nothing is changed */
	HANDOFF_CALL_TRIGGER,	 /* of a job: that it sends the device a Bootstrap-Request Trigger */
	HANDOFF_CALL__COUNT
};

struct handoff_rules {
	bool one_secret;     /* the server holds one credential of a device: a new one takes the old one's place */
	uint32_t grace_ms;   /* how long an old one stays valid, and a doubt a doubt */
	uint32_t retry_ms, retry_max_ms; /* the first pause between attempts, doubled each time, and the longest */
	uint32_t orphan_ms;  /* after so long without a word of its session it is taken for gone */
};

/* What a step is about. */
struct handoff_step {
	enum handoff_event event;
	int64_t now_ms;
	int64_t give_up_ms; /* NOBODY in INTENT: after that there is no more time for the session; 0: none waits */
	const char *text;   /* REFUSED, NOBODY: why; NULL */
};

/* What came of it. */
struct handoff_outcome {
	bool changed;	/* the row is to be put into the store before anything else happens */
	bool gone;	/* the row is to be removed instead */
	int told;	/* 1: the session can go on; -1: it fails with the row's error; 0: nothing new for it */
};

/*
 * A session wants `other` told. It becomes the row's, unless the server knows it already (then told is
 * 1). false: what stands there must come to its end first (handoff_wants() says how, once what changed is
 * stored): ask again when it has.
 */
bool handoff_begin(struct store_handoff *h, const struct handoff_rules *r, struct secret *other, bool late,
    uint64_t session, int64_t now_ms, struct handoff_outcome *out);
/* What happens to it then. Text is copied; short of memory the row goes without it. */
void handoff_step(struct store_handoff *h, const struct handoff_rules *r, const struct handoff_step *s,
    struct handoff_outcome *out);
/* What the server is to be asked for in this state when it is due. */
enum handoff_call handoff_wants(const struct store_handoff *h, const struct handoff_rules *r);

const char *handoff_event_name(enum handoff_event ev);
const char *handoff_call_name(enum handoff_call c);

#endif
