/*
 * pki/name.h: distinguished names and general names (RFC 5280 sections 4.1.2.4 and 4.2.1.6).
 */
#ifndef PKI_NAME_H
#define PKI_NAME_H

#include "pki/der.h"

/* The tags of GeneralName. */
enum pki_name_kind {
	PKI_NAME_OTHER = 0, /* value: the content of the OtherName */
	PKI_NAME_EMAIL =
	    1, /* value: the text, as are DNS and URI; printable ASCII, not otherwise checked */
	PKI_NAME_DNS = 2,
	PKI_NAME_X400 = 3,
	PKI_NAME_DIRECTORY =
	    4, /* value: the whole Name, with its SEQUENCE tag, like cert->subject */
	PKI_NAME_EDI = 5,
	PKI_NAME_URI = 6,
	PKI_NAME_IP =
	    7, /* value: 4 or 16 octets in a SAN, 8 or 32 in a constraint; not yet checked */
	PKI_NAME_RID = 8
};

struct pki_name {
	enum pki_name_kind kind;
	struct pki_blob value;
};

struct pki_names {
	struct pki_name *v; /* owned by whoever has the list; what the values point into is not */
	size_t n;
};

#define PKI_NAMES_MAX 1024 /* of one list */

/* One GeneralName. */
bool pki_name_read(struct der *d, struct pki_name *out);
/* The content of GeneralNames: one or more. *out is empty on an error. */
enum err_code pki_names_read(struct der *d, struct pki_names *out, struct err *e);
enum err_code pki_names_add(struct pki_names *ns, struct pki_name name, struct err *e);
void pki_names_clear(struct pki_names *ns);

/* A Name that is well formed: all the functions below ask for one. */
bool pki_dn_valid(struct pki_blob name);
bool pki_dn_empty(struct pki_blob name);

/*
 * The same name by RFC 5280 section 7.1: strings of any character set compare without case (of
 * ASCII) and with runs of blanks as one; all else octet by octet.
 */
bool pki_dn_equal(struct pki_blob a, struct pki_blob b);
/* base is name, or its first parts. */
bool pki_dn_within(struct pki_blob base, struct pki_blob name);

/* "CN=x, O=y": for people, in the order stored; control characters made harmless. */
void pki_dn_text(struct gbuf *out, struct pki_blob name);

/*
 * The value of the one attribute of that type ("2.5.4.3" is CN, as DER) as UTF-8, appended.
 * ERR_NOT_FOUND when there is none, ERR_INVALID when there are several or it is no text.
 */
enum err_code pki_dn_attr(
    struct pki_blob name, struct pki_blob oid, struct gbuf *out, struct err *e);
enum err_code pki_dn_cn(struct pki_blob name, struct gbuf *out, struct err *e);
enum err_code pki_dn_serial_number(struct pki_blob name, struct gbuf *out, struct err *e);
/* emailAddress attributes, appended to the list as PKI_NAME_EMAIL (section 4.1.2.6). */
enum err_code pki_dn_emails(struct pki_blob name, struct pki_names *out, struct err *e);

/* "DNS:x", "URI:y", "IP:10.0.0.1": for people. */
void pki_name_text(struct gbuf *out, const struct pki_name *name);

#endif
