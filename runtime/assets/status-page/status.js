import { chart } from "./chart.js";
import { byId, element, table } from "./dom.js";
import { bytes, clockTime, count, duration, rate } from "./format.js";

const refreshMs = 5_000;
/** Partitions that are listed; beyond, those with the least lag are left out. */
const maxPartitions = 200;
/** Activities of a partition that keep it from being read. */
const troubled = new Set(["stuck", "failing", "starved"]);
/** As the readiness probe: shorter failures are mostly over before anyone can act. */
const toleratedMs = 10_000;

const throughput = chart(byId("throughput"), byId("throughput-value"), (value) => `${rate(value)}/s`);
const lag = chart(byId("lag"), byId("lag-value"), duration);

async function refresh() {
  try {
    const [status, history] = await Promise.all([get("status"), get("history")]);
    byId("notice").hidden = true;
    show(status, history.samples);
  } catch {
    notice("The source does not answer: what is shown is what was last known.");
    document.title = "no answer";
    byId("state").textContent = "no answer";
    byId("state").className = "bad";
  } finally {
    setTimeout(refresh, refreshMs);
  }
}

async function get(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(refreshMs) });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return await response.json();
}

function show(status, samples) {
  const { source } = status;
  const rates = ratesOf(samples);
  byId("name").textContent = `${source.tenant}/${source.namespace}/${source.name}`;
  byId("route").textContent = `${source.connector} → ${source.topic} · ${source.processingGuarantees}`;
  byId("version").textContent =
    `pulsar-ts-io ${source.version} · up ${duration(status.time - source.startTime)}`;
  showState(status);
  byId("tiles").replaceChildren(...tiles(status, rates.at(-1)?.value));
  throughput.show(rates);
  lag.show(samples.map(({ atMs, lagMs }) => ({ atMs, value: lagMs })));
  showTroubles(status);
  showInstances(status);
  showPartitions(status);
  showErrors(status);
  byId("configs").replaceChildren(configs(source.configs));
}

/** Records a second between each two samples; a gap where the count began anew. */
function ratesOf(samples) {
  return samples.slice(1).map(({ atMs, received }, index) => {
    const before = samples[index];
    const grown = received - before.received;
    return { atMs, value: grown < 0 ? null : (grown * 1_000) / (atMs - before.atMs) };
  });
}

function showState({ source, numInstances, instances, time }) {
  const stalled = instances.filter(({ details }) => details.stalled !== undefined);
  const running = instances.filter(({ details }) => details.state === "running").length;
  const [text, className] = stateOf(
    numInstances,
    running,
    instances.filter((instance) => stalled.includes(instance) || isBlocked(instance, time)).length,
    instances[0]?.details.state ?? "starting",
  );
  byId("state").textContent = text;
  byId("state").className = className;
  document.title = `${source.name}: ${text}`;
  const reasons = instances.flatMap(({ instanceId, status, details }) => {
    // A blocking trouble is listed with its remedy; the reason would only repeat it.
    if (details.troubles.some(({ blocking }) => blocking)) return [];
    const reason = details.stalled ?? status.error;
    return reason === "" ? [] : [numInstances > 1 ? `Instance ${instanceId}: ${reason}` : reason];
  });
  if (reasons.length > 0) notice(reasons.join("; "));
}

/** Unknown is never shown as nothing: a partition that is read here has a lag, known or not. */
function lagOf(lagMs, owner) {
  return lagMs === undefined && owner !== undefined ? "unknown" : duration(lagMs);
}

/** What fails and is retried now, the oldest first: since when, how often, the last error, and what to do. */
function showTroubles({ time, instances }) {
  const all = instances.flatMap(({ instanceId, details }) =>
    details.troubles.map((trouble) => ({ ...trouble, instanceId })),
  );
  all.sort((left, right) => left.sinceMs - right.sinceMs);
  byId("troubles-section").hidden = all.length === 0;
  const items = all.map(({ what, sinceMs, failures, message, code, remedy, blocking, instanceId }) =>
    element(
      "li",
      {},
      element("strong", { class: blocking ? "bad" : "warn" }, what),
      " ",
      element(
        "span",
        { class: "note" },
        [
          ...(instances.length > 1 ? [`instance ${instanceId}`] : []),
          `for ${duration(Math.max(0, time - sinceMs))}`,
          `${count(failures)} failed ${failures === 1 ? "attempt" : "attempts"}`,
          ...(blocking ? ["no record moves"] : []),
        ].join(" · "),
      ),
      element("p", { class: "message" }, code === undefined ? message : `${message} [${code}]`),
      ...(remedy === undefined ? [] : [element("p", { class: "remedy" }, remedy)]),
    ),
  );
  byId("troubles").replaceChildren(element("ol", {}, ...items));
}

function isBlocked({ details }, nowMs) {
  return details.troubles.some(({ blocking, sinceMs }) => blocking && nowMs - sinceMs >= toleratedMs);
}

function stateOf(all, running, held, first) {
  if (all === 1 && first !== "running") return [first, first === "failed" ? "bad" : "warn"];
  if (held === all && all > 0) return ["stalled", "bad"];
  if (running === all) return held > 0 ? [`${held} of ${all} stalled`, "warn"] : ["running", "good"];
  return [`${running} of ${all} running`, running === 0 ? "bad" : "warn"];
}

function notice(text) {
  byId("notice").textContent = text;
  byId("notice").hidden = false;
}

function tiles({ time, instances }, perSecond) {
  const sum = (of) => instances.reduce((total, instance) => total + of(instance), 0);
  const lags = instances.flatMap(({ details }) => (details.lagMs === undefined ? [] : [details.lagMs]));
  const lastReceipt = Math.max(0, ...instances.map(({ details }) => details.lastReceiptTime));
  const failures = sum(({ status }) => status.numSystemExceptions);
  const restarts = sum(({ status }) => status.numRestarts);
  return [
    tile("records a second", rate(perSecond)),
    tile("lag", lags.length === 0 ? "unknown" : duration(Math.max(...lags))),
    tile("in flight", count(sum(({ details }) => details.inFlight))),
    tile(
      `written · ${bytes(sum(({ details }) => details.writtenBytes))}`,
      count(sum(({ status }) => status.numWritten)),
    ),
    tile("since last receipt", lastReceipt === 0 ? "–" : duration(Math.max(0, time - lastReceipt))),
    tile(`failures, ${count(restarts)}× restarted`, count(failures), failures + restarts > 0 ? "warn" : ""),
  ];
}

function tile(label, value, className = "") {
  return element(
    "div",
    { class: "tile" },
    element("strong", { class: className }, value),
    element("span", {}, label),
  );
}

function showInstances({ instances }) {
  byId("instances-section").hidden = instances.length < 2;
  const columns = [
    { title: "Instance" },
    { title: "State" },
    { title: "Written", className: "number" },
    { title: "In flight", className: "number" },
    { title: "Lag", className: "number" },
    { title: "Restarts", className: "number" },
  ];
  const rows = instances.map(({ instanceId, status, details }) => [
    instanceId,
    details.stalled === undefined ? details.state : { text: "stalled", className: "bad" },
    count(status.numWritten),
    count(details.inFlight),
    lagOf(details.lagMs, details.partitions[0]?.owner),
    count(status.numRestarts),
  ]);
  byId("instances").replaceChildren(table(columns, rows));
}

function showPartitions({ instances }) {
  const all = instances.flatMap(({ details }) => details.partitions);
  const shown = [...all]
    .sort((left, right) => (right.lagMs ?? -1) - (left.lagMs ?? -1))
    .slice(0, maxPartitions);
  byId("partition-count").textContent =
    all.length > shown.length ? `the ${shown.length} with the most lag, of ${all.length}` : count(all.length);
  const columns = [
    { title: "Partition" },
    { title: "Owner" },
    { title: "Activity" },
    { title: "Lag", className: "number" },
    { title: "Records a second", className: "number" },
    { title: "Checkpoint age", className: "number" },
  ];
  const rows = shown.map(({ id, owner, activity, finished, lagMs, recordsPerSecond, checkpointAgeMs }) => [
    { text: id, className: "wide" },
    owner ?? "–",
    troubled.has(activity) ? { text: activity, className: "bad" } : finished ? "finished" : (activity ?? "–"),
    lagOf(lagMs, owner),
    rate(recordsPerSecond),
    duration(checkpointAgeMs),
  ]);
  byId("partitions").replaceChildren(
    rows.length === 0 ? note("The source names no partitions.") : table(columns, rows),
  );
}

function showErrors({ instances }) {
  const errors = instances.flatMap(({ instanceId, status }) =>
    unique([...status.latestSystemExceptions, ...status.latestSourceExceptions]).map((error) => ({
      ...error,
      instanceId,
    })),
  );
  errors.sort((left, right) => right.timestampMs - left.timestampMs);
  const items = errors
    .slice(0, 20)
    .map(({ exceptionString, timestampMs, instanceId }) =>
      element(
        "li",
        {},
        element(
          "span",
          { class: "note" },
          `${new Date(timestampMs).toLocaleDateString("sv-SE")} ${clockTime(timestampMs, true)}`,
        ),
        instances.length > 1 ? ` instance ${instanceId} ` : " ",
        element("span", { class: "message" }, exceptionString),
      ),
    );
  byId("errors").replaceChildren(items.length === 0 ? note("None.") : element("ol", {}, ...items));
}

/** What ended an instance stands in both lists. */
function unique(errors) {
  return [
    ...new Map(errors.map((error) => [`${error.timestampMs} ${error.exceptionString}`, error])).values(),
  ];
}

function configs(settings) {
  const entries = Object.entries(settings).filter(([, value]) => value !== "" && value !== null);
  if (entries.length === 0) return note("The connector has no settings.");
  const rows = entries.map(([name, value]) => [
    name,
    { text: typeof value === "string" ? value : JSON.stringify(value), className: "wide" },
  ]);
  return table([{ title: "Setting" }, { title: "Value" }], rows);
}

function note(text) {
  return element("p", { class: "note" }, text);
}

void refresh();
