import process from "node:process";
import { defineConfig } from "vitest/config";

const conditions = ["@pulsar-ts-io/source"];
const everywhere = ["{packages,connectors}/*/test/**", "runtime/test/**", "test/**"];
const shared = { resolve: { conditions }, ssr: { resolve: { conditions } } };
/** Our own choice of release is not news to whoever runs the tests. */
const env = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" };

/** Too long for every change: they run with `npm run test:long` alone. */
const longOnly = process.env["PULSAR_TS_IO_TIER"] === "long" ? [] : ["**/*.long.stack.test.ts"];

export default defineConfig({
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: "unit",
          env,
          setupFiles: ["test/property-setup.ts"],
          maxWorkers: "100%",
          include: everywhere.map((folder) => `${folder}/*.test.ts`),
          exclude: ["**/*.stack.test.ts", "**/node_modules/**", "**/dist/**"],
        },
      },
      {
        ...shared,
        test: {
          name: "stack",
          env,
          // One broker for all; most of a test's time is waiting. More of them side by side would only measure each other.
          maxWorkers: 2,
          include: everywhere.map((folder) => `${folder}/*.stack.test.ts`),
          exclude: [...longOnly, "**/node_modules/**", "**/dist/**"],
          globalSetup: ["test/stack-setup.ts"],
          sequence: { groupOrder: 1 },
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
