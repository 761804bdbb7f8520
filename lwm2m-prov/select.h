/*
 * lwm2m-prov/select.h: the devices that a SELECTOR chooses: --match, --profile, --where,
 * --revision-older-than, --anchor. All that are given must hold.
 */
#ifndef LWM2M_PROV_SELECT_H
#define LWM2M_PROV_SELECT_H

#include "lwm2m-prov/cli.h"

struct json_t;

/* Bits of the options that make a SELECTOR. */
#define SELECT_OPTIONS                                                                                       \
	(OPT_BIT(OPT_MATCH) | OPT_BIT(OPT_PROFILE) | OPT_BIT(OPT_WHERE) | OPT_BIT(OPT_REVISION_OLDER) | OPT_BIT(OPT_ANCHOR))

/* One of them is given. */
bool select_given(const struct cli *cli);

struct selected {
	const char **v; /* names of endpoints, borrowed from the command line or doc */
	size_t n;
	struct json_t *doc; /* {"devices": [...]}; NULL: they were named */
	struct gbuf text;   /* the choice as it was written, for people; "" when they were named */
};

/*
 * The devices that a command is about: its arguments, or those that its SELECTOR chooses, as the daemon has
 * them now; how many, a remark says first. Neither, or both: ERR_USAGE. Nobody fits: ERR_NOT_FOUND. Errors
 * of select_list(). selected_clear() is due in any case.
 */
enum err_code select_devices(struct cli *cli, struct selected *out, struct err *e);
void selected_clear(struct selected *s);
bool selected_has(const struct selected *s, const char *endpoint); /* of those that were chosen */

/*
 * The devices that fit; without a SELECTOR: all, at most limit of them (0: no limit). *doc is the caller's,
 * its "devices" the list; NULL after an error. text as in struct selected; may be NULL. Errors of
 * anchor_resolve() and of remote_list(); ERR_USAGE.
 */
enum err_code select_list(struct cli *cli, uint64_t limit, struct gbuf *text, struct json_t **doc, struct err *e);

#endif
