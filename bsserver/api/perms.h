/*
 * bsserver/api/perms.h: who may do what, by the user and groups of the process on the other side.
 */
#ifndef BSSERVER_API_PERMS_H
#define BSSERVER_API_PERMS_H

#include <stdbool.h>
#include <sys/types.h>

#include "bsserver/conf/conf.h"
#include "lib/base/err.h"

enum perm {
	PERM_READ = 1,     /* look at everything that is no secret */
	PERM_ENROLL = 2,   /* add devices that are not there yet */
	PERM_OPERATE = 4,  /* change and remove devices and profiles, end sessions */
	PERM_ADMIN = 8,    /* the audit trail */
	PERM_SECRETS = 16, /* take keys out */
	PERM_ALL = 31
};

/* "read"; "unknown" for what is not exactly one. */
const char *perm_name(unsigned perm);
/* Blank-separated words to bits. ERR_INVALID names the word, and the nearest; nothing at all is
 * refused. */
enum err_code perm_parse(const char *words, unsigned *out, struct err *e);

struct perms;

/* Looks names up now. ERR_INVALID: an unknown user, group or permission. */
enum err_code perms_new(
    const struct conf_grant *grants, size_t n, struct perms **out, struct err *e);
void perms_free(struct perms *p); /* NULL is fine */

#define PERMS_GROUPS_MAX 256
struct perms_peer {
	uid_t uid;
	gid_t groups[PERMS_GROUPS_MAX]; /* its own first */
	size_t n_groups;
};
/* Of a connected Unix socket. ERR_IO; a process in more groups than fit counts with its own only.
 */
enum err_code perms_peer_of(int fd, struct perms_peer *out, struct err *e);

/* Bits of enum perm; root and the daemon's own user have all. */
unsigned perms_of(const struct perms *p, const struct perms_peer *peer);

#endif
