/*
 * What happens, as it happens: server-sent events. There is one ring of them for all; each listener
 * has a place in it. Who falls out of the ring is told so and let go: memory is bounded whoever
 * reads.
 */
#include <inttypes.h>
#include <jansson.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/api/internal.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"

#define RING_EVENTS 4096
#define KEPT_MS 120000 /* without a listener: so long is remembered for one that comes back */
#define CLIENTS_MAX 64
#define BLOCK 16384

struct client {
	struct client *next, *prev;
	struct events *ev;
	struct MHD_Connection *conn;
	uint64_t at;        /* number of the next event it gets */
	const char *notice; /* static; comes first */
	struct gbuf out;    /* what is half sent */
	size_t sent;
	bool suspended, last; /* last: it ends when out is empty */
};

struct events {
	struct api *api;
	char *ring[RING_EVENTS]; /* number n lies at n modulo RING_EVENTS */
	uint64_t first, next;    /* numbers: rising, from one start of the daemon to the next too */
	struct client *clients;
	size_t n_clients;
	uint64_t left_ms; /* when the last listener left; 0: there was none yet */
	struct loop_timer *heartbeat;
	bool closed;
};

static void
wake(struct client *c)
{
	if (!c->suspended)
		return;
	c->suspended = false;
	api_resume(c->ev->api, c->conn);
}

static void
on_heartbeat(void *arg)
{
	struct events *ev = arg;

	for (struct client *c = ev->clients; c != NULL; c = c->next) {
		if (c->out.len == 0)
			gbuf_str(&c->out, ": still here\n\n");
		wake(c);
	}
}

enum err_code
events_new(struct api *a, struct events **out, struct err *e)
{
	struct events *ev = calloc(1, sizeof *ev);
	enum err_code rc;

	if (ev == NULL)
		return err_no_memory(e);
	ev->api = a;
	ev->first = ev->next = (uint64_t)clock_wall_ms() * 1000;
	rc = loop_timer_new(a->c.loop, on_heartbeat, ev, &ev->heartbeat, e);
	if (rc == ERR_OK) {
		loop_timer_start(ev->heartbeat, a->c.heartbeat_ms, a->c.heartbeat_ms);
		*out = ev;
	} else
		free(ev);
	return rc;
}

void
events_close(struct events *ev)
{
	ev->closed = true;
	loop_timer_free(ev->heartbeat);
	ev->heartbeat = NULL;
	for (struct client *c = ev->clients; c != NULL; c = c->next)
		wake(c);
}

void
events_free(struct events *ev)
{
	if (ev == NULL)
		return;
	for (size_t i = 0; i < RING_EVENTS; i++)
		free(ev->ring[i]);
	free(ev);
}

size_t
events_clients(const struct events *ev)
{
	return ev->n_clients;
}

/* Nobody listens, and nobody did lately: not worth the making. */
static bool
nobody_cares(struct events *ev)
{
	if (ev->n_clients > 0 ||
	    (ev->left_ms != 0 && loop_now_ms(ev->api->c.loop) - ev->left_ms < KEPT_MS))
		return ev->closed;
	ev->first = ++ev->next; /* whoever asks for it later is told that it is gone */
	return true;
}

static void
put(struct events *ev, const char *kind, json_t *data)
{
	char *text = data == NULL ? NULL : json_dumps(data, JSON_COMPACT);
	struct gbuf g = { 0 };
	char **place = &ev->ring[ev->next % RING_EVENTS];

	json_decref(data);
	if (text == NULL)
		return;
	gbuf_printf(&g, "id: %" PRIu64 "\nevent: %s\ndata: %s\n\n", ev->next, kind, text);
	free(text);
	free(*place);
	*place = (char *)g.data;
	ev->next++;
	if (ev->next - ev->first > RING_EVENTS)
		ev->first = ev->next - RING_EVENTS;
	for (struct client *c = ev->clients; c != NULL; c = c->next)
		wake(c);
}

/* ---- a listener ---- */

/* What it has not had yet, as much as is sent at once. */
static void
fill(struct client *c)
{
	struct events *ev = c->ev;

	if (c->notice != NULL)
		gbuf_str(&c->out, c->notice);
	c->notice = NULL;
	if (c->at < ev->first) {
		gbuf_str(&c->out, "event: dropped\ndata: {\"detail\":\"too slow: events were lost; "
		                  "ask again\"}\n\n");
		c->last = true;
		return;
	}
	for (; c->at < ev->next && c->out.len < BLOCK; c->at++) {
		const char *text = ev->ring[c->at % RING_EVENTS];

		if (text != NULL)
			gbuf_str(&c->out, text);
	}
}

static ssize_t
on_read(void *arg, uint64_t pos, char *buf, size_t max)
{
	struct client *c = arg;
	size_t n;

	(void)pos;
	if (c->sent == c->out.len && !c->last) {
		gbuf_reset(&c->out);
		c->sent = 0;
	}
	if (c->out.len == 0 && c->ev->closed)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (c->sent == 0 && !c->last)
		fill(c);
	n = MIN(max, c->out.len - c->sent);
	if (n == 0 && (c->last || c->out.failed))
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n == 0) {
		c->suspended = true;
		MHD_suspend_connection(c->conn);
		return 0;
	}
	memcpy(buf, c->out.data + c->sent, n);
	c->sent += n;
	return (ssize_t)n;
}

static void
on_free(void *arg)
{
	struct client *c = arg;

	if (c->next != NULL)
		c->next->prev = c->prev;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		c->ev->clients = c->next;
	if (--c->ev->n_clients == 0)
		c->ev->left_ms = MAX(loop_now_ms(c->ev->api->c.loop), 1);
	gbuf_clear(&c->out);
	free(c);
}

static struct client *
client_new(struct events *ev, struct MHD_Connection *conn)
{
	struct client *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	*c = (struct client){
		.ev = ev, .conn = conn, .at = ev->next, .next = ev->clients, .out.max = 1 << 20
	};
	c->notice = ": listening\n\n";
	if (ev->clients != NULL)
		ev->clients->prev = c;
	ev->clients = c;
	ev->n_clients++;
	return c;
}

/* From behind the last that it had; when that is no longer there it is told so. */
static bool
resume_from(struct req *r, struct client *c)
{
	const char *last = MHD_lookup_connection_value(r->conn, MHD_HEADER_KIND, "Last-Event-ID");
	uint64_t id;

	if (last == NULL)
		return true;
	if (!str_to_u64(last, strlen(last), 0, UINT64_MAX - 1, &id))
		return false;
	c->at = MIN(id + 1, c->ev->next);
	if (c->at < c->ev->first) {
		c->at = c->ev->first;
		c->notice =
		    "event: gap\ndata: {\"detail\":\"earlier events are no longer kept\"}\n\n";
	}
	return true;
}

void
get_events(struct req *r)
{
	struct events *ev = r->api->events;
	struct client *c = ev->n_clients < CLIENTS_MAX ? client_new(ev, r->conn) : NULL;
	struct MHD_Response *m;

	if (c == NULL) {
		answer_fail(r, 0, ERR_BUSY, "%d listeners already", CLIENTS_MAX);
		return;
	}
	if (!resume_from(r, c)) {
		on_free(c);
		answer_fail(r, 0, ERR_USAGE, "Last-Event-ID: must be a whole number");
		return;
	}
	m = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, on_read, c, on_free);
	if (m == NULL) {
		on_free(c);
		answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
		return;
	}
	(void)MHD_add_response_header(m, "Content-Type", "text/event-stream");
	(void)MHD_add_response_header(m, "Cache-Control", "no-store");
	(void)MHD_add_response_header(m, "Connection", "close");
	answer_response(r, 200, m);
}

/* ---- what is told ---- */

void
api_record(struct api *a, const struct bs_record *r)
{
	if (a != NULL && !nobody_cares(a->events))
		put(a->events, "session", json_of_session(r));
}

static const char *
change_name(const struct store_feed *f)
{
	switch (f->kind) {
	case STORE_FEED_DEVICE:
	case STORE_FEED_PROFILE:
		return "changed";
	case STORE_FEED_NO_DEVICE:
	case STORE_FEED_NO_PROFILE:
		return "removed";
	case STORE_FEED_STATE:
		return store_state_name(f->state);
	case STORE_FEED_IDENTITY:
	case STORE_FEED_NO_IDENTITY:
	case STORE_FEED_ANCHOR:
	case STORE_FEED_REVOKED:
	case STORE_FEED_REGISTRY_KEY:
		return NULL;
	}
	return NULL;
}

void
api_feed(struct api *a, const struct store_feed *f)
{
	const char *change = change_name(f);
	bool profile = f->kind == STORE_FEED_PROFILE || f->kind == STORE_FEED_NO_PROFILE;

	if (a == NULL || change == NULL || nobody_cares(a->events))
		return;
	json_t *j = json_object();
	json_put(j, profile ? "profile" : "endpoint", json_text(f->name));
	json_put(j, "change", json_text(change));
	json_put(j, "seq", json_u64(f->seq));
	put(a->events, profile ? "profile" : "device", j);
}
