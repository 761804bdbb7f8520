/* device add|list|show|card|rm|block|unblock. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lwm2m-prov/apply.h"
#include "lwm2m-prov/output.h"
#include "lwm2m-prov/remote.h"
#include "lwm2m-prov/select.h"
#include "lwm2m-prov/views.h"

/* clang-format off */
static const struct out_field list_fields[] = {
	{ "endpoint", "endpoint", OUT_PLAIN, NULL },
	{ "state", "state", OUT_PLAIN, NULL },
	{ "revision", "revision", OUT_PLAIN, NULL },
	{ "provisioned", "provisioned", OUT_PLAIN, NULL },
	{ "verdict", "last verdict", OUT_PLAIN, NULL },
	{ "reason", "reason", OUT_PLAIN, NULL },
	{ "last_ended", "last session", OUT_TIME, NULL },
	{ "extends", "extends", OUT_PLAIN, NULL },
};
static const struct out_field credential_fields[] = {
	{ "slot", "slot", OUT_PLAIN, NULL },
	{ "identity", "identity", OUT_PLAIN, NULL },
	{ "fingerprint", "fingerprint", OUT_PLAIN, NULL },
	{ "length", "octets", OUT_PLAIN, NULL },
	{ "generated", "generated", OUT_PLAIN, NULL },
};
static const struct out_view credentials = { credential_fields, N_ELEMS(credential_fields) };
static const struct out_field wish_fields[] = {
	{ "wish", "what", OUT_PLAIN, NULL },
	{ "pending", "pending", OUT_PLAIN, NULL },
	{ "session", "to session", OUT_PLAIN, NULL },
	{ "with_credentials", "with keys", OUT_PLAIN, NULL },
	{ "profile", "profile", OUT_PLAIN, NULL },
	{ "done_session", "done by session", OUT_PLAIN, NULL },
	{ "asked", "asked", OUT_TIME, NULL },
	{ "actor", "by", OUT_PLAIN, NULL },
};
static const struct out_view wishes = { wish_fields, N_ELEMS(wish_fields) };
static const struct out_field show_fields[] = {
	{ "endpoint", "endpoint", OUT_PLAIN, NULL },
	{ "state", "state", OUT_PLAIN, NULL },
	{ "extends", "extends", OUT_PLAIN, NULL },
	{ "revision", "revision", OUT_PLAIN, NULL },
	{ "current_revision", "with its profiles", OUT_PLAIN, NULL },
	{ "provisioned", "provisioned", OUT_PLAIN, NULL },
	{ "provisioned_revision", "confirmed revision", OUT_PLAIN, NULL },
	{ "last_session/id", "last session", OUT_PLAIN, NULL },
	{ "last_session/ended", "ended", OUT_TIME, NULL },
	{ "last_session/verdict", "verdict", OUT_PLAIN, NULL },
	{ "last_session/reason", "reason", OUT_PLAIN, NULL },
	{ "last_session/path", "path", OUT_PLAIN, NULL },
	{ "last_session/code", "code", OUT_PLAIN, NULL },
	{ "last_session/detail", "detail", OUT_PLAIN, NULL },
	{ "failures", "failures in a row", OUT_PLAIN, NULL },
	{ "registered", "registered", OUT_PLAIN, NULL },
	{ "registered_at", "registered at", OUT_TIME, NULL },
	{ "after", "after its session", OUT_PLAIN, NULL },
	{ "live/state", "session running", OUT_PLAIN, NULL },
	{ "wishes", "wanted of its next session", OUT_ROWS, &wishes },
	{ "created", "created", OUT_TIME, NULL },
	{ "updated", "updated", OUT_TIME, NULL },
	{ "credentials", "keys", OUT_ROWS, &credentials },
	{ "document", "document", OUT_BLOCK, NULL },
};
static const struct out_field card_fields[] = {
	{ "endpoint", "endpoint", OUT_PLAIN, NULL },
	{ "server_uri", "bootstrap server", OUT_PLAIN, NULL },
	{ "mode", "security mode", OUT_PLAIN, NULL },
	{ "identity", "identity", OUT_PLAIN, NULL },
	{ "fingerprint", "key fingerprint", OUT_PLAIN, NULL },
};
static const struct out_field change_fields[] = {
	{ "result", "result", OUT_PLAIN, NULL },
	{ "endpoint", "endpoint", OUT_PLAIN, NULL },
	{ "state", "state", OUT_PLAIN, NULL },
};
/* clang-format on */
static const struct out_view change_view = { change_fields, N_ELEMS(change_fields) };

#define SLOT_BOOTSTRAP PROFILE_SLOT_BOOTSTRAP

/* ---- add ---- */

/* A value of a document as it is: "$" begins a variable there. */
static json_t *
literal(const char *s, size_t n)
{
	struct gbuf g = { .max = 65536 };
	json_t *text;

	for (size_t i = 0; i < n; i++)
		gbuf_printf(&g, s[i] == '$' ? "$$" : "%c", s[i]);
	text = json_stringn(gbuf_cstr(&g), g.len);
	gbuf_clear(&g);
	return text;
}

static enum err_code
read_stdin_key(json_t **key, struct err *e)
{
	struct gbuf in = { .max = PROFILE_KEY_MAX }, text = { .max = (size_t)4 * PROFILE_KEY_MAX };
	char part[1024];
	enum err_code rc;
	ssize_t n;

	while ((n = read(STDIN_FILENO, part, sizeof part)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			gbuf_put(&in, part, (size_t)n);
	wipe(part, sizeof part);
	rc = n < 0 ? err_errno(e, errno, "standard input") : gbuf_check(&in, e);
	if (rc == ERR_OK && in.len == 0)
		rc = err_set(e, ERR_INVALID, "--key-stdin: standard input is empty");
	if (rc == ERR_OK && str_is_utf8(in.data, in.len)) {
		size_t end = in.len;
		while (end > 0 && strchr(" \t\r\n", in.data[end - 1]) != NULL)
			end--;
		*key = literal((const char *)in.data, end);
	} else if (rc == ERR_OK) {
		enc_base64(&text, in.data, in.len);
		*key = json_pack("{s:s}", "base64", gbuf_cstr(&text));
	}
	gbuf_clear(&in);
	gbuf_clear(&text);
	return rc;
}

/* The value of "key"; *folder is where a key file lies. NULL when the command line names no key. */
static enum err_code
key_of(const struct cli *cli, json_t **key, struct gbuf *folder, struct err *e)
{
	const char *file = cli_text(cli, OPT_KEY_FILE), *slash;
	int given = cli_has(cli, OPT_KEY_FILE) + cli_has(cli, OPT_KEY_STDIN) +
	            cli_has(cli, OPT_GENERATE_KEY);

	if (given > 1)
		return err_set(e, ERR_USAGE,
		    "device add: --key-file, --key-stdin and --generate-key: one of them");
	if (cli_has(cli, OPT_KEY_STDIN))
		return read_stdin_key(key, e);
	if (cli_has(cli, OPT_GENERATE_KEY))
		*key = json_pack("{s:i}", "generate", 16);
	if (file == NULL)
		return ERR_OK;
	slash = strrchr(file, '/');
	if (slash != NULL)
		gbuf_put(folder, file, (size_t)(slash - file) + 1);
	const char *base = slash != NULL ? slash + 1 : file;
	*key = json_pack("{s:o}", "file", literal(base, strlen(base)));
	return ERR_OK;
}

static enum err_code
put_labels(const struct cli *cli, json_t *doc, struct err *e)
{
	const struct cli_value *labels = &cli->opt[OPT_LABEL];
	json_t *map;

	if (labels->n == 0)
		return ERR_OK;
	map = json_object();
	for (size_t i = 0; i < labels->n; i++) {
		const char *eq = strchr(labels->v[i], '=');
		char name[256];

		if (eq == NULL || eq == labels->v[i] ||
		    (size_t)(eq - labels->v[i]) >= sizeof name) {
			json_decref(map);
			return err_set(e, ERR_USAGE,
			    "option --label: must be NAME=VALUE, is \"%.60s\"", labels->v[i]);
		}
		(void)snprintf(name, sizeof name, "%.*s", (int)(eq - labels->v[i]), labels->v[i]);
		(void)json_object_set_new(map, name, literal(eq + 1, strlen(eq + 1)));
	}
	return json_object_set_new(doc, "labels", map) == 0 ? ERR_OK : err_no_memory(e);
}

static enum err_code
make_document(const struct cli *cli, json_t *key, struct gbuf *text, struct err *e)
{
	const char *ep = cli->args[0], *identity = cli_text(cli, OPT_IDENTITY);
	json_t *doc = json_pack("{s:i, s:s, s:s}", "profile_format", 1, "endpoint", ep, "extends",
	    cli_text(cli, OPT_PROFILE));
	json_t *knock = json_pack("{s:s, s:o}", "mode", "psk", "identity",
	    literal(identity != NULL ? identity : ep, strlen(identity != NULL ? identity : ep)));
	enum err_code rc =
	    doc == NULL || knock == NULL ? err_no_memory(e) : put_labels(cli, doc, e);
	char *dumped = NULL;

	if (key != NULL)
		(void)json_object_set(knock, "key", key);
	if (key != NULL || identity != NULL)
		(void)json_object_set_new(
		    doc, "credentials", json_pack("{s:O}", "bootstrap", knock));
	if (rc == ERR_OK)
		dumped = json_dumps(doc, JSON_COMPACT);
	if (rc == ERR_OK && dumped == NULL)
		rc = err_no_memory(e);
	if (dumped != NULL) {
		gbuf_str(text, dumped);
		wipe(dumped, strlen(dumped));
	}
	free(dumped);
	json_decref(doc);
	json_decref(knock);
	return rc;
}

enum prov_exit
cmd_device_add(struct cli *cli, struct err *e)
{
	struct gbuf text = { .max = PROFILE_TEXT_MAX }, file = { .max = 8192 };
	struct docs docs = { 0 };
	json_t *key = NULL;
	enum err_code rc = key_of(cli, &key, &file, e);
	enum prov_exit end;

	gbuf_str(&file, "command line");
	if (rc == ERR_OK)
		rc = make_document(cli, key, &text, e);
	if (rc == ERR_OK)
		rc = docs_add_text(&docs, gbuf_cstr(&file), gbuf_cstr(&text), text.len, e);
	end = rc == ERR_OK ? apply_run(cli, &docs, true, e) : exit_of(rc);
	docs_clear(&docs);
	json_decref(key);
	gbuf_clear(&text);
	gbuf_clear(&file);
	return end;
}

/* ---- list, show, card ---- */

enum prov_exit
cmd_device_list(struct cli *cli, struct err *e)
{
	static const struct out_view view = { list_fields, N_ELEMS(list_fields) };
	json_t *doc = NULL;
	enum err_code rc = select_list(cli, cli_number(cli, OPT_LIMIT, 0), NULL, &doc, e);

	if (rc == ERR_OK)
		out_table(cli->out, &view, doc, "devices");
	json_decref(doc);
	return exit_of(rc);
}

static enum err_code
get_device(struct cli *cli, json_t **doc, struct err *e)
{
	struct gbuf path = { 0 };
	enum err_code rc;

	remote_path(&path, "/v1/devices/", cli->args[0], "");
	rc = remote_get(cli, gbuf_cstr(&path), doc, e);
	gbuf_clear(&path);
	return rc;
}

enum prov_exit
cmd_device_show(struct cli *cli, struct err *e)
{
	static const struct out_view view = { show_fields, N_ELEMS(show_fields) };
	json_t *doc = NULL;
	enum err_code rc;

	if (cli_has(cli, OPT_INVENTORY))
		return held_show(cli, e);
	if (cli_has(cli, OPT_SESSION))
		return exit_of(err_set(e, ERR_USAGE, "device show: --session goes with --inventory"));
	rc = get_device(cli, &doc, e);
	if (rc == ERR_OK)
		out_object(cli->out, &view, doc);
	json_decref(doc);
	return exit_of(rc);
}

/* A listener that a device could reach as it is written; NULL. *any: there is one of that scheme.
 */
static const char *
listener_of(const json_t *status, bool psk, const char **any)
{
	const json_t *one;
	size_t i;

	*any = NULL;
	json_array_foreach(json_object_get(status, "listeners"), i, one)
	{
		const char *uri = json_string_value(one);

		if (uri == NULL || (strncmp(uri, "coaps", 5) == 0) != psk)
			continue;
		*any = uri;
		if (strstr(uri, "//[::]") == NULL && strstr(uri, "//0.0.0.0") == NULL)
			return uri;
	}
	return NULL;
}

static const json_t *
bootstrap_key(const json_t *device)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(device, "credentials"), i, one)
	{
		const char *slot = json_string_value(json_object_get(one, "slot"));

		if (slot != NULL && strcmp(slot, SLOT_BOOTSTRAP) == 0)
			return one;
	}
	return NULL;
}

static void
print_card(struct cli *cli, const json_t *device, const json_t *status)
{
	static const struct out_view view = { card_fields, N_ELEMS(card_fields) };
	const json_t *key = bootstrap_key(device);
	const char *any, *uri = cli_text(cli, OPT_URI);
	json_t *card;

	if (uri == NULL)
		uri = listener_of(status, key != NULL, &any);
	else
		any = NULL;
	card = json_pack("{s:O?, s:s?, s:s, s:O?, s:O?}", "endpoint",
	    json_object_get(device, "endpoint"), "server_uri", uri, "mode",
	    key != NULL ? "psk" : "nosec", "identity", json_object_get(key, "identity"),
	    "fingerprint", json_object_get(key, "fingerprint"));
	out_object(cli->out, &view, card);
	if (uri == NULL)
		out_note(cli->out,
		    "device card: the server's address is not known (it listens on %s): say --uri",
		    any != NULL ? any : "nothing of that kind");
	json_decref(card);
}

enum prov_exit
cmd_device_card(struct cli *cli, struct err *e)
{
	json_t *device = NULL, *status = NULL;
	enum err_code rc = get_device(cli, &device, e);

	if (rc == ERR_OK && !cli_has(cli, OPT_URI))
		rc = remote_get(cli, "/v1/status", &status, e);
	if (rc == ERR_OK)
		print_card(cli, device, status);
	json_decref(device);
	json_decref(status);
	return exit_of(rc);
}

/* ---- rm, block, unblock ---- */

static enum err_code
change_one(struct cli *cli, const char *ep, const char *state, struct err *e)
{
	struct remote_call call = { .method = state != NULL ? "POST" : "DELETE", .audited = true };
	json_t *body = state != NULL ? json_pack("{s:s}", "state", state) : NULL, *row = NULL;
	struct gbuf path = { 0 };
	enum err_code rc;

	remote_path(&path, "/v1/devices/", ep, state != NULL ? "/state" : "");
	call.path = gbuf_cstr(&path);
	call.body = body;
	rc = remote_call(cli, &call, &row, e);
	if (rc == ERR_OK && row != NULL)
		out_row(cli->out, &change_view, row);
	json_decref(row);
	json_decref(body);
	gbuf_clear(&path);
	return rc;
}

/* Each by itself; the first that the daemon could not be asked about ends it. */
static enum err_code
change_each(struct cli *cli, const struct selected *who, const char *state, size_t *failed, struct err *e)
{
	for (size_t i = 0; i < who->n; i++) {
		struct err why = { 0 };
		enum err_code one = change_one(cli, who->v[i], state, &why);

		if (one == ERR_OK)
			continue;
		if (who->n == 1 || exit_of(one) == EXIT_UNREACHABLE || one == ERR_TIMEOUT)
			return err_set(e, one, "%s", why.msg);
		++*failed;
		out_note(cli->out, "%s", why.msg);
	}
	return ERR_OK;
}

static enum prov_exit
change_all(struct cli *cli, const char *what, const char *state, struct err *e)
{
	struct selected who;
	size_t failed = 0;
	enum err_code rc = select_devices(cli, &who, e);

	if (rc == ERR_OK)
		rc = cli_may_touch(cli, what, who.n, e);
	if (rc == ERR_OK)
		rc = change_each(cli, &who, state, &failed, e);
	bool all = failed > 0 && failed == who.n;
	selected_clear(&who);
	if (rc != ERR_OK)
		return exit_of(rc);
	return failed == 0 ? EXIT_DONE : all ? EXIT_FAILED : EXIT_PARTIAL;
}

enum prov_exit
cmd_device_rm(struct cli *cli, struct err *e)
{
	return change_all(cli, "device rm would remove", NULL, e);
}

enum prov_exit
cmd_device_block(struct cli *cli, struct err *e)
{
	return change_all(cli, "device block would shut out", "blocked", e);
}

enum prov_exit
cmd_device_unblock(struct cli *cli, struct err *e)
{
	return change_all(cli, "device unblock would let in", "active", e);
}
