import type { Vcon, VconUuid } from "./document.ts";
import { formOf, uuidOf } from "./form.ts";
import { jsonText } from "./json.ts";
import { isObject, type JsonObject } from "./shape.ts";
import { upgrade } from "./upgrade.ts";

const LENIENT_UTF8 = new TextDecoder();

/**
 * Reads a document that this server stored: JSON with numbers kept, and a uuid. No rule is checked, no name upgraded.
 * Throws an `Error` when the text is no vCon, since something else wrote over it then.
 */
export function parseVcon(content: string | Uint8Array): Vcon {
  const value = jsonText(typeof content === "string" ? content : LENIENT_UTF8.decode(content));
  if (value === undefined)
    throw new Error("the stored text is not JSON: something else was written in the place of a vCon");
  const vcon = isObject(value) ? asVcon(value) : undefined;
  if (!vcon) throw new Error("the stored JSON is no vCon: it has no usable uuid");
  return vcon;
}

/**
 * The document in the names of the current draft, where another program stored it in older ones. The very same object
 * when there is nothing to rename, and for signed and encrypted forms.
 */
export function upgradeVcon(vcon: Vcon): Vcon {
  if (formOf(vcon) !== "unsigned") return vcon;
  const upgraded = upgrade(vcon);
  return upgraded === vcon ? vcon : (asVcon(upgraded) ?? vcon);
}

/**
 * The object as a document, when it has a uuid. A signed or encrypted form is kept verbatim, so its uuid is readable
 * as `vcon.uuid` but is not written with it.
 */
export function asVcon(value: JsonObject): Vcon | undefined {
  const form = formOf(value);
  const uuid = uuidOf(value, form);
  if (uuid === undefined) return undefined;
  if (hasUuid(value, uuid)) return value;
  if (form === "signed" || form === "encrypted") {
    return Object.defineProperty({ ...value, uuid }, "uuid", { enumerable: false });
  }
  return { ...value, uuid };
}

const hasUuid = (value: JsonObject, uuid: VconUuid): value is JsonObject & Vcon => value.uuid === uuid;
