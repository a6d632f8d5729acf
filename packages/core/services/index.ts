export { connectionFailure, type ServiceAnswer, secondsOf, serviceFailure } from "./failures.ts";
export { type Limit, readBytes, readJson, readStart, withinTime } from "./within-time.ts";
