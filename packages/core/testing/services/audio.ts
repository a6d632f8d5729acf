const RATE = 8_000;

/** A recording of so many seconds, more or less `extra` samples: a quiet tone, 8 kHz, 8 bit, mono, as WAV. */
export function sampleAudio(seconds = 90, extra = 0): Uint8Array<ArrayBuffer> {
  const samples = RATE * seconds + extra;
  const bytes = new Uint8Array(44 + samples);
  const view = new DataView(bytes.buffer);
  const text = (at: number, word: string) => {
    for (let index = 0; index < word.length; index++) view.setUint8(at + index, word.charCodeAt(index));
  };
  text(0, "RIFF");
  view.setUint32(4, 36 + samples, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, RATE, true);
  view.setUint16(32, 1, true);
  view.setUint16(34, 8, true);
  text(36, "data");
  view.setUint32(40, samples, true);
  for (let at = 0; at < samples; at++)
    bytes[44 + at] = 128 + Math.round(20 * Math.sin((2 * Math.PI * 440 * at) / RATE));
  return bytes;
}
