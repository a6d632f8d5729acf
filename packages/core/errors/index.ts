export { CATALOGUE, type ErrorCode, type ErrorKind } from "./catalogue.ts";
export { printable, printableLine } from "./printable.ts";
export { asVconError, causesOf, VconError } from "./vcon-error.ts";
