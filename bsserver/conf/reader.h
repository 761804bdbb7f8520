/* bsserver/conf/reader.h: reading settings; inside this folder only. */
#ifndef BSSERVER_CONF_READER_H
#define BSSERVER_CONF_READER_H

#include <libconfig.h>

#include "bsserver/conf/conf.h"

/* What is being read, for messages. */
struct reader {
	const char *file;
	char *dir; /* with the slash at its end; "" when the name has none */
	config_t cfg;
	struct conf *c;
	struct err *e;
};

/* "file:line: name: why". */
enum err_code conf_wrong(
    struct reader *r, const config_setting_t *s, const char *name, const char *why);
enum err_code conf_keep(struct reader *r, char **to, const char *text);
/* A path that is not absolute is one beside the configuration file. */
enum err_code conf_keep_path(struct reader *r, char **to, const char *prefix, const char *path);
/* Nothing but these members. */
enum err_code conf_check_members(struct reader *r, const config_setting_t *s, const char *list,
    const char *const *names, size_t n);
/* Left as it is when there is no such member. */
enum err_code conf_keep_flag(
    struct reader *r, const config_setting_t *s, const char *name, bool *to);

/* One of trust. */
enum err_code conf_read_trust(struct reader *r, const config_setting_t *s);
/* "1d", or a number of seconds, 0 to max; left as it is when there is no such member. */
enum err_code conf_keep_time(
    struct reader *r, const config_setting_t *s, const char *name, int64_t max, int64_t *to);

/* One of lwm2m_servers. */
enum err_code conf_read_server(struct reader *r, const config_setting_t *s);
void conf_server_clear(struct conf_server *s);
void conf_trust_clear(struct conf_trust *t);

#endif
