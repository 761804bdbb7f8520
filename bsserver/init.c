#include "bsserver/init.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bsserver/conf/conf.h"
#include "bsserver/loop/loop.h"
#include "bsserver/store/store.h"

static enum err_code
in_dir(char out[PATH_MAX], const char *dir, const char *name, struct err *e)
{
	int n = snprintf(out, PATH_MAX, "%s/%s", dir, name);

	return n < 0 || n >= PATH_MAX ? err_set(e, ERR_LIMIT, "%s: the path is too long", dir) : ERR_OK;
}

/* A new file, on disk when this returns; nothing is left of it after an error. */
static enum err_code
write_new(const char *file, const struct gbuf *text, struct err *e)
{
	enum err_code rc = ERR_OK;
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	if (fd < 0)
		return err_errno(e, errno, "%s", file);
	for (size_t at = 0; rc == ERR_OK && at < text->len;) {
		ssize_t n = write(fd, text->data + at, text->len - at);

		if (n < 0 && errno != EINTR)
			rc = err_errno(e, errno, "%s", file);
		else if (n > 0)
			at += (size_t)n;
	}
	if (rc == ERR_OK && fsync(fd) != 0)
		rc = err_errno(e, errno, "%s", file);
	(void)close(fd);
	if (rc != ERR_OK)
		(void)unlink(file);
	return rc;
}

static enum err_code
write_conf(const char *file, struct err *e)
{
	struct gbuf text = { 0 };
	enum err_code rc;

	conf_write_template(&text);
	rc = gbuf_check(&text, e);
	if (rc == ERR_OK)
		rc = write_new(file, &text, e);
	gbuf_clear(&text);
	return rc;
}

static void
ignore_feed(void *arg, const struct store_feed *f)
{
	(void)arg;
	(void)f;
}

static enum err_code
make_store(const struct conf *c, struct err *e)
{
	struct store_conf sc = { .uri = c->store_uri, .key_file = c->store_key, .create = true };
	const struct store_ops *ops = store_by_uri(c->store_uri);
	struct loop *l = NULL;
	struct store *s = NULL;
	enum err_code rc = loop_new(&l, e);

	if (rc == ERR_OK)
		rc = ops->open(&sc, l, ignore_feed, NULL, &s, e);
	if (rc == ERR_OK)
		ops->close(s);
	loop_free(l);
	return rc;
}

enum err_code
init_dir(const char *dir, struct err *e)
{
	char conf_file[PATH_MAX];
	struct conf c = { 0 };
	enum err_code rc;

	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return err_errno(e, errno, "%s", dir);
	rc = in_dir(conf_file, dir, "bsserver.conf", e);
	if (rc == ERR_OK)
		rc = write_conf(conf_file, e);
	if (rc == ERR_OK)
		rc = conf_load(conf_file, &c, e);
	if (rc == ERR_OK)
		rc = store_key_create(c.store_key, e);
	if (rc == ERR_OK)
		rc = make_store(&c, e);
	conf_clear(&c);
	return rc;
}
