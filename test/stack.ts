import { describe, inject } from "vitest";

/** Where the local stack of this run listens. */
export interface RunningStack {
  /** `pulsar://…`; one broker for the whole run: a topic or a namespace per test. */
  readonly pulsarServiceUrl: string;
  readonly pulsarAdminUrl: string;
  readonly dynamoEndpoint: string;
  /** kinesis-local: HTTP/1.1, any credentials, us-east-1. */
  readonly kinesisEndpoint: string;
  /** Whether AWS is what the run was given: LocalStack, say, which takes a CPU second and more for a record of 1 MiB. */
  readonly awsGiven: boolean;
}

/** What `test/stack-setup.ts` provides: the stack, or why this machine has none. */
export type ProvidedStack = RunningStack | { readonly missing: string };

declare module "vitest" {
  interface ProvidedContext {
    stack: ProvidedStack;
  }
}

/**
 * The stack of this run, for use inside a test or at the top of a file.
 *
 * @throws Error when the machine has none; group such tests with {@link describeWithStack} and they are skipped instead.
 */
export function useStack(): RunningStack {
  const stack = inject("stack");
  if ("missing" in stack) throw new Error(`no local stack: ${stack.missing}`);
  return stack;
}

/** A `describe` whose tests need the stack: skipped, with the reason in its name, where the machine has none; with CI=true that fails. */
export function describeWithStack(name: string, body: (stack: RunningStack) => void): void {
  const stack = inject("stack");
  if (!("missing" in stack)) {
    describe(name, () => body(stack));
    return;
  }
  if (process.env["CI"] === "true") throw new Error(`no local stack: ${stack.missing}`);
  const nowhere = "not running";
  const none: RunningStack = {
    pulsarServiceUrl: nowhere,
    pulsarAdminUrl: nowhere,
    dynamoEndpoint: nowhere,
    kinesisEndpoint: nowhere,
    awsGiven: false,
  };
  describe.skip(`${name} (skipped: ${stack.missing})`, () => body(none));
}

let names = 0;

/** A name that no other test of any run has used: `orders-k3x9f2-1`. */
export function uniqueName(prefix: string): string {
  names += 1;
  return `${prefix}-${Date.now().toString(36)}${process.pid.toString(36)}-${names}`;
}

/** A topic in `public/default` that no other test has used. */
export function uniqueTopic(prefix = "topic"): string {
  return `persistent://public/default/${uniqueName(prefix)}`;
}
