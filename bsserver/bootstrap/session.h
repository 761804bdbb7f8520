/*
 * bsserver/bootstrap/session.h: one device, one bootstrap: a state machine. One event in, one
 * action out; no I/O, no clock, nothing allocated that it does not own. The driver performs the
 * action and brings back the event that answers it.
 *
 *   LOOKUP -> VET -> REPLY -> DISCOVER -> READ -> INSPECT -> KEEP -> HANDOFF -> WRITE -> VERIFY_DISCOVER ->
 *   VERIFY_READ -> SETTLE -> FINISH -> RECORD -> DONE; any failure -> RECORD; before the reply -> REFUSE.
 */
#ifndef BSSERVER_BOOTSTRAP_SESSION_H
#define BSSERVER_BOOTSTRAP_SESSION_H

#include "bsserver/bootstrap/plan.h"
#include "bsserver/bootstrap/ports.h"
#include "bsserver/bootstrap/request.h"
#include "bsserver/bootstrap/verify.h"

enum bs_state {
	BS_NEW,		     /* waits for REQUEST */
	BS_LOOKUP,	     /* who is it, may it, what should it hold */
	BS_VET,		     /* its certificate */
	BS_REFUSE,	     /* the answer that refuses is on its way */
	BS_REPLY,	     /* the 2.04 is on its way */
	BS_DISCOVER,
	BS_READ,	     /* /1 and /2, before */
	BS_INSPECT,          /* the certificates that are to be written */
	BS_KEEP,
	BS_HANDOFF,
	BS_WRITE,	     /* Deletes and Writes */
	BS_VERIFY_DISCOVER,
	BS_VERIFY_READ,
	BS_SETTLE,	     /* that Finish comes now is being noted */
	BS_FINISH,
	BS_RECORD,	     /* over; the record is being kept */
	BS_DONE,
	BS_STATE__COUNT
};

enum bs_action_type {
	BS_ACT_NONE,
	BS_ACT_LOOKUP,
	BS_ACT_VET,
	BS_ACT_REPLY, /* action.reply */
	BS_ACT_SEND,  /* action.send */
	BS_ACT_INSPECT,
	BS_ACT_KEEP,
	BS_ACT_HANDOFF,
	BS_ACT_SETTLE,
	BS_ACT_RECORD, /* session.rec; everything else of the session was wiped */
	BS_ACT_DONE,   /* the session can be freed */
	BS_ACT__COUNT
};

/* Borrowed from the session until its next step. */
struct bs_action {
	enum bs_action_type type;
	struct bs_reply reply;
	struct bs_send send;
};

#define BS_LADDER_MAX 5

struct bs_session {
	enum bs_state state;
	const struct lwm2m_model *model; /* borrowed */
	bool vets, inspects, keeps, hands_off;	 /* which of the optional steps are wired */
	struct bs_request req;
	struct bs_grant grant;
	struct bs_inventory before, after;
	struct bs_plan plan;
	size_t next_op;
	int64_t wall_ms;          /* of the event that is being taken */
	const char *clock_fault;  /* the same */
	struct lwm2m_tree clock;  /* the time that is on its way */
	bool wrote;	       /* at least one Delete or Write was sent */
	bool audited;	       /* what it came with is known, and what is to be said about that was */
	bool corrected;	       /* Finish was answered 4.06 once */
	bool asked_anew;       /* the same peer sent another request since: see bs_session_asked_anew() */
	bool accept_any;       /* the device refused each Accept: none is sent any more */
	uint16_t read_oid;     /* BS_READ, BS_VERIFY_READ: which Object */
	int ladder[BS_LADDER_MAX]; /* content formats to try, in order */
	size_t n_ladder;
	size_t rung;	    /* of Writes; n_ladder: none is taken, single values are left */
	size_t accept_rung; /* of Reads */
	struct gbuf out;	/* the payload that is on its way; wiped */
	struct bs_record rec;
	struct bs_entry exchange; /* what is known of it so far */
	struct gbuf note;	/* its text: written values without secrets */
};

/* *s is set up; everything borrowed must outlive it. rec.peer and rec.credential are the caller's to fill. */
void bs_session_init(struct bs_session *s, const struct lwm2m_model *model);
/* What the query said; when it was wrong, BS_EV_REQUEST carries the reason and the text. */
void bs_session_set_request(struct bs_session *s, const struct bs_request *req);
/*
 * The peer of this session sent a newer request, which is not granted yet. A device that began anew
 * lost what was not finished, and may say 2.04 to a Finish that was on its way all the same: from now
 * on that proves nothing, and ends the session as superseded.
 */
void bs_session_asked_anew(struct bs_session *s);
/* Wipes and frees; safe in any state and twice. */
void bs_session_clear(struct bs_session *s);

/* act is always set; BS_ACT_NONE when there is nothing to do. An event that the state does not expect
 * is ignored (a late answer) unless it is one that may come at any time. */
void bs_session_step(struct bs_session *s, const struct bs_event *ev, struct bs_action *act);

const char *bs_state_name(enum bs_state st);
/* Event bits that a state takes: for the tests that walk the machine. */
unsigned bs_state_accepts(enum bs_state st);
/* The granted endpoint, or NULL. */
const char *bs_session_endpoint(const struct bs_session *s);

#endif
