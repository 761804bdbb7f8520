bsserver_libbsserver_a_SOURCES += \
	bsserver/transport/block.c bsserver/transport/block.h \
	bsserver/transport/dedup.c bsserver/transport/dedup.h \
	bsserver/transport/downlink.c \
	bsserver/transport/dtls_hook.c bsserver/transport/dtls_hook.h \
	bsserver/transport/dtls_peek.c bsserver/transport/dtls_peek.h \
	bsserver/transport/gather.c bsserver/transport/gather.h \
	bsserver/transport/half_open.c bsserver/transport/half_open.h \
	bsserver/transport/inbound.c \
	bsserver/transport/internal.h \
	bsserver/transport/interpose.c bsserver/transport/interpose.h \
	bsserver/transport/kept.c \
	bsserver/transport/listener.c \
	bsserver/transport/peers.c \
	bsserver/transport/prng.c bsserver/transport/prng.h \
	bsserver/transport/slots.c bsserver/transport/slots.h \
	bsserver/transport/sockets.c \
	bsserver/transport/timer_hook.c bsserver/transport/timer_hook.h \
	bsserver/transport/transport.c \
	bsserver/transport/udp_batch.c bsserver/transport/udp_batch.h \
	bsserver/transport/udp_hook.c bsserver/transport/udp_hook.h \
	bsserver/transport/wheel.c bsserver/transport/wheel.h
bsserver_libkeys_a_SOURCES += \
	bsserver/transport/dtls.c bsserver/transport/dtls.h \
	bsserver/transport/dtls_cert.c bsserver/transport/dtls_cert.h \
	bsserver/transport/dtls_cookie.c bsserver/transport/dtls_cookie.h
