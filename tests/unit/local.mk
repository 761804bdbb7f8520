# A unit test is one program: add its name to unit_programs, its _SOURCES and its _LDADD below.
unit_programs =
if HAVE_CHECK
check_LIBRARIES += tests/unit/libunit.a
tests_unit_libunit_a_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_libunit_a_SOURCES = tests/unit/unit.c tests/unit/unit.h
UNIT_LIBS = tests/unit/libunit.a $(CHECK_LIBS)
check_PROGRAMS += $(unit_programs)
TESTS += $(unit_programs)
endif

# lib/base
unit_programs += tests/unit/test_buf
tests_unit_test_buf_SOURCES = tests/unit/test_buf.c
tests_unit_test_buf_LDADD = $(UNIT_LIBS) $(BASE_LIBS)
unit_programs += tests/unit/test_crypt
tests_unit_test_crypt_SOURCES = tests/unit/test_crypt.c
tests_unit_test_crypt_LDADD = $(UNIT_LIBS) $(BASE_LIBS)
unit_programs += tests/unit/test_enc
tests_unit_test_enc_SOURCES = tests/unit/test_enc.c
tests_unit_test_enc_LDADD = $(UNIT_LIBS) $(BASE_LIBS)
unit_programs += tests/unit/test_err
tests_unit_test_err_SOURCES = tests/unit/test_err.c
tests_unit_test_err_LDADD = $(UNIT_LIBS) $(BASE_LIBS)
unit_programs += tests/unit/test_log
tests_unit_test_log_SOURCES = tests/unit/test_log.c
tests_unit_test_log_LDADD = $(UNIT_LIBS) $(BASE_LIBS)
unit_programs += tests/unit/test_str
tests_unit_test_str_SOURCES = tests/unit/test_str.c
tests_unit_test_str_LDADD = $(UNIT_LIBS) $(BASE_LIBS)

# profiles
unit_programs += tests/unit/test_desired
tests_unit_test_desired_SOURCES = tests/unit/test_desired.c
tests_unit_test_desired_LDADD = $(UNIT_LIBS) $(PROFILES_LIBS)
PROFILE_KIT = tests/unit/profile_kit.c tests/unit/profile_kit.h
unit_programs += tests/unit/test_profile_check
tests_unit_test_profile_check_SOURCES = tests/unit/test_profile_check.c $(PROFILE_KIT)
tests_unit_test_profile_check_LDADD = $(UNIT_LIBS) $(PROFILES_LIBS)
unit_programs += tests/unit/test_handout
PKI_KIT = tests/unit/pki_kit.c tests/unit/pki_kit.h
tests_unit_test_handout_SOURCES = tests/unit/test_handout.c $(PROFILE_KIT) $(PKI_KIT)
tests_unit_test_handout_LDADD = $(UNIT_LIBS) $(BSSERVER_LIBS)
unit_programs += tests/unit/test_profile_x509
tests_unit_test_profile_x509_SOURCES = tests/unit/test_profile_x509.c $(PROFILE_KIT) $(PKI_KIT)
tests_unit_test_profile_x509_LDADD = $(UNIT_LIBS) $(PROFILES_LIBS)
unit_programs += tests/unit/test_profile_examples
tests_unit_test_profile_examples_SOURCES = tests/unit/test_profile_examples.c $(PROFILE_KIT)
tests_unit_test_profile_examples_LDADD = $(UNIT_LIBS) $(PROFILES_LIBS)
unit_programs += tests/unit/test_profile_load
tests_unit_test_profile_load_SOURCES = tests/unit/test_profile_load.c $(PROFILE_KIT)
tests_unit_test_profile_load_LDADD = $(UNIT_LIBS) $(PROFILES_LIBS)
unit_programs += tests/unit/test_profile_inherit
tests_unit_test_profile_inherit_SOURCES = tests/unit/test_profile_inherit.c $(PROFILE_KIT)
tests_unit_test_profile_inherit_LDADD = $(UNIT_LIBS) $(PROFILES_LIBS)
unit_programs += tests/unit/test_profile_compile
tests_unit_test_profile_compile_SOURCES = tests/unit/test_profile_compile.c $(PROFILE_KIT)
tests_unit_test_profile_compile_LDADD = $(UNIT_LIBS) $(PROFILES_LIBS)
unit_programs += tests/unit/test_profile_keys
tests_unit_test_profile_keys_SOURCES = tests/unit/test_profile_keys.c $(PROFILE_KIT)
tests_unit_test_profile_keys_LDADD = $(UNIT_LIBS) $(PROFILES_LIBS)

# bsserver
unit_programs += tests/unit/test_handoff_step
tests_unit_test_handoff_step_SOURCES = tests/unit/test_handoff_step.c
tests_unit_test_handoff_step_LDADD = $(UNIT_LIBS) $(BSSERVER_LIBS)
unit_programs += tests/unit/test_handoff_driver
tests_unit_test_handoff_driver_SOURCES = tests/unit/test_handoff_driver.c
tests_unit_test_handoff_driver_LDADD = $(UNIT_LIBS) $(BSSERVER_LIBS)
unit_programs += tests/unit/test_handoff_platform
tests_unit_test_handoff_platform_SOURCES = tests/unit/test_handoff_platform.c
tests_unit_test_handoff_platform_LDADD = $(UNIT_LIBS) $(BSSERVER_LIBS)
unit_programs += tests/unit/test_loop
tests_unit_test_loop_SOURCES = tests/unit/test_loop.c
tests_unit_test_loop_LDADD = $(UNIT_LIBS) bsserver/libbsserver.a $(BASE_LIBS) $(UV_LIBS)

# lib/lwm2m, the model
EXTRA_DIST += tests/data/objects tests/data/ocsp-matrix.txt
unit_programs += tests/unit/test_object
tests_unit_test_object_SOURCES = tests/unit/test_object.c
tests_unit_test_object_LDADD = $(UNIT_LIBS) $(LWM2M_LIBS)
unit_programs += tests/unit/test_object_xml
tests_unit_test_object_xml_SOURCES = tests/unit/test_object_xml.c
tests_unit_test_object_xml_LDADD = $(UNIT_LIBS) $(LWM2M_LIBS)
unit_programs += tests/unit/test_record
tests_unit_test_record_SOURCES = tests/unit/test_record.c
tests_unit_test_record_LDADD = $(UNIT_LIBS) $(BOOTSTRAP_LIBS)
unit_programs += tests/unit/test_path
tests_unit_test_path_SOURCES = tests/unit/test_path.c
tests_unit_test_path_LDADD = $(UNIT_LIBS) $(LWM2M_LIBS)
unit_programs += tests/unit/test_tree
tests_unit_test_tree_SOURCES = tests/unit/test_tree.c
tests_unit_test_tree_LDADD = $(UNIT_LIBS) $(LWM2M_LIBS)
unit_programs += tests/unit/test_value
tests_unit_test_value_SOURCES = tests/unit/test_value.c
tests_unit_test_value_LDADD = $(UNIT_LIBS) $(LWM2M_LIBS)

# lib/lwm2m, the formats
unit_programs += tests/unit/test_tlv
tests_unit_test_tlv_SOURCES = tests/unit/test_tlv.c tests/fuzz/codec.c tests/fuzz/codec.h
tests_unit_test_tlv_LDADD = $(UNIT_LIBS) $(LWM2M_LIBS)

unit_programs += tests/unit/test_text
tests_unit_test_text_SOURCES = tests/unit/test_text.c tests/fuzz/codec.c tests/fuzz/codec.h
tests_unit_test_text_LDADD = $(UNIT_LIBS) $(LWM2M_LIBS)

# with its fuzz target, which holds what is true of all that is accepted
unit_programs += tests/unit/test_corelink
tests_unit_test_corelink_SOURCES = tests/unit/test_corelink.c tests/fuzz/fuzz_corelink.c \
	tests/fuzz/codec.c tests/fuzz/codec.h
tests_unit_test_corelink_LDADD = $(UNIT_LIBS) $(LWM2M_LIBS)
unit_programs += tests/unit/test_inventory
tests_unit_test_inventory_SOURCES = tests/unit/test_inventory.c
tests_unit_test_inventory_LDADD = $(UNIT_LIBS) $(BOOTSTRAP_LIBS)
PLAN_KIT = tests/unit/plan_kit.c tests/unit/plan_kit.h
unit_programs += tests/unit/test_plan
tests_unit_test_plan_SOURCES = tests/unit/test_plan.c $(PLAN_KIT)
tests_unit_test_plan_LDADD = $(UNIT_LIBS) $(BOOTSTRAP_LIBS)
unit_programs += tests/unit/test_timeline
tests_unit_test_timeline_SOURCES = tests/unit/test_timeline.c tests/sim/registrations.c tests/sim/registrations.h $(PLAN_KIT)
tests_unit_test_timeline_LDADD = $(UNIT_LIBS) $(BOOTSTRAP_LIBS)

unit_programs += tests/unit/test_verify
tests_unit_test_verify_SOURCES = tests/unit/test_verify.c $(PLAN_KIT)
tests_unit_test_verify_LDADD = $(UNIT_LIBS) $(BOOTSTRAP_LIBS)

unit_programs += tests/unit/test_audit
tests_unit_test_audit_SOURCES = tests/unit/test_audit.c $(PLAN_KIT)
tests_unit_test_audit_LDADD = $(UNIT_LIBS) $(BOOTSTRAP_LIBS)
unit_programs += tests/unit/test_session
tests_unit_test_session_SOURCES = tests/unit/test_session.c
tests_unit_test_session_LDADD = $(UNIT_LIBS) $(BOOTSTRAP_LIBS)

# lib/lwm2m, the formats
CODEC_ROWS = tests/unit/codec_rows.c tests/unit/codec_rows.h tests/fuzz/codec.c tests/fuzz/codec.h
unit_programs += tests/unit/test_cbor
tests_unit_test_cbor_SOURCES = tests/unit/test_cbor.c $(CODEC_ROWS)
tests_unit_test_cbor_LDADD = $(UNIT_LIBS) $(LWM2M_LIBS)
unit_programs += tests/unit/test_lwm2m_cbor
tests_unit_test_lwm2m_cbor_SOURCES = tests/unit/test_lwm2m_cbor.c $(CODEC_ROWS)
tests_unit_test_lwm2m_cbor_LDADD = $(UNIT_LIBS) $(LWM2M_LIBS)
unit_programs += tests/unit/test_senml_cbor
tests_unit_test_senml_cbor_SOURCES = tests/unit/test_senml_cbor.c $(CODEC_ROWS)
tests_unit_test_senml_cbor_LDADD = $(UNIT_LIBS) $(LWM2M_LIBS)
unit_programs += tests/unit/test_senml_json
tests_unit_test_senml_json_SOURCES = tests/unit/test_senml_json.c $(CODEC_ROWS)
tests_unit_test_senml_json_LDADD = $(UNIT_LIBS) $(LWM2M_LIBS)
unit_programs += tests/unit/test_formats
tests_unit_test_formats_SOURCES = tests/unit/test_formats.c $(CODEC_ROWS)
tests_unit_test_formats_LDADD = $(UNIT_LIBS) $(LWM2M_LIBS)
unit_programs += tests/unit/test_auth
CERT_KIT = tests/unit/cert_kit.c tests/unit/cert_kit.h
tests_unit_test_auth_SOURCES = tests/unit/test_auth.c $(CERT_KIT)
tests_unit_test_auth_LDADD = $(UNIT_LIBS) $(BSSERVER_LIBS)
unit_programs += tests/unit/test_trust
tests_unit_test_trust_SOURCES = tests/unit/test_trust.c $(CERT_KIT)
tests_unit_test_trust_LDADD = $(UNIT_LIBS) $(BSSERVER_LIBS)
unit_programs += tests/unit/test_conf
tests_unit_test_conf_SOURCES = tests/unit/test_conf.c
tests_unit_test_conf_LDADD = $(UNIT_LIBS) $(BSSERVER_LIBS)
STORE_LIBS = bsserver/libbsserver.a bsserver/libbootstrap.a $(LWM2M_LIBS) $(UV_LIBS) $(SQLITE_LIBS)
store_fixture = tests/unit/store_fixture.c tests/unit/store_fixture.h
unit_programs += tests/unit/test_store
tests_unit_test_store_SOURCES = tests/unit/test_store.c $(store_fixture)
tests_unit_test_store_LDADD = $(UNIT_LIBS) $(STORE_LIBS)
unit_programs += tests/unit/test_store_file
tests_unit_test_store_file_SOURCES = tests/unit/test_store_file.c $(store_fixture)
tests_unit_test_store_file_LDADD = $(UNIT_LIBS) $(STORE_LIBS)
unit_programs += tests/unit/test_store_hot
tests_unit_test_store_hot_SOURCES = tests/unit/test_store_hot.c $(store_fixture)
tests_unit_test_store_hot_LDADD = $(UNIT_LIBS) $(STORE_LIBS)
unit_programs += tests/unit/test_store_held
unit_programs += tests/unit/test_store_handoff
tests_unit_test_store_handoff_SOURCES = tests/unit/test_store_handoff.c $(store_fixture)
tests_unit_test_store_handoff_LDADD = $(UNIT_LIBS) $(STORE_LIBS)
tests_unit_test_store_held_SOURCES = tests/unit/test_store_held.c $(store_fixture)
tests_unit_test_store_held_LDADD = $(UNIT_LIBS) $(STORE_LIBS)
unit_programs += tests/unit/test_store_anchor
tests_unit_test_store_anchor_SOURCES = tests/unit/test_store_anchor.c $(store_fixture)
tests_unit_test_store_anchor_LDADD = $(UNIT_LIBS) $(STORE_LIBS)
unit_programs += tests/unit/test_store_note
tests_unit_test_store_note_SOURCES = tests/unit/test_store_note.c $(store_fixture)
tests_unit_test_store_note_LDADD = $(UNIT_LIBS) $(STORE_LIBS)
unit_programs += tests/unit/test_store_sessions
tests_unit_test_store_sessions_SOURCES = tests/unit/test_store_sessions.c $(store_fixture)
tests_unit_test_store_sessions_LDADD = $(UNIT_LIBS) $(STORE_LIBS)

# bsserver/registry
unit_programs += tests/unit/test_job
tests_unit_test_job_SOURCES = tests/unit/test_job.c
tests_unit_test_job_LDADD = $(UNIT_LIBS) bsserver/libbsserver.a $(BASE_LIBS)
unit_programs += tests/unit/test_returns
tests_unit_test_returns_SOURCES = tests/unit/test_returns.c
tests_unit_test_returns_LDADD = $(UNIT_LIBS) bsserver/libbsserver.a $(BASE_LIBS)
unit_programs += tests/unit/test_registry
tests_unit_test_registry_SOURCES = tests/unit/test_registry.c
tests_unit_test_registry_LDADD = $(UNIT_LIBS) bsserver/libbsserver.a $(BASE_LIBS)
unit_programs += tests/unit/test_registry_kept
tests_unit_test_registry_kept_SOURCES = tests/unit/test_registry_kept.c
tests_unit_test_registry_kept_LDADD = $(UNIT_LIBS) $(TRANSPORT_LIBS)
unit_programs += tests/unit/test_trigger
tests_unit_test_trigger_SOURCES = tests/unit/test_trigger.c
tests_unit_test_trigger_LDADD = $(UNIT_LIBS) bsserver/libbsserver.a $(BASE_LIBS) $(UV_LIBS)

# tests/sim
unit_programs += tests/unit/test_coapmsg
tests_unit_test_coapmsg_SOURCES = tests/unit/test_coapmsg.c tests/unit/simscript.h
tests_unit_test_coapmsg_LDADD = $(UNIT_LIBS) $(SIM_LIBS)
unit_programs += tests/unit/test_simdevice
tests_unit_test_simdevice_SOURCES = tests/unit/test_simdevice.c tests/unit/simscript.h
tests_unit_test_simdevice_LDADD = $(UNIT_LIBS) $(SIM_LIBS)
unit_programs += tests/unit/test_simdevice_lies
tests_unit_test_simdevice_lies_SOURCES = tests/unit/test_simdevice_lies.c tests/unit/simscript.h
tests_unit_test_simdevice_lies_LDADD = $(UNIT_LIBS) $(SIM_LIBS)

# bsserver/ports
unit_programs += tests/unit/test_past
tests_unit_test_past_SOURCES = tests/unit/test_past.c $(PROFILE_KIT)
tests_unit_test_past_LDADD = $(UNIT_LIBS) $(BSSERVER_LIBS)

# bsserver/api: over its socket, with a store and an engine in this process
API_WORLD = tests/system/api_world.c tests/system/api_world.h
unit_programs += tests/system/test_api
tests_system_test_api_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(CURL_CFLAGS)
tests_system_test_api_SOURCES = tests/system/test_api.c $(API_WORLD)
tests_system_test_api_LDADD = $(UNIT_LIBS) $(BSSERVER_LIBS)
# lwm2m-prov
unit_programs += tests/unit/test_cmd
tests_unit_test_cmd_SOURCES = tests/unit/test_cmd.c
tests_unit_test_cmd_LDADD = $(UNIT_LIBS) $(PROV_LIBS)
unit_programs += tests/system/test_api_apply
tests_system_test_api_apply_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(CURL_CFLAGS)
tests_system_test_api_apply_SOURCES = tests/system/test_api_apply.c $(API_WORLD)
tests_system_test_api_apply_LDADD = $(UNIT_LIBS) $(BSSERVER_LIBS)
unit_programs += tests/system/test_api_held
tests_system_test_api_held_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(CURL_CFLAGS)
tests_system_test_api_held_SOURCES = tests/system/test_api_held.c $(API_WORLD) $(PKI_KIT)
tests_system_test_api_held_LDADD = $(UNIT_LIBS) $(BSSERVER_LIBS)
unit_programs += tests/system/test_api_wire
tests_system_test_api_wire_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(CURL_CFLAGS)
tests_system_test_api_wire_SOURCES = tests/system/test_api_wire.c $(API_WORLD)
tests_system_test_api_wire_LDADD = $(UNIT_LIBS) $(BSSERVER_LIBS)
unit_programs += tests/unit/test_api_routes
tests_unit_test_api_routes_SOURCES = tests/unit/test_api_routes.c
tests_unit_test_api_routes_LDADD = $(UNIT_LIBS) $(BSSERVER_LIBS)
unit_programs += tests/unit/test_prov
tests_unit_test_prov_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_prov_SOURCES = tests/unit/test_prov.c
tests_unit_test_prov_LDADD = $(UNIT_LIBS) $(PROV_LIBS)
# bsserver, the transport
TRANSPORT_LIBS = bsserver/libbsserver.a $(BASE_LIBS) $(COAP_LIBS) $(UV_LIBS)
TRANSPORT_WORLD = tests/unit/coap_client.c tests/unit/coap_client.h \
	tests/unit/transport_world.c tests/unit/transport_world.h
unit_programs += tests/unit/test_block
tests_unit_test_block_SOURCES = tests/unit/test_block.c
tests_unit_test_block_LDADD = $(UNIT_LIBS) $(TRANSPORT_LIBS)
unit_programs += tests/unit/test_dedup
tests_unit_test_dedup_SOURCES = tests/unit/test_dedup.c
tests_unit_test_dedup_LDADD = $(UNIT_LIBS) $(TRANSPORT_LIBS)
unit_programs += tests/unit/test_gather
tests_unit_test_gather_SOURCES = tests/unit/test_gather.c
tests_unit_test_gather_LDADD = $(UNIT_LIBS) $(TRANSPORT_LIBS)
unit_programs += tests/unit/test_transport_blocks
tests_unit_test_transport_blocks_SOURCES = tests/unit/test_transport_blocks.c $(TRANSPORT_WORLD)
tests_unit_test_transport_blocks_LDADD = $(UNIT_LIBS) $(TRANSPORT_LIBS)
unit_programs += tests/unit/test_dtls
tests_unit_test_dtls_SOURCES = tests/unit/test_dtls.c $(TRANSPORT_WORLD)
tests_unit_test_dtls_LDADD = $(UNIT_LIBS) $(TRANSPORT_LIBS)
unit_programs += tests/unit/test_dtls_profile
tests_unit_test_dtls_profile_SOURCES = tests/unit/test_dtls_profile.c $(CERT_KIT) $(TRANSPORT_WORLD)
tests_unit_test_dtls_profile_LDADD = $(UNIT_LIBS) $(BSSERVER_LIBS)
unit_programs += tests/unit/test_dtls_attack
tests_unit_test_dtls_attack_SOURCES = tests/unit/test_dtls_attack.c $(TRANSPORT_WORLD)
tests_unit_test_dtls_attack_LDADD = $(UNIT_LIBS) $(TRANSPORT_LIBS)
unit_programs += tests/unit/test_half_open
tests_unit_test_half_open_SOURCES = tests/unit/test_half_open.c
tests_unit_test_half_open_LDADD = $(UNIT_LIBS) $(TRANSPORT_LIBS)
unit_programs += tests/unit/test_dtls_cert
tests_unit_test_dtls_cert_SOURCES = tests/unit/test_dtls_cert.c $(CERT_KIT) $(TRANSPORT_WORLD)
tests_unit_test_dtls_cert_LDADD = $(UNIT_LIBS) $(BSSERVER_LIBS)
unit_programs += tests/unit/test_timer_hook
tests_unit_test_timer_hook_SOURCES = tests/unit/test_timer_hook.c $(TRANSPORT_WORLD)
tests_unit_test_timer_hook_LDADD = $(UNIT_LIBS) $(TRANSPORT_LIBS)
unit_programs += tests/unit/test_udp_batch
tests_unit_test_udp_batch_SOURCES = tests/unit/test_udp_batch.c $(TRANSPORT_WORLD)
tests_unit_test_udp_batch_LDADD = $(UNIT_LIBS) $(TRANSPORT_LIBS)
unit_programs += tests/unit/test_transport_kept
tests_unit_test_transport_kept_SOURCES = tests/unit/test_transport_kept.c $(TRANSPORT_WORLD)
tests_unit_test_transport_kept_LDADD = $(UNIT_LIBS) $(TRANSPORT_LIBS)
unit_programs += tests/unit/test_transport
tests_unit_test_transport_SOURCES = tests/unit/test_transport.c $(TRANSPORT_WORLD)
tests_unit_test_transport_LDADD = $(UNIT_LIBS) $(TRANSPORT_LIBS)

# pki
unit_programs += tests/unit/test_der
tests_unit_test_der_SOURCES = tests/unit/test_der.c
tests_unit_test_der_LDADD = $(UNIT_LIBS) $(PKI_LIBS)
PKI_FORGE = tests/unit/pki_forge.c tests/unit/pki_forge.h
unit_programs += tests/unit/test_ocsp
tests_unit_test_ocsp_CPPFLAGS = $(AM_CPPFLAGS) $(GNUTLS_CFLAGS)
tests_unit_test_ocsp_SOURCES = tests/unit/test_ocsp.c $(PKI_FORGE)
tests_unit_test_ocsp_LDADD = $(UNIT_LIBS) $(PKI_LIBS)
unit_programs += tests/unit/test_crl
tests_unit_test_crl_CPPFLAGS = $(AM_CPPFLAGS) $(GNUTLS_CFLAGS)
tests_unit_test_crl_SOURCES = tests/unit/test_crl.c $(PKI_FORGE)
tests_unit_test_crl_LDADD = $(UNIT_LIBS) $(PKI_LIBS)
REV_WORLD = tests/unit/rev_world.c tests/unit/rev_world.h $(PKI_FORGE)
unit_programs += tests/unit/test_revocation
tests_unit_test_revocation_CPPFLAGS = $(AM_CPPFLAGS) $(GNUTLS_CFLAGS)
tests_unit_test_revocation_SOURCES = tests/unit/test_revocation.c $(REV_WORLD)
tests_unit_test_revocation_LDADD = $(UNIT_LIBS) $(PKI_LIBS)
unit_programs += tests/unit/test_revocation_many
tests_unit_test_revocation_many_CPPFLAGS = $(AM_CPPFLAGS) $(GNUTLS_CFLAGS)
tests_unit_test_revocation_many_SOURCES = tests/unit/test_revocation_many.c $(REV_WORLD)
tests_unit_test_revocation_many_LDADD = $(UNIT_LIBS) $(PKI_LIBS)
FAULT_SERVER = tests/unit/fault_server.c tests/unit/fault_server.h
unit_programs += tests/unit/test_ways
tests_unit_test_ways_SOURCES = tests/unit/test_ways.c $(FAULT_SERVER)
tests_unit_test_ways_LDADD = $(UNIT_LIBS) $(BSSERVER_LIBS)
unit_programs += tests/unit/test_http_client
tests_unit_test_http_client_SOURCES = tests/unit/test_http_client.c $(FAULT_SERVER)
tests_unit_test_http_client_LDADD = $(UNIT_LIBS) bsserver/libbsserver.a $(BASE_LIBS) $(UV_LIBS) $(CURL_LIBS)
VET_WORLD = tests/system/vet_world.c tests/system/vet_world.h $(PKI_FORGE) $(FAULT_SERVER)

unit_programs += tests/system/test_vet_says
tests_system_test_vet_says_CPPFLAGS = $(AM_CPPFLAGS) $(GNUTLS_CFLAGS)
tests_system_test_vet_says_SOURCES = tests/system/test_vet_says.c $(VET_WORLD)
tests_system_test_vet_says_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_wall_ms
tests_system_test_vet_says_LDADD = $(UNIT_LIBS) $(BSSERVER_LIBS) $(PKI_LIBS)

unit_programs += tests/system/test_vet
tests_system_test_vet_CPPFLAGS = $(AM_CPPFLAGS) $(GNUTLS_CFLAGS)
tests_system_test_vet_SOURCES = tests/system/test_vet.c $(VET_WORLD)
tests_system_test_vet_LDADD = $(UNIT_LIBS) $(BSSERVER_LIBS) $(PKI_LIBS)
unit_programs += tests/unit/test_chain_rules
tests_unit_test_chain_rules_CPPFLAGS = $(AM_CPPFLAGS) $(GNUTLS_CFLAGS)
tests_unit_test_chain_rules_SOURCES = tests/unit/test_chain_rules.c $(PKI_FORGE)
tests_unit_test_chain_rules_LDADD = $(UNIT_LIBS) $(PKI_LIBS)

unit_programs += tests/unit/test_chain
tests_unit_test_chain_CPPFLAGS = $(AM_CPPFLAGS) $(GNUTLS_CFLAGS)
tests_unit_test_chain_SOURCES = tests/unit/test_chain.c $(PKI_FORGE)
tests_unit_test_chain_LDADD = $(UNIT_LIBS) $(PKI_LIBS)
