/*
 * bsserver/init.h: `bsserver init`: a new folder with configuration, sealing key and empty store.
 */
#ifndef BSSERVER_INIT_H
#define BSSERVER_INIT_H

#include "lib/base/err.h"

/*
 * Makes dir (0700) when it is not there, and in it bsserver.conf, store.key and store.db. Nothing
 * that is there is touched: ERR_EXISTS names it.
 */
enum err_code init_dir(const char *dir, struct err *e);

#endif
