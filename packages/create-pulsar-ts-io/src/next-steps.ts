/** What was made, and what comes next, for people. */
export function nextSteps(directory: string, files: readonly string[]): string {
  const lines = [
    `made ${directory}: ${files.length} files`,
    "",
    `  cd ${directory}`,
    "  npm install",
    "  npm test          the standard suite, and your own tests",
    "  npm run dev       runs it against a Pulsar in memory, again after each change",
    "  npm run package   one archive, for pulsar-ts-io run --archive",
    "",
  ];
  return lines.join("\n");
}
