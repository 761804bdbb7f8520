#include "tests/sim/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "tests/sim/coapmsg.h"

#define OPTIONS_MAX 64
#define STATE_MAX (1 << 20)

/* --- Values ----------------------------------------------------------------------------------- */

static enum err_code
number(const char *s, uint64_t min, uint64_t max, uint64_t *out, struct err *e)
{
	if (!str_to_u64(s, strlen(s), min, max, out))
		return err_set(e, ERR_RANGE, "%s: not a number from %llu to %llu", s,
		    (unsigned long long)min, (unsigned long long)max);
	return ERR_OK;
}

static enum err_code
number32(const char *s, uint64_t min, uint32_t *out, struct err *e)
{
	uint64_t n = 0;
	enum err_code rc = number(s, min, UINT32_MAX, &n, e);
	if (rc == ERR_OK)
		*out = (uint32_t)n;
	return rc;
}

/* "500ms", "5s", "2m", "5": milliseconds. */
static enum err_code
milliseconds(const char *s, uint32_t *out, struct err *e)
{
	size_t n = strlen(s);
	uint64_t v = 0;
	bool ok = n > 2 && strcmp(s + n - 2, "ms") == 0
	              ? str_to_u64(s, n - 2, 0, UINT32_MAX, &v)
	              : str_to_seconds(s, n, &v) && v <= UINT32_MAX / 1000;
	if (!ok)
		return err_set(e, ERR_RANGE, "%s: not a time", s);
	*out = (uint32_t)(n > 2 && strcmp(s + n - 2, "ms") == 0 ? v : v * 1000);
	return ERR_OK;
}

/* "3%", "0.03" */
static enum err_code
share(const char *s, double *out, struct err *e)
{
	char *end = NULL;
	double v = strtod(s, &end);
	if (end != s && strcmp(end, "%") == 0)
		v /= 100;
	else if (end == s || *end != '\0')
		v = -1;
	if (!(v >= 0 && v <= 1))
		return err_set(e, ERR_RANGE, "%s: not a share", s);
	*out = v;
	return ERR_OK;
}

/* --- Options that are more than a value --------------------------------------------------------
 */

typedef enum err_code set_fn(struct options *o, const char *arg, struct err *e);

static enum err_code
set_endpoint(struct options *o, const char *arg, struct err *e)
{
	(void)e;
	o->fleet.endpoint = arg;
	o->fleet.count = 1;
	return ERR_OK;
}

static enum err_code
set_pattern(struct options *o, const char *arg, struct err *e)
{
	struct gbuf name = { 0 };
	bool ok = fleet_name(arg, 1, &name);
	gbuf_clear(&name);
	o->fleet.pattern = arg;
	return ok ? ERR_OK : err_set(e, ERR_USAGE, "%s: needs one %%u, like dev-%%05u", arg);
}

static enum err_code
set_version(struct options *o, const char *arg, struct err *e)
{
	static const struct {
		const char *name;
		enum device_version version;
	} known[] = { { "1.0", DEVICE_1_0 }, { "1.1", DEVICE_1_1 }, { "1.2", DEVICE_1_2 } };
	for (size_t i = 0; i < N_ELEMS(known); i++) {
		if (strcmp(known[i].name, arg) != 0)
			continue;
		o->fleet.device.version = known[i].version;
		if (known[i].version == DEVICE_1_0)
			o->fleet.device.formats = DEVICE_TEXT | DEVICE_OPAQUE | DEVICE_TLV;
		return ERR_OK;
	}
	return err_set(e, ERR_USAGE, "%s: none of 1.0, 1.1, 1.2", arg);
}

static enum err_code
set_like(struct options *o, const char *arg, struct err *e)
{
	return device_config_like(&o->fleet.device, arg, e);
}

static enum err_code
set_formats(struct options *o, const char *arg, struct err *e)
{
	static const struct {
		const char *name;
		unsigned bit;
	} known[] = { { "text", DEVICE_TEXT }, { "opaque", DEVICE_OPAQUE }, { "cbor", DEVICE_CBOR },
		{ "senml-json", DEVICE_SENML_JSON }, { "senml-cbor", DEVICE_SENML_CBOR },
		{ "tlv", DEVICE_TLV }, { "lwm2m-cbor", DEVICE_LWM2M_CBOR } };
	unsigned formats = 0;
	for (const char *at = arg; *at != '\0';) {
		size_t n = strcspn(at, ","), i = 0;
		while (i < N_ELEMS(known) &&
		       (strlen(known[i].name) != n || memcmp(known[i].name, at, n) != 0))
			i++;
		if (i == N_ELEMS(known))
			return err_set(e, ERR_USAGE, "%s: no such format", at);
		formats |= known[i].bit;
		at += n + (at[n] == ',');
	}
	o->fleet.device.formats = formats;
	o->fleet.device.read_format = (formats & DEVICE_TLV) != 0          ? 11542
	                              : (formats & DEVICE_SENML_CBOR) != 0 ? 112
	                                                                   : 110;
	return ERR_OK;
}

static enum err_code
set_quirk(struct options *o, const char *arg, struct err *e)
{
	return device_quirk_parse(arg, &o->fleet.device.quirks, e);
}

static enum err_code
set_lie(struct options *o, const char *arg, struct err *e)
{
	struct device_config *d = &o->fleet.device;
	if (d->n_lies == DEVICE_LIES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d lies", DEVICE_LIES_MAX);
	enum err_code rc = device_lie_parse(arg, &d->lies[d->n_lies], e);
	d->n_lies += rc == ERR_OK;
	return rc;
}

static enum err_code
set_without(struct options *o, const char *arg, struct err *e)
{
	struct device_config *d = &o->fleet.device;
	uint64_t n = 0;
	if (d->n_without == N_ELEMS(d->without))
		return err_set(e, ERR_LIMIT, "more than %zu Objects", N_ELEMS(d->without));
	enum err_code rc = number(arg, 0, 65534, &n, e);
	if (rc == ERR_OK)
		d->without[d->n_without++] = (uint16_t)n;
	return rc;
}

static enum err_code
set_pct(struct options *o, const char *arg, struct err *e)
{
	uint64_t n = 0;
	enum err_code rc = number(arg, 0, 65535, &n, e);
	o->fleet.device.pct = (uint16_t)n;
	return rc;
}

static enum err_code
set_account(struct options *o, const char *arg, struct err *e)
{
	uint64_t n = 0;
	enum err_code rc = number(arg, 0, 65534, &n, e);
	o->account = (uint16_t)n;
	return rc;
}

static enum err_code
set_seed(struct options *o, const char *arg, struct err *e)
{
	o->fixed_seed = true;
	return number(arg, 0, UINT64_MAX, &o->fleet.seed, e);
}

static enum err_code
set_drop(struct net_drop *out, const char *arg, struct err *e)
{
	size_t n = strcspn(arg, "-");
	uint64_t first = 0, last = 0;
	if (!str_to_u64(arg, n, 1, UINT32_MAX, &first))
		return err_set(e, ERR_USAGE, "%s: not N or N-M", arg);
	last = first;
	if (arg[n] == '-' && !str_to_u64(arg + n + 1, strlen(arg + n + 1), first, UINT32_MAX, &last))
		return err_set(e, ERR_USAGE, "%s: not N or N-M", arg);
	*out = (struct net_drop){ .first = (uint32_t)first, .last = (uint32_t)last };
	return ERR_OK;
}

static enum err_code
set_drop_sent(struct options *o, const char *arg, struct err *e)
{
	return set_drop(&o->fleet.net.drop_sent, arg, e);
}

static enum err_code
set_drop_received(struct options *o, const char *arg, struct err *e)
{
	return set_drop(&o->fleet.net.drop_received, arg, e);
}

static enum err_code
set_rate(struct options *o, const char *arg, struct err *e)
{
	size_t n = strlen(arg);
	uint64_t v = 0;
	if (n > 2 && strcmp(arg + n - 2, "/s") == 0)
		n -= 2;
	if (!str_to_u64(arg, n, 1, 1000000, &v))
		return err_set(e, ERR_RANGE, "%s: not a rate", arg);
	o->fleet.rate = (double)v;
	return ERR_OK;
}

static enum err_code
set_expect(struct options *o, const char *arg, struct err *e)
{
	static const struct {
		const char *name;
		enum fleet_expect expect;
	} known[] = { { "provisioned", EXPECT_PROVISIONED }, { "refused", EXPECT_REFUSED },
		{ "failed", EXPECT_FAILED }, { "any", EXPECT_ANY } };
	for (size_t i = 0; i < N_ELEMS(known); i++) {
		if (strcmp(known[i].name, arg) == 0) {
			o->fleet.expect = known[i].expect;
			return ERR_OK;
		}
	}
	o->fleet.expect = EXPECT_REFUSED;
	o->fleet.expect_code = strncmp(arg, "refused:", 8) == 0 ? coapmsg_code_parse(arg + 8) : 0;
	return o->fleet.expect_code != 0
	           ? ERR_OK
	           : err_set(e, ERR_USAGE,
	                 "%s: none of provisioned, refused, refused:4.00, failed, any", arg);
}

static enum err_code
set_merge(struct options *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->fleet.device.merges = true;
	return ERR_OK;
}

/* --- The table ---------------------------------------------------------------------------------
 */

enum kind { HEAD, FLAG, TEXT, COUNT, TIME, SHARE, CALL, CALL_FLAG };

struct option_def {
	enum kind kind;
	const char *name, *arg, *help;
	size_t at; /* in struct options: bool, const char *, uint32_t, uint32_t, double */
	set_fn *set;
};

#define AT(member) offsetof(struct options, member)
#define DEV(member) offsetof(struct options, fleet.device.member)

/* clang-format off */
static const struct option_def defs[] = {
	{ HEAD, NULL, NULL, "Where to, and as whom", 0, NULL },
	{ TEXT, "server", "URI", "coap://[::1]:5683 or coaps://127.0.0.1:5684", AT(server), NULL },
	{ CALL, "endpoint", "NAME", "one device of this name; empty: it leaves out ep", 0, set_endpoint },
	{ COUNT, "count", "N", "so many devices (1)", AT(fleet.count), NULL },
	{ CALL, "endpoint-pattern", "P", "their names (dev-%05u)", 0, set_pattern },
	{ COUNT, "first", "N", "number of the first (1)", AT(fleet.first), NULL },
	{ HEAD, NULL, NULL, "Keys (coaps)", 0, NULL },
	{ TEXT, "psk-identity", "ID", "%e in it is the endpoint (%e)", AT(fleet.identity), NULL },
	{ TEXT, "psk-key-file", "FILE", "one key for all, in hex", AT(key_file), NULL },
	{ TEXT, "psk-keys-file", "FILE", "lines IDENTITY HEXKEY", AT(keys_file), NULL },
	{ TEXT, "psk-master-file", "FILE", "keys by HMAC-SHA-256 of the identity, 16 octets", AT(master_file), NULL },
	{ TEXT, "cert-file", "FILE", "a certificate chain in PEM, its own first, instead of a key; %e in it is the endpoint", AT(cert_file), NULL },
	{ TEXT, "rpk-file", "FILE", "a raw public key in PEM, instead of a key", AT(rpk_file), NULL },
	{ TEXT, "private-key-file", "FILE", "the private key to these, in PEM", AT(private_file), NULL },
	{ FLAG, "print-keys", NULL, "print ENDPOINT IDENTITY HEXKEY of all and end", AT(print_keys), NULL },
	{ TEXT, "cipher", "C", "ccm8, gcm, cbc, ecdhe, any, x509, rpk, or a GnuTLS priority", AT(cipher), NULL },
	{ HEAD, NULL, NULL, "What they are like", 0, NULL },
	{ CALL, "like", "CLIENT", "anjay, leshan, ...: see --list; later options change it", 0, set_like },
	{ CALL, "version", "V", "1.0, 1.1 or 1.2", 0, set_version },
	{ CALL, "pct", "N", "preferred content format; 0: none", 0, set_pct },
	{ CALL, "formats", "A,B", "tlv,senml-cbor,senml-json,text,opaque,cbor,lwm2m-cbor", 0, set_formats },
	{ CALL_FLAG, "merge", NULL, "a Write to an instance merges, not replaces", 0, set_merge },
	{ CALL, "quirk", "NAME", "a peculiarity, many times: see --list", 0, set_quirk },
	{ CALL, "lie", "STEP=WHAT", "STEP[:PATH][#N]=WHAT, up to 8: see --list", 0, set_lie },
	{ CALL, "without-object", "ID", "an Object it lacks", 0, set_without },
	{ CALL, "account", "IID", "instance of its bootstrap account (0)", 0, set_account },
	{ TEXT, "state", "FILE", "what it holds at first, as JSON, instead of a factory state", AT(state), NULL },
	{ TEXT, "object-dir", "DIR", "OMA XML files of more Objects", AT(object_dir), NULL },
	{ TEXT, "query", "Q", "more of the request's query", DEV(query), NULL },
	{ HEAD, NULL, NULL, "Times", 0, NULL },
	{ TIME, "ack-timeout", "T", "2s, times 1..1.5", DEV(ack_timeout_ms), NULL },
	{ COUNT, "retransmit", "N", "4", DEV(max_retransmit), NULL },
	{ TIME, "session-timeout", "T", "247s without a command", DEV(session_ms), NULL },
	{ TIME, "hold-off", "T", "before the first request (0)", DEV(hold_off_ms), NULL },
	{ COUNT, "attempts", "N", "before it gives up (1)", DEV(max_attempts), NULL },
	{ TIME, "retry", "T", "back-off after a failed attempt, doubled for each (10s)", DEV(retry_ms), NULL },
	{ TIME, "slow", "T", "of slow quirks and lies (3s)", DEV(slow_ms), NULL },
	{ TIME, "linger", "T", "stays to answer repetitions (0; 20s with loss)", AT(fleet.linger_ms), NULL },
	{ TIME, "timeout", "T", "of the whole run (none)", AT(fleet.timeout_ms), NULL },
	{ HEAD, NULL, NULL, "Afterwards: registered, and called back", 0, NULL },
	{ COUNT, "register", "SSID", "registers with its account of this Short Server ID; --repeat waits to be called back", AT(register_ssid), NULL },
	{ FLAG, "registered", NULL, "begins with that, before the first bootstrap", AT(fleet.registered), NULL },
	{ TIME, "update", "T", "between Updates (none)", AT(fleet.after.registrar.update_ms), NULL },
	{ TIME, "awake", "T", "queue mode: so long it listens after it spoke (no queue mode)", AT(fleet.after.registrar.awake_ms), NULL },
	{ TIME, "stay", "T", "stays registered when nothing is left to be done (0)", AT(fleet.stay_ms), NULL },
	{ HEAD, NULL, NULL, "Load and network", 0, NULL },
	{ COUNT, "concurrency", "K", "devices at once (64)", AT(fleet.concurrency), NULL },
	{ CALL, "rate", "R/s", "starts a second", 0, set_rate },
	{ COUNT, "repeat", "N", "bootstraps of each device, one after the other (1)", AT(fleet.repeat), NULL },
	{ FLAG, "spin", NULL, "never sleep, so that whoever sends to them need not wake them", AT(fleet.spin), NULL },
	{ SHARE, "loss", "P", "3%, both ways", AT(fleet.net.loss), NULL },
	{ CALL, "drop-sent", "N[-M]", "the N-th datagram that each device sends is lost (up to the M-th)", 0, set_drop_sent },
	{ CALL, "drop-received", "N[-M]", "the N-th that each should receive is lost", 0, set_drop_received },
	{ SHARE, "dup", "P", "datagrams that come twice", AT(fleet.net.dup), NULL },
	{ SHARE, "reorder", "P", "datagrams that are overtaken", AT(fleet.net.reorder), NULL },
	{ TIME, "delay", "T", "of every datagram (0)", AT(fleet.net.delay_ms), NULL },
	{ CALL, "seed", "N", "of everything random; printed", 0, set_seed },
	{ HEAD, NULL, NULL, "Output", 0, NULL },
	{ CALL, "expect", "OUTCOME", "provisioned, refused, refused:4.00, failed, any: exit 0 only then", 0, set_expect },
	{ FLAG, "json", NULL, "lines of JSON, the last is the summary", AT(fleet.json), NULL },
	{ FLAG, "lines", NULL, "a line for each device (up to 20 devices: always)", AT(fleet.lines), NULL },
	{ FLAG, "tree", NULL, "with what each holds at the end", AT(fleet.tree), NULL },
	{ FLAG, "registrations", NULL, "with when it would register with which server, by what it holds", AT(fleet.registrations), NULL },
	{ FLAG, "show-secrets", NULL, "keys too, not only their lengths", AT(fleet.secrets), NULL },
	{ FLAG, "trace", NULL, "what happens, on stderr", AT(fleet.trace), NULL },
	{ FLAG, "quiet", NULL, "no progress, no failures one by one", AT(fleet.quiet), NULL },
	{ FLAG, "list", NULL, "clients, quirks, lies", AT(list), NULL },
	{ FLAG, "help", NULL, "this", AT(help), NULL },
};
/* clang-format on */

static enum err_code
apply(struct options *o, const struct option_def *d, const char *arg, struct err *e)
{
	char *at = (char *)o + d->at;
	switch (d->kind) {
	case FLAG:
		*(bool *)(void *)at = true;
		return ERR_OK;
	case TEXT:
		*(const char **)(void *)at = arg;
		return ERR_OK;
	case COUNT:
		return number32(arg, 0, (uint32_t *)(void *)at, e);
	case TIME:
		return milliseconds(arg, (uint32_t *)(void *)at, e);
	case SHARE:
		return share(arg, (double *)(void *)at, e);
	case CALL:
	case CALL_FLAG:
		return d->set(o, arg, e);
	case HEAD:
		break;
	}
	return ERR_OK;
}

/* --- All together -------------------------------------------------------------------------------
 */

static enum err_code
read_file(const char *file, struct gbuf *out, struct err *e)
{
	char chunk[4096];
	size_t n = 0;
	FILE *f = fopen(file, "re");
	if (f == NULL)
		return err_errno(e, errno, "%s", file);
	out->max = STATE_MAX;
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		gbuf_put(out, chunk, n);
	wipe(chunk, sizeof chunk);
	bool bad = ferror(f) != 0;
	(void)fclose(f);
	return bad ? err_set(e, ERR_IO, "%s: cannot be read", file) : gbuf_check(out, e);
}

static enum err_code
load_initial(struct options *o, struct err *e)
{
	static const uint8_t placeholder[16] = { 1 };
	struct gbuf text = { 0 };
	enum err_code rc = ERR_OK;
	if (o->state == NULL) {
		struct device_factory f = { .account = o->account,
			.uri = o->server,
			.mode = o->fleet.secure ? 0 : 3,
			.hold_off = -1 };
		if (o->fleet.secure) {
			f.identity = "factory";
			f.key = placeholder;
			f.key_len = sizeof placeholder;
		}
		return device_factory_tree(&o->initial, &f, e);
	}
	rc = read_file(o->state, &text, e);
	if (rc == ERR_OK && device_tree_load(o->fleet.device.model, gbuf_cstr(&text), text.len,
	                        &o->initial, e) != ERR_OK)
		rc = err_wrap(e, "%s", o->state);
	gbuf_clear(&text);
	return rc;
}

/* A certificate or a raw public key: the same for all devices, unless the files' names say otherwise. */
static enum err_code
load_certificate(struct options *o, struct err *e)
{
	const char *file = o->cert_file != NULL ? o->cert_file : o->rpk_file;

	if (o->private_file == NULL)
		return err_set(e, ERR_USAGE, "--private-key-file is missing");
	if (o->cert_file != NULL && strstr(o->cert_file, "%e") != NULL) {
		o->fleet.cipher = o->cipher != NULL ? o->cipher : "x509";
		o->fleet.certificate = o->cert_file;
		o->fleet.private_key = o->private_file;
		return ERR_OK;
	}
	o->policy = dtls_policy_new(o->cipher != NULL ? o->cipher : o->cert_file != NULL ? "x509" : "rpk", e);
	o->fleet.policy = o->fleet.after.knock = o->policy;
	return o->policy == NULL ? ERR_USAGE
	                         : dtls_policy_certificate(o->policy, file, o->private_file, o->cert_file == NULL, e);
}

static enum err_code
load_keys(struct options *o, struct err *e)
{
	if (o->cert_file != NULL || o->rpk_file != NULL)
		return load_certificate(o, e);
	if (o->key_file != NULL)
		o->keys = keys_single(o->key_file, e);
	else if (o->keys_file != NULL)
		o->keys = keys_from_file(o->keys_file, e);
	else if (o->master_file != NULL)
		o->keys = keys_derived(o->master_file, e);
	else
		return err_set(e, ERR_USAGE,
		    "coaps needs one of --psk-key-file, --psk-keys-file, "
		    "--psk-master-file, --cert-file, --rpk-file");
	if (o->keys == NULL)
		return ERR_IO;
	o->policy = dtls_policy_new(o->cipher != NULL ? o->cipher : "ccm8", e);
	o->fleet.keys = o->keys;
	o->fleet.policy = o->policy;
	return o->policy == NULL ? ERR_USAGE : ERR_OK;
}

static enum err_code
load_model(struct options *o, struct err *e)
{
	if (o->object_dir == NULL)
		return ERR_OK;
	o->model = lwm2m_model_new();
	o->fleet.device.model = o->model;
	return o->model == NULL ? err_no_memory(e)
	                        : lwm2m_model_load_dir(o->model, o->object_dir, e);
}

static enum err_code
finish_after(struct options *o, struct err *e)
{
	struct fleet_config *f = &o->fleet;
	o->after_policy = dtls_policy_new("ccm8", e);
	if (o->after_policy == NULL || o->register_ssid > UINT16_MAX)
		return err_set(e, ERR_USAGE, "--register: not a Short Server ID");
	f->after.policy = o->after_policy;
	f->after.max = f->concurrency + 64;
	f->after.seed = f->seed;
	f->after.registrar.ssid = (uint16_t)o->register_ssid;
	f->after.registrar.version = f->device.version == DEVICE_1_0   ? "1.0"
	                             : f->device.version == DEVICE_1_2 ? "1.2"
	                                                               : "1.1";
	f->after.registrar.ack_timeout_ms = f->device.ack_timeout_ms;
	f->after.registrar.max_retransmit = f->device.max_retransmit;
	return ERR_OK;
}

static enum err_code
finish(struct options *o, struct err *e)
{
	struct fleet_config *f = &o->fleet;
	if (f->count == 0 || f->repeat == 0 || f->concurrency == 0 || f->device.max_attempts == 0)
		return err_set(e, ERR_USAGE, "a count that is 0");
	if (o->server == NULL && !o->print_keys)
		return err_set(e, ERR_USAGE, "--server is missing");
	f->concurrency = MIN(f->concurrency, f->count);
	f->lines = f->lines || (f->count * f->repeat <= 20 && !f->quiet);
	f->device.wall_s = clock_wall_ms() / 1000;
	if ((f->net.loss > 0 || f->net.dup > 0) && f->linger_ms == UINT32_MAX)
		f->linger_ms = 20000;
	else if (f->linger_ms == UINT32_MAX)
		f->linger_ms = 0;
	enum err_code rc =
	    o->server == NULL ? ERR_OK : net_parse_uri(o->server, &f->net, &f->secure, e);
	if (rc == ERR_OK && (f->secure || o->print_keys))
		rc = load_keys(o, e);
	if (rc == ERR_OK)
		rc = load_model(o, e);
	if (rc == ERR_OK && o->server != NULL)
		rc = load_initial(o, e);
	f->device.initial = &o->initial;
	return rc == ERR_OK && o->register_ssid != 0 ? finish_after(o, e) : rc;
}

static void
defaults(struct options *o)
{
	*o = (struct options){ .cipher = NULL };
	device_config_init(&o->fleet.device);
	o->fleet.pattern = "dev-%05u";
	o->fleet.first = o->fleet.count = o->fleet.repeat = 1;
	o->fleet.concurrency = 64;
	o->fleet.linger_ms = UINT32_MAX;
	o->fleet.seed = clock_mono_us() ^ (uint64_t)clock_wall_ms() << 20;
}

enum err_code
options_parse(struct options *o, int argc, char **argv, struct err *e)
{
	struct option longs[OPTIONS_MAX] = { { 0 } };
	size_t n = 0;
	int c = 0;
	defaults(o);
	for (size_t i = 0; i < N_ELEMS(defs); i++)
		if (defs[i].kind != HEAD)
			longs[n++] = (struct option){ .name = defs[i].name,
				.has_arg = defs[i].arg != NULL,
				.val = 1000 + (int)i };
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c < 1000)
			return err_set(e, ERR_USAGE, "see --help");
		const struct option_def *d = &defs[c - 1000];
		enum err_code rc = apply(o, d, optarg, e);
		if (rc != ERR_OK) {
			(void)err_wrap(e, "--%s", d->name);
			return rc;
		}
	}
	if (optind < argc)
		return err_set(e, ERR_USAGE, "%s: not an option", argv[optind]);
	return o->help || o->list ? ERR_OK : finish(o, e);
}

void
options_clear(struct options *o)
{
	lwm2m_tree_clear(&o->initial);
	dtls_policy_free(o->policy);
	dtls_policy_free(o->after_policy);
	keys_free(o->keys);
	lwm2m_model_free(o->model);
}

void
options_help(void)
{
	(void)printf("lwm2m-device: simulated LwM2M devices that bootstrap\n");
	for (size_t i = 0; i < N_ELEMS(defs); i++) {
		char left[40];
		if (defs[i].kind == HEAD) {
			(void)printf("\n%s:\n", defs[i].help);
			continue;
		}
		(void)snprintf(left, sizeof left, "--%s%s%s", defs[i].name,
		    defs[i].arg == NULL ? "" : " ", defs[i].arg == NULL ? "" : defs[i].arg);
		(void)printf("  %-26s %s\n", left, defs[i].help);
	}
}

void
options_list(void)
{
	(void)printf("Clients:");
	for (size_t i = 0; device_like_at(i) != NULL; i++)
		(void)printf(" %s", device_like_at(i));
	(void)printf("\n\nQuirks:\n");
	for (int i = 0; i < DEVICE__QUIRKS; i++) {
		const struct device_quirk_name *q = device_quirk_at((enum device_quirk)i);
		(void)printf("  %-26s %s\n", q->name, q->what);
	}
	(void)printf("\nLies:\n");
	for (int i = 0; i < DEVICE_LIE__KINDS; i++) {
		const struct device_lie_name *l = device_lie_at((enum device_lie_kind)i);
		(void)printf("  %-26s %s; at:", l->name, l->what);
		for (int s = 0; s < DEVICE__STEPS; s++)
			if ((l->steps >> s & 1) != 0)
				(void)printf(" %s", device_step_name((enum device_step)s));
		(void)printf("\n");
	}
}
