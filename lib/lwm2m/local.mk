noinst_LIBRARIES += lib/liblwm2m.a
lib_liblwm2m_a_CPPFLAGS = $(AM_CPPFLAGS) $(CBOR_CFLAGS) $(JANSSON_CFLAGS)
lib_liblwm2m_a_CFLAGS = $(HOT_CFLAGS)
lib_liblwm2m_a_SOURCES = \
	lib/lwm2m/cbor.c \
	lib/lwm2m/cbor_io.c lib/lwm2m/cbor_io.h \
	lib/lwm2m/lwm2m_cbor.c \
	lib/lwm2m/object.c lib/lwm2m/object.h \
	lib/lwm2m/object_core.c lib/lwm2m/object_model.h \
	lib/lwm2m/object_load.c lib/lwm2m/object_range.c \
	lib/lwm2m/object_xml.c \
	lib/lwm2m/raw.c lib/lwm2m/raw.h \
	lib/lwm2m/finding.c lib/lwm2m/finding.h \
	lib/lwm2m/reason.c lib/lwm2m/reason.h \
	lib/lwm2m/senml.c lib/lwm2m/senml.h \
	lib/lwm2m/senml_cbor.c \
	lib/lwm2m/senml_json.c \
	lib/lwm2m/path.c lib/lwm2m/path.h \
	lib/lwm2m/tree.c lib/lwm2m/tree.h \
	lib/lwm2m/value.c lib/lwm2m/value.h \
	lib/lwm2m/format.c lib/lwm2m/format.h lib/lwm2m/tlv.c lib/lwm2m/text.c \
	lib/lwm2m/corelink.c lib/lwm2m/corelink.h
