/* The HTTP server inside the loop: MHD's epoll descriptor is watched, and MHD runs when it stirs.
 */
#include "bsserver/api/api.h"

#include <errno.h>
#include <grp.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bsserver/api/internal.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

#define BACKLOG 64
#define CONNECTION_MEMORY ((size_t)48 << 10) /* headers and path */

/* ---- the socket ---- */

static enum err_code
address_of(const char *path, struct sockaddr_un *sa, struct err *e)
{
	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof sa->sun_path)
		return err_set(e, ERR_INVALID, "%s: a socket's path has at most %zu octets", path,
		    sizeof sa->sun_path - 1);
	memcpy(sa->sun_path, path, strlen(path));
	return ERR_OK;
}

/* A socket that nobody listens on any more is left over from a daemon that died. */
static enum err_code
make_room(const struct sockaddr_un *sa, struct err *e)
{
	struct stat st;
	int fd, rc;

	if (lstat(sa->sun_path, &st) != 0)
		return errno == ENOENT ? ERR_OK : err_errno(e, errno, "%s", sa->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_EXISTS, "%s: is there, and is no socket", sa->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(e, errno, "a socket");
	rc = connect(fd, (const struct sockaddr *)sa, sizeof *sa) == 0 ? 0 : errno;
	(void)close(fd);
	if (rc != ECONNREFUSED)
		return err_set(e, ERR_EXISTS, "%s: somebody answers there already", sa->sun_path);
	return unlink(sa->sun_path) == 0 ? ERR_OK : err_errno(e, errno, "%s", sa->sun_path);
}

/* *gid is -1 when no group is asked for. */
static enum err_code
find_group(const struct api_conf *c, gid_t *gid, struct err *e)
{
	const struct group *gr;

	*gid = (gid_t)-1;
	if (c->group == NULL || c->group[0] == 0)
		return ERR_OK;
	gr = getgrnam(c->group);
	if (gr == NULL)
		return err_set(e, ERR_INVALID, "api.group: no group %s on this machine", c->group);
	*gid = gr->gr_gid;
	return ERR_OK;
}

static enum err_code
set_owner(const struct api_conf *c, struct err *e)
{
	gid_t gid;
	enum err_code rc = find_group(c, &gid, e);

	if (rc != ERR_OK)
		return rc;
	if (gid != (gid_t)-1 && chown(c->socket, (uid_t)-1, gid) != 0)
		return err_errno(e, errno, "%s: give it to group %s", c->socket, c->group);
	if (chmod(c->socket, c->mode) != 0)
		return err_errno(e, errno, "%s: set its mode", c->socket);
	return ERR_OK;
}

static enum err_code
listen_at(struct api *a, struct err *e)
{
	struct sockaddr_un sa;
	enum err_code rc = address_of(a->c.socket, &sa, e);

	if (rc == ERR_OK)
		rc = make_room(&sa, e);
	if (rc != ERR_OK)
		return rc;
	a->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->listen_fd < 0)
		return err_errno(e, errno, "a socket");
	(void)fchmod(a->listen_fd, 0600); /* what it is bound with, until it has its group */
	if (bind(a->listen_fd, (const struct sockaddr *)&sa, sizeof sa) != 0)
		return err_errno(e, errno, "%s: bind", a->c.socket);
	a->socket = str_dup_n(a->c.socket, strlen(a->c.socket));
	if (a->socket == NULL)
		return err_no_memory(e);
	rc = set_owner(&a->c, e);
	if (rc == ERR_OK && listen(a->listen_fd, BACKLOG) != 0)
		rc = err_errno(e, errno, "%s: listen", a->c.socket);
	return rc;
}

/* ---- MHD ---- */

static void
pump(void *arg)
{
	struct api *a = arg;
	unsigned MHD_LONG_LONG ms;

	a->resumed = false;
	(void)MHD_run(a->mhd);
	if (a->resumed)
		loop_timer_start(a->timer, 0, 0);
	else if (MHD_get_timeout(a->mhd, &ms) == MHD_YES)
		loop_timer_start(a->timer, ms, 0);
	else
		loop_timer_stop(a->timer);
}

/* MHD does not tell its descriptor of it when it has no thread: we see to it that it runs. */
void
api_resume(struct api *a, struct MHD_Connection *conn)
{
	MHD_resume_connection(conn);
	a->resumed = true;
	if (a->timer != NULL)
		loop_timer_start(a->timer, 0, 0);
}

static void
on_ready(void *arg, unsigned events)
{
	(void)events;
	pump(arg);
}

static enum MHD_Result
send_answer(struct req *r, struct MHD_Connection *conn)
{
	if (r->response == NULL)
		return MHD_NO;
	return MHD_queue_response(conn, r->status, r->response);
}

static enum MHD_Result
on_access(void *arg, struct MHD_Connection *conn, const char *url, const char *method,
    const char *version, const char *upload, size_t *upload_size, void **con_cls)
{
	struct api *a = arg;
	struct req *r = *con_cls;

	(void)version;
	if (r == NULL) {
		r = req_new(a, conn, method, url);
		*con_cls = r;
		if (r == NULL)
			return MHD_NO;
		return r->answered && r->expects_continue ? send_answer(r, conn) : MHD_YES;
	}
	if (*upload_size > 0) {
		req_take_body(r, upload, *upload_size);
		*upload_size = 0;
		return r->swallowed > API_SWALLOW_MAX ? MHD_NO : MHD_YES;
	}
	if (!r->begun)
		req_run(r);
	if (r->answered)
		return send_answer(r, conn);
	r->suspended = true;
	MHD_suspend_connection(conn);
	return MHD_YES;
}

static void
on_completed(
    void *arg, struct MHD_Connection *conn, void **con_cls, enum MHD_RequestTerminationCode why)
{
	struct req *r = *con_cls;

	(void)arg;
	(void)conn;
	(void)why;
	*con_cls = NULL;
	if (r != NULL)
		req_gone(r);
}

/* Percent signs are ours to read, when the path was cut at its slashes. */
static size_t
leave_escaped(void *arg, struct MHD_Connection *conn, char *s)
{
	(void)arg;
	(void)conn;
	return strlen(s);
}

static void PRINTF_LIKE(2, 0) on_log(void *arg, const char *fmt, va_list ap)
{
	char line[256];

	(void)arg;
	(void)vsnprintf(line, sizeof line, fmt, ap);
	line[strcspn(line, "\r\n")] = 0;
	log_msg(LVL_DEBUG, LOG_API, NULL, "%s", line);
}

static enum err_code
start_mhd(struct api *a, struct err *e)
{
	const union MHD_DaemonInfo *info;

	a->mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
	    NULL, NULL, on_access, a, MHD_OPTION_EXTERNAL_LOGGER, on_log, a,
	    MHD_OPTION_LISTEN_SOCKET, (MHD_socket)a->listen_fd, MHD_OPTION_CONNECTION_LIMIT,
	    a->c.max_connections, MHD_OPTION_CONNECTION_TIMEOUT, a->c.idle_seconds,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, MHD_OPTION_NOTIFY_COMPLETED,
	    on_completed, a, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, a, MHD_OPTION_END);
	if (a->mhd == NULL)
		return err_set(e, ERR_INTERNAL, "%s: the HTTP server does not start", a->c.socket);
	info = MHD_get_daemon_info(a->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL || info->epoll_fd < 0)
		return err_set(
		    e, ERR_INTERNAL, "%s: the HTTP server has no epoll descriptor", a->c.socket);
	enum err_code rc = loop_fd_new(a->c.loop, info->epoll_fd, on_ready, a, &a->fd, e);
	if (rc == ERR_OK)
		loop_fd_want(a->fd, LOOP_READ);
	return rc;
}

/* ---- its life ---- */

static void
set_defaults(struct api *a)
{
	if (a->c.idle_seconds == 0)
		a->c.idle_seconds = 30;
	if (a->c.heartbeat_ms == 0)
		a->c.heartbeat_ms = 15000;
	if (a->c.max_body == 0)
		a->c.max_body = API_BODY_MAX;
	if (a->c.max_connections == 0)
		a->c.max_connections = 128;
}

enum err_code
api_check(const struct api_conf *c, struct err *e)
{
	struct sockaddr_un sa;
	struct perms *p = NULL;
	gid_t gid;
	enum err_code rc = perms_new(c->grants, c->n_grants, &p, e);

	if (rc == ERR_OK)
		rc = address_of(c->socket, &sa, e);
	if (rc == ERR_OK)
		rc = find_group(c, &gid, e);
	perms_free(p);
	return rc == ERR_OK ? ERR_OK : err_wrap(e, "api");
}

enum err_code
api_open(const struct api_conf *c, struct api **out, struct err *e)
{
	struct api *a = calloc(1, sizeof *a);
	enum err_code rc;

	if (a == NULL)
		return err_no_memory(e);
	a->c = *c;
	a->listen_fd = -1;
	a->opened_ms = loop_now_ms(c->loop);
	set_defaults(a);
	rc = perms_new(c->grants, c->n_grants, &a->perms, e);
	if (rc == ERR_OK)
		rc = events_new(a, &a->events, e);
	if (rc == ERR_OK)
		rc = loop_timer_new(c->loop, pump, a, &a->timer, e);
	if (rc == ERR_OK)
		rc = listen_at(a, e);
	if (rc == ERR_OK)
		rc = start_mhd(a, e);
	if (rc == ERR_OK)
		*out = a;
	else {
		(void)err_wrap(e, "api");
		api_close(a);
	}
	return rc;
}

void
api_free(struct api *a)
{
	perms_free(a->perms);
	events_free(a->events);
	free(a->socket);
	free(a);
}

/* Those that wait for the store are let go: their answer goes nowhere when it comes. */
static void
let_go(struct api *a)
{
	for (struct req *r = a->reqs; r != NULL; r = r->next)
		if (r->suspended) {
			r->suspended = false;
			api_resume(a, r->conn);
		}
}

void
api_close(struct api *a)
{
	if (a == NULL)
		return;
	if (a->socket != NULL)
		(void)unlink(a->socket);
	loop_fd_free(a->fd);
	loop_timer_free(a->timer);
	a->timer = NULL;
	if (a->events != NULL)
		events_close(a->events);
	if (a->mhd != NULL) {
		let_go(a);
		MHD_stop_daemon(a->mhd); /* closes the listening socket too */
	} else if (a->listen_fd >= 0)
		(void)close(a->listen_fd);
	a->mhd = NULL;
	a->closed = true;
	if (a->reqs == NULL)
		api_free(a);
}

void
api_drain(struct api *a)
{
	a->draining = true;
}
