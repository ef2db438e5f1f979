/** What always helps when enhanced fan-out cannot be had. */
export const pollInstead = "set useEnhancedFanOut: false to read by polling";
