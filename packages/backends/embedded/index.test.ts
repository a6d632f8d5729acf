import { backendConformance } from "@vcon-server/core/backend/conformance";
import { emptyStore } from "./testing/empty-store.ts";

backendConformance("embedded", emptyStore);
