import { join } from "node:path";
import { Child } from "./child.ts";

/** What the JVM of a broker needs: Netty's and BookKeeper's look into the JDK, and flags that halve the start. */
const jvmFlags: readonly string[] = [
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-XX:MaxDirectMemorySize=256m",
  "-Dio.netty.tryReflectionSetAccessible=true",
  "--add-opens=java.base/java.io=ALL-UNNAMED",
  "--add-opens=java.base/java.util.zip=ALL-UNNAMED",
  "--add-opens=java.base/jdk.internal.platform=ALL-UNNAMED",
  "--add-opens=java.base/sun.net=ALL-UNNAMED",
  "--add-opens=java.management/sun.management=ALL-UNNAMED",
];

export interface PulsarJavaOptions {
  readonly java: string;
  readonly jars: string;
  readonly configFile: string;
  /** Holds the data and the log. */
  readonly folder: string;
  readonly heapMb: number;
  readonly env: NodeJS.ProcessEnv;
}

/** Starts a standalone broker in a JVM, on the data that `folder` has. */
export function startPulsarJava(options: PulsarJavaOptions): Promise<Child> {
  const { java, jars, configFile, folder, heapMb, env } = options;
  return Child.start(
    java,
    [
      `-Xmx${heapMb}m`,
      ...jvmFlags,
      "-cp",
      join(jars, "*"),
      "org.apache.pulsar.PulsarStandaloneStarter",
      "--config",
      configFile,
      "--metadata-dir",
      join(folder, "metadata"),
      "--bookkeeper-dir",
      join(folder, "bookkeeper"),
      "--num-bookies",
      "1",
      "--no-functions-worker",
      "--no-stream-storage",
    ],
    { logFile: join(folder, "broker.log"), folder, env },
  );
}
