/**
 * The sessions of this node: one owner per terminal. A newer connection with a valid code takes over; the older one is
 * closed after it, and its late frames are still taken. Ownership is a lease in the store, so that of several nodes
 * only the newest one writes to a terminal.
 */
import type { Vehicle } from '../dispatch/domain/model.js';
import type { DispatchPort } from '../dispatch/ports.js';
import type { GatewayCounters } from './counters.js';
import { gatewayActor, type Directory } from './directory.js';
import type { GatewayLimits } from './limits.js';
import type { LinkReports } from './link-reports.js';
import type { DeliveryLoop, Edition, TerminalLink, TransportResult } from './session/link.js';
import type { CloseReason, TerminalFacts } from './session/sink.js';

/** A connection as the registry sees it; TCP, TLS and MQTT connections are such. */
export interface OwnedConnection {
  /** Unique among all connections of all nodes and starts. */
  readonly id: string;
  /** Address of the peer, without port. */
  readonly address: string;
  readonly transport: 'tcp' | 'tls' | 'mqtt';
  /** When the last frame came, ms. */
  readonly heardMs: number;
  readonly closed: boolean;
  /** Another connection owns the terminal now. */
  supersede(nowMs: number): void;
  factsChanged(facts: TerminalFacts | undefined, nowMs: number): void;
}

interface Owner {
  readonly connection: OwnedConnection;
  readonly fence: number;
  /** Whether the delivery loop has the link. */
  link: TerminalLink | undefined;
  /** The link that dispatch holds for up until this connection's own is: of the connection that it took over from. */
  replaced: TerminalLink | undefined;
  attached: boolean;
  contested: boolean;
  renewAt: number;
}

export interface RegistryOptions {
  dispatch: DispatchPort;
  directory: Directory;
  reports: LinkReports;
  deliveries: DeliveryLoop;
  node: string;
  limits: GatewayLimits;
  counters: GatewayCounters;
  log: {
    info(fields: Record<string, unknown>, message: string): void;
    warn(fields: Record<string, unknown>, message: string): void;
  };
}

export class SessionRegistry {
  readonly #options: RegistryOptions;
  readonly #owners = new Map<string, Owner>();
  /** Connections of contested terminals that were not closed when another one came. */
  readonly #rivals = new Map<string, Set<OwnedConnection>>();
  /** Terminals whose lease is being taken for a connection of this node, and for how many. */
  readonly #claiming = new Map<string, number>();
  #renewing = false;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** The connection that owns a terminal on this node. */
  owner(phone: string): OwnedConnection | undefined {
    return this.#owners.get(phone)?.connection;
  }

  get online(): number {
    return this.#owners.size;
  }

  /**
   * Takes the terminal for a connection that proved who it is. Older connections lose it before this resolves.
   * @returns the fence; undefined when the connection lost it again, or ended, meanwhile
   * Rejects when the store does, or when the code was replaced meanwhile (`Refusal`).
   */
  async claim(
    connection: OwnedConnection,
    facts: TerminalFacts,
    codeSha256: string | undefined,
    edition: Edition,
  ): Promise<number | undefined> {
    const { dispatch, directory, limits } = this.#options;
    const { phone } = facts;
    const { store, clock } = dispatch;
    if (codeSha256 !== undefined) await directory.codeUsed(facts, codeSha256, edition);
    // Who has ended meanwhile takes the terminal from nobody: the connection that has it may be alive.
    if (connection.closed) return undefined;
    const fence = await this.#takeLease(phone, connection);
    const current = this.#owners.get(phone);
    if (current !== undefined && current.fence > fence) {
      await store.releaseTerminal(phone, fence);
      return undefined;
    }
    const owner: Owner = {
      connection,
      fence,
      link: undefined,
      replaced: current?.link ?? current?.replaced,
      attached: false,
      contested: facts.contested,
      renewAt: clock.now() + limits.leaseMs / 3,
    };
    this.#owners.set(phone, owner);
    if (current !== undefined && current.connection !== connection) this.#replace(facts, current, connection);
    this.#options.counters.terminalsOnline = this.#owners.size;
    if (!connection.closed) return fence;
    this.gone(connection, phone);
    return undefined;
  }

  async #takeLease(phone: string, connection: OwnedConnection): Promise<number> {
    const { dispatch, node, limits } = this.#options;
    this.#claiming.set(phone, (this.#claiming.get(phone) ?? 0) + 1);
    try {
      const now = dispatch.clock.now();
      return (await dispatch.store.claimTerminal(phone, node, connection.id, now, limits.leaseMs)).fence;
    } finally {
      const others = this.#claiming.get(phone)! - 1;
      if (others > 0) this.#claiming.set(phone, others);
      else this.#claiming.delete(phone);
    }
  }

  /** The session of the owner can be written to. */
  up(connection: OwnedConnection, link: TerminalLink): void {
    const owner = this.#owners.get(link.phone);
    if (owner?.connection !== connection) return;
    owner.link = link;
    owner.replaced = undefined;
    this.#attach(owner);
    this.#sayUp(connection, link);
  }

  /** Says of every link again that it is up: others took this node for gone and have said that they are down. */
  sayAllUp(): void {
    for (const { connection, link } of this.#owners.values()) if (link !== undefined) this.#sayUp(connection, link);
  }

  /** The session ended or lost the terminal. What belongs to a newer connection stays. */
  down(connection: OwnedConnection, link: TerminalLink, reason: CloseReason | 'loggedOut'): void {
    const { deliveries } = this.#options;
    const { phone, fence } = link;
    this.#rivals.get(phone)?.delete(connection);
    if (this.#rivals.get(phone)?.size === 0) this.#rivals.delete(phone);
    const owner = this.#owners.get(phone);
    if (owner?.connection !== connection) return;
    if (owner.attached) deliveries.detach(link);
    this.#owners.delete(phone);
    this.#options.counters.terminalsOnline = this.#owners.size;
    this.#release(phone, fence);
    this.#sayDown(link, reason);
  }

  /** The connection ended. What it had claimed without ever being up is given back, and what it took over is down. */
  gone(connection: OwnedConnection, phone: string): void {
    const owner = this.#owners.get(phone);
    if (owner?.connection !== connection || owner.link !== undefined) return;
    this.#owners.delete(phone);
    this.#options.counters.terminalsOnline = this.#owners.size;
    this.#release(phone, owner.fence);
    if (owner.replaced !== undefined) this.#sayDown(owner.replaced, 'takenOver');
  }

  receipt(connection: OwnedConnection, link: TerminalLink, deliveryId: string, result: TransportResult): void {
    if (this.#owners.get(link.phone)?.connection === connection) {
      this.#options.deliveries.receipt(link, deliveryId, result);
    }
  }

  /** Profile, options or contest of a terminal changed. */
  changed(connection: OwnedConnection, link: TerminalLink, contested: boolean): void {
    const owner = this.#owners.get(link.phone);
    if (owner?.connection !== connection) return;
    owner.contested = contested;
    if (contested && owner.attached) {
      owner.attached = false;
      this.#options.deliveries.detach(link);
    } else if (!contested && !owner.attached) {
      const nowMs = this.#options.dispatch.clock.now();
      for (const rival of this.#rivals.get(link.phone) ?? []) rival.supersede(nowMs);
      this.#rivals.delete(link.phone);
      this.#attach(owner);
    } else if (owner.attached) this.#options.deliveries.changed(link);
  }

  /** The file of a terminal may have changed: its sessions get it anew. */
  fileChanged(phone: string): void {
    const connections = [this.#owners.get(phone)?.connection, ...(this.#rivals.get(phone) ?? [])];
    const { directory, dispatch, log } = this.#options;
    for (const connection of connections) {
      if (connection === undefined) continue;
      Promise.resolve(directory.lookup(phone)).then(
        (facts) => connection.factsChanged(facts, dispatch.clock.now()),
        (error: unknown) => log.warn({ terminal: phone, err: error }, 'the file of a terminal could not be read'),
      );
    }
  }

  /** Renews leases that are due; a terminal whose lease is lost, as a rule to another node, is given up. */
  async renew(): Promise<void> {
    if (this.#renewing) return;
    this.#renewing = true;
    const { store, clock } = this.#options.dispatch;
    const { leaseMs } = this.#options.limits;
    try {
      for (const [phone, owner] of this.#owners) {
        const nowMs = clock.now();
        if (owner.renewAt > nowMs) continue;
        owner.renewAt = nowMs + leaseMs / 3;
        if (await store.renewTerminal(phone, owner.fence, nowMs, leaseMs)) continue;
        await this.#lost(phone, owner);
      }
    } catch (error) {
      // The lease outlives two tries; the next sweep makes the third.
      this.#options.log.warn({ err: error }, 'leases could not be renewed');
    } finally {
      this.#renewing = false;
    }
  }

  #release(phone: string, fence: number): void {
    const { dispatch, log } = this.#options;
    dispatch.store.releaseTerminal(phone, fence).catch((error: unknown) => {
      log.warn({ terminal: phone, err: error }, 'a lease could not be given back; it runs out by itself');
    });
  }

  async #lost(phone: string, owner: Owner): Promise<void> {
    const { dispatch, deliveries, counters, log, node } = this.#options;
    const { store, clock } = dispatch;
    const by = (await store.owner(phone, clock.now()))?.node;
    // A connection of this node that is just taking the terminal over ends the older one itself.
    if (this.#owners.get(phone) !== owner || this.#claiming.has(phone)) return;
    const { connection, link } = owner;
    this.#owners.delete(phone);
    if (owner.attached && link !== undefined) deliveries.detach(link);
    counters.terminalsOnline = this.#owners.size;
    const fields = { terminal: phone, connection: connection.id };
    if (by !== undefined && by !== node) log.info({ ...fields, by }, 'another node has taken the terminal');
    else {
      log.warn(fields, 'the store does not know that this connection has the terminal: it must log in again');
      const up = link ?? owner.replaced;
      if (up !== undefined) this.#sayDown(up, 'takenOver');
    }
    connection.supersede(clock.now());
  }

  #sayDown({ vehicleId, phone, fence }: TerminalLink, reason: CloseReason | 'loggedOut'): void {
    this.#options.reports.report(`link:${vehicleId}`, { type: 'link.down', vehicleId, phone, reason, fence });
  }

  #sayUp({ address, transport }: OwnedConnection, { vehicleId, phone, fence }: TerminalLink): void {
    const { node, reports } = this.#options;
    reports.report(`link:${vehicleId}`, { type: 'link.up', vehicleId, phone, address, transport, node, fence });
  }

  #attach(owner: Owner): void {
    // Orders go to neither of two that fight for a terminal (domain.md).
    if (owner.contested || owner.link === undefined) return;
    owner.attached = true;
    this.#options.deliveries.attach(owner.link);
  }

  #replace(facts: TerminalFacts, older: Owner, by: OwnedConnection): void {
    const { counters, dispatch, limits, log, reports, deliveries } = this.#options;
    const { phone, vehicleId } = facts;
    const nowMs = dispatch.clock.now();
    counters.takeOvers++;
    log.info({ terminal: phone, from: older.connection.address, by: by.address }, 'a newer connection takes over');
    if (older.attached && older.link !== undefined) deliveries.detach(older.link);
    const bothAlive = nowMs - older.connection.heardMs < limits.takeOverAlertMs;
    if (bothAlive && older.connection.address !== by.address) {
      const { address: from } = older.connection;
      // Each one counts: three of them make a contest.
      reports.report(`takenOver:${by.id}`, { type: 'link.takenOver', vehicleId, phone, from, by: by.address });
    }
    if (facts.contested) {
      const rivals = this.#rivals.get(phone) ?? new Set();
      this.#rivals.set(phone, rivals.add(older.connection));
    } else older.connection.supersede(nowMs);
  }
}

/**
 * Ends the links of vehicles that a node left online when it died: nobody else will say that they are down. A node does
 * it for itself before its listeners open; for a node that is gone, the one that took over its ingest log does.
 * @returns how many were ended
 */
export async function endStaleLinks(
  dispatch: DispatchPort,
  node: string,
  reason: 'restart' | 'nodeGone' = 'restart',
): Promise<number> {
  let ended = 0;
  let after: string | undefined;
  do {
    const page = await dispatch.scan({ index: 'vehicles', limit: 1_000, ...(after === undefined ? {} : { after }) });
    for (const { value } of page.items) {
      const { id: vehicleId, link, terminal } = value as Vehicle;
      if (link.state !== 'up') continue;
      if (link.node === undefined ? reason === 'nodeGone' : link.node !== node) continue;
      // With the fence: a terminal that meanwhile came to another node keeps that link.
      const { fence } = link;
      await dispatch.execute({ type: 'link.down', vehicleId, phone: terminal.phone, reason, fence }, gatewayActor);
      ended++;
    }
    after = page.next;
  } while (after !== undefined);
  return ended;
}
