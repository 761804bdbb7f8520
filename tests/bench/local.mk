# What ./dev bench measures with. bare_coap is the yardstick: libcoap and nothing else.
noinst_PROGRAMS += tests/bench/bare_coap
tests_bench_bare_coap_CPPFLAGS = $(AM_CPPFLAGS) $(COAP_CFLAGS)
tests_bench_bare_coap_SOURCES = tests/bench/bare_coap.c
tests_bench_bare_coap_LDADD = $(COAP_LIBS)
noinst_PROGRAMS += tests/bench/bare_dtls
tests_bench_bare_dtls_CPPFLAGS = $(AM_CPPFLAGS) $(GNUTLS_CFLAGS)
tests_bench_bare_dtls_SOURCES = tests/bench/bare_dtls.c
tests_bench_bare_dtls_LDADD = $(GNUTLS_LIBS)
noinst_PROGRAMS += tests/bench/bench_store
tests_bench_bench_store_SOURCES = tests/bench/bench_store.c
tests_bench_bench_store_LDADD = $(STORE_LIBS)

# The scripts themselves, with tiny numbers and no judgement of times.
EXTRA_DIST += tests/bench/run.sh tests/bench/bench.py tests/bench/certs.py tests/bench/figures.py tests/bench/registered.py tests/bench/world.py
dist_check_SCRIPTS += tests/bench/smoke.sh
TESTS += tests/bench/smoke.sh
