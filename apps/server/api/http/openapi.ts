import type { SwaggerTransformObject } from "@fastify/swagger";
import type { FastifySchema } from "fastify";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import type { z } from "zod";
import type { GatewayDeps } from "../deps.ts";
import type { Answers, Content } from "./document.ts";

type Transform = typeof jsonSchemaTransform;

/** Turns what a route declares about itself into OpenAPI: parameters, the body by media type, answers with headers. */
export const transform: Transform = (route) => {
  const { answers, request, ...rest }: FastifySchema = route.schema ?? {};
  const { schema, url } = jsonSchemaTransform({ ...route, schema: rest });
  const converted = (type: z.ZodType, io: "body" | "response"): unknown => {
    const part = io === "body" ? { body: type } : { response: { 200: type } };
    const { schema: made } = jsonSchemaTransform({ ...route, schema: part });
    return io === "body" ? made.body : Reflect.get(made.response ?? {}, "200");
  };
  if (request) {
    const content = Object.entries(request.content).map(([type, body]) => [type, { schema: converted(body, "body") }]);
    schema.body = { description: request.description, content: Object.fromEntries(content) };
  }
  if (answers) schema.response = responses(answers, (type) => converted(type, "response"));
  return { schema, url };
};

function responses(answers: Answers, convert: (type: z.ZodType) => unknown): Record<string, unknown> {
  const entries = Object.entries(answers).map(([status, answer]) => [status, response(answer, convert)]);
  return Object.fromEntries(entries);
}

function response(
  { description, schema, types = ["application/json"], headers }: Content,
  convert: (type: z.ZodType) => unknown,
) {
  const sent = headers && {
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, said]) => [name, { type: "string", description: said }]),
    ),
  };
  if (schema === undefined) return { description, type: "null", ...sent };
  return {
    description,
    content: Object.fromEntries(types.map((type) => [type, { schema: convert(schema) }])),
    ...sent,
  };
}

/** Puts the schemas under `components` that the document refers to. */
export const transformObject: SwaggerTransformObject = (document) => {
  const whole = jsonSchemaTransformObject(document);
  const schemas = "components" in whole ? (whole.components?.schemas ?? {}) : {};
  const text = JSON.stringify(whole);
  // the object was made a moment ago and nobody else has it
  for (const name of Object.keys(schemas)) {
    if (!text.includes(`"#/components/schemas/${name}"`)) Reflect.deleteProperty(schemas, name);
  }
  return whole;
};

const TAGS = [
  { name: "vCons", description: "Store, fetch, change, delete and find vCons." },
  { name: "Queues", description: "Put vCons on ingress lists and take them from egress lists." },
  { name: "Dead letters", description: "vCons whose processing failed." },
  { name: "Configuration", description: "The chains, links and storages of this server." },
  { name: "Server", description: "Version, health and depth of queues." },
];

/** The frame of the OpenAPI document. */
export const frame = ({ settings, build }: Pick<GatewayDeps, "settings" | "build">) => ({
  openapi: "3.1.0",
  info: {
    title: "vCon Server",
    version: build.version,
    description:
      "Receives conversations as vCons, runs them through chains of links and hands the results to storages and egress lists.",
    license: { name: "MIT", identifier: "MIT" },
  },
  servers: [
    { url: settings.rootPath || "/", description: "This server; the paths answer without the prefix as well." },
  ],
  tags: TAGS,
  components: {
    securitySchemes: {
      token: { type: "apiKey" as const, in: "header" as const, name: settings.headerName },
      bearer: { type: "http" as const, scheme: "bearer" },
    },
  },
});

/** What an operation says about who may call it. */
export const SECURED = [{ token: [] }, { bearer: [] }];
