import { type AnyDefinition, fromJSON, type MessageTypeDefinition, type ServiceDefinition } from "@grpc/proto-loader";
import proto from "@zilliz/milvus2-sdk-node/dist/milvus/proto-json/milvus.base.js";

/** A message of the protocol; 64-bit numbers as text, enumerations by name. */
export type Message = Readonly<Record<string, unknown>>;

// the client brings the protocol along; test runners unwrap the default export of old packages, Node does not
const definitions = fromJSON(("default" in proto ? proto.default : proto) as Parameters<typeof fromJSON>[0], {
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
});

const isType = (definition: AnyDefinition): boolean => typeof definition.format === "string";

const isService = (definition: AnyDefinition): definition is ServiceDefinition => !isType(definition);

const isMessage = (definition: AnyDefinition): definition is MessageTypeDefinition<object, object> =>
  isType(definition) && "deserialize" in definition;

/** Milvus as gRPC knows it. */
export const MILVUS: ServiceDefinition = serviceNamed("milvus.proto.milvus.MilvusService");

export const collectionSchemaIn = decoderOf("milvus.proto.schema.CollectionSchema");
export const placeholdersIn = decoderOf("milvus.proto.common.PlaceholderGroup");

function serviceNamed(name: string): ServiceDefinition {
  const found = definitions[name];
  if (found === undefined || !isService(found)) throw new Error(`the protocol has no service ${name}`);
  return found;
}

function decoderOf(name: string): (bytes: Buffer) => object {
  const found = definitions[name];
  if (found === undefined || !isMessage(found)) throw new Error(`the protocol has no message ${name}`);
  return found.deserialize;
}
