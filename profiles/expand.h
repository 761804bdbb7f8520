/*
 * profiles/expand.h: ${variables}; for profiles/ alone.
 */
#ifndef PROFILES_EXPAND_H
#define PROFILES_EXPAND_H

#include "profiles/doc.h"

/*
 * Fills in every value of a merged document (not names, not vars, match and extends). Wrong and
 * unknown variables are findings; in a shared document the unknown ones stay, marked open.
 */
enum err_code expand_all(struct profile_doc *d, struct profile_findings *f, struct err *e);

/*
 * One string of n, with the variables of d and of also (may be NULL). ERR_INVALID names the place.
 */
enum err_code expand_one(const struct pnode *n, const struct profile_doc *d,
    const struct profile_doc *also, struct gbuf *out, struct err *e);
bool expand_wanted(const char *s); /* there is a '$' in it */

#endif
