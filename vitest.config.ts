import { defineConfig } from "vitest/config";

const conditions = ["@pulsar-ts-io/source"];
const everywhere = ["{packages,connectors}/*/test/**", "runtime/test/**", "test/**"];
const shared = { resolve: { conditions }, ssr: { resolve: { conditions } } };

export default defineConfig({
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: "unit",
          include: everywhere.map((folder) => `${folder}/*.test.ts`),
          exclude: ["**/*.stack.test.ts", "**/node_modules/**", "**/dist/**"],
        },
      },
      {
        ...shared,
        test: {
          name: "stack",
          include: everywhere.map((folder) => `${folder}/*.stack.test.ts`),
          exclude: ["**/node_modules/**", "**/dist/**"],
          globalSetup: ["test/stack-setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
    coverage: {
      provider: "v8",
      include: ["{packages,connectors}/*/src/**/*.ts", "runtime/src/**/*.ts"],
      thresholds: { lines: 50, branches: 50 },
    },
  },
});
