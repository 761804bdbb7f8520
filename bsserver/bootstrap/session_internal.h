/*
 * bsserver/bootstrap/session_internal.h: what the files of the session machine share.
 */
#ifndef BSSERVER_BOOTSTRAP_SESSION_INTERNAL_H
#define BSSERVER_BOOTSTRAP_SESSION_INTERNAL_H

#include "bsserver/bootstrap/session.h"

enum { C_CHANGED = 0x44, C_CREATED = 0x41, C_DELETED = 0x42, C_CONTENT = 0x45 };
enum {
	C_BAD_REQUEST = 0x80,
	C_UNAUTHORIZED = 0x81,
	C_NOT_FOUND = 0x84,
	C_NOT_ALLOWED = 0x85,
	C_NOT_ACCEPTABLE = 0x86,
	C_BAD_FORMAT = 0x8f,
	C_NOT_IMPLEMENTED = 0xa1,
	C_UNAVAILABLE = 0xa3
};

/* Why a session ends. */
struct bs_end {
	enum bs_verdict verdict;
	enum bs_reason reason;
	enum bs_step step;
	const char *path; /* NULL: none */
	uint8_t code;	  /* what the device answered; 0 */
	const char *detail; /* a sentence; NULL */
};

/* session.c */
/* What it came with goes into the record before it is forgotten, or because the session ends otherwise than well. */
void bs_note_found(struct bs_session *s);
/* The one way out: before the 2.04 by a reply that refuses, later by the record. Returns the next state. */
enum bs_state bs_end_session(struct bs_session *s, const struct bs_end *end, struct bs_action *act);
enum bs_state bs_fail(struct bs_session *s, enum bs_reason reason, enum bs_step step, uint8_t code,
    const char *detail, struct bs_action *act);
/* An answer that is none (no answer, RST, not sent): the session fails with its reason. */
enum bs_state bs_fail_exchange(struct bs_session *s, const struct bs_event *ev, enum bs_step step,
    struct bs_action *act);
enum bs_state bs_fail_code(struct bs_session *s, const struct bs_event *ev, enum bs_step step, struct bs_action *act);
enum bs_state bs_fail_err(struct bs_session *s, enum bs_step step, enum bs_reason reason, const struct err *e,
    struct bs_action *act);

/* session_send.c */
/* Starts an exchange: the action, and the transcript's entry that its answer will complete. */
void bs_send_request(struct bs_session *s, enum bs_step step, const struct bs_send *req, uint32_t now_ms,
    struct bs_action *act);
/* Completes the entry; text NULL: none. */
void bs_note_answer(struct bs_session *s, const struct bs_event *ev, const char *text, size_t len);
/* The answer's own payload as text, where it is text: a link list, a diagnostic message. */
void bs_note_payload(struct bs_session *s, const struct bs_event *ev);
void bs_remark(struct bs_session *s, enum bs_step step, uint32_t now_ms, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* The same without a format: for what every session says. */
void bs_remark_text(struct bs_session *s, enum bs_step step, uint32_t now_ms, const char *text, size_t len);
/* One remark for each line of text. */
void bs_remark_lines(struct bs_session *s, enum bs_step step, uint32_t now_ms, const char *text);
/* Values without secrets, into s->note. */
void bs_note_values(struct bs_session *s, struct lwm2m_span span, struct lwm2m_path base);

/* session_write.c */
enum bs_state bs_start_writes(struct bs_session *s, uint32_t now_ms, struct bs_action *act);
enum bs_state bs_on_write(struct bs_session *s, const struct bs_event *ev, struct bs_action *act);

/* session_look.c */
enum bs_state bs_start_discover(struct bs_session *s, uint32_t now_ms, struct bs_action *act);
enum bs_state bs_on_discover(struct bs_session *s, const struct bs_event *ev, struct bs_action *act);
enum bs_state bs_on_read(struct bs_session *s, const struct bs_event *ev, struct bs_action *act);
enum bs_state bs_start_verify(struct bs_session *s, uint32_t now_ms, struct bs_action *act);
/* Nothing was to be written: what was seen before is what there is. */
enum bs_state bs_verify_as_found(struct bs_session *s, uint32_t now_ms, struct bs_action *act);
enum bs_state bs_on_verify_discover(struct bs_session *s, const struct bs_event *ev, struct bs_action *act);
enum bs_state bs_on_verify_read(struct bs_session *s, const struct bs_event *ev, struct bs_action *act);

/* session.c */
enum bs_state bs_make_plan(struct bs_session *s, uint32_t now_ms, struct bs_action *act);

/* session_handoff.c */
/* Next comes keep, hand-off or the first write. */
enum bs_state bs_after_plan(struct bs_session *s, uint32_t now_ms, struct bs_action *act);
enum bs_state bs_on_keep(struct bs_session *s, const struct bs_event *ev, struct bs_action *act);
enum bs_state bs_on_handoff(struct bs_session *s, const struct bs_event *ev, struct bs_action *act);
/* Finish, or first the note that it comes. */
enum bs_state bs_start_finish(struct bs_session *s, uint32_t now_ms, struct bs_action *act);
enum bs_state bs_on_settle(struct bs_session *s, const struct bs_event *ev, struct bs_action *act);

#endif
