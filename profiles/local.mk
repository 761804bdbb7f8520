noinst_LIBRARIES += profiles/libprofiles.a
profiles_libprofiles_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
profiles_libprofiles_a_CFLAGS = $(HOT_CFLAGS)
profiles_libprofiles_a_SOURCES = \
	profiles/check.c \
	profiles/check_order.c \
	profiles/compile.c \
	profiles/desired.c profiles/desired.h \
	profiles/doc.c profiles/doc.h \
	profiles/expand.c profiles/expand.h \
	profiles/explain.c \
	profiles/extract.c \
	profiles/finding.c profiles/finding.h \
	profiles/fleet.c \
	profiles/inherit.c \
	profiles/inline.c \
	profiles/keyref.c profiles/keyref.h \
	profiles/keys.c profiles/keys.h \
	profiles/load.c \
	profiles/lower.c profiles/lower.h \
	profiles/lower_account.h \
	profiles/lower_handoff.c \
	profiles/lower_objects.c \
	profiles/lower_pair.c \
	profiles/lower_servers.c \
	profiles/match.c \
	profiles/material.c profiles/material.h \
	profiles/profile.h \
	profiles/registry.c \
	profiles/rules.h \
	profiles/timeline.c profiles/timeline.h \
	profiles/uri.c profiles/uri.h \
	profiles/value.c \
	profiles/where.c \
	profiles/write.c

profilesdir = $(pkgdatadir)/profiles
dist_profiles_DATA = profiles/profile.schema.json
EXTRA_DIST += profiles/examples
