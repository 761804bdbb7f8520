#include "bsserver/loop/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/buf.h"

#define READ_AT_ONCE 4096

struct process {
	struct loop *loop;
	process_done_fn *done;
	void *arg;
	pid_t pid;
	int in, out, pidfd; /* our ends; -1: closed */
	struct loop_fd *in_watch, *out_watch, *pid_watch;
	struct loop_timer *timer;
	struct gbuf input, output;
	size_t written;
	enum err_code killed_for;
};

static void
close_end(int *fd, struct loop_fd **watch)
{
	loop_fd_free(*watch);
	*watch = NULL;
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void
process_free(struct process *p)
{
	close_end(&p->in, &p->in_watch);
	close_end(&p->out, &p->out_watch);
	close_end(&p->pidfd, &p->pid_watch);
	loop_timer_free(p->timer);
	gbuf_clear(&p->input);
	gbuf_clear(&p->output);
	free(p);
}

static void
kill_group(const struct process *p)
{
	(void)kill(-p->pid, SIGKILL);
	(void)kill(p->pid, SIGKILL); /* it may not have come as far as its group */
}

static void
give_up(struct process *p, enum err_code why)
{
	if (p->killed_for == ERR_OK)
		p->killed_for = why;
	kill_group(p);
}

static void
read_some(struct process *p)
{
	uint8_t bytes[READ_AT_ONCE];
	ssize_t n;

	while (p->out >= 0 && (n = read(p->out, bytes, sizeof bytes)) != 0) {
		if (n < 0) {
			if (errno == EAGAIN || errno == EINTR)
				return;
			break;
		}
		gbuf_put(&p->output, bytes, (size_t)n);
		if (p->output.failed) {
			give_up(p, ERR_LIMIT);
			break;
		}
	}
	close_end(&p->out, &p->out_watch);
}

static void
on_output(void *arg, unsigned events)
{
	(void)events;
	read_some(arg);
}

/* A program that does not read to the end is no fault by itself: its exit status tells. */
static void
on_input(void *arg, unsigned events)
{
	struct process *p = arg;
	ssize_t n = send(p->in, p->input.data + p->written, p->input.len - p->written, MSG_NOSIGNAL);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		p->written += (size_t)n;
	if (n < 0 || p->written == p->input.len)
		close_end(&p->in, &p->in_watch);
}

static void
on_exit_of(void *arg, unsigned events)
{
	struct process *p = arg;
	struct process_end end = { 0 };
	int status = 0;

	(void)events;
	read_some(p); /* what it wrote before it ended; before its id can be another's, for that may kill it */
	pid_t pid = waitpid(p->pid, &status, WNOHANG);
	if (pid == 0)
		return;
	end.error = p->killed_for;
	if (end.error == ERR_OK && (pid < 0 || !WIFEXITED(status)))
		end.error = ERR_CLOSED;
	end.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	end.out = p->output.data;
	end.out_len = p->output.len;
	p->done(p->arg, &end);
	process_free(p);
}

static void
on_timeout(void *arg)
{
	give_up(arg, ERR_TIMEOUT);
}

/* ---- beginning ---- */

static enum err_code
set_up(posix_spawn_file_actions_t *fa, posix_spawnattr_t *at, int in, int out)
{
	sigset_t all, none;

	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	bool ok = posix_spawn_file_actions_adddup2(fa, in, 0) == 0 && posix_spawn_file_actions_adddup2(fa, out, 1) == 0 &&
	    posix_spawn_file_actions_addopen(fa, 2, "/dev/null", O_WRONLY, 0) == 0 &&
	    posix_spawn_file_actions_addclosefrom_np(fa, 3) == 0 && posix_spawnattr_setsigdefault(at, &all) == 0 &&
	    posix_spawnattr_setsigmask(at, &none) == 0 && posix_spawnattr_setpgroup(at, 0) == 0 &&
	    posix_spawnattr_setflags(
		at, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK) == 0;
	return ok ? ERR_OK : ERR_NO_MEMORY;
}

static enum err_code
spawn(struct process *p, char *const *argv, int in, int out, struct err *e)
{
	static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin", lang[] = "LANG=C.UTF-8";
	char *const env[] = { path, lang, NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	int rc;

	if (posix_spawn_file_actions_init(&fa) != 0)
		return err_no_memory(e);
	if (posix_spawnattr_init(&at) != 0) {
		(void)posix_spawn_file_actions_destroy(&fa);
		return err_no_memory(e);
	}
	rc = set_up(&fa, &at, in, out) == ERR_OK ? posix_spawn(&p->pid, argv[0], &fa, &at, argv, env) : ENOMEM;
	(void)posix_spawn_file_actions_destroy(&fa);
	(void)posix_spawnattr_destroy(&at);
	return rc == 0 ? ERR_OK : err_errno(e, rc, "%s", argv[0]);
}

static enum err_code
watch(struct process *p, uint32_t timeout_ms, struct err *e)
{
	enum err_code rc;

	p->pidfd = pidfd_open(p->pid, 0);
	if (p->pidfd < 0)
		return err_errno(e, errno, "pidfd_open");
	rc = loop_fd_new(p->loop, p->pidfd, on_exit_of, p, &p->pid_watch, e);
	if (rc == ERR_OK)
		rc = loop_fd_new(p->loop, p->out, on_output, p, &p->out_watch, e);
	if (rc == ERR_OK)
		rc = loop_fd_new(p->loop, p->in, on_input, p, &p->in_watch, e);
	if (rc == ERR_OK)
		rc = loop_timer_new(p->loop, on_timeout, p, &p->timer, e);
	if (rc != ERR_OK)
		return rc;
	loop_fd_want(p->pid_watch, LOOP_READ);
	loop_fd_want(p->out_watch, LOOP_READ);
	loop_fd_want(p->in_watch, LOOP_WRITE);
	loop_timer_start(p->timer, timeout_ms, 0);
	return ERR_OK;
}

static enum err_code
start(struct process *p, const struct process_order *o, struct err *e)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 };
	enum err_code rc = ERR_OK;

	/* sockets, so that writing to a program that is gone raises no signal */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) != 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out) != 0)
		rc = err_errno(e, errno, "socketpair");
	if (rc == ERR_OK)
		rc = spawn(p, o->argv, in[1], out[1], e);
	p->in = in[0];
	p->out = out[0];
	if (in[1] >= 0)
		(void)close(in[1]);
	if (out[1] >= 0)
		(void)close(out[1]);
	if (rc != ERR_OK)
		return rc;
	(void)fcntl(p->in, F_SETFL, O_NONBLOCK);
	(void)fcntl(p->out, F_SETFL, O_NONBLOCK);
	rc = watch(p, o->timeout_ms, e);
	if (rc != ERR_OK) {
		kill_group(p);
		(void)waitpid(p->pid, NULL, 0); /* it was killed: this is over at once */
	}
	return rc;
}

enum err_code
process_run(struct loop *l, const struct process_order *o, process_done_fn *done, void *arg, struct process **out,
    struct err *e)
{
	struct process *p = calloc(1, sizeof *p);

	if (p == NULL)
		return err_no_memory(e);
	*p = (struct process){ .loop = l, .done = done, .arg = arg, .in = -1, .out = -1, .pidfd = -1 };
	p->output.max = o->max_output;
	gbuf_put(&p->input, o->input, o->input_len);
	enum err_code rc = gbuf_check(&p->input, e);
	if (rc == ERR_OK)
		rc = start(p, o, e);
	if (rc != ERR_OK) {
		process_free(p);
		return rc;
	}
	if (out != NULL)
		*out = p;
	return ERR_OK;
}

void
process_abandon(struct process *p)
{
	kill_group(p);
	(void)waitpid(p->pid, NULL, 0); /* it was killed: this is over at once */
	process_free(p);
}
