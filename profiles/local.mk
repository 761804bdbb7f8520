noinst_LIBRARIES += profiles/libprofiles.a
profiles_libprofiles_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
profiles_libprofiles_a_SOURCES = \
	profiles/desired.c profiles/desired.h \
	profiles/finding.h profiles/profile.h
