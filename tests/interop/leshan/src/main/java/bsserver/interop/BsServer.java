package bsserver.interop;

import static bsserver.interop.Options.say;

import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.eclipse.leshan.core.SecurityMode;
import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.core.peer.LwM2mPeer;
import org.eclipse.leshan.core.peer.OscoreIdentity;
import org.eclipse.leshan.core.request.BootstrapDownlinkRequest;
import org.eclipse.leshan.core.request.BootstrapRequest;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.server.bootstrap.BootstrapConfig;
import org.eclipse.leshan.server.bootstrap.BootstrapFailureCause;
import org.eclipse.leshan.server.bootstrap.BootstrapSession;
import org.eclipse.leshan.server.bootstrap.BootstrapSessionListener;
import org.eclipse.leshan.server.bootstrap.LeshanBootstrapServer;
import org.eclipse.leshan.server.bootstrap.LeshanBootstrapServerBuilder;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.CaliforniumBootstrapServerEndpointsProvider;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.coap.CoapBootstrapServerProtocolProvider;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.coaps.CoapsBootstrapServerProtocolProvider;
import org.eclipse.leshan.server.security.BootstrapSecurityStore;
import org.eclipse.leshan.server.security.SecurityInfo;

/**
 * Leshan's bootstrap server on all addresses with one configuration for every device: the peer that the bench
 * compares with. A device knocks with its endpoint name as PSK identity and the key of --key, over coap with nothing.
 * It deletes /0 and /1 and writes one PSK account of --account (default: coaps://127.0.0.1:5684) and its /1 in TLV;
 * the account has the device's own identity and key. Prints "ready", and with --verbose how each session went.
 */
public final class BsServer {
    private static final String USAGE = "BsServer --coap PORT --coaps PORT --key KEYFILE [--account URI] [--discover]"
            + " [--nosec] [--verbose]";
    private static final Map<String, Integer> KNOWN = Map.of("--coap", 1, "--coaps", 1, "--key", 1, "--account", 1,
            "--discover", 0, "--nosec", 0, "--verbose", 0);
    private static final int SHORT_SERVER_ID = 101;

    private BsServer() {
    }

    public static void main(String[] args) throws Exception {
        Options options = new Options(USAGE, KNOWN, args);
        byte[] key = Options.key(options.word("--key", 0));
        LeshanBootstrapServerBuilder builder = new LeshanBootstrapServerBuilder();
        builder.setConfigStore(session -> configuration(options, session.getEndpoint(), key));
        builder.setSecurityStore(new OneKey(options.has("--nosec") ? null : key));
        CaliforniumBootstrapServerEndpointsProvider.Builder endpoints =
                new CaliforniumBootstrapServerEndpointsProvider.Builder(new CoapBootstrapServerProtocolProvider(),
                        new CoapsBootstrapServerProtocolProvider());
        endpoints.setConfiguration(endpoints.createDefaultConfiguration());
        endpoints.addEndpoint(any(options, "--coap"), Protocol.COAP);
        endpoints.addEndpoint(any(options, "--coaps"), Protocol.COAPS);
        builder.setEndpointsProviders(endpoints.build());
        LeshanBootstrapServer server = builder.build();
        if (options.has("--verbose"))
            server.addListener(new Narrator());
        server.start();
        say("ready");
    }

    private static InetSocketAddress any(Options options, String option) {
        return new InetSocketAddress("0.0.0.0", Integer.parseInt(options.word(option, 0)));
    }

    private static BootstrapConfig configuration(Options options, String endpoint, byte[] key) {
        BootstrapConfig.ServerSecurity account = new BootstrapConfig.ServerSecurity();
        account.uri = options.has("--account") ? options.word("--account", 0) : "coaps://127.0.0.1:5684";
        account.securityMode = SecurityMode.PSK;
        account.publicKeyOrId = endpoint.getBytes(StandardCharsets.UTF_8);
        account.secretKey = key;
        account.serverId = SHORT_SERVER_ID;
        BootstrapConfig.ServerConfig server = new BootstrapConfig.ServerConfig();
        server.shortId = SHORT_SERVER_ID;
        server.lifetime = 86400;

        BootstrapConfig config = new BootstrapConfig();
        config.contentFormat = ContentFormat.TLV;
        config.toDelete = List.of("/0", "/1");
        config.autoIdForSecurityObject = options.has("--discover");
        /* a device of Leshan's keeps its bootstrap account in /0/0 */
        config.security.put(config.autoIdForSecurityObject ? 0 : 1, account);
        config.servers.put(0, server);
        return config;
    }

    /**
     * Every endpoint has the same key and its own name as identity. Without a key nobody has credentials: Leshan
     * refuses a device over coap as soon as its store knows any for it.
     */
    private static final class OneKey implements BootstrapSecurityStore {
        private final byte[] key;

        OneKey(byte[] key) {
            this.key = key;
        }

        @Override
        public Iterator<SecurityInfo> getAllByEndpoint(String endpoint) {
            return key == null ? null : List.of(getByIdentity(endpoint)).iterator();
        }

        @Override
        public SecurityInfo getByIdentity(String identity) {
            return key == null ? null : SecurityInfo.newPreSharedKeyInfo(identity, identity, key);
        }

        @Override
        public SecurityInfo getByOscoreIdentity(OscoreIdentity identity) {
            return null;
        }
    }

    /** Says how sessions begin and end. */
    private static final class Narrator implements BootstrapSessionListener {
        @Override
        public void sessionInitiated(BootstrapRequest request, LwM2mPeer peer) {
            say("knocked %s", request.getEndpointName());
        }

        @Override
        public void unAuthorized(BootstrapRequest request, LwM2mPeer peer) {
            say("refused %s", request.getEndpointName());
        }

        @Override
        public void authorized(BootstrapSession session) {
        }

        @Override
        public void noConfig(BootstrapSession session) {
            say("no configuration for %s", session.getEndpoint());
        }

        @Override
        public void sendRequest(BootstrapSession session, BootstrapDownlinkRequest<? extends LwM2mResponse> request) {
        }

        @Override
        public void onResponseSuccess(BootstrapSession session,
                BootstrapDownlinkRequest<? extends LwM2mResponse> request, LwM2mResponse response) {
        }

        @Override
        public void onResponseError(BootstrapSession session,
                BootstrapDownlinkRequest<? extends LwM2mResponse> request, LwM2mResponse response) {
            say("answered %s %s %s", session.getEndpoint(), response.getCode(), response.getErrorMessage());
        }

        @Override
        public void onRequestFailure(BootstrapSession session,
                BootstrapDownlinkRequest<? extends LwM2mResponse> request, Throwable cause) {
            say("unanswered %s %s", session.getEndpoint(), cause);
        }

        @Override
        public void end(BootstrapSession session) {
            say("bootstrapped %s", session.getEndpoint());
        }

        @Override
        public void failed(BootstrapSession session, BootstrapFailureCause cause) {
            say("failed %s %s", session.getEndpoint(), cause);
        }
    }
}
