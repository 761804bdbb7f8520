bin_PROGRAMS += lwm2m-prov/lwm2m-prov
lwm2m_prov_lwm2m_prov_SOURCES = lwm2m-prov/main.c
