#include <stdio.h>
#include <string.h>

#include "tests/unit/profile_kit.h"
#include "tests/unit/unit.h"

/* Documents with a hole; what fills it is right or wrong. */
#define TOP                                                                                        \
	"{ \"profile_format\": 1, \"endpoint\": \"dev\", \"bootstrap\": { \"policy\": "            \
	"\"replace\" },\n  %s }"
#define WITH_SERVER(uri, security)                                                                 \
	"{ \"profile_format\": 1, \"endpoint\": \"dev\", \"bootstrap\": { \"policy\": "            \
	"\"replace\" },\n"                                                                         \
	"  \"servers\": { \"dm\": { \"short_server_id\": 101, \"uri\": " uri                       \
	", \"security\": " security ",\n    \"lifetime\": 60%s } } }"
#define PSK "{ \"mode\": \"psk\", \"identity\": \"dev\", \"key\": { \"generate\": 16 } }"
#define SERVER WITH_SERVER("\"coaps://dm.example.com\"", PSK)
#define ACCOUNT                                                                                    \
	"{ \"profile_format\": 1, \"endpoint\": \"dev\", \"bootstrap\": { \"policy\": "            \
	"\"replace\" },\n"                                                                         \
	"  \"servers\": { \"dm\": { \"short_server_id\": 101, \"uri\": %s } } }"
#define SECURITY ACCOUNT_AT("coaps://dm.example.com")
#define ACCOUNT_AT(uri)                                                                            \
	"{ \"profile_format\": 1, \"endpoint\": \"dev\", \"bootstrap\": { \"policy\": "            \
	"\"replace\" },\n"                                                                         \
	"  \"servers\": { \"dm\": { \"short_server_id\": 101, \"uri\": \"" uri                     \
	"\", \"security\": { %s } } } }"
#define NOSEC(ssid, uri)                                                                           \
	"\"short_server_id\": " ssid ", \"uri\": \"" uri "\", \"security\": { \"mode\": "          \
	"\"nosec\" }"
#define TWO(more)                                                                                  \
	"{ \"profile_format\": 1, \"endpoint\": \"dev\", \"bootstrap\": { \"policy\": "            \
	"\"replace\" },\n"                                                                         \
	"  \"servers\": {\n    \"dm\": { " NOSEC("1", "coap://a") " },\n    \"b\": { " NOSEC(      \
	    "2", "coap://b") more " } } %s }"
#define ACL                                                                                        \
	"{ \"profile_format\": 1, \"endpoint\": \"dev\", \"bootstrap\": { \"policy\": "            \
	"\"replace\" },\n"                                                                         \
	"  \"servers\": {\n    \"dm\": { \"short_server_id\": 101, \"uri\": "                      \
	"\"coap://a.example.com\", \"security\": "                                                 \
	"{ \"mode\": \"nosec\" } } },\n  \"access_control\": { %s } }"
#define OBJECTS                                                                                    \
	"{ \"profile_format\": 1, \"endpoint\": \"dev\", \"bootstrap\": { \"policy\": "            \
	"\"replace\" },\n"                                                                         \
	"  \"objects\": { %s } }"
#define BOOTSTRAP "{ \"profile_format\": 1, \"endpoint\": \"dev\", \"bootstrap\": { %s } }"
#define KNOCK                                                                                      \
	"{ \"profile_format\": 1, \"endpoint\": \"dev\", \"bootstrap\": { \"policy\": "            \
	"\"replace\" },\n"                                                                         \
	"  \"credentials\": { \"bootstrap\": { %s } } }"
#define SHARED "{ \"profile_format\": 1, \"profile\": \"p\",\n  %s }"
#define K16 "\"000102030405060708090a0b0c0d0e0f\""
#define K16B "\"100102030405060708090a0b0c0d0e0f\""

#define FORGETS                                                                                    \
	"{ \"profile_format\": 1, \"endpoint\": \"dev\", \"servers\": { \"dm\": { " NOSEC("1", "coap://a.example.com") ",\n %s }"

struct row {
	const char *rule, *text, *bad, *path, *reason, *good;
};

/* clang-format off */
static const struct row rows[] = {
	{ "kind", "@{ \"profile_format\": 1, \"bootstrap\": { \"policy\": \"replace\" }%s }", "", "",
	  "neither \"endpoint\" nor \"profile\" says what the document is for", ", \"endpoint\": \"dev\"" },
	{ "kind", TOP, "@\"profile\": \"p\"", "/profile", "\"endpoint\" and \"profile\" at once", "\"x_profile\": \"p\"" },
	{ "kind", "{ \"profile_format\": 1, \"profile\": %s }", "@\"a b\"", "/profile",
	  "must be a printable name of 1 to 255 octets without blanks and slashes, and not begin with a dot", "\"a-b\"" },
	{ "kind", "{ \"profile_format\": 1, \"bootstrap\": { \"policy\": \"merge\" }, \"endpoint\": %s }", "@\"\"", "/endpoint",
	  "must be a printable name of 1 to 255 octets", "\"urn:x y\"" },
	{ "format", "@{ \"profile\": \"p\"%s }", "", "/profile_format", "\"profile_format\": 1 is missing", ", \"profile_format\": 1" },
	{ "format", "{ \"profile\": \"p\", \"profile_format\": %s }", "@2", "/profile_format",
	  "must be 1: no other version of the format is known", "1" },
	{ "unknown-key", TOP, "@\"server\": {}", "/server", "unknown key \"server\"; did you mean \"servers\"?", "\"servers\": {}" },
	{ "unknown-key", TOP, "@\"zzzzzzzz\": {}", "/zzzzzzzz", "unknown key \"zzzzzzzz\"", "\"x_zzzzzz\": {}" },
	{ "unknown-key", SERVER, ", @\"lifetim\": 60", "/servers/dm/lifetim", "unknown key \"lifetim\"; did you mean \"lifetime\"?", ", \"x_lifetim\": 1" },
	{ "unknown-key", SECURITY, "@\"uri\": \"coap://x\", \"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"generate\": 16 }",
	  "/servers/dm/security/uri", "unknown key \"uri\"", "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"generate\": 16 }" },
	{ "unknown-key", OBJECTS, "\"/3/0\": { @\"timezon\": \"x\" }", "/objects/~13~10/timezon",
	  "unknown key \"timezon\"; did you mean \"timezone\"?", "\"/3/0\": { \"timezone\": \"x\" }" },
	{ "unknown-key", "{ \"profile_format\": 1, \"profile\": \"p\", \"servers\": { %s: {} } }", "@\"default\"", "/servers/default",
	  "\"default\" has a meaning of its own and names no server", "\"dflt\"" },
	{ "unknown-key", "{ \"profile_format\": 1, \"profile\": \"p\", \"servers\": { %s: {} } }", "@\"101\"", "/servers/101",
	  "a local name is no number and has no slash in it", "\"dm101\"" },
	{ "two-spellings", SERVER, ", \"min_period\": 1, @\"default_minimum_period\": 2", "/servers/dm/default_minimum_period",
	  "\"min_period\" and \"default_minimum_period\" are one resource", ", \"min_period\": 1, \"default_maximum_period\": 2" },
	{ "two-spellings", SERVER, ", @\"endpoints\": [ { \"uri\": \"coaps://x\" } ]", "/servers/dm/endpoints", "\"uri\" and \"endpoints\" at once", "" },
	{ "type", SERVER, ", \"trigger\": @1", "/servers/dm/trigger", "must be true or false, is a number", ", \"trigger\": true" },
	{ "type", SERVER, ", \"registration_priority_order\": @\"1\"", "/servers/dm/registration_priority_order",
	  "must be a whole number, is a string", ", \"registration_priority_order\": 1" },
	{ "type", TOP, "\"servers\": @[]", "/servers", "must be an object, is a list", "\"servers\": {}" },
	{ "type", TOP, "\"vars\": { \"a\": @[1] }", "/vars/a", "must be text, a number or a boolean, is a list", "\"vars\": { \"a\": 1 }" },
	{ "type", TOP, "\"labels\": { \"a\": @1 }", "/labels/a", "must be a string, is a number", "\"labels\": { \"a\": \"1\" }" },
	{ "type", OBJECTS, "\"/13/0\": { \"preferred_communications_bearer\": @4 }", "/objects/~113~10/preferred_communications_bearer",
	  "must be a list, or an object by instance number, is a number", "\"/13/0\": { \"preferred_communications_bearer\": { \"3\": 4 } }" },
	{ "type", OBJECTS, "\"/3/0\": { \"current_time\": @\"2026-02-29T00:00:00Z\" }", "/objects/~13~10/current_time",
	  "must be seconds since 1970 or text such as \"2026-01-31T23:59:59Z\", is a string", "\"/3/0\": { \"current_time\": \"2028-02-29T00:00:00Z\" }" },
	{ "range", OBJECTS, "\"/11/0\": { \"profile_name\": \"x\", \"authentication_type\": 3, \"uplink_time_unit\": @5 }",
	  "/objects/~111~10/uplink_time_unit", "must be 0..4, is 5", "\"/11/0\": { \"profile_name\": \"x\", \"authentication_type\": 3, \"uplink_time_unit\": 4 }" },
	{ "range", SERVER, ", \"disable_timeout\": @-1", "/servers/dm/disable_timeout", "must not be negative, is -1", ", \"disable_timeout\": 0" },
	{ "range", BOOTSTRAP, "\"policy\": \"merge\", \"request_timeout\": @0", "/bootstrap/request_timeout", "must be 1..3600 seconds, is 0",
	  "\"policy\": \"merge\", \"request_timeout\": 1" },
	{ "range", BOOTSTRAP, "\"policy\": \"merge\", \"request_timeout\": \"2m\", \"session_timeout\": @\"1m\"", "/bootstrap/session_timeout",
	  "a session of 60 s is over before one request of 120 s is", "\"policy\": \"merge\", \"request_timeout\": \"2m\", \"session_timeout\": \"2m\"" },
	{ "word", SECURITY, "\"mode\": @\"pks\"", "/servers/dm/security/mode", "\"pks\" is none of psk, rpk, x509, nosec, est; did you mean \"psk\"?",
	  "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"generate\": 16 }" },
	{ "word", BOOTSTRAP, "\"policy\": @\"overwrite\"", "/bootstrap/policy", "\"overwrite\" is none of incremental, replace, merge", "\"policy\": \"merge\"" },
	{ "word", BOOTSTRAP, "\"policy\": \"merge\", \"format\": @\"text\"", "/bootstrap/format",
	  "must be one of auto, senml-json, senml-cbor, tlv, lwm2m-cbor", "\"policy\": \"merge\", \"format\": \"tlv\"" },
	{ "word", ACL, "\"/3/0\": { \"owner\": \"dm\", \"acl\": { \"dm\": [ @\"raed\" ] } }", "/access_control/~13~10/acl/dm/0",
	  "\"raed\" is none of read, write, execute, delete, create; did you mean \"read\"?", "\"/3/0\": { \"owner\": \"dm\", \"acl\": { \"dm\": [ \"read\" ] } }" },
	{ "duration", SERVER, ", \"disable_timeout\": @\"1 day\"", "/servers/dm/disable_timeout",
	  "\"1 day\" is no duration: a whole number with s, m, h, d or w behind", ", \"disable_timeout\": \"1d\"" },
	{ "duration", SERVER, ", \"disable_timeout\": @\"30\"", "/servers/dm/disable_timeout",
	  "\"30\" is no duration: a whole number with s, m, h, d or w behind", ", \"disable_timeout\": 30" },
	{ "duration", OBJECTS, "\"/10/0\": { \"disable_radio_period\": @\"90s\" }", "/objects/~110~10/disable_radio_period",
	  "90s is no whole number of the resource's unit, min", "\"/10/0\": { \"disable_radio_period\": \"0s\" }" },
	{ "missing", ACCOUNT, "\"coap://x.example.com\", \"security\": @{}", "/servers/dm/security/mode", "mode is missing",
	  "\"coap://x.example.com\", \"security\": { \"mode\": \"nosec\" }" },
	{ "missing", TOP, "\"servers\": { \"dm\": @{ \"uri\": \"coap://x.example.com\", \"security\": { \"mode\": \"nosec\" } } }",
	  "/servers/dm/short_server_id", "short_server_id is missing",
	  "\"servers\": { \"dm\": { \"short_server_id\": 1, \"uri\": \"coap://x.example.com\", \"security\": { \"mode\": \"nosec\" } } }" },
	{ "missing", TOP, "\"servers\": { \"dm\": @{ \"short_server_id\": 1, \"security\": { \"mode\": \"nosec\" } } }", "/servers/dm/uri", "uri is missing",
	  "\"servers\": { \"dm\": { " NOSEC("1", "coap://a") " } }" },
	{ "missing", SECURITY, "\"mode\": \"psk\", \"key\": { \"generate\": 16 }", "/servers/dm/security/identity", "identity is missing",
	  "\"mode\": \"psk\", \"identity\": \"x\", \"key\": { \"generate\": 16 }" },
	{ "missing", ACL, "\"/3/0\": @{ \"acl\": { \"dm\": [ \"read\" ] } }", "/access_control/~13~10/owner", "owner is missing",
	  "\"/3/0\": { \"owner\": \"bootstrap\", \"acl\": { \"dm\": [ \"read\" ] } }" },
	{ "missing", KNOCK, "\"mode\": \"psk\", \"identity\": \"i\"", "/credentials/bootstrap/key", "key is missing", "\"mode\": \"nosec\"" },
	{ "unknown-parent", TOP, "\"extends\": @\"nobody\"", "/extends", "no profile \"nobody\"", "\"x_extends\": \"nobody\"" },
	{ "variable", TOP, "\"labels\": { \"a\": @\"${b}\" }", "/labels/a", "nobody defines ${b}", "\"labels\": { \"a\": \"${b:-c}\" }" },
	{ "variable", TOP, "\"labels\": { \"a\": @\"$b\" }", "/labels/a", "\"$\" alone; \"$$\" is a dollar sign", "\"labels\": { \"a\": \"$$b\" }" },
	{ "variable", TOP, "\"labels\": { \"a\": @\"${b\" }", "/labels/a", "\"${\" without \"}\"", "\"labels\": { \"a\": \"${endpoint}\" }" },
	{ "variable", TOP, "\"labels\": { \"a\": @\"${b:-${c}}\" }", "/labels/a", "variables do not nest", "\"labels\": { \"a\": \"${b:-}\" }" },
	{ "variable", TOP, "\"vars\": { @\"endpoint\": \"x\" }", "/vars/endpoint", "${endpoint} is the device's name and nothing else", "\"vars\": { \"name\": \"x\" }" },
	{ "variable", TOP, "\"vars\": { \"a\": @\"${b}\" }", "/vars/a", "variables do not nest", "\"vars\": { \"a\": \"b\" }" },
	{ "object", OBJECTS, "@\"/26241/0\": {}", "/objects/~126241~10", "object 26241 is not known", "\"/13/0\": {}" },
	{ "path", OBJECTS, "@\"/3/1\": {}", "/objects/~13~11", "object 3 has one instance, /3/0", "\"/3/0\": {}" },
	{ "path", OBJECTS, "@\"/3\": {}", "/objects/~13", "\"/3\" is no path of an instance: /OBJECT/INSTANCE", "\"/3/0\": {}" },
	{ "path", BOOTSTRAP, "\"policy\": \"merge\", \"retain\": [ @\"10\" ]", "/bootstrap/retain/0", NULL, "\"policy\": \"merge\", \"retain\": [ \"/10\" ]" },
	{ "path", ACL, "@\"/1/fota\": { \"owner\": \"dm\" }", "/access_control/~11~1fota", NULL, "\"/1/dm\": { \"owner\": \"dm\" }" },
	{ "not-writable", SERVER, ", @\"disable\": true", "/servers/dm/disable", "Disable is executed, not written", "" },
	{ "not-writable", OBJECTS, "\"/0/0\": { \"uri\": \"coap://x\", \"bootstrap_server\": @true, \"mode\": 3, \"identity\": { \"hex\": \"\" }, \"server_public_key\": { \"hex\": \"\" }, \"key\": { \"hex\": \"\" } }",
	  "/objects/~10~10/bootstrap_server", "a bootstrap account is never written whole; see \"bootstrap_account\"",
	  "\"/0/0\": { \"uri\": \"coap://x\", \"bootstrap_server\": false, \"mode\": 3, \"identity\": { \"hex\": \"\" }, \"server_public_key\": { \"hex\": \"\" }, \"key\": { \"hex\": \"\" } }" },
	{ "overlap", TOP, "\"servers\": { \"dm\": { " NOSEC("1", "coap://a") " } }, \"objects\": { @\"/1/0\": {} }", "/objects/~11~10",
	  "\"servers\" makes the instances of object 1", "\"servers\": { \"dm\": { " NOSEC("1", "coap://a") " } }, \"objects\": { \"/3/0\": {} }" },
	{ "overlap", TOP, "\"apn_connection_profiles\": { \"a\": { \"apn\": \"b\" } }, \"objects\": { @\"/11/0\": {} }", "/objects/~111~10",
	  "\"apn_connection_profiles\" makes the instances of object 11", "\"apn_connection_profiles\": {}, \"objects\": { \"/11/0\": {} }" },
	{ "duplicate-short-server-id", TOP, "\"access_control\": {}, \"servers\": { \"a\": { " NOSEC("7", "coap://a") " },\n"
	  "  \"b\": { \"short_server_id\": @7, \"uri\": \"coap+tcp://b\", \"security\": { \"mode\": \"nosec\" } } }", "/servers/b/short_server_id",
	  "Short Server ID 7 is there twice", "\"servers\": { \"a\": { " NOSEC("7", "coap://a") " }, \"b\": { " NOSEC("8", "coap://b") " } }" },
	{ "no-access-control", "{ \"profile_format\": 1, \"endpoint\": \"dev\", \"bootstrap\": { \"policy\": \"replace\" },\n"
	  " @\"servers\": { \"a\": { " NOSEC("7", "coap://a") " }, \"b\": { " NOSEC("8", "coap://b") " } }%s }", "", "/servers", "2 servers and no access_control",
	  ", \"access_control\": { \"/3/0\": { \"owner\": \"a\" } }" },
	{ "mute-send", TWO(", \"mute_send\": @false"), ", \"access_control\": { \"/3/0\": { \"owner\": \"dm\", \"acl\": { \"b\": [ \"write\" ] } } }", "/servers/b/mute_send",
	  "Send is wanted, and no rule lets server 2 read anything", ", \"access_control\": { \"/3/0\": { \"owner\": \"dm\", \"acl\": { \"b\": [ \"read\" ] } } }" },
	{ "mute-send", TWO(", \"mute_send\": @false"), ", \"access_control\": { \"/3/0\": { \"owner\": \"dm\" } }", "/servers/b/mute_send",
	  "Send is wanted, and no rule lets server 2 read anything", ", \"access_control\": { \"/3/0\": { \"owner\": \"b\" } }" },
	{ "mute-send", TWO(", \"mute_send\": @false"), ", \"access_control\": { \"/3/0\": { \"owner\": \"dm\", \"acl\": { \"b\": [], \"default\": [ \"read\" ] } } }",
	  "/servers/b/mute_send", NULL, ", \"access_control\": { \"/3/0\": { \"owner\": \"dm\", \"acl\": { \"dm\": [], \"default\": [ \"read\" ] } } }" },
	{ "overlap", ACL, "\"/1/0\": { \"owner\": \"dm\" }, @\"/1/dm\": { \"owner\": \"dm\" }", "/access_control/~11~1dm", "a second rule for /1/0", "\"/1/0\": { \"owner\": \"dm\" }" },
	{ "overlap", ACL, "\"/3/0\": { \"owner\": \"dm\", \"acl\": { \"dm\": [], \"101\": @[] } }", "/access_control/~13~10/acl/101", "is given twice",
	  "\"/3/0\": { \"owner\": \"dm\", \"acl\": { \"dm\": [], \"default\": [] } }" },
	{ "reserved-short-server-id", TOP, "\"servers\": { \"dm\": { \"short_server_id\": @65535, \"uri\": \"coap://x\", \"security\": { \"mode\": \"nosec\" } } }",
	  "/servers/dm/short_server_id", "65535 is reserved: a Short Server ID is 1..65534",
	  "\"servers\": { \"dm\": { \"short_server_id\": 65534, \"uri\": \"coap://x\", \"security\": { \"mode\": \"nosec\" } } }" },
	{ "reserved-short-server-id", TOP, "\"servers\": { \"dm\": { \"short_server_id\": @0, \"uri\": \"coap://x\", \"security\": { \"mode\": \"nosec\" } } }",
	  "/servers/dm/short_server_id", "0 is reserved: a Short Server ID is 1..65534",
	  "\"servers\": { \"dm\": { \"short_server_id\": 1, \"uri\": \"coap://x\", \"security\": { \"mode\": \"nosec\" } } }" },
	{ "duplicate-account", TOP, "\"servers\": { \"dm\": { \"short_server_id\": 1, \"security\": { \"mode\": \"nosec\" }, \"endpoints\": [ { \"uri\": \"coap://a\" }, { \"uri\": @\"coap://b\" } ] } }",
	  "/servers/dm/endpoints/1/uri", "Short Server ID 1 has two accounts on transport U",
	  "\"servers\": { \"dm\": { \"short_server_id\": 1, \"security\": { \"mode\": \"nosec\" }, \"endpoints\": [ { \"uri\": \"coap://a\" }, { \"uri\": \"coap+tcp://b\" } ] } }" },
	{ "unpaired-account", OBJECTS, "\"/1/0\": { \"short_server_id\": @1, \"lifetime\": 1, \"binding\": \"U\", \"notification_storing\": true }",
	  "/objects/~11~10/short_server_id", "Short Server ID 1 has no /0 instance", "\"/3/0\": {}" },
	{ "unpaired-account", OBJECTS, "\"/0/0\": { \"short_server_id\": @1, \"uri\": \"coap://x\", \"bootstrap_server\": false, \"mode\": 3, \"identity\": { \"hex\": \"\" }, \"server_public_key\": { \"hex\": \"\" }, \"key\": { \"hex\": \"\" } }",
	  "/objects/~10~10/short_server_id", "Short Server ID 1 has no /1 instance", "\"/3/0\": {}" },
	{ "uri", ACCOUNT, "@\"http://x.example.com\", \"security\": { \"mode\": \"nosec\" }", "/servers/dm/uri",
	  "\"http://x.example.com\" is no URI of a server: it begins with none of coap://, coaps://, coap+tcp://, coaps+tcp://, tel:, lorawan://",
	  "\"coap://x.example.com\", \"security\": { \"mode\": \"nosec\" }" },
	{ "uri", ACCOUNT, "@\"coap://\", \"security\": { \"mode\": \"nosec\" }", "/servers/dm/uri", "\"coap://\" is no URI of a server: it has no host",
	  "\"COAP://x\", \"security\": { \"mode\": \"nosec\" }" },
	{ "uri", ACCOUNT, "@\"coap://[fe80::zz]\", \"security\": { \"mode\": \"nosec\" }", "/servers/dm/uri",
	  "\"coap://[fe80::zz]\" is no URI of a server: what stands in brackets is no IPv6 address", "\"coap://[fd00::1]:5683/path?x\", \"security\": { \"mode\": \"nosec\" }" },
	{ "uri", ACCOUNT, "@\"coap://user:pw@@host\", \"security\": { \"mode\": \"nosec\" }", "/servers/dm/uri", NULL, "\"coap://x:5683\", \"security\": { \"mode\": \"nosec\" }" },
	{ "scheme-mode", ACCOUNT, "@\"coap://x.example.com\", \"security\": " PSK, "/servers/dm/uri", "coap goes with mode nosec only", "\"coaps://x.example.com\", \"security\": " PSK },
	{ "scheme-mode", ACCOUNT, "\"coaps+tcp://x.example.com\", \"security\": { \"mode\": @\"nosec\" }", "/servers/dm/security/mode",
	  "mode nosec goes with coap and coap+tcp, the URI is coaps+tcp", "\"coap+tcp://x.example.com\", \"security\": { \"mode\": \"nosec\" }" },
	{ "binding", SERVER, ", \"binding\": @\"T\"", "/servers/dm/binding", "binding \"T\" and the URI's transport U have nothing in common", ", \"binding\": \"TU\"" },
	{ "binding", SERVER, ", \"binding\": @\"X\"", "/servers/dm/binding", "\"X\" is no binding: letters of U, T, S, N, each once", ", \"binding\": \"UQ\"" },
	{ "binding", SERVER, ", \"binding\": \"UT\", \"preferred_transport\": @\"S\"", "/servers/dm/preferred_transport",
	  "preferred transport S is not in the binding \"UT\"", ", \"binding\": \"UT\", \"preferred_transport\": \"U\"" },
	{ "binding", SERVER, ", \"binding\": \"UT\", \"preferred_transport\": @\"T\"", "/servers/dm/preferred_transport",
	  "preferred transport T, and no URI of the server has it", ", \"binding\": \"UT\", \"preferred_transport\": \"U\"" },
	{ "binding", SERVER, ", \"preferred_transport\": @\"UT\"", "/servers/dm/preferred_transport", "\"UT\" is not one letter of a binding", ", \"preferred_transport\": \"U\"" },
	{ "unspecified-address", ACCOUNT, "@\"coap://0.0.0.0\", \"security\": { \"mode\": \"nosec\" }", "/servers/dm/uri", "\"coap://0.0.0.0\" names no address",
	  "\"coap://0.0.0.1\", \"security\": { \"mode\": \"nosec\" }" },
	{ "unspecified-address", ACCOUNT, "@\"coap://[::]:5683\", \"security\": { \"mode\": \"nosec\" }", "/servers/dm/uri", "\"coap://[::]:5683\" names no address",
	  "\"coap://[::2]:5683\", \"security\": { \"mode\": \"nosec\" }" },
	{ "port", ACCOUNT, "@\"coap://x:0\", \"security\": { \"mode\": \"nosec\" }", "/servers/dm/uri", "the port in \"coap://x:0\" is not 1..65535", "\"coap://x:1\", \"security\": { \"mode\": \"nosec\" }" },
	{ "port", ACCOUNT, "@\"coap://x:65536\", \"security\": { \"mode\": \"nosec\" }", "/servers/dm/uri", "the port in \"coap://x:65536\" is not 1..65535",
	  "\"coap://x:65535\", \"security\": { \"mode\": \"nosec\" }" },
	{ "localhost", ACCOUNT, "@\"coap://LocalHost:1\", \"security\": { \"mode\": \"nosec\" }", "/servers/dm/uri", "\"coap://LocalHost:1\" is the device itself",
	  "\"coap://localhost.example.com\", \"security\": { \"mode\": \"nosec\" }" },
	{ "localhost", ACCOUNT, "@\"coap://127.1.2.3\", \"security\": { \"mode\": \"nosec\" }", "/servers/dm/uri", "\"coap://127.1.2.3\" is the device itself",
	  "\"coap://128.1.2.3\", \"security\": { \"mode\": \"nosec\" }" },
	{ "localhost", ACCOUNT, "@\"coap://[::1]\", \"security\": { \"mode\": \"nosec\" }", "/servers/dm/uri", "\"coap://[::1]\" is the device itself",
	  "\"coap://[::2]\", \"security\": { \"mode\": \"nosec\" }" },
	{ "key-form", SECURITY, "\"mode\": \"psk\", \"identity\": \"i\", \"key\": @\"0011223344556677\"", "/servers/dm/security/key",
	  "16 characters that could be hex (8 octets) or base64 (12 octets): say {\"hex\": ...} or {\"base64\": ...}",
	  "\"mode\": \"psk\", \"identity\": \"i\", \"key\": " K16 },
	{ "key-form", SECURITY, "\"mode\": \"psk\", \"identity\": \"i\", \"key\": @\"secret!\"", "/servers/dm/security/key",
	  "7 characters that are neither hex nor base64 nor PEM", "\"mode\": \"psk\", \"identity\": \"i\", \"key\": \"AAECAwQFBgcICQoLDA0ODw==\"" },
	{ "key-form", SECURITY, "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"hex\": @\"xyz\" }", "/servers/dm/security/key/hex", NULL,
	  "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"hex\": " K16 " }" },
	{ "key-form", SECURITY, "\"mode\": \"psk\", \"identity\": \"i\", \"key\": @{}", "/servers/dm/security/key",
	  "none of file, hex, base64, generate, credential in it", "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"generate\": 64 }" },
	{ "key-form", SECURITY, "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"generate\": @65 }", "/servers/dm/security/key/generate",
	  "generate takes a number of octets, 16 to 64", "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"generate\": 16 }" },
	{ "key-form", SECURITY, "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { @\"generate\": 16, \"hex\": " K16 " }", "/servers/dm/security/key/generate",
	  "\"hex\" and \"generate\" at once", "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"hex\": " K16 " }" },
	{ "key-material", SECURITY, "\"mode\": \"psk\", \"identity\": \"i\", \"key\": @{ \"hex\": \"\" }", "/servers/dm/security/key", "an empty pre-shared key",
	  "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"hex\": " K16 " }" },
	{ "key-material", SECURITY, "\"mode\": \"psk\", \"identity\": @\"\", \"key\": { \"generate\": 16 }", "/servers/dm/security/identity", "an empty identity",
	  "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"generate\": 16 }" },
	{ "key-material", SECURITY, "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"generate\": 16 }, \"server_public_key\": @{ \"hex\": \"00\" }",
	  "/servers/dm/security/server_public_key", "mode psk has no server_public_key", "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"generate\": 16 }" },
	{ "key-material", SECURITY, "\"mode\": \"psk\", \"identity\": \"i\", \"key\": @{ \"base64\": \"MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\" }",
	  "/servers/dm/security/key", "a DER structure of 48 octets is no pre-shared key", "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"hex\": " K16 " }" },
	{ "key-material", ACCOUNT, "\"coap://x\", \"security\": { \"mode\": \"nosec\", \"key\": @" K16 " }", "/servers/dm/security/key", "mode nosec has no key",
	  "\"coap://x\", \"security\": { \"mode\": \"nosec\" }" },
	{ "key-missing", SECURITY, "\"mode\": \"psk\", \"identity\": \"i\", \"key\": @{ \"credential\": \"none\" }", "/servers/dm/security/key", "no key is kept for none",
	  "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"credential\": \"servers/dm/security/key\" }" },
	{ "file", SECURITY, "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"file\": @\"/etc/shadow\" }", "/servers/dm/security/key/file", "an absolute path",
	  "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"file\": \"etc/shadow\" }" },
	{ "file", SECURITY, "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"file\": @\"a/../../b\" }", "/servers/dm/security/key/file", "\"..\" leads out of its folder",
	  "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"file\": \"a/..b/c..\" }" },
	{ "weak-key", SECURITY, "\"mode\": \"psk\", \"identity\": \"i\", \"key\": @{ \"hex\": \"000102030405060708090a0b0c0d0e\" }", "/servers/dm/security/key",
	  "a pre-shared key of 15 octets; 16 are the least", "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"hex\": " K16 " }" },
	{ "long-key", KNOCK, "\"mode\": \"psk\", \"identity\": @\"" "0123456789012345678901234567890123456789012345678901234567890123456789"
	  "01234567890123456789012345678901234567890123456789012345678" "\", \"key\": { \"generate\": 16 }", "/credentials/bootstrap/identity", "an identity of 129 octets; clients take 128",
	  "\"mode\": \"psk\", \"identity\": \"x\", \"key\": { \"generate\": 16 }" },
	{ "same-key", "{ \"profile_format\": 1, \"endpoint\": \"dev\", \"bootstrap\": { \"policy\": \"replace\" },\n  \"credentials\": { \"bootstrap\": { \"mode\": \"psk\", \"identity\": \"i\", \"key\": " K16 " } },\n"
	  "  \"servers\": { \"dm\": { \"short_server_id\": 101, \"uri\": \"coaps://x\", \"security\": { \"mode\": \"psk\", \"identity\": \"i\", \"key\": %s } } } }",
	  "@" K16, "/servers/dm/security/key", "the key that the device bootstraps with", K16B },
	{ "same-key", TOP, "\"servers\": { \"a\": { \"short_server_id\": 1, \"uri\": \"coaps://x\", \"security\": { \"mode\": \"psk\", \"identity\": \"i\", \"key\": " K16 " } },\n"
	  "  \"b\": { \"short_server_id\": 2, \"uri\": \"coaps://y\", \"security\": { \"mode\": \"psk\", \"identity\": \"i\", \"key\": @" K16 " } } }, \"access_control\": {}",
	  "/servers/b/security/key", "the key of Short Server ID 1 again",
	  "\"servers\": { \"a\": { \"short_server_id\": 1, \"uri\": \"coaps://x\", \"security\": { \"mode\": \"psk\", \"identity\": \"i\", \"key\": " K16 " } },\n"
	  "  \"b\": { \"short_server_id\": 2, \"uri\": \"coaps://y\", \"security\": { \"mode\": \"psk\", \"identity\": \"i\", \"key\": " K16 " } } }, \"access_control\": {}, \"shared_key\": true" },
	{ "shared-key", SHARED, "\"credentials\": { \"bootstrap\": { \"mode\": \"psk\", \"key\": @" K16 " } }", "/credentials/bootstrap/key",
	  "a key in a shared document is one key for every device", "\"shared_key\": true, \"credentials\": { \"bootstrap\": { \"mode\": \"psk\", \"key\": " K16 " } }" },
	{ "shared-key", SHARED, "\"credentials\": { \"bootstrap\": { \"mode\": \"psk\", \"key\": @{ \"file\": \"all.psk\" } } }", "/credentials/bootstrap/key",
	  "a key in a shared document is one key for every device", "\"credentials\": { \"bootstrap\": { \"mode\": \"psk\", \"key\": { \"file\": \"${endpoint}.psk\" } } }" },
	{ "dangling-link", SERVER, ", \"apn_link\": @\"iot\"", "/servers/dm/apn_link", "there is no APN profile \"iot\"", "" },
	{ "dangling-link", SERVER, ", \"apn_link\": @\"11:0\"", "/servers/dm/apn_link", "11:0: the document writes no such instance", ", \"apn_link\": \"65535:65535\"" },
	{ "dangling-link", SECURITY, "\"oscore_security_mode\": @\"21:3\", \"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"generate\": 16 }",
	  "/servers/dm/security/oscore_security_mode", "21:3: the document writes no such instance", "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"generate\": 16 }" },
	{ "unlinked-apn", "{ \"profile_format\": 1, \"endpoint\": \"dev\", \"bootstrap\": { \"policy\": \"replace\" },\n"
	  " \"apn_connection_profiles\": { @\"iot\": { \"apn\": \"x\" } }, \"servers\": { \"dm\": { " NOSEC("1", "coap://a") "%s } } }", "", "/apn_connection_profiles/iot",
	  "no apn_link leads to \"iot\"", ", \"apn_link\": \"iot\"" },
	{ "acl-unknown-server", ACL, "\"/3/0\": { \"owner\": @\"fota\" }", "/access_control/~13~10/owner", "there is no server \"fota\"", "\"/3/0\": { \"owner\": \"bootstrap\" }" },
	{ "acl-unknown-server", ACL, "\"/3/0\": { \"owner\": 101, \"acl\": { @\"102\": [] } }", "/access_control/~13~10/acl/102", "there is no server \"102\"",
	  "\"/3/0\": { \"owner\": 65535, \"acl\": { \"101\": [] } }" },
	{ "on-conflict", ACL, "\"/3/0\": { \"owner\": \"dm\", @\"on_conflict\": \"keep\" }", "/access_control/~13~10/on_conflict",
	  "on_conflict has no meaning under \"replace\"", "\"/3/0\": { \"owner\": \"dm\" }" },
	{ "word", ACL, "\"/3/0\": { \"owner\": \"dm\", \"on_conflict\": @\"win\" }", "/access_control/~13~10/on_conflict",
	  "\"win\" is none of refuse, keep, merge, replace", "\"/3/0\": { \"owner\": \"dm\" }" },
	{ "acl-create", ACL, "\"/5/0\": { \"owner\": \"dm\", \"acl\": { \"dm\": @[ \"create\" ] } }", "/access_control/~15~10/acl/dm",
	  "\"create\" is a right on an object, not on an instance", "\"/5\": { \"acl\": { \"dm\": [ \"create\" ] } }" },
	{ "acl-create", ACL, "\"/5\": { \"acl\": { \"dm\": @[ \"read\" ] } }", "/access_control/~15/acl/dm", "a rule on a whole object takes \"create\" only",
	  "\"/5\": { \"acl\": { \"dm\": [] } }" },
	{ "acl-create", ACL, "\"/5\": { \"owner\": @\"dm\" }", "/access_control/~15/owner", "a rule on a whole object belongs to the bootstrap interface", "\"/5\": { \"owner\": \"bootstrap\" }" },
	{ "acl-target", ACL, "@\"/0/0\": { \"owner\": \"dm\" }", "/access_control/~10~10", "object 0 has no access control", "\"/1/0\": { \"owner\": \"dm\" }" },
	{ "missing-mandatory", OBJECTS, "\"/1/0\": @{ \"disable_timeout\": 86400 }", "/objects/~11~10",
	  "/1/0 has no short_server_id, lifetime, notification_storing_when_disabled_or_offline, binding", "\"/3/0\": {}" },
	{ "read-only", OBJECTS, "\"/3/0\": { @\"manufacturer\": \"x\" }", "/objects/~13~10/manufacturer", "the client itself keeps Manufacturer", "\"/3/0\": { \"timezone\": \"x\" }" },
	{ "read-only", SERVER, ", @\"last_bootstrapped\": 0", "/servers/dm/last_bootstrapped", "the client itself sets Last Bootstrapped", "" },
	{ "not-served", SECURITY, "\"mode\": @\"est\"", "/servers/dm/security/mode", "accounts with mode est are not served yet", "\"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"generate\": 16 }" },
	{ "not-served", KNOCK, "\"mode\": @\"est\"", "/credentials/bootstrap/mode", "devices that knock with mode est are not served yet", "\"mode\": \"x509\"" },
	{ "missing", KNOCK, "\"mode\": \"rpk\"", "/credentials/bootstrap/identity", "identity is missing", "\"mode\": \"nosec\"" },
	{ "key-material", KNOCK, "\"mode\": \"x509\", \"key\": @{ \"generate\": 16 }", "/credentials/bootstrap/key", "mode x509 has no key here: the private one never leaves the device", "\"mode\": \"nosec\"" },
	{ "not-served", SHARED, "\"match\": [ { @\"issuer\": \"x\" } ]", "/match/0/issuer", "matching by issuer is not served yet", "\"match\": [ { \"endpoint\": \"x\" } ]" },
	{ "foreign-accounts", BOOTSTRAP, "\"policy\": \"merge\", \"foreign_accounts\": @\"remove\"", "/bootstrap/foreign_accounts",
	  "\"merge\" deletes nothing: other accounts stay", "\"policy\": \"incremental\", \"foreign_accounts\": \"remove\"" },
	{ "refused-by-clients", SERVER, ", \"communication_retry_count\": @0", "/servers/dm/communication_retry_count", "0 retries", ", \"communication_retry_count\": 1" },
	{ "registration-order", SERVER, ", \"registration_priority_order\": 1, \"bootstrap_on_registration_failure\": @true", "/servers/dm/bootstrap_on_registration_failure",
	  "true without registration_failure_block", ", \"registration_priority_order\": 1, \"bootstrap_on_registration_failure\": true, \"registration_failure_block\": true" },
	{ "registration-order", SERVER, ", \"registration_priority_order\": @1", "/servers/dm/registration_priority_order",
	  "without bootstrap_on_registration_failure: false, which is true when absent, or registration_failure_block", ", \"registration_priority_order\": 1, \"bootstrap_on_registration_failure\": false" },
	{ "block-without-order", SERVER, ", \"registration_failure_block\": @true", "/servers/dm/registration_failure_block",
	  "without registration_priority_order nobody waits for it", ", \"registration_failure_block\": true, \"registration_priority_order\": 1" },
	{ "no-fall-back", FORGETS, "\"initial_registration_delay_timer\": \"1h\" } }, \"bootstrap_account\": { \"bootstrap_server_account_timeout\": @\"1h\" }",
	  "/bootstrap_account/bootstrap_server_account_timeout", "forgotten after 3600 s, and a server may be given up only after 4500 s",
	  "\"initial_registration_delay_timer\": \"1h\" } }, \"bootstrap_account\": { \"bootstrap_server_account_timeout\": 4500 }" },
	{ "no-fall-back", FORGETS, "\"communication_sequence_retry_count\": 3 } }, \"bootstrap_account\": { \"bootstrap_server_account_timeout\": @\"1d\" }",
	  "/bootstrap_account/bootstrap_server_account_timeout", "forgotten after 86400 s, and a server may be given up only after 175500 s",
	  "\"communication_sequence_retry_count\": 3, \"bootstrap_on_registration_failure\": false } }, \"bootstrap_account\": { \"bootstrap_server_account_timeout\": \"1d\" }" },
	{ "hold-off", TOP, "\"bootstrap_account\": { \"client_hold_off_time\": @21 }", "/bootstrap_account/client_hold_off_time",
	  "21 s, of which Anjay waits 20", "\"bootstrap_account\": { \"client_hold_off_time\": 20 }" },
	{ "spread", SERVER, ", \"initial_registration_delay_timer\": { \"spread\": @\"10m..0\" }", "/servers/dm/initial_registration_delay_timer/spread",
	  "must be two durations with .. between, such as \"0..10m\"", ", \"initial_registration_delay_timer\": { \"spread\": \"0..10m\" }" },
	{ "spread", SERVER, ", \"initial_registration_delay_timer\": @{ \"spread\": \"0..1m\", \"more\": 1 }", "/servers/dm/initial_registration_delay_timer",
	  "must be {\"spread\": \"FROM..TO\"} and nothing else", ", \"communication_retry_timer\": { \"spread\": \"30..45\" }" },
	{ "spread", SERVER, ", \"initial_registration_delay_timer\": { \"spread\": @\"5m\" }", "/servers/dm/initial_registration_delay_timer/spread",
	  "must be two durations with .. between, such as \"0..10m\"", ", \"initial_registration_delay_timer\": { \"spread\": \"5m..5m\" }" },
	{ "acts-at-once", OBJECTS, "\"/10/0\": { \"disable_radio_period\": @5 }", "/objects/~110~10/disable_radio_period",
	  "the radio is off for 5 minutes from the write on", "\"/10/0\": { \"disable_radio_period\": 0 }" },
	{ "handoff", SERVER, ", \"initial_registration_delay_timer\": \"59s\", \"handoff\": @{ \"to\": \"eu\", \"within_delay\": true }", "/servers/dm/handoff",
	  "the device waits 59 s before it registers (initial_registration_delay_timer), the server has 60 s to take the credential: the device may come first",
	  ", \"initial_registration_delay_timer\": \"60s\", \"handoff\": { \"to\": \"eu\", \"within_delay\": true }" },
	{ "handoff", SERVER, ", \"handoff\": @{ \"to\": \"eu\", \"within_delay\": true, \"deadline\": \"1s\" }", "/servers/dm/handoff", NULL,
	  ", \"handoff\": { \"to\": \"eu\", \"deadline\": \"1s\" }" },
	{ "handoff", "{ \"profile_format\": 1, \"endpoint\": \"dev\", \"bootstrap\": { \"policy\": \"replace\", \"request_timeout\": \"30s\", \"session_timeout\": \"30s\" },\n \"servers\": { \"dm\": { \"short_server_id\": 101, \"uri\": \"coaps://dm.example.com\", \"security\": " PSK " %s } } }",
	  ", \"handoff\": @{ \"to\": \"eu\", \"deadline\": \"30s\" }", "/servers/dm/handoff", "30 s for the server in a session of 30 s", ", \"handoff\": { \"to\": \"eu\", \"deadline\": \"29s\" }" },
	{ "handoff", ACCOUNT, "\"coap://a.example.com\", \"security\": { \"mode\": \"nosec\" }, \"handoff\": @{ \"to\": \"eu\" }", "/servers/dm/handoff",
	  "the server has no account with a credential: there is nothing to tell", "\"coaps://a.example.com\", \"security\": " PSK ", \"handoff\": { \"to\": \"eu\" }" },
	{ "handoff", TOP, "\"access_control\": {}, \"servers\": { \"a\": { \"short_server_id\": 1, \"uri\": \"coaps://a.example.com\", \"security\": " PSK ", \"handoff\": { \"to\": \"eu\" } },\n"
	  " \"b\": { \"short_server_id\": 2, \"uri\": \"coaps://b.example.com\", \"security\": " PSK ", \"handoff\": { \"to\": @\"eu\" } } }", "/servers/b/handoff/to",
	  "\"eu\" is told of two credentials of one device (servers a and another)",
	  "\"access_control\": {}, \"servers\": { \"a\": { \"short_server_id\": 1, \"uri\": \"coaps://a.example.com\", \"security\": " PSK ", \"handoff\": { \"to\": \"eu\" } } }" },
	{ "missing", SERVER, ", \"handoff\": @{}", "/servers/dm/handoff/to", "to is missing", ", \"handoff\": { \"to\": \"eu\" }" },
	{ "type", SERVER, ", \"handoff\": { \"to\": @7 }", "/servers/dm/handoff/to", "must be the name of an LwM2M Server in the daemon's configuration", ", \"handoff\": { \"to\": \"eu\" }" },
	{ "rotate", SECURITY, "\"mode\": \"psk\", \"identity\": \"dev\", \"key\": { \"generate\": 16, \"rotate\": @\"on_bootstrap\" }", "/servers/dm/security/key/rotate",
	  "its server would never learn of the new key: say \"handoff\" of it", "\"mode\": \"psk\", \"identity\": \"dev\", \"key\": { \"generate\": 16, \"rotate\": \"never\" }" },
	{ "rotate", SECURITY, "\"mode\": \"psk\", \"identity\": \"dev\", \"key\": { \"hex\": " K16 ", \"rotate\": @\"30d\" }", "/servers/dm/security/key/rotate",
	  "only a key that is made here can be made anew: {\"generate\": 16}", "\"mode\": \"psk\", \"identity\": \"dev\", \"key\": { \"hex\": " K16 " }" },
	{ "retained", "{ \"profile_format\": 1, \"endpoint\": \"dev\", \"objects\": { \"/3/0\": { \"timezone\": \"x\" } },\n  \"bootstrap\": { \"policy\": \"merge\", \"retain\": [ \"/10\", %s ] } }",
	  "@\"/3/0\"", "/bootstrap/retain/1", "the document has values under /3/0", "\"/3/0/14\"" },
	{ "uri", ACCOUNT, "@\"http://\\n\\u00e9\", \"security\": { \"mode\": \"nosec\" }", "/servers/dm/uri",
	  "\"http://?\xc3\xa9\" is no URI of a server: a blank or a character outside ASCII in it", "\"coap://x\", \"security\": { \"mode\": \"nosec\" }" },
	{ "key-form", "{ \"profile_format\": 1, \"endpoint\": \"dev\", \"vars\": { \"k\": " K16 " }, \"bootstrap\": { \"policy\": \"merge\" },\n"
	  "\"credentials\": { \"bootstrap\": { \"mode\": \"psk\", \"identity\": \"i\", \"key\": %s } } }", "@\"${k}\"", "/credentials/bootstrap/key",
	  "a key does not come from a variable", K16 },
	{ "foreign-accounts", BOOTSTRAP, "\"policy\": \"replace\", \"foreign_accounts\": @\"keep\"", "/bootstrap/foreign_accounts",
	  "\"keep\" has no meaning under \"replace\"", "\"policy\": \"replace\", \"foreign_accounts\": \"remove\"" },
};
/* clang-format on */

static void
check_text(struct kit *k, const struct row *r, const char *filling, bool with_keys)
{
	static char text[65536];
	const char *hole = strstr(r->text, "%s");
	struct profile_keys keys = { .get = kit_key };

	(void)snprintf(
	    text, sizeof text, "%.*s%s%s", (int)(hole - r->text), r->text, filling, hole + 2);
	*k = (struct kit){ 0 };
	kit_add(k, "bad.json", text);
	kit_check(k, with_keys ? &keys : NULL);
}

START_TEST(each_rule_finds_its_place)
{
	const struct row *r = &rows[_i];
	const struct profile_finding *found = NULL;
	struct kit k;

	check_text(&k, r, r->bad, strcmp(r->rule, "key-missing") == 0);
	for (size_t i = 0; i < k.f.n; i++)
		if (strcmp(k.f.v[i].rule->name, r->rule) == 0)
			found = &k.f.v[i];
	ck_assert_msg(found != NULL && k.f.n == 1, "row %d, wanted one %s:\n%s", _i, r->rule,
	    kit_print(&k.f));
	if (k.line > 0)
		ck_assert_msg(found->line == k.line && found->column == k.column,
		    "row %d, wanted %u:%u:\n%s", _i, k.line, k.column, kit_print(&k.f));
	ck_assert_str_eq(found->file, "bad.json");
	ck_assert_msg(strcmp(found->path, r->path) == 0, "row %d: %s", _i, kit_print(&k.f));
	if (r->reason != NULL)
		ck_assert_msg(
		    strcmp(found->reason, r->reason) == 0, "row %d: %s", _i, kit_print(&k.f));
	kit_clear(&k);
}
END_TEST

START_TEST(each_near_miss_passes)
{
	const struct row *r = &rows[_i];
	struct kit k;

	check_text(&k, r, r->good, false);
	for (size_t i = 0; i < k.f.n; i++)
		ck_assert_msg(
		    strcmp(k.f.v[i].rule->name, r->rule) != 0, "row %d: %s", _i, kit_print(&k.f));
	ck_assert_msg(k.f.errors == 0, "row %d: %s", _i, kit_print(&k.f));
	kit_clear(&k);
}
END_TEST

static void
check_many(const char *section, const char *head, const char *entry, unsigned n, const char *want)
{
	struct gbuf g = { 0 };
	struct kit k = { 0 };
	const struct profile_finding *found = NULL;

	gbuf_printf(&g, "{ \"profile_format\": 1, \"profile\": \"p\", \"%s\": {", section);
	for (unsigned i = 0; i < n; i++)
		gbuf_printf(&g, "%s\n\"%s%u\": %s", i > 0 ? "," : "", head, i, entry);
	gbuf_str(&g, "} }");
	kit_add(&k, "many.json", gbuf_cstr(&g));
	kit_check(&k, NULL);
	for (size_t i = 0; i < k.f.n; i++)
		if (strcmp(k.f.v[i].rule->name, "limit") == 0)
			found = &k.f.v[i];
	ck_assert_msg(
	    found != NULL && strcmp(found->reason, want) == 0, "%s: %s", section, kit_print(&k.f));
	gbuf_clear(&g);
	kit_clear(&k);
}

START_TEST(there_are_bounds)
{
	check_many("servers", "s", "{}", 65, "more than 64 servers");
	check_many(
	    "servers", "s", "{ \"endpoints\": [ {}, {}, {} ] }", 43, "more than 128 accounts");
	check_many("apn_connection_profiles", "s", "{}", 65, "more than 64 APN profiles");
	check_many("objects", "/1/", "{}", 65, "more than 64 instances of object 1");
	check_many("objects", "/0/", "{}", 129, "more than 128 instances of object 0");
	check_many("access_control", "/9/", "{ \"acl\": { \"1\": [], \"2\": [], \"3\": [] } }",
	    1000, "more values than a configuration may have");
}
END_TEST

/* All are counted, a bounded number is kept. */
START_TEST(findings_are_bounded)
{
	struct gbuf g = { 0 };
	struct kit k = { 0 };

	gbuf_str(&g, "{ \"profile_format\": 1, \"profile\": \"p\", \"labels\": {");
	for (unsigned i = 0; i < 600; i++)
		gbuf_printf(&g, "%s\"a%u\": 1", i > 0 ? "," : "", i);
	gbuf_str(&g, "}, \"vars\": {");
	for (unsigned i = 0; i < 600; i++)
		gbuf_printf(&g, "%s\"a%u\": []", i > 0 ? "," : "", i);
	gbuf_str(&g, "} }");
	kit_add(&k, "many.json", gbuf_cstr(&g));
	kit_check(&k, NULL);
	ck_assert_uint_eq(k.f.n, PROFILE_FINDINGS_MAX);
	ck_assert_uint_eq(k.f.errors, 1200);
	gbuf_clear(&g);
	kit_clear(&k);
}
END_TEST

/* Those that need several documents, or very long ones, are shown in other tests. */
START_TEST(no_rule_is_without_a_row)
{
	static const char *const elsewhere[] = { "circle", "too-many-parents", "limit",
		"shared-identity", "duplicate-endpoint", "duplicate-profile",
		/* test_profile_x509.c */
		"empty-credentials", "kept-key", "key-pair", "certificate-usage",
		"ca-as-server-certificate", "digest-of-a-ca", "no-server-key", "expired", "expires",
		"certificate-purpose", "must-staple", "server-name", "other-name", "ciphersuite", "sni" };
	const struct profile_rule *rule;

	for (size_t i = 0; (rule = profile_rule_at(i)) != NULL; i++) {
		bool found = false;

		for (size_t k = 0; k < N_ELEMS(rows); k++)
			found = found || strcmp(rows[k].rule, rule->name) == 0;
		for (size_t k = 0; k < N_ELEMS(elsewhere); k++)
			found = found || strcmp(elsewhere[k], rule->name) == 0;
		ck_assert_msg(found, "%s", rule->name);
		ck_assert_ptr_eq(profile_rule_by_name(rule->name), rule);
		ck_assert_uint_gt(strlen(rule->help), 20);
	}
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(no_rule_is_without_a_row, 0),
	UNIT_CASE(there_are_bounds, 0),
	UNIT_CASE(findings_are_bounded, 0),
	UNIT_CASE(each_rule_finds_its_place, N_ELEMS(rows)),
	UNIT_CASE(each_near_miss_passes, N_ELEMS(rows)),
};

UNIT_SUITE_MAIN("profile_check", cases)
