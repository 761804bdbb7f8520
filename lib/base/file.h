/*
 * lib/base/file.h: a file written whole or not at all.
 */
#ifndef LIB_BASE_FILE_H
#define LIB_BASE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/err.h"

/*
 * Written beside its place, synced, and put there under its name; the folder is synced too. A crash
 * leaves the old one or the new one. Without replace a file that is there is ERR_EXISTS, and stays.
 */
enum err_code file_put(
    const char *path, const void *data, size_t n, mode_t mode, bool replace, struct err *e);

#endif
