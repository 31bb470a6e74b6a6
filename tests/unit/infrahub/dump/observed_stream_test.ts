import { assertEquals, assertRejects } from "@std/assert";
import { observedStream } from "../../../../src/infrahub/dump/_observed_stream.ts";

const SOURCES = {
  "a byte stream": (pieces: Uint8Array[], onCancel: (reason: unknown) => void) => {
    const waiting = [...pieces];
    return new ReadableStream({
      type: "bytes",
      pull(controller) {
        const piece = waiting.shift();
        if (piece !== undefined) {
          controller.enqueue(piece.slice());
          return;
        }
        controller.close();
        controller.byobRequest?.respond(0);
      },
      cancel: onCancel,
    });
  },
  "another stream": (pieces: Uint8Array[], onCancel: (reason: unknown) => void) => {
    const waiting = [...pieces];
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = waiting.shift();
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
      cancel: onCancel,
    }, { highWaterMark: 0 });
  },
};

const PIECES = [Uint8Array.of(1, 2, 3), new Uint8Array(100_000).fill(4), Uint8Array.of(5)];
const WHOLE = new Uint8Array(await new Blob(PIECES.map((piece) => piece.slice())).arrayBuffer());

class Collector {
  readonly seen: number[] = [];
  finished = 0;
  observe(bytes: Uint8Array): void {
    for (const byte of bytes) this.seen.push(byte);
  }
  finish(): void {
    this.finished++;
  }
}

for (const [name, open] of Object.entries(SOURCES)) {
  Deno.test(`observedStream() of ${name} passes every byte on, and shows it first`, async () => {
    const collector = new Collector();
    const stream = observedStream(open(PIECES, () => {}), collector);
    const passed: number[] = [];
    for await (const piece of stream) {
      for (const byte of piece) passed.push(byte);
      assertEquals(collector.seen.slice(0, passed.length), passed);
    }
    assertEquals(Uint8Array.from(passed), WHOLE);
    assertEquals([collector.seen.length, collector.finished], [WHOLE.length, 1]);
  });

  Deno.test(`observedStream() of ${name} fails as its observer does, and gives the source up`, async () => {
    for (const when of ["observe", "finish"] as const) {
      let cancelled: unknown;
      const observer = new Collector();
      observer[when] = () => {
        throw new Error(`no ${when}`);
      };
      const stream = observedStream(open(PIECES, (reason) => (cancelled = reason)), observer);
      await assertRejects(() => new Response(stream).arrayBuffer(), Error, `no ${when}`);
      // A source that has ended has nothing to give up.
      if (when === "observe") assertEquals((cancelled as Error).message, "no observe");
    }
  });

  Deno.test(`observedStream() of ${name} does not finish a source that fails or is given up`, async () => {
    const pull = () => {
      throw new Error("the source failed");
    };
    const failing: ReadableStream<Uint8Array> = name === "a byte stream"
      ? new ReadableStream({ type: "bytes", pull })
      : new ReadableStream({ pull });
    const collector = new Collector();
    await assertRejects(
      () => new Response(observedStream(failing, collector)).arrayBuffer(),
      Error,
      "the source failed",
    );

    let cancelled: unknown;
    const stream = observedStream(open(PIECES, (reason) => (cancelled = reason)), collector);
    const reader = stream.getReader();
    await reader.read();
    await reader.cancel("enough");
    assertEquals([cancelled, collector.finished], ["enough", 0]);
  });
}

Deno.test("observedStream() of a byte stream reads into its consumer's buffer", async () => {
  const collector = new Collector();
  const stream = observedStream(SOURCES["a byte stream"](PIECES, () => {}), collector);
  const reader = stream.getReader({ mode: "byob" });
  let buffer = new ArrayBuffer(4096);
  const passed: number[] = [];
  while (true) {
    const { done, value } = await reader.read(new Uint8Array(buffer));
    if (done) break;
    assertEquals(value.buffer.byteLength, 4096);
    for (const byte of value) passed.push(byte);
    buffer = value.buffer as ArrayBuffer;
  }
  assertEquals(Uint8Array.from(passed), WHOLE);
  assertEquals(collector.finished, 1);
});

Deno.test("observedStream() given up while it waits for bytes does not take that for the end", async () => {
  let cancelled: unknown;
  const endless = new ReadableStream({
    type: "bytes",
    pull: () => new Promise<void>(() => {/* Nothing ever comes. */}),
    cancel: (reason) => void (cancelled = reason),
  });
  const collector = new Collector();
  const reader = observedStream(endless, collector).getReader();
  const waiting = reader.read();
  // Until the read has reached the source.
  await new Promise((resolve) => setTimeout(resolve, 0));
  await reader.cancel("enough");
  assertEquals((await waiting).done, true);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals([cancelled, collector.finished], ["enough", 0]);
});
