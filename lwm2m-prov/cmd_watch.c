/* watch: what happens, as it happens. */
#include <jansson.h>

#include "lib/base/str.h"
#include "lwm2m-prov/events.h"
#include "lwm2m-prov/interrupt.h"
#include "lwm2m-prov/output.h"
#include "lwm2m-prov/remote.h"

/* clang-format off */
static const struct out_field session_fields[] = {
	{ "ended", "ended", OUT_TIME, NULL },
	{ "endpoint", "endpoint", OUT_PLAIN, NULL },
	{ "verdict", "verdict", OUT_PLAIN, NULL },
	{ "reason", "reason", OUT_PLAIN, NULL },
	{ "step", "step", OUT_PLAIN, NULL },
	{ "path", "path", OUT_PLAIN, NULL },
	{ "code", "code", OUT_PLAIN, NULL },
	{ "peer", "peer", OUT_PLAIN, NULL },
	{ "detail", "detail", OUT_PLAIN, NULL },
};
static const struct out_field change_fields[] = {
	{ "endpoint", "endpoint", OUT_PLAIN, NULL },
	{ "profile", "profile", OUT_PLAIN, NULL },
	{ "change", "change", OUT_PLAIN, NULL },
	{ "seq", "seq", OUT_PLAIN, NULL },
	{ "detail", "detail", OUT_PLAIN, NULL },
};
/* clang-format on */

static bool
fits(const struct cli *cli, const struct event *ev)
{
	const char *ep = json_string_value(json_object_get(ev->data, "endpoint"));
	const char *profile = json_string_value(json_object_get(ev->data, "profile"));
	const char *glob = cli_text(cli, OPT_MATCH), *wanted = cli_text(cli, OPT_PROFILE);

	if (strcmp(ev->kind, "gap") == 0 || strcmp(ev->kind, "dropped") == 0)
		return true;
	if (glob != NULL && (ep == NULL || !str_glob(glob, ep)))
		return false;
	return wanted == NULL || (profile != NULL && strcmp(wanted, profile) == 0);
}

static bool
on_event(void *arg, const struct event *ev)
{
	static const struct out_view session = { session_fields, N_ELEMS(session_fields) };
	static const struct out_view change = { change_fields, N_ELEMS(change_fields) };
	struct cli *cli = arg;

	if (ev != NULL && fits(cli, ev)) {
		json_t *row = json_copy((json_t *)(uintptr_t)ev->data);

		(void)json_object_set_new(row, "event", json_string(ev->kind));
		out_row(cli->out, strcmp(ev->kind, "session") == 0 ? &session : &change, row);
		json_decref(row);
	}
	return !interrupted();
}

enum prov_exit
cmd_watch(struct cli *cli, struct err *e)
{
	struct client *c;
	enum err_code rc = cli_client(cli, &c, e);

	interrupt_watch();
	if (rc == ERR_OK)
		rc = events_listen(c, on_event, cli, e);
	return rc == ERR_OK ? EXIT_INTERRUPTED : exit_of(rc);
}
