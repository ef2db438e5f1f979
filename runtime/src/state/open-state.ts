import { join } from "node:path";
import type { StateStore } from "@pulsar-ts-io/core";
import { DisabledState } from "./disabled-state.ts";
import { FileState } from "./file-state.ts";
import { MemoryState } from "./memory-state.ts";

/** Where the state of a source is kept: plain data. */
export type StatePlace =
  | { readonly kind: "none" }
  | { readonly kind: "memory" }
  | { readonly kind: "file"; readonly directory: string };

/** @returns what a user wrote; `undefined` when it names no place. */
export function parseStatePlace(text: string): StatePlace | undefined {
  if (text === "memory") return { kind: "memory" };
  const directory = /^file:(.+)$/.exec(text)?.[1];
  return directory === undefined ? undefined : { kind: "file", directory };
}

/** The state of one source. Opens nothing: the first call does. */
export function openState(
  place: StatePlace,
  { tenant, namespace, name }: { readonly tenant: string; readonly namespace: string; readonly name: string },
): StateStore {
  switch (place.kind) {
    case "none":
      return new DisabledState(`${tenant}/${namespace}/${name}`);
    case "memory":
      return new MemoryState();
    case "file":
      // No name has this character, so no two sources share a directory.
      return new FileState(join(place.directory, [tenant, namespace, name].join("%")));
    default:
      return place satisfies never;
  }
}
