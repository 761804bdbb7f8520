#include "lwm2m-prov/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <errno.h>
#include <unistd.h>

#include <curl/curl.h>

#include "lib/base/str.h"

struct client {
	CURL *curl;
	char *socket;
	uint64_t timeout_s;
	client_tick_fn *tick;
	void *tick_arg;
	char curl_says[CURL_ERROR_SIZE];
};

struct stream {
	struct gbuf line;
	client_line_fn *on_line;
	void *arg;
	bool stopped, too_long;
	CURL *curl;
	long *status;
};

#define LINE_MAX_OCTETS ((size_t)1 << 20)

enum err_code
client_open(const char *socket_path, uint64_t timeout_s, struct client **out, struct err *e)
{
	struct client *c = calloc(1, sizeof *c);

	if (c == NULL)
		return err_no_memory(e);
	c->timeout_s = timeout_s;
	c->socket = str_dup_n(socket_path, strlen(socket_path));
	if (c->socket == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		goto out;
	c->curl = curl_easy_init();
	if (c->curl == NULL)
		goto out;
	*out = c;
	return ERR_OK;
out:
	client_close(c);
	return err_no_memory(e);
}

void
client_close(struct client *c)
{
	if (c == NULL)
		return;
	curl_easy_cleanup(c->curl);
	free(c->socket);
	free(c);
}

const char *
client_socket(const struct client *c)
{
	return c->socket;
}

void
client_on_tick(struct client *c, client_tick_fn *tick, void *arg)
{
	c->tick = tick;
	c->tick_arg = arg;
}

static size_t
take_body(char *data, size_t size, size_t n, void *arg)
{
	struct gbuf *body = arg;

	gbuf_put(body, data, size * n);
	return body->failed ? 0 : size * n;
}

static int
on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t x, curl_off_t y)
{
	struct client *c = arg;

	(void)a, (void)b, (void)x, (void)y;
	if (c->tick != NULL)
		c->tick(c->tick_arg);
	return 0;
}

/* Why nobody can be asked there, better than the library knows. */
static enum err_code
no_connection(const struct client *c, struct err *e)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t n = strlen(c->socket);
	int errnum = ENAMETOOLONG, fd;

	if (n < sizeof sa.sun_path) {
		memcpy(sa.sun_path, c->socket, n + 1);
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		errnum =
		    fd < 0 || connect(fd, (const struct sockaddr *)&sa, sizeof sa) != 0 ? errno : 0;
		if (fd >= 0)
			(void)close(fd);
	}
	if (errnum == EACCES || errnum == EPERM)
		return err_set(e, ERR_REFUSED, "%s: you may not connect to it (%s)", c->socket,
		    strerror(errnum));
	return err_set(e, ERR_UNREACHABLE, "%s: %s; is bsserver running?", c->socket,
	    errnum != 0 ? strerror(errnum) : "it closed the connection");
}

static enum err_code
explain(const struct client *c, CURLcode rc, struct err *e)
{
	if (rc == CURLE_OK)
		return ERR_OK;
	if (rc == CURLE_COULDNT_CONNECT || rc == CURLE_BAD_FUNCTION_ARGUMENT)
		return no_connection(c, e);
	if (rc == CURLE_OPERATION_TIMEDOUT)
		return err_set(e, ERR_TIMEOUT, "%s: no answer within %llu s", c->socket,
		    (unsigned long long)c->timeout_s);
	if (rc == CURLE_WRITE_ERROR)
		return err_set(e, ERR_LIMIT, "%s: the answer is larger than it may be", c->socket);
	if (rc == CURLE_OUT_OF_MEMORY)
		return err_no_memory(e);
	return err_set(e, ERR_CLOSED, "%s: %s", c->socket,
	    c->curl_says[0] != '\0' ? c->curl_says : curl_easy_strerror(rc));
}

/* What every exchange has in common. The connection is kept from the one before. */
static enum err_code
prepare(struct client *c, const char *path, struct err *e)
{
	struct gbuf url = { .max = 65536 };
	enum err_code rc = ERR_OK;
	bool ok;

	gbuf_printf(&url, "http://bsserver%s", path);
	if (gbuf_check(&url, NULL) != ERR_OK) {
		rc = err_set(e, ERR_LIMIT, "the request is too long");
		goto out;
	}
	curl_easy_reset(c->curl);
	c->curl_says[0] = '\0';
	ok = curl_easy_setopt(c->curl, CURLOPT_URL, gbuf_cstr(&url)) == CURLE_OK &&
	     curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, c->socket) == CURLE_OK &&
	     curl_easy_setopt(c->curl, CURLOPT_PROXY, "") == CURLE_OK &&
	     curl_easy_setopt(c->curl, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
	     curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	     curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, c->curl_says) == CURLE_OK &&
	     curl_easy_setopt(c->curl, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
	     curl_easy_setopt(c->curl, CURLOPT_XFERINFODATA, (void *)c) == CURLE_OK &&
	     curl_easy_setopt(c->curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
	     curl_easy_setopt(c->curl, CURLOPT_USERAGENT, "lwm2m-prov") == CURLE_OK;
	if (!ok)
		rc = no_connection(c, e);
out:
	gbuf_clear(&url);
	return rc;
}

static struct curl_slist *
headers_of(const struct client_request *r)
{
	char type[96];

	(void)snprintf(
	    type, sizeof type, "Content-Type: %s", r->content_type != NULL ? r->content_type : "");
	/* no "Expect: 100-continue": it costs a round */
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	return list != NULL && r->content_type != NULL ? curl_slist_append(list, type) : list;
}

static void
note_type(struct client *c, struct client_answer *a)
{
	const char *type = NULL;

	(void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &a->status);
	(void)curl_easy_getinfo(c->curl, CURLINFO_CONTENT_TYPE, &type);
	if (type != NULL)
		(void)snprintf(a->type, sizeof a->type, "%.*s",
		    (int)MIN(strcspn(type, "; "), sizeof a->type - 1), type);
}

enum err_code
client_call(
    struct client *c, const struct client_request *r, struct client_answer *a, struct err *e)
{
	struct curl_slist *headers = headers_of(r);
	enum err_code rc = prepare(c, r->path, e);
	bool ok;

	memset(a, 0, sizeof *a);
	a->body.max = CLIENT_ANSWER_MAX;
	if (rc != ERR_OK)
		goto out;
	ok = curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, r->method) == CURLE_OK &&
	     curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
	     curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, (long)(c->timeout_s * 1000)) ==
	         CURLE_OK &&
	     curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
	     curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, (void *)&a->body) == CURLE_OK;
	if (ok && r->content_type != NULL)
		ok = curl_easy_setopt(
		         c->curl, CURLOPT_POSTFIELDS, r->body != NULL ? r->body : "") == CURLE_OK &&
		     curl_easy_setopt(
		         c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len) == CURLE_OK;
	if (headers == NULL || !ok) {
		rc = err_no_memory(e);
		goto out;
	}
	rc = explain(c, curl_easy_perform(c->curl), e);
	note_type(c, a);
out:
	curl_slist_free_all(headers);
	if (rc != ERR_OK)
		client_answer_clear(a);
	return rc;
}

void
client_answer_clear(struct client_answer *a)
{
	gbuf_clear(&a->body);
	memset(a, 0, sizeof *a);
}

static enum err_code
explain_post(CURLcode rc, const struct client_post *p, const char *says, struct err *e)
{
	enum err_code code = rc == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT
	                     : rc == CURLE_WRITE_ERROR || rc == CURLE_FILESIZE_EXCEEDED
	                         ? ERR_LIMIT
	                         : ERR_UNREACHABLE;

	if (rc == CURLE_OK)
		return ERR_OK;
	return err_set(e, code, "%s: %s", p->url, says[0] != '\0' ? says : curl_easy_strerror(rc));
}

enum err_code
client_post(const struct client_post *p, struct client_answer *a, struct err *e)
{
	struct client c = { .curl = curl_easy_init() };
	struct client_request r = { .content_type = p->content_type };
	struct curl_slist *headers = headers_of(&r);
	CURL *h = c.curl;
	enum err_code rc;

	memset(a, 0, sizeof *a);
	a->body.max = p->max;
	bool ok =
	    h != NULL && headers != NULL && curl_easy_setopt(h, CURLOPT_URL, p->url) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_PROXY, "") == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, c.curl_says) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_USERAGENT, "lwm2m-prov") == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)(p->timeout_s * 1000)) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)p->max) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)p->body_len) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_POSTFIELDS, p->body) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_WRITEDATA, (void *)&a->body) == CURLE_OK;
	rc = ok ? explain_post(curl_easy_perform(h), p, c.curl_says, e) : err_no_memory(e);
	if (rc == ERR_OK)
		note_type(&c, a);
	else
		client_answer_clear(a);
	curl_slist_free_all(headers);
	curl_easy_cleanup(h);
	return rc;
}

static size_t
take_lines(char *data, size_t size, size_t n, void *arg)
{
	struct stream *s = arg;

	(void)curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, s->status);
	for (size_t i = 0; i < size * n && !s->stopped; i++) {
		if (data[i] != '\n') {
			if (data[i] != '\r')
				gbuf_put(&s->line, data + i, 1);
			continue;
		}
		s->too_long = s->line.failed;
		s->stopped = s->too_long || !s->on_line(s->arg, gbuf_cstr(&s->line), s->line.len);
		gbuf_reset(&s->line);
	}
	return s->stopped ? 0 : size * n;
}

static int
on_stream_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t x, curl_off_t y)
{
	struct stream *s = arg;

	(void)a, (void)b, (void)x, (void)y;
	if (!s->stopped && !s->on_line(s->arg, NULL, 0))
		s->stopped = true;
	return s->stopped ? 1 : 0;
}

enum err_code
client_stream(struct client *c, const char *path, const char *last_event_id,
    client_line_fn *on_line, void *arg, long *status, struct err *e)
{
	struct stream s = { .line = { .max = LINE_MAX_OCTETS },
		.on_line = on_line,
		.arg = arg,
		.curl = c->curl,
		.status = status };
	struct curl_slist *headers = curl_slist_append(NULL, "Accept: text/event-stream");
	enum err_code rc = prepare(c, path, e);
	char last[96];
	CURLcode done;

	*status = 0;
	if (rc != ERR_OK)
		goto out;
	(void)snprintf(
	    last, sizeof last, "Last-Event-ID: %s", last_event_id != NULL ? last_event_id : "");
	if (last_event_id != NULL && headers != NULL)
		headers = curl_slist_append(headers, last);
	(void)curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take_lines);
	(void)curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, (void *)&s);
	(void)curl_easy_setopt(c->curl, CURLOPT_XFERINFOFUNCTION, on_stream_progress);
	(void)curl_easy_setopt(c->curl, CURLOPT_XFERINFODATA, (void *)&s);
	done = curl_easy_perform(c->curl);
	if (s.too_long)
		rc = err_set(e, ERR_LIMIT, "%s: a line is longer than it may be", c->socket);
	else if (!s.stopped)
		rc = explain(c, done, e);
	if (rc == ERR_OK && !s.stopped && *status == 200)
		rc = err_set(e, ERR_CLOSED, "%s: the daemon closed the stream", c->socket);
out:
	curl_slist_free_all(headers);
	gbuf_clear(&s.line);
	return rc;
}

void
client_path_value(struct gbuf *path, const char *value)
{
	for (; *value != '\0'; value++) {
		unsigned char ch = (unsigned char)*value;
		bool plain = (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') ||
		             (ch >= 'a' && ch <= 'z') || strchr("-._~", ch) != NULL;

		gbuf_printf(path, plain ? "%c" : "%%%02X", ch);
	}
}

void
client_path_query(struct gbuf *path, const char *name, const char *value)
{
	gbuf_printf(path, "%s%s=", strchr(gbuf_cstr(path), '?') != NULL ? "&" : "?", name);
	client_path_value(path, value);
}
