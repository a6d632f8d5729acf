import { randomUUID } from "node:crypto";
import type { Logger } from "./logger.ts";

/** Everything the server tells about itself as it happens. Names are interface. */
export const EVENT_TYPES = [
  "vcon.created",
  "vcon.updated",
  "vcon.deleted",
  "vcon.processed",
  "vcon.halted",
  "vcon.failed",
  "link.completed",
  "storage.failed",
  "storage.recovered",
  "worker.started",
  "worker.died",
  "breaker.opened",
  "breaker.closed",
  "config.changed",
  "config.rejected",
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** What an event is about. `data` holds facts of its type, never a document and never a secret. */
export interface About {
  readonly vcon?: string;
  readonly chain?: string;
  readonly link?: string;
  readonly storage?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface ServerEvent extends About {
  readonly id: string;
  readonly type: EventType;
  /** Milliseconds since 1970, UTC. */
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Events inside one process: each listener gets each event at most once, in order. */
export interface Events {
  emit(type: EventType, about?: About): void;
  /** Listens to one type or to all (`*`); the returned function ends it. */
  on(type: EventType | "*", listener: (event: ServerEvent) => void | Promise<void>): () => void;
}

type Listener = (event: ServerEvent) => void | Promise<void>;

/** An emitter without listeners. A listener that fails is logged and disturbs neither the others nor the emitter. */
export function createEvents({ log, now = Date.now }: { readonly log: Logger; readonly now?: () => number }): Events {
  const listeners = new Map<EventType | "*", Set<Listener>>();

  async function tell(listener: Listener, event: ServerEvent): Promise<void> {
    try {
      await listener(event);
    } catch (error) {
      log.warn(`a listener of ${event.type} failed`, { error });
    }
  }

  return {
    emit(type, about = {}) {
      if (!listeners.has(type) && !listeners.has("*")) return;
      const heard = [...(listeners.get(type) ?? []), ...(listeners.get("*") ?? [])];
      if (heard.length === 0) return;
      const event: ServerEvent = Object.freeze({ id: randomUUID(), type, at: now(), data: {}, ...about });
      for (const listener of heard) void tell(listener, event);
    },
    on(type, listener) {
      const group = listeners.get(type) ?? new Set();
      listeners.set(type, group.add(listener));
      return () => group.delete(listener);
    },
  };
}
