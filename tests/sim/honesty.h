/*
 * tests/sim/honesty.h: the honesty matrix: its steps, what may happen there, and what must follow.
 */
#ifndef TESTS_SIM_HONESTY_H
#define TESTS_SIM_HONESTY_H

#include "bsserver/bootstrap/session.h"

/* The steps of a device that holds one foreign account and is given ours, policy replace. */
enum step { REQUEST, DISCOVER, DELETE_0, DELETE_1, WRITE_0, WRITE_1, VERIFY_LIST, VERIFY_READ, FINISH, STEPS };

struct step_row {
	const char *name, *request;
	enum bs_state state;
	enum bs_step step;
};
extern const struct step_row steps[STEPS];

/* What happens there instead of the right answer. */
enum kind { ANSWER, GARBAGE, WRONG_FORMAT, WRONG_CONTENT, EVENT, TWICE_406 };

struct stimulus {
	const char *name;
	enum kind kind;
	uint8_t code;
	enum bs_event_type event;
};

struct expected {
	enum bs_verdict verdict;
	enum bs_reason reason;
	enum bs_step step;
	uint8_t code;
};

/* From the protocol, not from the machine. false: there is no such cell. */
bool expect(enum step at, const struct stimulus *s, struct expected *out);
/* That answer to that step does not end the session. */
bool goes_on(enum step at, uint8_t code);
/* Discover or Read. */
bool is_look(enum step at);

#endif
