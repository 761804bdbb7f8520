noinst_LIBRARIES += lib/libbase.a
lib_libbase_a_CPPFLAGS = $(AM_CPPFLAGS) $(GNUTLS_CFLAGS)
lib_libbase_a_CFLAGS = $(HOT_CFLAGS)
lib_libbase_a_SOURCES = \
	lib/base/buf.c lib/base/buf.h \
	lib/base/clock.c lib/base/clock.h \
	lib/base/enc.c lib/base/enc.h \
	lib/base/err.c lib/base/err.h \
	lib/base/file.c lib/base/file.h \
	lib/base/log.c lib/base/log.h \
	lib/base/str.c lib/base/str.h \
	lib/base/stdfd.c lib/base/stdfd.h \
	lib/base/table.c lib/base/table.h \
	lib/base/util.c lib/base/util.h
# Its part that handles keys.
EXTRA_LIBRARIES += lib/libkeys.a
lib_libkeys_a_CPPFLAGS = $(lib_libbase_a_CPPFLAGS)
lib_libkeys_a_CFLAGS = $(KEY_CFLAGS)
lib_libkeys_a_SOURCES = \
	lib/base/crypt.c lib/base/crypt.h \
	lib/base/secret.c lib/base/secret.h
lib_libbase_a_LIBADD = $(lib_libkeys_a_OBJECTS)
EXTRA_lib_libbase_a_DEPENDENCIES = $(lib_libbase_a_LIBADD)
