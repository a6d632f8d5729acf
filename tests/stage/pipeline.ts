import type { LoggedStep } from "../oracle/effect-log.ts";
import type { Folder } from "./folder.ts";

export const INGRESS = "proof_in";
export const EGRESS = "proof_out";

/** A link of the chain under test: its name, its module and what else stands beside it. */
export interface Step {
  readonly name: string;
  readonly module: string;
  readonly options?: object;
  readonly timeout?: number;
}

export interface Pipeline {
  /** Milliseconds of the slow link; 100 unless given. */
  readonly slowMs?: number;
  /** Links after the slow one. */
  readonly more?: readonly Step[];
  readonly postgres?: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
  };
  /** Folder of the file storage, where it must not be the usual one. */
  readonly archive?: string;
  /** Tries of every link; 4 unless given. */
  readonly maxAttempts?: number;
}

/** The steps that log themselves, in order; what comes after an effect has that effect's checkpoint behind it. */
export const LOGGED_STEPS: readonly LoggedStep[] = [
  { name: "charge", effect: true },
  { name: "slow", effect: false },
  { name: "notify", effect: true },
  { name: "sign", effect: false },
];

/** One chain: tag → effect → slow → … → effect → signature → storages → egress. */
export const pipeline =
  ({ slowMs = 100, more = [], postgres, maxAttempts = 4, archive: elsewhere }: Pipeline) =>
  ({ effectLog: path, archive }: Pick<Folder, "effectLog" | "archive">): object => {
    const retries = { initial_delay_secs: 0.1, max_delay_secs: 1 };
    const breaker = { failures: 3, reset_secs: 0.5 };
    const effect = (name: string): Step => ({ name, module: "./plugins/effect_logger.ts", options: { path } });
    const steps: readonly Step[] = [
      { name: "tag", module: "tag", options: { tags: ["proof"] } },
      effect("charge"),
      { name: "slow", module: "./plugins/slow.ts", options: { path, wait_ms: slowMs, alone_ms: Math.min(slowMs, 5) } },
      ...more,
      effect("notify"),
      { name: "sign", module: "./plugins/sign.ts", options: { path } },
    ];
    // a killed worker's deliveries are taken up again when this time and a margin are over
    const timeout = 2;
    const storages = {
      file: { module: "file", options: { path: elsewhere ?? archive }, timeout, retries, breaker },
      ...(postgres && {
        postgres: {
          module: "postgres",
          options: { ...connection(postgres), password: "none" },
          timeout,
          retries,
          breaker,
        },
      }),
    };
    const links = steps.map(({ name, ...entry }) => [
      name,
      { ...entry, retries: { ...retries, max_attempts: maxAttempts } },
    ]);
    const proof = {
      ingress_lists: [INGRESS],
      egress_lists: [EGRESS],
      links: steps.map(({ name }) => name),
      storages: Object.keys(storages),
    };
    return { links: Object.fromEntries(links), storages, chains: { proof } };
  };

const connection = ({ host, port, user, database }: NonNullable<Pipeline["postgres"]>) => ({
  host,
  port,
  user,
  database,
});
