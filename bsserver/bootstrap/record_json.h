/* bsserver/bootstrap/record_json.h: text as a JSON string, for what is written on the hot path. */
#ifndef BSSERVER_BOOTSTRAP_RECORD_JSON_H
#define BSSERVER_BOOTSTRAP_RECORD_JSON_H

#include "lib/base/buf.h"

/* With its quotes, appended; what is not UTF-8 becomes U+FFFD. */
void bs_json_string(struct gbuf *out, const char *s);

#endif
