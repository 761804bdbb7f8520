#include "lib/lwm2m/object_model.h"

/*
 * The core Objects as the registry defines them. One table per Object, one row per Resource; the
 * word in front of a row says in which versions it is so: ALL of them, FROM_11 on, TO_11, or V10
 * alone. Each version is the table with the words it takes part in set to ROW, the others to OUT.
 *
 * id, type, operations of LwM2M Servers (0: none), instances, presence, whether its content may be
 * shown, range, unit, registered name, key.
 */
/* clang-format off */
#define ROW(rid, kind, op, many, must, hide, limits, u, text, word) \
	{ .id = rid, .type = LWM2M_##kind, .ops = op, .multiple = many, .mandatory = must, .secret = hide, \
	  limits, .unit = u, .name = text, .key = #word },
#define OUT(rid, kind, op, many, must, hide, limits, u, text, word)

#define R LWM2M_R
#define RW (LWM2M_R | LWM2M_W)
#define E LWM2M_E
#define ONE false
#define MANY true
#define MAY false
#define MUST true
#define SHOW false
#define HIDE true

#define ANY .range = ""
#define TEXT(text) .range = text
#define RANGE(lo, hi) LIST(lo, hi, #lo ".." #hi)
#define EXACT(n) LIST(n, n, #n)
#define LIST(lo, hi, text) .has_min = true, .has_max = true, .min = lo, .max = hi, .range = text

#define SECURITY(ALL, FROM_11, V12) \
	ALL(     0, STRING,   0, ONE,  MUST, SHOW, RANGE(0, 255),            "",  "LWM2M Server URI",                              lwm2m_server_uri) \
	ALL(     1, BOOLEAN,  0, ONE,  MUST, SHOW, ANY,                      "",  "Bootstrap-Server",                              bootstrap_server) \
	ALL(     2, INTEGER,  0, ONE,  MUST, SHOW, RANGE(0, 4),              "",  "Security Mode",                                 security_mode) \
	ALL(     3, OPAQUE,   0, ONE,  MUST, SHOW, ANY,                      "",  "Public Key or Identity",                        public_key_or_identity) \
	ALL(     4, OPAQUE,   0, ONE,  MUST, SHOW, ANY,                      "",  "Server Public Key",                             server_public_key) \
	ALL(     5, OPAQUE,   0, ONE,  MUST, HIDE, ANY,                      "",  "Secret Key",                                    secret_key) \
	ALL(     6, INTEGER,  0, ONE,  MAY,  SHOW, RANGE(0, 255),            "",  "SMS Security Mode",                             sms_security_mode) \
	ALL(     7, OPAQUE,   0, ONE,  MAY,  HIDE, EXACT(6),                 "",  "SMS Binding Key Parameters",                    sms_binding_key_parameters) \
	ALL(     8, OPAQUE,   0, ONE,  MAY,  HIDE, LIST(16, 48, "16,32,48"), "",  "SMS Binding Secret Key(s)",                     sms_binding_secret_key_s) \
	ALL(     9, STRING,   0, ONE,  MAY,  SHOW, ANY,                      "",  "LwM2M Server SMS Number",                       lwm2m_server_sms_number) \
	ALL(    10, INTEGER,  0, ONE,  MAY,  SHOW, RANGE(1, 65534),          "",  "Short Server ID",                               short_server_id) \
	ALL(    11, INTEGER,  0, ONE,  MAY,  SHOW, ANY,                      "s", "Client Hold Off Time",                          client_hold_off_time) \
	ALL(    12, INTEGER,  0, ONE,  MAY,  SHOW, ANY,                      "s", "Bootstrap-Server Account Timeout",              bootstrap_server_account_timeout) \
	FROM_11(13, UNSIGNED, 0, ONE,  MAY,  SHOW, RANGE(0, 3),              "",  "Matching Type",                                 matching_type) \
	FROM_11(14, STRING,   0, ONE,  MAY,  SHOW, ANY,                      "",  "SNI",                                           sni) \
	FROM_11(15, UNSIGNED, 0, ONE,  MAY,  SHOW, RANGE(0, 3),              "",  "Certificate Usage",                             certificate_usage) \
	FROM_11(16, UNSIGNED, 0, MANY, MAY,  SHOW, ANY,                      "",  "DTLS/TLS Ciphersuite",                          dtls_tls_ciphersuite) \
	FROM_11(17, OBJLNK,   0, ONE,  MAY,  SHOW, ANY,                      "",  "OSCORE Security Mode",                          oscore_security_mode) \
	V12(    18, UNSIGNED, 0, MANY, MAY,  SHOW, RANGE(0, 65535),          "",  "Groups To Use by Client",                       groups_to_use_by_client) \
	V12(    19, UNSIGNED, 0, MANY, MAY,  SHOW, RANGE(0, 65535),          "",  "Signature Algorithms Supported by Server",      signature_algorithms_supported_by_server) \
	V12(    20, UNSIGNED, 0, MANY, MAY,  SHOW, RANGE(0, 65535),          "",  "Signature Algorithms To Use by Client",         signature_algorithms_to_use_by_client) \
	V12(    21, UNSIGNED, 0, MANY, MAY,  SHOW, RANGE(0, 65535),          "",  "Signature Algorithm Certs Supported by Server", signature_algorithm_certs_supported_by_server) \
	V12(    22, UNSIGNED, 0, ONE,  MAY,  SHOW, RANGE(0, 65535),          "",  "TLS 1.3 Features To Use by Client",             tls_1_3_features_to_use_by_client) \
	V12(    23, UNSIGNED, 0, ONE,  MAY,  SHOW, RANGE(0, 65535),          "",  "TLS Extensions Supported by Server",            tls_extensions_supported_by_server) \
	V12(    24, UNSIGNED, 0, ONE,  MAY,  SHOW, RANGE(0, 65535),          "",  "TLS Extensions To Use by Client",               tls_extensions_to_use_by_client) \
	V12(    25, STRING,   0, MANY, MAY,  SHOW, RANGE(0, 255),            "",  "Secondary LwM2M Server URI",                    secondary_lwm2m_server_uri) \
	V12(    26, OBJLNK,   0, ONE,  MAY,  SHOW, ANY,                      "",  "MQTT Server",                                   mqtt_server) \
	V12(    27, OBJLNK,   0, MANY, MAY,  SHOW, ANY,                      "",  "LwM2M COSE Security",                           lwm2m_cose_security) \
	V12(    28, INTEGER,  0, ONE,  MAY,  SHOW, RANGE(0, 15),             "",  "RDS Destination Port",                          rds_destination_port) \
	V12(    29, INTEGER,  0, ONE,  MAY,  SHOW, RANGE(0, 15),             "",  "RDS Source Port",                               rds_source_port) \
	V12(    30, STRING,   0, ONE,  MAY,  SHOW, ANY,                      "",  "RDS Application ID",                            rds_application_id)
static const struct lwm2m_res_def security_1_0[] = { SECURITY(ROW, OUT, OUT) };
static const struct lwm2m_res_def security_1_1[] = { SECURITY(ROW, ROW, OUT) };
static const struct lwm2m_res_def security_1_2[] = { SECURITY(ROW, ROW, ROW) };

#define SERVER(ALL, V10, V11, FROM_11, V12) \
	V10(     0, INTEGER,  R,  ONE,  MUST, SHOW, RANGE(1, 65535), "",  "Short Server ID",                               short_server_id) \
	FROM_11( 0, INTEGER,  R,  ONE,  MUST, SHOW, RANGE(1, 65534), "",  "Short Server ID",                               short_server_id) \
	ALL(     1, INTEGER,  RW, ONE,  MUST, SHOW, ANY,             "s", "Lifetime",                                      lifetime) \
	ALL(     2, INTEGER,  RW, ONE,  MAY,  SHOW, ANY,             "s", "Default Minimum Period",                        default_minimum_period) \
	ALL(     3, INTEGER,  RW, ONE,  MAY,  SHOW, ANY,             "s", "Default Maximum Period",                        default_maximum_period) \
	ALL(     4, NONE,     E,  ONE,  MAY,  SHOW, ANY,             "",  "Disable",                                       disable) \
	ALL(     5, INTEGER,  RW, ONE,  MAY,  SHOW, ANY,             "s", "Disable Timeout",                               disable_timeout) \
	ALL(     6, BOOLEAN,  RW, ONE,  MUST, SHOW, ANY,             "",  "Notification Storing When Disabled or Offline", notification_storing_when_disabled_or_offline) \
	ALL(     7, STRING,   RW, ONE,  MUST, SHOW, ANY,             "",  "Binding",                                       binding) \
	ALL(     8, NONE,     E,  ONE,  MUST, SHOW, ANY,             "",  "Registration Update Trigger",                   registration_update_trigger) \
	FROM_11( 9, NONE,     E,  ONE,  MAY,  SHOW, ANY,             "",  "Bootstrap-Request Trigger",                     bootstrap_request_trigger) \
	FROM_11(10, OBJLNK,   RW, ONE,  MAY,  SHOW, ANY,             "",  "APN Link",                                      apn_link) \
	FROM_11(11, UNSIGNED, R,  ONE,  MAY,  SHOW, RANGE(0, 255),   "",  "TLS-DTLS Alert Code",                           tls_dtls_alert_code) \
	FROM_11(12, TIME,     R,  ONE,  MAY,  SHOW, ANY,             "",  "Last Bootstrapped",                             last_bootstrapped) \
	V11(    13, UNSIGNED, 0,  ONE,  MAY,  SHOW, ANY,             "",  "Registration Priority Order",                   registration_priority_order) \
	V12(    13, UNSIGNED, R,  ONE,  MAY,  SHOW, ANY,             "",  "Registration Priority Order",                   registration_priority_order) \
	V11(    14, UNSIGNED, 0,  ONE,  MAY,  SHOW, ANY,             "s", "Initial Registration Delay Timer",              initial_registration_delay_timer) \
	V12(    14, UNSIGNED, RW, ONE,  MAY,  SHOW, ANY,             "s", "Initial Registration Delay Timer",              initial_registration_delay_timer) \
	V11(    15, BOOLEAN,  0,  ONE,  MAY,  SHOW, ANY,             "",  "Registration Failure Block",                    registration_failure_block) \
	V12(    15, BOOLEAN,  R,  ONE,  MAY,  SHOW, ANY,             "",  "Registration Failure Block",                    registration_failure_block) \
	V11(    16, BOOLEAN,  0,  ONE,  MAY,  SHOW, ANY,             "",  "Bootstrap on Registration Failure",             bootstrap_on_registration_failure) \
	V12(    16, BOOLEAN,  R,  ONE,  MAY,  SHOW, ANY,             "",  "Bootstrap on Registration Failure",             bootstrap_on_registration_failure) \
	V11(    17, UNSIGNED, 0,  ONE,  MAY,  SHOW, ANY,             "",  "Communication Retry Count",                     communication_retry_count) \
	V12(    17, UNSIGNED, RW, ONE,  MAY,  SHOW, ANY,             "",  "Communication Retry Count",                     communication_retry_count) \
	V11(    18, UNSIGNED, 0,  ONE,  MAY,  SHOW, ANY,             "s", "Communication Retry Timer",                     communication_retry_timer) \
	V12(    18, UNSIGNED, RW, ONE,  MAY,  SHOW, ANY,             "s", "Communication Retry Timer",                     communication_retry_timer) \
	V11(    19, UNSIGNED, 0,  ONE,  MAY,  SHOW, ANY,             "s", "Communication Sequence Delay Timer",            communication_sequence_delay_timer) \
	V12(    19, UNSIGNED, RW, ONE,  MAY,  SHOW, ANY,             "s", "Communication Sequence Delay Timer",            communication_sequence_delay_timer) \
	V11(    20, UNSIGNED, 0,  ONE,  MAY,  SHOW, ANY,             "",  "Communication Sequence Retry Count",            communication_sequence_retry_count) \
	V12(    20, UNSIGNED, RW, ONE,  MAY,  SHOW, ANY,             "",  "Communication Sequence Retry Count",            communication_sequence_retry_count) \
	FROM_11(21, BOOLEAN,  RW, ONE,  MAY,  SHOW, ANY,             "",  "Trigger",                                       trigger) \
	FROM_11(22, STRING,   RW, ONE,  MAY,  SHOW, ANY,             "",  "Preferred Transport",                           preferred_transport) \
	FROM_11(23, BOOLEAN,  RW, ONE,  MAY,  SHOW, ANY,             "",  "Mute Send",                                     mute_send) \
	V12(    24, OBJLNK,   RW, MANY, MAY,  SHOW, ANY,             "",  "Alternate APN Links",                           alternate_apn_links) \
	V12(    25, STRING,   RW, MANY, MAY,  SHOW, ANY,             "",  "Supported Server Versions",                     supported_server_versions) \
	V12(    26, INTEGER,  RW, ONE,  MAY,  SHOW, RANGE(0, 1),     "",  "Default Notification Mode",                     default_notification_mode) \
	V12(    27, UNSIGNED, RW, ONE,  MAY,  SHOW, RANGE(0, 255),   "",  "Profile ID Hash Algorithm",                     profile_id_hash_algorithm)
static const struct lwm2m_res_def server_1_0[] = { SERVER(ROW, ROW, OUT, OUT, OUT) };
static const struct lwm2m_res_def server_1_1[] = { SERVER(ROW, OUT, ROW, ROW, OUT) };
static const struct lwm2m_res_def server_1_2[] = { SERVER(ROW, OUT, OUT, ROW, ROW) };

#define ACCESS_CONTROL(ALL, V10, V11) \
	ALL(0, INTEGER, R,  ONE,  MUST, SHOW, RANGE(1, 65534), "", "Object ID",            object_id) \
	ALL(1, INTEGER, R,  ONE,  MUST, SHOW, RANGE(0, 65535), "", "Object Instance ID",   object_instance_id) \
	V10(2, INTEGER, RW, MANY, MAY,  SHOW, TEXT("16-bit"),  "", "ACL",                  acl) \
	V11(2, INTEGER, RW, MANY, MAY,  SHOW, RANGE(0, 31),    "", "ACL",                  acl) \
	ALL(3, INTEGER, RW, ONE,  MUST, SHOW, RANGE(0, 65535), "", "Access Control Owner", access_control_owner)
static const struct lwm2m_res_def access_control_1_0[] = { ACCESS_CONTROL(ROW, ROW, OUT) };
static const struct lwm2m_res_def access_control_1_1[] = { ACCESS_CONTROL(ROW, OUT, ROW) };

#define DEVICE(ALL, V10, TO_11, FROM_11, V12) \
	ALL(     0, STRING,  R,  ONE,  MAY,  SHOW, ANY,           "",     "Manufacturer",                manufacturer) \
	ALL(     1, STRING,  R,  ONE,  MAY,  SHOW, ANY,           "",     "Model Number",                model_number) \
	ALL(     2, STRING,  R,  ONE,  MAY,  SHOW, ANY,           "",     "Serial Number",               serial_number) \
	ALL(     3, STRING,  R,  ONE,  MAY,  SHOW, ANY,           "",     "Firmware Version",            firmware_version) \
	ALL(     4, NONE,    E,  ONE,  MUST, SHOW, ANY,           "",     "Reboot",                      reboot) \
	ALL(     5, NONE,    E,  ONE,  MAY,  SHOW, ANY,           "",     "Factory Reset",               factory_reset) \
	ALL(     6, INTEGER, R,  MANY, MAY,  SHOW, RANGE(0, 7),   "",     "Available Power Sources",     available_power_sources) \
	V10(     7, INTEGER, R,  MANY, MAY,  SHOW, ANY,           "mV",   "Power Source Voltage",        power_source_voltage) \
	FROM_11( 7, INTEGER, R,  MANY, MAY,  SHOW, ANY,           "",     "Power Source Voltage",        power_source_voltage) \
	V10(     8, INTEGER, R,  MANY, MAY,  SHOW, ANY,           "mA",   "Power Source Current",        power_source_current) \
	FROM_11( 8, INTEGER, R,  MANY, MAY,  SHOW, ANY,           "",     "Power Source Current",        power_source_current) \
	TO_11(   9, INTEGER, R,  ONE,  MAY,  SHOW, RANGE(0, 100), "%",    "Battery Level",               battery_level) \
	V12(     9, INTEGER, R,  ONE,  MAY,  SHOW, RANGE(0, 100), "/100", "Battery Level",               battery_level) \
	V10(    10, INTEGER, R,  ONE,  MAY,  SHOW, ANY,           "KB",   "Memory Free",                 memory_free) \
	FROM_11(10, INTEGER, R,  ONE,  MAY,  SHOW, ANY,           "",     "Memory Free",                 memory_free) \
	TO_11(  11, INTEGER, R,  MANY, MUST, SHOW, RANGE(0, 8),   "",     "Error Code",                  error_code) \
	V12(    11, INTEGER, R,  MANY, MUST, SHOW, RANGE(0, 32),  "",     "Error Code",                  error_code) \
	ALL(    12, NONE,    E,  ONE,  MAY,  SHOW, ANY,           "",     "Reset Error Code",            reset_error_code) \
	ALL(    13, TIME,    RW, ONE,  MAY,  SHOW, ANY,           "",     "Current Time",                current_time) \
	ALL(    14, STRING,  RW, ONE,  MAY,  SHOW, ANY,           "",     "UTC Offset",                  utc_offset) \
	ALL(    15, STRING,  RW, ONE,  MAY,  SHOW, ANY,           "",     "Timezone",                    timezone) \
	ALL(    16, STRING,  R,  ONE,  MUST, SHOW, ANY,           "",     "Supported Binding and Modes", supported_binding_and_modes) \
	ALL(    17, STRING,  R,  ONE,  MAY,  SHOW, ANY,           "",     "Device Type",                 device_type) \
	ALL(    18, STRING,  R,  ONE,  MAY,  SHOW, ANY,           "",     "Hardware Version",            hardware_version) \
	ALL(    19, STRING,  R,  ONE,  MAY,  SHOW, ANY,           "",     "Software Version",            software_version) \
	ALL(    20, INTEGER, R,  ONE,  MAY,  SHOW, RANGE(0, 6),   "",     "Battery Status",              battery_status) \
	ALL(    21, INTEGER, R,  ONE,  MAY,  SHOW, ANY,           "",     "Memory Total",                memory_total) \
	ALL(    22, OBJLNK,  R,  MANY, MAY,  SHOW, ANY,           "",     "ExtDevInfo",                  extdevinfo)
static const struct lwm2m_res_def device_1_0[] = { DEVICE(ROW, ROW, ROW, OUT, OUT) };
static const struct lwm2m_res_def device_1_1[] = { DEVICE(ROW, OUT, ROW, ROW, OUT) };
static const struct lwm2m_res_def device_1_2[] = { DEVICE(ROW, OUT, OUT, ROW, ROW) };

#define CELLULAR(ALL, V10, V11) \
	ALL( 0, STRING,   RW, ONE,  MAY,  SHOW, ANY,             "",  "SMSC address",                        smsc_address) \
	ALL( 1, INTEGER,  RW, ONE,  MAY,  SHOW, RANGE(0, 65535), "",  "Disable radio period",                disable_radio_period) \
	ALL( 2, STRING,   RW, ONE,  MAY,  SHOW, ANY,             "",  "Module activation code",              module_activation_code) \
	ALL( 3, OBJLNK,   R,  ONE,  MAY,  SHOW, ANY,             "",  "Vendor specific extensions",          vendor_specific_extensions) \
	V10( 4, INTEGER,  RW, ONE,  MAY,  SHOW, ANY,             "s", "PSM Timer (1)",                       psm_timer_1) \
	V11( 4, INTEGER,  RW, ONE,  MAY,  SHOW, ANY,             "s", "PSM Timer",                           psm_timer) \
	V10( 5, INTEGER,  RW, ONE,  MAY,  SHOW, ANY,             "s", "Active Timer (1)",                    active_timer_1) \
	V11( 5, INTEGER,  RW, ONE,  MAY,  SHOW, ANY,             "s", "Active Timer",                        active_timer) \
	V10( 6, INTEGER,  R,  ONE,  MAY,  SHOW, ANY,             "",  "Serving PLMN Rate control",           serving_plmn_rate_control) \
	V10( 7, OPAQUE,   RW, ONE,  MAY,  SHOW, TEXT("8 bit"),   "",  "eDRX parameters for Iu mode (1)",     edrx_parameters_for_iu_mode_1) \
	V11( 7, OPAQUE,   RW, ONE,  MAY,  SHOW, RANGE(0, 255),   "",  "eDRX parameters for Iu mode",         edrx_parameters_for_iu_mode) \
	V10( 8, OPAQUE,   RW, ONE,  MAY,  SHOW, TEXT("8 bit"),   "",  "eDRX parameters for WB-S1 mode (1)",  edrx_parameters_for_wb_s1_mode_1) \
	V11( 8, OPAQUE,   RW, ONE,  MAY,  SHOW, RANGE(0, 255),   "",  "eDRX parameters for WB-S1 mode",      edrx_parameters_for_wb_s1_mode) \
	V10( 9, OPAQUE,   RW, ONE,  MAY,  SHOW, TEXT("8 bit"),   "",  "eDRX parameters for NB-S1 mode (1)",  edrx_parameters_for_nb_s1_mode_1) \
	V11( 9, OPAQUE,   RW, ONE,  MAY,  SHOW, RANGE(0, 255),   "",  "eDRX parameters for NB-S1 mode",      edrx_parameters_for_nb_s1_mode) \
	V10(10, OPAQUE,   RW, ONE,  MAY,  SHOW, TEXT("8 bit"),   "",  "eDRX parameters for A/Gb mode (1)",   edrx_parameters_for_a_gb_mode_1) \
	V11(10, OPAQUE,   RW, ONE,  MAY,  SHOW, RANGE(0, 255),   "",  "eDRX parameters for A/Gb mode",       edrx_parameters_for_a_gb_mode) \
	ALL(11, OBJLNK,   R,  MANY, MUST, SHOW, ANY,             "",  "Activated Profile Names",             activated_profile_names) \
	V11(12, UNSIGNED, R,  ONE,  MAY,  SHOW, RANGE(0, 255),   "",  "Supported Power Saving Modes",        supported_power_saving_modes) \
	V11(13, UNSIGNED, RW, ONE,  MAY,  SHOW, RANGE(0, 255),   "",  "Active Power Saving Modes",           active_power_saving_modes) \
	V11(14, UNSIGNED, RW, ONE,  MAY,  SHOW, RANGE(0, 255),   "",  "Release Assistance Indication Usage", release_assistance_indication_usage)
static const struct lwm2m_res_def cellular_1_0[] = { CELLULAR(ROW, ROW, OUT) };
static const struct lwm2m_res_def cellular_1_1[] = { CELLULAR(ROW, OUT, ROW) };

#define APN(ALL, V11) \
	ALL( 0, STRING,   RW, ONE,  MUST, SHOW, ANY,           "", "Profile name",                              profile_name) \
	ALL( 1, STRING,   RW, ONE,  MAY,  SHOW, ANY,           "", "APN",                                       apn) \
	ALL( 2, BOOLEAN,  RW, ONE,  MAY,  SHOW, ANY,           "", "Auto select APN by device",                 auto_select_apn_by_device) \
	ALL( 3, BOOLEAN,  RW, ONE,  MAY,  SHOW, ANY,           "", "Enable status",                             enable_status) \
	ALL( 4, INTEGER,  RW, ONE,  MUST, SHOW, ANY,           "", "Authentication Type",                       authentication_type) \
	ALL( 5, STRING,   RW, ONE,  MAY,  SHOW, ANY,           "", "User Name",                                 user_name) \
	ALL( 6, STRING,   RW, ONE,  MAY,  HIDE, ANY,           "", "Secret",                                    secret) \
	ALL( 7, STRING,   RW, ONE,  MAY,  SHOW, ANY,           "", "Reconnect Schedule",                        reconnect_schedule) \
	ALL( 8, STRING,   RW, MANY, MAY,  SHOW, ANY,           "", "Validity (MCC, MNC)",                       validity_mcc_mnc) \
	ALL( 9, TIME,     R,  MANY, MAY,  SHOW, ANY,           "", "Connection establishment time (1)",         connection_establishment_time_1) \
	ALL(10, INTEGER,  R,  MANY, MAY,  SHOW, ANY,           "", "Connection establishment result (1)",       connection_establishment_result_1) \
	ALL(11, INTEGER,  R,  MANY, MAY,  SHOW, RANGE(0, 111), "", "Connection establishment reject cause (1)", connection_establishment_reject_cause_1) \
	ALL(12, TIME,     R,  MANY, MAY,  SHOW, ANY,           "", "Connection end time (1)",                   connection_end_time_1) \
	ALL(13, INTEGER,  R,  ONE,  MAY,  SHOW, ANY,           "", "TotalBytesSent",                            totalbytessent) \
	ALL(14, INTEGER,  R,  ONE,  MAY,  SHOW, ANY,           "", "TotalBytesReceived",                        totalbytesreceived) \
	ALL(15, STRING,   RW, MANY, MAY,  SHOW, ANY,           "", "IP address (2)",                            ip_address_2) \
	ALL(16, STRING,   RW, MANY, MAY,  SHOW, ANY,           "", "Prefix length(2)",                          prefix_length_2) \
	ALL(17, STRING,   RW, MANY, MAY,  SHOW, ANY,           "", "Subnet mask (2)",                           subnet_mask_2) \
	ALL(18, STRING,   RW, MANY, MAY,  SHOW, ANY,           "", "Gateway (2)",                               gateway_2) \
	ALL(19, STRING,   RW, MANY, MAY,  SHOW, ANY,           "", "Primary DNS address (2)",                   primary_dns_address_2) \
	ALL(20, STRING,   RW, MANY, MAY,  SHOW, ANY,           "", "Secondary DNS address (2)",                 secondary_dns_address_2) \
	ALL(21, INTEGER,  R,  ONE,  MAY,  SHOW, RANGE(1, 9),   "", "QCI (3)",                                   qci_3) \
	ALL(22, OBJLNK,   R,  ONE,  MAY,  SHOW, ANY,           "", "Vendor specific extensions",                vendor_specific_extensions) \
	ALL(23, INTEGER,  R,  ONE,  MAY,  SHOW, ANY,           "", "TotalPacketsSent",                          totalpacketssent) \
	ALL(24, INTEGER,  RW, ONE,  MAY,  SHOW, ANY,           "", "PDN Type",                                  pdn_type) \
	ALL(25, INTEGER,  R,  ONE,  MAY,  SHOW, ANY,           "", "APN Rate Control",                          apn_rate_control) \
	V11(26, UNSIGNED, RW, ONE,  MAY,  SHOW, ANY,           "", "Serving PLMN Rate control",                 serving_plmn_rate_control) \
	V11(27, UNSIGNED, RW, ONE,  MAY,  SHOW, RANGE(0, 4),   "", "Uplink Time Unit",                          uplink_time_unit) \
	V11(28, INTEGER,  R,  ONE,  MAY,  SHOW, ANY,           "", "APN Rate Control for Exception Data",       apn_rate_control_for_exception_data) \
	V11(29, UNSIGNED, RW, ONE,  MAY,  SHOW, RANGE(0, 4),   "", "APN Exception Data Uplink Time Unit",       apn_exception_data_uplink_time_unit) \
	V11(30, UNSIGNED, RW, MANY, MAY,  SHOW, ANY,           "", "Supported RAT Types",                       supported_rat_types) \
	V11(31, STRING,   RW, MANY, MAY,  SHOW, ANY,           "", "RDS Application ID",                        rds_application_id) \
	V11(32, INTEGER,  RW, MANY, MAY,  SHOW, RANGE(0, 15),  "", "RDS Destination Port",                      rds_destination_port) \
	V11(33, INTEGER,  RW, MANY, MAY,  SHOW, RANGE(0, 15),  "", "RDS Source Port",                           rds_source_port)
static const struct lwm2m_res_def apn_1_0[] = { APN(ROW, OUT) };
static const struct lwm2m_res_def apn_1_1[] = { APN(ROW, ROW) };

#define BEARER(ALL, V10, V11) \
	V10( 0, INTEGER, RW, MANY, MAY, SHOW, TEXT("8 bit"),    "", "Preferred Communications Bearer",   preferred_communications_bearer) \
	V11( 0, INTEGER, RW, MANY, MAY, SHOW, RANGE(0, 100),    "", "Preferred Communications Bearer",   preferred_communications_bearer) \
	V10( 1, INTEGER, RW, ONE,  MAY, SHOW, ANY,              "", "Acceptable RSSI (GSM)",             acceptable_rssi_gsm) \
	V11( 1, INTEGER, RW, ONE,  MAY, SHOW, RANGE(-110, -48), "", "Acceptable RSSI (GSM)",             acceptable_rssi_gsm) \
	V10( 2, INTEGER, RW, ONE,  MAY, SHOW, ANY,              "", "Acceptable RSCP (UMTS)",            acceptable_rscp_umts) \
	V11( 2, INTEGER, RW, ONE,  MAY, SHOW, RANGE(-120, -25), "", "Acceptable RSCP (UMTS)",            acceptable_rscp_umts) \
	V10( 3, INTEGER, RW, ONE,  MAY, SHOW, ANY,              "", "Acceptable RSRP (LTE)",             acceptable_rsrp_lte) \
	V11( 3, INTEGER, RW, ONE,  MAY, SHOW, RANGE(-140, -44), "", "Acceptable RSRP (LTE)",             acceptable_rsrp_lte) \
	ALL( 4, INTEGER, RW, ONE,  MAY, SHOW, ANY,              "", "Acceptable RSSI (1xEV-DO)",         acceptable_rssi_1xev_do) \
	ALL( 5, STRING,  RW, ONE,  MAY, SHOW, ANY,              "", "Cell lock list",                    cell_lock_list) \
	ALL( 6, STRING,  RW, ONE,  MAY, SHOW, ANY,              "", "Operator list",                     operator_list) \
	ALL( 7, BOOLEAN, RW, ONE,  MAY, SHOW, ANY,              "", "Operator list mode",                operator_list_mode) \
	ALL( 8, STRING,  R,  ONE,  MAY, SHOW, ANY,              "", "List of available PLMNs",           list_of_available_plmns) \
	ALL( 9, OBJLNK,  R,  ONE,  MAY, SHOW, ANY,              "", "Vendor specific extensions",        vendor_specific_extensions) \
	V10(10, INTEGER, RW, ONE,  MAY, SHOW, ANY,              "", "Acceptable RSRP (NB-IoT)",          acceptable_rsrp_nb_iot) \
	V11(10, INTEGER, RW, ONE,  MAY, SHOW, RANGE(-158, -44), "", "Acceptable RSRP (NB-IoT)",          acceptable_rsrp_nb_iot) \
	ALL(11, INTEGER, RW, ONE,  MAY, SHOW, ANY,              "", "Higher Priority PLMN Search Timer", higher_priority_plmn_search_timer) \
	ALL(12, BOOLEAN, RW, ONE,  MAY, SHOW, ANY,              "", "Attach without PDN connection",     attach_without_pdn_connection)
static const struct lwm2m_res_def bearer_1_0[] = { BEARER(ROW, ROW, OUT) };
static const struct lwm2m_res_def bearer_1_1[] = { BEARER(ROW, OUT, ROW) };

#define OSCORE(ALL, TO_11, V11, V20) \
	TO_11(0, STRING,  0, ONE, MUST, HIDE, ANY, "", "OSCORE Master Secret",  oscore_master_secret) \
	V20(  0, OPAQUE,  0, ONE, MUST, HIDE, ANY, "", "OSCORE Master Secret",  oscore_master_secret) \
	TO_11(1, STRING,  0, ONE, MUST, SHOW, ANY, "", "OSCORE Sender ID",      oscore_sender_id) \
	V20(  1, OPAQUE,  0, ONE, MUST, SHOW, ANY, "", "OSCORE Sender ID",      oscore_sender_id) \
	TO_11(2, STRING,  0, ONE, MUST, SHOW, ANY, "", "OSCORE Recipient ID",   oscore_recipient_id) \
	V20(  2, OPAQUE,  0, ONE, MUST, SHOW, ANY, "", "OSCORE Recipient ID",   oscore_recipient_id) \
	ALL(  3, INTEGER, 0, ONE, MAY,  SHOW, ANY, "", "OSCORE AEAD Algorithm", oscore_aead_algorithm) \
	ALL(  4, INTEGER, 0, ONE, MAY,  SHOW, ANY, "", "OSCORE HMAC Algorithm", oscore_hmac_algorithm) \
	TO_11(5, STRING,  0, ONE, MAY,  SHOW, ANY, "", "OSCORE Master Salt",    oscore_master_salt) \
	V20(  5, OPAQUE,  0, ONE, MAY,  SHOW, ANY, "", "OSCORE Master Salt",    oscore_master_salt) \
	V11(  6, STRING,  0, ONE, MAY,  SHOW, ANY, "", "OSCORE ID Context",     oscore_id_context) \
	V20(  6, OPAQUE,  0, ONE, MAY,  SHOW, ANY, "", "OSCORE ID Context",     oscore_id_context)
static const struct lwm2m_res_def oscore_1_0[] = { OSCORE(ROW, ROW, OUT, OUT) };
static const struct lwm2m_res_def oscore_1_1[] = { OSCORE(ROW, ROW, ROW, OUT) };
static const struct lwm2m_res_def oscore_2_0[] = { OSCORE(ROW, OUT, OUT, ROW) };

#define COSE(ALL) \
	ALL(0, STRING,  0, ONE, MUST, SHOW, ANY, "", "KID",            kid) \
	ALL(1, INTEGER, 0, ONE, MUST, SHOW, ANY, "", "AEAD Algorithm", aead_algorithm) \
	ALL(2, STRING,  0, ONE, MUST, HIDE, ANY, "", "Key",            key)
static const struct lwm2m_res_def cose_1_0[] = { COSE(ROW) };

#define OBJ(oid, text, word, major, minor, e_major, e_minor, many, must, table) \
	&(const struct lwm2m_obj_def){ \
		.id = oid, .name = text, .key = #word, .version = { major, minor }, \
		.lwm2m_version = { e_major, e_minor }, .multiple = many, .mandatory = must, \
		.res = table, .n_res = N_ELEMS(table) }

/* Object, name, key, its version, the enabler it came with, instances, presence, Resources. */
static const struct lwm2m_obj_def *const core[] = {
	OBJ(LWM2M_SECURITY,       "LWM2M Security",               lwm2m_security,               1, 0, 1, 0, MANY, MUST, security_1_0),
	OBJ(LWM2M_SECURITY,       "LWM2M Security",               lwm2m_security,               1, 1, 1, 1, MANY, MUST, security_1_1),
	OBJ(LWM2M_SECURITY,       "LWM2M Security",               lwm2m_security,               1, 2, 1, 1, MANY, MUST, security_1_2),
	OBJ(LWM2M_SERVER,         "LwM2M Server",                 lwm2m_server,                 1, 0, 1, 0, MANY, MUST, server_1_0),
	OBJ(LWM2M_SERVER,         "LwM2M Server",                 lwm2m_server,                 1, 1, 1, 1, MANY, MUST, server_1_1),
	OBJ(LWM2M_SERVER,         "LwM2M Server",                 lwm2m_server,                 1, 2, 1, 2, MANY, MUST, server_1_2),
	OBJ(LWM2M_ACCESS_CONTROL, "LwM2M Access Control",         lwm2m_access_control,         1, 0, 1, 0, MANY, MAY,  access_control_1_0),
	OBJ(LWM2M_ACCESS_CONTROL, "LwM2M Access Control",         lwm2m_access_control,         1, 1, 1, 0, MANY, MAY,  access_control_1_1),
	OBJ(LWM2M_DEVICE,         "Device",                       device,                       1, 0, 1, 0, ONE,  MUST, device_1_0),
	OBJ(LWM2M_DEVICE,         "Device",                       device,                       1, 1, 1, 1, ONE,  MUST, device_1_1),
	OBJ(LWM2M_DEVICE,         "Device",                       device,                       1, 2, 1, 1, ONE,  MUST, device_1_2),
	OBJ(LWM2M_CELLULAR,       "LWM2M Cellular Connectivity",  lwm2m_cellular_connectivity,  1, 0, 1, 0, ONE,  MAY,  cellular_1_0),
	OBJ(LWM2M_CELLULAR,       "LWM2M Cellular Connectivity",  lwm2m_cellular_connectivity,  1, 1, 1, 1, ONE,  MAY,  cellular_1_1),
	OBJ(LWM2M_APN,            "LWM2M APN Connection Profile", lwm2m_apn_connection_profile, 1, 0, 1, 0, MANY, MAY,  apn_1_0),
	OBJ(LWM2M_APN,            "LWM2M APN Connection Profile", lwm2m_apn_connection_profile, 1, 1, 1, 1, MANY, MAY,  apn_1_1),
	OBJ(LWM2M_BEARER,         "LWM2M Bearer Selection",       lwm2m_bearer_selection,       1, 0, 1, 0, ONE,  MAY,  bearer_1_0),
	OBJ(LWM2M_BEARER,         "LWM2M Bearer Selection",       lwm2m_bearer_selection,       1, 1, 1, 1, ONE,  MAY,  bearer_1_1),
	OBJ(LWM2M_OSCORE,         "LWM2M OSCORE",                 lwm2m_oscore,                 1, 0, 1, 1, MANY, MAY,  oscore_1_0),
	OBJ(LWM2M_OSCORE,         "LWM2M OSCORE",                 lwm2m_oscore,                 1, 1, 1, 1, MANY, MAY,  oscore_1_1),
	OBJ(LWM2M_OSCORE,         "LWM2M OSCORE",                 lwm2m_oscore,                 2, 0, 1, 1, MANY, MAY,  oscore_2_0),
	OBJ(LWM2M_COSE,           "LwM2M COSE",                   lwm2m_cose,                   1, 0, 1, 2, MANY, MAY,  cose_1_0),
};
/* clang-format on */

static const struct lwm2m_model builtin = { .defs = core, .n = N_ELEMS(core) };

const struct lwm2m_model *
lwm2m_model_builtin(void)
{
	return &builtin;
}
