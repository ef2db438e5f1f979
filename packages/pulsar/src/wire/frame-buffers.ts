import { BufferPool } from "./buffer-pool.ts";

/** Free buffers that are kept: what a burst of confirmed frames returns is used by the next frames. */
const mostFreeBytes = 16 * 1_048_576;

/** Buffers of frames, shared by all producers of the process: one fills what another one's broker has confirmed. */
export const frameBuffers: BufferPool = new BufferPool(mostFreeBytes);
