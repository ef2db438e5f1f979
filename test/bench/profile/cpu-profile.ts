/** A `.cpuprofile` as V8 writes it. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Microseconds of the machine's monotonic clock. */
  readonly startTime: number;
  /** The node of each sample, and the microseconds since the one before. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

/** A part of a flame graph: the share of all samples that were in this function or in what it called. */
export interface Flame {
  readonly name: string;
  readonly share: number;
  readonly children: readonly Flame[];
}

export interface ProfileSummary {
  /** Shares of the CPU time, largest first. */
  readonly steps: readonly { readonly step: string; readonly share: number }[];
  readonly flame: Flame;
}

/** What a function works on, by where it is. The first that matches. */
const places: readonly (readonly [RegExp, string])[] = [
  [
    /kinesis-consumer\/(dist|src)\/fetch\/(cbor|streamed-records|decode-base64|aws-get-records)/,
    "decode: records out of an answer",
  ],
  [/kinesis-consumer\/(dist|src)\/aggregate\//, "decode: records out of an answer"],
  [
    /kinesis-consumer\/(dist|src)\/(record-queue|kinesis-record|stream-consumer|kinesis-consumer|shard\/)/,
    "queue: buffer, order, acknowledgements",
  ],
  [/kinesis-consumer\/(dist|src)\/(lease|metrics)\//, "leases and metrics"],
  [/kinesis-consumer\/(dist|src)\//, "fetch: requests, signing, sockets"],
  [/connectors\/kinesis\/(dist|src)\//, "convert: key and properties"],
  [/packages\/pulsar\/(dist|src)\/(compression|producer\/frame-compressor)|lz4/, "compress"],
  [
    /packages\/pulsar\/(dist|src)\/(wire\/(receipt|frame-decoder)|producer\/(settlement|verdict))/,
    "receipts",
  ],
  [/packages\/pulsar\/(dist|src)\/connection\//, "send: sockets of the broker"],
  [/packages\/pulsar\/(dist|src)\//, "batch: messages into frames, checksums"],
  [/runtime\/(dist|src)\/|packages\/core\/(dist|src)\//, "instance: the loop from record to message"],
  [/@aws-sdk|@smithy|@aws-crypto/, "fetch: requests, signing, sockets"],
];
const collector = "garbage collection";
const native = "native code outside of any function";
const other = "Node: streams, timers, sockets";

/** Frames that say nothing. */
const idle = new Set(["(idle)"]);
const least = 0.003;
const deepest = 40;

interface Count {
  readonly name: string;
  micros: number;
  readonly children: Map<string, Count>;
}

/** @param window microseconds of the same clock: only samples of that time count. */
export function summariseProfile(
  { nodes, startTime, samples, timeDeltas }: CpuProfile,
  [from, to]: readonly [number, number],
): ProfileSummary {
  const stacks = stacksOf(nodes);
  const steps = new Map<string, number>();
  const root: Count = { name: "all", micros: 0, children: new Map() };
  let atMicros = startTime;
  for (const [index, id] of samples.entries()) {
    const micros = timeDeltas[index] ?? 0;
    atMicros += micros;
    const stack = stacks.get(id) ?? [];
    const leaf = stack.at(-1);
    if (atMicros < from || atMicros > to || leaf === undefined || idle.has(leaf.callFrame.functionName))
      continue;
    const step = stepOf(stack);
    steps.set(step, (steps.get(step) ?? 0) + micros);
    addTo(root, stack, micros);
  }
  if (root.micros === 0) throw new Error("the profile has no sample of the time that was measured");
  return {
    steps: [...steps]
      .map(([step, micros]) => ({ step, share: round(micros / root.micros) }))
      .sort((one, another) => another.share - one.share),
    flame: flameOf(root, root.micros),
  };
}

/** From the root's child down to each node. */
function stacksOf(nodes: readonly ProfileNode[]): ReadonlyMap<number, readonly ProfileNode[]> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const stacks = new Map<number, readonly ProfileNode[]>();
  const [root] = nodes;
  if (root === undefined) return stacks;
  const open: (readonly [ProfileNode, readonly ProfileNode[]])[] = [[root, []]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [node, stack] = next;
    stacks.set(node.id, stack);
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child !== undefined) open.push([child, [...stack, child]]);
    }
  }
  return stacks;
}

/** The step of the innermost function that has one: what it calls works for it. */
function stepOf(stack: readonly ProfileNode[]): string {
  const leaf = stack.at(-1)?.callFrame.functionName;
  if (leaf === "(garbage collector)") return collector;
  if (leaf === "(program)") return native;
  for (const { callFrame } of [...stack].reverse()) {
    const found = places.find(([place]) => place.test(callFrame.url));
    if (found !== undefined) return found[1];
  }
  return other;
}

function addTo(root: Count, stack: readonly ProfileNode[], micros: number): void {
  root.micros += micros;
  let parent = root;
  for (const { callFrame } of stack.slice(0, deepest)) {
    const name = titleOf(callFrame);
    let child = parent.children.get(name);
    if (child === undefined) {
      child = { name, micros: 0, children: new Map() };
      parent.children.set(name, child);
    }
    child.micros += micros;
    parent = child;
  }
}

/** Without the folders of the machine. */
function titleOf({ functionName, url }: ProfileNode["callFrame"]): string {
  const name = functionName === "" ? "(anonymous)" : functionName;
  if (url === "") return name;
  if (url.startsWith("node:")) return `${name} ${url}`;
  const inPackage = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  return `${name} ${inPackage ?? url.replace(/^.*\/(?=(packages|connectors|runtime)\/)/, "")}`;
}

function flameOf({ name, micros, children }: Count, all: number): Flame {
  const kept = [...children.values()].filter((child) => child.micros / all >= least);
  return {
    name,
    share: round(micros / all),
    children: kept.sort((one, another) => another.micros - one.micros).map((child) => flameOf(child, all)),
  };
}

function round(share: number): number {
  return Math.round(share * 10_000) / 10_000;
}
