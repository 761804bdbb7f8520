/*
 * pki/url.h: which URLs of certificates may be asked: plain http, to a host that may be named in
 * the configuration. A URL that somebody may read in two ways is none.
 */
#ifndef PKI_URL_H
#define PKI_URL_H

#include "pki/der.h"

#define PKI_URL_MAX 2048
#define PKI_HOST_MAX 256

/*
 * "http://HOST[:PORT][/PATH][?QUERY]", visible ASCII, no user, no fragment; HOST is a name or an
 * address, IPv6 in brackets. host gets it in lower case without brackets. ERR_UNSUPPORTED for
 * another scheme, ERR_LIMIT, ERR_INVALID.
 */
enum err_code pki_url_check(struct pki_blob url, char host[PKI_HOST_MAX], struct err *e);

/* The host fits one of the patterns ('*' stands for any run of characters); n 0: any host does. */
bool pki_host_allowed(const char *host, const char *const *patterns, size_t n);

#endif
