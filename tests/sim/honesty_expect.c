/* What each cell of the honesty matrix must end with. */
#include "tests/sim/honesty.h"

#include <string.h>

const struct step_row steps[STEPS] = {
	[REQUEST] = { "request", "", BS_LOOKUP, BS_STEP_LOOKUP }, /* it is here, and not yet let in */
	[DISCOVER] = { "discover", "GET /", BS_DISCOVER, BS_STEP_DISCOVER },
	[DELETE_0] = { "delete /0", "DELETE /0", BS_WRITE, BS_STEP_DELETE },
	[DELETE_1] = { "delete /1", "DELETE /1", BS_WRITE, BS_STEP_DELETE },
	[WRITE_0] = { "write /0/1", "PUT /0/1", BS_WRITE, BS_STEP_WRITE },
	[WRITE_1] = { "write /1/0", "PUT /1/0", BS_WRITE, BS_STEP_WRITE },
	[VERIFY_LIST] = { "verify by discover", "GET /", BS_VERIFY_DISCOVER, BS_STEP_VERIFY },
	[VERIFY_READ] = { "verify by read", "GET /1", BS_VERIFY_READ, BS_STEP_VERIFY },
	[FINISH] = { "finish", "POST /bs", BS_FINISH, BS_STEP_FINISH },
};

/* Clients without Discover or Read say so with one of these: they are provisioned all the same. */
static bool
not_served(uint8_t code)
{
	static const uint8_t codes[] = { 0x80, 0x81, 0x84, 0x85, 0x86, 0x8f, 0xa1 };

	return memchr(codes, code, sizeof codes) != NULL;
}

bool
goes_on(enum step at, uint8_t code)
{
	switch (at) {
	case REQUEST:
		return true; /* nothing was asked yet: an answer to nothing */
	case DISCOVER:
	case VERIFY_READ:
		return not_served(code);
	case DELETE_0:
	case DELETE_1:
		return code == 0x80 || code == 0x85; /* then instance by instance */
	case WRITE_0:
	case WRITE_1:
		return code == 0x8f; /* then in another format */
	case FINISH:
		return code == 0x86; /* one correction */
	case VERIFY_LIST:
	case STEPS:
		return false;
	}
	return false;
}

static struct expected
failed(enum bs_reason reason, enum step at, uint8_t code)
{
	enum bs_step step = at < STEPS ? steps[at].step : BS_STEP_NONE;

	return (struct expected){ BS_VERDICT_FAILED, reason, step, code };
}

static const struct expected well = { BS_VERDICT_PROVISIONED, BS_REASON_NONE, BS_STEP_FINISH, 0x44 };

/* Nobody waits for an answer yet, and an operator cancels only what was let in. */
static bool
is_nothing_at_request(enum bs_event_type event)
{
	return event == BS_EV_NO_ANSWER || event == BS_EV_RESET || event == BS_EV_SEND_FAILED || event == BS_EV_CANCEL;
}

static struct expected
expect_event(enum step at, enum bs_event_type event)
{
	static const struct {
		enum bs_event_type event;
		enum bs_verdict verdict;
		enum bs_reason reason;
	} rows[] = {
		{ BS_EV_NO_ANSWER, BS_VERDICT_FAILED, BS_REASON_NO_ANSWER },
		{ BS_EV_RESET, BS_VERDICT_FAILED, BS_REASON_RESET },
		{ BS_EV_SEND_FAILED, BS_VERDICT_FAILED, BS_REASON_SEND },
		{ BS_EV_SUPERSEDED, BS_VERDICT_CANCELLED, BS_REASON_SUPERSEDED },
		{ BS_EV_PEER_GONE, BS_VERDICT_FAILED, BS_REASON_PEER_GONE },
		{ BS_EV_DEADLINE, BS_VERDICT_FAILED, BS_REASON_DEADLINE },
		{ BS_EV_CANCEL, BS_VERDICT_CANCELLED, BS_REASON_OPERATOR },
	};

	if (at == REQUEST && is_nothing_at_request(event))
		return well;
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		if (rows[i].event == event)
			return (struct expected){ rows[i].verdict, rows[i].reason, steps[at].step, 0 };
	return (struct expected){ .verdict = BS_VERDICT_NONE };
}

bool
is_look(enum step at)
{
	return at == DISCOVER || at == VERIFY_LIST || at == VERIFY_READ;
}

/* What comes with the request is its query, and who says it. */
static struct expected
expect_bad_request(enum kind kind)
{
	if (kind == GARBAGE)
		return (struct expected){ BS_VERDICT_REFUSED, BS_REASON_BAD_REQUEST, BS_STEP_REQUEST, 0x80 };
	if (kind == WRONG_FORMAT)
		return (struct expected){ BS_VERDICT_REFUSED, BS_REASON_UNSUPPORTED_FORMAT, BS_STEP_REQUEST, 0x8f };
	return (struct expected){ BS_VERDICT_REFUSED, BS_REASON_IDENTITY_MISMATCH, BS_STEP_LOOKUP, 0x80 };
}

static struct expected
expect_content(enum step at)
{
	switch (at) {
	case VERIFY_LIST:
		return failed(BS_REASON_MISSING, at, 0);
	case VERIFY_READ:
		return failed(BS_REASON_DIFFERENT, at, 0);
	case REQUEST:
	case DISCOVER: /* two accounts of bootstrap servers */
	case DELETE_0:
	case DELETE_1:
	case WRITE_0:
	case WRITE_1:
	case FINISH: /* content, where there is none to give */
	case STEPS:
		return failed(BS_REASON_BAD_RESPONSE, at, 0x45);
	}
	return failed(BS_REASON_NONE, at, 0);
}

/* Only Finish can be answered 4.06 twice. */
bool
expect(enum step at, const struct stimulus *s, struct expected *out)
{
	switch (s->kind) {
	case ANSWER:
		*out = goes_on(at, s->code) ? well :
		    failed(s->code == 0x43 ? BS_REASON_BAD_RESPONSE : BS_REASON_ERROR_RESPONSE, at, s->code);
		return true;
	case TWICE_406:
		*out = failed(BS_REASON_INCONSISTENT, FINISH, 0x86);
		return at == FINISH;
	case GARBAGE:
	case WRONG_FORMAT:
		if (at == REQUEST)
			*out = expect_bad_request(s->kind);
		else /* a payload behind a 2.04 or 2.02 says nothing */
			*out = is_look(at) ? failed(BS_REASON_BAD_RESPONSE, at, 0x45) : well;
		return true;
	case WRONG_CONTENT:
		*out = at == REQUEST ? expect_bad_request(s->kind) : expect_content(at);
		return true;
	case EVENT:
		*out = expect_event(at, s->event);
		return true;
	}
	return false;
}
