#include "lwm2m-prov/events.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "lwm2m-prov/interrupt.h"
#include "lwm2m-prov/remote.h"

#define TRIES 60 /* a daemon that is started anew lets sessions end first */
#define WAIT_MS 1000
#define DATA_MAX ((size_t)1 << 20)

struct listening {
	event_fn *on_event;
	void *arg;
	char kind[32], last_id[32];
	struct gbuf data;
	bool ended; /* on_event had enough */
	bool heard; /* something came on this connection */
	bool ever;  /* or on one before */
	long status;
};

/* The empty line behind an event. */
static bool
dispatch(struct listening *l)
{
	json_t *data;

	if (l->data.len == 0)
		return true;
	data = json_loadb(gbuf_cstr(&l->data), l->data.len, 0, NULL);
	const struct event ev = { .kind = l->kind, .data = data };
	bool more = !json_is_object(data) || l->on_event(l->arg, &ev);
	json_decref(data);
	gbuf_reset(&l->data);
	l->kind[0] = '\0';
	return more;
}

static void
take_field(struct listening *l, const char *line)
{
	const char *value = strchr(line, ':');
	size_t n = value != NULL ? (size_t)(value - line) : strlen(line);

	value = value == NULL ? "" : value[1] == ' ' ? value + 2 : value + 1;
	if (n == 2 && memcmp(line, "id", n) == 0)
		(void)snprintf(l->last_id, sizeof l->last_id, "%s", value);
	else if (n == 5 && memcmp(line, "event", n) == 0)
		(void)snprintf(l->kind, sizeof l->kind, "%s", value);
	else if (n == 4 && memcmp(line, "data", n) == 0) {
		gbuf_str(&l->data, l->data.len > 0 ? "\n" : "");
		gbuf_str(&l->data, value);
	}
}

static bool
on_line(void *arg, const char *line, size_t n)
{
	struct listening *l = arg;

	if (line == NULL)
		l->ended = !l->on_event(l->arg, NULL);
	else if (l->status != 200)
		gbuf_put(&l->data, line, n);
	else {
		l->heard = true;
		if (n == 0)
			l->ended = !dispatch(l);
		else
			take_field(l, line);
	}
	return !l->ended;
}

static enum err_code
listen_once(struct client *c, struct listening *l, struct err *e)
{
	enum err_code rc;

	l->heard = false;
	gbuf_reset(&l->data);
	rc = client_stream(
	    c, "/v1/events", l->last_id[0] != '\0' ? l->last_id : NULL, on_line, l, &l->status, e);
	if (rc == ERR_OK && !l->ended) {
		const struct client_answer a = { .status = l->status, .body = l->data };
		rc = remote_problem(&a, e);
	}
	return rc;
}

enum err_code
events_listen(struct client *c, event_fn *on_event, void *arg, struct err *e)
{
	struct listening l = { .on_event = on_event, .arg = arg, .data = { .max = DATA_MAX } };
	enum err_code rc;
	int tries = 0;

	for (;;) {
		rc = listen_once(c, &l, e);
		tries = l.heard ? 1 : tries + 1;
		l.ever |= l.heard;
		if (l.ended || (rc != ERR_CLOSED && rc != ERR_UNREACHABLE && rc != ERR_BUSY) ||
		    tries >= TRIES || !l.ever || interrupted())
			break;
		(void)poll(NULL, 0, WAIT_MS);
		*e = (struct err){ 0 };
		l.ended = !on_event(arg, NULL); /* whoever listens may have waited long enough */
		if (l.ended)
			break;
	}
	gbuf_clear(&l.data);
	return l.ended ? ERR_OK : rc;
}
