/*
 * bsserver/conf/options.h: the table of settings, shared by reading and by writing the template.
 */
#ifndef BSSERVER_CONF_OPTIONS_H
#define BSSERVER_CONF_OPTIONS_H

#include "bsserver/conf/conf.h"

enum conf_kind {
	CONF_STRING,
	CONF_PATH,
	CONF_PATH_OR_NONE, /* may be empty */
	CONF_KEY,	   /* the same, or a pkcs11: URL */
	CONF_STORE_URI,
	CONF_INTEGER,
	CONF_BOOLEAN
};

struct conf_option {
	const char *name; /* "store.uri" */
	enum conf_kind kind;
	size_t at;	  /* of the member in struct conf */
	int64_t min, max; /* CONF_INTEGER */
	const char *value; /* the default, as the file spells it */
	const char *help;
};

extern const struct conf_option conf_options[];
extern const size_t conf_n_options;
extern const char *const conf_lists[]; /* names of settings that are lists */
extern const size_t conf_n_lists;

#endif
