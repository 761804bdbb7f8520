#include "tests/system/api_world.h"

#include <check.h>
#include <curl/curl.h>
#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"

#define PATIENCE_MS 60000

/* ---- the daemon ---- */

static void
on_feed(void *arg, const struct store_feed *f)
{
	struct world *w = arg;

	ck_assert_int_eq(auth_feed(w->auth, f, NULL), ERR_OK);
	(void)shelf_feed(w->shelf, f, NULL);
	api_feed(w->api, f);
}

static void
on_deliver(void *arg, uint64_t session, struct bs_event *ev)
{
	struct world *w = arg;

	bs_driver_event(w->driver, session, ev);
}

static void
on_recorded(void *arg, const struct bs_record *r)
{
	struct world *w = arg;

	api_record(w->api, r);
}

static void
port_now(void *arg, uint64_t *mono, int64_t *wall)
{
	(void)arg;
	*mono = clock_mono_ms();
	*wall = clock_wall_ms();
}

static void
port_lookup(void *arg, uint64_t session, const struct bs_lookup *q)
{
	ports_lookup(((struct world *)arg)->ports, session, q);
}

static void
port_record(void *arg, uint64_t session, const struct bs_record *r)
{
	ports_record(((struct world *)arg)->ports, session, r);
}

struct replied {
	struct world *w;
	uint64_t session;
};

static void
deliver_replied(void *arg)
{
	struct replied *x = arg;
	struct bs_event ev = { .type = BS_EV_REPLIED };

	bs_driver_event(x->w->driver, x->session, &ev);
	free(x);
}

static void
port_reply(void *arg, uint64_t session, uint64_t peer, uint64_t request, const struct bs_reply *r)
{
	struct world *w = arg;
	struct replied *x = calloc(1, sizeof *x);

	(void)peer;
	(void)request;
	(void)r;
	w->answered++;
	*x = (struct replied){ .w = w, .session = session };
	loop_post(w->loop, deliver_replied, x);
}

static void
port_send(void *arg, uint64_t session, uint64_t peer, const struct bs_send *s)
{
	(void)arg; /* a device that never answers */
	(void)session;
	(void)peer;
	(void)s;
}

static void
port_release(void *arg, uint64_t session, uint64_t peer, bool failed)
{
	(void)arg;
	(void)session;
	(void)peer;
	(void)failed;
}

static void
port_wake_at(void *arg, uint64_t when)
{
	(void)arg;
	(void)when;
}

static bool
one_listener(void *arg, size_t i, char *out, size_t cap)
{
	(void)arg;
	(void)snprintf(out, cap, "coaps://[::1]:5684");
	return i == 0;
}

static bool
one_counter(void *arg, size_t i, struct api_counter *out)
{
	(void)arg;
	*out = (struct api_counter){
		.name = "transport_requests_in", .help = "Requests that came in.", .value = 7
	};
	return i == 0;
}

static void
open_driver(struct world *w)
{
	struct ports_conf pc = { .loop = w->loop,
		.ops = &store_sqlite,
		.store = w->store,
		.auth = w->auth,
		.shelf = w->shelf,
		.model = lwm2m_model_builtin(),
		.arg = w,
		.deliver = on_deliver,
		.recorded = on_recorded };
	struct bs_driver_conf dc = { .model = lwm2m_model_builtin(),
		.ports = { .arg = w,
		    .now = port_now,
		    .lookup = port_lookup,
		    .record = port_record,
		    .reply = port_reply,
		    .send = port_send,
		    .release = port_release,
		    .wake_at = port_wake_at } };

	ck_assert_int_eq(ports_new(&pc, &w->ports, NULL), ERR_OK);
	ck_assert_int_eq(bs_driver_new(&dc, &w->driver, NULL), ERR_OK);
}

static void
open_api(struct world *w)
{
	struct err e = { 0 };

	ck_assert_msg(api_open(&w->conf, &w->api, &e) == ERR_OK, "%s", e.msg);
}

void
world_open(struct world *w, const struct api_conf *conf)
{
	static const struct auth_rule rules[] = { { .credential = AUTH_PSK, .how = AUTH_MAPPED } };
	struct store_conf sc = { .create = true };
	struct err e = { 0 };

	profile_json_init();
	*w = (struct world){ .dir = "/tmp/bsserver-api-XXXXXX" };
	ck_assert_ptr_nonnull(mkdtemp(w->dir));
	ck_assert_int_eq(chmod(w->dir, 0755), 0);
	(void)snprintf(w->socket, sizeof w->socket, "%s/api.sock", w->dir);
	(void)snprintf(w->uri, sizeof w->uri, "sqlite:%s/store.db", w->dir);
	(void)snprintf(w->key_file, sizeof w->key_file, "%s/key", w->dir);
	ck_assert_int_eq(store_key_create(w->key_file, NULL), ERR_OK);
	ck_assert_int_eq(loop_new(&w->loop, NULL), ERR_OK);
	ck_assert_int_eq(auth_new(rules, N_ELEMS(rules), 1, &w->auth, NULL), ERR_OK);
	w->shelf = shelf_new(2);
	sc.uri = w->uri;
	sc.key_file = w->key_file;
	ck_assert_msg(
	    store_sqlite.open(&sc, w->loop, on_feed, w, &w->store, &e) == ERR_OK, "%s", e.msg);
	open_driver(w);
	if (conf != NULL)
		w->conf = *conf;
	w->conf.loop = w->loop;
	w->conf.ops = &store_sqlite;
	w->conf.store = w->store;
	w->conf.auth = w->auth;
	w->conf.shelf = w->shelf;
	w->conf.driver = w->driver;
	w->conf.model = lwm2m_model_builtin();
	w->conf.socket = w->socket;
	w->conf.mode = w->conf.mode == 0 ? 0666 : w->conf.mode;
	w->conf.version = "1.2.3";
	w->conf.arg = w;
	w->conf.listener = one_listener;
	w->conf.counter = one_counter;
	open_api(w);
}

static int
rm_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
world_restart_api(struct world *w)
{
	api_close(w->api);
	w->api = NULL;
	open_api(w);
}

void
world_close(struct world *w)
{
	api_close(w->api);
	w->api = NULL;
	store_sqlite.close(w->store);
	bs_driver_free(w->driver);
	ports_free(w->ports);
	shelf_free(w->shelf);
	auth_free(w->auth);
	loop_free(w->loop);
	(void)nftw(w->dir, rm_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- the client ---- */

void
reply_clear(struct reply *r)
{
	json_decref(r->json);
	free(r->body);
	*r = (struct reply){ 0 };
}

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	gbuf_put(arg, p, size * n);
	return size * n;
}

static size_t
on_header(char *p, size_t size, size_t n, void *arg)
{
	struct reply *r = arg;

	if (size * n > 7 && strncasecmp(p, "Allow: ", 7) == 0)
		(void)snprintf(r->allow, sizeof r->allow, "%.*s", (int)(size * n - 9), p + 7);
	return size * n;
}

static CURL *
client(const struct world *w, const char *method, const char *path, const char *type,
    const char *body, struct curl_slist **headers, struct gbuf *got, struct reply *out)
{
	CURL *c = curl_easy_init();
	char url[4096], line_of_type[128];

	ck_assert_ptr_nonnull(c);
	(void)snprintf(url, sizeof url, "http://localhost%s", path);
	(void)curl_easy_setopt(c, CURLOPT_URL, url);
	(void)curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	(void)curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, w->socket);
	(void)curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, got);
	(void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(c, CURLOPT_HEADERDATA, out);
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	if (body != NULL) {
		(void)snprintf(line_of_type, sizeof line_of_type, "Content-Type: %s", type);
		*headers = curl_slist_append(*headers, line_of_type);
		*headers = curl_slist_append(*headers, "Expect:");
		(void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, *headers);
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
	}
	return c;
}

static void
take(CURL *c, struct gbuf *got, struct reply *out)
{
	char *type = NULL;
	curl_off_t us = 0;

	(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &out->status);
	(void)curl_easy_getinfo(c, CURLINFO_CONTENT_TYPE, &type);
	(void)curl_easy_getinfo(c, CURLINFO_TOTAL_TIME_T, &us);
	out->seconds = (double)us / 1e6;
	(void)snprintf(out->type, sizeof out->type, "%s", type == NULL ? "" : type);
	out->body = strdup(gbuf_cstr(got));
	out->json = json_loads(out->body, 0, NULL);
	gbuf_clear(got);
}

void
world_ask(struct world *w, const char *method, const char *path, const char *type, const char *body,
    struct reply *out)
{
	struct curl_slist *headers = NULL;
	struct gbuf got = { .max = 256 << 20 };
	CURL *c;
	CURLM *m = curl_multi_init();
	uint64_t end = clock_mono_ms() + PATIENCE_MS;
	int running = 1, queued;
	CURLcode rc = CURLE_OPERATION_TIMEDOUT;

	*out = (struct reply){ 0 };
	c = client(w, method, path, type, body, &headers, &got, out);
	(void)curl_multi_add_handle(m, c);
	while (running > 0 && clock_mono_ms() < end) {
		(void)curl_multi_perform(m, &running);
		if (running > 0)
			loop_turn(w->loop, 1);
	}
	for (CURLMsg *msg; (msg = curl_multi_info_read(m, &queued)) != NULL;)
		if (msg->msg == CURLMSG_DONE)
			rc = msg->data.result;
	ck_assert_msg(
	    rc == CURLE_OK || got.len > 0, "%s %s: %s", method, path, curl_easy_strerror(rc));
	take(c, &got, out);
	(void)curl_multi_remove_handle(m, c);
	curl_easy_cleanup(c);
	(void)curl_multi_cleanup(m);
	curl_slist_free_all(headers);
}

/*
 * Only what is safe after a fork() beside threads: they may have held the locks of the allocator. All
 * that comes is passed on.
 */
static void
child(const struct sockaddr_un *to, unsigned uid, unsigned gid, const char *request, size_t len, int out)
{
	char buf[4096];
	ssize_t n;
	int fd;

	if (setgid(gid) != 0 || setuid(uid) != 0)
		_exit(1);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof *to) != 0)
		_exit(2);
	if (write(fd, request, len) != (ssize_t)len)
		_exit(3);
	while ((n = read(fd, buf, sizeof buf)) > 0)
		if (write(out, buf, (size_t)n) != n)
			_exit(4);
	_exit(n == 0 ? 0 : 5);
}

/* The answer as it came, up to its end. */
static void
ask_as(struct world *w, unsigned uid, unsigned gid, const struct gbuf *request, char *buf, size_t size)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fds[2], status = -1;
	ssize_t n;
	pid_t pid;

	(void)snprintf(to.sun_path, sizeof to.sun_path, "%s", w->socket);
	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0)
		child(&to, uid, gid, gbuf_cstr(request), request->len, fds[1]);
	(void)close(fds[1]);
	while (waitpid(pid, &status, WNOHANG) == 0)
		loop_turn(w->loop, 2);
	ck_assert_int_eq(status, 0);
	n = read(fds[0], buf, size - 1);
	ck_assert_int_gt((int)n, 0);
	(void)close(fds[0]);
	buf[n] = 0;
}

void
world_ask_as(struct world *w, unsigned uid, unsigned gid, const char *method, const char *path,
    const char *body, struct reply *out)
{
	struct gbuf request = { .max = 1 << 16 };
	char buf[65536], *end;

	/* of version 1.0: the answer ends with the connection, and has no chunks */
	gbuf_printf(&request, "%s %s HTTP/1.0\r\nHost: localhost\r\n", method, path);
	if (body != NULL)
		gbuf_printf(&request, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
	gbuf_printf(&request, "\r\n%s", body != NULL ? body : "");
	ck_assert(!request.failed);
	ask_as(w, uid, gid, &request, buf, sizeof buf);
	gbuf_clear(&request);
	*out = (struct reply){ 0 };
	ck_assert_int_eq(sscanf(buf, "HTTP/1.%*c %ld", &out->status), 1);
	end = strstr(buf, "\r\n\r\n");
	ck_assert_ptr_nonnull(end);
	out->body = strdup(end + 4);
	out->json = json_loads(out->body, 0, NULL);
}

/* ---- looking into answers ---- */

static json_t *
walk(json_t *j, const char *path)
{
	char words[256], *save = NULL;

	(void)snprintf(words, sizeof words, "%s", path);
	for (char *s = strtok_r(words, ".", &save); s != NULL && j != NULL;
	     s = strtok_r(NULL, ".", &save))
		j = json_is_array(j) ? json_array_get(j, (size_t)strtoul(s, NULL, 10))
		                     : json_object_get(j, s);
	return j;
}

json_t *
node(const struct reply *r, const char *path)
{
	return walk(r->json, path);
}

const char *
at(const struct reply *r, const char *path)
{
	const char *s = json_string_value(walk(r->json, path));

	return s == NULL ? "" : s;
}

long long
num(const struct reply *r, const char *path)
{
	json_t *j = walk(r->json, path);

	return json_is_integer(j) ? json_integer_value(j) : -1;
}

json_t *
line(const struct reply *r, unsigned n)
{
	const char *s = r->body;

	for (; n > 0 && s != NULL; n--) {
		s = strchr(s, '\n');
		if (s != NULL)
			s++;
	}
	return s == NULL ? NULL : json_loads(s, JSON_DISABLE_EOF_CHECK, NULL);
}

/* ---- applying ---- */

void
ask(struct world *w, const char *method, const char *path, const char *body, struct reply *r)
{
	bool rows = strncmp(path, "/v1/apply", 9) == 0 || strncmp(path, "/v1/diff", 8) == 0;

	world_ask(w, method, path, rows ? ROWS : JSON, body, r);
}

json_t *
field(json_t *j, const char *key)
{
	return json_object_get(j, key);
}

const char *
text(json_t *j, const char *key)
{
	const char *s = json_string_value(field(j, key));

	return s == NULL ? "" : s;
}

void
expect_row(const struct reply *r, unsigned n, const char *result, const char *complaint)
{
	json_t *j = line(r, n), *e = field(j, "error"),
	       *f = json_array_get(field(j, "findings"), 0);
	const char *said = e != NULL ? text(e, "detail") : f != NULL ? text(f, "reason") : "";

	ck_assert_msg(j != NULL, "no row %u in: %s", n, r->body);
	ck_assert_msg(strcmp(text(j, "result"), result) == 0, "row %u: %s", n, r->body);
	if (complaint != NULL)
		ck_assert_msg(strstr(said, complaint) != NULL, "row %u said: %s", n, said);
	json_decref(j);
}

void
apply(struct world *w, const char *rows)
{
	struct reply r;

	ask(w, "POST", "/v1/apply", rows, &r);
	ck_assert_msg(
	    r.status == 200 && strstr(r.body, "\"created\"") != NULL, "%ld %s", r.status, r.body);
	reply_clear(&r);
}

/* ---- bytes by hand ---- */

int
world_connect(const struct world *w)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)snprintf(sa.sun_path, sizeof sa.sun_path, "%s", w->socket);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&sa, sizeof sa), 0);
	return fd;
}

void
world_send(int fd, const char *s)
{
	ck_assert_int_eq(send(fd, s, strlen(s), MSG_NOSIGNAL), (ssize_t)strlen(s));
}

bool
world_read_until(struct world *w, int fd, struct gbuf *got, const char *needle)
{
	uint64_t end = clock_mono_ms() + PATIENCE_MS;
	static char buf[65536];
	size_t from = 0;

	while (needle == NULL || strstr(gbuf_cstr(got) + from, needle) == NULL) {
		ssize_t n = recv(fd, buf, sizeof buf, 0);

		from = needle == NULL || got->len < strlen(needle) ? 0 : got->len - strlen(needle);
		ck_assert_msg(
		    clock_mono_ms() < end, "waited for %s in: %s", needle, gbuf_cstr(got));
		if (n == 0 || (n < 0 && errno != EAGAIN))
			return false;
		if (n > 0)
			gbuf_put(got, buf, (size_t)n);
		else
			loop_turn(w->loop, 2);
	}
	return true;
}

/* ---- devices ---- */

void
world_knock(struct world *w, const char *endpoint, const char *identity, const char *addr)
{
	static uint64_t id = 1;
	char ep[300];
	struct bs_query q = { .data = ep };
	struct bs_knock k = { .peer = { .id = id,
		                  .addr = addr,
		                  .mode = identity == NULL ? BS_NOSEC : BS_PSK,
		                  .identity = identity,
		                  .identity_len = identity == NULL ? 0 : strlen(identity) },
		.request = id,
		.queries = &q,
		.n_queries = 1 };

	id++;
	q.len = (size_t)snprintf(ep, sizeof ep, "ep=%s", endpoint);
	bs_driver_knock(w->driver, &k);
}

void
world_turn_until(struct world *w, const unsigned *what, unsigned n)
{
	uint64_t end = clock_mono_ms() + PATIENCE_MS;

	while (*what < n && clock_mono_ms() < end)
		loop_turn(w->loop, 5);
	ck_assert_uint_ge(*what, n);
}
