/*
 * lwm2m-prov/anchor.h: which trust anchor an argument means.
 */
#ifndef LWM2M_PROV_ANCHOR_H
#define LWM2M_PROV_ANCHOR_H

#include "lwm2m-prov/cli.h"

/*
 * arg is a file with one certificate, the SHA-256 of one in hex, or the beginning of it that fits
 * one anchor of the daemon's alone. The whole SHA-256, lower case, is appended. ERR_NOT_FOUND,
 * ERR_INVALID when several fit, or those of the daemon.
 */
enum err_code anchor_resolve(struct cli *cli, const char *arg, struct gbuf *sha256, struct err *e);

#endif
