/*
 * bsserver/conf/conf.h: the configuration file: one table of options, which also prints the
 * commented file that `bsserver init` writes.
 */
#ifndef BSSERVER_CONF_CONF_H
#define BSSERVER_CONF_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"

#define CONF_LISTENERS_MAX 16
#define CONF_RULES_MAX 64
#define CONF_GRANTS_MAX 64
#define CONF_DIRS_MAX 16
#define CONF_TRUST_MAX 32
#define CONF_SERVERS_MAX 32
#define CONF_PROGRAM_MAX 16 /* words of a program and its arguments */
#define CONF_TRUST_LIST_MAX 16 /* hosts, lists of one trust */

struct conf_listener {
	bool secure; /* coaps; false: coap, and the file said security = "none" */
	char *host;  /* IP literal without brackets */
	uint16_t port;
	bool psk, x509, rpk; /* what devices may come with */
};

/* CAs whose certificates devices may knock with, or that servers of devices have. */
struct conf_trust {
	char *name, *file; /* unique; PEM or DER */
	char *purpose; /* "devices", "servers" */
	bool ignore_leaf_expiry;
	/* Revocation: words as in the file, checked; NULL, where nothing else is said: not given */
	char *revocation; /* "hard", "soft", "off" */
	char *no_source;  /* "refuse", "allow" */
	char *ask_about;  /* "chain", "leaf" */
	char *nonce;	  /* "off", "prefer", "require" */
	char *responder_url;
	char *allow_hosts[CONF_TRUST_LIST_MAX], *crl_files[CONF_TRUST_LIST_MAX];
	size_t n_allow_hosts, n_crl_files;
	int64_t stale_grace_s, max_age_s; /* -1: not given */
	bool allow_sha1, any_responder;
};

/* An LwM2M Server that is told of devices' credentials. Texts that are not given are NULL. */
struct conf_server {
	char *name, *driver; /* the name is unique */
	char *url;	     /* no slash at its end; http only to this machine, or where the file says insecure */
	char *ca_file, *token_file;
	char *token_type;	     /* driver thingsboard: "api_key", "bearer" */
	char *login, *password_file; /* drivers thingsboard, coiote: both, and no token_file then */
	char *device_profile;	     /* driver thingsboard */
	char *domain;		     /* driver coiote */
	char *program[CONF_PROGRAM_MAX + 1]; /* driver exec: up to a NULL */
	char *tell, *tell_body, *drop, *drop_body, *forget, *forget_body, *test, *trigger, *trigger_body; /* driver http */
	int64_t timeout_s, grace_s;
	bool several;
};

struct conf_rule { /* words as in the file: auth knows what they mean */
	char *credential, *rule, *identity, *endpoint, *trust; /* the last three NULL when absent */
};

/* Who may do what over the API's socket. Exactly one of user and group. */
struct conf_grant {
	char *user, *group;
	char *permissions; /* blank-separated words of read, enroll, operate, admin, secrets */
};

struct conf {
	struct conf_listener listeners[CONF_LISTENERS_MAX];
	size_t n_listeners;
	struct conf_listener registry_listeners[CONF_LISTENERS_MAX]; /* where devices register */
	size_t n_registry_listeners;
	char *registry_uri; /* what devices are told; "" when there is no registry */
	int64_t registry_max, registry_answer_s, registry_awake_s;
	struct conf_rule rules[CONF_RULES_MAX];
	size_t n_rules;
	struct conf_grant grants[CONF_GRANTS_MAX];
	size_t n_grants;
	struct conf_trust trust[CONF_TRUST_MAX];
	size_t n_trust;
	struct conf_server servers[CONF_SERVERS_MAX];
	size_t n_servers;
	char *certificate_file, *key, *pin_file; /* our own; "" when there is none */
	char *object_dirs[CONF_DIRS_MAX];
	size_t n_object_dirs;
	char *store_uri, *store_key; /* paths resolved against the file's folder */
	int64_t sessions_kept;
	char *api_socket, *api_mode, *api_group;
	char *log_levels, *log_format;
	int64_t loop_look_ms;
	int64_t max_sessions, max_handshakes, max_peers, drain_seconds;
	bool cbc, trust_clock, allow_unknown_issuer;
	char *status_file; /* "": nothing is kept */
	int64_t status_connect_ms, status_request_ms, status_deadline_ms, status_refresh_s, status_fail_s;
};

/*
 * Reads a file. ERR_PARSE and ERR_INVALID: "file:line: setting: reason"; an unknown setting is an
 * error and names the nearest. *out is filled only on ERR_OK; the caller owes conf_clear().
 */
enum err_code conf_load(const char *file, struct conf *out, struct err *e);
/* The same for text; name stands for the file in messages, and its folder for paths. */
enum err_code conf_parse(const char *name, const char *text, struct conf *out, struct err *e);
void conf_clear(struct conf *c); /* safe twice, and on {0} */

/* A complete, commented file with the defaults; the paths in it are relative. Appended. */
void conf_write_template(struct gbuf *out);

/* "coaps://[::1]:5684" -> parts. ERR_INVALID with the reason. Owned strings in *out. */
enum err_code conf_parse_listener(const char *uri, struct conf_listener *out, struct err *e);

#endif
