import { assertEquals } from "@std/assert";
import { OutputTail } from "../../../../src/environment/command/output_tail.ts";

function pieces(...texts: string[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(texts.map((text) => new TextEncoder().encode(text)));
}

Deno.test("OutputTail keeps the end, and says that there was more", async () => {
  const tail = new OutputTail(pieces("abc", "defg", "hij"), 5);
  await tail.ended;
  assertEquals(tail.isCut, true);
  assertEquals(tail.text(), "…fghij");
  const whole = new OutputTail(pieces("abc", "de"), 5);
  await whole.ended;
  assertEquals(whole.isCut, false);
  assertEquals(whole.text(), "abcde");
});

Deno.test("OutputTail waits no longer than it may for a stream that does not end", async () => {
  let isCancelled = false;
  const tail = new OutputTail(
    new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode("so far")),
      cancel: () => void (isCancelled = true),
    }),
  );
  await tail.settled(10);
  assertEquals(tail.text(), "so far");
  await tail.close();
  assertEquals(isCancelled, true);
});
