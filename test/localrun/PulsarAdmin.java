import org.apache.pulsar.admin.cli.PulsarAdminTool;

/** Pulsar's own pulsar-admin. The first argument is its configuration file. */
public class PulsarAdmin {
  public static void main(String[] args) throws Exception {
    PulsarAdminTool.main(args);
  }
}
