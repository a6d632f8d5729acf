import type { Row, Sample } from "./row.ts";
import { median } from "./statistics.ts";

const WIDTHS = [22, 40, 10, 10, 8, 16, 16, 16, 22] as const;

const line = (cells: readonly string[]): string =>
  cells
    .map((cell, at) => cell.padEnd(WIDTHS[at] ?? 0))
    .join(" ")
    .trimEnd();

/** Column titles of the table that `describe` fills. */
export const HEADING = line([
  "what",
  "against",
  "per s",
  "ceiling/s",
  "ratio",
  "CPU µs",
  "ceiling CPU µs",
  "p50/p99 ms",
  "goal",
]);

/** One line of the table: medians over the rounds. */
export function describe({ name, compare, against, subject, ceiling, goal }: Row): string {
  const [ours, theirs] = [medians(subject), medians(ceiling)];
  const share = compare === "times" ? (ours.p50 ?? 0) / (theirs.p50 ?? 1) : ours.perSecond / theirs.perSecond;
  const ratio = ceiling.length === 0 ? "" : `${Math.round(100 * share)} %`;
  const times = ours.p50 === undefined ? heldOf(ours) : `${ours.p50.toFixed(1)}/${ours.p99?.toFixed(1)}`;
  const rate = (sample: Sample, samples: readonly Sample[]) =>
    samples.length === 0 ? "" : String(Math.round(sample.perSecond));
  return line([
    name,
    against,
    rate(ours, subject),
    rate(theirs, ceiling),
    ratio,
    cpu(ours),
    ceiling.length === 0 ? "" : cpu(theirs),
    times,
    goal,
  ]);
}

const heldOf = ({ inFlight, megabytes }: Sample): string =>
  inFlight === undefined ? "" : `${inFlight} in ${megabytes?.toFixed(0)} MB`;

/** Node's microseconds, with Redis' behind them. */
const cpu = ({ cpuMicros, redisMicros }: Sample): string =>
  redisMicros === undefined ? cpuMicros.toFixed(0) : `${cpuMicros.toFixed(0)} + ${redisMicros.toFixed(0)} redis`;

function medians(samples: readonly Sample[]): Sample {
  const of = (pick: (sample: Sample) => number | undefined): number | undefined => {
    const values = samples.map(pick).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : median(values);
  };
  const optional = (["redisMicros", "p50", "p99", "inFlight", "megabytes"] as const).map(
    (name) => [name, of((sample) => sample[name])] as const,
  );
  return {
    perSecond: of((sample) => sample.perSecond) ?? 0,
    cpuMicros: of((sample) => sample.cpuMicros) ?? 0,
    ...Object.fromEntries(optional.filter(([, value]) => value !== undefined)),
  };
}
