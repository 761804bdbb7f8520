# Fuzz targets; tests/fuzz/fuzz.h says how to add one. Linked with libFuzzer with --enable-fuzzing,
# otherwise with replay.c, which feeds the target its seeds as a test.
fuzz_programs =
check_PROGRAMS += $(fuzz_programs)
if FUZZING
FUZZ_MAIN = tests/fuzz/fuzz.h
else
FUZZ_MAIN = tests/fuzz/fuzz.h tests/fuzz/replay.c
TESTS += $(fuzz_programs)
endif
FUZZ_CODEC = tests/fuzz/codec.c tests/fuzz/codec.h $(FUZZ_MAIN)
FUZZ_LIBS = $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/replay.c tests/fuzz/seeds

fuzz_programs += tests/fuzz/fuzz_path
tests_fuzz_fuzz_path_SOURCES = tests/fuzz/fuzz_path.c $(FUZZ_MAIN)
tests_fuzz_fuzz_path_LDADD = $(LWM2M_LIBS) $(FUZZ_LIBS)

# profiles
fuzz_programs += tests/fuzz/fuzz_desired
tests_fuzz_fuzz_desired_SOURCES = tests/fuzz/fuzz_desired.c $(FUZZ_MAIN)
tests_fuzz_fuzz_desired_LDADD = $(PROFILES_LIBS) $(FUZZ_LIBS)
fuzz_programs += tests/fuzz/fuzz_profile
tests_fuzz_fuzz_profile_SOURCES = tests/fuzz/fuzz_profile.c $(FUZZ_MAIN)
tests_fuzz_fuzz_profile_LDADD = $(PROFILES_LIBS) $(FUZZ_LIBS)

# bsserver/bootstrap
fuzz_programs += tests/fuzz/fuzz_inventory
tests_fuzz_fuzz_inventory_SOURCES = tests/fuzz/fuzz_inventory.c $(FUZZ_MAIN)
tests_fuzz_fuzz_inventory_LDADD = $(BOOTSTRAP_LIBS) $(FUZZ_LIBS)

# pki
fuzz_programs += tests/fuzz/fuzz_key
tests_fuzz_fuzz_key_SOURCES = tests/fuzz/fuzz_key.c $(FUZZ_MAIN)
tests_fuzz_fuzz_key_LDADD = $(PKI_LIBS) $(FUZZ_LIBS)

# lib/lwm2m, the model
fuzz_programs += tests/fuzz/fuzz_object_xml
tests_fuzz_fuzz_object_xml_SOURCES = tests/fuzz/fuzz_object_xml.c $(FUZZ_MAIN)
tests_fuzz_fuzz_object_xml_LDADD = $(LWM2M_LIBS) $(FUZZ_LIBS)

# lib/lwm2m, the formats; with codec.c a target is one line of code
fuzz_programs += tests/fuzz/fuzz_corelink
tests_fuzz_fuzz_corelink_SOURCES = tests/fuzz/fuzz_corelink.c $(FUZZ_MAIN)
tests_fuzz_fuzz_corelink_LDADD = $(LWM2M_LIBS) $(FUZZ_LIBS)

fuzz_programs += tests/fuzz/fuzz_text
tests_fuzz_fuzz_text_SOURCES = tests/fuzz/fuzz_text.c $(FUZZ_CODEC)
tests_fuzz_fuzz_text_LDADD = $(LWM2M_LIBS) $(FUZZ_LIBS)

fuzz_programs += tests/fuzz/fuzz_tlv
tests_fuzz_fuzz_tlv_SOURCES = tests/fuzz/fuzz_tlv.c $(FUZZ_CODEC)
tests_fuzz_fuzz_tlv_LDADD = $(LWM2M_LIBS) $(FUZZ_LIBS)

fuzz_programs += tests/fuzz/fuzz_cbor
tests_fuzz_fuzz_cbor_SOURCES = tests/fuzz/fuzz_cbor.c $(FUZZ_CODEC)
tests_fuzz_fuzz_cbor_LDADD = $(LWM2M_LIBS) $(FUZZ_LIBS)

fuzz_programs += tests/fuzz/fuzz_lwm2m_cbor
tests_fuzz_fuzz_lwm2m_cbor_SOURCES = tests/fuzz/fuzz_lwm2m_cbor.c $(FUZZ_CODEC)
tests_fuzz_fuzz_lwm2m_cbor_LDADD = $(LWM2M_LIBS) $(FUZZ_LIBS)

fuzz_programs += tests/fuzz/fuzz_senml_cbor
tests_fuzz_fuzz_senml_cbor_SOURCES = tests/fuzz/fuzz_senml_cbor.c $(FUZZ_CODEC)
tests_fuzz_fuzz_senml_cbor_LDADD = $(LWM2M_LIBS) $(FUZZ_LIBS)

fuzz_programs += tests/fuzz/fuzz_senml_json
tests_fuzz_fuzz_senml_json_SOURCES = tests/fuzz/fuzz_senml_json.c $(FUZZ_CODEC)
tests_fuzz_fuzz_senml_json_LDADD = $(LWM2M_LIBS) $(FUZZ_LIBS)

# bsserver/conf
fuzz_programs += tests/fuzz/fuzz_conf
tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz_conf.c $(FUZZ_MAIN)
tests_fuzz_fuzz_conf_LDADD = $(BSSERVER_LIBS) $(FUZZ_LIBS)

# bsserver/handoff
fuzz_programs += tests/fuzz/fuzz_handoff
tests_fuzz_fuzz_handoff_SOURCES = tests/fuzz/fuzz_handoff.c $(FUZZ_MAIN)
tests_fuzz_fuzz_handoff_LDADD = bsserver/libbsserver.a $(LWM2M_LIBS) $(FUZZ_LIBS)
fuzz_programs += tests/fuzz/fuzz_handoff_platform
tests_fuzz_fuzz_handoff_platform_SOURCES = tests/fuzz/fuzz_handoff_platform.c $(FUZZ_MAIN)
tests_fuzz_fuzz_handoff_platform_LDADD = bsserver/libbsserver.a $(LWM2M_LIBS) $(FUZZ_LIBS)

# bsserver/registry
fuzz_programs += tests/fuzz/fuzz_registry_note
tests_fuzz_fuzz_registry_note_SOURCES = tests/fuzz/fuzz_registry_note.c $(FUZZ_MAIN)
tests_fuzz_fuzz_registry_note_LDADD = bsserver/libbsserver.a $(BASE_LIBS) $(FUZZ_LIBS)
fuzz_programs += tests/fuzz/fuzz_register
tests_fuzz_fuzz_register_SOURCES = tests/fuzz/fuzz_register.c $(FUZZ_MAIN)
tests_fuzz_fuzz_register_LDADD = bsserver/libbsserver.a $(BASE_LIBS) $(FUZZ_LIBS)

# bsserver/store
fuzz_programs += tests/fuzz/fuzz_transcript
tests_fuzz_fuzz_transcript_SOURCES = tests/fuzz/fuzz_transcript.c $(FUZZ_MAIN)
tests_fuzz_fuzz_transcript_LDADD = bsserver/libbsserver.a bsserver/libbootstrap.a $(LWM2M_LIBS) $(FUZZ_LIBS)

# bsserver/api
fuzz_programs += tests/fuzz/fuzz_api
tests_fuzz_fuzz_api_SOURCES = tests/fuzz/fuzz_api.c $(FUZZ_MAIN)
tests_fuzz_fuzz_api_LDADD = $(BSSERVER_LIBS) $(FUZZ_LIBS)

# bsserver/transport
fuzz_programs += tests/fuzz/fuzz_block
tests_fuzz_fuzz_block_SOURCES = tests/fuzz/fuzz_block.c $(FUZZ_MAIN)
tests_fuzz_fuzz_block_LDADD = $(TRANSPORT_LIBS) $(FUZZ_LIBS)
fuzz_programs += tests/fuzz/fuzz_gather
tests_fuzz_fuzz_gather_SOURCES = tests/fuzz/fuzz_gather.c $(FUZZ_MAIN)
tests_fuzz_fuzz_gather_LDADD = $(TRANSPORT_LIBS) $(FUZZ_LIBS)
fuzz_programs += tests/fuzz/fuzz_hello
tests_fuzz_fuzz_hello_SOURCES = tests/fuzz/fuzz_hello.c $(FUZZ_MAIN)
tests_fuzz_fuzz_hello_LDADD = $(TRANSPORT_LIBS) $(FUZZ_LIBS)
fuzz_programs += tests/fuzz/fuzz_coap
tests_fuzz_fuzz_coap_SOURCES = tests/fuzz/fuzz_coap.c tests/unit/coap_client.c \
	tests/unit/coap_client.h $(FUZZ_MAIN)
tests_fuzz_fuzz_coap_LDADD = $(TRANSPORT_LIBS) $(FUZZ_LIBS)

# pki
fuzz_programs += tests/fuzz/fuzz_cert
tests_fuzz_fuzz_cert_SOURCES = tests/fuzz/fuzz_cert.c $(FUZZ_MAIN)
tests_fuzz_fuzz_cert_LDADD = $(PKI_LIBS) $(FUZZ_LIBS)
fuzz_programs += tests/fuzz/fuzz_name
tests_fuzz_fuzz_name_SOURCES = tests/fuzz/fuzz_name.c $(FUZZ_MAIN)
tests_fuzz_fuzz_name_LDADD = $(PKI_LIBS) $(FUZZ_LIBS)
fuzz_programs += tests/fuzz/fuzz_pem
tests_fuzz_fuzz_pem_SOURCES = tests/fuzz/fuzz_pem.c $(FUZZ_MAIN)
tests_fuzz_fuzz_pem_LDADD = $(PKI_LIBS) $(FUZZ_LIBS)
fuzz_programs += tests/fuzz/fuzz_ocsp
tests_fuzz_fuzz_ocsp_SOURCES = tests/fuzz/fuzz_ocsp.c $(FUZZ_MAIN)
tests_fuzz_fuzz_ocsp_LDADD = $(PKI_LIBS) $(FUZZ_LIBS)
fuzz_programs += tests/fuzz/fuzz_crl
tests_fuzz_fuzz_crl_SOURCES = tests/fuzz/fuzz_crl.c $(FUZZ_MAIN)
tests_fuzz_fuzz_crl_LDADD = $(PKI_LIBS) $(FUZZ_LIBS)
fuzz_programs += tests/fuzz/fuzz_status_cache
tests_fuzz_fuzz_status_cache_SOURCES = tests/fuzz/fuzz_status_cache.c $(FUZZ_MAIN)
tests_fuzz_fuzz_status_cache_LDADD = $(PKI_LIBS) $(FUZZ_LIBS)
