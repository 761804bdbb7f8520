#include "tests/sim/fleet.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "tests/sim/coapmsg.h"
#include "tests/sim/report.h"

#define NEVER UINT64_MAX
#define STARTS_PER_PASS 64
#define DTLS_PAUSE_MS 20 /* between looks at a handshake's timer */
#define LINGERING_MAX 4096 /* devices that are over and still answer, besides those at work */

struct fleet;

struct slot {
	struct fleet *fleet;
	struct device *device; /* NULL: free */
	struct net_peer peer;
	struct dtls_policy *policy; /* its own; NULL: that of all */
	struct dtls *dtls, *dead; /* dead: to be freed when nothing of it runs any more */
	bool inside;              /* a callback of dtls or device may be running */
	bool final;               /* over, not counted yet */
	bool lingers;             /* over and counted */
	struct leg *leg;          /* it is registered, or about to be */
	bool leg_over, leg_begins; /* it has said its last; it is to be made */
	enum registrar_event leg_said;
	uint64_t stay_until; /* registered for the last time; NEVER before */
	unsigned repeats;         /* to come */
	uint64_t begun_us, over_us, free_at;
	struct device_stats before;
	uint64_t due;
	size_t heap_at;
};

struct fleet {
	const struct fleet_config *cfg;
	struct net *net;
	struct after *after; /* NULL: nobody registers */
	struct slot *slots;
	size_t n_slots;
	struct slot **free_slots; /* a stack */
	size_t n_free;
	struct slot **heap; /* by due */
	size_t n_heap;
	unsigned started, active;
	uint64_t now_ms;
	uint64_t seed;
	struct report report;
};

/* --- Names ------------------------------------------------------------------------------------ */

bool
fleet_name(const char *pattern, unsigned number, struct gbuf *out)
{
	const char *p = strchr(pattern, '%');
	if (p == NULL || strchr(p + 1, '%') != NULL)
		return false;
	int width = 0;
	const char *at = p + 1;
	for (; *at >= '0' && *at <= '9' && width < 100; at++)
		width = width * 10 + *at - '0';
	if (*at != 'u' || width > 32)
		return false;
	gbuf_put(out, pattern, (size_t)(p - pattern));
	gbuf_printf(out, p[1] == '0' ? "%0*u" : "%*u", width, number);
	gbuf_str(out, at + 1);
	return true;
}

static void
fill_in(const char *s, const char *endpoint, struct gbuf *out)
{
	for (; *s != '\0'; s++) {
		if (s[0] == '%' && s[1] == 'e') {
			gbuf_str(out, endpoint);
			s++;
		} else {
			gbuf_u8(out, (uint8_t)*s);
		}
	}
}

void
fleet_identity(const struct fleet_config *cfg, const char *endpoint, struct gbuf *out)
{
	fill_in(cfg->identity == NULL ? "%e" : cfg->identity, endpoint, out);
}

/* --- A heap of slots by the time they want to be woken -------------------------------------------
 */

static void
heap_place(struct fleet *f, size_t i, struct slot *s)
{
	f->heap[i] = s;
	s->heap_at = i;
}

static void
heap_fix(struct fleet *f, size_t i)
{
	struct slot *s = f->heap[i];
	for (; i > 0 && s->due < f->heap[(i - 1) / 2]->due; i = (i - 1) / 2)
		heap_place(f, i, f->heap[(i - 1) / 2]);
	for (size_t c = 2 * i + 1; c < f->n_heap; c = 2 * i + 1) {
		if (c + 1 < f->n_heap && f->heap[c + 1]->due < f->heap[c]->due)
			c++;
		if (f->heap[c]->due >= s->due)
			break;
		heap_place(f, i, f->heap[c]);
		i = c;
	}
	heap_place(f, i, s);
}

static void
heap_add(struct fleet *f, struct slot *s)
{
	heap_place(f, f->n_heap++, s);
	heap_fix(f, s->heap_at);
}

static void
heap_remove(struct fleet *f, struct slot *s)
{
	struct slot *last = f->heap[--f->n_heap];
	if (last == s)
		return;
	heap_place(f, s->heap_at, last);
	heap_fix(f, last->heap_at);
}

/* --- What a device asks of its world
 * --------------------------------------------------------------- */

static void
drop_dtls(struct slot *s)
{
	if (s->dtls == NULL)
		return;
	if (s->inside && s->dead == NULL)
		s->dead = s->dtls;
	else
		dtls_free(s->dtls);
	s->dtls = NULL;
}

static void
on_wire(void *arg, const uint8_t *p, size_t n)
{
	struct slot *s = arg;
	net_send(s->fleet->net, &s->peer, p, n);
}

static void
on_send(void *arg, const uint8_t *p, size_t n)
{
	struct slot *s = arg;
	if (s->dtls != NULL)
		dtls_write(s->dtls, p, n);
	else if (!s->fleet->cfg->secure)
		on_wire(s, p, n);
}

/* A certificate of its own, read once. */
static enum err_code
own_policy(struct slot *s, struct err *e)
{
	const struct fleet_config *cfg = s->fleet->cfg;
	const char *endpoint = device_endpoint(s->device);
	struct gbuf cert = { 0 }, key = { 0 };
	enum err_code rc = ERR_OK;
	if (cfg->policy != NULL || s->policy != NULL)
		return ERR_OK;
	fill_in(cfg->certificate, endpoint, &cert);
	fill_in(cfg->private_key, endpoint, &key);
	s->policy = dtls_policy_new(cfg->cipher, e);
	if (s->policy == NULL)
		rc = ERR_CRYPTO;
	else
		rc = dtls_policy_certificate(s->policy, gbuf_cstr(&cert), gbuf_cstr(&key), false, e);
	gbuf_clear(&cert);
	gbuf_clear(&key);
	return rc;
}

static enum err_code
begin_dtls(struct slot *s, struct err *e)
{
	static const struct dtls_ops wire = { .send = on_wire };
	const struct fleet_config *cfg = s->fleet->cfg;
	struct gbuf identity = { 0 };
	struct secret key = SECRET_NONE;
	fleet_identity(cfg, device_endpoint(s->device), &identity);
	enum err_code rc = cfg->keys == NULL ? ERR_OK : keys_get(cfg->keys, gbuf_cstr(&identity), &key, e);
	if (rc == ERR_OK)
		rc = own_policy(s, e);
	if (rc == ERR_OK) {
		s->dtls = dtls_new(s->policy != NULL ? s->policy : cfg->policy, gbuf_cstr(&identity), &key, &wire, s, e);
		rc = s->dtls == NULL ? ERR_CRYPTO : ERR_OK;
	}
	if (rc == ERR_OK && dtls_run(s->dtls) == DTLS_FAILED)
		rc = err_set(e, ERR_CRYPTO, "%s", dtls_reason(s->dtls));
	secret_clear(&key);
	gbuf_clear(&identity);
	return rc;
}

static void
on_open(void *arg, bool new_port)
{
	struct slot *s = arg;
	struct fleet *f = s->fleet;
	struct err e = { ERR_OK, "" };
	enum err_code rc = ERR_OK;
	drop_dtls(s);
	if (!s->peer.open)
		rc = net_open(f->net, &s->peer, &e);
	else if (new_port)
		rc = net_reopen(f->net, &s->peer, &e);
	if (rc == ERR_OK && f->cfg->secure)
		rc = begin_dtls(s, &e);
	if (rc != ERR_OK)
		device_open_failed(s->device, f->now_ms, e.msg);
	else if (!f->cfg->secure)
		device_opened(s->device, f->now_ms);
}

static void
on_close(void *arg)
{
	struct slot *s = arg;
	if (s->dtls != NULL)
		dtls_bye(s->dtls);
	drop_dtls(s);
}

static const char *const event_names[] = {
	[DEVICE_EV_REQUEST] = "request",
	[DEVICE_EV_ACCEPTED] = "accepted",
	[DEVICE_EV_COMMAND] = "command",
	[DEVICE_EV_LIED] = "lie",
	[DEVICE_EV_FINISH_REJECTED] = "finish rejected",
	[DEVICE_EV_COMPLAINT] = "complaint",
	[DEVICE_EV_RETRY] = "retry",
	[DEVICE_EV_PROVISIONED] = "provisioned",
	[DEVICE_EV_REFUSED] = "refused",
	[DEVICE_EV_FAILED] = "failed",
};

static void
trace(const struct slot *s, const struct device_event *ev)
{
	const char *suite = s->dtls == NULL ? NULL : dtls_suite(s->dtls);
	(void)fprintf(stderr, "%8.3f %s %s", (double)(clock_mono_us() - s->begun_us) / 1000.0,
	    device_endpoint(s->device), event_names[ev->type]);
	if (ev->type == DEVICE_EV_REQUEST && suite != NULL)
		(void)fprintf(stderr, " over %s", suite);
	if (ev->type == DEVICE_EV_COMMAND)
		(void)fprintf(stderr, " %s", device_step_name(ev->step));
	if (ev->path != NULL)
		(void)fprintf(stderr, " %s", ev->path);
	if (ev->code != 0)
		(void)fprintf(stderr, " %s", coapmsg_code_str(ev->code).s);
	if (ev->type == DEVICE_EV_RETRY)
		(void)fprintf(
		    stderr, " in %llu ms", (unsigned long long)(ev->until_ms - ev->now_ms));
	bool says = ev->text != NULL && ev->text[0] != '\0';
	(void)fprintf(stderr, "%s%s\n", says ? ": " : "", says ? ev->text : "");
}

static void
on_event(void *arg, const struct device_event *ev)
{
	struct slot *s = arg;
	if (s->fleet->cfg->trace)
		trace(s, ev);
	if (device_event_is_final(ev) && !s->lingers) {
		s->final = true;
		s->over_us = clock_mono_us();
	}
}

/* --- The life of a slot
 * ---------------------------------------------------------------------------- */

static void
slot_free(struct slot *s)
{
	struct fleet *f = s->fleet;
	heap_remove(f, s);
	leg_end(s->leg);
	s->leg = NULL;
	on_close(s);
	dtls_policy_free(s->policy);
	net_close(f->net, &s->peer);
	device_free(s->device);
	s->device = NULL;
	f->free_slots[f->n_free++] = s;
}

static void
slot_begin(struct slot *s)
{
	s->begun_us = clock_mono_us();
	s->before = *device_stats(s->device);
	s->final = s->lingers = false;
	device_start(s->device, s->fleet->now_ms);
}

static void
slot_over(struct slot *s)
{
	struct fleet *f = s->fleet;
	s->final = false;
	report_device(&f->report, f->cfg, s->device, &s->before, s->over_us - s->begun_us);
	if (f->after != NULL && device_outcome(s->device) == DEVICE_WAS_PROVISIONED) {
		s->leg_begins = true;
		return;
	}
	if (s->repeats > 0) {
		s->repeats--;
		if (s->dtls != NULL)
			dtls_bye(s->dtls);
		slot_begin(s);
		return;
	}
	s->lingers = true;
	s->free_at = f->now_ms + f->cfg->linger_ms;
	f->active--;
}

/* --- Registered, and called back --------------------------------------------------------------
 */

static void
slot_done(struct slot *s)
{
	s->lingers = true;
	s->free_at = s->fleet->now_ms + s->fleet->cfg->linger_ms;
	s->fleet->active--;
}

static void
on_leg(void *arg, enum registrar_event ev, uint8_t code, const char *why)
{
	static const char *const names[] = { [REGISTRAR_REGISTERED] = "registered", [REGISTRAR_UPDATED] = "updated",
		[REGISTRAR_TRIGGERED] = "triggered", [REGISTRAR_REFUSED] = "registration refused",
		[REGISTRAR_UNANSWERED] = "registration unanswered" };
	struct slot *s = arg;
	struct report *r = &s->fleet->report;
	bool bad = ev == REGISTRAR_REFUSED || ev == REGISTRAR_UNANSWERED;
	if (s->fleet->cfg->trace || (bad && s->fleet->cfg->lines))
		(void)fprintf(stderr, "%8.3f %s %s %s%s%s\n", (double)(clock_mono_us() - s->begun_us) / 1000.0,
		    device_endpoint(s->device), names[ev], code != 0 ? coapmsg_code_str(code).s : "",
		    why[0] != '\0' ? ": " : "", why);
	r->registered += ev == REGISTRAR_REGISTERED;
	r->updates += ev == REGISTRAR_UPDATED;
	r->triggered += ev == REGISTRAR_TRIGGERED;
	r->register_refused += bad;
	r->unexpected += bad && s->fleet->cfg->expect != EXPECT_ANY;
	s->leg_over = s->leg_over || ev == REGISTRAR_TRIGGERED || bad;
	s->leg_said = ev;
	if (ev == REGISTRAR_REGISTERED && s->repeats == 0)
		s->stay_until = s->fleet->now_ms + s->fleet->cfg->stay_ms;
	s->due = 0; /* a look at it */
	heap_fix(s->fleet, s->heap_at);
}

static void
begin_leg(struct slot *s)
{
	struct fleet *f = s->fleet;
	struct err e = { ERR_OK, "" };
	s->leg_begins = s->leg_over = false;
	s->stay_until = NEVER;
	if (s->dtls != NULL)
		dtls_bye(s->dtls);
	s->leg = after_begin(f->after, s->device, f->now_ms, on_leg, s, &e);
	if (s->leg != NULL)
		return;
	(void)fprintf(stderr, "%s: cannot register: %s\n", device_endpoint(s->device), e.msg);
	f->report.unexpected++;
	f->report.register_refused++;
	slot_done(s);
}

static void
settle_leg(struct slot *s)
{
	if (s->leg_begins)
		begin_leg(s);
	if (s->leg == NULL || (!s->leg_over && s->fleet->now_ms < s->stay_until))
		return;
	bool again = s->leg_over && s->leg_said == REGISTRAR_TRIGGERED && s->repeats > 0;
	leg_end(s->leg);
	s->leg = NULL;
	s->leg_over = false;
	if (!again) {
		slot_done(s);
		return;
	}
	s->repeats--;
	slot_begin(s);
}

/* After anything happened to it. */
static void
slot_settle(struct slot *s)
{
	struct fleet *f = s->fleet;
	if (s->dead != NULL) {
		dtls_free(s->dead);
		s->dead = NULL;
	}
	for (int i = 0; i < 3 && s->final; i++)
		slot_over(s);
	settle_leg(s);
	if (s->lingers && f->now_ms >= s->free_at && device_is_quiet(s->device)) {
		slot_free(s);
		return;
	}
	int dtls = s->dtls == NULL ? -1 : dtls_timeout(s->dtls);
	uint64_t due = device_next(s->device);
	/* GnuTLS goes on saying 0 where it waits for the rest of a flight, and repeats nothing there */
	if (dtls >= 0)
		due = MIN(due, f->now_ms + MAX((uint64_t)dtls, (uint64_t)DTLS_PAUSE_MS));
	if (s->leg != NULL)
		due = MIN(due, MIN(s->stay_until, leg_next(s->leg, f->now_ms)));
	if (s->lingers)
		due = MIN(due, MAX(s->free_at, f->now_ms + 1));
	if (due == s->due)
		return;
	s->due = due;
	heap_fix(f, s->heap_at);
}

/* Its DTLS session went on; what does that mean to the device? */
static void
dtls_went_on(struct slot *s, struct dtls *d, bool was_handshake, enum dtls_state state)
{
	uint64_t now = s->fleet->now_ms;
	if (was_handshake && state == DTLS_READY)
		device_opened(s->device, now);
	else if (was_handshake && state == DTLS_FAILED)
		device_open_failed(s->device, now, dtls_reason(d));
	else if (!was_handshake && (state == DTLS_FAILED || state == DTLS_CLOSED))
		device_closed(s->device, now, dtls_reason(d));
}

static void
slot_input_dtls(struct slot *s, const uint8_t *bytes, size_t n)
{
	struct dtls *d = s->dtls;
	uint8_t plain[2048];
	bool was_handshake = dtls_timeout(d) >= 0;
	enum dtls_state state = dtls_input(d, bytes, n);
	if (was_handshake)
		dtls_went_on(s, d, true, state);
	size_t len = 0;
	while (s->dtls == d && (len = dtls_read(d, plain, sizeof plain)) > 0)
		device_input(s->device, s->fleet->now_ms, plain, len);
	if (s->dtls == d && state == DTLS_READY)
		dtls_went_on(s, d, false, dtls_run(d));
}

static void
on_input(void *ctx, struct net_peer *p, const uint8_t *bytes, size_t n)
{
	struct fleet *f = ctx;
	struct slot *s = p->arg;
	s->inside = true;
	if (s->dtls != NULL)
		slot_input_dtls(s, bytes, n);
	else if (!f->cfg->secure)
		device_input(s->device, f->now_ms, bytes, n);
	s->inside = false;
	slot_settle(s);
}

static void
slot_tick(struct slot *s)
{
	struct fleet *f = s->fleet;
	s->inside = true;
	if (s->dtls != NULL && dtls_timeout(s->dtls) == 0)
		dtls_went_on(s, s->dtls, true, dtls_run(s->dtls));
	if (device_next(s->device) <= f->now_ms)
		device_tick(s->device, f->now_ms);
	if (s->leg != NULL)
		leg_tick(s->leg, f->now_ms);
	s->inside = false;
	s->due = NEVER - 1; /* forces a look */
	slot_settle(s);
}

/* --- The whole
 * -------------------------------------------------------------------------------------- */

static enum err_code
start_one(struct fleet *f, struct err *e)
{
	static const struct device_ops ops = {
		.send = on_send, .open = on_open, .close = on_close, .event = on_event
	};
	struct gbuf name = { 0 };
	struct slot *s = f->free_slots[--f->n_free];
	const char *endpoint = f->cfg->endpoint;
	if (endpoint == NULL && fleet_name(f->cfg->pattern, f->cfg->first + f->started, &name))
		endpoint = gbuf_cstr(&name);
	*s = (struct slot){ .fleet = f, .repeats = f->cfg->repeat - !f->cfg->registered, .due = NEVER,
		.stay_until = NEVER, .leg_begins = f->cfg->registered };
	s->peer.arg = s;
	bool nameless = endpoint == NULL || endpoint[0] == '\0';
	s->device = device_new(&f->cfg->device, nameless ? NULL : endpoint,
	    f->seed + f->started * 0x9e3779b97f4a7c15U, &ops, s, e);
	gbuf_clear(&name);
	if (s->device == NULL)
		return ERR_NO_MEMORY;
	f->started++;
	f->active++;
	heap_add(f, s);
	if (f->cfg->registered)
		s->begun_us = clock_mono_us();
	else
		slot_begin(s);
	slot_settle(s);
	return ERR_OK;
}

/* How many may start now, by rate, concurrency and what is left. */
static unsigned
may_start(const struct fleet *f)
{
	const struct fleet_config *cfg = f->cfg;
	uint64_t n = MIN(cfg->count - f->started, cfg->concurrency - f->active);
	n = MIN(n, f->n_free);
	if (cfg->rate > 0) {
		double seconds = (double)(clock_mono_us() - f->report.begun_us) / 1e6;
		double due = seconds * cfg->rate + 1 - f->started;
		n = due < 1 ? 0 : MIN(n, (uint64_t)due);
	}
	return (unsigned)MIN(n, (uint64_t)STARTS_PER_PASS);
}

static int
poll_ms(const struct fleet *f)
{
	if (f->cfg->spin && f->active > 0)
		return 0;
	if (f->after != NULL) /* its sockets are not among those that are waited for */
		return 1;
	uint64_t due = f->n_heap == 0 ? f->now_ms + 100 : f->heap[0]->due;
	uint64_t ms = due <= f->now_ms ? 0 : MIN(due - f->now_ms, (uint64_t)100);
	bool more = f->started < f->cfg->count && f->active < f->cfg->concurrency && f->n_free > 0;
	return more ? (f->cfg->rate > 0 ? (int)MIN(ms, (uint64_t)1) : 0) : (int)ms;
}

static void
give_up(struct fleet *f, const char *why)
{
	for (size_t i = 0; i < f->n_slots; i++) {
		struct slot *s = &f->slots[i];
		if (s->device == NULL)
			continue;
		if (!s->lingers) {
			f->report.failed++;
			f->report.unexpected++;
			f->active--;
			(void)fprintf(stderr, "%s: %s\n", device_endpoint(s->device), why);
		}
		slot_free(s);
	}
	f->report.unexpected += f->cfg->count - f->started;
	f->started = f->cfg->count;
}

static enum err_code
run(struct fleet *f, struct err *e)
{
	uint64_t begun = f->now_ms;
	enum err_code rc = ERR_OK;
	while (rc == ERR_OK && (f->started < f->cfg->count || f->n_heap > 0)) {
		if (f->active == 0 && f->started == f->cfg->count && f->report.ended_us == 0)
			f->report.ended_us = clock_mono_us();
		for (unsigned n = may_start(f); n > 0 && rc == ERR_OK; n--)
			rc = start_one(f, e);
		net_poll(f->net, poll_ms(f));
		f->now_ms = clock_mono_ms();
		if (f->after != NULL)
			after_poll(f->after, f->now_ms);
		while (f->n_heap > 0 && f->heap[0]->due <= f->now_ms)
			slot_tick(f->heap[0]);
		report_progress(&f->report, f->cfg, f->active);
		if (f->cfg->stop != NULL && *f->cfg->stop)
			give_up(f, "interrupted");
		if (f->cfg->timeout_ms != 0 && f->now_ms - begun > f->cfg->timeout_ms)
			give_up(f, "still at work at the end of --timeout");
	}
	if (f->report.ended_us == 0)
		f->report.ended_us = clock_mono_us();
	net_flush(f->net);
	return rc;
}

static enum err_code
fleet_begin(struct fleet *f, const struct fleet_config *cfg, struct err *e)
{
	struct net_config net = cfg->net;
	f->cfg = cfg;
	f->seed = cfg->seed;
	f->now_ms = clock_mono_ms();
	f->n_slots = cfg->concurrency + (cfg->linger_ms > 0 ? LINGERING_MAX : 64);
	f->slots = calloc(f->n_slots, sizeof *f->slots);
	f->free_slots = calloc(f->n_slots, sizeof *f->free_slots);
	f->heap = calloc(f->n_slots, sizeof *f->heap);
	if (f->slots == NULL || f->free_slots == NULL || f->heap == NULL)
		return err_no_memory(e);
	for (size_t i = f->n_slots; i > 0; i--)
		f->free_slots[f->n_free++] = &f->slots[i - 1];
	if (cfg->after.registrar.ssid != 0) {
		f->after = after_new(&cfg->after);
		if (f->after == NULL)
			return err_no_memory(e);
	}
	net.max_peers = f->n_slots;
	net.seed = cfg->seed;
	f->net = net_new(&net, on_input, f, e);
	return f->net == NULL ? ERR_IO : report_begin(&f->report, cfg, e);
}

enum err_code
fleet_run(const struct fleet_config *cfg, bool *as_expected, struct err *e)
{
	struct fleet f = { 0 };
	enum err_code rc = fleet_begin(&f, cfg, e);
	if (rc == ERR_OK)
		rc = run(&f, e);
	if (rc == ERR_OK)
		report_print(&f.report, cfg, net_stats(f.net));
	*as_expected = rc == ERR_OK && f.report.unexpected == 0;
	for (size_t i = 0; i < f.n_slots && f.slots != NULL; i++)
		if (f.slots[i].device != NULL)
			slot_free(&f.slots[i]);
	report_end(&f.report);
	after_free(f.after);
	net_free(f.net);
	free(f.slots);
	free(f.free_slots);
	free(f.heap);
	return rc;
}
