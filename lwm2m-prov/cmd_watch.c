/* watch: what happens, as it happens. */
#include <jansson.h>

#include "lib/base/str.h"
#include "lwm2m-prov/events.h"
#include "lwm2m-prov/interrupt.h"
#include "lwm2m-prov/output.h"
#include "lwm2m-prov/remote.h"
#include "lwm2m-prov/select.h"

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

struct watching {
	struct cli *cli;
	struct selected chosen; /* when the daemon was asked who is meant */
	bool asked;
};

/* What no event says of a device is asked for once, at the beginning. */
static enum err_code
ask_who(struct watching *w, struct err *e)
{
	w->asked = cli_has(w->cli, OPT_WHERE) || cli_has(w->cli, OPT_REVISION_OLDER) || cli_has(w->cli, OPT_ANCHOR);
	return w->asked ? select_devices(w->cli, &w->chosen, e) : ERR_OK;
}

static bool
fits(const struct watching *w, const struct event *ev)
{
	const char *ep = json_string_value(json_object_get(ev->data, "endpoint"));
	const char *profile = json_string_value(json_object_get(ev->data, "profile"));
	const char *glob = cli_text(w->cli, OPT_MATCH), *wanted = cli_text(w->cli, OPT_PROFILE);

	if (strcmp(ev->kind, "gap") == 0 || strcmp(ev->kind, "dropped") == 0)
		return true;
	if (w->asked)
		return ep != NULL && selected_has(&w->chosen, ep);
	if (glob != NULL && (ep == NULL || !str_glob(glob, ep)))
		return false;
	return wanted == NULL || (profile != NULL && strcmp(wanted, profile) == 0);
}

static bool
on_event(void *arg, const struct event *ev)
{
	static const struct out_view session = { session_fields, N_ELEMS(session_fields) };
	static const struct out_view change = { change_fields, N_ELEMS(change_fields) };
	const struct watching *w = arg;

	if (ev != NULL && fits(w, ev)) {
		json_t *row = json_copy((json_t *)(uintptr_t)ev->data);

		(void)json_object_set_new(row, "event", json_string(ev->kind));
		out_row(w->cli->out, strcmp(ev->kind, "session") == 0 ? &session : &change, row);
		json_decref(row);
	}
	return !interrupted();
}

enum prov_exit
cmd_watch(struct cli *cli, struct err *e)
{
	struct watching w = { .cli = cli };
	struct client *c;
	enum err_code rc = ask_who(&w, e);

	if (rc == ERR_OK)
		rc = cli_client(cli, &c, e);
	interrupt_watch();
	if (rc == ERR_OK)
		rc = events_listen(c, on_event, &w, e);
	selected_clear(&w.chosen);
	return rc == ERR_OK ? EXIT_INTERRUPTED : exit_of(rc);
}
