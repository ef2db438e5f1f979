/** For calls that a test waits for to their end. */
export const unstopped = new AbortController().signal;
