/* Files that a document names become octets in it, for the command line. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "profiles/expand.h"
#include "profiles/keyref.h"
#include "profiles/material.h"
#include "profiles/rules.h"

#define FILE_MAX ((size_t)4 * PROFILE_KEY_MAX)

struct inliner {
	struct profile_doc *d;
	const struct profile_doc *resolved; /* NULL */
	const char *root;
	struct profile_findings *f;
	bool inherited; /* the walk is over the resolved document, for what it names by ${...} */
};

/* The folder of a file name, with "" as "."; appended. */
static void
put_folder(struct gbuf *out, const char *file)
{
	const char *slash = strrchr(file, '/');

	if (slash == NULL)
		gbuf_str(out, ".");
	else if (slash == file)
		gbuf_str(out, "/");
	else
		gbuf_put(out, file, (size_t)(slash - file));
}

static bool
below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && (path[n] == '/' || (n > 0 && folder[n - 1] == '/'));
}

/* Somebody wrote a key where the name of its file belongs: it must not come back in an error. */
static bool
is_key_itself(const char *name)
{
	size_t n = strlen(name);

	if (n >= 32 && strspn(name, "0123456789abcdefABCDEF") == n)
		return true;
	return n >= 24 && name[n - 1] == '=' && strpbrk(name, ". ") == NULL;
}

static enum err_code
no_file(const char *name, const char *path, struct err *e)
{
	int reason = errno;

	if (is_key_itself(name))
		return err_set(e, ERR_REFUSED,
		    "no file has this name of %zu characters, which looks like a key itself: "
		    "keys stand in hex or base64, not in file",
		    strlen(name));
	return err_errno(e, reason, "%s", path);
}

/* The real path of a file, which must lie below root; "" or NULL: below the folder it is looked for
 * in. */
static enum err_code
locate(const struct pnode *at, const char *root, const char *name, struct gbuf *out, struct err *e)
{
	struct gbuf folder = { 0 }, path = { 0 };
	char *real_root = NULL, *real = NULL;
	enum err_code rc = material_file_name(name, e);

	if (rc != ERR_OK)
		return rc;
	put_folder(&folder, at->src->file);
	gbuf_printf(&path, "%s/%s", gbuf_cstr(&folder), name);
	real_root = realpath(root != NULL && root[0] != '\0' ? root : gbuf_cstr(&folder), NULL);
	if (real_root == NULL) {
		rc = err_errno(e, errno, "folder %s",
		    root != NULL && root[0] != '\0' ? root : gbuf_cstr(&folder));
		goto out;
	}
	real = realpath(gbuf_cstr(&path), NULL);
	if (real == NULL)
		rc = no_file(name, gbuf_cstr(&path), e);
	else if (!below(real, real_root))
		rc = err_set(e, ERR_REFUSED, "%s leads out of %s", gbuf_cstr(&path), real_root);
	else
		gbuf_str(out, real);
out:
	free(real);
	free(real_root);
	gbuf_clear(&folder);
	gbuf_clear(&path);
	return rc;
}

static enum err_code
read_all(int fd, const char *path, struct secret *out, struct err *e)
{
	enum err_code rc = secret_alloc(out, FILE_MAX + 1, e);
	size_t n = 0;
	ssize_t got = 1;

	while (rc == ERR_OK && got > 0 && n <= FILE_MAX) {
		got = read(fd, out->data + n, FILE_MAX + 1 - n);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got < 0)
			rc = err_errno(e, errno, "%s", path);
		else
			n += (size_t)got;
	}
	if (rc == ERR_OK && n > FILE_MAX)
		rc = err_set(e, ERR_LIMIT, "%s: more than %zu octets", path, FILE_MAX);
	if (rc == ERR_OK)
		out->len = n;
	else
		secret_clear(out);
	return rc;
}

static enum err_code
read_file(const char *path, struct secret *out, struct err *e)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum err_code rc;

	if (fd < 0)
		return err_errno(e, errno, "%s", path);
	if (fstat(fd, &st) != 0)
		rc = err_errno(e, errno, "%s", path);
	else if (!S_ISREG(st.st_mode))
		rc = err_set(e, ERR_REFUSED, "%s: is no regular file", path);
	else
		rc = read_all(fd, path, out, e);
	(void)close(fd);
	return rc;
}

static enum err_code
decode(const struct keyref *k, const struct secret *raw, const char *path, struct secret *out,
    struct err *e)
{
	const struct pnode *how = pnode_get(k->n, "encoding");
	enum material_encoding enc = ENCODING_AUTO;
	char label[PEM_LABEL_MAX] = "";
	enum err_code rc;

	if (how != NULL && (how->type != PN_STRING || !material_encoding(how->s, &enc)))
		return err_set(
		    e, ERR_INVALID, "encoding must be one of raw, hex, base64, pem, der");
	if (k->text && enc == ENCODING_AUTO) {
		size_t n = raw->len;

		while (n > 0 && (raw->data[n - 1] == '\n' || raw->data[n - 1] == '\r'))
			n--;
		return secret_set(out, raw->data, n, e);
	}
	rc = material_decode_file(raw->data, raw->len, enc, label, out, e);
	if (rc != ERR_OK)
		return err_wrap(e, "%s", path);
	if (keyref_wrong_label(k->n, label) == NULL)
		return ERR_OK;
	secret_clear(out);
	return err_set(e, ERR_INVALID, "%s: %s", path, keyref_wrong_label(k->n, label));
}

static enum err_code
load(const struct inliner *in, const struct keyref *k, const char *name, struct secret *out,
    struct err *e)
{
	struct gbuf path = { 0 };
	struct secret raw = SECRET_NONE;
	enum err_code rc = locate(k->n, in->root, name, &path, e);

	if (rc == ERR_OK)
		rc = read_file(gbuf_cstr(&path), &raw, e);
	if (rc == ERR_OK)
		rc = decode(k, &raw, name, out, e);
	secret_clear(&raw);
	gbuf_clear(&path);
	return rc;
}

/* The node of d at the place that n has in another document; objects on the way are made. */
static struct pnode *
same_place(struct profile_doc *d, const struct pnode *n)
{
	if (n->parent == NULL)
		return d->root;
	struct pnode *up = same_place(d, n->parent);
	if (up == NULL || up->type != PN_OBJECT || n->key == NULL)
		return NULL;
	struct pnode *k = pnode_get(up, n->key);
	if (k != NULL)
		return k;
	k = pnode_new(PN_OBJECT, n->key, d->src);
	if (k != NULL) {
		k->line = k->key_line = d->root->line;
		k->column = k->key_column = d->root->column;
		pnode_append(up, k);
	}
	return k;
}

static enum err_code
place_bytes(
    const struct inliner *in, const struct keyref *k, const struct secret *bytes, struct err *e)
{
	struct pnode *to = in->inherited ? same_place(in->d, k->n) : k->n;

	if (to != NULL)
		return keyref_set_bytes(to, bytes, e);
	finding_add(in->f, RULE_FILE, k->n,
	    "a list of endpoints is not completed by a device; name the file in its own document");
	return ERR_OK;
}

static enum err_code
visit(void *arg, const struct keyref *k, struct err *e)
{
	const struct inliner *in = arg;
	const struct pnode *file = pnode_get(k->n, "file");
	struct gbuf name = { 0 }, slot = { 0 };
	struct secret bytes = SECRET_NONE;
	struct err why = { 0 };
	enum err_code rc;

	if (file == NULL || file->type != PN_STRING ||
	    (in->inherited && (!file->expanded || file->open)) ||
	    (in->inherited && file->src->shared == NULL))
		return ERR_OK;
	if (!in->inherited && in->d->kind == PROFILE_SHARED && expand_wanted(file->s)) {
		material_slot(k->n, &slot);
		rc = keyref_set_reference(k->n, gbuf_cstr(&slot), NULL, e);
		gbuf_clear(&slot);
		return rc;
	}
	if (in->inherited)
		gbuf_str(&name, file->s);
	rc = in->inherited ? ERR_OK : expand_one(file, in->d, in->resolved, &name, &why);
	if (rc == ERR_OK)
		rc = load(in, k, gbuf_cstr(&name), &bytes, &why);
	if (rc == ERR_NO_MEMORY)
		(void)err_no_memory(e);
	else if (rc != ERR_OK)
		finding_add(in->f,
		    rc == ERR_INVALID || rc == ERR_PARSE ? RULE_KEY_MATERIAL : RULE_FILE, file,
		    "%s", why.msg);
	if (rc == ERR_OK)
		rc = place_bytes(in, k, &bytes, e);
	else if (rc != ERR_NO_MEMORY)
		rc = ERR_OK;
	secret_clear(&bytes);
	gbuf_clear(&name);
	return rc;
}

enum err_code
profile_inline(struct profile_doc *d, const struct profile_doc *resolved, const char *root,
    struct profile_findings *f, struct err *e)
{
	struct inliner in = { .d = d, .resolved = resolved, .root = root, .f = f };
	enum err_code rc = keyref_walk(d->root, visit, &in, e);

	if (rc != ERR_OK || resolved == NULL || d->kind != PROFILE_DEVICE)
		return rc;
	in.inherited = true;
	return keyref_walk(resolved->root, visit, &in, e);
}
