import { chmod, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Labels, type Manifests, only, type PodSpec, type Volume } from "./kubernetes-manifests.ts";

export interface PodRun {
  /** Of `docker run`. */
  readonly flags: readonly string[];
  readonly args: readonly string[];
  readonly graceSeconds: number;
}

export interface PodOptions {
  /** Fields of the pod by their path, as the downward API gives them; a field that is absent is empty. */
  readonly fields: Labels;
  /** Values of ConfigMaps that the test replaces, by key. */
  readonly data: Labels;
}

/** The pod of the manifests' StatefulSet, as `docker run` runs it: user, rights, limits, environment, files and all. */
export async function podAsFlags(manifests: Manifests, { fields, data }: PodOptions): Promise<PodRun> {
  const pod = only(manifests, "StatefulSet").spec?.template?.spec;
  if (pod === undefined) throw new Error("no pod");
  const [container] = pod.containers;
  const { securityContext: rights, resources } = container;
  const config = (name: string): Labels => {
    const found = manifests.resources.find(
      ({ kind, metadata }) => kind === "ConfigMap" && metadata.name === name,
    );
    const entries = Object.entries(found?.data ?? {});
    return Object.fromEntries(entries.map(([key, value]) => [key, data[key] ?? value]));
  };
  const env: Record<string, string> = {};
  for (const { configMapRef } of container.envFrom) Object.assign(env, config(configMapRef.name));
  for (const { name, value, valueFrom } of container.env) {
    const raw = value ?? fields[valueFrom?.fieldRef.fieldPath ?? ""] ?? "";
    env[name] = raw.replace(/\$\((\w+)\)/g, (_, other: string) => env[other] ?? "");
  }
  return {
    flags: [
      ...["--user", `${pod.securityContext.runAsUser}:${pod.securityContext.runAsGroup}`],
      ...(rights.readOnlyRootFilesystem ? ["--read-only"] : []),
      ...(rights.allowPrivilegeEscalation ? [] : ["--security-opt", "no-new-privileges"]),
      ...rights.capabilities.drop.flatMap((capability) => ["--cap-drop", capability]),
      ...["--memory", resources.limits.memory.replace("Mi", "m"), "--no-healthcheck"],
      ...Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
      ...(await volumes(pod, config)),
    ],
    args: container.args,
    graceSeconds: pod.terminationGracePeriodSeconds,
  };
}

async function volumes(pod: PodSpec, config: (name: string) => Labels): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "pulsar-ts-io-pod-"));
  await chmod(folder, 0o755);
  const flags: string[] = [];
  for (const { name, mountPath, readOnly } of pod.containers[0].volumeMounts) {
    const volume: Volume | undefined = pod.volumes.find((one) => one.name === name);
    if (volume?.emptyDir !== undefined) {
      const size = volume.emptyDir.sizeLimit.replace("Mi", "m");
      flags.push("--tmpfs", `${mountPath}:size=${size},mode=1777`);
      continue;
    }
    const files = join(folder, name);
    await mkdir(files);
    const content = volume?.configMap === undefined ? {} : config(volume.configMap.name);
    for (const [file, text] of Object.entries(content)) await writeFile(join(files, file), text);
    flags.push("--volume", `${files}:${mountPath}${readOnly === true ? ":ro" : ""}`);
  }
  return flags;
}
