package bsserver.interop;

import static bsserver.interop.Options.say;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Collection;
import java.util.Iterator;
import java.util.Map;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.core.observation.Observation;
import org.eclipse.leshan.core.node.LwM2mChildNode;
import org.eclipse.leshan.core.node.LwM2mNode;
import org.eclipse.leshan.core.node.LwM2mObject;
import org.eclipse.leshan.core.node.LwM2mObjectInstance;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.peer.LwM2mIdentity;
import org.eclipse.leshan.core.peer.PskIdentity;
import org.eclipse.leshan.core.peer.RpkIdentity;
import org.eclipse.leshan.core.peer.X509Identity;
import org.eclipse.leshan.core.request.ExecuteRequest;
import org.eclipse.leshan.core.request.ReadRequest;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.core.util.Hex;
import org.eclipse.leshan.server.LeshanServer;
import org.eclipse.leshan.server.LeshanServerBuilder;
import org.eclipse.leshan.server.californium.endpoint.CaliforniumServerEndpointsProvider;
import org.eclipse.leshan.server.californium.endpoint.coap.CoapServerProtocolProvider;
import org.eclipse.leshan.server.californium.endpoint.coaps.CoapsServerProtocolProvider;
import org.eclipse.leshan.server.registration.Registration;
import org.eclipse.leshan.server.registration.RegistrationListener;
import org.eclipse.leshan.server.registration.RegistrationUpdate;
import org.eclipse.leshan.server.security.InMemorySecurityStore;
import org.eclipse.leshan.server.security.NonUniqueSecurityInfoException;
import org.eclipse.leshan.server.security.SecurityInfo;

/**
 * A Leshan LwM2M Server on 127.0.0.1 that prints "ready" and then one line for each registration. Over HTTP it
 * answers the part of the Leshan demo's API that a bootstrap server hands credentials to and that tests ask:
 *
 * <pre>
 * PUT    /api/security/clients/          {"endpoint","tls":{"mode":"psk","details":{"identity","key" in hex}}}
 *                                        (mode rpk: details {"key"}, mode x509: none)
 * GET    /api/security/clients           the same of all, keys in clear
 * DELETE /api/security/clients/EP
 * GET    /api/clients                    [{"endpoint","identity","lwM2mVersion","lifetime"}]
 * GET    /api/clients/EP/O[/I[/R]]       read
 * POST   /api/clients/EP/O/I/R           execute
 * GET    /api/server/endpoint            [{"uri":{"full"}}]
 * </pre>
 *
 * With ?timeout=SECONDS it waits so long for the device, else 5 s, and then answers 504. What the device answered is 200
 * with {"status","valid","success","failure","content"}; a device that is not registered is 400. A PSK identity that comes
 * in a handshake and that nobody has is printed as "stranger".
 */
public final class Management {
    private static final String USAGE = "Management --coap PORT --coaps PORT --http PORT"
            + " [--x509 CERTIFICATE KEY TRUSTED]";
    private static final Map<String, Integer> KNOWN = Map.of("--coap", 1, "--coaps", 1, "--http", 1, "--x509", 3);
    private static final String SECURITY = "/api/security/clients", CLIENTS = "/api/clients";
    private static final String ENDPOINT = "/api/server/endpoint";
    private static final long DEVICE_TIMEOUT_S = 5;

    private final ObjectMapper json = new ObjectMapper();
    private final InMemorySecurityStore security = new InMemorySecurityStore() {
        @Override
        public SecurityInfo getByIdentity(String identity) {
            SecurityInfo info = super.getByIdentity(identity);
            if (info == null)
                say("stranger %s", identity);
            return info;
        }
    };
    private final String uri;
    private final LeshanServer server;

    /** What an HTTP request is answered with; an empty body is none. */
    private static final class Answer extends Exception {
        private static final long serialVersionUID = 1;
        final int status;

        Answer(int status, String body) {
            super(body, null, false, false);
            this.status = status;
        }
    }

    private Management(Options options) throws IOException, GeneralSecurityException {
        LeshanServerBuilder builder = new LeshanServerBuilder();
        uri = "coaps://127.0.0.1:" + options.word("--coaps", 0);
        builder.setSecurityStore(security);
        if (options.has("--x509")) {
            builder.setCertificateChain(Pem.certificates(options.word("--x509", 0)));
            builder.setPrivateKey(Pem.privateKey(options.word("--x509", 1)));
            builder.setTrustedCertificates(Pem.certificates(options.word("--x509", 2)));
        }
        CaliforniumServerEndpointsProvider.Builder endpoints = new CaliforniumServerEndpointsProvider.Builder(
                new CoapServerProtocolProvider(), new CoapsServerProtocolProvider());
        Configuration configuration = endpoints.createDefaultConfiguration();
        /* otherwise its certificate would have to be one for clients as well */
        configuration.set(DtlsConfig.DTLS_ROLE, DtlsConfig.DtlsRole.SERVER_ONLY);
        endpoints.setConfiguration(configuration);
        endpoints.addEndpoint(local(options, "--coap"), Protocol.COAP);
        endpoints.addEndpoint(local(options, "--coaps"), Protocol.COAPS);
        builder.setEndpointsProviders(endpoints.build());
        server = builder.build();
        server.getRegistrationService().addListener(new Narrator());
    }

    public static void main(String[] args) throws Exception {
        Options options = new Options(USAGE, KNOWN, args);
        Management management = new Management(options);
        management.server.start();
        HttpServer http = HttpServer.create(local(options, "--http"), 0);
        http.createContext("/api/", management::serve);
        http.start();
        say("ready");
    }

    private static InetSocketAddress local(Options options, String option) {
        return new InetSocketAddress("127.0.0.1", Integer.parseInt(options.word(option, 0)));
    }

    private void serve(HttpExchange exchange) throws IOException {
        Answer answer;
        try {
            answer = answer(exchange);
        } catch (Answer a) {
            answer = a;
        } catch (Exception e) {
            answer = new Answer(500, e.toString());
        }
        byte[] body = answer.getMessage().getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(answer.status, body.length == 0 ? -1 : body.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body);
        }
    }

    private Answer answer(HttpExchange exchange) throws Exception {
        String method = exchange.getRequestMethod();
        String path = exchange.getRequestURI().getRawPath().replaceAll("/+$", "");
        if (path.equals(SECURITY) && method.equals("PUT"))
            return store(exchange);
        if (path.equals(SECURITY) && method.equals("GET"))
            return stored();
        if (path.equals(ENDPOINT) && method.equals("GET"))
            return new Answer(200, "[{\"uri\":{\"full\":\"" + uri + "\"}}]");
        if (path.startsWith(SECURITY + "/") && method.equals("DELETE"))
            return forget(decoded(path.substring(SECURITY.length() + 1)));
        if (path.equals(CLIENTS) && method.equals("GET"))
            return list();
        if (path.startsWith(CLIENTS + "/") && (method.equals("GET") || method.equals("POST")))
            return ask(method, path.substring(CLIENTS.length() + 1).split("/", 2), timeout(exchange));
        return new Answer(404, "");
    }

    private static String decoded(String segment) {
        return URLDecoder.decode(segment.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    private Answer store(HttpExchange exchange) throws Answer {
        SecurityInfo info;
        try {
            JsonNode body = json.readTree(exchange.getRequestBody());
            info = credentials(body.required("endpoint").asText(), body.required("tls"));
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            throw new Answer(400, "Invalid request body: " + e.getMessage());
        }
        try {
            security.add(info);
        } catch (NonUniqueSecurityInfoException e) {
            throw new Answer(400, e.getMessage());
        }
        say("credentials %s", info.getEndpoint());
        return new Answer(200, "");
    }

    private static SecurityInfo credentials(String endpoint, JsonNode tls) throws GeneralSecurityException {
        String mode = tls.required("mode").asText();
        if (mode.equals("x509"))
            return SecurityInfo.newX509CertInfo(endpoint);
        JsonNode details = tls.required("details");
        byte[] key = Hex.decodeHex(details.required("key").asText().toCharArray());
        if (mode.equals("rpk"))
            return SecurityInfo.newRawPublicKeyInfo(endpoint, Pem.publicKey(key));
        if (!mode.equals("psk"))
            throw new IllegalArgumentException("mode " + mode);
        return SecurityInfo.newPreSharedKeyInfo(endpoint, details.required("identity").asText(), key);
    }

    private Answer forget(String endpoint) {
        SecurityInfo gone = security.remove(endpoint, true);
        return new Answer(200, gone == null ? "{\"message\":\"not_found\"}" : "");
    }

    private Answer list() {
        ArrayNode all = json.createArrayNode();
        for (Iterator<Registration> i = server.getRegistrationService().getAllRegistrations(); i.hasNext();) {
            Registration r = i.next();
            all.addObject().put("endpoint", r.getEndpoint()).put("identity", identity(r))
                    .put("lwM2mVersion", r.getLwM2mVersion().toString()).put("lifetime", r.getLifeTimeInSec());
        }
        return new Answer(200, all.toString());
    }

    private static long timeout(HttpExchange exchange) {
        String query = exchange.getRequestURI().getRawQuery();
        return 1000 * (query != null && query.startsWith("timeout=") ? Long.parseLong(query.substring(8)) : DEVICE_TIMEOUT_S);
    }

    private Answer stored() {
        ArrayNode all = json.createArrayNode();
        for (SecurityInfo info : security.getAll()) {
            ObjectNode tls = all.addObject().put("endpoint", info.getEndpoint()).putObject("tls");
            tls.put("mode", info.usePSK() ? "psk" : info.useRPK() ? "rpk" : "x509");
            if (info.usePSK())
                tls.putObject("details").put("identity", info.getPskIdentity()).put("key",
                        Hex.encodeHexString(info.getPreSharedKey()));
        }
        return new Answer(200, all.toString());
    }

    /** where: the endpoint name, then the path without its first slash. */
    private Answer ask(String method, String[] where, long timeout) throws Exception {
        String endpoint = decoded(where[0]);
        Registration r = server.getRegistrationService().getByEndpoint(endpoint);
        if (r == null)
            return new Answer(400, "No registered client with id '" + endpoint + "'");
        String path = "/" + (where.length > 1 ? where[1] : "");
        boolean execute = method.equals("POST");
        if (execute && path.split("/").length != 4)
            return new Answer(400, "Invalid path " + path);
        LwM2mResponse response = execute ? server.send(r, new ExecuteRequest(path), timeout)
                : server.send(r, new ReadRequest(path), timeout);
        if (response == null)
            return new Answer(504, "Request timeout");
        ObjectNode out = json.createObjectNode().put("status", response.getCode().toString())
                .put("valid", response.isValid()).put("success", response.isSuccess())
                .put("failure", response.isFailure());
        if (response.isFailure())
            out.put("errormessage", response.getErrorMessage());
        else if (response instanceof ReadResponse)
            out.set("content", node(((ReadResponse) response).getContent()));
        return new Answer(200, out.toString());
    }

    /** Numbers are texts there. */
    private ObjectNode node(LwM2mNode node) {
        ObjectNode out = json.createObjectNode();
        if (node instanceof LwM2mChildNode)
            out.put("id", ((LwM2mChildNode) node).getId());
        if (node instanceof LwM2mObject) {
            ArrayNode instances = out.put("kind", "obj").putArray("instances");
            ((LwM2mObject) node).getInstances().values().forEach(instance -> instances.add(node(instance)));
        } else if (node instanceof LwM2mObjectInstance) {
            ArrayNode resources = out.put("kind", "instance").putArray("resources");
            ((LwM2mObjectInstance) node).getResources().values().forEach(resource -> resources.add(node(resource)));
        } else if (node instanceof LwM2mResource && ((LwM2mResource) node).isMultiInstances()) {
            ObjectNode values = out.put("kind", "multiResource").putObject("values");
            ((LwM2mResource) node).getInstances().forEach((id, one) -> values.put(id.toString(), shown(one.getValue())));
        } else if (node instanceof LwM2mResource) {
            LwM2mResource resource = (LwM2mResource) node;
            out.put("kind", "singleResource").put("type", resource.getType().toString());
            out.put("value", shown(resource.getValue()));
        }
        return out;
    }

    private static String shown(Object value) {
        return value instanceof byte[] ? Hex.encodeHexString((byte[]) value) : String.valueOf(value);
    }

    private static String identity(Registration r) {
        LwM2mIdentity identity = r.getClientTransportData().getIdentity();
        if (identity instanceof X509Identity)
            return "x509 " + ((X509Identity) identity).getX509CommonName();
        if (identity instanceof RpkIdentity)
            return "rpk " + Hex.encodeHexString(((RpkIdentity) identity).getPublicKey().getEncoded());
        return identity instanceof PskIdentity ? "psk " + ((PskIdentity) identity).getPskIdentity() : identity.toString();
    }

    /** Says who comes and goes. */
    private static final class Narrator implements RegistrationListener {
        @Override
        public void registered(Registration r, Registration previous, Collection<Observation> old) {
            say("registered %s lwm2m=%s lt=%d by %s", r.getEndpoint(), r.getLwM2mVersion(), r.getLifeTimeInSec(),
                    identity(r));
        }

        @Override
        public void updated(RegistrationUpdate update, Registration r, Registration previous) {
            say("updated %s", r.getEndpoint());
        }

        @Override
        public void unregistered(Registration r, Collection<Observation> old, boolean expired, Registration next) {
            say("unregistered %s%s", r.getEndpoint(), expired ? " (expired)" : "");
        }
    }
}
