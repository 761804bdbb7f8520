#include "lwm2m-prov/cmd.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/str.h"
#include "lwm2m-prov/select.h"

static const char *const verdicts[] = { "provisioned", "written", "failed", "refused", "cancelled",
	NULL };
static const char *const groups[] = { "reason", "profile", NULL };
static const char *const purposes[] = { "client", "server", NULL };
static const char *const key_types[] = { "p256", "p384", "ed25519", NULL };
static const char *const outcomes[] = { "pending", "asleep", "asked", "triggered", "bootstrapped", "refused", "expired", "unknown", "timed_out", "cancelled", NULL };
static const char *const goals[] = { "provisioned", "written", "registered", "blocked", NULL };

/* clang-format off */
static const struct opt opts[OPT__COUNT] = {
	[OPT_SOCKET]   = { "socket", 0, OPT_TEXT, "PATH", "where the daemon listens; else $LWM2M_PROV_SOCKET, else /run/bsserver/api.sock", 0, 0, NULL },
	[OPT_JSON]     = { "json", 0, OPT_FLAG, NULL, "print JSON; streams as one document a line", 0, 0, NULL },
	[OPT_TIMEOUT]  = { "timeout", 0, OPT_DURATION, "TIME", "how long one answer of the daemon may take (30s); of wait, the whole (10m)", 1, 2592000, NULL },
	[OPT_REASON]   = { "reason", 0, OPT_TEXT, "TEXT", "why, for the audit trail", 0, 0, NULL },
	[OPT_YES]      = { "yes", 0, OPT_FLAG, NULL, "go on where more than 100 existing devices are touched", 0, 0, NULL },
	[OPT_HELP]     = { "help", 'h', OPT_FLAG, NULL, "print what the command does and takes", 0, 0, NULL },
	[OPT_VERSION]  = { "version", 0, OPT_FLAG, NULL, "print the version", 0, 0, NULL },

	[OPT_FILE]     = { "file", 'f', OPT_FILES, "FILE", "profile files: JSON, or NDJSON with one document a line; a folder's *.json and *.ndjson; - is standard input", 0, 0, NULL },
	[OPT_INCLUDE]  = { "include", 'I', OPT_MANY, "DIR", "a folder with profiles that these documents extend", 0, 0, NULL },
	[OPT_ROOT]     = { "root", 0, OPT_TEXT, "DIR", "the folder that every key file must lie below; else the document's own", 0, 0, NULL },
	[OPT_OBJECT_DIR] = { "object-dir", 0, OPT_MANY, "DIR", "a folder with OMA object definitions (*.xml)", 0, 0, NULL },
	[OPT_STRICT]   = { "strict", 0, OPT_FLAG, NULL, "a warning counts as an error", 0, 0, NULL },
	[OPT_CHECK]    = { "check", 0, OPT_FLAG, NULL, "change nothing; fail when a file is not in its canonical form", 0, 0, NULL },
	[OPT_DRY_RUN]  = { "dry-run", 0, OPT_FLAG, NULL, "say what would be done, change nothing, make no keys", 0, 0, NULL },
	[OPT_EXPECT_REVISION] = { "expect-revision", 0, OPT_NUMBER, "N", "only when the stored revision is still N", 1, UINT64_MAX, NULL },
	[OPT_MAX_AFFECTED] = { "max-affected", 0, OPT_NUMBER, "N", "go on when at most N existing devices are touched", 0, UINT32_MAX, NULL },
	[OPT_RESULT]   = { "result", 0, OPT_TEXT, "FILE", "write one row of NDJSON for each document; run again, what it acknowledges is skipped", 0, 0, NULL },
	[OPT_EXIT_CODE] = { "exit-code", 0, OPT_FLAG, NULL, "end with 9 when there are differences", 0, 0, NULL },
	[OPT_PROFILE]  = { "profile", 0, OPT_TEXT, "NAME", "the profile that the device extends; of devices that are chosen, in its own document; of handover, the one with the other bootstrap server", 0, 0, NULL },
	[OPT_IDENTITY] = { "identity", 0, OPT_TEXT, "TEXT", "the PSK identity that the device knocks with; else its endpoint name", 0, 0, NULL },
	[OPT_KEY_FILE] = { "key-file", 0, OPT_TEXT, "FILE", "its pre-shared key: hex, base64, PEM or raw octets", 0, 0, NULL },
	[OPT_KEY_STDIN] = { "key-stdin", 0, OPT_FLAG, NULL, "its pre-shared key is read from standard input", 0, 0, NULL },
	[OPT_GENERATE_KEY] = { "generate-key", 0, OPT_FLAG, NULL, "the daemon makes its pre-shared key: 16 random octets", 0, 0, NULL },
	[OPT_LABEL]    = { "label", 0, OPT_MANY, "NAME=VALUE", "a label of the device", 0, 0, NULL },
	[OPT_URI]      = { "uri", 0, OPT_TEXT, "URI", "the bootstrap server's URI as devices reach it; else what the daemon listens on", 0, 0, NULL },
	[OPT_MATCH]    = { "match", 0, OPT_TEXT, "GLOB", "only names that fit: * any run of characters, ? any one", 0, 0, NULL },
	[OPT_WHERE]    = { "where", 0, OPT_MANY, "KEY=VALUE", "only devices with this label, their own or inherited; or state, verdict, reason or provisioned of the list; all that are given", 0, 0, NULL },
	[OPT_REVISION_OLDER] = { "revision-older-than", 0, OPT_NUMBER, "N", "only devices that no session has provisioned with revision N or a newer one", 1, INT64_MAX, NULL },
	[OPT_LIMIT]    = { "limit", 0, OPT_NUMBER, "N", "at most N rows", 1, UINT32_MAX, NULL },
	[OPT_VERDICT]  = { "verdict", 0, OPT_CHOICE, "VERDICT", "only sessions that ended so", 0, 0, verdicts },
	[OPT_SINCE]    = { "since", 0, OPT_DURATION, "TIME", "only the last TIME: 30m, 2d", 1, 315360000, NULL },
	[OPT_GROUP_BY] = { "group-by", 0, OPT_CHOICE, "reason|profile", "count them by this", 0, 0, groups },
	[OPT_LAST]     = { "last", 0, OPT_FLAG, NULL, "the argument is an endpoint: show its newest session", 0, 0, NULL },
	[OPT_PEER]     = { "peer", 0, OPT_TEXT, "ADDRESS", "an address, with or without port, instead of an endpoint", 0, 0, NULL },
	[OPT_FOR]      = { "for", 0, OPT_CHOICE, "provisioned|written|registered|blocked", "what to wait for", 0, 0, goals },
	[OPT_FAIL_FAST] = { "fail-fast", 0, OPT_FLAG, NULL, "stop at the first session that fails", 0, 0, NULL },
	[OPT_FORCE]    = { "force", 0, OPT_FLAG, NULL, "even while devices extend it or need it; replace files that are there", 0, 0, NULL },
	[OPT_CA]       = { "ca", 0, OPT_MANY, "FILE", "certificates that are trusted, in PEM or DER", 0, 0, NULL },
	[OPT_CHAIN]    = { "chain", 0, OPT_TEXT, "FILE", "the certificate in question first, then those between it and a CA", 0, 0, NULL },
	[OPT_AT]       = { "at", 0, OPT_TEXT, "TIME", "as if it were then, 2026-01-31T12:00:00Z; else now", 0, 0, NULL },
	[OPT_PURPOSE]  = { "purpose", 0, OPT_CHOICE, "client|server", "whose certificate it is to be", 0, 0, purposes },
	[OPT_NAME]     = { "name", 0, OPT_TEXT, "KIND:NAME", "who it is to be: dns:, ip:, email:, uri: or cn: and a name", 0, 0, NULL },
	[OPT_CRL]      = { "crl", 0, OPT_MANY, "FILE", "certificate revocation lists of the CAs in the chain", 0, 0, NULL },
	[OPT_MAX_DEPTH] = { "max-depth", 0, OPT_NUMBER, "N", "at most N CAs between the certificate and the trusted one (5)", 0, 255, NULL },
	[OPT_RELAXED]  = { "relaxed", 0, OPT_FLAG, NULL, "tolerate a CA that leaves out key identifiers or CRL numbers, or breaks the form of serial numbers and names", 0, 0, NULL },
	[OPT_RESPONSE] = { "response", 0, OPT_TEXT, "FILE", "an OCSP response in DER; nobody is asked", 0, 0, NULL },
	[OPT_CERT]     = { "cert", 0, OPT_TEXT, "FILE", "the certificate in question", 0, 0, NULL },
	[OPT_ISSUER]   = { "issuer", 0, OPT_TEXT, "FILE", "the certificate of the CA that issued it; it is trusted", 0, 0, NULL },
	[OPT_URL]      = { "url", 0, OPT_TEXT, "URL", "ask this responder; else those that the certificate names", 0, 0, NULL },
	[OPT_ALLOW_SHA1] = { "allow-sha1", 0, OPT_FLAG, NULL, "signatures with SHA-1 count too", 0, 0, NULL },
	[OPT_MAX_AGE]  = { "max-age", 0, OPT_TEXT, "TIME|none", "an older answer does not count (7d; 1d when it names no next update); none: nor is a signer too long-lived", 0, 0, NULL },
	[OPT_VERDICT_EXIT] = { "verdict-exit", 0, OPT_FLAG, NULL, "end with 0 good, 1 revoked, 2 unusable or unknown, 64 wrong usage", 0, 0, NULL },
	[OPT_INVENTORY] = { "inventory", 0, OPT_FLAG, NULL, "what the device was last seen to hold", 0, 0, NULL },
	[OPT_INVENTORY_FILE] = { "inventory", 0, OPT_TEXT, "FILE", "what the device holds, as device show --inventory --json prints it", 0, 0, NULL },
	[OPT_FRESH]    = { "fresh", 0, OPT_FLAG, NULL, "as if the device held nothing but its bootstrap account", 0, 0, NULL },
	[OPT_SESSION]  = { "session", 0, OPT_NUMBER, "N", "what this session left, instead of what was seen last", 1, INT64_MAX, NULL },
	[OPT_FROM]     = { "from", 0, OPT_NUMBER, "SESSION", "the earlier one; else what was before the newest", 1, INT64_MAX, NULL },
	[OPT_TO]       = { "to", 0, OPT_NUMBER, "SESSION", "the later one, else the newest; of rollback, what to restore, else what was before the newest", 1, INT64_MAX, NULL },
	[OPT_WITH_CREDENTIALS] = { "with-credentials", 0, OPT_FLAG, NULL, "the keys of then as well; refused when one was replaced or removed since, or a certificate was revoked", 0, 0, NULL },
	[OPT_TELL]     = { "tell", 0, OPT_FLAG, NULL, "tell the daemon: what was issued, which it keeps in its index; what is revoked, which it hands out no more", 0, 0, NULL },
	[OPT_TRUST]    = { "trust", 0, OPT_TEXT, "NAME", "the trust of the daemon's configuration that it is to be in", 0, 0, NULL },
	[OPT_ANCHOR]   = { "anchor", 0, OPT_TEXT, "ANCHOR", "only devices that came under this trust anchor or were given it: its SHA-256 or the beginning of it, or its file", 0, 0, NULL },
	[OPT_CANCEL]   = { "cancel", 0, OPT_FLAG, NULL, "take back what was asked for", 0, 0, NULL },
	[OPT_SUBJECT]  = { "subject", 0, OPT_TEXT, "DN", "whose certificate it is: CN=dev-1,O=Example", 0, 0, NULL },
	[OPT_DAYS]     = { "days", 0, OPT_NUMBER, "N", "for how long; of a CA 3650, of others 365, of a CRL 7; never longer than its CA", 1, 36500, NULL },
	[OPT_KEY_TYPE] = { "key-type", 0, OPT_CHOICE, "p256|p384|ed25519", "what kind of key to make (p256)", 0, 0, key_types },
	[OPT_OUT]      = { "out", 0, OPT_TEXT, "FILE", "where to write it, PEM, mode 0600; a file that is there stays", 0, 0, NULL },
	[OPT_KEY_OUT]  = { "key-out", 0, OPT_TEXT, "FILE", "make a key here, and write it there: PKCS #8 in PEM, mode 0600", 0, 0, NULL },
	[OPT_CSR]      = { "csr", 0, OPT_TEXT, "FILE", "for the key in this certificate request", 0, 0, NULL },
	[OPT_PUBLIC_KEY] = { "public-key", 0, OPT_TEXT, "FILE", "for this public key", 0, 0, NULL },
	[OPT_WITHIN]   = { "within", 0, OPT_DURATION, "TIME", "that end within TIME (30d)", 1, 3153600000, NULL },
	[OPT_OCSP_URL] = { "ocsp-url", 0, OPT_TEXT, "URL", "where its status can be asked", 0, 0, NULL },
	[OPT_CRL_URL]  = { "crl-url", 0, OPT_TEXT, "URL", "where the CA's revocation list is", 0, 0, NULL },
	[OPT_CA_KEY]   = { "ca-key", 0, OPT_TEXT, "FILE|URL", "the CA's key: a file, or pkcs11:... in a token; else one is made", 0, 0, NULL },
	[OPT_PIN_FILE] = { "pin-file", 0, OPT_TEXT, "FILE", "the token's PIN is in its first line", 0, 0, NULL },
	[OPT_PARENT]   = { "parent", 0, OPT_TEXT, "DIR", "the CA that issues this one; else it signs itself", 0, 0, NULL },
	[OPT_RATE]     = { "rate", 0, OPT_TEXT, "N/s", "so many devices a second (10/s), a minute (30/m), an hour (600/h)", 0, 0, NULL },
	[OPT_WINDOW]   = { "window", 0, OPT_TEXT, "HH:MM-HH:MM", "only at these times of the day, of the daemon's machine", 0, 0, NULL },
	[OPT_EXPIRES]  = { "expires", 0, OPT_DURATION, "TIME", "who could not be asked within TIME is not asked: 7d", 1, 315360000, NULL },
	[OPT_CANARY]   = { "canary", 0, OPT_TEXT, "N|N%", "so many first; the others when these are bootstrapped and registered again", 0, 0, NULL },
	[OPT_WAIT]     = { "wait", 0, OPT_FLAG, NULL, "until the job is over, then say what came of each device", 0, 0, NULL },
	[OPT_OPEN]     = { "open", 0, OPT_FLAG, NULL, "only where something is still to be done", 0, 0, NULL },
	[OPT_OUTCOME]  = { "outcome", 0, OPT_CHOICE, "OUTCOME", "only devices of which this came", 0, 0, outcomes },
};

#define B(id) OPT_BIT(OPT_##id)
#define SELECTOR SELECT_OPTIONS
#define DOCUMENTS (B(FILE) | B(INCLUDE) | B(ROOT))

static const struct cmd cmds[] = {
	{ "check", "", "find everything that is wrong with profile files, without a daemon", 0, 0, DOCUMENTS | B(STRICT) | B(OBJECT_DIR), B(FILE), cmd_check },
	{ "fmt", "", "write profile files in their canonical form", 0, 0, B(FILE) | B(CHECK), B(FILE), cmd_fmt },
	{ "explain", "[KEY|FINDING|REASON]", "say what a key, a finding or a reason means and what to do", 0, 1, 0, 0, cmd_explain },
	{ "diff", "", "show what apply would change", 0, 0, DOCUMENTS | B(EXIT_CODE), B(FILE), cmd_diff },
	{ "apply", "", "store devices and profiles from files", 0, 0, DOCUMENTS | B(DRY_RUN) | B(EXPECT_REVISION) | B(MAX_AFFECTED) | B(RESULT), B(FILE), cmd_apply },
	{ "plan", "[ENDPOINT]", "show what the device has, what it is to have, and what a session would do", 0, 1, DOCUMENTS | B(INVENTORY_FILE) | B(FRESH), 0, cmd_plan },
	{ "device add", "ENDPOINT", "register one device", 1, 1, B(PROFILE) | B(IDENTITY) | B(KEY_FILE) | B(KEY_STDIN) | B(GENERATE_KEY) | B(LABEL) | B(DRY_RUN), B(PROFILE), cmd_device_add },
	{ "device list", "", "list devices with how their last session ended", 0, 0, SELECTOR | B(LIMIT), 0, cmd_device_list },
	{ "device show", "ENDPOINT", "show a device's document, state and last session, or what it holds", 1, 1, B(INVENTORY) | B(SESSION), 0, cmd_device_show },
	{ "device card", "ENDPOINT", "print what a label or the factory line needs; never the key", 1, 1, B(URI), 0, cmd_device_card },
	{ "device history", "ENDPOINT", "list what a device's sessions left on it", 1, 1, 0, 0, cmd_device_history },
	{ "device diff", "ENDPOINT", "show what changed on a device between two sessions", 1, 1, B(FROM) | B(TO) | B(EXIT_CODE), 0, cmd_device_diff },
	{ "device rollback", "ENDPOINT", "let a device's next session restore what an earlier one left", 1, 1, B(TO) | B(WITH_CREDENTIALS) | B(CANCEL), 0, cmd_device_rollback },
	{ "device handover", "ENDPOINT", "let a device's next session give it another bootstrap server", 1, 1, B(PROFILE) | B(CANCEL), 0, cmd_device_handover },
	{ "device rm", "[ENDPOINT...]", "remove devices", 0, CMD_ANY, SELECTOR | B(MAX_AFFECTED), 0, cmd_device_rm },
	{ "device block", "[ENDPOINT...]", "refuse devices from now on", 0, CMD_ANY, SELECTOR | B(MAX_AFFECTED), 0, cmd_device_block },
	{ "device unblock", "[ENDPOINT...]", "let blocked devices in again", 0, CMD_ANY, SELECTOR | B(MAX_AFFECTED), 0, cmd_device_unblock },
	{ "profile list", "", "list shared profiles", 0, 0, 0, 0, cmd_profile_list },
	{ "profile show", "NAME", "show a shared profile", 1, 1, 0, 0, cmd_profile_show },
	{ "profile resolve", "ENDPOINT", "show a device's document with all that it extends", 1, 1, 0, 0, cmd_profile_resolve },
	{ "profile history", "NAME", "list the revisions of a shared profile", 1, 1, 0, 0, cmd_profile_history },
	{ "profile rm", "NAME", "remove a shared profile", 1, 1, B(MAX_AFFECTED) | B(FORCE), 0, cmd_profile_rm },
	{ "session list", "[ENDPOINT]", "list sessions, newest first", 0, 1, B(VERDICT) | B(SINCE) | B(GROUP_BY) | B(LIMIT), 0, cmd_session_list },
	{ "session show", "ID|ENDPOINT", "show a session with its transcript", 1, 1, B(LAST), 0, cmd_session_show },
	{ "session cancel", "ENDPOINT", "end the running session of a device", 1, 1, 0, 0, cmd_session_cancel },
	{ "acl", "ENDPOINT", "list who may do what with which Object Instance of a device", 1, 1, B(SESSION), 0, cmd_acl },
	{ "why", "[ENDPOINT]", "say why a device was refused or failed, and what to do", 0, 1, B(PEER), 0, cmd_why },
	{ "trigger", "[ENDPOINT...]", "call devices back: each is asked to bootstrap again", 0, CMD_ANY, SELECTOR | B(RATE) | B(WINDOW) | B(EXPIRES) | B(CANARY) | B(DRY_RUN) | B(MAX_AFFECTED) | B(WAIT), 0, cmd_trigger },
	{ "job list", "", "list jobs that call devices back, newest first", 0, 0, 0, 0, cmd_job_list },
	{ "job show", "JOB", "show a job with what came of each device", 1, 1, B(OUTCOME) | B(LIMIT), 0, cmd_job_show },
	{ "job pause", "JOB", "ask no more devices until the job is resumed", 1, 1, 0, 0, cmd_job_pause },
	{ "job resume", "JOB", "let a paused job go on", 1, 1, 0, 0, cmd_job_resume },
	{ "job cancel", "JOB", "end a job; who was not asked yet is not", 1, 1, 0, 0, cmd_job_cancel },
	{ "handoff list", "[ENDPOINT]", "list what LwM2M Servers were told of devices' credentials", 0, 1, B(OPEN) | B(LIMIT), 0, cmd_handoff_list },
	{ "handoff retry", "[ENDPOINT]", "try again now what waits for its next attempt; without a name of all devices", 0, 1, 0, 0, cmd_handoff_retry },
	{ "handoff test", "[SERVER...]", "say whether LwM2M Servers answer and take our token; without a name all", 0, CMD_ANY, 0, 0, cmd_handoff_test },
	{ "wait", "[ENDPOINT...]", "wait until the current revision of devices has reached them", 0, CMD_ANY, SELECTOR | B(FOR) | B(FAIL_FAST), B(FOR), cmd_wait },
	{ "watch", "", "print sessions and changes as they happen", 0, 0, SELECTOR, 0, cmd_watch },
	{ "pki verify", "", "say whether a chain of certificates is good, without a daemon", 0, 0, B(CA) | B(CHAIN) | B(AT) | B(PURPOSE) | B(NAME) | B(CRL) | B(MAX_DEPTH) | B(RELAXED), B(CA) | B(CHAIN) | B(PURPOSE), cmd_pki_verify },
	{ "pki ocsp", "", "say whether a certificate is revoked: ask its responder, or judge a response", 0, 0, B(RESPONSE) | B(CERT) | B(ISSUER) | B(URL) | B(AT) | B(ALLOW_SHA1) | B(MAX_AGE) | B(VERDICT_EXIT), B(CERT) | B(ISSUER), cmd_pki_ocsp },
	{ "pki show", "FILE", "show certificates, requests, CRLs and keys; never a secret", 1, 1, 0, 0, cmd_pki_show },
	{ "pki rpk", "FILE", "show the public key of a certificate, request or key, as devices are given it", 1, 1, 0, 0, cmd_pki_rpk },
	{ "pki ca init", "DIR", "make a CA in a folder: key, certificate, list of what it issued", 1, 1, B(SUBJECT) | B(DAYS) | B(KEY_TYPE) | B(CA_KEY) | B(PIN_FILE) | B(PARENT) | B(FORCE), B(SUBJECT), cmd_pki_ca_init },
	{ "pki issue", "DIR", "issue a certificate for a key made here, a request or a public key", 1, 1, B(SUBJECT) | B(PURPOSE) | B(NAME) | B(DAYS) | B(KEY_TYPE) | B(OUT) | B(KEY_OUT) | B(CSR) | B(PUBLIC_KEY) | B(OCSP_URL) | B(CRL_URL) | B(PIN_FILE) | B(FORCE) | B(TELL), B(SUBJECT) | B(PURPOSE) | B(OUT), cmd_pki_issue },
	{ "pki csr sign", "DIR CSR", "issue a certificate for a request, under its own subject or another", 2, 2, B(SUBJECT) | B(PURPOSE) | B(NAME) | B(DAYS) | B(OUT) | B(OCSP_URL) | B(CRL_URL) | B(PIN_FILE) | B(FORCE) | B(TELL), B(PURPOSE) | B(OUT), cmd_pki_csr_sign },
	{ "pki revoke", "DIR SERIAL|FILE", "revoke a certificate that the CA issued", 2, 2, B(TELL), 0, cmd_pki_revoke },
	{ "pki crl", "DIR", "write the CA's revocation list", 1, 1, B(OUT) | B(DAYS) | B(PIN_FILE) | B(FORCE), B(OUT), cmd_pki_crl },
	{ "pki expiring", "[DIR]", "list what the CA issued, or else what devices were given and the daemon was told of, that ends soon", 0, 1, B(WITHIN), 0, cmd_pki_expiring },
	{ "anchor add", "FILE", "trust one more CA from now on", 1, 1, B(TRUST), B(TRUST), cmd_anchor_add },
	{ "anchor list", "", "list trust anchors, with how many devices came under each or were given it", 0, 0, 0, 0, cmd_anchor_list },
	{ "anchor retire", "ANCHOR", "trust a CA no more; refused while devices came under it or hold it", 1, 1, B(FORCE), 0, cmd_anchor_retire },
	{ "pki anchor add", "FILE", "the same as anchor add", 1, 1, B(TRUST), B(TRUST), cmd_anchor_add },
	{ "pki anchor list", "", "the same as anchor list", 0, 0, 0, 0, cmd_anchor_list },
	{ "pki anchor retire", "ANCHOR", "the same as anchor retire", 1, 1, B(FORCE), 0, cmd_anchor_retire },
	{ "status", "", "show how the daemon is doing", 0, 0, 0, 0, cmd_status },
	{ "version", "", "print the versions of this program and of the daemon", 0, 0, 0, 0, cmd_version },
	{ "completion", "[WORD...]", "print the completion script for bash; with words behind --, what may stand in place of the last", 0, CMD_ANY, 0, 0, cmd_completion },
};
/* clang-format on */

const struct cmd *
cmd_at(size_t i)
{
	return i < N_ELEMS(cmds) ? &cmds[i] : NULL;
}

const struct opt *
opt_at(enum opt_id id)
{
	return (unsigned)id < OPT__COUNT ? &opts[id] : NULL;
}

/* Whether these words begin with the blank-separated ones; how many those are. */
static bool
begins_with(const char *name, const char *const *words, size_t n, size_t *used)
{
	for (size_t i = 0;; i++) {
		size_t len = strcspn(name, " ");

		if (i == n || strlen(words[i]) != len || memcmp(words[i], name, len) != 0)
			return false;
		if (name[len] == '\0') {
			*used = i + 1;
			return true;
		}
		name += len + 1;
	}
}

const struct cmd *
cmd_find(const char *const *words, size_t n, size_t *used)
{
	for (size_t i = 0; i < N_ELEMS(cmds); i++)
		if (begins_with(cmds[i].words, words, n, used))
			return &cmds[i];
	return NULL;
}

/* The verbs of a noun, "add, list, ..."; nothing when word is no noun. */
static size_t
verbs_of(const char *noun, struct gbuf *out)
{
	size_t n = strlen(noun), found = 0;

	for (size_t i = 0; i < N_ELEMS(cmds); i++)
		if (strncmp(cmds[i].words, noun, n) == 0 && cmds[i].words[n] == ' ')
			gbuf_printf(out, "%s%s", found++ > 0 ? ", " : "", cmds[i].words + n + 1);
	return found;
}

bool
cmd_is_noun(const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; n > 0 && i < N_ELEMS(cmds); i++)
		if (strncmp(cmds[i].words, word, n) == 0 && cmds[i].words[n] == ' ')
			return true;
	return false;
}

/* The nearest whole name, or the nearest first word of one; NULL. */
static const char *
nearest(const char *typed, const char *first, char buf[64])
{
	const char *names[N_ELEMS(cmds)], *found;
	char nouns[N_ELEMS(cmds)][32];

	for (size_t i = 0; i < N_ELEMS(cmds); i++)
		names[i] = cmds[i].words;
	found = str_nearest(typed, names, N_ELEMS(cmds));
	if (found != NULL)
		return found;
	for (size_t i = 0; i < N_ELEMS(cmds); i++) {
		size_t n = strcspn(cmds[i].words, " ");
		memcpy(nouns[i], cmds[i].words, n);
		nouns[i][n] = '\0';
		names[i] = nouns[i];
	}
	found = cmd_is_noun(first) ? NULL : str_nearest(first, names, N_ELEMS(cmds));
	if (found == NULL)
		return NULL;
	(void)snprintf(buf, 64, "%s", found);
	return buf;
}

enum err_code
cmd_unknown(const char *const *words, size_t n, struct err *e)
{
	struct gbuf verbs = { .max = 1024 }, typed = { .max = 512 };
	char buf[64];

	str_quote(&typed, words[0], MIN(strlen(words[0]), 64));
	if (verbs_of(words[0], &verbs) > 0 && n == 1) {
		err_set(e, ERR_USAGE, "%s: one of %s must follow", words[0], gbuf_cstr(&verbs));
		goto out;
	}
	if (n > 1 && verbs.len > 0) {
		gbuf_str(&typed, " ");
		str_quote(&typed, words[1], MIN(strlen(words[1]), 64));
	}
	const char *near = nearest(gbuf_cstr(&typed), words[0], buf);
	if (near != NULL)
		err_set(e, ERR_USAGE, "unknown command \"%s\": did you mean \"%s\"?",
		    gbuf_cstr(&typed), near);
	else if (verbs.len > 0)
		err_set(e, ERR_USAGE, "unknown command \"%s\": %s takes %s", gbuf_cstr(&typed),
		    words[0], gbuf_cstr(&verbs));
	else
		err_set(e, ERR_USAGE, "unknown command \"%s\": see lwm2m-prov --help",
		    gbuf_cstr(&typed));
out:
	gbuf_clear(&verbs);
	gbuf_clear(&typed);
	return ERR_USAGE;
}
