import { Readable } from "node:stream";
import { type InProcessHandler, type KinesisModel, KinesisService } from "@pulsar-ts-io/testkit";

type SdkCall = Parameters<InProcessHandler["handle"]>;
type SdkAnswer = ReturnType<InProcessHandler["handle"]>;

/** As a socket hands them over. */
const chunkBytes = 65_536;
const numberDigits = 12;

/**
 * A shard that never ends: every GetRecords is answered with the same page of the double, each record under a new sequence number,
 * so that an answer costs next to nothing. Every other call is the double's.
 */
export class EndlessShard {
  readonly metadata: { readonly handlerProtocol: string } = { handlerProtocol: "http/1.1" };
  readonly #double: InProcessHandler;
  readonly #page: Page;
  #granted = 0;
  #wake: () => void = () => {};

  private constructor(double: InProcessHandler, page: Page) {
    this.#double = double;
    this.#page = page;
  }

  /** @param readPage asks for a page of `records` records through the handler that it is given, as the consumer asks for pages. */
  static async of(
    double: InProcessHandler,
    records: number,
    readPage: (handler: Pick<InProcessHandler, "handle" | "metadata" | "destroy">) => Promise<unknown>,
  ): Promise<EndlessShard> {
    let page: Page | undefined;
    await readPage({
      metadata: double.metadata,
      destroy: () => {},
      handle: async (request, options) => {
        const answer = await double.handle(request, options);
        if (!isGetRecords(request)) return answer;
        page = await Page.of(answer, records);
        return { response: page.next() };
      },
    });
    if (page === undefined) throw new Error("no page was read");
    return new EndlessShard(double, page);
  }

  /** Lets so many further records be read: whole pages. */
  grant(records: number): void {
    this.#granted += Math.ceil(records / this.#page.records);
    this.#wake();
  }

  async handle(request: SdkCall[0], options?: SdkCall[1]): SdkAnswer {
    if (!isGetRecords(request)) return await this.#double.handle(request, options);
    while (this.#granted === 0)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    this.#granted -= 1;
    return { response: this.#page.next() };
  }

  destroy(): void {}
  updateHttpClientConfig(): void {}
  httpHandlerConfigs(): Record<string, never> {
    return {};
  }
}

function isGetRecords({ headers }: SdkCall[0]): boolean {
  return headers["x-amz-target"]?.endsWith(".GetRecords") === true;
}

type Response = Awaited<SdkAnswer>["response"];

class Page {
  readonly #head: Pick<Response, "statusCode" | "headers">;
  readonly #body: Buffer;
  /** Where the last digits of each sequence number begin. */
  readonly #places: readonly number[];
  #number = 0;

  private constructor(
    head: Pick<Response, "statusCode" | "headers">,
    body: Buffer,
    places: readonly number[],
  ) {
    this.#head = head;
    this.#body = body;
    this.#places = places;
  }

  static async of({ response }: Awaited<SdkAnswer>, records: number): Promise<Page> {
    const { statusCode, headers, body } = response;
    const bytes = Buffer.concat(await body.toArray());
    const first = /\d{50,60}/.exec(bytes.toString("latin1"))?.[0];
    if (first === undefined) throw new Error("the page has no sequence number");
    const places: number[] = [];
    for (const { index, 0: text } of bytes.toString("latin1").matchAll(/\d{50,60}/g)) {
      // One number for all, up to its last digits.
      bytes.write(first, index, "latin1");
      places.push(index + text.length - numberDigits);
    }
    if (places.length !== records) throw new Error(`the page has ${places.length} of ${records} records`);
    return new Page({ statusCode, headers }, bytes, places);
  }

  get records(): number {
    return this.#places.length;
  }

  next(): Response {
    for (const place of this.#places) {
      this.#number += 1;
      this.#body.write(String(this.#number).padStart(numberDigits, "0"), place, "latin1");
    }
    const chunks: Buffer[] = [];
    for (let at = 0; at < this.#body.length; at += chunkBytes)
      chunks.push(this.#body.subarray(at, at + chunkBytes));
    const body = new Readable({ read() {} });
    for (const chunk of chunks) body.push(chunk);
    body.push(null);
    return { ...this.#head, body };
  }
}

/** A double with one stream of one shard, with enough records for a page. */
export function filledService(model: KinesisModel, name: string, records: number, sizeBytes: number) {
  const stream = model.createStream(name, 1);
  for (let number = 0; number < records; number += 1) {
    // Text that LZ4 and JSON can do something with.
    const data = Buffer.from(payload(number, sizeBytes)).toString("base64");
    stream.put({ partitionKey: `key-${number}`, data, dataBytes: sizeBytes }, model.clock.now());
  }
  return new KinesisService(model);
}

function payload(number: number, sizeBytes: number): string {
  const head = `{"number":${number},"text":"`;
  const letters = Array.from({ length: sizeBytes }, (_, at) =>
    String.fromCharCode(97 + (((at * 7919 + number * 104_729) >> 3) % 26)),
  );
  return `${head}${letters.join("").slice(0, sizeBytes - head.length - 2)}"}`;
}
