/* The configuration file: the template is complete and fine, and each mistake is named with its
 * place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/conf/options.h"
#include "tests/unit/unit.h"

#define TRUST "trust = ( { name = \"f\"; file = \"f.pem\"; revocation = \"hard\"; } );\n"
#define LISTEN "listeners = ( { uri = \"coaps://[::]:5684\"; security = \"psk\"; } );\n"
#define RULES "auth: { rules = ( { credential = \"psk\"; rule = \"mapped\"; } ); };\n"

START_TEST(the_template_loads_with_the_defaults)
{
	struct gbuf text = { 0 };
	struct conf c;
	struct err e = { 0 };

	conf_write_template(&text);
	ck_assert_msg(
	    conf_parse("/etc/x/bsserver.conf", gbuf_cstr(&text), &c, &e) == ERR_OK, "%s", e.msg);
	ck_assert_uint_eq(c.n_listeners, 1);
	ck_assert(c.listeners[0].secure);
	ck_assert_str_eq(c.listeners[0].host, "::");
	ck_assert_uint_eq(c.listeners[0].port, 5684);
	ck_assert_str_eq(c.store_uri, "sqlite:/etc/x/store.db");
	ck_assert_str_eq(c.store_key, "/etc/x/store.key");
	ck_assert_str_eq(c.api_socket, "/etc/x/api.sock");
	ck_assert_int_eq(c.max_handshakes, 256);
	ck_assert(c.cbc);
	conf_clear(&c);
	gbuf_clear(&text);
}
END_TEST

START_TEST(certificates_are_configured)
{
	struct conf c;
	struct err e = { 0 };
	enum err_code rc = conf_parse("/etc/x/f.conf",
	    "listeners = ( { uri = \"coaps://[::]:5684\"; security = \"psk x509\"; },\n"
	    "  { uri = \"coaps://[::]:5694\"; security = \" rpk \"; } );\n" TRUST
	    "credentials: { certificate_file = \"bs.pem\"; key = \"pkcs11:token=t;object=k\"; };\n"
	    "auth: { rules = ( { credential = \"x509\"; rule = \"cn\"; trust = \"f\"; endpoint = "
	    "\"urn:*\"; } ); };\n",
	    &c, &e);

	ck_assert_msg(rc == ERR_OK, "%s", e.msg);
	ck_assert(c.listeners[0].psk && c.listeners[0].x509 && !c.listeners[0].rpk);
	ck_assert(!c.listeners[1].psk && !c.listeners[1].x509 && c.listeners[1].rpk);
	ck_assert_uint_eq(c.n_trust, 1);
	ck_assert_str_eq(c.trust[0].name, "f");
	ck_assert_str_eq(c.trust[0].file, "/etc/x/f.pem");
	ck_assert(!c.trust[0].ignore_leaf_expiry);
	ck_assert_str_eq(c.certificate_file, "/etc/x/bs.pem");
	ck_assert_str_eq(c.key, "pkcs11:token=t;object=k");
	ck_assert_str_eq(c.pin_file, "");
	ck_assert_str_eq(c.rules[0].trust, "f");
	ck_assert_str_eq(c.rules[0].endpoint, "urn:*");
	conf_clear(&c);
}
END_TEST

START_TEST(devices_register_where_it_says_and_nowhere_else)
{
	struct conf c = { 0 };
	struct err e = { 0 };

	ck_assert_msg(conf_parse("f.conf", LISTEN RULES, &c, &e) == ERR_OK, "%s", e.msg);
	ck_assert_uint_eq(c.n_registry_listeners, 0);
	ck_assert_str_eq(c.registry_uri, "");
	conf_clear(&c);
	ck_assert_msg(conf_parse("f.conf", LISTEN RULES
		"registry: { uri = \"coaps://bs.example:5686\"; max_devices = 7; listeners = (\n"
		"{ uri = \"coaps://[::]:5686\"; security = \"psk x509 rpk\"; },\n"
		"{ uri = \"coap://127.0.0.1:5685\"; security = \"none\"; } ); };", &c, &e) == ERR_OK, "%s", e.msg);
	ck_assert_uint_eq(c.n_listeners, 1);
	ck_assert_uint_eq(c.n_registry_listeners, 2);
	ck_assert(c.registry_listeners[0].psk && c.registry_listeners[0].x509 && c.registry_listeners[0].rpk);
	ck_assert(c.registry_listeners[0].secure && !c.registry_listeners[1].secure);
	ck_assert_uint_eq(c.registry_listeners[1].port, 5685);
	ck_assert_str_eq(c.registry_uri, "coaps://bs.example:5686");
	ck_assert_int_eq(c.registry_max, 7);
	conf_clear(&c);
}
END_TEST

static const struct {
	const char *text, *message;
} bad[] = {
	{ "", "f.conf:0: listeners: there must be at least one" },
	{ "listeners = (", "f.conf:1: syntax error" },
	{ LISTEN,
	    "f.conf:0: auth.rules: there must be at least one: without a rule nobody is let in" },
	{ LISTEN RULES "store: { ur = \"x\"; };",
	    "f.conf:3: store.ur: no such setting (did you mean store.uri?)" },
	{ LISTEN RULES "registry: { listeners = ( { uri = \"coaps://[::]:1\"; security = \"psk x508\"; } ); };",
	    "f.conf:3: coaps://[::]:1: security must be \"psk\", \"x509\", \"rpk\" or several of them" },
	{ LISTEN RULES "registry: { listener = 1; };",
	    "f.conf:3: registry.listener: no such setting (did you mean registry.listeners?)" },
	{ LISTEN RULES "nonsense = 1;", "f.conf:3: nonsense: no such setting" },
	{ LISTEN RULES "store: { uri = \"mysql:x\"; };",
	    "f.conf:3: store.uri: must begin with sqlite:" },
	{ LISTEN RULES "store: { sessions_kept = 0; };",
	    "f.conf:3: store.sessions_kept: must be 1 to 10000, is 0" },
	{ LISTEN RULES "store: { sessions_kept = \"x\"; };",
	    "f.conf:3: store.sessions_kept: must be a whole number" },
	{ LISTEN RULES "transport: { cbc = 1; };",
	    "f.conf:3: transport.cbc: must be true or false" },
	{ LISTEN RULES "api: { socket = \"\"; };", "f.conf:3: api.socket: must not be empty" },
	{ LISTEN RULES "log: { format = \"xml\"; };",
	    "f.conf:3: log.format: must be text or json" },
	{ "listeners = ( { uri = \"coap://127.0.0.1:5683\"; security = \"psk\"; } );\n" RULES,
	    "f.conf:1: coap://127.0.0.1:5683: coap has no security at all: say so with security = "
	    "\"none\", or use coaps" },
	{ "listeners = ( { uri = \"coap://127.0.0.1:5683\"; } );\n" RULES,
	    "f.conf:1: listeners: each is { uri = \"...\"; security = \"...\"; }" },
	{ "listeners = ( { uri = \"coaps://localhost:5684\"; security = \"psk\"; } );\n" RULES,
	    "f.conf:1: coaps://localhost:5684: the address is no IP address (names are not looked "
	    "up)" },
	{ "listeners = ( { uri = \"coaps://[::1]\"; security = \"psk\"; } );\n" RULES,
	    "f.conf:1: coaps://[::1]: needs a port behind the address, 0 to 65535 (0: any free "
	    "one)" },
	{ "listeners = ( { uri = \"coaps://1.2.3.4:99999\"; security = \"psk\"; } );\n" RULES,
	    "f.conf:1: coaps://1.2.3.4:99999: needs a port behind the address, 0 to 65535 (0: any "
	    "free one)" },
	{ "listeners = ( { uri = \"http://1.2.3.4:1\"; security = \"psk\"; } );\n" RULES,
	    "f.conf:1: http://1.2.3.4:1: must begin with coaps:// or coap://" },
	{ LISTEN "auth: { rules = ( { credential = \"psk\"; } ); };",
	    "f.conf:2: auth.rules: credential or rule is missing" },
	{ LISTEN "auth: { rules = ( { credential = \"psk\"; rule = \"pattern\"; } ); };",
	    "f.conf:2: auth.rules: identity and endpoint belong to the rule \"pattern\", and to no "
	    "other" },
	{ LISTEN RULES
	    "api: { permissions = ( { user = \"a\"; group = \"b\"; allow = \"read\"; } ); };",
	    "f.conf:3: api.permissions: needs allow, and one of user and group" },
	{ "listeners = ( { uri = \"coaps://[::]:5684\"; security = \"psk tls\"; } );\n" RULES,
	    "f.conf:1: coaps://[::]:5684: security must be \"psk\", \"x509\", \"rpk\" or several "
	    "of them" },
	{ "listeners = ( { uri = \"coaps://[::]:5684\"; security = \"psk psk\"; } );\n" RULES,
	    "f.conf:1: coaps://[::]:5684: security must be \"psk\", \"x509\", \"rpk\" or several "
	    "of them" },
	{ LISTEN RULES "trust = ( { name = \"f\"; file = \"x\";  } );",
	    "f.conf:3: revocation: is missing: must be \"hard\" or \"soft\" or \"off\"" },
	{ LISTEN RULES "trust = ( { name = \"f\"; file = \"x\"; revocation = \"maybe\"; } );",
	    "f.conf:3: revocation: must be \"hard\" or \"soft\" or \"off\"" },
	{ LISTEN RULES "trust = ( { name = \"f\"; file = \"x\"; revocation = true; } );",
	    "f.conf:3: revocation: must be \"hard\" or \"soft\" or \"off\"" },
	{ LISTEN RULES "trust = ( { name = \"f\"; file = \"x\"; revocation = \"hard\"; no_source = "
	               "\"yes\"; } );",
	    "f.conf:3: no_source: must be \"refuse\" or \"allow\"" },
	{ LISTEN RULES "trust = ( { name = \"f\"; file = \"x\"; revocation = \"hard\"; ask_about = "
	               "\"all\"; } );",
	    "f.conf:3: ask_about: must be \"chain\" or \"leaf\"" },
	{ LISTEN RULES
	    "trust = ( { name = \"f\"; file = \"x\"; revocation = \"hard\"; nonce = \"no\"; } );",
	    "f.conf:3: nonce: must be \"prefer\" or \"require\" or \"off\"" },
	{ LISTEN RULES "trust = ( { name = \"f\"; file = \"x\"; revocation = \"hard\"; stale_grace "
	               "= \"soon\"; } );",
	    "f.conf:3: stale_grace: must be a time: seconds, or \"30s\", \"5m\", \"1h\", \"2d\"" },
	{ LISTEN RULES
	    "trust = ( { name = \"f\"; file = \"x\"; revocation = \"hard\"; max_age = -1; } );",
	    "f.conf:3: max_age: must be a time: seconds, or \"30s\", \"5m\", \"1h\", \"2d\"" },
	{ LISTEN RULES "trust = ( { name = \"f\"; file = \"x\"; revocation = \"hard\"; crl_files = "
	               "\"x.crl\"; } );",
	    "f.conf:3: crl_files: must be a list of 1 to 16 strings" },
	{ LISTEN RULES
	    "trust = ( { name = \"f\"; file = \"x\"; revocation = \"hard\"; allow_hosts = []; } );",
	    "f.conf:3: allow_hosts: must be a list of 1 to 16 strings" },
	{ LISTEN RULES "trust = ( { name = \"f\"; file = \"x\"; revocation = \"hard\"; allow_hosts "
	               "= [ 1 ]; } );",
	    "f.conf:3: allow_hosts: each is a string" },
	{ LISTEN RULES "trust = ( { name = \"f\"; file = \"x\"; revocation = \"hard\"; allow_sha1 "
	               "= \"no\"; } );",
	    "f.conf:3: allow_sha1: must be true or false" },
	{ LISTEN RULES "trust = ( { name = \"f\"; } );",
	    "f.conf:3: trust: each is { name = \"...\"; file = \"...\"; revocation = \"...\"; }" },
	{ LISTEN RULES "trust = ( { name = \"f\"; file = \"x\"; fil = \"y\"; } );",
	    "f.conf:3: trust: no such setting: fil (did you mean file?)" },
	{ LISTEN RULES "trust = ( { name = \"f\"; file = \"x\"; revocation = \"off\"; }, { name = "
	               "\"f\"; file = \"y\"; revocation = \"off\"; } );",
	    "f.conf:3: trust: two have the same name" },
	{ LISTEN RULES "trust = ( { name = \"f\"; file = \"x\"; ignore_leaf_expiry = 1; } );",
	    "f.conf:3: ignore_leaf_expiry: must be true or false" },
	{ LISTEN TRUST "auth: { rules = ( { credential = \"x509\"; rule = \"cn\"; } ); };",
	    "f.conf:3: auth.rules: trust is missing: which CAs may name devices in this way" },
	{ LISTEN TRUST
	    "auth: { rules = ( { credential = \"x509\"; rule = \"cn\"; trust = \"g\"; } ); };",
	    "f.conf:3: g: no trust is called that" },
	{ LISTEN "trust = ( { name = \"f\"; file = \"x\"; for = \"servers\"; revocation = \"off\"; } );\n"
	    "auth: { rules = ( { credential = \"x509\"; rule = \"cn\"; trust = \"f\"; } ); };",
	    "f.conf:3: f: is a trust for servers: no device comes under it" },
	{ LISTEN TRUST
	    "auth: { rules = ( { credential = \"x509\"; rule = \"mapped\"; trust = \"f\"; } ); };",
	    "f.conf:3: auth.rules: trust belongs to rules that take the endpoint from a "
	    "certificate, and to no other" },
	{ LISTEN
	    "auth: { rules = ( { credential = \"psk\"; rule = \"mapped\"; endpont = \"x\"; } ); };",
	    "f.conf:2: auth.rules: no such setting: endpont (did you mean endpoint?)" },
	{ LISTEN RULES "object_dirs = [ 1 ];", "f.conf:3: object_dirs: each is a string" },
};

START_TEST(a_mistake_is_named_with_its_line)
{
	struct conf c;
	struct err e = { 0 };

	ck_assert_int_ne(conf_parse("f.conf", bad[_i].text, &c, &e), ERR_OK);
	ck_assert_str_eq(e.msg, bad[_i].message);
}
END_TEST

#define SERVER(members) LISTEN RULES "lwm2m_servers = ( { " members " } );"
#define EU "name = \"eu\"; driver = \"leshan\"; "
#define TB "name = \"eu\"; driver = \"thingsboard\"; url = \"https://x\"; "
#define CO "name = \"eu\"; driver = \"coiote\"; url = \"https://x\"; "
#define NO_LOGIN "f.conf:3: eu: this driver needs a token_file, or a login with its password_file"
#define WHAT_IT_IS "f.conf:3: lwm2m_servers: each is { name = \"...\"; driver = \"...\"; url = \"...\"; }"
#define ONE_OF_BOTH "f.conf:3: eu: program belongs to driver \"exec\", url to every other, and each must be there"
#define A_PROGRAM "f.conf:3: program: must be a list of 1 to 16 strings: the program and its arguments"
static const struct {
	const char *text, *message;
} bad_servers[] = {
	{ LISTEN RULES "lwm2m_servers = 1;", "f.conf:3: lwm2m_servers: must be a list: ( ... )" },
	{ LISTEN RULES "lwm2m_servers = ( 1 );", WHAT_IT_IS },
	{ SERVER("driver = \"leshan\"; url = \"https://x\";"), WHAT_IT_IS },
	{ SERVER("name = \"eu\"; url = \"https://x\";"), WHAT_IT_IS },
	{ SERVER("name = \"\"; driver = \"leshan\";"), "f.conf:3: name: must be a string that is not empty" },
	{ SERVER("name = 7; driver = \"leshan\";"), "f.conf:3: name: must be a string that is not empty" },
	{ SERVER("name = \"a\\nb\"; driver = \"leshan\"; url = \"https://x\";"),
	    "f.conf:3: name: must be printable, and 64 octets at most" },
	{ SERVER("name = \"0123456789012345678901234567890123456789012345678901234567890123x\"; driver = \"leshan\"; "
		 "url = \"https://x\";"), "f.conf:3: name: must be printable, and 64 octets at most" },
	{ SERVER(EU "ulr = \"https://x\";"), "f.conf:3: lwm2m_servers: no such setting: ulr (did you mean url?)" },
	{ SERVER(EU "user = \"x\"; url = \"https://x\";"), "f.conf:3: lwm2m_servers: no such setting: user" },
	{ SERVER(EU), ONE_OF_BOTH },
	{ SERVER(EU "program = [ \"x\" ];"), ONE_OF_BOTH },
	{ SERVER(EU "program = [ \"x\" ]; url = \"https://x\";"), ONE_OF_BOTH },
	{ SERVER("name = \"eu\"; driver = \"exec\"; url = \"https://x\";"), ONE_OF_BOTH },
	{ SERVER("name = \"eu\"; driver = \"exec\"; program = \"x\";"), A_PROGRAM },
	{ SERVER("name = \"eu\"; driver = \"exec\"; program = [];"), A_PROGRAM },
	{ SERVER("name = \"eu\"; driver = \"exec\"; program = [ 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17 ];"), A_PROGRAM },
	{ SERVER("name = \"eu\"; driver = \"exec\"; program = [ 1 ];"), "f.conf:3: program: each is a string" },
	{ SERVER("name = \"eu\"; driver = \"exec\"; program = [ \"x\" ]; token_file = \"t\";"),
	    "f.conf:3: token_file: belongs to a server with a url" },
	{ SERVER("name = \"eu\"; driver = \"exec\"; program = [ \"x\" ]; ca_file = \"t\";"),
	    "f.conf:3: ca_file: belongs to a server with a url" },
	{ SERVER("name = \"eu\"; driver = \"exec\"; program = [ \"x\" ]; drop_body = \"t\";"),
	    "f.conf:3: drop_body: belongs to driver \"http\"" },
	{ SERVER(EU "url = \"https://x\"; tell = \"PUT /\";"), "f.conf:3: tell: belongs to driver \"http\"" },
	{ SERVER(EU "url = \"https://x\"; token_type = \"bearer\";"), "f.conf:3: token_type: belongs to driver \"thingsboard\"" },
	{ SERVER(EU "url = \"https://x\"; login = \"x\";"),
	    "f.conf:3: login: belongs to drivers \"thingsboard\" and \"coiote\"" },
	{ SERVER(EU "url = \"https://x\"; domain = \"/\";"), "f.conf:3: domain: belongs to driver \"coiote\"" },
	{ SERVER(TB "domain = \"/\"; token_file = \"t\";"), "f.conf:3: domain: belongs to driver \"coiote\"" },
	{ SERVER(TB "tell = \"PUT /\"; token_file = \"t\";"), "f.conf:3: tell: belongs to driver \"http\"" },
	{ SERVER(CO "device_profile = \"x\"; token_file = \"t\";"), "f.conf:3: device_profile: belongs to driver \"thingsboard\"" },
	{ SERVER(CO "token_type = \"bearer\"; token_file = \"t\";"), "f.conf:3: token_type: belongs to driver \"thingsboard\"" },
	{ SERVER(TB "token_type = \"basic\"; token_file = \"t\";"),
	    "f.conf:3: token_type: must be \"api_key\" or \"bearer\"" },
	{ SERVER(TB "token_type = \"bearer\"; login = \"x\"; password_file = \"p\";"),
	    "f.conf:3: token_type: there is no token_file that it belongs to" },
	{ SERVER(TB), NO_LOGIN },
	{ SERVER(CO), NO_LOGIN },
	{ SERVER(TB "login = \"x\";"), NO_LOGIN },
	{ SERVER(TB "password_file = \"x\";"), NO_LOGIN },
	{ SERVER(CO "password_file = \"x\"; token_file = \"t\";"), NO_LOGIN },
	{ SERVER(CO "login = \"x\"; password_file = \"x\"; token_file = \"t\";"), NO_LOGIN },
	{ SERVER(EU "url = \"ftp://x\";"), "f.conf:3: url: must begin with https:// or http://" },
	{ SERVER(EU "url = \"https://a:b@x\";"),
	    "f.conf:3: url: takes no user, query or fragment: a token belongs into token_file" },
	{ SERVER(EU "url = \"https://x/?a\";"),
	    "f.conf:3: url: takes no user, query or fragment: a token belongs into token_file" },
	{ SERVER(EU "url = \"http://127.0.0.1:1@evil.example\";"),
	    "f.conf:3: url: takes no user, query or fragment: a token belongs into token_file" },
	{ SERVER(EU "url = \"https://x/\";"), "f.conf:3: url: ends without a slash" },
	{ SERVER(EU "url = \"https://\";"), "f.conf:3: url: ends without a slash" },
	{ SERVER(EU "url = \"https://x\\r\\nX: y\";"),
	    "f.conf:3: url: has a blank, a backslash or a character that is not printable in it" },
	{ SERVER(EU "url = \"http://localhost\\\\.evil.example\";"),
	    "f.conf:3: url: has a blank, a backslash or a character that is not printable in it" },
	{ SERVER(EU "url = \"http://127.0.0.1.evil.example\";"),
	    "f.conf:3: url: credentials would go over the net in the clear: use https, or say insecure = true" },
	{ SERVER(EU "url = \"http://localhost\"; ca_file = \"x\";"), "f.conf:3: ca_file: belongs to https" },
	{ SERVER(EU "url = \"https://x\"; timeout = 0;"), "f.conf:3: timeout: must be a second at least" },
	{ SERVER(EU "url = \"https://x\"; timeout = 61;"), "f.conf:3: timeout: is too long" },
	{ SERVER(EU "url = \"https://x\"; grace = \"31d\";"), "f.conf:3: grace: is too long" },
	{ SERVER(EU "url = \"https://x\"; grace = -1;"),
	    "f.conf:3: grace: must be a time: seconds, or \"30s\", \"5m\", \"1h\", \"2d\"" },
	{ SERVER(EU "url = \"https://x\"; several = 1;"), "f.conf:3: several: must be true or false" },
	{ SERVER(EU "url = \"http://x\"; insecure = \"yes\";"), "f.conf:3: insecure: must be true or false" },
	{ SERVER(EU "url = \"https://x\"; }, { " EU "url = \"https://y\";"),
	    "f.conf:3: eu: two LwM2M Servers have the same name" },
};

START_TEST(a_mistake_about_an_lwm2m_server_is_named_with_its_line)
{
	struct conf c;
	struct err e = { 0 };

	ck_assert_int_ne(conf_parse("f.conf", bad_servers[_i].text, &c, &e), ERR_OK);
	ck_assert_str_eq(e.msg, bad_servers[_i].message);
}
END_TEST

#define TB_NAMED "name = \"d\"; driver = \"thingsboard\"; url = \"https://d\"; "
#define CO_NAMED "name = \"e\"; driver = \"coiote\"; url = \"https://e\"; "

START_TEST(lwm2m_servers_are_configured)
{
	struct conf c = { 0 };
	struct err e = { 0 };

	ck_assert_msg(conf_parse("/etc/x/f.conf", SERVER("name = \"a\"; driver = \"http\"; url = \"http://[::1]:80/b\"; "
		"token_file = \"t\"; tell = \"PUT /\"; timeout = \"1m\"; several = true; }, { name = \"b\"; driver = \"exec\"; "
		"program = [ \"p\", \"q\" ]; grace = 0; }, { name = \"c\"; driver = \"leshan\"; url = \"http://c\"; insecure = true; }, "
		"{ " TB_NAMED "login = \"op\"; password_file = \"p\"; device_profile = \"u\"; }, { " CO_NAMED "token_file = \"t\"; "
		"domain = \"/d/\";"),
	    &c, &e) == ERR_OK, "%s", e.msg);
	ck_assert_uint_eq(c.n_servers, 5);
	ck_assert_str_eq(c.servers[0].url, "http://[::1]:80/b");
	ck_assert_str_eq(c.servers[0].token_file, "/etc/x/t");
	ck_assert_str_eq(c.servers[0].tell, "PUT /");
	ck_assert_int_eq(c.servers[0].timeout_s, 60);
	ck_assert_int_eq(c.servers[0].grace_s, 86400);
	ck_assert(c.servers[0].several && !c.servers[1].several);
	ck_assert_str_eq(c.servers[1].program[0], "/etc/x/p");
	ck_assert_str_eq(c.servers[1].program[1], "q");
	ck_assert_ptr_null(c.servers[1].program[2]);
	ck_assert_int_eq(c.servers[1].grace_s, 0);
	ck_assert_str_eq(c.servers[3].login, "op");
	ck_assert_str_eq(c.servers[3].password_file, "/etc/x/p");
	ck_assert_str_eq(c.servers[3].device_profile, "u");
	ck_assert_str_eq(c.servers[4].domain, "/d/");
	conf_clear(&c);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_said_so)
{
	struct conf c;
	struct err e = { 0 };

	ck_assert_int_eq(conf_load("/nonexistent/f.conf", &c, &e), ERR_NOT_FOUND);
	ck_assert_str_eq(e.msg, "/nonexistent/f.conf: cannot be read");
}
END_TEST

START_TEST(revocation_is_configured_for_each_trust)
{
	struct conf c;
	struct err e;
	enum err_code rc = conf_parse("/etc/x/f.conf",
	    LISTEN RULES "trust = ( { name = \"a\"; file = \"a.pem\"; revocation = \"soft\"; "
	                 "no_source = \"allow\";\n"
	                 "  responder_url = \"http://ocsp.example/\"; allow_hosts = [ "
	                 "\"a.example\", \"*.b\" ];\n"
	                 "  crl_files = [ \"a.crl\", \"/b.crl\" ]; stale_grace = \"2d\"; max_age = "
	                 "60; allow_sha1 = true; },\n"
	                 "  { name = \"b\"; file = \"b.pem\"; for = \"servers\"; revocation = \"off\"; } );",
	    &c, &e);

	ck_assert_msg(rc == ERR_OK, "%s", e.msg);
	ck_assert_str_eq(c.trust[0].revocation, "soft");
	ck_assert_str_eq(c.trust[0].no_source, "allow");
	ck_assert_str_eq(c.trust[0].responder_url, "http://ocsp.example/");
	ck_assert_uint_eq(c.trust[0].n_allow_hosts, 2);
	ck_assert_str_eq(c.trust[0].allow_hosts[1], "*.b");
	ck_assert_uint_eq(c.trust[0].n_crl_files, 2);
	ck_assert_str_eq(c.trust[0].crl_files[0], "/etc/x/a.crl");
	ck_assert_str_eq(c.trust[0].crl_files[1], "/b.crl");
	ck_assert_int_eq(c.trust[0].stale_grace_s, 172800);
	ck_assert_int_eq(c.trust[0].max_age_s, 60);
	ck_assert(c.trust[0].allow_sha1);
	ck_assert_str_eq(c.trust[0].purpose, "devices");
	ck_assert_str_eq(c.trust[1].purpose, "servers");
	ck_assert_str_eq(c.trust[1].no_source, "refuse");
	ck_assert_str_eq(c.trust[1].ask_about, "chain");
	ck_assert_str_eq(c.trust[1].nonce, "prefer");
	ck_assert_int_eq(c.trust[1].stale_grace_s, -1);
	ck_assert_ptr_null(c.trust[1].responder_url);
	conf_clear(&c);
}
END_TEST

static char *
read_manual(void)
{
	const char *src = getenv("SRCDIR");
	char name[1024], *text = calloc(1, 1 << 16);

	(void)snprintf(name, sizeof name, "%s/docs/man/bsserver.conf.5", src != NULL ? src : ".");
	FILE *f = fopen(name, "r");
	ck_assert_msg(f != NULL && text != NULL, "%s cannot be read", name);
	ck_assert_uint_lt(fread(text, 1, (1 << 16) - 1, f), (1 << 16) - 1);
	(void)fclose(f);
	return text;
}

/* As mdoc(7) spells a default. */
static void
put_default(struct gbuf *out, const char *value)
{
	for (; *value != 0; value++)
		if (*value == '"' || *value == '-')
			gbuf_str(out, *value == '"' ? "\\(dq" : "\\-");
		else
			gbuf_u8(out, (uint8_t)*value);
}

START_TEST(the_manual_tells_each_setting_with_its_default_and_range)
{
	char *text = read_manual(), range[64];

	for (size_t i = 0; i < conf_n_options; i++) {
		const struct conf_option *o = &conf_options[i];
		struct gbuf item = { 0 };

		gbuf_printf(&item, "\n.It Ic %s = ", o->name);
		put_default(&item, o->value);
		gbuf_u8(&item, '\n');
		char *at = strstr(text, gbuf_cstr(&item)), *next;
		ck_assert_msg(at != NULL, "bsserver.conf.5 has no%s", gbuf_cstr(&item));
		next = strstr(at + 1, "\n.It ");
		(void)snprintf(range, sizeof range, "\nFrom %lld to %lld.\n", (long long)o->min, (long long)o->max);
		char *said = strstr(at, range);
		ck_assert_msg(o->kind != CONF_INTEGER || (said != NULL && (next == NULL || said < next)),
		    "%s: bsserver.conf.5 does not say: %s", o->name, range);
		gbuf_clear(&item);
	}
	for (size_t i = 0; i < conf_n_lists; i++) {
		(void)snprintf(range, sizeof range, "\n.It Ic %s\n", conf_lists[i]);
		ck_assert_msg(strstr(text, range) != NULL, "bsserver.conf.5 has no%s", range);
	}
	free(text);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(the_manual_tells_each_setting_with_its_default_and_range, 0),
	UNIT_CASE(the_template_loads_with_the_defaults, 0),
	UNIT_CASE(certificates_are_configured, 0),
	UNIT_CASE(revocation_is_configured_for_each_trust, 0),
	UNIT_CASE(a_mistake_is_named_with_its_line, N_ELEMS(bad)),
	UNIT_CASE(a_mistake_about_an_lwm2m_server_is_named_with_its_line, N_ELEMS(bad_servers)),
	UNIT_CASE(lwm2m_servers_are_configured, 0),
	UNIT_CASE(devices_register_where_it_says_and_nowhere_else, 0),
	UNIT_CASE(a_file_that_is_not_there_is_said_so, 0),
};

UNIT_SUITE_MAIN("conf", cases)
