import type { Kcl3State, Kcl3StateReader } from "../../src/lease/kcl3-state.ts";

/** What KCL 3 keeps, as a test says; nothing to begin with. */
export class MemoryKcl3State implements Kcl3StateReader {
  clientVersion: string | undefined;
  /** The leader's name, and what changes with each of its heartbeats. */
  leaderBeat: string | undefined;
  ownerIndex = false;
  readonly metricsSeconds: Map<string, number> = new Map();
  /** Called before each look; throwing a coded error fails it. */
  before: () => void = () => {};
  looks = 0;

  read(): Promise<Kcl3State> {
    this.looks += 1;
    try {
      this.before();
    } catch (error) {
      return Promise.reject(error);
    }
    const { clientVersion, leaderBeat, ownerIndex } = this;
    return Promise.resolve({
      clientVersion,
      leader: leaderBeat?.split(" ")[0],
      leaderBeat,
      ownerIndex,
      metricsSeconds: new Map(this.metricsSeconds),
    });
  }
}
