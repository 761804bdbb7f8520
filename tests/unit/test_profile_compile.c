#include <stdio.h>
#include <string.h>

#include "tests/unit/profile_kit.h"
#include "tests/unit/unit.h"

static void
compile(struct kit *k, struct profile_desired *d, struct profile_defaults *defaults)
{
	const struct profile_keys keys = { .get = kit_key };
	struct err e = { 0 };

	kit_resolve(k);
	ck_assert_msg(k->resolved != NULL, "%s", kit_print(&k->f));
	ck_assert_msg(
	    profile_compile(k->resolved, lwm2m_model_builtin(), &keys, d, defaults, &e) == ERR_OK,
	    "%s", e.msg);
}

/* clang-format off */
#define DEV "\"profile_format\": 1, \"endpoint\": \"dev\", "
#define REPLACE "\"bootstrap\": { \"policy\": \"replace\" }, "
#define DM "\"dm\": { \"short_server_id\": 101, \"uri\": \"coap://dm\", \"security\": { \"mode\": \"nosec\" }, \"lifetime\": 60, \"binding\": \"U\", \"notification_storing\": true }"
#define DM_TREE "/0/0/0 \"coap://dm\"\n/0/0/1 false\n/0/0/2 3\n/0/0/3 \n/0/0/4 \n/0/0/5 \n/0/0/10 101\n"
#define REG_TREE "/0/1/0 \"coaps://registry.invalid\"\n/0/1/1 false\n/0/1/2 0\n/0/1/3 646576\n/0/1/4 \n" \
	"/0/1/5 30303030303030303361396533663136\n/0/1/10 65000\n" \
	"/1/0/0 101\n/1/0/1 60\n/1/0/6 true\n/1/0/7 \"U\"\n/1/1/0 65000\n"
static const struct {
	const char *text, *tree, *defaults;
} rows[] = {
	/* the registry as the second server: it may execute on its own account, the first keeps what it had */
	{ "{ " DEV "\"registry\": true, \"servers\": { " DM " }, \"objects\": { \"/13/0\": {} } }",
	  DM_TREE REG_TREE "/1/1/1 86400\n/1/1/6 true\n/1/1/7 \"U\"\n"
	  "/2/0/0 1\n/2/0/1 1\n/2/0/2/65000 4\n/2/0/3 65535\n/2/1/0 1\n/2/1/1 0\n/2/1/3 101\n"
	  "/2/2/0 3\n/2/2/1 0\n/2/2/3 101\n/2/3/0 13\n/2/3/1 0\n/2/3/3 101\n/13/0 none\n",
	  "/1/1/1 /1/1/6 /1/1/7 /2/0/0 /2/0/1 /2/0/2/65000 /2/0/3 /2/1/0 /2/1/1 /2/1/3 /2/2/0 /2/2/1 /2/2/3 /2/3/0 /2/3/1 /2/3/3 " },
	/* what the document says of it goes first, of rights as well */
	{ "{ " DEV "\"registry\": true, \"servers\": { " DM ", \"registry\": { \"lifetime\": \"1h\", \"binding\": \"U\", \"notification_storing\": false } },\n"
	  "\"access_control\": { \"/3/0\": { \"owner\": \"dm\", \"acl\": { \"registry\": [ \"read\" ] } } } }",
	  DM_TREE REG_TREE "/1/1/1 3600\n/1/1/6 false\n/1/1/7 \"U\"\n"
	  "/2/0/0 3\n/2/0/1 0\n/2/0/2/65000 1\n/2/0/3 101\n/2/1/0 1\n/2/1/1 1\n/2/1/2/65000 4\n/2/1/3 65535\n",
	  "/2/1/0 /2/1/1 /2/1/2/65000 /2/1/3 " },
	/* alone it needs nobody's rights; false, or null in its place, takes it back */
	{ "{ " DEV "\"registry\": true, \"servers\": { \"registry\": { \"uri\": \"coaps://here\", \"lifetime\": 60, \"binding\": \"U\", \"notification_storing\": true } } }",
	  "/0/0/0 \"coaps://here\"\n/0/0/1 false\n/0/0/2 0\n/0/0/3 646576\n/0/0/4 \n/0/0/5 30303030303030303361396533663136\n"
	  "/0/0/10 65000\n/1/0/0 65000\n/1/0/1 60\n/1/0/6 true\n/1/0/7 \"U\"\n", "" },
	/* of another kind than by a pre-shared key it has nothing of the account's key */
	{ "{ " DEV "\"registry\": true, \"servers\": { \"registry\": { \"uri\": \"coap://here\", \"security\": { \"security_mode\": 3 }, \"lifetime\": 60, \"binding\": \"U\", \"notification_storing\": true } } }",
	  "/0/0/0 \"coap://here\"\n/0/0/1 false\n/0/0/2 3\n/0/0/3 \n/0/0/4 \n/0/0/5 \n"
	  "/0/0/10 65000\n/1/0/0 65000\n/1/0/1 60\n/1/0/6 true\n/1/0/7 \"U\"\n", "" },
	{ "{ " DEV "\"registry\": false, \"servers\": { " DM " } }",
	  DM_TREE "/1/0/0 101\n/1/0/1 60\n/1/0/6 true\n/1/0/7 \"U\"\n", "" },
	{ "{ " DEV "\"registry\": true, \"servers\": { " DM ", \"registry\": null } }",
	  DM_TREE "/1/0/0 101\n/1/0/1 60\n/1/0/6 true\n/1/0/7 \"U\"\n", "" },
	{ "{ " DEV REPLACE "\"objects\": { \"/1/0\": { \"disable_timeout\": 86400 } } }", "/1/0/5 86400\n", "" },
	{ "{ " DEV REPLACE "\"servers\": { \"dm\": { \"short_server_id\": 101, \"uri\": \"coaps://dm\", \"security\": "
	  "{ \"mode\": \"psk\", \"identity\": \"${endpoint}\", \"key\": { \"hex\": \"000102030405060708090a0b0c0d0e0f\" } } } } }",
	  "/0/0/0 \"coaps://dm\"\n/0/0/1 false\n/0/0/2 0\n/0/0/3 646576\n/0/0/4 \n/0/0/5 000102030405060708090a0b0c0d0e0f\n/0/0/10 101\n"
	  "/1/0/0 101\n/1/0/1 86400\n/1/0/6 true\n/1/0/7 \"U\"\n", "/1/0/1 /1/0/6 /1/0/7 " },
	/* accounts in order of Short Server ID, then of transport; the binding follows the URIs */
	{ "{ " DEV REPLACE "\"access_control\": {}, \"servers\": { \"b\": { \"short_server_id\": 9, \"uri\": \"coap://b\", \"security\": { \"mode\": 3 } },\n"
	  "\"a\": { \"short_server_id\": 8, \"security\": { \"mode\": \"nosec\", \"sni\": \"s\" }, \"lifetime\": \"1w\", \"notification_storing\": false,\n"
	  "\"endpoints\": [ { \"uri\": \"coap+tcp://a\", \"security\": { \"sni\": \"t\" } }, { \"uri\": \"coap://a\" } ] } } }",
	  "/0/0/0 \"coap://a\"\n/0/0/1 false\n/0/0/2 3\n/0/0/3 \n/0/0/4 \n/0/0/5 \n/0/0/10 8\n/0/0/14 \"s\"\n"
	  "/0/1/0 \"coap+tcp://a\"\n/0/1/1 false\n/0/1/2 3\n/0/1/3 \n/0/1/4 \n/0/1/5 \n/0/1/10 8\n/0/1/14 \"t\"\n"
	  "/0/2/0 \"coap://b\"\n/0/2/1 false\n/0/2/2 3\n/0/2/3 \n/0/2/4 \n/0/2/5 \n/0/2/10 9\n"
	  "/1/0/0 8\n/1/0/1 604800\n/1/0/6 false\n/1/0/7 \"TU\"\n/1/1/0 9\n/1/1/1 86400\n/1/1/6 true\n/1/1/7 \"U\"\n",
	  "/1/0/7 /1/1/1 /1/1/6 /1/1/7 " },
	/* links by local name, in the order of the names */
	{ "{ " DEV "\"bootstrap\": { \"policy\": \"merge\" }, \"apn_connection_profiles\": { \"z\": { \"apn\": \"z.example\" }, "
	  "\"c\": { \"authentication_type\": \"chap\", \"secret\": \"pw\", \"validity_mcc_mnc\": [ \"262,01\", \"262,02\" ] } },\n"
	  "\"servers\": { \"s\": { \"short_server_id\": 1, \"uri\": \"coap://s\", \"security\": { \"mode\": \"nosec\" }, \"lifetime\": 1, \"binding\": \"U\", "
	  "\"notification_storing\": true, \"apn_link\": \"z\", \"alternate_apn_links\": [ \"c\", \"11:1\" ] } } }",
	  "/0/0/0 \"coap://s\"\n/0/0/1 false\n/0/0/2 3\n/0/0/3 \n/0/0/4 \n/0/0/5 \n/0/0/10 1\n/1/0/0 1\n/1/0/1 1\n/1/0/6 true\n/1/0/7 \"U\"\n/1/0/10 11:1\n"
	  "/1/0/24/0 11:0\n/1/0/24/1 11:1\n/11/0/0 \"c\"\n/11/0/4 1\n/11/0/6 \"pw\"\n/11/0/8/0 \"262,01\"\n/11/0/8/1 \"262,02\"\n"
	  "/11/1/0 \"z\"\n/11/1/1 \"z.example\"\n/11/1/4 3\n", "/11/0/0 /11/1/0 /11/1/4 " },
	/* an APN profile with everything that can be written */
	{ "{ " DEV "\"bootstrap\": { \"policy\": \"merge\" }, \"apn_connection_profiles\": { \"iot\": { \"profile_name\": \"IoT\", \"apn\": \"iot.example\", "
	  "\"auto_select_apn_by_device\": false, \"enable_status\": true, \"authentication_type\": \"pap_or_chap\", \"user_name\": \"u\", \"secret\": \"pw\", "
	  "\"reconnect_schedule\": \"60,120\", \"validity_mcc_mnc\": [ \"262,01\" ], \"pdn_type\": \"ipv4v6\", \"serving_plmn_rate_control\": 10, "
	  "\"uplink_time_unit\": \"hour\", \"apn_exception_data_uplink_time_unit\": \"day\", \"supported_rat_types\": [ 1, 5 ], \"rds_application_id\": [ \"app\" ], "
	  "\"rds_destination_port\": [ 3 ], \"rds_source_port\": [ 4 ], \"ip_address_2\": [ \"192.0.2.1\" ], \"prefix_length_2\": [ \"24\" ], "
	  "\"subnet_mask_2\": [ \"255.255.255.0\" ], \"gateway_2\": [ \"192.0.2.254\" ], \"primary_dns_address_2\": [ \"192.0.2.53\" ], "
	  "\"secondary_dns_address_2\": [ \"192.0.2.54\" ] } } }",
	  "/11/0/0 \"IoT\"\n/11/0/1 \"iot.example\"\n/11/0/2 false\n/11/0/3 true\n/11/0/4 2\n/11/0/5 \"u\"\n/11/0/6 \"pw\"\n/11/0/7 \"60,120\"\n"
	  "/11/0/8/0 \"262,01\"\n/11/0/15/0 \"192.0.2.1\"\n/11/0/16/0 \"24\"\n/11/0/17/0 \"255.255.255.0\"\n/11/0/18/0 \"192.0.2.254\"\n"
	  "/11/0/19/0 \"192.0.2.53\"\n/11/0/20/0 \"192.0.2.54\"\n/11/0/24 3\n/11/0/26 10\n/11/0/27 2\n/11/0/29 3\n/11/0/30/0 1\n/11/0/30/1 5\n"
	  "/11/0/31/0 \"app\"\n/11/0/32/0 3\n/11/0/33/0 4\n", "" },
	/* access control in the order of paths; names, numbers, default, bootstrap */
	{ "{ " DEV "\"bootstrap\": { \"policy\": \"merge\" }, \"access_control\": { \"/5\": { \"acl\": { \"7\": [ \"create\" ] } },\n"
	  "\"/3/0\": { \"owner\": 7, \"acl\": { \"7\": [ \"read\", \"write\", \"execute\", \"delete\" ], \"default\": [] } }, \"/4/0\": { \"owner\": \"bootstrap\" } } }",
	  "/2/0/0 3\n/2/0/1 0\n/2/0/2/0 0\n/2/0/2/7 15\n/2/0/3 7\n/2/1/0 4\n/2/1/1 0\n/2/1/3 65535\n/2/2/0 5\n/2/2/1 65535\n/2/2/2/7 16\n/2/2/3 65535\n", "/2/2/3 " },
	/* any object of the model: words, units, lists, maps, numbers as keys, an instance without resources */
	{ "{ " DEV REPLACE "\"objects\": { \"/13/0\": { \"preferred_communications_bearer\": { \"2\": \"lte\", \"0\": 7 }, \"7\": true, \"acceptable_rssi_gsm\": -48 },\n"
	  "\"/10/0\": { \"disable_radio_period\": \"2h\", \"psm_timer\": \"1d\" }, \"/3/0\": { \"current_time\": \"2026-01-31T00:00:01Z\" }, \"/12345/0\": null, \"/21/4\": {} } }",
	  "/3/0/13 1769817601\n/10/0/1 120\n/10/0/4 86400\n/13/0/0/0 7\n/13/0/0/2 4\n/13/0/1 -48\n/13/0/7 true\n/21/4 none\n", "" },
	/* text is read as what is wanted where a variable stands for the whole */
	{ "{ " DEV REPLACE "\"vars\": { \"n\": \"90\", \"t\": \"true\", \"d\": \"2m\", \"i\": 7 }, \"objects\": { \"/1/0\": { \"lifetime\": \"${d}\", \"disable_timeout\": \"${n}\", "
	  "\"mute_send\": \"${t}\", \"short_server_id\": \"${i}\", \"min_period\": \"${i}s\" }, \"/0/0\": { \"short_server_id\": \"${i}\" } } }",
	  "/0/0/10 7\n/1/0/0 7\n/1/0/1 120\n/1/0/2 7\n/1/0/5 90\n/1/0/23 true\n", "" },
	/* a transport of its own mode takes no keys from the server's */
	{ "{ " DEV REPLACE "\"servers\": { \"x\": { \"short_server_id\": 1, \"lifetime\": 1, \"binding\": \"UT\", \"notification_storing\": true, \"security\": "
	  "{ \"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"hex\": \"000102030405060708090a0b0c0d0e0f\" } },\n"
	  "\"endpoints\": [ { \"uri\": \"coaps://x\" }, { \"uri\": \"coap+tcp://x\", \"security\": { \"mode\": \"nosec\" } } ] } } }",
	  "/0/0/0 \"coaps://x\"\n/0/0/1 false\n/0/0/2 0\n/0/0/3 69\n/0/0/4 \n/0/0/5 000102030405060708090a0b0c0d0e0f\n/0/0/10 1\n"
	  "/0/1/0 \"coap+tcp://x\"\n/0/1/1 false\n/0/1/2 3\n/0/1/3 \n/0/1/4 \n/0/1/5 \n/0/1/10 1\n/1/0/0 1\n/1/0/1 1\n/1/0/6 true\n/1/0/7 \"UT\"\n", "" },
	/* order, delay, retry and fall-back of registration */
	{ "{ " DEV REPLACE "\"servers\": { \"dm\": { \"short_server_id\": 101, \"uri\": \"coap://dm\", \"security\": { \"mode\": \"nosec\" }, \"lifetime\": 60, "
	  "\"binding\": \"U\", \"notification_storing\": true, \"registration_priority_order\": 1, \"initial_registration_delay_timer\": \"30s\", "
	  "\"registration_failure_block\": true, \"bootstrap_on_registration_failure\": false, \"communication_retry_count\": 3, \"communication_retry_timer\": \"15m\", "
	  "\"communication_sequence_delay_timer\": \"1d\", \"communication_sequence_retry_count\": 2 } } }",
	  DM_TREE "/1/0/0 101\n/1/0/1 60\n/1/0/6 true\n/1/0/7 \"U\"\n/1/0/13 1\n/1/0/14 30\n/1/0/15 true\n/1/0/16 false\n/1/0/17 3\n/1/0/18 900\n/1/0/19 86400\n/1/0/20 2\n", "" },
	/* an account as it stands */
	{ "{ " DEV REPLACE "\"objects\": { \"/0/3\": { \"identity\": \"deadbeefdeadbeefdeadbeefdeadbeef\", \"key\": { \"hex\": \"00\" } } } }",
	  "/0/3/3 6465616462656566646561646265656664656164626565666465616462656566\n/0/3/5 00\n", "" },
};
/* clang-format on */

START_TEST(a_document_becomes_exactly_these_values)
{
	struct kit k = { 0 };
	struct profile_desired d = { 0 };
	struct profile_defaults defaults = { 0 };
	char got[256] = "";

	kit_add(&k, "dev", rows[_i].text);
	compile(&k, &d, &defaults);
	ck_assert_str_eq(kit_tree(&d.tree), rows[_i].tree);
	for (size_t i = 0; i < defaults.n; i++)
		(void)snprintf(got + strlen(got), sizeof got - strlen(got), "%s ",
		    lwm2m_path_str(defaults.paths[i]).s);
	ck_assert_str_eq(got, rows[_i].defaults);
	profile_defaults_clear(&defaults);
	profile_desired_clear(&d);
	kit_clear(&k);
}
END_TEST

/* A value of 0..600 for 1/0/14 of a device of that name, with so much said besides. */
static int64_t
share_of(const char *endpoint, const char *more)
{
	struct kit k = { 0 };
	struct profile_desired d = { 0 };
	char text[512];
	int64_t n = -1;

	(void)snprintf(text, sizeof text,
	    "{ \"profile_format\": 1, \"endpoint\": \"%s\", %s \"servers\": { \"dm\": { \"short_server_id\": 5, \"uri\": "
	    "\"coap://x\", \"security\": { \"mode\": \"nosec\" }, \"initial_registration_delay_timer\": "
	    "{ \"spread\": \"0..10m\" } } } }", endpoint, more);
	kit_add(&k, "dev", text);
	compile(&k, &d, NULL);
	ck_assert(lwm2m_value_number(lwm2m_tree_get(&d.tree, lwm2m_path3(1, 0, 14)), &n));
	profile_desired_clear(&d);
	kit_clear(&k);
	return n;
}

START_TEST(each_device_has_a_share_of_its_own_and_keeps_it)
{
	unsigned in[4] = { 0 };
	char endpoint[32];

	/* these very values, in every run and on every machine */
	ck_assert_int_eq(share_of("urn:dev:1", ""), 321);
	ck_assert_int_eq(share_of("urn:dev:2", ""), 155);
	ck_assert_int_eq(share_of("urn:dev:1", "\"labels\": { \"a\": \"b\" }, "), 321);
	for (unsigned i = 0; i < 400; i++) {
		(void)snprintf(endpoint, sizeof endpoint, "meter-%04u", i);
		int64_t n = share_of(endpoint, "");
		ck_assert(n >= 0 && n <= 600);
		in[n * 4 / 601]++;
	}
	for (size_t i = 0; i < N_ELEMS(in); i++)
		ck_assert_msg(in[i] > 70 && in[i] < 130, "%u of 400 in quarter %zu", in[i], i);
}
END_TEST

START_TEST(how_it_is_written_comes_along)
{
	struct kit k = { 0 };
	struct profile_desired d = { 0 };

	kit_add(&k, "dev",
	    "{ " DEV "\"servers\": { \"dm\": { \"short_server_id\": 5, \"uri\": \"coap://x\", "
	    "\"security\": { \"mode\": \"nosec\" } } },\n"
	    "\"bootstrap\": { \"policy\": \"merge\", \"format\": \"senml-cbor\", \"verify\": "
	    "false, \"retain\": [ \"/10\", \"/12/0\" ], "
	    "\"foreign_accounts\": \"remove_invalid\", \"required_confirmed\": [ \"/1/dm/13\" ], "
	    "\"request_timeout\": \"2m\", "
	    "\"session_timeout\": \"1h\" },\n"
	    "\"bootstrap_account\": { \"client_hold_off_time\": \"1m\", "
	    "\"bootstrap_server_account_timeout\": 0 } }");
	compile(&k, &d, NULL);
	ck_assert_int_eq(d.policy, PROFILE_MERGE);
	ck_assert_int_eq(d.foreign, PROFILE_FOREIGN_REMOVE_INVALID);
	ck_assert_int_eq(d.format, 112);
	ck_assert(!d.verify);
	ck_assert_uint_eq(d.n_retain, 2);
	ck_assert_str_eq(lwm2m_path_str(d.retain[1]).s, "/12/0");
	ck_assert_uint_eq(d.n_required_confirmed, 1);
	ck_assert_str_eq(lwm2m_path_str(d.required_confirmed[0]).s, "/1/0/13");
	ck_assert_uint_eq(d.request_timeout_ms, 120000);
	ck_assert_uint_eq(d.session_timeout_ms, 3600000);
	ck_assert_str_eq(kit_tree(&d.account), "/0/0/11 60\n/0/0/12 0\n");
	profile_desired_clear(&d);
	kit_clear(&k);
}
END_TEST

START_TEST(what_is_not_said_has_its_default)
{
	struct kit k = { 0 };
	struct profile_desired d = { 0 };

	kit_add(&k, "dev", "{ " DEV "\"x_\": 1 }");
	compile(&k, &d, NULL);
	ck_assert_int_eq(d.policy, PROFILE_INCREMENTAL);
	ck_assert_int_eq(d.foreign, PROFILE_FOREIGN_KEEP);
	ck_assert_int_eq(d.format, PROFILE_FORMAT_AUTO);
	ck_assert(d.verify);
	ck_assert_uint_eq(d.request_timeout_ms, 93000);
	ck_assert_uint_eq(d.session_timeout_ms, 247000);
	ck_assert_uint_eq(d.tree.n + d.account.n, 0);
	profile_desired_clear(&d);
	kit_clear(&k);
}
END_TEST

/* clang-format off */
static const struct {
	const char *text;
	enum err_code code;
	const char *msg;
} refused[] = {
	{ "{ " DEV REPLACE "\n\"servers\": { \"dm\": { \"short_server_id\": 0 } } }", ERR_INVALID,
	  "dev:2:41: /servers/dm/short_server_id: 0 is reserved: a Short Server ID is 1..65534" },
	{ "{ \"profile_format\": 1, \"profile\": \"p\" }", ERR_INVALID, "dev: a shared document is not a device's" },
	{ "{ " DEV REPLACE "\n\"servers\": { \"none\": { \"short_server_id\": 1, \"uri\": \"coaps://x\", \"security\": { \"mode\": \"psk\", \"identity\": \"i\", \"key\":\n{ \"generate\": 16 } } } } }",
	  ERR_NOT_FOUND, "dev:3:1: no key is kept for servers/none/security/key" },
	{ "{ " DEV REPLACE "\n\"servers\": { \"dm\": { \"short_server_id\": 1, \"uri\": \"coaps://x\", \"security\": { \"mode\": \"psk\", \"identity\": \"i\", \"key\":\n{ \"file\": \"x\" } } } } }",
	  ERR_INVALID, "dev:3:11: /servers/dm/security/key/file: a file is read by the command line only" },
	{ "{ " DEV REPLACE "\n\"servers\": { \"dm\": { \"short_server_id\": 1, \"uri\": \"coaps://x\", \"security\": { \"mode\": \"est\" } } } }",
	  ERR_INVALID, "dev:2:86: /servers/dm/security/mode: accounts with mode est are not served yet" },
};
/* clang-format on */

START_TEST(what_cannot_be_compiled_says_where_and_why)
{
	const struct profile_keys keys = { .get = kit_key };
	struct kit k = { 0 };
	struct profile_desired d = { 0 };
	struct err e = { 0 };

	kit_add(&k, "dev", refused[_i].text);
	kit_resolve(&k);
	ck_assert_ptr_nonnull(k.resolved);
	enum err_code rc = profile_compile(k.resolved, lwm2m_model_builtin(), &keys, &d, NULL, &e);
	ck_assert_str_eq(e.msg, refused[_i].msg);
	ck_assert_int_eq(rc, refused[_i].code);
	ck_assert_uint_eq(d.tree.n, 0);
	kit_clear(&k);
}
END_TEST

START_TEST(keys_come_by_their_slots)
{
	const struct profile_keys keys = { .get = kit_key };
	static const char text[] =
	    "{ " DEV REPLACE "\"servers\": { \"dm\": { \"short_server_id\": 1, \"uri\": "
	    "\"coaps://x\", \"security\": { \"mode\": "
	    "\"psk\", \"identity\": \"i\", \"secret_key\": %s } } } }";
	static const char *const ways[] = { "{ \"generate\": 16 }",
		"{ \"credential\": \"servers/dm/security/key\" }" };
	struct secret want = SECRET_NONE;

	ck_assert_int_eq(kit_key(NULL, "servers/dm/security/key", NULL, &want, NULL), ERR_OK);
	for (size_t i = 0; i < N_ELEMS(ways); i++) {
		struct kit k = { 0 };
		struct profile_desired d = { 0 };
		char doc[512];

		(void)snprintf(doc, sizeof doc, "%.*s%s%s", (int)(strstr(text, "%s") - text), text,
		    ways[i], strstr(text, "%s") + 2);
		kit_add(&k, "dev", doc);
		kit_resolve(&k);
		ck_assert_int_eq(
		    profile_compile(k.resolved, lwm2m_model_builtin(), &keys, &d, NULL, NULL),
		    ERR_OK);
		ck_assert(
		    secret_equal(&lwm2m_tree_get(&d.tree, lwm2m_path3(0, 0, 5))->bytes, &want));
		profile_desired_clear(&d);
		kit_clear(&k);
	}
	secret_clear(&want);
}
END_TEST

START_TEST(the_knock_and_the_names_of_servers)
{
	struct kit k = { 0 };
	struct profile_knock knock;

	kit_add(&k, "dev",
	    "{ " DEV "\"credentials\": { \"bootstrap\": { \"mode\": \"psk\", \"identity\": "
	    "\"id-${endpoint}\", \"key\": { "
	    "\"generate\": 16 } } }, \"servers\": { \"dm\": { \"short_server_id\": 101 } } }");
	kit_resolve(&k);
	ck_assert_int_eq(profile_knock(k.resolved, &knock, NULL), ERR_OK);
	ck_assert(knock.given);
	ck_assert_int_eq(knock.mode, PROFILE_PSK);
	ck_assert_str_eq(knock.identity, "id-dev");
	ck_assert_uint_eq(knock.identity_len, 6);
	ck_assert_str_eq(profile_server_name(k.resolved, 101), "dm");
	ck_assert_ptr_null(profile_server_name(k.resolved, 102));
	kit_clear(&k);
}
END_TEST

/* clang-format off */
static const struct {
	const char *knock, *msg;
} knocks[] = {
	{ "{ \"identity\": \"i\" }", "dev:1:73: /credentials/bootstrap: mode is missing" },
	{ "{ \"mode\": \"est\" }", "dev:1:83: /credentials/bootstrap/mode: devices that knock with est are not served yet" },
	{ "{ \"mode\": \"pks\" }", "dev:1:83: /credentials/bootstrap/mode: must be psk, rpk, x509 or nosec" },
	{ "{ \"mode\": \"psk\" }", "dev:1:73: /credentials/bootstrap: an identity is missing" },
};
/* clang-format on */

START_TEST(a_knock_that_says_nothing_is_refused)
{
	struct kit k = { 0 };
	struct profile_knock knock;
	struct err e = { 0 };
	char text[256];

	(void)snprintf(text, sizeof text, "{ " DEV "\"credentials\": { \"bootstrap\": %s } }",
	    knocks[_i].knock);
	kit_add(&k, "dev", text);
	kit_resolve(&k);
	ck_assert_int_ne(profile_knock(k.resolved, &knock, &e), ERR_OK);
	ck_assert_str_eq(e.msg, knocks[_i].msg);
	kit_clear(&k);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_document_becomes_exactly_these_values, N_ELEMS(rows)),
	UNIT_CASE(each_device_has_a_share_of_its_own_and_keeps_it, 0),
	UNIT_CASE(how_it_is_written_comes_along, 0),
	UNIT_CASE(what_is_not_said_has_its_default, 0),
	UNIT_CASE(what_cannot_be_compiled_says_where_and_why, N_ELEMS(refused)),
	UNIT_CASE(keys_come_by_their_slots, 0),
	UNIT_CASE(the_knock_and_the_names_of_servers, 0),
	UNIT_CASE(a_knock_that_says_nothing_is_refused, N_ELEMS(knocks)),
};

UNIT_SUITE_MAIN("profile_compile", cases)
