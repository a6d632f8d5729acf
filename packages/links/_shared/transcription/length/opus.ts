import type { Bytes } from "./steps.ts";

/** Samples of a frame at 48 kHz by the configuration in the first byte of a packet (RFC 6716 section 3.1). */
function samplesPerFrame(config: number): number {
  if (config < 12) return [480, 960, 1_920, 2_880][config % 4] ?? 0;
  if (config < 16) return [480, 960][config % 2] ?? 0;
  return [120, 240, 480, 960][config % 4] ?? 0;
}

/** Samples at 48 kHz of an Opus packet. */
export function samplesInPacket(bytes: Bytes, at: number): number {
  const first = bytes.u8(at);
  const frames = (first & 3) === 0 ? 1 : (first & 3) < 3 ? 2 : bytes.u8(at + 1) & 63;
  return samplesPerFrame(first >> 3) * frames;
}

/** Samples of packets that stand one behind the other. */
export function samplesInOpus(bytes: Bytes, start: number, sizes: readonly number[]): number {
  let [at, samples] = [start, 0];
  for (const size of sizes) {
    if (size > 0) samples += samplesInPacket(bytes, at);
    at += size;
  }
  return samples;
}
