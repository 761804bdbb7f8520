EXTRA_DIST += docs/ARCHITECTURE.md docs/CONFORMANCE.md
dist_man_MANS += docs/man/lwm2m-prov.1
EXTRA_DIST += docs/ARCHITECTURE.md docs/CONFORMANCE.md docs/openapi.yaml
