// What others run for us, read as they read it: GitHub's workflows, Docker's files, Kubernetes' manifests,
// Prometheus' rules and Grafana's queries. Nothing is run.
import { main, prepareWorkspace, runTypeScript } from "./workspace.mjs";

await main(async () => {
  await prepareWorkspace();
  await runTypeScript("test/deploy/check.ts", []);
});
