const adapters = "/src/(aws|dynamo|cloudwatch)-[^/]*[.]ts$|/src/.*/(aws|dynamo|cloudwatch)-[^/]*[.]ts$";

/** The one-way imports of the house: an arrow that is not here does not exist. */
module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "core-stands-alone",
      comment: "core may use nothing but Node",
      severity: "error",
      from: { path: "^packages/core/src" },
      to: { pathNot: "^packages/core/src", dependencyTypesNot: ["core"] },
    },
    {
      name: "packages-see-only-core",
      severity: "error",
      from: { path: "^packages/(config|pulsar|kinesis-consumer|create-pulsar-ts-io)/src" },
      to: { path: "^(packages|runtime|connectors|test)/", pathNot: "^packages/(core|$1)/" },
    },
    {
      name: "testkit-sees-core-config-and-pulsar",
      severity: "error",
      from: { path: "^packages/testkit/src" },
      to: {
        path: "^(packages|runtime|connectors|test)/",
        pathNot: "^packages/(core|config|pulsar|testkit)/",
      },
    },
    {
      name: "connectors-never-see-the-runtime",
      severity: "error",
      from: { path: "^connectors/([^/]+)/src" },
      to: { path: "^(runtime|connectors|test|packages/testkit)/", pathNot: "^connectors/$1/" },
    },
    {
      name: "runtime-knows-no-connector",
      severity: "error",
      from: { path: "^runtime/src" },
      to: {
        path: "^(connectors|test|packages)/",
        pathNot: "^packages/(core|config|pulsar|create-pulsar-ts-io)/",
      },
    },
    {
      name: "doors-only",
      comment: "a package is entered through its src/index.ts",
      severity: "error",
      from: { path: "^(packages/[^/]+|connectors/[^/]+|runtime)/" },
      to: { path: "^(packages/[^/]+|connectors/[^/]+|runtime)/src/", pathNot: "/src/index[.]ts$|^$1/" },
    },
    {
      name: "aws-behind-adapters",
      comment: "an AWS call appears only in the adapter that is named for it",
      severity: "error",
      from: { path: "^packages/[^/]+/src", pathNot: `${adapters}|^packages/testkit/` },
      to: { path: "@aws-sdk", dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    enhancedResolveOptions: {
      conditionNames: ["@pulsar-ts-io/source", "import", "default"],
      exportsFields: ["exports"],
    },
  },
};
