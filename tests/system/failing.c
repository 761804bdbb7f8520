/*
 * The daemon with points at which it is killed: linked of the daemon's own objects, with the functions of
 * a hand-off's stages wrapped. It is as it is until the first hand-off of a session is asked for; from then
 * on each pass of a point counts.
 *
 *	FAILPOINTS=FILE     a line "NAME NUMBER" is added for each pass
 *	FAILPOINT=NAME#N    at the N-th pass of that point it kills itself: as kill -9, nothing is tidied up
 *
 * Points: each step of a row's state machine, each request to an LwM2M Server and its answer, each request
 * to the device, each commit of the store: all "before" and "after".
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bsserver/handoff/handoff.h"
#include "bsserver/handoff/run.h"
#include "bsserver/store/sqlite_db.h"
#include "bsserver/transport/transport.h"

#define POINTS_MAX 64
#define NAME_MAX_LEN 48

static struct {
	pthread_mutex_t lock; /* commits are another thread's */
	bool counts;
	struct {
		char name[NAME_MAX_LEN];
		unsigned passed;
	} v[POINTS_MAX];
	size_t n;
} points = { .lock = PTHREAD_MUTEX_INITIALIZER };

static unsigned
pass(const char *name)
{
	size_t i = 0;

	while (i < points.n && strcmp(points.v[i].name, name) != 0)
		i++;
	if (i == POINTS_MAX)
		abort();
	if (i == points.n)
		(void)snprintf(points.v[points.n++].name, NAME_MAX_LEN, "%s", name);
	return ++points.v[i].passed;
}

static void
note(const char *line, size_t n)
{
	const char *file = getenv("FAILPOINTS");
	int fd = file == NULL ? -1 : open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return;
	if (write(fd, line, n) != (ssize_t)n)
		abort();
	(void)close(fd);
}

static void
point(const char *when, const char *what, const char *of)
{
	const char *wanted = getenv("FAILPOINT");
	char name[NAME_MAX_LEN], line[NAME_MAX_LEN + 16];

	(void)snprintf(name, sizeof name, "%s-%s%s%s", when, what, *of == 0 ? "" : "-", of);
	(void)pthread_mutex_lock(&points.lock);
	if (points.counts) {
		unsigned number = pass(name);
		int n = snprintf(line, sizeof line, "%s#%u", name, number);

		if (wanted != NULL && strcmp(wanted, line) == 0) {
			(void)kill(getpid(), SIGKILL);
			(void)pause();
		}
		line[n] = '\n';
		note(line, (size_t)n + 1);
	}
	(void)pthread_mutex_unlock(&points.lock);
}

/* ---- what is wrapped; the linker calls these in the place of those, and those by __real_ ---- */

#define WRAPPED(type, name, ...) \
	type __real_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__)

WRAPPED(void, handoff_ask, struct handoff *h, uint64_t session, const char *endpoint, struct handoff_want *v, size_t n)
{
	(void)pthread_mutex_lock(&points.lock);
	points.counts = true;
	(void)pthread_mutex_unlock(&points.lock);
	point("before", "ask", "");
	__real_handoff_ask(h, session, endpoint, v, n);
	point("after", "ask", "");
}

WRAPPED(bool, handoff_begin, struct store_handoff *h, const struct handoff_rules *r, struct secret *other, bool late,
    uint64_t session, int64_t now_ms, struct handoff_outcome *out)
{
	bool begun;

	point("before", "step", "begin");
	begun = __real_handoff_begin(h, r, other, late, session, now_ms, out);
	point("after", "step", "begin");
	return begun;
}

WRAPPED(void, handoff_step, struct store_handoff *h, const struct handoff_rules *r, const struct handoff_step *s,
    struct handoff_outcome *out)
{
	point("before", "step", handoff_event_name(s->event));
	__real_handoff_step(h, r, s, out);
	point("after", "step", handoff_event_name(s->event));
}

WRAPPED(void, handoff_end, struct handoff *h, uint64_t session, enum handoff_event how)
{
	point("before", "end", handoff_event_name(how));
	__real_handoff_end(h, session, how);
	point("after", "end", handoff_event_name(how));
}

struct asked {
	handoff_run_fn *done;
	void *arg;
	enum handoff_call call;
};

static void
on_answer(void *arg, enum handoff_word word, const struct err *why)
{
	struct asked a = *(struct asked *)arg;

	free(arg);
	point("before", "answer", handoff_call_name(a.call));
	a.done(a.arg, word, why);
	point("after", "answer", handoff_call_name(a.call));
}

WRAPPED(void, handoff_run, struct handoff_runner *r, const struct handoff_order *o, handoff_run_fn *done, void *arg)
{
	struct asked *a = malloc(sizeof *a);

	if (a == NULL)
		abort();
	*a = (struct asked){ done, arg, o->call };
	point("before", "server", handoff_call_name(o->call));
	__real_handoff_run(r, o, on_answer, a);
	point("after", "server", handoff_call_name(o->call));
}

WRAPPED(void, transport_send, struct transport *t, uint64_t peer, const struct transport_out *o, uint64_t tag,
    transport_answer_fn *fn, void *arg)
{
	point("before", "device", "");
	__real_transport_send(t, peer, o, tag, fn, arg);
	point("after", "device", "");
}

WRAPPED(enum err_code, sq_exec_query, struct sq_db *db, enum sq_query q, struct err *e)
{
	enum err_code rc;

	if (q == SQ_COMMIT)
		point("before", "commit", "");
	rc = __real_sq_exec_query(db, q, e);
	if (q == SQ_COMMIT)
		point("after", "commit", "");
	return rc;
}
