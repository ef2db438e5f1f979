/** Least important first. */
export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

/** For machines, and for people. */
export const logFormats = ["json", "pretty"] as const;
export type LogFormat = (typeof logFormats)[number];
