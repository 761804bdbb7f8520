/* pki/cert_ext.h: the extensions of a certificate; inside cert.c only. */
#ifndef PKI_CERT_EXT_H
#define PKI_CERT_EXT_H

#include "pki/cert.h"

#define PKI_EXTENSIONS_MAX 64 /* of one certificate */
#define PKI_CRL_DPS_MAX 16

/* The content of the SEQUENCE OF Extension. ERR_PARSE names the extension. */
enum err_code cert_ext_read(struct pki_cert *c, struct der *list, struct err *e);

#endif
