#include "bsserver/conf/options.h"

#include <stddef.h>
#include <string.h>

#define AT(member) offsetof(struct conf, member)

/* clang-format off */
const struct conf_option conf_options[] = {
	{ "store.uri", CONF_STORE_URI, AT(store_uri), 0, 0, "\"sqlite:store.db\"",
	  "Where devices, profiles, credentials and sessions are kept." },
	{ "store.key_file", CONF_PATH, AT(store_key), 0, 0, "\"store.key\"",
	  "The key that seals what is secret in the store: back it up apart, nothing opens without it." },
	{ "store.sessions_kept", CONF_INTEGER, AT(sessions_kept), 1, 10000, "20",
	  "Sessions with transcript kept of each device." },
	{ "api.socket", CONF_PATH, AT(api_socket), 0, 0, "\"api.sock\"",
	  "The Unix socket that lwm2m-prov talks to." },
	{ "api.mode", CONF_STRING, AT(api_mode), 0, 0, "\"0660\"",
	  "Its file mode, octal." },
	{ "api.group", CONF_STRING, AT(api_group), 0, 0, "\"\"",
	  "Its group; empty: the daemon's own." },
	{ "log.levels", CONF_STRING, AT(log_levels), 0, 0, "\"info\"",
	  "error, warning, notice, info or debug; one module apart: \"info,transport=debug\"." },
	{ "log.loop_look_ms", CONF_INTEGER, AT(loop_look_ms), 0, 60000, "100",
	  "How often the event loop looks how late it is, for /metrics; 0: never." },
	{ "log.format", CONF_STRING, AT(log_format), 0, 0, "\"text\"",
	  "text or json." },
	{ "bootstrap.max_sessions", CONF_INTEGER, AT(max_sessions), 1, 1000000, "4096",
	  "Sessions at once; more devices are answered 5.03 and come again." },
	{ "bootstrap.drain_seconds", CONF_INTEGER, AT(drain_seconds), 0, 600, "20",
	  "How long a stopping daemon lets running sessions end." },
	{ "bootstrap.trust_clock", CONF_BOOLEAN, AT(trust_clock), 0, 0, "false",
	  "This machine's clock is right although the kernel does not know who keeps it so." },
	{ "bootstrap.allow_unknown_issuer", CONF_BOOLEAN, AT(allow_unknown_issuer), 0, 0, "false",
	  "Devices are given certificates of servers, and CAs, that no trust vouches for; the record says so." },
	{ "credentials.certificate_file", CONF_PATH_OR_NONE, AT(certificate_file), 0, 0, "\"\"",
	  "The server's certificate, PEM, then the CAs between it and its root; for listeners with x509." },
	{ "credentials.key", CONF_KEY, AT(key), 0, 0, "\"\"",
	  "Its private key, P-256 or Ed25519: a PEM file or a pkcs11: URL. With rpk its public half is shown." },
	{ "credentials.pin_file", CONF_PATH_OR_NONE, AT(pin_file), 0, 0, "\"\"",
	  "A file whose first line is the PIN of the PKCS#11 token." },
	{ "status.file", CONF_PATH_OR_NONE, AT(status_file), 0, 0, "\"certificate-status\"",
	  "Where answers about certificates outlive a restart; they are verified again. Empty: nowhere." },
	{ "status.connect_ms", CONF_INTEGER, AT(status_connect_ms), 10, 60000, "2000",
	  "How long a responder may take to accept a connection." },
	{ "status.request_ms", CONF_INTEGER, AT(status_request_ms), 10, 60000, "5000",
	  "How long one exchange with a responder may take." },
	{ "status.deadline_ms", CONF_INTEGER, AT(status_deadline_ms), 10, 15000, "10000",
	  "How long a device waits for all of them; then there is no status." },
	{ "status.refresh_seconds", CONF_INTEGER, AT(status_refresh_s), 0, 604800, "3600",
	  "A good answer is asked for anew after this, or earlier when it runs out." },
	{ "status.fail_seconds", CONF_INTEGER, AT(status_fail_s), 0, 3600, "30",
	  "Who did not answer is not asked again before." },
	{ "registry.uri", CONF_STRING, AT(registry_uri), 0, 0, "\"\"",
	  "What profiles with registry: true tell devices, e.g. coaps://bs.example.com:5686. Empty: nothing." },
	{ "registry.max_devices", CONF_INTEGER, AT(registry_max), 1, 1000000, "100000",
	  "Devices that are known to be or to have been registered; more are refused." },
	{ "registry.answer_seconds", CONF_INTEGER, AT(registry_answer_s), 1, 600, "93",
	  "How long a registered device may take for an answer, repetitions included." },
	{ "registry.awake_seconds", CONF_INTEGER, AT(registry_awake_s), 1, 86400, "93",
	  "How long a device in queue mode listens after it spoke." },
	{ "transport.max_handshakes", CONF_INTEGER, AT(max_handshakes), 1, 100000, "256",
	  "DTLS handshakes under way at once; further devices come again by themselves." },
	{ "transport.max_peers", CONF_INTEGER, AT(max_peers), 1, 1000000, "8192",
	  "Connected peers at once." },
	{ "transport.cbc", CONF_BOOLEAN, AT(cbc), 0, 0, "true",
	  "Offer the suites with AES_128_CBC_SHA256 too: LwM2M demands them, CCM and GCM are preferred." },
};
/* clang-format on */
const size_t conf_n_options = N_ELEMS(conf_options);

const char *const conf_lists[] = { "listeners", "registry.listeners", "trust", "auth.rules", "lwm2m_servers",
	"api.permissions", "object_dirs" };
const size_t conf_n_lists = N_ELEMS(conf_lists);

static void
write_section(struct gbuf *out, const char *section)
{
	size_t n = strlen(section);

	gbuf_printf(out, "%s: {\n", section);
	for (size_t i = 0; i < conf_n_options; i++) {
		const struct conf_option *o = &conf_options[i];

		if (strncmp(o->name, section, n) == 0 && o->name[n] == '.')
			gbuf_printf(out, "  # %s\n  %s = %s;\n", o->help, o->name + n + 1, o->value);
	}
	if (strcmp(section, "api") == 0)
		gbuf_str(out, "  # Who may do what: read, enroll, operate, admin, secrets. root and the daemon's\n"
			      "  # own user may do everything; nobody else may do anything that is not here.\n"
			      "  permissions = (\n"
			      "    # { group = \"lwm2m\"; allow = \"read enroll operate\"; }\n  );\n");
	if (strcmp(section, "registry") == 0)
		gbuf_str(out, "  # Where devices register, so that they can be called back with lwm2m-prov trigger; none:\n"
			      "  # no registry. Ports of their own; psk, x509 and rpk: what a device's account here is for.\n"
			      "  listeners = (\n"
			      "    # { uri = \"coaps://[::]:5686\"; security = \"psk\"; }\n  );\n");
	gbuf_str(out, "};\n\n");
}

static const char template_head[] =
	"# The configuration of bsserver. Paths that do not begin with / are beside this file.\n"
	"# Check it with: bsserver --check-config -c FILE\n\n"
	"# Where devices knock. security says what they may come with: psk, x509, rpk, or several of\n"
	"# them (\"psk x509 rpk\"). coap has no security at all and must say so in words:\n"
	"# { uri = \"coap://127.0.0.1:5683\"; security = \"none\"; }\n"
	"listeners = (\n"
	"  { uri = \"coaps://[::]:5684\"; security = \"psk\"; }\n"
	");\n\n"
	"# The CAs whose certificates devices may knock with; without any, none is let in. Of a file\n"
	"# each certificate is a trust anchor. ignore_leaf_expiry: for certificates that were issued\n"
	"# once, in the factory, and are never renewed.\n"
	"# revocation must be given: hard refuses a device when nobody can say whether its certificate\n"
	"# is revoked, soft lets it in then and says so, off asks nobody. Responders are asked by http,\n"
	"# those that the certificates name. Also:\n"
	"#   for            servers: lets no device in, and judges the certificates of servers that\n"
	"#                  devices are given (as every trust does); devices\n"
	"#   no_source      allow: certificates for which there is neither responder nor list; refuse\n"
	"#   ask_about      leaf: not about the CAs between; chain\n"
	"#   responder_url  ask this one instead; \"http://ocsp.example.com/\"\n"
	"#   allow_hosts    certificates may name only these: [ \"ocsp.example.com\", \"*.ca.example\" ]\n"
	"#   crl_files      revocation lists of these CAs, read at start and on SIGHUP: [ \"ca.crl\" ]\n"
	"#   stale_grace    how long the last good answer serves when there is no newer one: \"1d\"\n"
	"#   max_age        an older answer does not count: \"7d\"; \"1d\" when it names no next update\n"
	"#   nonce          prefer, require or off\n"
	"#   allow_sha1     answers signed with SHA-1 count: false\n"
	"#   any_responder  a long-lived responder without id-pkix-ocsp-nocheck counts: false\n"
	"trust = (\n"
	"  # { name = \"factory\"; file = \"factory-ca.pem\"; revocation = \"hard\"; }\n"
	");\n\n"
	"# Which credential may call itself which endpoint; the first rule that grants decides.\n"
	"#   psk mapped    the endpoint whose profile names this identity\n"
	"#   psk same      the endpoint whose name is the identity\n"
	"#   psk pattern   identity = \"gw-*\"; endpoint = \"gw-*/*\": any registered one that fits\n"
	"#   x509 mapped   the endpoint whose profile names this certificate\n"
	"#   x509 KIND     trust = \"factory\"; the endpoint that a certificate of these CAs names. KIND:\n"
	"#                 cn, subject-serial, san-uri, san-dns, serial, issuer-serial, spki-sha256,\n"
	"#                 cert-sha256; with endpoint = \"urn:imei:*\" the value stands for the *\n"
	"#   rpk mapped    the endpoint whose profile names this raw public key\n"
	"#   nosec named   endpoints whose profile says that they knock without credentials\n"
	"auth: {\n"
	"  rules = (\n"
	"    { credential = \"psk\"; rule = \"mapped\"; }\n"
	"  );\n"
	"};\n\n"
	"# LwM2M Servers that are told of a device's credential before the device registers with them;\n"
	"# \"handoff\" of a server in a profile names one. Over http only on this machine, unless insecure\n"
	"# says that the net between is trusted; over https its certificate is judged.\n"
	"#   driver      leshan: the REST interface of Leshan's server demo; thingsboard, coiote: those of the\n"
	"#               platforms; http: any other, by templates (tell, drop, forget, test, trigger); exec: a program\n"
	"#   token_file  a file whose first line is the platform's token; thingsboard: an API key\n"
	"#   ca_file     judge its certificate by these CAs, PEM, and not by the system's\n"
	"#   timeout     of one request: \"10s\"\n"
	"#   grace       how long it stays open what a device has when its answer to Finish is not known: \"1d\"\n"
	"lwm2m_servers = (\n"
	"  # { name = \"eu\"; driver = \"leshan\"; url = \"http://127.0.0.1:8080\"; },\n"
	"  # { name = \"tb\"; driver = \"thingsboard\"; url = \"https://tb.example.com\"; token_file = \"tb.key\";\n"
	"  #   device_profile = \"784f394c-42b6-435a-983c-b7beff2784f9\"; },\n"
	"  # { name = \"co\"; driver = \"coiote\"; url = \"https://coiote.example.com\"; login = \"bsserver\";\n"
	"  #   password_file = \"co.password\"; domain = \"/example/meters/\"; }\n"
	");\n\n"
	"# Folders with OMA object definitions (*.xml), beside those that are built in.\n"
	"object_dirs = [];\n\n";

void
conf_write_template(struct gbuf *out)
{
	static const char *const sections[] = { "credentials", "status", "store", "api", "bootstrap", "registry", "transport", "log" };

	gbuf_str(out, template_head);
	for (size_t i = 0; i < N_ELEMS(sections); i++)
		write_section(out, sections[i]);
}
