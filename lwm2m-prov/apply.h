/*
 * lwm2m-prov/apply.h: documents into the store; what apply and device add have in common.
 */
#ifndef LWM2M_PROV_APPLY_H
#define LWM2M_PROV_APPLY_H

#include "lwm2m-prov/docs.h"

/*
 * Reads the key files of the documents (taken over), sends them, prints a row for what became of
 * each, and the sum. must_be_new: what is there already is left as it is: exists.
 */
enum prov_exit apply_run(struct cli *cli, struct docs *docs, bool must_be_new, struct err *e);

#endif
