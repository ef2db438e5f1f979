import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { describe } from "vitest";

const names = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];

export interface BrowserView {
  readonly width: number;
  readonly height: number;
  readonly scheme: "light" | "dark";
  /** Device pixels for one of CSS; default 1. */
  readonly scale?: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** A headless Chromium with one page, spoken to through its DevTools pipe. Disposing ends it. */
export class Browser implements AsyncDisposable {
  /** What the page complained about: errors of scripts, refusals of the content security policy. */
  readonly complaints: string[] = [];
  readonly #child: ChildProcess;
  readonly #toBrowser: Writable;
  readonly #profile: string;
  readonly #waiting = new Map<number, (answer: Fields) => void>();
  readonly #exited: Promise<unknown>;
  #session: string | undefined;
  #unread = "";
  #id = 0;

  private constructor(program: string) {
    this.#profile = mkdtempSync(join(tmpdir(), "pulsar-ts-io-browser-"));
    const args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
    const flags = [...args, "--remote-debugging-pipe", `--user-data-dir=${this.#profile}`];
    this.#child = spawn(program, flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    const [, , , toBrowser, fromBrowser] = this.#child.stdio;
    this.#toBrowser = toBrowser as Writable; // the pipes that were asked for above
    (fromBrowser as Readable).setEncoding("utf8").on("data", (text: string) => this.#read(text));
    this.#toBrowser.on("error", () => undefined); // it ended
    this.#exited = once(this.#child, "exit");
  }

  static async open(program: string): Promise<Browser> {
    const browser = new Browser(program);
    const { targetId } = await browser.#call("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await browser.#call("Target.attachToTarget", { targetId, flatten: true });
    browser.#session = String(sessionId);
    for (const domain of ["Page", "Runtime", "Log"]) await browser.#call(`${domain}.enable`);
    return browser;
  }

  async show(url: string, { width, height, scheme, scale = 1 }: BrowserView): Promise<void> {
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await this.#call("Emulation.setEmulatedMedia", { features });
    await this.#call("Emulation.setTimezoneOverride", { timezoneId: "UTC" });
    const metrics = { width, height, deviceScaleFactor: scale, mobile: width < 600 };
    await this.#call("Emulation.setDeviceMetricsOverride", metrics);
    await this.#call("Page.navigate", { url });
  }

  /** The value of a JavaScript expression in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const options = { expression, returnByValue: true, awaitPromise: true };
    const { result, exceptionDetails } = await this.#call("Runtime.evaluate", options);
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return (result as Fields)["value"]; // an object in every answer of this method
  }

  /** Waits until `expression` is true in the page. */
  async until(expression: string): Promise<void> {
    const looked = `new Promise((resolve) => {
      const look = () => { try { if (${expression}) return resolve(true); } catch {} requestAnimationFrame(look); };
      look();
    })`;
    await this.evaluate(looked);
  }

  /** Lets the page's time pass at once, its timers and all. */
  async skip(ms: number): Promise<void> {
    await this.#call("Emulation.setVirtualTimePolicy", { policy: "advance", budget: ms });
  }

  async moveTo(x: number, y: number): Promise<void> {
    await this.#call("Input.dispatchMouseEvent", { type: "mouseMoved", x, y });
  }

  /** PNG. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.#call("Page.captureScreenshot", { captureBeyondViewport: true });
    return Buffer.from(String(data), "base64");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  async #call(method: string, params: Fields = {}): Promise<Fields> {
    this.#id += 1;
    const id = this.#id;
    const answered = new Promise<Fields>((resolve) => this.#waiting.set(id, resolve));
    const session = this.#session === undefined ? {} : { sessionId: this.#session };
    this.#toBrowser.write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    const left = this.#exited.then(() => {
      throw new Error("the browser has ended");
    });
    const { result, error } = await Promise.race([answered, left]);
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result as Fields; // an object wherever there is no error
  }

  #read(text: string): void {
    const messages = (this.#unread + text).split("\0");
    this.#unread = messages.pop() ?? "";
    for (const message of messages) this.#take(JSON.parse(message));
  }

  #take(message: { id?: number; method?: string; params?: unknown } & Fields): void {
    if (message.id !== undefined) {
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
    } else if (message.method === "Runtime.exceptionThrown" || message.method === "Log.entryAdded") {
      this.complaints.push(JSON.stringify(message.params));
    }
  }
}

/** A `describe` that needs a Chromium: skipped, with the reason in its name, where there is none; with CI=true that fails. */
export function describeWithBrowser(name: string, body: (program: string) => void): void {
  const program = names.find((candidate) => spawnSync(candidate, ["--version"]).status === 0);
  if (program !== undefined) describe(name, () => body(program));
  else if (process.env["CI"] === "true") throw new Error("there is no Chromium to test pages with");
  else describe.skip(`${name} (skipped: no Chromium)`, () => body(""));
}
