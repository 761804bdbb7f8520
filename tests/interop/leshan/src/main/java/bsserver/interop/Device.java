package bsserver.interop;

import static bsserver.interop.Options.say;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import org.eclipse.leshan.client.LeshanClient;
import org.eclipse.leshan.client.LeshanClientBuilder;
import org.eclipse.leshan.client.californium.endpoint.CaliforniumClientEndpointsProvider;
import org.eclipse.leshan.client.californium.endpoint.coap.CoapClientProtocolProvider;
import org.eclipse.leshan.client.californium.endpoint.coaps.CoapsClientProtocolProvider;
import org.eclipse.leshan.client.engine.DefaultRegistrationEngineFactory;
import org.eclipse.leshan.client.object.Security;
import org.eclipse.leshan.client.object.Server;
import org.eclipse.leshan.client.observer.LwM2mClientObserverAdapter;
import org.eclipse.leshan.client.resource.BaseInstanceEnablerFactory;
import org.eclipse.leshan.client.resource.LwM2mInstanceEnabler;
import org.eclipse.leshan.client.resource.LwM2mObjectEnabler;
import org.eclipse.leshan.client.resource.ObjectsInitializer;
import org.eclipse.leshan.client.resource.SimpleInstanceEnabler;
import org.eclipse.leshan.client.servers.LwM2mServer;
import org.eclipse.leshan.core.CertificateUsage;
import org.eclipse.leshan.core.LwM2mId;
import org.eclipse.leshan.core.ResponseCode;
import org.eclipse.leshan.core.model.ObjectLoader;
import org.eclipse.leshan.core.model.StaticModel;
import org.eclipse.leshan.core.node.LwM2mObject;
import org.eclipse.leshan.core.node.LwM2mObjectInstance;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.request.BindingMode;
import org.eclipse.leshan.core.request.BootstrapRequest;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.request.DeregisterRequest;
import org.eclipse.leshan.core.request.ReadRequest;
import org.eclipse.leshan.core.request.RegisterRequest;
import org.eclipse.leshan.core.request.UpdateRequest;
import org.eclipse.leshan.core.response.ReadResponse;

/**
 * A Leshan device with a bootstrap account, and with --account one LwM2M Server account more. It prints one line
 * for each thing that happens to it. Certificates and keys (P-256) are PEM files, private ones PKCS #8. Standard input: "dump" prints what it holds in /0 to /2 (opaque values as their
 * length only) and "dumped"; "start" starts a device that --wait keeps from starting; "go" lets go of a Write that
 * --hold keeps waiting; "stop" or end of input stops the device.
 */
public final class Device {
    private static final String USAGE = "Device --server URI --endpoint NAME [--psk IDENTITY KEYFILE"
            + " | --x509 CERTIFICATE KEY SERVER-CERTIFICATE USAGE | --rpk PUBLIC-KEY KEY SERVER-PUBLIC-KEY]"
            + " [--account URI SHORT-SERVER-ID IDENTITY KEYFILE] [--pct tlv|senml-cbor|senml-json|none]"
            + " [--address IP] [--wait] [--hold] [--timeout MS]";
    private static final Map<String, Integer> KNOWN = Map.ofEntries(Map.entry("--server", 1),
            Map.entry("--endpoint", 1), Map.entry("--psk", 2), Map.entry("--x509", 4), Map.entry("--rpk", 3),
            Map.entry("--account", 4), Map.entry("--pct", 1), Map.entry("--address", 1), Map.entry("--wait", 0),
            Map.entry("--hold", 0), Map.entry("--timeout", 1));
    private static final Map<String, ContentFormat> FORMATS = Map.of("tlv", ContentFormat.TLV, "senml-cbor",
            ContentFormat.SENML_CBOR, "senml-json", ContentFormat.SENML_JSON);

    private final Options options;
    private final CountDownLatch released = new CountDownLatch(1);

    private Device(Options options) {
        this.options = options;
    }

    public static void main(String[] args) throws Exception {
        Device device = new Device(new Options(USAGE, KNOWN, args));
        LeshanClient client = device.build();
        client.addObserver(new Narrator());
        if (device.options.has("--wait"))
            say("waiting");
        else
            client.start();
        device.obey(client);
        client.destroy(true);
    }

    private LeshanClient build() throws Exception {
        LeshanClientBuilder builder = new LeshanClientBuilder(options.word("--endpoint", 0));
        builder.setObjects(objects());
        builder.setRegistrationEngineFactory(engine());
        CaliforniumClientEndpointsProvider.Builder endpoints = new CaliforniumClientEndpointsProvider.Builder(
                new CoapClientProtocolProvider(), new CoapsClientProtocolProvider());
        endpoints.setConfiguration(endpoints.createDefaultConfiguration());
        if (options.has("--address"))
            endpoints.setClientAddress(InetAddress.getByName(options.word("--address", 0)));
        builder.setEndpointsProviders(endpoints.build());
        return builder.build();
    }

    private List<LwM2mObjectEnabler> objects() throws Exception {
        ObjectsInitializer objects = new ObjectsInitializer(new StaticModel(ObjectLoader.loadAllDefault()));
        List<LwM2mInstanceEnabler> accounts = new ArrayList<>();
        accounts.add(bootstrapAccount());
        objects.setFactoryForObject(LwM2mId.SERVER, new BaseInstanceEnablerFactory() {
            @Override
            public LwM2mInstanceEnabler create() {
                hold();
                return new Server();
            }
        });
        if (options.has("--account")) {
            int shortId = Integer.parseInt(options.word("--account", 1));
            accounts.add(Security.psk(options.word("--account", 0), shortId,
                    options.word("--account", 2).getBytes(StandardCharsets.UTF_8),
                    Options.key(options.word("--account", 3))));
            objects.setInstancesForObject(LwM2mId.SERVER, new Server(shortId, 300));
        }
        objects.setInstancesForObject(LwM2mId.SECURITY, accounts.toArray(new LwM2mInstanceEnabler[0]));
        objects.setInstancesForObject(LwM2mId.DEVICE, new org.eclipse.leshan.client.object.Device("bsserver interop",
                "leshan", "1", EnumSet.of(BindingMode.U)));
        objects.setClassForObject(LwM2mId.ACCESS_CONTROL, SimpleInstanceEnabler.class);
        return objects.createAll();
    }

    private Security bootstrapAccount() throws Exception {
        String uri = options.word("--server", 0);
        if (options.has("--x509"))
            return Security.x509Bootstrap(uri, Pem.certificate(options.word("--x509", 0)),
                    Pem.der(options.word("--x509", 1)), Pem.certificate(options.word("--x509", 2)),
                    CertificateUsage.fromCode(Integer.parseInt(options.word("--x509", 3))).code);
        if (options.has("--rpk"))
            return Security.rpkBootstrap(uri, Pem.der(options.word("--rpk", 0)), Pem.der(options.word("--rpk", 1)),
                    Pem.der(options.word("--rpk", 2)));
        if (!options.has("--psk"))
            return Security.noSecBootstrap(uri);
        return Security.pskBootstrap(uri, options.word("--psk", 0).getBytes(StandardCharsets.UTF_8),
                Options.key(options.word("--psk", 1)));
    }

    private DefaultRegistrationEngineFactory engine() {
        DefaultRegistrationEngineFactory engine = new DefaultRegistrationEngineFactory();
        String pct = options.has("--pct") ? options.word("--pct", 0) : "none";
        if (!pct.equals("none") && !FORMATS.containsKey(pct))
            throw new IllegalArgumentException("--pct " + pct);
        engine.setPreferredContentFormat(FORMATS.get(pct));
        engine.setRequestTimeoutInMs(options.number("--timeout", 30_000));
        return engine;
    }

    /** Keeps the first Write that makes a /1 instance waiting until "go" comes. */
    private void hold() {
        if (!options.has("--hold") || released.getCount() == 0)
            return;
        say("holding");
        try {
            released.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void obey(LeshanClient client) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null && !line.equals("stop");) {
            if (line.equals("start"))
                client.start();
            else if (line.equals("go"))
                released.countDown();
            else if (line.equals("dump"))
                dump(client);
            else
                say("unknown command %s", line);
        }
        released.countDown();
    }

    private static void dump(LeshanClient client) {
        for (int id : new int[] { LwM2mId.SECURITY, LwM2mId.SERVER, LwM2mId.ACCESS_CONTROL }) {
            LwM2mObjectEnabler enabler = client.getObjectTree().getObjectEnabler(id);
            ReadResponse read = enabler.read(LwM2mServer.SYSTEM, new ReadRequest(id));
            if (!(read.getContent() instanceof LwM2mObject))
                continue;
            for (LwM2mObjectInstance instance : new TreeMap<>(((LwM2mObject) read.getContent()).getInstances()).values())
                for (LwM2mResource resource : new TreeMap<>(instance.getResources()).values())
                    say("holds /%d/%d/%d %s", id, instance.getId(), resource.getId(), shown(resource));
        }
        say("dumped");
    }

    private static String shown(LwM2mResource resource) {
        if (resource.isMultiInstances()) {
            Map<Integer, String> values = new TreeMap<>();
            resource.getInstances().forEach((id, instance) -> values.put(id, shown(instance.getValue())));
            return values.toString();
        }
        return shown(resource.getValue());
    }

    private static String shown(Object value) {
        return value instanceof byte[] ? ((byte[]) value).length + " bytes" : String.valueOf(value);
    }

    /** Says what the client reports of itself. */
    private static final class Narrator extends LwM2mClientObserverAdapter {
        private static String why(ResponseCode code, String message, Exception e) {
            return code + " " + message + (e == null ? "" : " " + e);
        }

        @Override
        public void onBootstrapStarted(LwM2mServer server, BootstrapRequest request) {
            say("bootstrap started %s", server.getUri());
        }

        @Override
        public void onBootstrapSuccess(LwM2mServer server, BootstrapRequest request) {
            say("bootstrap succeeded %s", server.getUri());
        }

        @Override
        public void onBootstrapFailure(LwM2mServer server, BootstrapRequest request, ResponseCode code,
                String message, Exception e) {
            say("bootstrap failed %s", why(code, message, e));
        }

        @Override
        public void onBootstrapTimeout(LwM2mServer server, BootstrapRequest request) {
            say("bootstrap timed out");
        }

        @Override
        public void onRegistrationStarted(LwM2mServer server, RegisterRequest request) {
            say("registration started %s", server.getUri());
        }

        @Override
        public void onRegistrationSuccess(LwM2mServer server, RegisterRequest request, String id) {
            say("registered %s", server.getUri());
        }

        @Override
        public void onRegistrationFailure(LwM2mServer server, RegisterRequest request, ResponseCode code,
                String message, Exception e) {
            say("registration failed %s %s", server.getUri(), why(code, message, e));
        }

        @Override
        public void onRegistrationTimeout(LwM2mServer server, RegisterRequest request) {
            say("registration timed out %s", server.getUri());
        }

        @Override
        public void onUpdateSuccess(LwM2mServer server, UpdateRequest request) {
            say("updated %s", server.getUri());
        }

        @Override
        public void onDeregistrationSuccess(LwM2mServer server, DeregisterRequest request) {
            say("deregistered %s", server.getUri());
        }

        @Override
        public void onUnexpectedError(Throwable e) {
            say("unexpected error %s", e);
        }
    }
}
