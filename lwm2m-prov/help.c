/* What is printed from the tables of cmd.c: usage, --help, completion. */
#include <inttypes.h>
#include <stdio.h>

#include "lwm2m-prov/cmd.h"
#include "lwm2m-prov/select.h"

static void
option_form(const struct opt *o, bool with_letter, struct gbuf *out)
{
	if (o->letter != 0 && with_letter)
		gbuf_printf(out, "-%c%s%s", o->letter, o->value != NULL ? " " : ", --",
		    o->value != NULL ? o->value : o->name);
	else
		gbuf_printf(out, "--%s%s%s", o->name, o->value != NULL ? " " : "",
		    o->value != NULL ? o->value : "");
}

/* The options of a SELECTOR, where the command takes one. */
static opt_set
selector_of(const struct cmd *c)
{
	return (c->options & SELECT_OPTIONS) == SELECT_OPTIONS ? SELECT_OPTIONS : 0;
}

void
cmd_usage(const struct cmd *c, struct gbuf *out)
{
	gbuf_printf(out, "lwm2m-prov %s%s%s%s", c->words, c->args[0] != '\0' ? " " : "", c->args,
	    selector_of(c) != 0 ? " [SELECTOR]" : "");
	for (enum opt_id id = OPT__GLOBAL; id < OPT__COUNT; id++) {
		const struct opt *o = opt_at(id);
		bool needed = (c->required & OPT_BIT(id)) != 0;

		if ((c->options & ~selector_of(c) & OPT_BIT(id)) == 0)
			continue;
		gbuf_str(out, needed ? " " : " [");
		option_form(o, true, out);
		gbuf_str(out, needed ? "" : "]");
		if (o->kind == OPT_FILES || o->kind == OPT_MANY)
			gbuf_str(out, "...");
	}
}

static void
help_option(enum opt_id id, struct gbuf *out)
{
	const struct opt *o = opt_at(id);
	struct gbuf form = { .max = 128 };

	if (o->letter != 0)
		gbuf_printf(&form, "-%c, ", o->letter);
	option_form(o, false, &form);
	gbuf_printf(out, "  %-28s %s\n", gbuf_cstr(&form), o->help);
	gbuf_clear(&form);
}

static void
help_options(opt_set which, const char *title, struct gbuf *out)
{
	if (which != 0)
		gbuf_printf(out, "\n%s:\n", title);
	for (enum opt_id id = 0; id < OPT__COUNT; id++)
		if ((which & OPT_BIT(id)) != 0)
			help_option(id, out);
}

static void
help_command(const struct cmd *c, struct gbuf *out)
{
	gbuf_str(out, "usage: ");
	cmd_usage(c, out);
	gbuf_printf(out, "\n\n%s\n", c->help);
	help_options(selector_of(c), "SELECTOR, one or several: the devices of which all of them hold", out);
	help_options(c->options & ~selector_of(c), "options", out);
	help_options(OPT_BIT(OPT__GLOBAL) - 1, "options of every command", out);
}

static void
help_commands(const char *group, struct gbuf *out)
{
	size_t n = group != NULL ? strlen(group) : 0;

	gbuf_printf(out, "usage: lwm2m-prov %s COMMAND [OPTION...]\n\ncommands:\n",
	    group != NULL ? group : "[OPTION...]");
	for (size_t i = 0; cmd_at(i) != NULL; i++) {
		const struct cmd *c = cmd_at(i);
		char form[80];

		if (n > 0 && (strncmp(c->words, group, n) != 0 || c->words[n] != ' '))
			continue;
		(void)snprintf(form, sizeof form, "%s %s", c->words, c->args);
		gbuf_printf(out, "  %-32s %s\n", form, c->help);
	}
}

void
cmd_help(const struct cmd *c, const char *group, struct gbuf *out)
{
	if (c != NULL) {
		help_command(c, out);
		return;
	}
	help_commands(group, out);
	if (group != NULL)
		return;
	help_options(OPT_BIT(OPT__GLOBAL) - 1, "options of every command", out);
	gbuf_str(out, "\nexit codes:\n");
	for (size_t i = 0; exit_at(i) != NULL; i++)
		gbuf_printf(out, "  %-4d %s\n", (int)exit_at(i)->code, exit_at(i)->text);
	gbuf_str(out, "\nlwm2m-prov COMMAND --help says more about one command.\n");
}

static void
offer(const char *candidate, size_t n, const char *typed, struct gbuf *out)
{
	if (strncmp(candidate, typed, strlen(typed)) == 0)
		gbuf_printf(out, "%.*s\n", (int)n, candidate);
}

/* The next word of every command whose name begins with the words before. */
static void
complete_command(const char *const *words, size_t n, struct gbuf *out)
{
	const char *last = NULL;
	size_t last_len = 0;

	for (size_t i = 0; cmd_at(i) != NULL; i++) {
		const char *rest = cmd_at(i)->words;

		for (size_t w = 0; rest != NULL && w + 1 < n; w++) {
			size_t len = strcspn(rest, " ");
			bool same = strlen(words[w]) == len && memcmp(words[w], rest, len) == 0;
			rest = same && rest[len] == ' ' ? rest + len + 1 : NULL;
		}
		if (rest == NULL)
			continue;
		size_t len = strcspn(rest, " ");
		if (last == NULL || len != last_len || memcmp(last, rest, len) != 0)
			offer(rest, len, words[n - 1], out);
		last = rest;
		last_len = len;
	}
}

static void
complete_option(const struct cmd *c, const char *typed, struct gbuf *out)
{
	for (enum opt_id id = 0; id < OPT__COUNT; id++) {
		char word[40];

		if (id >= OPT__GLOBAL && (c == NULL || (c->options & OPT_BIT(id)) == 0))
			continue;
		int n = snprintf(word, sizeof word, "--%s", opt_at(id)->name);
		offer(word, (size_t)n, typed, out);
	}
}

/* The option that the word before the last one names, when it takes a value of its own. */
static const struct opt *
waits_for_value(const struct cmd *c, const char *word)
{
	for (enum opt_id id = 0; id < OPT__COUNT; id++) {
		const struct opt *o = opt_at(id);
		bool letter =
		    o->letter != 0 && word[0] == '-' && word[1] == o->letter && word[2] == '\0';

		if (o->kind != OPT_FLAG && (c == NULL || id < OPT__GLOBAL || (c->options & OPT_BIT(id)) != 0) &&
		    (letter || (strncmp(word, "--", 2) == 0 && strcmp(word + 2, o->name) == 0)))
			return o;
	}
	return NULL;
}

void
cmd_complete(const char *const *words, size_t n, struct gbuf *out)
{
	size_t used = 0;

	if (n == 0)
		return;
	const struct cmd *c = cmd_find(words, n - 1, &used);
	const struct opt *o = n > 1 ? waits_for_value(c, words[n - 2]) : NULL;
	if (o != NULL) {
		for (size_t i = 0; o->words != NULL && o->words[i] != NULL; i++)
			offer(o->words[i], strlen(o->words[i]), words[n - 1], out);
		return;
	}
	if (words[n - 1][0] == '-')
		complete_option(c, words[n - 1], out);
	else if (c == NULL)
		complete_command(words, n, out);
}
