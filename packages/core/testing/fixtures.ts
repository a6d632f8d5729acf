import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readVcon, type Vcon } from "@vcon-server/vcon";
import { sampleVcon } from "./samples.ts";

/** A vCon in a file of the repository. */
export interface Fixture {
  /** Name of the file. */
  readonly name: string;
  readonly vcon: Vcon;
}

const ROOT = join(import.meta.dirname, "../../..");
/** Those of the project, and the larger set beside it where there is one. */
const FOLDERS = [join(ROOT, "packages/vcon/testdata/constructed"), join(ROOT, "../shared/fixtures")];

/** Real vCons of all versions, each uuid once; files that the server refuses are left out. */
export function fixtureVcons(): readonly Fixture[] {
  const read = FOLDERS.filter((folder) => existsSync(folder)).flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => /\.(?:json|vcon)$/.test(name))
      .flatMap((name): Fixture[] => {
        const text = readFileSync(join(folder, name), "utf8");
        const result = readVcon(text, { profile: "tolerant", giveUuid: () => sampleVcon().uuid });
        return result.ok ? [{ name, vcon: result.vcon }] : [];
      }),
  );
  const fixtures = [...new Map(read.map((fixture) => [fixture.vcon.uuid, fixture])).values()];
  if (fixtures.length < 10) throw new Error(`only ${fixtures.length} vCons were read below ${FOLDERS.join(" and ")}`);
  return fixtures;
}
