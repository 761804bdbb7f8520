EXTRA_DIST += docs/ARCHITECTURE.md docs/CONFORMANCE.md docs/BENCH.md
dist_man_MANS += docs/man/lwm2m-prov.1 docs/man/lwm2m-profile.5 docs/man/bsserver.8 docs/man/bsserver.conf.5
EXTRA_DIST += docs/ARCHITECTURE.md docs/CONFORMANCE.md docs/openapi.yaml
