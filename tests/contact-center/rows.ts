import { GetObjectCommand, ListObjectsCommand, S3Client } from "@aws-sdk/client-s3";
import type { ElasticsearchServer } from "@vcon-server/core/testing/servers/elasticsearch";
import type { MilvusServer } from "@vcon-server/core/testing/servers/milvus";
import type { S3Server } from "@vcon-server/core/testing/servers/s3";
import type { JudgedStorage } from "../stage/rows.ts";

/** Objects of an `s3` storage, the pointers aside. */
export function s3Rows({ endpoint, bucket, accessKeyId, secretAccessKey }: S3Server): JudgedStorage {
  const client = new S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  async function keys(): Promise<{ readonly uuid: string; readonly key: string }[]> {
    const found: string[] = [];
    for (let after = ""; ; ) {
      // version 1 of listing: the light server makes tokens for version 2 with a cipher that Node has no more
      const page = await client.send(new ListObjectsCommand({ Bucket: bucket, Prefix: "2026/", Marker: after }));
      const keys = (page.Contents ?? []).flatMap(({ Key }) => Key ?? []);
      found.push(...keys);
      after = keys.at(-1) ?? "";
      if (!page.IsTruncated) break;
    }
    return found.map((key) => ({ key, uuid: key.slice(-41, -5) }));
  }
  return {
    name: "s3",
    uuids: async () => (await keys()).map(({ uuid }) => uuid),
    async rows() {
      const rows = [];
      for (const { uuid, key } of await keys()) {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        rows.push({ uuid, document: JSON.parse((await Body?.transformToString()) ?? "null") });
      }
      return rows;
    },
  };
}

/** Whole vCons of an `elasticsearch` storage. */
export function elasticRows(server: ElasticsearchServer, index = "vcons"): JudgedStorage {
  const documents = () => (server.indices().includes(index) ? [...server.documents(index)] : []);
  return {
    name: "elasticsearch",
    uuids: async () => documents().map(([id]) => id),
    rows: async () => documents().map(([uuid, { json }]) => ({ uuid, document: JSON.parse(String(json)) })),
  };
}

/** Rows of a `milvus` storage: they say which vCon they are of, and hold none. */
export function milvusRows(server: MilvusServer, collection = "vcons"): JudgedStorage {
  const uuids = () =>
    server.describe(collection) ? server.rows(collection).map(({ vcon_uuid }) => String(vcon_uuid)) : [];
  return { name: "milvus", uuids: async () => uuids(), rows: async () => uuids().map((uuid) => ({ uuid })) };
}
