#include "bsserver/handoff/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/loop/process.h"
#include "lib/base/str.h"
#include "lib/base/util.h"

#define TURNS_MAX 8 /* requests of one task */
#define SLACK_MS 2000 /* a server that waits for a device is given so much more to tell that it waited in vain */
#define ANSWER_MAX ((size_t)256 << 10)

struct handoff_task_run {
	struct handoff_task_run *prev, *next;
	struct handoff_runner *r; /* NULL: abandoned */
	bool posted;
	struct process *process; /* that runs for it; NULL */
	uint32_t timeout_ms;
	struct handoff_server *server; /* held */
	struct handoff_task task;
	char *endpoint, *account;
	struct secret cred;
	handoff_run_fn *done;
	void *arg;
	struct handoff_heard *heard;
	enum handoff_word word; /* of an end that is told in a turn of its own */
	struct err why;
};

static void
run_free(struct handoff_task_run *x)
{
	if (x->r != NULL && x->r->runs == x)
		x->r->runs = x->next;
	if (x->prev != NULL)
		x->prev->next = x->next;
	if (x->next != NULL)
		x->next->prev = x->prev;
	free(x->endpoint);
	free(x->account);
	secret_clear(&x->cred);
	secret_clear(&x->task.grant);
	handoff_server_release(x->server);
	free(x);
}

static void
end(struct handoff_task_run *x, enum handoff_word word, const struct err *why)
{
	handoff_run_fn *done = x->done;
	void *arg = x->arg;
	struct err said = word == HANDOFF_DONE ? (struct err){ 0 } : *why;

	if (x->heard != NULL)
		*x->heard = word == HANDOFF_DONE ? x->task.heard :
						   (struct handoff_heard){ word == HANDOFF_NO ? HANDOFF_SAID_NO : HANDOFF_SAID_NOBODY, 0 };
	run_free(x);
	done(arg, word, word == HANDOFF_DONE ? NULL : &said);
}

static void
on_posted(void *arg)
{
	struct handoff_task_run *x = arg;

	if (x->r == NULL)
		run_free(x);
	else
		end(x, x->word, &x->why);
}

static void
end_later(struct handoff_task_run *x, enum handoff_word word, const struct err *why)
{
	x->word = word;
	x->why = *why;
	x->posted = true;
	loop_post(x->r->loop, on_posted, x);
}

static void go_on(struct handoff_task_run *x, const struct handoff_reply *last, bool inside);

static void
on_answer(void *arg, const struct http_answer *a)
{
	struct handoff_task_run *x = arg;
	struct handoff_reply reply = { .status = a->status, .type = a->type, .body = a->body, .body_len = a->body_len };
	struct err why;

	if (a->error != ERR_OK) {
		(void)err_set(&why, a->error, "%s", a->detail);
		end(x, HANDOFF_LATER, &why);
		return;
	}
	go_on(x, &reply, false);
}

static void
on_program(void *arg, const struct process_end *p)
{
	struct handoff_task_run *x = arg;
	struct handoff_reply reply = { .status = p->status, .type = "", .body = p->out, .body_len = p->out_len };
	struct err why;

	x->process = NULL;
	if (p->error == ERR_OK) {
		go_on(x, &reply, false);
		return;
	}
	(void)err_set(&why, p->error, "the program %s", p->error == ERR_TIMEOUT ? "did not end in time" :
	    p->error == ERR_LIMIT ? "says more than it may" : "was ended by a signal");
	end(x, HANDOFF_LATER, &why);
}

static enum err_code
run_program(struct handoff_task_run *x, const struct handoff_request *q, struct err *e)
{
	const struct process_order o = { .argv = x->task.server->program, .input = q->body.data, .input_len = q->body.len,
		.max_output = ANSWER_MAX, .timeout_ms = x->timeout_ms };

	return process_run(x->r->loop, &o, on_program, x, &x->process, e);
}

static enum err_code
send(struct handoff_task_run *x, const struct handoff_request *q, struct err *e)
{
	const struct handoff_server *s = x->task.server;
	struct http_post p = {
		.url = gbuf_cstr(&q->url),
		.method = q->method,
		.content_type = q->type,
		.body = q->body.data,
		.body_len = q->body.len,
		.https = strncmp(gbuf_cstr(&q->url), "https:", 6) == 0,
		.ca_file = s->ca_file,
		.connect_ms = x->timeout_ms,
		.timeout_ms = x->timeout_ms,
		.max_body = ANSWER_MAX,
	};

	if (s->driver->program)
		return run_program(x, q, e);
	if (q->authorization.len > 0)
		p.headers[0] = gbuf_cstr(&q->authorization);
	return http_client_send(x->r->http, &p, on_answer, x, NULL, e);
}

/* inside: of handoff_run(), whose caller is not called back from there. */
static void
go_on(struct handoff_task_run *x, const struct handoff_reply *last, bool inside)
{
	struct handoff_request q = { 0 };
	struct err why = { 0 };
	enum handoff_word word = x->task.server->driver->next(&x->task, last, &q, &why);

	if (word == HANDOFF_ASK && x->task.turn++ >= TURNS_MAX) {
		(void)err_set(&why, ERR_LIMIT, "more than %d requests for one task", TURNS_MAX);
		word = HANDOFF_LATER;
	}
	enum err_code rc = word == HANDOFF_ASK ? handoff_request_check(&q, x->task.server, &why) : ERR_OK;
	if (rc != ERR_OK)
		word = rc == ERR_INVALID ? HANDOFF_NO : HANDOFF_LATER;
	if (word == HANDOFF_ASK && send(x, &q, &why) != ERR_OK)
		word = HANDOFF_LATER;
	handoff_request_clear(&q);
	if (word == HANDOFF_ASK)
		return;
	if (inside)
		end_later(x, word, &why);
	else
		end(x, word, &why);
}

static enum err_code
fill(struct handoff_task_run *x, const struct handoff_order *o, struct err *e)
{
	enum err_code rc = ERR_OK;

	x->task = (struct handoff_task){ .server = o->server, .call = o->call, .short_server_id = o->short_server_id,
		.instance = o->instance };
	x->heard = o->heard;
	x->timeout_ms = o->timeout_ms == 0 ? o->server->timeout_ms : MIN(o->timeout_ms, o->server->timeout_ms);
	if (o->call == HANDOFF_CALL_TRIGGER)
		x->timeout_ms += SLACK_MS;
	x->endpoint = str_dup_n(o->endpoint, strlen(o->endpoint));
	x->account = str_dup_n(o->account, strlen(o->account));
	if (x->endpoint == NULL || x->account == NULL)
		return err_no_memory(e);
	x->task.endpoint = x->endpoint;
	x->task.account = x->account;
	if (o->cred != NULL)
		rc = secret_copy(&x->cred, o->cred, e);
	return rc == ERR_OK && o->cred != NULL ? handoff_unpack(&x->cred, &x->task.cred, e) : rc;
}

void
handoff_run(struct handoff_runner *r, const struct handoff_order *o, handoff_run_fn *done, void *arg)
{
	struct handoff_task_run *x = calloc(1, sizeof *x);
	struct err why;

	if (x == NULL)
		abort(); /* as loop_post() */
	x->r = r;
	x->server = handoff_server_hold(o->server);
	x->next = r->runs;
	if (x->next != NULL)
		x->next->prev = x;
	r->runs = x;
	x->done = done;
	x->arg = arg;
	if (fill(x, o, &why) != ERR_OK)
		end_later(x, HANDOFF_LATER, &why);
	else
		go_on(x, NULL, true);
}

void
handoff_abandon(struct handoff_runner *r)
{
	struct handoff_task_run *next;

	for (struct handoff_task_run *x = r->runs; x != NULL; x = next) {
		next = x->next;
		x->prev = x->next = NULL;
		x->r = NULL;
		if (x->process != NULL)
			process_abandon(x->process);
		if (!x->posted)
			run_free(x);
	}
	r->runs = NULL;
}
