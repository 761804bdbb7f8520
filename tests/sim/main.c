/* lwm2m-device: simulated LwM2M devices over UDP or DTLS; --help says what it can. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "lib/base/enc.h"
#include "tests/sim/options.h"

enum { EXIT_NOT_AS_EXPECTED = 1, EXIT_USAGE = 2, EXIT_TROUBLE = 3 };

static volatile bool interrupted;

static void
on_signal(int signo)
{
	(void)signo;
	interrupted = true;
}

static enum err_code
print_key(const struct fleet_config *cfg, const char *endpoint, struct err *e)
{
	struct gbuf identity = { 0 }, hex = { 0 };
	struct secret key = SECRET_NONE;
	fleet_identity(cfg, endpoint, &identity);
	enum err_code rc = keys_get(cfg->keys, gbuf_cstr(&identity), &key, e);
	if (rc == ERR_OK) {
		enc_hex(&hex, key.data, key.len);
		(void)printf("%s %s %s\n", endpoint, gbuf_cstr(&identity), gbuf_cstr(&hex));
	}
	secret_clear(&key);
	gbuf_clear(&hex);
	gbuf_clear(&identity);
	return rc;
}

static enum err_code
print_keys(const struct fleet_config *cfg, struct err *e)
{
	enum err_code rc = ERR_OK;
	if (cfg->endpoint != NULL)
		return print_key(cfg, cfg->endpoint, e);
	for (unsigned i = 0; i < cfg->count && rc == ERR_OK; i++) {
		struct gbuf name = { 0 };
		(void)fleet_name(cfg->pattern, cfg->first + i, &name);
		rc = print_key(cfg, gbuf_cstr(&name), e);
		gbuf_clear(&name);
	}
	return rc;
}

/* Each device towards another address than loopback IPv4 has a socket. */
static void
many_files(void)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return;
	r.rlim_cur = r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r);
}

static int
work(struct options *o, struct err *e)
{
	bool as_expected = true;
	enum err_code rc = ERR_OK;
	if (o->help)
		options_help();
	else if (o->list)
		options_list();
	else if (o->print_keys && o->fleet.keys == NULL)
		rc = err_set(e, ERR_USAGE, "--print-keys: there are no pre-shared keys");
	else if (o->print_keys)
		rc = print_keys(&o->fleet, e);
	else
		rc = fleet_run(&o->fleet, &as_expected, e);
	if (rc != ERR_OK) {
		(void)fprintf(stderr, "lwm2m-device: %s\n", e->msg);
		return EXIT_TROUBLE;
	}
	return as_expected ? EXIT_SUCCESS : EXIT_NOT_AS_EXPECTED;
}

int
main(int argc, char **argv)
{
	struct options o;
	struct err e = { ERR_OK, "" };
	struct sigaction act = { .sa_handler = on_signal };
	(void)sigaction(SIGINT, &act, NULL);
	(void)sigaction(SIGTERM, &act, NULL);
	many_files();
	int status = EXIT_USAGE;
	if (options_parse(&o, argc, argv, &e) != ERR_OK) {
		(void)fprintf(stderr, "lwm2m-device: %s\n", e.msg);
	} else {
		o.fleet.stop = &interrupted;
		status = work(&o, &e);
	}
	options_clear(&o);
	return status;
}
