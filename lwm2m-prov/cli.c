#include "lwm2m-prov/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lwm2m-prov/client.h"

struct reader {
	struct cli *cli;
	int argc;
	const char *const *argv;
	int at;
	bool no_more_options;
	enum opt_id last; /* the last option with a value that may go on; OPT__COUNT none */
	struct err *e;
};

static enum err_code
push(const char ***v, size_t *n, size_t *cap, const char *text, struct err *e)
{
	const char **moved = grow(*v, *n, cap, sizeof **v);

	if (moved == NULL)
		return err_no_memory(e);
	*v = moved;
	(*v)[(*n)++] = text;
	return ERR_OK;
}

/* A word of the command line for a message. */
static const char *
shown(const char *word, char buf[80])
{
	struct gbuf g = { .max = 4096 };

	str_quote(&g, word, MIN(strlen(word), 60));
	(void)snprintf(buf, 80, "%.79s", gbuf_cstr(&g));
	gbuf_clear(&g);
	return buf;
}

static enum err_code
check_choice(const struct opt *o, const char *value, struct err *e)
{
	struct gbuf list = { .max = 512 };
	char buf[80];

	for (size_t i = 0; o->words[i] != NULL; i++) {
		if (strcmp(o->words[i], value) == 0) {
			gbuf_clear(&list);
			return ERR_OK;
		}
		gbuf_printf(&list, "%s%s", i > 0 ? ", " : "", o->words[i]);
	}
	err_set(e, ERR_USAGE, "option --%s: must be one of %s, is \"%s\"", o->name,
	    gbuf_cstr(&list), shown(value, buf));
	gbuf_clear(&list);
	return ERR_USAGE;
}

static enum err_code
check_value(const struct opt *o, const char *value, uint64_t *number, struct err *e)
{
	size_t n = strlen(value);
	char buf[80];

	if (n == 0)
		return err_set(e, ERR_USAGE, "option --%s: its value is empty", o->name);
	if (!str_is_printable(value, n))
		return err_set(e, ERR_USAGE, "option --%s: \"%s\" is not printable text", o->name,
		    shown(value, buf));
	switch (o->kind) {
	case OPT_NUMBER:
		if (!str_to_u64(value, n, o->min, o->max, number))
			return err_set(e, ERR_USAGE,
			    "option --%s: must be a number from %" PRIu64 " to %" PRIu64
			    ", is \"%s\"",
			    o->name, o->min, o->max, shown(value, buf));
		return ERR_OK;
	case OPT_DURATION:
		if (!str_to_seconds(value, n, number) || *number < o->min || *number > o->max)
			return err_set(e, ERR_USAGE,
			    "option --%s: must be a time such as 30s, 5m, 1h or 2d, from %" PRIu64
			    "s to %" PRIu64 "s, is \"%s\"",
			    o->name, o->min, o->max, shown(value, buf));
		return ERR_OK;
	case OPT_CHOICE:
		return check_choice(o, value, e);
	case OPT_FLAG:
	case OPT_TEXT:
	case OPT_FILES:
	case OPT_MANY:
		return ERR_OK;
	}
	return ERR_OK;
}

static bool
allowed(const struct cli *cli, enum opt_id id)
{
	return id < OPT__GLOBAL || (cli->cmd != NULL && (cli->cmd->options & OPT_BIT(id)) != 0);
}

/* An option that is not one, or not one of this command. */
static enum err_code
unknown_option(const struct cli *cli, const char *name, size_t n, struct err *e)
{
	const char *names[OPT__COUNT], *near;
	char typed[80], word[80];
	size_t n_names = 0;

	(void)snprintf(word, sizeof word, "%.*s", (int)MIN(n, sizeof word - 1), name);
	for (enum opt_id id = 0; id < OPT__COUNT; id++) {
		if (strlen(opt_at(id)->name) == n && memcmp(opt_at(id)->name, name, n) == 0)
			return cli->cmd == NULL
			           ? err_set(e, ERR_USAGE,
			                 "option --%s: belongs behind the command", word)
			           : err_set(e, ERR_USAGE, "%s: takes no option --%s",
			                 cli->cmd->words, word);
		if (allowed(cli, id))
			names[n_names++] = opt_at(id)->name;
	}
	near = str_nearest(word, names, n_names);
	if (near != NULL)
		return err_set(e, ERR_USAGE, "unknown option \"--%s\": did you mean \"--%s\"?",
		    shown(word, typed), near);
	return err_set(e, ERR_USAGE, "unknown option \"--%s\"", shown(word, typed));
}

static enum err_code
store_option(struct reader *r, enum opt_id id, const char *value)
{
	const struct opt *o = opt_at(id);
	struct cli_value *into = &r->cli->opt[id];
	bool many = o->kind == OPT_FILES || o->kind == OPT_MANY;

	if (value != NULL && check_value(o, value, &into->number, r->e) != ERR_OK)
		return ERR_USAGE;
	if (into->n > 0 && !many && o->kind != OPT_FLAG)
		return err_set(r->e, ERR_USAGE, "option --%s: is given twice", o->name);
	if (into->n > 0 && o->kind == OPT_FLAG)
		return ERR_OK;
	if (o->kind == OPT_FILES)
		r->last = id;
	return push(&into->v, &into->n, &into->cap, value != NULL ? value : "", r->e);
}

/* The option's value is the next word. One that looks like an option is more likely one forgotten.
 */
static enum err_code
value_follows(struct reader *r, enum opt_id id)
{
	const struct opt *o = opt_at(id);

	if (r->at >= r->argc || strncmp(r->argv[r->at], "--", 2) == 0)
		return err_set(r->e, ERR_USAGE, "option --%s: needs a value: --%s %s", o->name,
		    o->name, o->value);
	return store_option(r, id, r->argv[r->at++]);
}

static enum err_code
long_option(struct reader *r, const char *word)
{
	size_t n = strcspn(word, "=");

	for (enum opt_id id = 0; id < OPT__COUNT; id++) {
		const struct opt *o = opt_at(id);

		if (!allowed(r->cli, id) || strlen(o->name) != n || memcmp(o->name, word, n) != 0)
			continue;
		if (o->kind == OPT_FLAG && word[n] == '=')
			return err_set(r->e, ERR_USAGE, "option --%s: takes no value", o->name);
		if (o->kind == OPT_FLAG)
			return store_option(r, id, NULL);
		return word[n] == '=' ? store_option(r, id, word + n + 1) : value_follows(r, id);
	}
	return unknown_option(r->cli, word, n, r->e);
}

static enum err_code
short_option(struct reader *r, const char *word)
{
	char buf[80];

	for (enum opt_id id = 0; id < OPT__COUNT; id++) {
		const struct opt *o = opt_at(id);

		if (o->letter != word[1])
			continue;
		if (!allowed(r->cli, id))
			return unknown_option(r->cli, o->name, strlen(o->name), r->e);
		if (o->kind == OPT_FLAG && word[2] == '\0')
			return store_option(r, id, NULL);
		if (o->kind != OPT_FLAG)
			return word[2] != '\0' ? store_option(r, id, word + 2)
			                       : value_follows(r, id);
	}
	return err_set(r->e, ERR_USAGE, "unknown option \"%s\"", shown(word, buf));
}

static bool
is_option(const struct reader *r, const char *word)
{
	return !r->no_more_options && word[0] == '-' && word[1] != '\0';
}

static enum err_code
read_option(struct reader *r)
{
	const char *word = r->argv[r->at++];

	if (strcmp(word, "--") == 0) {
		r->no_more_options = true;
		return ERR_OK;
	}
	return word[1] == '-' ? long_option(r, word + 2) : short_option(r, word);
}

static enum err_code
read_word(struct reader *r)
{
	const char *word = r->argv[r->at++];
	struct cli *cli = r->cli;
	char buf[80];

	if (cli->cmd->max == 0 && r->last != OPT__COUNT && !r->no_more_options)
		return store_option(r, r->last, word);
	/* what is completed may still be empty */
	if (cli->cmd->run != cmd_completion &&
	    (word[0] == '\0' || !str_is_printable(word, strlen(word))))
		return err_set(r->e, ERR_USAGE, "%s: argument \"%s\" is %s", cli->cmd->words,
		    shown(word, buf), word[0] == '\0' ? "empty" : "not printable text");
	return push(&cli->args, &cli->n_args, &cli->cap_args, word, r->e);
}

/* Global options may stand before the command. */
static enum err_code
read_command(struct reader *r)
{
	size_t used = 0, n;

	while (r->at < r->argc && is_option(r, r->argv[r->at])) {
		enum err_code rc = read_option(r);
		if (rc != ERR_OK)
			return rc;
	}
	if (r->at == r->argc)
		return ERR_OK;
	n = (size_t)(r->argc - r->at);
	r->cli->cmd = cmd_find(r->argv + r->at, n, &used);
	if (r->cli->cmd != NULL) {
		r->at += (int)used;
		return ERR_OK;
	}
	if (n > 1 && (is_option(r, r->argv[r->at + 1])))
		n = 1;
	if (cmd_is_noun(r->argv[r->at]) && n == 1 && r->at + 1 < r->argc &&
	    (strcmp(r->argv[r->at + 1], "--help") == 0 || strcmp(r->argv[r->at + 1], "-h") == 0)) {
		r->cli->group = r->argv[r->at++];
		return read_option(r);
	}
	return cmd_unknown(r->argv + r->at, n, r->e);
}

static enum err_code
check_arity(const struct cli *cli, struct err *e)
{
	const struct cmd *c = cli->cmd;
	struct gbuf usage = { .max = 2048 };
	enum err_code rc = ERR_OK;
	char buf[80];

	cmd_usage(c, &usage);
	if (cli->n_args < c->min)
		rc = err_set(e, ERR_USAGE, "%s: %s is missing (usage: %s)", c->words, c->args,
		    gbuf_cstr(&usage));
	else if (cli->n_args > c->max)
		rc = err_set(e, ERR_USAGE, "%s: \"%s\" is one argument too many (usage: %s)",
		    c->words, shown(cli->args[c->max], buf), gbuf_cstr(&usage));
	for (enum opt_id id = 0; rc == ERR_OK && id < OPT__COUNT; id++)
		if ((c->required & OPT_BIT(id)) != 0 && !cli_has(cli, id))
			rc = err_set(e, ERR_USAGE, "%s: %s%s %s is missing (usage: %s)", c->words,
			    opt_at(id)->letter == 'f' ? "-" : "--",
			    opt_at(id)->letter == 'f' ? "f" : opt_at(id)->name, opt_at(id)->value,
			    gbuf_cstr(&usage));
	gbuf_clear(&usage);
	return rc;
}

enum err_code
cli_parse(struct cli *cli, int argc, const char *const *argv, struct err *e)
{
	struct reader r = {
		.cli = cli, .argc = argc, .argv = argv, .at = 1, .last = OPT__COUNT, .e = e
	};
	enum err_code rc = read_command(&r);

	while (rc == ERR_OK && r.at < argc)
		rc = is_option(&r, argv[r.at]) ? read_option(&r)
		     : cli->cmd == NULL        ? cmd_unknown(argv + r.at, 1, e)
		                               : read_word(&r);
	if (rc != ERR_OK || cli_has(cli, OPT_HELP) || cli_has(cli, OPT_VERSION))
		return rc;
	if (cli->cmd == NULL)
		return err_set(e, ERR_USAGE, "a command is missing: see lwm2m-prov --help");
	return check_arity(cli, e);
}

void
cli_clear(struct cli *cli)
{
	for (enum opt_id id = 0; id < OPT__COUNT; id++)
		free(cli->opt[id].v);
	free(cli->args);
	client_close(cli->client);
	memset(cli, 0, sizeof *cli);
}

bool
cli_has(const struct cli *cli, enum opt_id id)
{
	return cli->opt[id].n > 0;
}

const char *
cli_text(const struct cli *cli, enum opt_id id)
{
	return cli_has(cli, id) ? cli->opt[id].v[0] : NULL;
}

uint64_t
cli_number(const struct cli *cli, enum opt_id id, uint64_t otherwise)
{
	return cli_has(cli, id) ? cli->opt[id].number : otherwise;
}

uint64_t
cli_timeout(const struct cli *cli, uint64_t otherwise)
{
	return cli_number(cli, OPT_TIMEOUT, otherwise);
}

enum err_code
cli_client(struct cli *cli, struct client **out, struct err *e)
{
	const char *path = cli_text(cli, OPT_SOCKET);

	if (path == NULL)
		path = getenv("LWM2M_PROV_SOCKET");
	if (path == NULL || path[0] == '\0')
		path = "/run/bsserver/api.sock";
	if (cli->client == NULL) {
		enum err_code rc = client_open(path, cli_timeout(cli, 30), &cli->client, e);
		if (rc != ERR_OK)
			return rc;
	}
	*out = cli->client;
	return ERR_OK;
}

enum err_code
cli_may_touch(const struct cli *cli, const char *what, uint64_t n, struct err *e)
{
	uint64_t max = cli_number(cli, OPT_MAX_AFFECTED, CLI_TOUCH_FREELY);

	if (n <= max || (cli_has(cli, OPT_YES) && !cli_has(cli, OPT_MAX_AFFECTED)))
		return ERR_OK;
	return err_set(e, ERR_REFUSED,
	    "%s %" PRIu64 " existing devices, more than %s%" PRIu64
	    ": say --yes or --max-affected %" PRIu64,
	    what, n, cli_has(cli, OPT_MAX_AFFECTED) ? "--max-affected " : "", max, n);
}
