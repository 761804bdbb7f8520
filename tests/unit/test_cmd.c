#include "lwm2m-prov/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lwm2m-prov/cli.h"
#include "tests/unit/unit.h"

#define WORDS_MAX 16

/* A command line split at blanks; '~' is an empty word, '_' a blank in one. */
struct line {
	char text[256];
	const char *argv[WORDS_MAX];
	int argc;
};

static void
split(struct line *l, const char *text)
{
	char *save = NULL;

	(void)snprintf(l->text, sizeof l->text, "%s", text);
	l->argv[0] = "lwm2m-prov";
	l->argc = 1;
	for (char *w = strtok_r(l->text, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		ck_assert_int_lt(l->argc, WORDS_MAX);
		for (char *p = w; *p != '\0'; p++)
			if (*p == '_')
				*p = ' ';
		l->argv[l->argc++] = strcmp(w, "~") == 0 ? "" : w;
	}
}

/* Two options may have one name where no command takes both: what is a flag here is a file there. */
static bool
taken_together(enum opt_id a, enum opt_id b)
{
	for (size_t i = 0; cmd_at(i) != NULL; i++)
		if ((a < OPT__GLOBAL || (cmd_at(i)->options & OPT_BIT(a)) != 0) &&
		    (b < OPT__GLOBAL || (cmd_at(i)->options & OPT_BIT(b)) != 0))
			return true;
	return false;
}

START_TEST(every_row_is_whole)
{
	for (size_t i = 0; cmd_at(i) != NULL; i++) {
		const struct cmd *c = cmd_at(i);
		size_t used = 0;
		struct line l;
		char words[64];

		ck_assert_ptr_nonnull(c->run);
		ck_assert_uint_le(c->min, c->max);
		ck_assert_uint_gt(strlen(c->help), 10);
		ck_assert_msg((c->required & ~c->options) == 0, "%s", c->words);
		ck_assert_msg((c->options & (OPT_BIT(OPT__GLOBAL) - 1)) == 0, "%s", c->words);
		ck_assert_msg((c->max > 0) == (c->args[0] != '\0'), "%s", c->words);
		(void)snprintf(words, sizeof words, "%s", c->words);
		split(&l, words);
		ck_assert_ptr_eq(cmd_find(l.argv + 1, (size_t)l.argc - 1, &used), c);
		ck_assert_uint_eq(used, (size_t)l.argc - 1);
	}
	for (enum opt_id id = 0; id < OPT__COUNT; id++) {
		const struct opt *o = opt_at(id);

		ck_assert_ptr_nonnull(o->name);
		ck_assert_msg((o->kind == OPT_FLAG) == (o->value == NULL), "%s", o->name);
		ck_assert_msg((o->kind == OPT_CHOICE) == (o->words != NULL), "%s", o->name);
		for (enum opt_id other = 0; other < id; other++) {
			ck_assert_msg(strcmp(o->name, opt_at(other)->name) != 0 || !taken_together(id, other), "%s", o->name);
			ck_assert(o->letter == 0 || o->letter != opt_at(other)->letter);
		}
	}
}
END_TEST

static const struct {
	const char *line, *error;
} wrong_lines[] = {
	{ "", "a command is missing: see lwm2m-prov --help" },
	{ "--json", "a command is missing: see lwm2m-prov --help" },
	{ "chek", "unknown command \"chek\": did you mean \"check\"?" },
	{ "zzzzzzzz", "unknown command \"zzzzzzzz\": see lwm2m-prov --help" },
	{ "~", "unknown command \"\": see lwm2m-prov --help" },
	{ "\x1b[2J", "unknown command \"\\x1b[2J\": see lwm2m-prov --help" },
	{ "--nope check", "unknown option \"--nope\"" },
	{ "--strict check", "option --strict: belongs behind the command" },
	{ "--jsno check", "unknown option \"--jsno\": did you mean \"--json\"?" },
	{ "-x", "unknown option \"-x\"" },
	{ "-", "unknown command \"-\": see lwm2m-prov --help" },
	{ "check -f", "option --file: needs a value: --file FILE" },
	{ "check -f --strict", "option --file: needs a value: --file FILE" },
	{ "check -f x --stritc",
	    "unknown option \"--stritc\": did you mean \"--strict\"?" },
	{ "check -f x --check", "check: takes no option --check" },
	{ "device",
	    "device: one of add, list, show, card, history, diff, rollback, handover, rm, block, unblock must follow" },
	{ "device --json",
	    "device: one of add, list, show, card, history, diff, rollback, handover, rm, block, unblock must follow" },
	{ "device ad", "unknown command \"device ad\": did you mean \"device add\"?" },
	{ "devcie add", "unknown command \"devcie\": did you mean \"device\"?" },
	{ "enroll", "unknown command \"enroll\": see lwm2m-prov --help" },
	{ "device show",
	    "device show: ENDPOINT is missing (usage: lwm2m-prov device show ENDPOINT [--inventory] [--session N])" },
	{ "session list --verdict maybe",
	    "option --verdict: must be one of provisioned, written, failed, "
	    "refused, cancelled, is \"maybe\"" },
	{ "session list --limit 1x",
	    "option --limit: must be a number from 1 to 4294967295, is \"1x\"" },
	{ "apply -f x --max-affected -1",
	    "option --max-affected: must be a number from 0 to 4294967295, is \"-1\"" },
	{ "fmt -f x -I d", "fmt: takes no option --include" },
	{ "check -f x --strict=yes", "option --strict: takes no value" },
	{ "check -f x --root a --root b", "option --root: is given twice" },
	{ "check --file=", "option --file: its value is empty" },
	{ "check -f \x01", "option --file: \"\\x01\" is not printable text" },
	{ "check -f x --timeout 0", "option --timeout: must be a time such as 30s, 5m, 1h "
	                            "or 2d, from 1s to 2592000s, is \"0\"" },
	{ "check -f x --timeout soon", "option --timeout: must be a time such as 30s, 5m, "
	                               "1h or 2d, from 1s to 2592000s, is \"soon\"" },
	{ "explain a b", "explain: \"b\" is one argument too many (usage: lwm2m-prov "
	                 "explain [KEY|FINDING|REASON])" },
	{ "explain ~", "explain: argument \"\" is empty" },
	{ "explain a\x7f", "explain: argument \"a\\x7f\" is not printable text" },
	{ "status --last", "status: takes no option --last" },
	{ "status now",
	    "status: \"now\" is one argument too many (usage: lwm2m-prov status)" },
	{ "check -- x", "check: \"x\" is one argument too many (usage: lwm2m-prov check -f "
	                "FILE... [-I DIR]... "
	                "[--root DIR] [--object-dir DIR]... [--strict])" },
	{ "fmt", "fmt: -f FILE is missing (usage: lwm2m-prov fmt -f FILE... [--check])" },
};

START_TEST(wrong_lines_are_refused_with_the_word_that_is_wrong)
{
	for (size_t i = 0; i < N_ELEMS(wrong_lines); i++) {
		struct cli cli = { 0 };
		struct err e = { 0 };
		struct line l;

		split(&l, wrong_lines[i].line);
		ck_assert_msg(
		    cli_parse(&cli, l.argc, l.argv, &e) == ERR_USAGE, "\"%s\"", wrong_lines[i].line);
		ck_assert_str_eq(e.msg, wrong_lines[i].error);
		cli_clear(&cli);
	}
}
END_TEST

START_TEST(right_lines_are_read)
{
	struct cli cli = { 0 };
	struct err e = { 0 };
	struct line l;

	split(&l, "--timeout=2m --json check --strict -f a.json b.json -Idir --include dir2 -f - "
	          "--reason two_words");
	ck_assert_msg(cli_parse(&cli, l.argc, l.argv, &e) == ERR_OK, "%s", e.msg);
	ck_assert_str_eq(cli.cmd->words, "check");
	ck_assert_uint_eq(cli_number(&cli, OPT_TIMEOUT, 0), 120);
	ck_assert(cli_has(&cli, OPT_JSON) && cli_has(&cli, OPT_STRICT) && !cli_has(&cli, OPT_YES));
	ck_assert_uint_eq(cli.opt[OPT_FILE].n, 3);
	ck_assert_str_eq(cli.opt[OPT_FILE].v[1], "b.json");
	ck_assert_str_eq(cli.opt[OPT_FILE].v[2], "-");
	ck_assert_uint_eq(cli.opt[OPT_INCLUDE].n, 2);
	ck_assert_str_eq(cli.opt[OPT_INCLUDE].v[0], "dir");
	ck_assert_str_eq(cli_text(&cli, OPT_REASON), "two words");
	ck_assert_uint_eq(cli.n_args, 0);
	cli_clear(&cli);
}
END_TEST

START_TEST(two_dashes_end_the_options)
{
	struct cli cli = { 0 };
	struct err e = { 0 };
	struct line l;

	split(&l, "explain -- --json");
	ck_assert_msg(cli_parse(&cli, l.argc, l.argv, &e) == ERR_OK, "%s", e.msg);
	ck_assert_uint_eq(cli.n_args, 1);
	ck_assert_str_eq(cli.args[0], "--json");
	ck_assert(!cli_has(&cli, OPT_JSON));
	cli_clear(&cli);
}
END_TEST

START_TEST(help_needs_nothing_else)
{
	static const char *const lines[] = { "--help", "-h", "check --help", "check -h --json",
		"--version", "device --help", "device -h", "device add --help" };

	for (size_t i = 0; i < N_ELEMS(lines); i++) {
		struct cli cli = { 0 };
		struct err e = { 0 };
		struct line l;

		split(&l, lines[i]);
		ck_assert_msg(
		    cli_parse(&cli, l.argc, l.argv, &e) == ERR_OK, "%s: %s", lines[i], e.msg);
		cli_clear(&cli);
	}
}
END_TEST

/* Words that mean something, in any order and number: an answer each time, and nothing is left
 * over. */
START_TEST(lines_of_any_words_are_read_or_refused)
{
	static const char *const pieces[] = { "check", "fmt", "device", "add", "list", "-f", "-",
		"--", "--json", "--limit", "--limit=7", "7", "-I", "--since", "2d", "\xff", "",
		"--=", "-fx", "--help", "wait", "--for", "written", "session", "show", "--last",
		"x\ny", "---", "--file", "apply", "plan", "--reason", "urn:x" };
	uint64_t state = unit_seed();

	for (int round = 0; round < 20000; round++) {
		const char *argv[WORDS_MAX] = { "lwm2m-prov" };
		int argc = 1 + (int)(unit_random(&state) % (WORDS_MAX - 1));
		struct cli cli = { 0 };
		struct err e = { 0 };

		for (int i = 1; i < argc; i++)
			argv[i] = pieces[unit_random(&state) % N_ELEMS(pieces)];
		enum err_code rc = cli_parse(&cli, argc, argv, &e);
		ck_assert(rc == ERR_OK || rc == ERR_USAGE);
		ck_assert_int_eq(rc, e.code);
		ck_assert(rc == ERR_OK || str_is_printable(e.msg, strlen(e.msg)));
		cli_clear(&cli);
	}
}
END_TEST

START_TEST(completion_offers_what_may_stand_there)
{
	static const struct {
		const char *line, *offered;
	} rows[] = {
		{ "che", "check\n" },
		{ "check --str", "--strict\n" },
		{ "check --strict --js", "--json\n" },
		{ "check -f ~", "" },
		{ "device ~", "add\nlist\nshow\ncard\nhistory\ndiff\nrollback\nhandover\nrm\nblock\nunblock\n" },
		{ "device l", "list\n" },
		{ "wait x --for ~", "provisioned\nwritten\nregistered\nblocked\n" },
		{ "session list --group-by r", "reason\n" },
		{ "nothing ~", "" },
		{ "--ver", "--version\n" },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct gbuf out = { .max = 65536 };
		struct line l;

		split(&l, rows[i].line);
		cmd_complete(l.argv + 1, (size_t)l.argc - 1, &out);
		ck_assert_str_eq(gbuf_cstr(&out), rows[i].offered);
		gbuf_clear(&out);
	}
}
END_TEST

START_TEST(each_error_has_its_exit_code)
{
	static const struct {
		enum err_code rc;
		enum prov_exit end;
		bool retryable;
	} rows[] = {
		{ ERR_OK, EXIT_DONE, false },
		{ ERR_USAGE, EXIT_USAGE, false },
		{ ERR_INVALID, EXIT_INVALID, false },
		{ ERR_PARSE, EXIT_INVALID, false },
		{ ERR_RANGE, EXIT_INVALID, false },
		{ ERR_UNSUPPORTED, EXIT_INVALID, false },
		{ ERR_LIMIT, EXIT_INVALID, false },
		{ ERR_NOT_FOUND, EXIT_NOT_FOUND, false },
		{ ERR_EXISTS, EXIT_CONFLICT, false },
		{ ERR_CONFLICT, EXIT_CONFLICT, false },
		{ ERR_REFUSED, EXIT_REFUSED, false },
		{ ERR_BUSY, EXIT_FAILED, true },
		{ ERR_IO, EXIT_FAILED, false },
		{ ERR_TIMEOUT, EXIT_TIMEOUT, true },
		{ ERR_UNREACHABLE, EXIT_UNREACHABLE, true },
		{ ERR_CLOSED, EXIT_UNREACHABLE, true },
		{ ERR_INTERNAL, EXIT_FAILED, false },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		ck_assert_int_eq(exit_of(rows[i].rc), rows[i].end);
		ck_assert_int_eq(exit_retryable(rows[i].rc), rows[i].retryable);
	}
	for (size_t i = 0; exit_at(i) != NULL; i++)
		ck_assert_ptr_eq(exit_row(exit_at(i)->code), exit_at(i));
}
END_TEST

/* The lines of the manual page that name a command or an option, as the tables have them. */
static void
manual_lines(struct gbuf *out)
{
	for (size_t i = 0; cmd_at(i) != NULL; i++)
		gbuf_printf(out, ".It Cm %s%s%s\n", cmd_at(i)->words,
		    cmd_at(i)->args[0] != '\0' ? " Ar " : "", cmd_at(i)->args);
	for (enum opt_id id = 0; id < OPT__COUNT; id++) {
		const struct opt *o = opt_at(id);

		gbuf_str(out, ".It");
		if (o->letter != 0)
			gbuf_printf(out, " Fl %c ,", o->letter);
		gbuf_printf(out, " Fl -%s%s%s\n", o->name, o->value != NULL ? " Ar " : "",
		    o->value != NULL ? o->value : "");
	}
	for (size_t i = 0; exit_at(i) != NULL; i++)
		gbuf_printf(out, ".It %d\n", (int)exit_at(i)->code);
}

START_TEST(the_manual_lists_the_tables)
{
	struct gbuf want = { .max = 65536 }, has = { .max = 65536 };
	char path[4096], line[512];
	const char *src = getenv("SRCDIR");
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/docs/man/lwm2m-prov.1", src != NULL ? src : ".");
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, ".It Cm ", 7) == 0 || strncmp(line, ".It Fl ", 7) == 0 ||
		    (strncmp(line, ".It ", 4) == 0 && line[4] >= '0' && line[4] <= '9'))
			gbuf_str(&has, line);
	(void)fclose(f);
	manual_lines(&want);
	ck_assert_str_eq(gbuf_cstr(&has), gbuf_cstr(&want));
	gbuf_clear(&want);
	gbuf_clear(&has);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(every_row_is_whole, 0),
	UNIT_CASE(wrong_lines_are_refused_with_the_word_that_is_wrong, 0),
	UNIT_CASE(right_lines_are_read, 0),
	UNIT_CASE(two_dashes_end_the_options, 0),
	UNIT_CASE(help_needs_nothing_else, 0),
	UNIT_CASE(lines_of_any_words_are_read_or_refused, 0),
	UNIT_CASE(completion_offers_what_may_stand_there, 0),
	UNIT_CASE(each_error_has_its_exit_code, 0),
	UNIT_CASE(the_manual_lists_the_tables, 0),
};

UNIT_SUITE_MAIN("cmd", cases)
