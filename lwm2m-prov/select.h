/*
 * lwm2m-prov/select.h: the devices that --match, --profile and --anchor choose.
 */
#ifndef LWM2M_PROV_SELECT_H
#define LWM2M_PROV_SELECT_H

#include "lwm2m-prov/cli.h"

struct json_t;

/*
 * Asks the daemon for the devices that fit all of these options; without any: all devices, at most
 * limit of them (0: no limit). *doc is the caller's, its "devices" the list; NULL after an error.
 * anchor gets the whole SHA-256 of the --anchor that is given. Errors of anchor_resolve() and of
 * remote_list().
 */
enum err_code select_devices(struct cli *cli, uint64_t limit, struct gbuf *anchor, struct json_t **doc, struct err *e);

#endif
