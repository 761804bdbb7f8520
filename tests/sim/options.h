/* tests/sim/options.h: the command line of lwm2m-device. */
#ifndef TESTS_SIM_OPTIONS_H
#define TESTS_SIM_OPTIONS_H

#include "tests/sim/fleet.h"

struct options {
	struct fleet_config fleet;
	struct lwm2m_model *model; /* NULL: the built-in one */
	struct lwm2m_tree initial;
	struct dtls_policy *policy;
	struct dtls_policy *after_policy;
	uint32_t register_ssid;
	struct keys *keys;
	const char *server, *state, *cipher, *object_dir;
	const char *key_file, *keys_file, *master_file;
	const char *cert_file, *rpk_file, *private_file;
	const char *account_uri; /* of the bootstrap account in the factory tree */
	uint16_t account;
	bool help, list, print_keys, fixed_seed;
	bool no_linger;
};

/* ERR_USAGE and others name the option. What is not freed by options_clear() is argv's. */
enum err_code options_parse(struct options *o, int argc, char **argv, struct err *e);
void options_clear(struct options *o);
void options_help(void);
/* Quirks, lies and clients that are known, with what they do. */
void options_list(void);

#endif
