/*
 * lib/lwm2m/senml.h: what SenML in JSON and in CBOR have in common (RFC 8428; Core 1.1 section
 * 7.4.4): the fields, how base fields add up, and how a record becomes a value at a path.
 *
 * Times (t, bt, ut) and units (u, bu) are checked for their type and otherwise ignored: a device's
 * configuration has no history. Sums (s, bs) are refused. A base value is added to v alone. Fields
 * we do not know are ignored, unless their name ends in '_': those must be understood.
 */
#ifndef LIB_LWM2M_SENML_H
#define LIB_LWM2M_SENML_H

#include "lib/lwm2m/raw.h"

enum senml_field {
	SENML_BN,
	SENML_BT,
	SENML_BU,
	SENML_BV,
	SENML_BS,
	SENML_BVER,
	SENML_N,
	SENML_U,
	SENML_V,
	SENML_VS,
	SENML_VB,
	SENML_VD,
	SENML_VLO,
	SENML_S,
	SENML_T,
	SENML_UT,
	SENML__FIELDS
};

#define SENML_LABEL_TEXT INT64_MIN /* vlo: no number stands for it */

struct senml_label {
	const char *name; /* in JSON; as text in CBOR too when there is no number */
	int64_t number;   /* in CBOR */
};

const struct senml_label *senml_label(enum senml_field f);
enum senml_field senml_value_field(enum lwm2m_type type);
/* SENML__FIELDS when there is none. */
enum senml_field senml_field_named(const char *name, size_t n);
enum senml_field senml_field_numbered(int64_t number);
/* ERR_UNSUPPORTED when a field that we do not know must be understood. */
enum err_code senml_unknown(const char *name, size_t n, struct err *e);

struct senml_record {
	unsigned seen; /* bits of enum senml_field */
	struct raw at[SENML__FIELDS];
};

/*
 * Notes a field: refuses what is there twice or of the wrong kind. Strings are borrowed until the
 * record has been taken. vd is BYTES, or the base64url TEXT of them.
 */
enum err_code senml_set(
    struct senml_record *rec, enum senml_field f, const struct raw *v, struct err *e);

#define SENML_NAME_MAX (LWM2M_PATH_LEN + 1) /* a path, and a slash behind it for base names */

/* Base fields hold from the record they are in to the next that changes them. */
struct senml_pack {
	struct raw_sink sink;
	size_t records; /* taken so far */
	char bn[SENML_NAME_MAX];
	size_t bn_len;
	bool has_bv;
	struct raw bv;
};

/*
 * Takes the next record: its value goes into the sink. Messages begin with the path, or with
 * "record N" (from 1) where there is none.
 */
enum err_code senml_take(struct senml_pack *pack, const struct senml_record *rec, struct err *e);
/* Puts "record N: " before a message about the record that is being read. */
enum err_code senml_in_record(const struct senml_pack *pack, enum err_code rc, struct err *e);

/* bn and n of a record that we write: bn in the first alone, n unless bn says it all. */
struct senml_names {
	char bn[SENML_NAME_MAX + 1]; /* "" : none */
	char n[SENML_NAME_MAX + 1];
};
void senml_names(struct lwm2m_path base, struct lwm2m_path p, bool first, struct senml_names *out);

#endif
