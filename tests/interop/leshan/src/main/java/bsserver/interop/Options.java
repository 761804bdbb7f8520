package bsserver.interop;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.eclipse.leshan.core.util.Hex;

/**
 * A command line of long options, each with a fixed number of words behind it. Keys are named by the file that
 * holds them in hex, so that none is seen in a process list.
 */
final class Options {
    private final Map<String, List<String>> given = new HashMap<>();

    /** known: each option with the number of words that follow it. An unknown or short option is a usage error. */
    Options(String usage, Map<String, Integer> known, String... args) {
        for (int i = 0; i < args.length;) {
            Integer words = known.get(args[i]);
            if (words == null || i + words >= args.length) {
                System.err.println(args[i] + (words == null ? ": unknown option" : ": too few words") + "\nusage: " + usage);
                System.exit(2);
            }
            given.put(args[i], Arrays.asList(args).subList(i + 1, i + 1 + words));
            i += 1 + words;
        }
    }

    boolean has(String option) {
        return given.containsKey(option);
    }

    /** The n-th word behind an option that must be there. */
    String word(String option, int n) {
        List<String> words = given.get(option);
        if (words == null) {
            System.err.println(option + ": missing");
            System.exit(2);
        }
        return words.get(n);
    }

    int number(String option, int otherwise) {
        return has(option) ? Integer.parseInt(word(option, 0)) : otherwise;
    }

    static byte[] key(String file) throws IOException {
        return Hex.decodeHex(Files.readString(Path.of(file), StandardCharsets.US_ASCII).trim().toCharArray());
    }

    /** One line on standard output, at once: the shell beside waits for it. */
    static synchronized void say(String format, Object... values) {
        System.out.println(String.format(format, values).replace('\n', ' '));
        System.out.flush();
    }
}
