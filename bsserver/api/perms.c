#include "bsserver/api/perms.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/str.h"

static const char *const names[] = { "read", "enroll", "operate", "admin", "secrets" };

struct grant {
	bool group;
	id_t id;
	unsigned bits;
};

struct perms {
	struct grant *v;
	size_t n;
};

const char *
perm_name(unsigned perm)
{
	for (size_t i = 0; i < N_ELEMS(names); i++)
		if (perm == 1U << i)
			return names[i];
	return "unknown";
}

static enum err_code
unknown_word(const char *word, struct err *e)
{
	const char *near = str_nearest(word, names, N_ELEMS(names));

	if (near == NULL)
		return err_set(e, ERR_INVALID, "no permission is called %.40s", word);
	return err_set(
	    e, ERR_INVALID, "no permission is called %.40s; did you mean %s?", word, near);
}

static bool
one_word(const char *word, size_t n, unsigned *bits)
{
	for (size_t i = 0; i < N_ELEMS(names); i++)
		if (strlen(names[i]) == n && memcmp(names[i], word, n) == 0) {
			*bits |= 1U << i;
			return true;
		}
	return false;
}

enum err_code
perm_parse(const char *words, unsigned *out, struct err *e)
{
	char word[64];

	*out = 0;
	for (const char *at = words + strspn(words, " \t"); *at != 0; at += strspn(at, " \t")) {
		size_t n = strcspn(at, " \t");

		if (!one_word(at, n, out)) {
			n = MIN(n, sizeof word - 1);
			memcpy(word, at, n);
			word[n] = 0;
			return unknown_word(word, e);
		}
		at += n;
	}
	return *out == 0 ? err_set(e, ERR_INVALID, "no permission is given") : ERR_OK;
}

static enum err_code
resolve(const struct conf_grant *c, struct grant *g, struct err *e)
{
	g->group = c->group != NULL;
	if (g->group) {
		const struct group *gr = getgrnam(c->group);

		if (gr == NULL)
			return err_set(e, ERR_INVALID,
			    "api.permissions: no group %s on this machine", c->group);
		g->id = gr->gr_gid;
	} else {
		const struct passwd *pw = c->user == NULL ? NULL : getpwnam(c->user);

		if (pw == NULL)
			return err_set(e, ERR_INVALID,
			    "api.permissions: no user %s on this machine",
			    c->user == NULL ? "(none)" : c->user);
		g->id = pw->pw_uid;
	}
	if (perm_parse(c->permissions, &g->bits, e) != ERR_OK)
		return err_wrap(e, "api.permissions: %s", g->group ? c->group : c->user);
	return ERR_OK;
}

enum err_code
perms_new(const struct conf_grant *grants, size_t n, struct perms **out, struct err *e)
{
	struct perms *p = calloc(1, sizeof *p);
	enum err_code rc = ERR_OK;

	if (p == NULL)
		return err_no_memory(e);
	p->v = calloc(n + 1, sizeof *p->v);
	if (p->v == NULL)
		rc = err_no_memory(e);
	for (; rc == ERR_OK && p->n < n; p->n++)
		rc = resolve(&grants[p->n], &p->v[p->n], e);
	if (rc == ERR_OK)
		*out = p;
	else
		perms_free(p);
	return rc;
}

void
perms_free(struct perms *p)
{
	if (p == NULL)
		return;
	free(p->v);
	free(p);
}

enum err_code
perms_peer_of(int fd, struct perms_peer *out, struct err *e)
{
	struct ucred cred;
	socklen_t len = sizeof cred;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return err_errno(e, errno, "who is on the other side of the socket");
	out->uid = cred.uid;
	out->groups[0] = cred.gid;
	out->n_groups = 1;
	len = sizeof out->groups - sizeof *out->groups;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, out->groups + 1, &len) == 0)
		out->n_groups += len / sizeof *out->groups;
	return ERR_OK;
}

static bool
fits(const struct grant *g, const struct perms_peer *peer)
{
	if (!g->group)
		return g->id == peer->uid;
	for (size_t i = 0; i < peer->n_groups; i++)
		if (g->id == peer->groups[i])
			return true;
	return false;
}

unsigned
perms_of(const struct perms *p, const struct perms_peer *peer)
{
	unsigned bits = 0;

	if (peer->uid == 0 || peer->uid == geteuid())
		return PERM_ALL;
	for (size_t i = 0; i < p->n; i++)
		if (fits(&p->v[i], peer))
			bits |= p->v[i].bits;
	return bits;
}
