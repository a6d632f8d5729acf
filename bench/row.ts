/** One measurement of one side: how fast, and what each vCon cost. */
export interface Sample {
  readonly perSecond: number;
  /** CPU microseconds per vCon of the process under test, all its threads. */
  readonly cpuMicros: number;
  /** The same of the Redis server; absent where there is none. */
  readonly redisMicros?: number;
  /** Milliseconds; where single requests were timed. */
  readonly p50?: number;
  readonly p99?: number;
  /** vCons under way at a time, at the most, and the megabytes the process then took. */
  readonly inFlight?: number;
  readonly megabytes?: number;
}

/** A figure of performance.md, measured against a ceiling or a peer of the same run. */
export interface Row {
  readonly name: string;
  /** The ratio is that of the median times; of the rates unless said. */
  readonly compare?: "times";
  readonly subject: readonly Sample[];
  readonly ceiling: readonly Sample[];
  /** What the ceiling is. */
  readonly against: string;
  /** The goal of performance.md, for the reader; nothing is asserted. */
  readonly goal: string;
}
