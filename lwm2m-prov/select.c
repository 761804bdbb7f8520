#include "lwm2m-prov/select.h"

#include <jansson.h>

#include "lwm2m-prov/anchor.h"
#include "lwm2m-prov/remote.h"

enum err_code
select_devices(struct cli *cli, uint64_t limit, struct gbuf *anchor, json_t **doc, struct err *e)
{
	struct gbuf path = { .max = 65536 };
	enum err_code rc = ERR_OK;

	*doc = NULL;
	gbuf_str(&path, "/v1/devices");
	if (cli_has(cli, OPT_ANCHOR))
		rc = anchor_resolve(cli, cli_text(cli, OPT_ANCHOR), anchor, e);
	if (rc == ERR_OK && anchor->len > 0)
		client_path_query(&path, "anchor", gbuf_cstr(anchor));
	if (cli_has(cli, OPT_MATCH))
		client_path_query(&path, "glob", cli_text(cli, OPT_MATCH));
	if (cli_has(cli, OPT_PROFILE))
		client_path_query(&path, "profile", cli_text(cli, OPT_PROFILE));
	if (rc == ERR_OK)
		rc = remote_list(cli, gbuf_cstr(&path), "devices", limit, doc, e);
	gbuf_clear(&path);
	return rc;
}
