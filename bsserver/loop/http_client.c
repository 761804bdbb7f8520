#include "bsserver/loop/http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "lib/base/buf.h"
#include "lib/base/secret.h"

#define HEAD_MAX ((size_t)16 << 10) /* bytes of an answer's head */
#define IDLE_MAX 64L                /* connections kept for the next exchange */

struct http_client {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer *timer;
	struct http_call *calls;
};

struct http_call {
	struct http_call *prev, *next;
	struct http_client *client;
	CURL *easy;
	struct curl_slist *headers;
	http_done_fn *done;
	void *arg;
	struct gbuf request, body;
	size_t head; /* bytes of it so far */
	char says[CURL_ERROR_SIZE];
};

static void
forget(struct http_call *call)
{
	if (call->prev != NULL)
		call->prev->next = call->next;
	else
		call->client->calls = call->next;
	if (call->next != NULL)
		call->next->prev = call->prev;
}

/* A header may hold a token. */
static void
free_headers(struct curl_slist *list)
{
	for (struct curl_slist *l = list; l != NULL; l = l->next)
		wipe(l->data, strlen(l->data));
	curl_slist_free_all(list);
}

static void
free_call(struct http_call *call)
{
	curl_easy_cleanup(call->easy);
	free_headers(call->headers);
	gbuf_clear(&call->request);
	gbuf_clear(&call->body);
	free(call);
}

/* ---- ends ---- */

static enum err_code
code_of(CURLcode rc)
{
	switch ((int)rc) {
	case CURLE_OK:
		return ERR_OK;
	case CURLE_OPERATION_TIMEDOUT:
		return ERR_TIMEOUT;
	case CURLE_WRITE_ERROR:
	case CURLE_FILESIZE_EXCEEDED:
		return ERR_LIMIT;
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
		return ERR_UNREACHABLE;
	case CURLE_OUT_OF_MEMORY:
		return ERR_NO_MEMORY;
	default:
		return ERR_CLOSED;
	}
}

/* "Application/OCSP-Response; x=y" is "application/ocsp-response". */
static void
plain_type(const char *from, char *to, size_t cap)
{
	size_t n = 0;

	for (; from != NULL && n + 1 < cap && from[n] != '\0' && from[n] != ';' && from[n] != ' ';
	     n++)
		to[n] = from[n] >= 'A' && from[n] <= 'Z' ? (char)(from[n] + 32) : from[n];
	to[n] = '\0';
}

static void
end_call(struct http_call *call, CURLcode rc)
{
	struct http_answer a = {
		.error = code_of(rc), .body = call->body.data, .body_len = call->body.len
	};
	const char *type = NULL;
	char plain[96];

	(void)curl_multi_remove_handle(call->client->multi, call->easy);
	forget(call);
	(void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &a.status);
	(void)curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &type);
	plain_type(type, plain, sizeof plain);
	a.type = plain;
	a.detail = a.error == ERR_LIMIT    ? "the answer is larger than it may be"
	           : call->says[0] != '\0' ? call->says
	                                   : curl_easy_strerror(rc);
	call->done(call->arg, &a);
	free_call(call);
}

/* What has come to its end; a callback may begin or cancel others. */
static void
look_for_ends(struct http_client *c)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
		struct http_call *call = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		CURLcode rc = m->data.result;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&call);
		end_call(call, rc);
	}
}

/* ---- the loop's side ---- */

struct socket {
	struct http_client *client;
	curl_socket_t fd;
	struct loop_fd *watch;
};

static void
on_socket(void *arg, unsigned events)
{
	struct socket *s = arg;
	struct http_client *c = s->client;
	int what = (events & LOOP_READ ? CURL_CSELECT_IN : 0) |
	           (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0),
	    running;

	(void)curl_multi_socket_action(c->multi, s->fd, what, &running); /* s may be gone now */
	look_for_ends(c);
}

static void
on_timer(void *arg)
{
	struct http_client *c = arg;
	int running;

	(void)curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	look_for_ends(c);
}

static void
drop_socket(struct http_client *c, struct socket *s)
{
	if (s == NULL)
		return;
	(void)curl_multi_assign(c->multi, s->fd, NULL);
	loop_fd_free(s->watch);
	free(s);
}

static struct socket *
add_socket(struct http_client *c, curl_socket_t fd)
{
	struct socket *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->client = c;
	s->fd = fd;
	if (loop_fd_new(c->loop, fd, on_socket, s, &s->watch, NULL) != ERR_OK) {
		free(s);
		return NULL;
	}
	(void)curl_multi_assign(c->multi, fd, s);
	return s;
}

/* A socket that cannot be watched is left to the exchange's time limit. */
static int
watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *of_socket)
{
	struct http_client *c = arg;
	struct socket *s = of_socket;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		drop_socket(c, s);
		return 0;
	}
	if (s == NULL)
		s = add_socket(c, fd);
	if (s != NULL)
		loop_fd_want(s->watch, (what & CURL_POLL_IN ? LOOP_READ : 0U) |
		                           (what & CURL_POLL_OUT ? LOOP_WRITE : 0U));
	return 0;
}

static int
set_timer(CURLM *multi, long ms, void *arg)
{
	struct http_client *c = arg;

	(void)multi;
	if (ms < 0)
		loop_timer_stop(c->timer);
	else
		loop_timer_start(c->timer, (uint64_t)ms, 0);
	return 0;
}

/* ---- calls ---- */

static size_t
take_body(char *data, size_t size, size_t n, void *arg)
{
	struct http_call *call = arg;

	gbuf_put(&call->body, data, size * n);
	return call->body.failed ? 0 : size * n;
}

/* A head without end is not taken either. */
static size_t
take_head(char *data, size_t size, size_t n, void *arg)
{
	struct http_call *call = arg;

	(void)data;
	call->head += size * n;
	return call->head > HEAD_MAX ? 0 : size * n;
}

static bool
set_limits(const struct http_call *call, const struct http_post *p)
{
	CURL *h = call->easy;
	bool ok =
	    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, p->https ? "https" : "http") == CURLE_OK &&
	    (p->ca_file == NULL || curl_easy_setopt(h, CURLOPT_CAINFO, p->ca_file) == CURLE_OK) &&
	    curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_PROXY, "") == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)p->connect_ms) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)p->timeout_ms) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)p->max_body) == CURLE_OK;
#if LIBCURL_VERSION_NUM >= 0x075700
	/* or the end of a call would wait for a name that is being looked up */
	ok = ok && curl_easy_setopt(h, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
#endif
	return ok;
}

static bool
set_body(const struct http_call *call, const struct http_post *p)
{
	CURL *h = call->easy;
	bool ok = p->method == NULL || curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, p->method) == CURLE_OK;

	if (p->content_type == NULL)
		return ok;
	return ok &&
	       curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->request.len) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_POSTFIELDS, gbuf_cstr(&call->request)) == CURLE_OK;
}

static bool
set_exchange(struct http_call *call, const struct http_post *p)
{
	CURL *h = call->easy;

	return curl_easy_setopt(h, CURLOPT_URL, p->url) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_PRIVATE, (void *)call) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_ERRORBUFFER, call->says) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_USERAGENT, "bsserver") == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_HTTPHEADER, call->headers) == CURLE_OK &&
	       set_body(call, p) &&
	       curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_WRITEDATA, (void *)call) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_head) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_HEADERDATA, (void *)call) == CURLE_OK;
}

static bool
add_header(struct http_call *call, const char *text)
{
	struct curl_slist *l = curl_slist_append(call->headers, text);

	if (l == NULL)
		return false;
	call->headers = l;
	return true;
}

static bool
set_headers(struct http_call *call, const struct http_post *p)
{
	char type[128];
	bool ok = add_header(call, "Expect:"); /* it would cost a round */

	(void)snprintf(type, sizeof type, "Content-Type: %s", p->content_type == NULL ? "" : p->content_type);
	if (p->content_type != NULL)
		ok = ok && add_header(call, type);
	for (size_t i = 0; i < HTTP_HEADERS_MAX && p->headers[i] != NULL; i++)
		ok = ok && add_header(call, p->headers[i]);
	return ok;
}

enum err_code
http_client_send(struct http_client *c, const struct http_post *p, http_done_fn *done, void *arg,
    struct http_call **out, struct err *e)
{
	struct http_call *call = calloc(1, sizeof *call);

	if (call == NULL)
		return err_no_memory(e);
	call->client = c;
	call->done = done;
	call->arg = arg;
	call->body.max = p->max_body;
	gbuf_put(&call->request, p->body, p->body_len);
	call->easy = curl_easy_init();
	if (call->easy == NULL || !set_headers(call, p) ||
	    gbuf_check(&call->request, NULL) != ERR_OK || !set_limits(call, p) ||
	    !set_exchange(call, p) || curl_multi_add_handle(c->multi, call->easy) != CURLM_OK) {
		free_call(call);
		return err_set(e, ERR_NO_MEMORY, "%s: the exchange could not be begun", p->url);
	}
	call->next = c->calls;
	if (c->calls != NULL)
		c->calls->prev = call;
	c->calls = call;
	if (out != NULL)
		*out = call;
	return ERR_OK;
}

void
http_call_cancel(struct http_call *call)
{
	(void)curl_multi_remove_handle(call->client->multi, call->easy);
	forget(call);
	free_call(call);
}

enum err_code
http_client_new(struct loop *l, struct http_client **out, struct err *e)
{
	struct http_client *c = calloc(1, sizeof *c);

	if (c == NULL)
		return err_no_memory(e);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(c);
		return err_no_memory(e);
	}
	c->loop = l;
	c->multi = curl_multi_init();
	enum err_code rc =
	    c->multi == NULL ? err_no_memory(e) : loop_timer_new(l, on_timer, c, &c->timer, e);
	bool ok = rc == ERR_OK &&
	          curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, watch_socket) == CURLM_OK &&
	          curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, (void *)c) == CURLM_OK &&
	          curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, set_timer) == CURLM_OK &&
	          curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, (void *)c) == CURLM_OK &&
	          curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, IDLE_MAX) == CURLM_OK;
	if (!ok) {
		http_client_free(c);
		return rc != ERR_OK ? rc : err_no_memory(e);
	}
	*out = c;
	return ERR_OK;
}

void
http_client_free(struct http_client *c)
{
	if (c == NULL)
		return;
	struct http_call *next;
	for (struct http_call *call = c->calls; call != NULL; call = next) {
		next = call->next;
		(void)curl_multi_remove_handle(c->multi, call->easy);
		free_call(call);
	}
	if (c->multi != NULL)
		(void)curl_multi_cleanup(c->multi);
	loop_timer_free(c->timer);
	curl_global_cleanup();
	free(c);
}
