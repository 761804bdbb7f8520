#include "lwm2m-prov/ca.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/enc.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "pki/pem.h"

#define ISSUED_MAX ((size_t)256 << 20)

static enum err_code
path_in(const char *dir, const char *name, struct gbuf *out, struct err *e)
{
	gbuf_reset(out);
	gbuf_printf(out, "%s/%s", dir, name);
	return gbuf_check(out, e);
}

static enum err_code
put(const char *dir, const char *name, const void *data, size_t n, bool force, struct err *e)
{
	struct gbuf path = { 0 };
	enum err_code rc = path_in(dir, name, &path, e);

	if (rc == ERR_OK)
		rc = file_put(gbuf_cstr(&path), data, n, 0600, force, e);
	gbuf_clear(&path);
	return rc;
}

static enum err_code
put_pem(const char *dir, const char *name, const char *label, const struct secret *der, bool force,
    struct err *e)
{
	struct gbuf pem = { 0 };

	pem_write(&pem, label, der->data, der->len);
	enum err_code rc = gbuf_check(&pem, e);
	if (rc == ERR_OK)
		rc = put(dir, name, pem.data, pem.len, force, e);
	gbuf_clear(&pem);
	return rc;
}

static enum err_code
put_key(const char *dir, const struct pki_key *key, const char *url, bool force, struct err *e)
{
	struct secret pkcs8 = SECRET_NONE;
	enum err_code rc;

	if (url != NULL)
		return put(dir, "ca.url", url, strlen(url), force, e);
	rc = pki_key_export(key, &pkcs8, e);
	if (rc == ERR_OK)
		rc = put_pem(dir, "ca.key", "PRIVATE KEY", &pkcs8, force, e);
	secret_clear(&pkcs8);
	return rc;
}

enum err_code
ca_create(const char *dir, const struct pki_key *key, const char *url, const struct secret *cert,
    bool force, struct err *e)
{
	struct gbuf path = { 0 };
	enum err_code rc = path_in(dir, "ca.pem", &path, e);

	if (rc == ERR_OK && mkdir(dir, 0700) != 0 && errno != EEXIST)
		rc = err_errno(e, errno, "%s", dir);
	/* The key of a CA that is there is not touched either. */
	if (rc == ERR_OK && !force && access(gbuf_cstr(&path), F_OK) == 0)
		rc = err_set(e, ERR_EXISTS, "%s: a CA is there", dir);
	gbuf_clear(&path);
	if (rc == ERR_OK)
		rc = put_key(dir, key, url, force, e);
	if (rc == ERR_OK)
		rc = put(dir, "issued.ndjson", "", 0, force, e);
	return rc == ERR_OK ? put_pem(dir, "ca.pem", "CERTIFICATE", cert, force, e) : rc;
}

/* ---- the list ---- */

static enum err_code
take_line(struct ca *ca, const char *line, size_t n, size_t number, struct err *e)
{
	json_t *row = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
	const char *serial = json_string_value(json_object_get(row, "serial"));
	json_t *known = serial != NULL ? json_object_get(ca->issued, serial) : NULL;
	int r = -1;

	if (serial != NULL && json_object_get(row, "revoked_at") != NULL && known != NULL)
		r = json_object_update(known, row);
	else if (serial != NULL && json_is_integer(json_object_get(row, "not_after")))
		r = json_object_set(ca->issued, serial, row);
	json_decref(row);
	return r == 0 ? ERR_OK
	              : err_set(
	                    e, ERR_PARSE, "%s/issued.ndjson:%zu: no line of ours", ca->dir, number);
}

static enum err_code
take_lines(struct ca *ca, const struct secret *text, struct err *e)
{
	const char *all = (const char *)text->data, *nl;
	enum err_code rc = ERR_OK;

	for (size_t n = 1, at = 0; rc == ERR_OK && at < text->len; n++) {
		nl = memchr(all + at, '\n', text->len - at);
		if (nl == NULL)
			break; /* cut short when it was written: it was never acknowledged */
		rc = take_line(ca, all + at, (size_t)(nl - all) - at, n, e);
		at = (size_t)(nl - all) + 1;
	}
	return rc;
}

/* A last line that was cut short goes before another is added. */
static enum err_code
mend(int fd, const char *path, struct err *e)
{
	off_t size = lseek(fd, 0, SEEK_END), keep = size;
	char c = '\n';

	while (keep > 0 && pread(fd, &c, 1, keep - 1) == 1 && c != '\n')
		keep--;
	if (keep != size && ftruncate(fd, keep) != 0)
		return err_errno(e, errno, "%s", path);
	return ERR_OK;
}

static enum err_code
add_line(struct ca *ca, json_t *row, struct err *e)
{
	struct gbuf path = { 0 };
	char *text = row != NULL ? json_dumps(row, JSON_COMPACT) : NULL;
	enum err_code rc =
	    text == NULL ? err_no_memory(e) : path_in(ca->dir, "issued.ndjson", &path, e);
	int fd = rc == ERR_OK ? open(gbuf_cstr(&path), O_RDWR | O_APPEND | O_CLOEXEC) : -1;
	size_t n = text != NULL ? strlen(text) : 0;

	if (rc == ERR_OK && fd < 0)
		rc = err_errno(e, errno, "%s", gbuf_cstr(&path));
	if (rc == ERR_OK)
		rc = mend(fd, gbuf_cstr(&path), e);
	if (rc == ERR_OK) {
		text[n] = '\n'; /* in place of its NUL: the length is known */
		if (write(fd, text, n + 1) != (ssize_t)(n + 1) || fsync(fd) != 0)
			rc = err_errno(e, errno, "%s", gbuf_cstr(&path));
	}
	if (fd >= 0)
		(void)close(fd);
	free(text);
	gbuf_clear(&path);
	return rc;
}

/* ---- opening ---- */

static enum err_code
lock(struct ca *ca, struct err *e)
{
	ca->lock = open(ca->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ca->lock < 0 || flock(ca->lock, LOCK_EX) != 0)
		return err_errno(e, errno, "%s", ca->dir);
	return ERR_OK;
}

static enum err_code
load(struct ca *ca, struct err *e)
{
	struct pki_certs cs = PKI_CERTS_NONE;
	struct secret text = SECRET_NONE;
	struct gbuf path = { 0 };
	enum err_code rc = path_in(ca->dir, "ca.pem", &path, e);

	if (rc == ERR_OK)
		rc = pki_certs_load(&cs, gbuf_cstr(&path), 1, e);
	if (rc == ERR_OK) {
		ca->cert = pki_cert_ref(cs.v[0]);
		rc = path_in(ca->dir, "issued.ndjson", &path, e);
	}
	if (rc == ERR_OK)
		rc = pem_read_file(gbuf_cstr(&path), ISSUED_MAX, &text, e);
	if (rc == ERR_OK)
		rc = take_lines(ca, &text, e);
	secret_clear(&text);
	pki_certs_clear(&cs);
	gbuf_clear(&path);
	return rc;
}

enum err_code
ca_open(const char *dir, struct ca *ca, struct err *e)
{
	*ca =
	    (struct ca){ .dir = str_dup_n(dir, strlen(dir)), .issued = json_object(), .lock = -1 };
	if (ca->dir == NULL || ca->issued == NULL)
		return err_no_memory(e);
	enum err_code rc = lock(ca, e);
	return rc == ERR_OK ? load(ca, e) : rc;
}

enum err_code
ca_open_key(struct ca *ca, const struct secret *pin, struct err *e)
{
	struct gbuf path = { 0 };
	struct secret url = SECRET_NONE;
	enum err_code rc = path_in(ca->dir, "ca.url", &path, e);

	if (rc == ERR_OK && access(gbuf_cstr(&path), F_OK) == 0) {
		rc = pem_read_file(gbuf_cstr(&path), 4096, &url, e);
		if (rc == ERR_OK)
			rc = pki_key_open((const char *)url.data, pin, &ca->key, e);
	} else if (rc == ERR_OK) {
		rc = path_in(ca->dir, "ca.key", &path, e);
		if (rc == ERR_OK)
			rc = pki_key_open(gbuf_cstr(&path), NULL, &ca->key, e);
	}
	secret_clear(&url);
	gbuf_clear(&path);
	return rc;
}

void
ca_close(struct ca *ca)
{
	free(ca->dir);
	pki_cert_unref(ca->cert);
	pki_key_free(ca->key);
	json_decref(ca->issued);
	if (ca->lock >= 0)
		(void)close(ca->lock);
	*ca = (struct ca){ .lock = -1 };
}

/* ---- noting ---- */

enum err_code
ca_note_issued(struct ca *ca, const struct pki_cert *c, struct err *e)
{
	struct gbuf serial = { 0 }, subject = { .max = 32768 }, print = { 0 };

	enc_hex(&serial, c->serial.p, c->serial.n);
	pki_dn_text(&subject, c->subject);
	enc_hex(&print, c->fingerprint, sizeof c->fingerprint);
	json_t *row = json_pack("{s:s, s:s, s:I, s:s}", "serial", gbuf_cstr(&serial), "subject",
	    gbuf_cstr(&subject), "not_after", (json_int_t)c->not_after, "sha256",
	    gbuf_cstr(&print));
	enum err_code rc = add_line(ca, row, e);
	if (rc == ERR_OK && json_object_set(ca->issued, gbuf_cstr(&serial), row) != 0)
		rc = err_no_memory(e);
	json_decref(row);
	gbuf_clear(&serial);
	gbuf_clear(&subject);
	gbuf_clear(&print);
	return rc;
}

enum err_code
ca_note_revoked(struct ca *ca, const char *serial, int64_t at, const char *reason, struct err *e)
{
	json_t *known = json_object_get(ca->issued, serial);

	if (known == NULL)
		return err_set(
		    e, ERR_NOT_FOUND, "%.80s: this CA issued no such certificate", serial);
	if (json_object_get(known, "revoked_at") != NULL)
		return err_set(e, ERR_EXISTS, "%.80s: it is revoked already", serial);
	json_t *row = json_pack(
	    "{s:s, s:I, s:s}", "serial", serial, "revoked_at", (json_int_t)at, "reason", reason);
	enum err_code rc = add_line(ca, row, e);
	if (rc == ERR_OK && json_object_update(known, row) != 0)
		rc = err_no_memory(e);
	json_decref(row);
	return rc;
}
