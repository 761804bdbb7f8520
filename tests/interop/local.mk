# Foreign clients: ./dev interop. Java sources are built by Maven, from tests/interop/run.sh.
EXTRA_DIST += tests/interop/run.sh tests/interop/harness.sh tests/interop/bsserver.sh \
	tests/interop/certificates.sh \
	tests/interop/leshan/pom.xml \
	tests/interop/leshan/src/main/java/bsserver/interop/BsServer.java \
	tests/interop/leshan/src/main/java/bsserver/interop/Device.java \
	tests/interop/leshan/src/main/java/bsserver/interop/Management.java \
	tests/interop/leshan/src/main/java/bsserver/interop/Options.java \
	tests/interop/leshan/src/main/java/bsserver/interop/Pem.java
