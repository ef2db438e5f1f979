import org.apache.pulsar.functions.LocalRunner;

/** Pulsar's own LocalRunner, which ends with its standard input, and so with whoever started it. */
public class JavaConnectorRun {
    public static void main(String[] args) throws Exception {
        Thread watch = new Thread(() -> {
            try {
                while (System.in.read() >= 0) {
                    // nobody writes
                }
            } catch (java.io.IOException error) {
                // as good as its end
            }
            Runtime.getRuntime().halt(0);
        });
        watch.setDaemon(true);
        watch.start();
        LocalRunner.main(args);
    }
}
