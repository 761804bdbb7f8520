#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/secret.h"
#include "lib/base/stdfd.h"
#include "lwm2m-prov/cli.h"
#include "lwm2m-prov/output.h"
#include "profiles/profile.h"

static void
print_help(struct cli *cli)
{
	struct gbuf text = { .max = 65536 };

	cmd_help(cli->cmd, cli->group, &text);
	out_raw(cli->out, gbuf_cstr(&text), text.len);
	gbuf_clear(&text);
}

static enum prov_exit
run(struct cli *cli, struct err *e)
{
	if (cli_has(cli, OPT_HELP)) {
		print_help(cli);
		return EXIT_DONE;
	}
	if (cli->cmd == NULL) {
		out_say(cli->out, "lwm2m-prov %s", PACKAGE_VERSION);
		return EXIT_DONE;
	}
	return cli->cmd->run(cli, e);
}

/* What holds for errors too, those of the command line that names it included. */
static bool
has_word(int argc, const char *const *argv, const char *word)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], word) == 0)
			return true;
	return false;
}

int
main(int argc, char **argv)
{
	const char *const *words = (const char *const *)argv;
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct cli cli = { 0 };
	struct err e = { 0 };
	enum prov_exit end;

	stdfd_hold();
	secret_no_core();
	profile_json_init();
	(void)sigaction(SIGPIPE, &ignore, NULL);
	cli.out = out_new(stdout, stderr, has_word(argc, words, "--json"));
	if (cli.out == NULL) {
		(void)fputs("lwm2m-prov: out of memory\n", stderr);
		return EXIT_FAILED;
	}
	end = cli_parse(&cli, argc, words, &e) == ERR_OK ? run(&cli, &e) : exit_of(e.code);
	if (e.code != ERR_OK)
		out_error(cli.out, end, &e);
	if (!out_free(cli.out) && end == EXIT_DONE) {
		(void)fprintf(stderr, "lwm2m-prov: standard output: %s\n", strerror(errno));
		end = EXIT_FAILED;
	}
	cli.out = NULL;
	cli_clear(&cli);
	return has_word(argc, words, "--verdict-exit") ? exit_as_verdict(end) : (int)end;
}
