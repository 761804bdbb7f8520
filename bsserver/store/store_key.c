#include "bsserver/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/enc.h"

static enum err_code
write_all(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return ERR_IO;
		p += done;
		n -= (size_t)done;
	}
	return ERR_OK;
}

/* So that the name of the new file outlives a crash as its contents do. */
static enum err_code
sync_folder(const char *file, struct err *e)
{
	char *copy = strdup(file);
	if (copy == NULL)
		return err_no_memory(e);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (fd < 0 || fsync(fd) < 0) {
		int errnum = errno;
		if (fd >= 0)
			(void)close(fd);
		return err_errno(e, errnum, "folder of %s", file);
	}
	(void)close(fd);
	return ERR_OK;
}

enum err_code
store_key_create(const char *file, struct err *e)
{
	struct secret key = SECRET_NONE;
	struct gbuf hex = { 0 };
	int fd = -1;
	enum err_code rc = secret_random(&key, CRYPT_KEY_LEN, e);

	if (rc != ERR_OK)
		goto out;
	enc_hex(&hex, key.data, key.len);
	gbuf_str(&hex, "\n");
	rc = gbuf_check(&hex, e);
	if (rc != ERR_OK)
		goto out;
	fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		rc = err_errno(e, errno, "sealing key %s", file);
		goto out;
	}
	if (write_all(fd, hex.data, hex.len) != ERR_OK || fsync(fd) < 0) {
		rc = err_errno(e, errno, "sealing key %s", file);
		(void)unlink(file);
		goto out;
	}
	rc = sync_folder(file, e);
out:
	if (fd >= 0)
		(void)close(fd);
	gbuf_clear(&hex);
	secret_clear(&key);
	return rc;
}

static enum err_code
read_key(int fd, const char *file, struct secret *out, struct err *e)
{
	char text[2 * CRYPT_KEY_LEN + 2];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(e, errno, "sealing key %s", file);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_REFUSED, "sealing key %s: not a regular file", file);
	if ((st.st_mode & 077) != 0)
		return err_set(e, ERR_REFUSED, "sealing key %s: mode %04o lets others at it; it must be 0600 or 0400",
		    file, (unsigned)st.st_mode & 07777);
	ssize_t n = read(fd, text, sizeof text);
	if (n < 0)
		return err_errno(e, errno, "sealing key %s", file);
	size_t len = (size_t)n;
	if (len == sizeof text - 1 && text[len - 1] == '\n')
		len--;
	enum err_code rc = dec_hex(text, len, out, e);
	wipe(text, sizeof text);
	if (rc != ERR_OK) {
		(void)err_wrap(e, "sealing key %s", file);
		return rc;
	}
	if (out->len != CRYPT_KEY_LEN) {
		secret_clear(out);
		return err_set(e, ERR_PARSE, "sealing key %s: not %d hex digits", file, 2 * CRYPT_KEY_LEN);
	}
	return ERR_OK;
}

enum err_code
store_key_load(const char *file, struct secret *out, struct err *e)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(e, errno, "sealing key %s", file);
	enum err_code rc = read_key(fd, file, out, e);
	(void)close(fd);
	return rc;
}
