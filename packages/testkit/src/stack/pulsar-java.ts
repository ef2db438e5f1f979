import { join } from "node:path";
import { Child } from "./child.ts";
import type { PulsarPlace, PulsarRuntime } from "./pulsar-runtime.ts";
import type { ResolvedStackOptions } from "./stack-options.ts";

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

/** A standalone broker in a JVM of this machine, its data in the work folder. */
export class PulsarJava implements PulsarRuntime {
  readonly bindAddress = "127.0.0.1";
  readonly #java: string;
  readonly #jars: string;
  readonly #place: PulsarPlace;
  readonly #env: NodeJS.ProcessEnv;

  constructor(java: string, jars: string, place: PulsarPlace, options: ResolvedStackOptions) {
    this.#java = java;
    this.#jars = jars;
    this.#place = place;
    this.#env = options.env;
  }

  start(): Promise<Child> {
    const { folder, configFile, heapMb } = this.#place;
    const args = [
      `-Xmx${heapMb}m`,
      ...jvmFlags,
      "-cp",
      join(this.#jars, "*"),
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
    ];
    return Child.start(this.#java, args, { logFile: join(folder, "broker.log"), folder, env: this.#env });
  }

  async kill(child: Child): Promise<void> {
    await child.kill();
  }

  async remove(): Promise<void> {}
}
