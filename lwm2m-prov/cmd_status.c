/* status, version, completion. */
#include "config.h"

#include <jansson.h>

#include "lwm2m-prov/output.h"
#include "lwm2m-prov/remote.h"

/* clang-format off */
static const struct out_field status_fields[] = {
	{ "version", "version", OUT_PLAIN, NULL },
	{ "uptime_seconds", "running for", OUT_SECONDS, NULL },
	{ "draining", "draining", OUT_PLAIN, NULL },
	{ "listeners", "listeners", OUT_PLAIN, NULL },
	{ "devices", "devices", OUT_PLAIN, NULL },
	{ "devices_by_verdict", "by last verdict", OUT_COUNTS, NULL },
	{ "profiles", "profiles", OUT_PLAIN, NULL },
	{ "sessions/live", "sessions running", OUT_PLAIN, NULL },
	{ "sessions/knocks", "knocks", OUT_PLAIN, NULL },
	{ "sessions/overloaded", "turned away", OUT_PLAIN, NULL },
	{ "sessions/ended", "sessions ended", OUT_COUNTS, NULL },
	{ "sessions_kept", "sessions kept", OUT_PLAIN, NULL },
	{ "seq", "last change", OUT_PLAIN, NULL },
};
/* clang-format on */

/* clang-format off */
static const char completion[] =
	"# bash completion of lwm2m-prov: it asks the program.\n"
	"_lwm2m_prov()\n"
	"{\n"
	"\tlocal IFS=$'\\n'\n"
	"\tCOMPREPLY=($(\"${COMP_WORDS[0]}\" completion -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null))\n"
	"}\n"
	"complete -o default -F _lwm2m_prov lwm2m-prov\n";
/* clang-format on */

enum prov_exit
cmd_status(struct cli *cli, struct err *e)
{
	static const struct out_view view = { status_fields, N_ELEMS(status_fields) };
	json_t *doc;
	enum err_code rc = remote_get(cli, "/v1/status", &doc, e);

	if (rc == ERR_OK)
		out_object(cli->out, &view, doc);
	json_decref(doc);
	return exit_of(rc);
}

enum prov_exit
cmd_version(struct cli *cli, struct err *e)
{
	static const struct out_field fields[] = {
		{ "lwm2m-prov", "lwm2m-prov", OUT_PLAIN, NULL },
		{ "bsserver", "bsserver", OUT_PLAIN, NULL },
	};
	static const struct out_view view = { fields, N_ELEMS(fields) };
	struct err silent = { 0 };
	json_t *daemon = NULL, *doc;

	(void)e;
	/* a daemon that does not run is no failure here */
	(void)remote_get(cli, "/v1/version", &daemon, &silent);
	doc = json_pack("{s:s, s:O?}", "lwm2m-prov", PACKAGE_VERSION, "bsserver",
	    json_object_get(daemon, "version"));
	out_object(cli->out, &view, doc);
	if (daemon == NULL)
		out_say(cli->out, "bsserver: %s", silent.msg);
	json_decref(doc);
	json_decref(daemon);
	return EXIT_DONE;
}

enum prov_exit
cmd_completion(struct cli *cli, struct err *e)
{
	struct gbuf words = { .max = 65536 };

	(void)e;
	if (cli->n_args == 0)
		out_raw(cli->out, completion, sizeof completion - 1);
	else
		cmd_complete(cli->args, cli->n_args, &words);
	out_raw(cli->out, gbuf_cstr(&words), words.len);
	gbuf_clear(&words);
	return EXIT_DONE;
}
