#include "lwm2m-prov/input.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/secret.h"
#include "lib/base/str.h"

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && strcmp(s + n - m, end) == 0;
}

static bool
named_ndjson(const char *name)
{
	return ends_with(name, ".ndjson") || ends_with(name, ".jsonl");
}

/* Two lines with a whole object on the first: nobody writes a single document so. */
static bool
looks_like_ndjson(const struct gbuf *text)
{
	const char *p = gbuf_cstr(text);
	size_t n;

	p += strspn(p, " \t\r\n");
	n = strcspn(p, "\n");
	if (*p != '{' || p[n] == '\0')
		return false;
	const char *rest = p + n + strspn(p + n, " \t\r\n");
	while (n > 0 && strchr(" \t\r", p[n - 1]) != NULL)
		n--;
	return p[n - 1] == '}' && *rest == '{';
}

static enum err_code
read_all(int fd, const char *name, struct gbuf *out, struct err *e)
{
	char part[65536];
	ssize_t n;

	do {
		n = read(fd, part, sizeof part);
		if (n > 0)
			gbuf_put(out, part, (size_t)n);
	} while (n > 0 || (n < 0 && errno == EINTR));
	wipe(part, sizeof part);
	if (n < 0)
		return err_set(e, ERR_INVALID, "%s: %s", name, strerror(errno));
	if (gbuf_check(out, NULL) != ERR_OK)
		return err_set(e, ERR_INVALID, "%s: is larger than %zu octets", name, INPUT_MAX);
	return ERR_OK;
}

/* Editors of other systems put one there; JSON has none. */
static void
strip_bom(struct input *in)
{
	static const uint8_t mark[] = { 0xef, 0xbb, 0xbf };

	if (in->text.len < sizeof mark || memcmp(in->text.data, mark, sizeof mark) != 0)
		return;
	in->bom = true;
	in->text.len -= sizeof mark;
	memmove(in->text.data, in->text.data + sizeof mark, in->text.len + 1);
}

static enum err_code
add_open(struct inputs *in, const char *name, int fd, struct err *e)
{
	struct input *moved = grow(in->v, in->n, &in->cap, sizeof *in->v);
	struct input *one;
	enum err_code rc;

	if (moved == NULL)
		return err_no_memory(e);
	in->v = moved;
	one = &in->v[in->n];
	*one =
	    (struct input){ .name = str_dup_n(name, strlen(name)), .text = { .max = INPUT_MAX } };
	if (one->name == NULL)
		return err_no_memory(e);
	in->n++;
	rc = read_all(fd, name, &one->text, e);
	strip_bom(one);
	one->ndjson = named_ndjson(name) || looks_like_ndjson(&one->text);
	return rc;
}

static enum err_code
add_file(struct inputs *in, const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum err_code rc;

	if (fd < 0)
		return err_set(e, ERR_INVALID, "%s: %s", path, strerror(errno));
	rc = add_open(in, path, fd, e);
	(void)close(fd);
	return rc;
}

static int
wanted(const struct dirent *d)
{
	return d->d_name[0] != '.' && (ends_with(d->d_name, ".json") || named_ndjson(d->d_name));
}

static enum err_code
add_folder(struct inputs *in, const char *path, struct err *e)
{
	struct dirent **names = NULL;
	int n = scandir(path, &names, wanted, alphasort);
	enum err_code rc = ERR_OK;

	if (n < 0)
		return err_set(e, ERR_INVALID, "%s: %s", path, strerror(errno));
	if (n == 0)
		rc = err_set(e, ERR_INVALID, "%s: holds no *.json, *.ndjson or *.jsonl", path);
	for (int i = 0; i < n; i++) {
		struct gbuf file = { .max = 8192 };

		gbuf_printf(
		    &file, "%s%s%s", path, ends_with(path, "/") ? "" : "/", names[i]->d_name);
		if (rc == ERR_OK)
			rc = add_file(in, gbuf_cstr(&file), e);
		gbuf_clear(&file);
		free(names[i]);
	}
	free(names);
	return rc;
}

enum err_code
inputs_add(struct inputs *in, const char *path, struct err *e)
{
	struct stat st;

	if (strcmp(path, "-") == 0)
		return add_open(in, path, STDIN_FILENO, e);
	if (stat(path, &st) != 0)
		return err_set(e, ERR_INVALID, "%s: %s", path, strerror(errno));
	return S_ISDIR(st.st_mode) ? add_folder(in, path, e) : add_file(in, path, e);
}

void
inputs_clear(struct inputs *in)
{
	for (size_t i = 0; i < in->n; i++) {
		free(in->v[i].name);
		gbuf_clear(&in->v[i].text);
	}
	free(in->v);
	*in = (struct inputs){ 0 };
}

static enum err_code
write_all(int fd, const char *text, size_t n, struct err *e)
{
	while (n > 0) {
		ssize_t put = write(fd, text, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_errno(e, errno, "cannot be written");
		text += put;
		n -= (size_t)put;
	}
	return fsync(fd) == 0 ? ERR_OK : err_errno(e, errno, "cannot be written");
}

enum err_code
input_replace(const char *path, const void *text, size_t n, struct err *e)
{
	char *real = realpath(path, NULL);
	struct gbuf beside = { .max = 8192 };
	enum err_code rc = ERR_OK;
	struct stat st;
	int fd = -1;

	if (real == NULL || stat(real, &st) != 0) {
		rc = err_errno(e, errno, "%s", path);
		goto out;
	}
	gbuf_printf(&beside, "%s.XXXXXX", real);
	if (gbuf_check(&beside, e) != ERR_OK) {
		rc = err_wrap(e, "%s", path);
		goto out;
	}
	fd = mkostemp((char *)beside.data, O_CLOEXEC);
	if (fd < 0) {
		rc = err_errno(e, errno, "%s: no file can be made beside it", path);
		goto out;
	}
	/* another owner is kept where that is allowed */
	if (fchown(fd, st.st_uid, st.st_gid) != 0)
		(void)0;
	rc = write_all(fd, text, n, e);
	if (rc == ERR_OK &&
	    (fchmod(fd, st.st_mode & 07777) != 0 || rename(gbuf_cstr(&beside), real) != 0))
		rc = err_errno(e, errno, "cannot be replaced");
	if (rc != ERR_OK) {
		(void)unlink(gbuf_cstr(&beside));
		(void)err_wrap(e, "%s", path);
	}
out:
	if (fd >= 0)
		(void)close(fd);
	gbuf_clear(&beside);
	free(real);
	return rc;
}
