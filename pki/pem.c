#include "pki/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/enc.h"

#define BEGIN "-----BEGIN "
#define END "-----END "
#define DASHES "-----"

struct line {
	const char *p;
	size_t n;
};

/* The next line without its end; blanks behind it are left out. */
static bool
next_line(struct rbuf *in, struct line *l)
{
	const char *p = (const char *)in->data + in->pos;
	size_t left = rbuf_left(in);

	if (left == 0)
		return false;
	const char *nl = memchr(p, '\n', left);
	size_t n = nl == NULL ? left : (size_t)(nl - p);
	(void)rbuf_take(in, nl == NULL ? n : n + 1);
	while (n > 0 && (p[n - 1] == '\r' || p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	*l = (struct line){ p, n };
	return true;
}

/* "-----BEGIN label-----", the label copied. */
static bool
is_mark(const struct line *l, const char *mark, char label[PEM_LABEL_MAX])
{
	size_t head = strlen(mark), tail = strlen(DASHES);

	if (l->n < head + tail + 1 || memcmp(l->p, mark, head) != 0 ||
	    memcmp(l->p + l->n - tail, DASHES, tail) != 0)
		return false;
	size_t n = l->n - head - tail;
	if (n >= PEM_LABEL_MAX || memchr(l->p + head, '\0', n) != NULL)
		return false;
	memcpy(label, l->p + head, n);
	label[n] = '\0';
	return true;
}

void
pem_block_clear(struct pem_block *b)
{
	secret_clear(&b->der);
	b->label[0] = '\0';
}

bool
pem_is(const void *text, size_t n)
{
	struct rbuf in = rbuf_make(text, n);
	size_t head = strlen(BEGIN);
	struct line l;

	while (next_line(&in, &l))
		if (l.n > head && memcmp(l.p, BEGIN, head) == 0)
			return true;
	return false;
}

static bool
find_begin(struct rbuf *in, struct pem_block *b)
{
	struct line l;

	while (next_line(in, &l))
		if (is_mark(&l, BEGIN, b->label))
			return true;
	return false;
}

enum err_code
pem_next(struct rbuf *in, struct pem_block *b, struct err *e)
{
	char label[PEM_LABEL_MAX] = "";
	struct gbuf base64 = { .max = in->len };
	struct line l;
	bool ended = false;
	enum err_code rc = ERR_OK;

	if (!find_begin(in, b))
		return ERR_NOT_FOUND;
	while (!ended && next_line(in, &l)) {
		ended = is_mark(&l, END, label);
		if (!ended)
			gbuf_put(&base64, l.p, l.n);
	}
	if (!ended || strcmp(label, b->label) != 0)
		rc = err_set(e, ERR_PARSE, "a PEM block that does not end");
	if (rc == ERR_OK)
		rc = gbuf_check(&base64, e);
	if (rc == ERR_OK)
		rc = dec_base64(gbuf_cstr(&base64), base64.len, &b->der, e);
	gbuf_clear(&base64);
	if (rc != ERR_OK)
		pem_block_clear(b);
	return rc;
}

static enum err_code
read_all(int fd, size_t max, struct secret *out, struct err *e)
{
	struct gbuf all = { .max = max };
	uint8_t part[4096];
	enum err_code rc = ERR_OK;
	ssize_t n;

	while (rc == ERR_OK && (n = read(fd, part, sizeof part)) != 0) {
		if (n > 0)
			gbuf_put(&all, part, (size_t)n);
		else if (errno != EINTR)
			rc = err_errno(e, errno, "read");
		if (all.failed)
			rc = err_set(e, ERR_LIMIT, "larger than %zu bytes", max);
	}
	if (rc == ERR_OK)
		rc = secret_set(out, all.data, all.len, e);
	wipe(part, sizeof part);
	gbuf_clear(&all);
	return rc;
}

enum err_code
pem_read_file(const char *file, size_t max, struct secret *out, struct err *e)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return err_errno(e, errno, "%s", file);
	enum err_code rc = read_all(fd, max, out, e);
	(void)close(fd);
	return rc == ERR_OK ? rc : err_wrap(e, "%s", file);
}

void
pem_write(struct gbuf *out, const char *label, const void *der, size_t n)
{
	struct gbuf base64 = { .max = 2 * n + 4 };

	enc_base64(&base64, der, n);
	gbuf_printf(out, BEGIN "%s" DASHES "\n", label);
	for (size_t at = 0; at < base64.len; at += 64) {
		gbuf_put(out, gbuf_cstr(&base64) + at, MIN(base64.len - at, (size_t)64));
		gbuf_str(out, "\n");
	}
	gbuf_printf(out, END "%s" DASHES "\n", label);
	out->failed = out->failed || base64.failed;
	gbuf_clear(&base64);
}
