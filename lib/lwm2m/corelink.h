/*
 * lib/lwm2m/corelink.h: CoRE link format (RFC 6690) as Bootstrap-Discover answers use it.
 */
#ifndef LIB_LWM2M_CORELINK_H
#define LIB_LWM2M_CORELINK_H

#include "lib/base/buf.h"
#include "lib/lwm2m/path.h"

#define LWM2M_LINKS_MAX 1024 /* links in one answer; more is ERR_LIMIT */

struct lwm2m_link_entry {
	struct lwm2m_path path; /* depth 1 to 3; the root link is not an entry: see version */
	uint16_t ssid;		/* 0: absent */
	char *uri;		/* unescaped; NULL: absent; owned */
	char *ver;		/* "1.1"; NULL: absent; owned */
};

struct lwm2m_links {
	struct lwm2m_link_entry *v; /* in the order of the answer */
	size_t n, cap;
	char version[8]; /* of the enabler: "1.1"; "" when the answer did not say */
};

/*
 * Takes every form that is seen: no version element, lwm2m="1.0" or lwm2m=1.1 bare, </>;lwm2m=1.1,
 * quoted or not; blanks behind commas, a slash behind the path, unknown attributes, attributes
 * without value, commas and semicolons inside quotes. Refuses ids above 65534, a link twice, ssid
 * outside 1..65534, and anything that is not RFC 6690. *out must be empty, filled only on ERR_OK.
 */
enum err_code lwm2m_links_parse(const char *s, size_t n, struct lwm2m_links *out, struct err *e);
/* As a 1.1 client writes it, appended. */
enum err_code lwm2m_links_write(const struct lwm2m_links *l, struct gbuf *out, struct err *e);
/*
 * Takes over nothing; uri and ver are copied, must be printable and may be NULL. ERR_INVALID when p
 * is there already, ERR_RANGE for an ssid above 65534 (0: none), ERR_LIMIT past LWM2M_LINKS_MAX.
 */
enum err_code lwm2m_links_add(struct lwm2m_links *l, struct lwm2m_path p, uint16_t ssid,
    const char *uri, const char *ver, struct err *e);
void lwm2m_links_clear(struct lwm2m_links *l); /* safe twice, and on {0} */
/* The entry for exactly p, or NULL. */
const struct lwm2m_link_entry *lwm2m_links_find(const struct lwm2m_links *l, struct lwm2m_path p);

#endif
