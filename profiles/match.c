#include <string.h>

#include "lib/base/str.h"
#include "profiles/profile.h"

enum err_code
profile_match(const struct profile_pattern *rows, size_t n, const char *endpoint,
    const struct profile_pattern **out, struct err *e)
{
	const struct profile_pattern *best = NULL, *tie = NULL;

	*out = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct profile_pattern *r = &rows[i];
		size_t len = strlen(r->pattern),
		       best_len = best != NULL ? strlen(best->pattern) : 0;

		if (!str_glob(r->pattern, endpoint) || (best != NULL && len < best_len))
			continue;
		if (best != NULL && len == best_len) {
			if (strcmp(best->profile, r->profile) != 0)
				tie = r;
			continue;
		}
		best = r;
		tie = NULL;
	}
	if (tie != NULL)
		return err_set(e, ERR_CONFLICT,
		    "%s: \"%s\" of profile %s and \"%s\" of profile %s fit alike", endpoint,
		    best->pattern, best->profile, tie->pattern, tie->profile);
	*out = best;
	return ERR_OK;
}
