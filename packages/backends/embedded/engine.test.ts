import { engineConformance } from "@vcon-server/core/engine/conformance";
import { emptyStore } from "./testing/empty-store.ts";

engineConformance("embedded", emptyStore);
