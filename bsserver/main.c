/* bsserver: the command line, the process's own protection, and nothing else. */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bsserver/init.h"
#include "bsserver/server.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/base/stdfd.h"
#include "profiles/profile.h"

/* The exit codes of the command line tools; see the manual. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INVALID = 3 };

struct verb {
	const char *name, *option, *value, *help;
	int (*run)(const char *value);
};

static int
complain(const struct err *e)
{
	(void)fprintf(stderr, "bsserver: %s\n", e->msg);
	return e->code == ERR_INVALID || e->code == ERR_PARSE ? EXIT_INVALID : EXIT_FAILED;
}

static int
run_init(const char *dir)
{
	struct err e;

	if (init_dir(dir, &e) != ERR_OK)
		return complain(&e);
	return printf("made %s/bsserver.conf, %s/store.key and %s/store.db\n"
		      "start it with: bsserver run -c %s/bsserver.conf\n", dir, dir, dir, dir) < 0;
}

static enum err_code
load(const char *file, struct conf *c, struct err *e)
{
	enum err_code rc = conf_load(file, c, e);

	if (rc != ERR_OK)
		return rc;
	rc = server_check(c, e);
	if (rc != ERR_OK) {
		(void)err_wrap(e, "%s", file);
		conf_clear(c);
	}
	return rc;
}

static int
run_check(const char *file)
{
	struct conf c = { 0 };
	struct err e;

	if (load(file, &c, &e) != ERR_OK)
		return complain(&e);
	conf_clear(&c);
	return printf("%s: fine\n", file) < 0;
}

static int
run_server(const char *file)
{
	struct conf c = { 0 };
	struct server *s = NULL;
	struct err e;

	if (load(file, &c, &e) != ERR_OK)
		return complain(&e);
	(void)log_set_levels(c.log_levels, NULL); /* load() tried it */
	log_set_json(strcmp(c.log_format, "json") == 0);
	profile_json_init();
	enum err_code rc = server_open(&c, &s, &e);
	if (rc == ERR_OK)
		rc = server_run(s, file, &e);
	server_close(s);
	conf_clear(&c);
	return rc == ERR_OK ? EXIT_OK : complain(&e);
}

static int
run_version(const char *unused)
{
	(void)unused;
	return puts("bsserver " PACKAGE_VERSION) == EOF;
}

static int run_help(const char *unused);

/* clang-format off */
static const struct verb verbs[] = {
	{ "init",           "--dir", "DIR",  "make a folder with configuration, sealing key and empty store", run_init },
	{ "run",            "-c",    "FILE", "run in the foreground",                                          run_server },
	{ "--check-config", "-c",    "FILE", "say what is wrong with a configuration, or that it is fine",     run_check },
	{ "--version",      NULL,    NULL,   "print the version",                                              run_version },
	{ "--help",         NULL,    NULL,   "print this",                                                     run_help },
};
/* clang-format on */

static void
print_usage(FILE *to)
{
	(void)fputs("usage:\n", to);
	for (size_t i = 0; i < N_ELEMS(verbs); i++) {
		const struct verb *v = &verbs[i];

		(void)fprintf(to, "  bsserver %s%s%s%s%s\t%s\n", v->name, v->option ? " " : "", v->option ? v->option : "",
		    v->value ? " " : "", v->value ? v->value : "", v->help);
	}
}

static int
run_help(const char *unused)
{
	(void)unused;
	print_usage(stdout);
	return EXIT_OK;
}

static int
wrong_usage(const char *what, const char *about)
{
	(void)fprintf(stderr, "bsserver: %s%s\n", what, about);
	print_usage(stderr);
	return EXIT_USAGE;
}

int
main(int argc, char **argv)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	stdfd_hold();
	(void)sigaction(SIGPIPE, &ignore, NULL); /* whoever reads our log, or is told something, may be gone */
	secret_no_core();
	(void)umask(077);
	if (argc < 2)
		return wrong_usage("a command is missing", "");
	for (size_t i = 0; i < N_ELEMS(verbs); i++) {
		const struct verb *v = &verbs[i];

		if (strcmp(argv[1], v->name) != 0)
			continue;
		if (v->option == NULL)
			return argc == 2 ? v->run(NULL) : wrong_usage(v->name, " takes no argument");
		if (argc != 4 || strcmp(argv[2], v->option) != 0)
			return wrong_usage(v->name, " is called otherwise");
		return v->run(argv[3]);
	}
	return wrong_usage("no such command: ", argv[1]);
}
