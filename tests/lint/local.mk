lint_scripts = tests/lint/includes.sh tests/lint/sizes.sh tests/lint/words.sh \
	tests/lint/conformance.sh tests/lint/selftest.sh
dist_check_SCRIPTS += $(lint_scripts)
TESTS += $(lint_scripts)
EXTRA_DIST += \
	tests/lint/all.sh tests/lint/lib.sh tests/lint/tidy.sh \
	tests/lint/includes.table tests/lint/sizes.allow tests/lint/words.table

# What a tool outside of make needs to read a source as the compiler does.
.PHONY: print-cppflags
print-cppflags:
	@echo $(AM_CPPFLAGS) -I$(abs_top_srcdir) -I$(abs_top_builddir) $(COAP_CFLAGS) $(GNUTLS_CFLAGS) \
		$(JANSSON_CFLAGS) $(CURL_CFLAGS) $(UV_CFLAGS) $(MHD_CFLAGS) $(SQLITE_CFLAGS) \
		$(CBOR_CFLAGS) $(EXPAT_CFLAGS) $(LIBCONFIG_CFLAGS)
