/*
 * lwm2m-prov/cmd.h: the commands and their options as two tables. Dispatch, arity, usage, --help,
 * completion and the check of the manual page read them; a new command is a row.
 */
#ifndef LWM2M_PROV_CMD_H
#define LWM2M_PROV_CMD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lwm2m-prov/exit.h"

enum opt_id {
	/* of every command */
	OPT_SOCKET,
	OPT_JSON,
	OPT_TIMEOUT,
	OPT_REASON,
	OPT_YES,
	OPT_HELP,
	OPT_VERSION,
	OPT__GLOBAL, /* those before are global */
	/* of some */
	OPT_FILE = OPT__GLOBAL,
	OPT_INCLUDE,
	OPT_ROOT,
	OPT_OBJECT_DIR,
	OPT_STRICT,
	OPT_CHECK,
	OPT_DRY_RUN,
	OPT_EXPECT_REVISION,
	OPT_MAX_AFFECTED,
	OPT_RESULT,
	OPT_EXIT_CODE,
	OPT_PROFILE,
	OPT_IDENTITY,
	OPT_KEY_FILE,
	OPT_KEY_STDIN,
	OPT_GENERATE_KEY,
	OPT_LABEL,
	OPT_URI,
	OPT_MATCH,
	OPT_WHERE,
	OPT_REVISION_OLDER,
	OPT_LIMIT,
	OPT_VERDICT,
	OPT_SINCE,
	OPT_GROUP_BY,
	OPT_LAST,
	OPT_PEER,
	OPT_FOR,
	OPT_FAIL_FAST,
	OPT_FORCE,
	OPT_CA,
	OPT_CHAIN,
	OPT_AT,
	OPT_PURPOSE,
	OPT_NAME,
	OPT_CRL,
	OPT_MAX_DEPTH,
	OPT_RELAXED,
	OPT_RESPONSE,
	OPT_CERT,
	OPT_ISSUER,
	OPT_URL,
	OPT_ALLOW_SHA1,
	OPT_MAX_AGE,
	OPT_VERDICT_EXIT,
	OPT_INVENTORY,
	OPT_INVENTORY_FILE, /* the same name, of plan */
	OPT_FRESH,
	OPT_SESSION,
	OPT_FROM,
	OPT_TO,
	OPT_WITH_CREDENTIALS,
	OPT_TELL,
	OPT_TRUST,
	OPT_ANCHOR,
	OPT_CANCEL,
	OPT_SUBJECT,
	OPT_DAYS,
	OPT_KEY_TYPE,
	OPT_OUT,
	OPT_KEY_OUT,
	OPT_CSR,
	OPT_PUBLIC_KEY,
	OPT_WITHIN,
	OPT_OCSP_URL,
	OPT_CRL_URL,
	OPT_CA_KEY,
	OPT_PIN_FILE,
	OPT_PARENT,
	OPT_RATE,
	OPT_WINDOW,
	OPT_EXPIRES,
	OPT_CANARY,
	OPT_WAIT,
	OPT_OUTCOME,
	OPT_OPEN,
	OPT__COUNT
};
/* A set of options. There are more than a plain integer has bits; both compilers have this one. */
__extension__ typedef unsigned __int128 opt_set;
_Static_assert(OPT__COUNT <= 128, "each option is a bit of a set");
#define OPT_BIT(id) ((opt_set)1 << (id))

enum opt_kind {
	OPT_FLAG,     /* takes no value */
	OPT_TEXT,     /* printable, not empty */
	OPT_NUMBER,   /* min..max */
	OPT_DURATION, /* seconds; "30s", "5m" */
	OPT_CHOICE,   /* one of words */
	OPT_FILES, /* text, many times, and takes the words behind it when the command takes none */
	OPT_MANY   /* text, many times */
};

struct opt {
	const char *name; /* without "--" */
	char letter;      /* 0: none */
	enum opt_kind kind;
	const char *value; /* as printed: "FILE"; NULL for a flag */
	const char *help;
	uint64_t min, max;
	const char *const *words; /* CHOICE; ends with NULL */
};

struct cli;
struct cmd {
	const char *words; /* "device add" */
	const char *args;  /* as printed: "ENDPOINT"; "" */
	const char *help;  /* one line */
	unsigned min, max; /* how many arguments */
	opt_set options;   /* bits, besides the global ones */
	opt_set required;  /* of them */
	/* e is filled when the end is not EXIT_DONE and nothing was said yet. */
	enum prov_exit (*run)(struct cli *cli, struct err *e);
};

#define CMD_ANY 10000 /* no bound of ours on the number of arguments but this */

const struct cmd *cmd_at(size_t i);       /* NULL past the end */
const struct opt *opt_at(enum opt_id id); /* by id */
/* The command that these words begin with, and how many of them are its name; NULL. */
const struct cmd *cmd_find(const char *const *words, size_t n, size_t *used);
/* "device": the first word of several commands. */
bool cmd_is_noun(const char *word);
/* ERR_USAGE with the nearest name: there is no such command. */
enum err_code cmd_unknown(const char *const *words, size_t n, struct err *e);

/* "lwm2m-prov device add ENDPOINT --profile P [--label K=V]...", appended. */
void cmd_usage(const struct cmd *c, struct gbuf *out);
/* The text of --help: of all (c NULL, group NULL), of the commands of one noun, of one command. */
void cmd_help(const struct cmd *c, const char *group, struct gbuf *out);
/* What may stand where the last of these words is; one a line. */
void cmd_complete(const char *const *words, size_t n, struct gbuf *out);

enum prov_exit cmd_check(struct cli *cli, struct err *e);
enum prov_exit cmd_fmt(struct cli *cli, struct err *e);
enum prov_exit cmd_explain(struct cli *cli, struct err *e);
enum prov_exit cmd_diff(struct cli *cli, struct err *e);
enum prov_exit cmd_apply(struct cli *cli, struct err *e);
enum prov_exit cmd_plan(struct cli *cli, struct err *e);
enum prov_exit cmd_device_add(struct cli *cli, struct err *e);
enum prov_exit cmd_device_list(struct cli *cli, struct err *e);
enum prov_exit cmd_device_show(struct cli *cli, struct err *e);
enum prov_exit held_show(struct cli *cli, struct err *e); /* of device show --inventory */
enum prov_exit cmd_device_history(struct cli *cli, struct err *e);
enum prov_exit cmd_device_diff(struct cli *cli, struct err *e);
enum prov_exit cmd_device_rollback(struct cli *cli, struct err *e);
enum prov_exit cmd_device_handover(struct cli *cli, struct err *e);
enum prov_exit cmd_acl(struct cli *cli, struct err *e);
enum prov_exit cmd_device_card(struct cli *cli, struct err *e);
enum prov_exit cmd_device_rm(struct cli *cli, struct err *e);
enum prov_exit cmd_device_block(struct cli *cli, struct err *e);
enum prov_exit cmd_device_unblock(struct cli *cli, struct err *e);
enum prov_exit cmd_profile_list(struct cli *cli, struct err *e);
enum prov_exit cmd_profile_show(struct cli *cli, struct err *e);
enum prov_exit cmd_profile_resolve(struct cli *cli, struct err *e);
enum prov_exit cmd_profile_history(struct cli *cli, struct err *e);
enum prov_exit cmd_profile_rm(struct cli *cli, struct err *e);
enum prov_exit cmd_session_list(struct cli *cli, struct err *e);
enum prov_exit cmd_session_show(struct cli *cli, struct err *e);
enum prov_exit cmd_session_cancel(struct cli *cli, struct err *e);
enum prov_exit cmd_trigger(struct cli *cli, struct err *e);
enum prov_exit cmd_handoff_list(struct cli *cli, struct err *e);
enum prov_exit cmd_handoff_retry(struct cli *cli, struct err *e);
enum prov_exit cmd_handoff_test(struct cli *cli, struct err *e);
enum prov_exit cmd_job_list(struct cli *cli, struct err *e);
enum prov_exit cmd_job_show(struct cli *cli, struct err *e);
enum prov_exit cmd_job_pause(struct cli *cli, struct err *e);
enum prov_exit cmd_job_resume(struct cli *cli, struct err *e);
enum prov_exit cmd_job_cancel(struct cli *cli, struct err *e);
enum prov_exit cmd_why(struct cli *cli, struct err *e);
enum prov_exit cmd_wait(struct cli *cli, struct err *e);
enum prov_exit cmd_watch(struct cli *cli, struct err *e);
enum prov_exit cmd_pki_verify(struct cli *cli, struct err *e);
enum prov_exit cmd_pki_ocsp(struct cli *cli, struct err *e);
enum prov_exit cmd_pki_show(struct cli *cli, struct err *e);
enum prov_exit cmd_pki_rpk(struct cli *cli, struct err *e);
enum prov_exit cmd_pki_ca_init(struct cli *cli, struct err *e);
enum prov_exit cmd_pki_issue(struct cli *cli, struct err *e);
enum prov_exit cmd_pki_csr_sign(struct cli *cli, struct err *e);
enum prov_exit cmd_pki_revoke(struct cli *cli, struct err *e);
enum prov_exit cmd_pki_crl(struct cli *cli, struct err *e);
enum prov_exit cmd_pki_expiring(struct cli *cli, struct err *e);
enum prov_exit cmd_anchor_add(struct cli *cli, struct err *e);
enum prov_exit cmd_anchor_list(struct cli *cli, struct err *e);
enum prov_exit cmd_anchor_retire(struct cli *cli, struct err *e);
enum prov_exit cmd_status(struct cli *cli, struct err *e);
enum prov_exit cmd_version(struct cli *cli, struct err *e);
enum prov_exit cmd_completion(struct cli *cli, struct err *e);

#endif
