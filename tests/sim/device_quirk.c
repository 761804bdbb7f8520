/* What clients are like: peculiarities by name, and known clients as sets of them. */
#include "lib/base/str.h"
#include "tests/sim/device_internal.h"

/* clang-format off */
static const struct device_quirk_name quirks[DEVICE__QUIRKS] = {
	[DEVICE_Q_SEPARATE] = { "separate", "answers every command with an empty ACK, then a CON" },
	[DEVICE_Q_SLOW_SEPARATE] = { "slow-separate", "the same, the CON after slow_ms" },
	[DEVICE_Q_SEPARATE_WITHOUT_ACK] = { "separate-without-ack", "a CON for an answer, no ACK before" },
	[DEVICE_Q_FINISH_SEPARATE] = { "finish-separate", "answers Finish with an empty ACK, then a CON" },
	[DEVICE_Q_SLOW] = { "slow", "answers in the ACK, slow_ms late" },
	[DEVICE_Q_IGNORE_RETRANSMISSIONS] = { "ignore-retransmissions", "says nothing to a repeated command" },
	[DEVICE_Q_STRICT_ORDER] = { "strict-order", "drops commands until its request has the 2.04" },
	[DEVICE_Q_BLOCK_NEW_TOKEN] = { "block-new-token", "asks for each block with another token" },
	[DEVICE_Q_SMALL_BLOCKS] = { "small-blocks", "sends its payloads in blocks of 64" },
	[DEVICE_Q_SMALL_BUFFER] = { "small-buffer", "4.13 with a hint for payloads over 256 in one message" },
	[DEVICE_Q_TINY_BUFFER] = { "tiny-buffer", "4.13 for a body over 1024 in all" },
	[DEVICE_Q_NO_BLOCK1] = { "no-block1", "4.02 to a Write in blocks" },
	[DEVICE_Q_ACCEPT_4_15] = { "accept-4.15", "4.15, not 4.06, to an Accept it does not know" },
	[DEVICE_Q_FORMAT_4_00] = { "format-4.00", "4.00, not 4.15, to a Content-Format it does not know" },
	[DEVICE_Q_FORMAT_5_00] = { "format-5.00", "5.00 to that" },
	[DEVICE_Q_FORMAT_4_06] = { "format-4.06", "4.06 to that" },
	[DEVICE_Q_CREATED_2_01] = { "created-2.01", "2.01 to a Write that made an instance" },
	[DEVICE_Q_WRITE_MANDATORY_4_00] = { "write-mandatory-4.00", "4.00 to an instance without its mandatory resources" },
	[DEVICE_Q_UNKNOWN_OBJECT_4_00] = { "unknown-object-4.00", "4.00, not 4.04, to a Write to an Object it lacks" },
	[DEVICE_Q_UNKNOWN_OBJECT_5_00] = { "unknown-object-5.00", "5.00 to that" },
	[DEVICE_Q_NO_OBJECT_WRITE] = { "no-object-write", "4.05 to a Write to a whole Object" },
	[DEVICE_Q_NO_RESOURCE_WRITE] = { "no-resource-write", "4.05 to a Write to one Resource" },
	[DEVICE_Q_ONE_ACCOUNT_ONLY] = { "one-account-only", "4.00 to a second bootstrap account" },
	[DEVICE_Q_NO_DELETE_OBJECT] = { "no-delete-object", "4.05 to the Delete of a whole Object" },
	[DEVICE_Q_DELETE_MISSING_4_00] = { "delete-missing-4.00", "4.00 to the Delete of what is not there" },
	[DEVICE_Q_DELETE_MISSING_4_04] = { "delete-missing-4.04", "4.04 to that" },
	[DEVICE_Q_DELETE_DEVICE_4_05] = { "delete-device-4.05", "4.05 to the Delete of /3 or /3/0" },
	[DEVICE_Q_DELETE_DROPS_DEVICE] = { "delete-drops-device", "Delete of / takes /3/0 along" },
	[DEVICE_Q_DELETE_EXPLICIT_ACCOUNT] = { "delete-explicit-account", "Delete of its account's own instance takes it" },
	[DEVICE_Q_DISCOVER_4_00] = { "discover-4.00", "4.00 to every Discover" },
	[DEVICE_Q_DISCOVER_4_04] = { "discover-4.04", "4.04 to it" },
	[DEVICE_Q_DISCOVER_4_05] = { "discover-4.05", "4.05 to it" },
	[DEVICE_Q_DISCOVER_ROOT_4_00] = { "discover-root-4.00", "4.00 to Discover of /, Objects are fine" },
	[DEVICE_Q_DISCOVER_NO_VERSION] = { "discover-no-version", "no version element" },
	[DEVICE_Q_DISCOVER_BARE_VERSION] = { "discover-bare-version", "lwm2m=\"1.1\" attached to no link" },
	[DEVICE_Q_DISCOVER_QUOTED_VERSION] = { "discover-quoted-version", "</>;lwm2m=\"1.1\"" },
	[DEVICE_Q_DISCOVER_SAYS_1_0] = { "discover-says-1.0", "</>;lwm2m=1.0 whatever it is" },
	[DEVICE_Q_DISCOVER_OBJECT_LINKS] = { "discover-object-links", "lists </0> before its instances" },
	[DEVICE_Q_DISCOVER_BLANKS] = { "discover-blanks", "a blank behind each comma" },
	[DEVICE_Q_DISCOVER_SLASHES] = { "discover-slashes", "</0/1/>" },
	[DEVICE_Q_DISCOVER_NO_URI] = { "discover-no-uri", "no uri attributes" },
	[DEVICE_Q_DISCOVER_REVERSED] = { "discover-reversed", "lists from last to first" },
	[DEVICE_Q_READ_4_00] = { "read-4.00", "4.00 to every Read" },
	[DEVICE_Q_READ_4_05] = { "read-4.05", "4.05 to every Read" },
	[DEVICE_Q_READ_ONLY_2] = { "read-only-2", "4.05 to a Read of anything but /2" },
	[DEVICE_Q_LESHAN_RESOURCES] = { "leshan-resources", "of Object 1 it knows 0-3, 6, 7 and 22, and drops the rest" },
	[DEVICE_Q_ANJAY_RESOURCES] = { "anjay-resources", "of Object 1 it drops 10, 13, 15 and 21" },
	[DEVICE_Q_SETS_LAST_BOOTSTRAPPED] = { "sets-last-bootstrapped", "sets 1/x/12 at Finish" },
	[DEVICE_Q_NEEDS_BINDING_MODES] = { "needs-binding-modes", "4.06 to Finish without 3/0/16" },
	[DEVICE_Q_NO_RPK] = { "no-rpk", "4.06 to Finish with an account of mode 1" },
	[DEVICE_Q_FINISH_UNCHECKED] = { "finish-unchecked", "2.04 to any Finish" },
	[DEVICE_Q_FINISH_ENDS_SESSION] = { "finish-ends-session", "after its 4.06 to Finish the session is over" },
	[DEVICE_Q_FIXED_SESSION_TIMER] = { "fixed-session-timer", "session_ms counts from the request" },
	[DEVICE_Q_RETRY_AS_1_0] = { "retry-as-1.0", "asks again without pct after a 4.xx" },
	[DEVICE_Q_NO_RETRY_AFTER] = { "no-retry-after", "heeds no Max-Age of a 5.03" },
	[DEVICE_Q_NO_ROLL_BACK] = { "no-roll-back", "keeps what a failed session left" },
};
/* clang-format on */

bool
device_quirk_has(const struct device_quirks *q, enum device_quirk quirk)
{
	return (q->bits[quirk / 64] >> quirk % 64 & 1) != 0;
}

void
device_quirk_set(struct device_quirks *q, enum device_quirk quirk)
{
	q->bits[quirk / 64] |= (uint64_t)1 << quirk % 64;
}

const struct device_quirk_name *
device_quirk_at(enum device_quirk quirk)
{
	return &quirks[quirk];
}

enum err_code
device_quirk_parse(const char *name, struct device_quirks *q, struct err *e)
{
	const char *names[DEVICE__QUIRKS];
	for (size_t i = 0; i < N_ELEMS(quirks); i++) {
		names[i] = quirks[i].name;
		if (strcmp(names[i], name) == 0) {
			device_quirk_set(q, (enum device_quirk)i);
			return ERR_OK;
		}
	}
	const char *near = str_nearest(name, names, N_ELEMS(names));
	return err_set(e, ERR_NOT_FOUND, "quirk %s: unknown%s%s", name,
	    near == NULL ? "" : ", the nearest is ", near == NULL ? "" : near);
}

bool
device_has(const struct device *d, enum device_quirk quirk)
{
	return device_quirk_has(&d->cfg->quirks, quirk);
}

#define FORMATS_1_0 (DEVICE_TEXT | DEVICE_OPAQUE | DEVICE_TLV)
#define FORMATS_1_1 (FORMATS_1_0 | DEVICE_CBOR | DEVICE_SENML_JSON | DEVICE_SENML_CBOR)

void
device_config_init(struct device_config *cfg)
{
	*cfg = (struct device_config){
		.model = lwm2m_model_builtin(),
		.version = DEVICE_1_1,
		.formats = FORMATS_1_1,
		.read_format = 11542,
		.ack_timeout_ms = 2000,
		.max_retransmit = 4,
		.response_ms = 93000,
		.session_ms = 247000,
		.retry_ms = 10000,
		.retry_max_ms = 600000,
		.max_attempts = 1,
		.slow_ms = 3000,
	};
}

#define LIKE_QUIRKS 8
struct like {
	const char *name;
	enum device_version version;
	bool merges;
	uint16_t pct;
	unsigned formats;
	uint32_t session_ms, ack_timeout_ms;
	enum device_quirk quirks[LIKE_QUIRKS];
	size_t n;
};

/* clang-format off */
static const struct like likes[] = {
	{ "anjay", DEVICE_1_1, true, 112, FORMATS_1_1, 247000, 2000,
	    { DEVICE_Q_DISCOVER_OBJECT_LINKS, DEVICE_Q_ANJAY_RESOURCES, DEVICE_Q_SETS_LAST_BOOTSTRAPPED,
	    DEVICE_Q_NO_RPK, DEVICE_Q_RETRY_AS_1_0, DEVICE_Q_ONE_ACCOUNT_ONLY,
	    DEVICE_Q_DELETE_EXPLICIT_ACCOUNT }, 7 },
	{ "anjay-lite", DEVICE_1_1, true, 112, DEVICE_TEXT | DEVICE_OPAQUE | DEVICE_CBOR | DEVICE_SENML_CBOR,
	    247000, 2000, { DEVICE_Q_ACCEPT_4_15, DEVICE_Q_IGNORE_RETRANSMISSIONS }, 2 },
	{ "leshan", DEVICE_1_1, false, 112, FORMATS_1_1, 93000, 2000,
	    { DEVICE_Q_DISCOVER_SAYS_1_0, DEVICE_Q_LESHAN_RESOURCES, DEVICE_Q_FINISH_SEPARATE,
	    DEVICE_Q_FINISH_ENDS_SESSION, DEVICE_Q_FIXED_SESSION_TIMER, DEVICE_Q_NEEDS_BINDING_MODES,
	    DEVICE_Q_UNKNOWN_OBJECT_5_00, DEVICE_Q_DELETE_MISSING_4_00 }, 8 },
	{ "wakaama", DEVICE_1_1, true, 112, FORMATS_1_1, 247000, 2000,
	    { DEVICE_Q_TINY_BUFFER, DEVICE_Q_READ_4_00, DEVICE_Q_FORMAT_5_00, DEVICE_Q_DELETE_DROPS_DEVICE,
	    DEVICE_Q_DELETE_EXPLICIT_ACCOUNT, DEVICE_Q_DELETE_DEVICE_4_05 }, 6 },
	{ "zephyr", DEVICE_1_1, true, 0, FORMATS_1_1, 300000, 4000,
	    { DEVICE_Q_SLOW_SEPARATE, DEVICE_Q_DISCOVER_NO_URI }, 2 },
	{ "modem-1.0", DEVICE_1_0, true, 0, FORMATS_1_0, 247000, 4000, { DEVICE_Q_FORMAT_4_00 }, 1 },
};
/* clang-format on */

const char *
device_like_at(size_t i)
{
	return i < N_ELEMS(likes) ? likes[i].name : NULL;
}

enum err_code
device_config_like(struct device_config *cfg, const char *name, struct err *e)
{
	const char *names[N_ELEMS(likes)];
	for (size_t i = 0; i < N_ELEMS(likes); i++) {
		const struct like *l = &likes[i];
		names[i] = l->name;
		if (strcmp(l->name, name) != 0)
			continue;
		cfg->version = l->version;
		cfg->merges = l->merges;
		cfg->pct = l->pct;
		cfg->formats = l->formats;
		cfg->read_format = (l->formats & DEVICE_TLV) != 0 ? 11542 : 112;
		cfg->session_ms = l->session_ms;
		cfg->ack_timeout_ms = l->ack_timeout_ms;
		for (size_t k = 0; k < l->n; k++)
			device_quirk_set(&cfg->quirks, l->quirks[k]);
		return ERR_OK;
	}
	const char *near = str_nearest(name, names, N_ELEMS(names));
	return err_set(e, ERR_NOT_FOUND, "client %s: unknown%s%s", name,
	    near == NULL ? "" : ", the nearest is ", near == NULL ? "" : near);
}

bool
device_lacks_object(const struct device_config *cfg, uint16_t oid)
{
	for (size_t i = 0; i < cfg->n_without; i++)
		if (cfg->without[i] == oid)
			return true;
	return lwm2m_model_object(cfg->model, oid) == NULL;
}

unsigned
device_format_bit(uint16_t number)
{
	static const struct {
		uint16_t number;
		unsigned bit;
	} bits[] = {
		{ 0, DEVICE_TEXT },
		{ 42, DEVICE_OPAQUE },
		{ 60, DEVICE_CBOR },
		{ 110, DEVICE_SENML_JSON },
		{ 112, DEVICE_SENML_CBOR },
		{ 11542, DEVICE_TLV },
		{ 11544, DEVICE_LWM2M_CBOR },
	};
	for (size_t i = 0; i < N_ELEMS(bits); i++)
		if (bits[i].number == number)
			return bits[i].bit;
	return 0;
}
