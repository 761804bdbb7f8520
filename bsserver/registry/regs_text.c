/* Registrations as text, for the store: numbers, binding, list of Objects, a line each. */
#include <inttypes.h>
#include <string.h>

#include "bsserver/registry/regs.h"
#include "lib/base/str.h"
#include "lib/base/util.h"

#define NUMBERS 10

void
regs_write(const struct reg *r, struct gbuf *out)
{
	gbuf_printf(out, "1 %" PRIu64 " %" PRId64 " %" PRId64 " %" PRIu32 " %u %u %d %d %d\n%s\n%s", r->location,
	    r->registered_ms, r->seen_ms, r->lifetime, r->version, r->server, (int)r->state, r->queue, r->secure,
	    r->binding, r->links == NULL ? "" : r->links->text);
}

static bool
read_numbers(char *line, uint64_t v[NUMBERS])
{
	char *save = NULL;
	size_t n = 0;

	for (char *w = strtok_r(line, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		if (n == NUMBERS || !str_to_u64(w, strlen(w), 0, INT64_MAX, &v[n++]))
			return false;
	return n == NUMBERS;
}

static bool
fits(const uint64_t v[NUMBERS], const char *binding)
{
	return v[0] == 1 && v[1] > 0 && v[1] >> 48 == 0 && v[4] <= UINT32_MAX && v[5] >= 10 && v[5] <= 12 &&
	    v[6] <= UINT16_MAX && v[7] < REG__STATES && v[8] <= 1 && v[9] <= 1 && strlen(binding) < 8 &&
	    strspn(binding, "UTSNMH") == strlen(binding);
}

enum err_code
regs_read(const char *endpoint, char *text, struct regs_kept *out, struct err *e)
{
	char *binding = strchr(text, '\n'), *links = binding == NULL ? NULL : strchr(binding + 1, '\n');
	uint64_t v[NUMBERS] = { 0 };

	if (links == NULL)
		return err_set(e, ERR_PARSE, "what was kept of it is no registration");
	*binding++ = 0;
	*links++ = 0;
	if (!read_numbers(text, v) || !fits(v, binding))
		return err_set(e, ERR_PARSE, "what was kept of it cannot be read");
	*out = (struct regs_kept){
		.endpoint = endpoint,
		.links = links[0] == 0 ? NULL : links,
		.location = v[1],
		.registered_ms = (int64_t)v[2],
		.seen_ms = (int64_t)v[3],
		.lifetime = (uint32_t)v[4],
		.version = (uint8_t)v[5],
		.server = (uint16_t)v[6],
		.state = (enum reg_state)v[7],
		.queue = v[8] != 0,
		.secure = v[9] != 0,
		.binding = binding,
	};
	return ERR_OK;
}
