import type { SeededRandom } from "../harness/seeded-random.ts";
import type { Crossing } from "./crossing.ts";
import type { JavaWorker, JavaWorkerOptions } from "./java-worker.ts";
import type { OurWorker } from "./our-worker.ts";

/** Workers of both kinds that come and go: two of each at most, and never nobody. */
export class Company implements AsyncDisposable {
  /** All there were. */
  readonly java: JavaWorker[] = [];
  readonly ours: OurWorker[] = [];
  readonly #crossing: Crossing;
  readonly #release: Pick<JavaWorkerOptions, "kcl" | "clientVersion">;
  readonly #random: SeededRandom;
  #due: ("java joins" | "ours joins" | "java goes" | "ours goes")[] = [];
  readonly #javaNow: JavaWorker[] = [];
  readonly #oursNow: OurWorker[] = [];

  constructor(
    crossing: Crossing,
    release: Pick<JavaWorkerOptions, "kcl" | "clientVersion">,
    random: SeededRandom,
  ) {
    this.#crossing = crossing;
    this.#release = release;
    this.#random = random;
  }

  /** How many there are now. */
  get size(): number {
    return this.#javaNow.length + this.#oursNow.length;
  }

  /** One comes or goes: of either kind, in an order that chance decides. @returns what happened, for people. */
  async change(): Promise<string> {
    if (this.#due.length === 0)
      this.#due = this.#random.shuffled(["java joins", "ours joins", "java goes", "ours goes"]);
    const next = this.#due.find((change) => this.size > 1 || change.endsWith("joins"));
    this.#due = this.#due.filter((change) => change !== next);
    switch (next) {
      case "java joins":
        return await this.javaJoins();
      case "ours joins":
        return await this.oursJoins();
      case "java goes":
        return await this.#javaGoes();
      default:
        return await this.#oursGoes();
    }
  }

  async javaJoins(): Promise<string> {
    const workerId = `java-${this.java.length}`;
    const worker = await this.#crossing.java({ ...this.#release, workerId, checkpointMs: 2_000 });
    this.java.push(worker);
    this.#javaNow.push(worker);
    return `${workerId} joins`;
  }

  async oursJoins(): Promise<string> {
    const instanceId = `ours-${this.ours.length}`;
    const worker = await this.#crossing.ours({ instanceId });
    this.ours.push(worker);
    this.#oursNow.push(worker);
    return `${instanceId} joins`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.java, ...this.ours].map((worker) => worker[Symbol.asyncDispose]()));
  }

  async #javaGoes(): Promise<string> {
    const worker = this.#javaNow.shift();
    const killed = this.#random.next() < 0.5;
    await (killed ? worker?.crash() : worker?.stop());
    return killed ? "a Java worker is killed" : "a Java worker stops";
  }

  async #oursGoes(): Promise<string> {
    await this.#oursNow.shift()?.stop();
    return "one of ours stops";
  }
}
