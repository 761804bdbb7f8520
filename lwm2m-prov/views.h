/*
 * lwm2m-prov/views.h: what a person sees of a session and a device, for several commands.
 */
#ifndef LWM2M_PROV_VIEWS_H
#define LWM2M_PROV_VIEWS_H

#include "lwm2m-prov/output.h"

extern const struct out_view view_handoffs; /* cmd_handoff.c */
extern const struct out_view view_session;     /* one, with its transcript */
extern const struct out_view view_session_row; /* of a list */
extern const struct out_view view_findings;    /* rows: of check */
extern const struct out_view view_audit_findings; /* rows: of what a device holds */

#endif
