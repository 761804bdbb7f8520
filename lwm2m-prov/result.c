#include "lwm2m-prov/result.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "lib/base/crypt.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"

#define SALT_HEX ((size_t)2 * CRYPT_KEY_LEN)

/* An earlier row. */
struct known {
	char *name;   /* owned; "device NAME" */
	char *digest; /* owned; NULL: not acknowledged */
	size_t at;    /* which row it was: the last one of a name counts */
};

struct result_file {
	int fd;
	char *path;
	struct secret salt; /* of this run's digests */
	struct gbuf salt_hex, pending;
	struct known *v;
	size_t n, cap;
};

static void
row_name(struct gbuf *out, const char *kind, const char *name)
{
	gbuf_printf(out, "%s %s", kind, name);
}

static const char *
kind_of(const struct doc_item *item)
{
	if (item->doc == NULL || profile_doc_kind(item->doc) == PROFILE_NO_KIND)
		return "document";
	return profile_doc_kind(item->doc) == PROFILE_SHARED ? "profile" : "device";
}

/* HMAC of the document under the salt, in hex. */
static enum err_code
digest_of(const struct doc_item *item, const struct secret *salt, char out[CRYPT_FP_LEN + 1],
    struct err *e)
{
	struct gbuf text = { .max = 4 * PROFILE_TEXT_MAX };
	enum err_code rc;

	profile_doc_write(item->doc, true, &text);
	rc = gbuf_check(&text, e);
	if (rc == ERR_OK)
		rc = crypt_fingerprint(salt, gbuf_cstr(&text), text.len, out, e);
	gbuf_clear(&text);
	return rc;
}

static bool
is_acknowledged(const char *result)
{
	static const char *const words[] = { "created", "updated", "unchanged" };

	for (size_t i = 0; result != NULL && i < N_ELEMS(words); i++)
		if (strcmp(result, words[i]) == 0)
			return true;
	return false;
}

static enum err_code
remember(struct result_file *r, const json_t *row, struct err *e)
{
	const char *kind = json_string_value(json_object_get(row, "kind"));
	const char *name = json_string_value(json_object_get(row, "name"));
	const char *digest = json_string_value(json_object_get(row, "digest"));
	const char *result = json_string_value(json_object_get(row, "result"));
	struct gbuf whole = { .max = 4096 };
	struct known *moved;

	if (result == NULL)
		return err_set(e, ERR_INVALID, "is no row of results");
	if (kind == NULL || name == NULL)
		return ERR_OK;
	moved = grow(r->v, r->n, &r->cap, sizeof *r->v);
	if (moved == NULL)
		return err_no_memory(e);
	r->v = moved;
	row_name(&whole, kind, name);
	moved[r->n] = (struct known){ .name = str_dup_n(gbuf_cstr(&whole), whole.len), .at = r->n };
	gbuf_clear(&whole);
	if (digest != NULL && is_acknowledged(result))
		moved[r->n].digest = str_dup_n(digest, strlen(digest));
	return moved[r->n++].name != NULL ? ERR_OK : err_no_memory(e);
}

static int
by_name(const void *a, const void *b)
{
	const struct known *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c != 0 ? c : (x->at > y->at) - (x->at < y->at);
}

/* Every whole line; the length of them together. */
static enum err_code
read_rows(struct result_file *r, const char *text, size_t n, size_t *whole, struct err *e)
{
	unsigned line = 1;
	enum err_code rc = ERR_OK;

	for (*whole = 0; rc == ERR_OK; line++) {
		const char *p = text + *whole, *nl = memchr(p, '\n', n - *whole);
		json_t *row;

		if (nl == NULL)
			break;
		row = json_loadb(p, (size_t)(nl - p), 0, NULL);
		rc = json_is_object(row) ? remember(r, row, e)
		                         : err_set(e, ERR_INVALID, "is no row of results");
		json_decref(row);
		if (rc != ERR_OK)
			(void)err_wrap(e, "%s:%u", r->path, line);
		*whole += (size_t)(nl - p) + 1;
	}
	if (r->n > 0)
		qsort(r->v, r->n, sizeof *r->v, by_name);
	return rc;
}

static enum err_code
read_earlier(struct result_file *r, struct err *e)
{
	struct gbuf text = { .max = (size_t)1 << 30 };
	char part[65536];
	size_t whole = 0;
	enum err_code rc;
	ssize_t n = 0;

	while (!text.failed && ((n = read(r->fd, part, sizeof part)) > 0 || (n < 0 && errno == EINTR)))
		if (n > 0)
			gbuf_put(&text, part, (size_t)n);
	rc = gbuf_check(&text, e);
	if (rc == ERR_OK && n < 0)
		rc = err_set(e, ERR_IO, "%s: %s", r->path, strerror(errno));
	if (rc == ERR_OK)
		rc = read_rows(r, gbuf_cstr(&text), text.len, &whole, e);
	/* something else than a row that was cut off is not ours to remove */
	if (rc == ERR_OK && whole < text.len && gbuf_cstr(&text)[whole] != '{')
		rc = err_set(e, ERR_INVALID, "%s: its last line is no row of results", r->path);
	if (rc == ERR_OK && whole < text.len && ftruncate(r->fd, (off_t)whole) != 0)
		rc = err_set(e, ERR_IO, "%s: %s", r->path, strerror(errno));
	gbuf_clear(&text);
	return rc;
}

/* Rows are read back and cut off, which two at a time would do to each other's. */
static enum err_code
take(const struct result_file *r, struct err *e)
{
	struct stat st;

	if (fstat(r->fd, &st) != 0)
		return err_set(e, ERR_IO, "%s: %s", r->path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "--result: %s: is no regular file", r->path);
	if (flock(r->fd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK
		           ? err_set(e, ERR_CONFLICT, "--result: %s: another run writes to it", r->path)
		           : err_set(e, ERR_IO, "%s: %s", r->path, strerror(errno));
	return ERR_OK;
}

enum err_code
result_open(const char *path, struct result_file **out, struct err *e)
{
	struct result_file *r = calloc(1, sizeof *r);
	enum err_code rc;

	if (r == NULL)
		return err_no_memory(e);
	*r = (struct result_file){
		.fd = -1, .salt_hex = { .max = 128 }, .pending = { .max = (size_t)256 << 20 }
	};
	r->path = str_dup_n(path, strlen(path));
	rc = r->path == NULL ? err_no_memory(e) : secret_random(&r->salt, CRYPT_KEY_LEN, e);
	if (rc != ERR_OK)
		goto out;
	enc_hex(&r->salt_hex, r->salt.data, r->salt.len);
	r->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	if (r->fd < 0)
		rc = err_set(e, ERR_INVALID, "--result: %s: %s", path, strerror(errno));
	else
		rc = take(r, e);
	if (rc == ERR_OK)
		rc = read_earlier(r, e);
out:
	if (rc == ERR_OK)
		*out = r;
	else
		result_close(r);
	return rc;
}

void
result_close(struct result_file *r)
{
	if (r == NULL)
		return;
	if (r->fd >= 0)
		(void)close(r->fd);
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].name);
		free(r->v[i].digest);
	}
	free(r->v);
	free(r->path);
	secret_clear(&r->salt);
	gbuf_clear(&r->salt_hex);
	gbuf_clear(&r->pending);
	free(r);
}

/* The last row of a name; NULL. */
static const struct known *
find(const struct result_file *r, const char *name)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(r->v[mid].name, name) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low > 0 && strcmp(r->v[low - 1].name, name) == 0 ? &r->v[low - 1] : NULL;
}

bool
result_has(const struct result_file *r, const struct doc_item *item)
{
	struct gbuf name = { .max = 4096 };
	struct secret salt = SECRET_NONE;
	const struct known *k = NULL;
	char digest[CRYPT_FP_LEN + 1];
	bool same = false;

	if (r == NULL || item->doc == NULL || profile_doc_name(item->doc) == NULL)
		return false;
	row_name(&name, kind_of(item), profile_doc_name(item->doc));
	k = find(r, gbuf_cstr(&name));
	gbuf_clear(&name);
	if (k == NULL || k->digest == NULL || strlen(k->digest) != SALT_HEX + 1 + CRYPT_FP_LEN)
		return false;
	if (dec_hex(k->digest, SALT_HEX, &salt, NULL) == ERR_OK &&
	    digest_of(item, &salt, digest, NULL) == ERR_OK)
		same = strcmp(k->digest + SALT_HEX + 1, digest) == 0;
	secret_clear(&salt);
	return same;
}

enum err_code
result_put(struct result_file *r, const struct doc_item *item, struct json_t *row, struct err *e)
{
	char digest[CRYPT_FP_LEN + 1];
	enum err_code rc = ERR_OK;
	char *text;

	if (r == NULL)
		return ERR_OK;
	if (item->doc != NULL) {
		rc = digest_of(item, &r->salt, digest, e);
		if (rc != ERR_OK)
			return rc;
		(void)json_object_set_new(
		    row, "digest", json_sprintf("%s:%s", gbuf_cstr(&r->salt_hex), digest));
	}
	text = json_dumps(row, JSON_COMPACT);
	if (text == NULL)
		return err_no_memory(e);
	gbuf_str(&r->pending, text);
	gbuf_str(&r->pending, "\n");
	free(text);
	return gbuf_check(&r->pending, e);
}

enum err_code
result_sync(struct result_file *r, struct err *e)
{
	size_t done = 0;

	if (r == NULL || r->pending.len == 0)
		return ERR_OK;
	while (done < r->pending.len) {
		ssize_t n = write(r->fd, r->pending.data + done, r->pending.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, ERR_IO, "--result: %s: %s", r->path, strerror(errno));
		done += (size_t)n;
	}
	gbuf_reset(&r->pending);
	if (fdatasync(r->fd) != 0 && errno != EINVAL)
		return err_set(e, ERR_IO, "--result: %s: %s", r->path, strerror(errno));
	return ERR_OK;
}
