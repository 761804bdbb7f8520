/*
 * lwm2m-prov/cli.h: one command line, read: what every command is given.
 */
#ifndef LWM2M_PROV_CLI_H
#define LWM2M_PROV_CLI_H

#include "lwm2m-prov/cmd.h"

struct out;
struct client;

struct cli_value {
	const char **v; /* owned array of borrowed texts */
	size_t n, cap;
	uint64_t number; /* NUMBER, DURATION */
};

struct cli {
	const struct cmd *cmd; /* NULL: only global options were given */
	const char *group;     /* NULL, or the noun that --help is about */
	const char **args;     /* owned array of borrowed texts */
	size_t n_args, cap_args;
	struct cli_value opt[OPT__COUNT];
	struct out *out;       /* owned by main */
	struct client *client; /* made by cli_client(); owned by main */
};

/*
 * Reads argv[1..]; the strings must stay. ERR_USAGE says what is wrong with which word. cli was
 * zeroed before; cli_clear() is due in any case.
 */
enum err_code cli_parse(struct cli *cli, int argc, const char *const *argv, struct err *e);
void cli_clear(struct cli *cli);

bool cli_has(const struct cli *cli, enum opt_id id);
const char *cli_text(const struct cli *cli, enum opt_id id); /* the value; NULL when not given */
uint64_t cli_number(const struct cli *cli, enum opt_id id, uint64_t otherwise);

/* The connection to the daemon, made at the first call. It is not tried yet. */
enum err_code cli_client(struct cli *cli, struct client **out, struct err *e);
/* The same for commands that take longer than one answer. Seconds. */
uint64_t cli_timeout(const struct cli *cli, uint64_t otherwise);

/*
 * The rule for many: ERR_REFUSED when n existing devices are more than --max-affected, or more than
 * 100 without --max-affected and --yes. what is "apply would change".
 */
enum err_code cli_may_touch(const struct cli *cli, const char *what, uint64_t n, struct err *e);
#define CLI_TOUCH_FREELY 100

#endif
