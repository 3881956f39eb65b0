/**
 * Webhooks: every event of the log that a hook wants, in order, at least once, from a position that is remembered. A
 * hook that fails is tried again with growing pauses for 24 hours and then switched off, as is one that answers 410.
 */
import type { FastifyBaseLogger } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { StoredEvent } from '../domain/events.js';
import type { Webhook } from '../domain/model.js';
import { describeDoc } from '../indexes.js';
import type { DispatchPort, Versioned } from '../ports.js';
import type { HttpMetrics } from '../api/metrics.js';
import { typeFilter } from '../event-types.js';
import { eventView } from '../views/event.js';
import { iso } from '../views/json.js';
import { send } from './send.js';
import { signedHeaders } from './signature.js';

export interface WebhookConfig {
  /** Private networks and loopback, and http://, are allowed. */
  allowPrivate?: boolean | undefined;
  timeoutMs?: number | undefined;
  /** Pauses after the first, second, … failure, ms; the last one repeats. */
  pausesMs?: readonly number[] | undefined;
  /** How long a hook may fail before it is switched off, ms. */
  giveUpMs?: number | undefined;
}

export interface Webhooks {
  start(): void;
  stop(): Promise<void>;
  /** Looks at all hooks at once: one was made, changed, or told to replay. */
  changed(): void;
  readonly allowPrivate: boolean;
}

export interface WebhookDeps {
  dispatch: DispatchPort;
  log: Pick<FastifyBaseLogger, 'info' | 'warn'>;
  metrics: Pick<HttpMetrics, 'webhookAttempts' | 'webhookLag'>;
  node: string;
  config: WebhookConfig;
}

const MINUTE_MS = 60_000;
/** Standard Webhooks, "Deliverability": seconds first, then hours, for about a day. */
const PAUSES_MS = [
  5_000,
  30_000,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  30 * MINUTE_MS,
  60 * MINUTE_MS,
  120 * MINUTE_MS,
  240 * MINUTE_MS,
];
const GIVE_UP_MS = 24 * 60 * MINUTE_MS;
const TIMEOUT_MS = 15_000;
/** Hooks are looked at this often (machine time), and at once when something was committed. */
const LOOK_MS = 1_000;
/** One node at a time delivers for a hook; another takes over when the lease ends. */
const LEASE_MS = 60_000;
/** Events read at once, and skipped at most before the position is written down. */
const READ_AT_ONCE = 200;
/** Hooks served at the same time: each has one request under way. */
const AT_ONCE = 20;

export function createWebhooks(deps: WebhookDeps): Webhooks {
  const { dispatch, config } = deps;
  const stopping = new AbortController();
  const busy = new Map<string, Promise<void>>();
  const connection = randomUUID();
  let timer: NodeJS.Timeout | undefined;
  let unwatch: (() => void) | undefined;
  let looking = false;

  async function look(): Promise<void> {
    if (looking || stopping.signal.aborted) return;
    looking = true;
    try {
      const hooks = await dispatch.scan({ index: 'webhooks', limit: 1_000 });
      const last = await dispatch.store.lastPosition();
      for (const doc of hooks.items as unknown as Versioned<'webhook'>[]) {
        const { value: hook } = doc;
        deps.metrics.webhookLag.set({ webhook: hook.id }, Math.max(0, last - hook.position));
        if (busy.size >= AT_ONCE || busy.has(hook.id) || !isDue(doc, last)) continue;
        const work = serve(doc, last)
          .catch((error: unknown) =>
            deps.log.warn({ err: error, webhook: hook.id }, 'a webhook could not be served; it is tried again'),
          )
          .finally(() => busy.delete(hook.id));
        busy.set(hook.id, work);
      }
    } catch (error) {
      deps.log.warn({ err: error }, 'webhooks could not be read; they are looked at again');
    } finally {
      looking = false;
    }
  }

  function isDue({ value: hook }: Versioned<'webhook'>, last: number): boolean {
    if (hook.disabledAt !== undefined || hook.position >= last) return false;
    return hook.failing === undefined || hook.failing.nextAt <= dispatch.clock.now();
  }

  /** Delivers until the log's end, a failure, or the stop. */
  async function serve(first: Versioned<'webhook'>, last: number): Promise<void> {
    const key = `webhook:${first.value.id}`;
    const now = dispatch.clock.now();
    const owner = await dispatch.store.owner(key, now);
    if (owner && owner.connection !== connection && owner.until > now) return;
    const { fence } = await dispatch.store.claimTerminal(key, deps.node, connection, now, LEASE_MS);
    try {
      let hook: Versioned<'webhook'> | undefined = first;
      while (hook && !stopping.signal.aborted) {
        const events: StoredEvent[] = await dispatch.eventsAfter(hook.value.position, READ_AT_ONCE);
        if (events.length === 0) return;
        if (!(await dispatch.store.renewTerminal(key, fence, dispatch.clock.now(), LEASE_MS))) return;
        hook = await deliverAll(hook, events, key, fence);
        if (hook && hook.value.position >= last) last = await dispatch.store.lastPosition();
      }
    } finally {
      await dispatch.store.releaseTerminal(key, fence);
    }
  }

  /** The hook as it is after these events; undefined where it shall not go on now. */
  async function deliverAll(
    hook: Versioned<'webhook'>,
    events: StoredEvent[],
    key: string,
    fence: number,
  ): Promise<Versioned<'webhook'> | undefined> {
    const matches = typeFilter(hook.value.types);
    let current = hook;
    for (const event of events) {
      if (stopping.signal.aborted) return undefined;
      if (!matches(event.type) || !inCentres(hook.value, event)) continue;
      if (!(await dispatch.store.renewTerminal(key, fence, dispatch.clock.now(), LEASE_MS))) return undefined;
      const outcome = await deliver(current.value, event);
      if (stopping.signal.aborted && !outcome.ok) return undefined;
      deps.metrics.webhookAttempts.inc({ outcome: outcome.ok ? 'ok' : 'failed' });
      const next = outcome.ok
        ? delivered(current.value, event.position)
        : failed(current.value, event.position, outcome);
      const written = await write(current, next);
      if (!written || !outcome.ok) return undefined;
      current = written;
    }
    const end = events.at(-1)!.position;
    // What nobody wanted is written down once for all of it.
    return current.value.position === end ? current : write(current, delivered(current.value, end));
  }

  function deliver(hook: Webhook, event: StoredEvent): ReturnType<typeof send> {
    const id = `evt_${event.position}`;
    const body = JSON.stringify(cloudEvent(event));
    // Receivers hold the time against their own clock: the machine's, not the gateway's.
    const headers = signedHeaders(hook.secrets, id, Math.floor(Date.now() / 1000), body);
    const fixed = { 'content-type': 'application/cloudevents+json; charset=utf-8', 'user-agent': 'Linecrew' };
    return send(hook.url, { ...fixed, ...headers }, body, {
      allowPrivate: config.allowPrivate ?? false,
      timeoutMs: config.timeoutMs ?? TIMEOUT_MS,
      signal: stopping.signal,
    });
  }

  function failed(
    hook: Webhook,
    position: number,
    outcome: { status?: number; reason: string; gone?: boolean },
  ): Webhook {
    const now = dispatch.clock.now();
    const since = hook.failing?.since ?? now;
    const attempts = (hook.failing?.attempts ?? 0) + 1;
    const pauses = config.pausesMs ?? PAUSES_MS;
    const pause = pauses[Math.min(attempts, pauses.length) - 1] ?? PAUSES_MS[0]!;
    // Full pauses at the same moment would bring all that failed together back together.
    const nextAt = now + Math.round(pause * (0.75 + Math.random() / 2));
    const gaveUp = outcome.gone === true || nextAt - since > (config.giveUpMs ?? GIVE_UP_MS);
    deps.log.warn(
      { webhook: hook.id, position, attempts, reason: outcome.reason, disabled: gaveUp },
      'a webhook failed',
    );
    const failing = {
      since,
      attempts,
      nextAt,
      lastReason: outcome.reason,
      ...(outcome.status === undefined ? {} : { lastStatus: outcome.status }),
    };
    return { ...hook, failing, ...(gaveUp ? { disabledAt: now } : {}) };
  }

  /** Undefined where somebody changed the hook meanwhile: it is looked at again. */
  async function write(before: Versioned<'webhook'>, value: Webhook): Promise<Versioned<'webhook'> | undefined> {
    const { id } = value;
    const put = {
      kind: 'webhook',
      id,
      expect: before.version,
      value,
      ...describeDoc('webhook', value, dispatch.settings),
    };
    const { ok } = await dispatch.store.commit({ puts: [put] });
    return ok ? { value, version: before.version + 1 } : undefined;
  }

  return {
    allowPrivate: config.allowPrivate ?? false,
    start() {
      timer = setInterval(() => void look(), LOOK_MS);
      timer.unref();
      unwatch = dispatch.store.watch({ committed: () => void look() });
      void look();
    },
    changed: () => void look(),
    async stop() {
      stopping.abort();
      clearInterval(timer);
      unwatch?.();
      await Promise.allSettled(busy.values());
    },
  };
}

function delivered({ failing: _before, ...hook }: Webhook, position: number): Webhook {
  return { ...hook, position };
}

/** Events of no centre are told to hooks of all centres only. */
const inCentres = (hook: Webhook, event: StoredEvent): boolean =>
  hook.centres === undefined || (event.centreId !== undefined && hook.centres.includes(event.centreId));

/** CloudEvents 1.0, structured JSON. */
export function cloudEvent(event: StoredEvent): Record<string, unknown> {
  const subject =
    event.orderId !== undefined
      ? `orders/${event.orderId}`
      : event.vehicleId !== undefined
        ? `vehicles/${event.vehicleId}`
        : undefined;
  return {
    specversion: '1.0',
    id: `evt_${event.position}`,
    source: '/linecrew',
    type: `linecrew.${event.type}`,
    time: iso(event.committedAt),
    ...(subject === undefined ? {} : { subject }),
    datacontenttype: 'application/json',
    data: eventView(event),
  };
}
