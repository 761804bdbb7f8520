/*
 * wait: until the current revision of devices has reached them. What is asked is their state, so
 * nothing can be missed; the daemon's events only say when it is worth asking again.
 */
#include <poll.h>
#include <stdlib.h>

#include <jansson.h>

#include "lib/base/clock.h"
#include "lwm2m-prov/events.h"
#include "lwm2m-prov/interrupt.h"
#include "lwm2m-prov/output.h"
#include "lwm2m-prov/remote.h"
#include "lwm2m-prov/select.h"

#define ASK_AGAIN_MS 5000
#define WAIT_SECONDS 600
#define SETTLE_MS 160

struct waited {
	const char *endpoint; /* borrowed */
	bool reached, ask, known;
	json_int_t first_session; /* the newest one when we began; -1 before */
};

struct waiting {
	struct cli *cli;
	struct client *events;
	const char *goal;
	struct waited *v;
	size_t n, left, failed;
	bool away; /* nobody answers, and that was said */
	uint64_t deadline_ms, again_ms;
	struct err *e;
	enum err_code rc;
};

/* clang-format off */
static const struct out_field row_fields[] = {
	{ "endpoint", "endpoint", OUT_PLAIN, NULL },
	{ "result", "result", OUT_PLAIN, NULL },
	{ "reason", "reason", OUT_PLAIN, NULL },
	{ "detail", "detail", OUT_PLAIN, NULL },
};
/* clang-format on */
static const struct out_view row_view = { row_fields, N_ELEMS(row_fields) };

static bool
has_reached(const struct waiting *w, const json_t *device)
{
	const char *state = json_string_value(json_object_get(device, "state"));

	if (strcmp(w->goal, "blocked") == 0)
		return state != NULL && strcmp(state, "blocked") == 0;
	if (strcmp(w->goal, "registered") == 0 && !json_is_true(json_object_get(device, "registered")))
		return false;
	/* what is confirmed was written too */
	return json_is_true(json_object_get(device, "provisioned")) ||
	       (strcmp(w->goal, "written") == 0 &&
	           json_is_true(json_object_get(device, "written")));
}

/* That session was to bring the current revision; and no other has begun since. */
static bool
is_current(const json_t *last, const json_t *device)
{
	json_int_t brought = json_integer_value(json_object_get(last, "revision"));

	return brought > 0 && brought >= json_integer_value(json_object_get(device, "current_revision")) &&
	       json_is_null(json_object_get(device, "live"));
}

/*
 * The newest session did not end well, and counts: it ended after we began, or the device was quicker
 * than whoever called us, and nothing has changed since.
 */
static bool
has_failed(struct waited *d, const json_t *device)
{
	const json_t *last = json_object_get(device, "last_session");
	const char *verdict = json_string_value(json_object_get(last, "verdict"));
	json_int_t id = json_integer_value(json_object_get(last, "id"));

	if (d->first_session < 0)
		d->first_session = id;
	return (id != d->first_session || is_current(last, device)) && verdict != NULL &&
	       (strcmp(verdict, "failed") == 0 || strcmp(verdict, "refused") == 0);
}

static void
print_row(struct waiting *w, const struct waited *d, const char *result, const json_t *device)
{
	const json_t *last = json_object_get(device, "last_session");
	bool failed = strcmp(result, "failed") == 0;
	json_t *row = json_pack("{s:s, s:s, s:O?, s:O?, s:O?}", "endpoint", d->endpoint, "result",
	    result, "reason", failed ? json_object_get(last, "reason") : NULL, "detail",
	    failed ? json_object_get(last, "detail") : NULL, "revision",
	    json_object_get(device, "current_revision"));

	out_row(w->cli->out, &row_view, row);
	json_decref(row);
}

/* A daemon that answered before is being started anew; the deadline says how long that may take. */
static bool
may_come_back(const struct waited *d, enum err_code rc)
{
	return d->known && (rc == ERR_UNREACHABLE || rc == ERR_CLOSED || rc == ERR_BUSY);
}

static enum err_code
ask(struct waiting *w, struct waited *d)
{
	struct gbuf path = { 0 };
	json_t *device = NULL;
	enum err_code rc;

	remote_path(&path, "/v1/devices/", d->endpoint, "");
	rc = remote_get(w->cli, gbuf_cstr(&path), &device, w->e);
	d->ask = false;
	if (may_come_back(d, rc)) {
		if (!w->away)
			out_note(w->cli->out, "%s; waiting for it to come back", w->e->msg);
		w->away = true;
		*w->e = (struct err){ 0 };
		rc = ERR_OK;
	} else if (rc != ERR_OK)
		(void)err_wrap(w->e, "%s", d->endpoint);
	else if (has_reached(w, device)) {
		d->reached = true;
		w->left--;
		print_row(w, d, w->goal, device);
	} else if (has_failed(d, device) && cli_has(w->cli, OPT_FAIL_FAST)) {
		w->failed++;
		print_row(w, d, "failed", device);
	}
	d->known |= device != NULL;
	w->away = w->away && device == NULL;
	json_decref(device);
	gbuf_clear(&path);
	return rc;
}

static void
ask_all(struct waiting *w)
{
	bool all = clock_mono_ms() >= w->again_ms;

	for (size_t i = 0; w->rc == ERR_OK && w->failed == 0 && i < w->n; i++)
		if (!w->v[i].reached && (all || w->v[i].ask))
			w->rc = ask(w, &w->v[i]);
	if (all)
		w->again_ms = clock_mono_ms() + ASK_AGAIN_MS;
}

static void
mark(struct waiting *w, const struct event *ev)
{
	const char *ep = json_string_value(json_object_get(ev->data, "endpoint"));

	/* a profile may change any of them, and so may what was missed */
	for (size_t i = 0; i < w->n; i++)
		if (ep == NULL || strcmp(w->v[i].endpoint, ep) == 0)
			w->v[i].ask = true;
}

static bool
is_over(const struct waiting *w)
{
	return w->rc != ERR_OK || w->left == 0 || w->failed > 0 || interrupted() ||
	       clock_mono_ms() >= w->deadline_ms;
}

static bool
someone_asks(const struct waiting *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->v[i].ask && !w->v[i].reached)
			return true;
	return false;
}

/* An event may be a little ahead of the store: those it is about are asked some times. */
static void
ask_until_settled(struct waiting *w, const struct event *ev)
{
	for (int ms = 10; !is_over(w) && ms <= SETTLE_MS && someone_asks(w); ms *= 2) {
		ask_all(w);
		mark(w, ev);
		if (!is_over(w) && someone_asks(w))
			(void)poll(NULL, 0, ms);
	}
}

static bool
on_event(void *arg, const struct event *ev)
{
	struct waiting *w = arg;

	if (ev != NULL) {
		mark(w, ev);
		ask_until_settled(w, ev);
	}
	if (!is_over(w))
		ask_all(w);
	return !is_over(w);
}

static enum prov_exit
conclude(struct waiting *w)
{
	if (w->rc != ERR_OK)
		return exit_of(w->rc);
	if (w->left == 0)
		return EXIT_DONE;
	if (w->failed > 0) {
		err_set(w->e, ERR_INTERNAL,
		    "wait: a session failed; lwm2m-prov why ENDPOINT says more");
		return EXIT_FAILED;
	}
	if (interrupted())
		return EXIT_INTERRUPTED;
	err_set(w->e, ERR_TIMEOUT, "wait: not %s yet: %zu of %zu", w->goal, w->left, w->n);
	return EXIT_TIMEOUT;
}

enum prov_exit
cmd_wait(struct cli *cli, struct err *e)
{
	struct waiting w = { .cli = cli,
		.goal = cli_text(cli, OPT_FOR),
		.e = e,
		.deadline_ms = clock_mono_ms() + cli_timeout(cli, WAIT_SECONDS) * 1000 };
	struct selected who;
	struct client *c;
	enum prov_exit end;

	interrupt_watch();
	w.rc = select_devices(cli, &who, e);
	w.n = w.left = who.n;
	w.v = who.n > 0 ? calloc(who.n, sizeof *w.v) : NULL;
	if (w.rc == ERR_OK)
		w.rc = w.v == NULL ? err_no_memory(e) : cli_client(cli, &c, e);
	for (size_t i = 0; w.rc == ERR_OK && i < w.n; i++)
		w.v[i] = (struct waited){ .endpoint = who.v[i], .first_session = -1 };
	if (w.rc == ERR_OK)
		w.rc = client_open(client_socket(c), WAIT_SECONDS, &w.events, e);
	if (w.rc == ERR_OK)
		ask_all(&w);
	if (!is_over(&w)) {
		enum err_code rc = events_listen(w.events, on_event, &w, e);
		w.rc = w.rc != ERR_OK ? w.rc : rc;
	}
	end = conclude(&w);
	client_close(w.events);
	free(w.v);
	selected_clear(&who);
	return end;
}
