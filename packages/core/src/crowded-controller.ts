import { setMaxListeners } from "node:events";

/** A controller whose signal many may listen to: one for each partition, say. Node warns of more than ten elsewhere. */
export function crowdedController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
