import type { AttemptView } from "./attempt.ts";
import type { ChildFailure } from "./child-failure.ts";
import type { MetricFamily } from "./instance-report.ts";

/** What the parent tells the process of an instance. */
export type ToChild =
  /** First, and once. Its job is opaque here, and holds secrets: it travels by no other way. */
  | { readonly kind: "run"; readonly job: unknown }
  /** Answered with one `seen` that has metrics. */
  | { readonly kind: "look" }
  | { readonly kind: "stop" };

/** What the process of an instance tells its parent. */
export type FromChild =
  /** How it goes; unasked for now and then, and then without metrics. */
  | { readonly kind: "seen"; readonly view: AttemptView; readonly metrics?: readonly MetricFamily[] }
  /** The last word: it was told to stop, or it failed. */
  | { readonly kind: "ended"; readonly view: AttemptView | undefined; readonly failure?: ChildFailure };

/** A process of its own, as much of it as its parent needs. */
export interface Child {
  /** Does nothing once it has ended. */
  send(message: ToChild): void;
  /** Ends it at once. */
  kill(): void;
  /** Whether its process runs. What it wrote before its end may still be on its way when it does not. */
  readonly alive: boolean;
}

/** What a process of its own lets its parent know. */
export interface ChildListener {
  message(message: FromChild): void;
  exited(code: number | null, signal: NodeJS.Signals | null): void;
}
