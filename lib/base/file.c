#include "lib/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"

static enum err_code
write_all(int fd, const void *data, size_t n, const char *path, struct err *e)
{
	const char *p = data;

	while (n > 0) {
		ssize_t put = write(fd, p, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_errno(e, errno, "%s", path);
		p += put;
		n -= (size_t)put;
	}
	return fsync(fd) == 0 ? ERR_OK : err_errno(e, errno, "%s", path);
}

static enum err_code
sync_folder(const char *path, struct err *e)
{
	struct gbuf folder = { 0 };
	const char *slash = strrchr(path, '/');
	enum err_code rc = ERR_OK;

	if (slash == NULL)
		gbuf_str(&folder, ".");
	else
		gbuf_put(&folder, path, slash == path ? 1 : (size_t)(slash - path));
	int fd = open(gbuf_cstr(&folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		rc = err_errno(e, errno, "%s", gbuf_cstr(&folder));
	if (fd >= 0)
		(void)close(fd);
	gbuf_clear(&folder);
	return rc;
}

static enum err_code
put_in_place(const char *part, const char *path, bool replace, struct err *e)
{
	if (replace)
		return rename(part, path) == 0 ? ERR_OK : err_errno(e, errno, "%s", path);
	if (link(part, path) != 0)
		return err_errno(e, errno, "%s", path);
	(void)unlink(part);
	return ERR_OK;
}

enum err_code
file_put(const char *path, const void *data, size_t n, mode_t mode, bool replace, struct err *e)
{
	struct gbuf part = { 0 };
	enum err_code rc;

	gbuf_printf(&part, "%s.XXXXXX", path);
	rc = gbuf_check(&part, e);
	int fd = rc == ERR_OK ? mkostemp((char *)part.data, O_CLOEXEC) : -1;
	if (rc == ERR_OK && fd < 0)
		rc = err_errno(e, errno, "%s", path);
	if (rc == ERR_OK && fchmod(fd, mode) != 0)
		rc = err_errno(e, errno, "%s", path);
	if (rc == ERR_OK)
		rc = write_all(fd, data, n, path, e);
	if (fd >= 0 && close(fd) != 0 && rc == ERR_OK)
		rc = err_errno(e, errno, "%s", path);
	if (rc == ERR_OK)
		rc = put_in_place(gbuf_cstr(&part), path, replace, e);
	if (rc != ERR_OK && fd >= 0)
		(void)unlink(gbuf_cstr(&part));
	gbuf_clear(&part);
	return rc == ERR_OK ? sync_folder(path, e) : rc;
}
