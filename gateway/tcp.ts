/**
 * Listeners for JT/T 808 over TCP and TLS: accept within the bounds, hand bytes to sessions, sweep deadlines. One
 * interval serves all connections; no connection has a timer of its own.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { AddressLimits } from './address-limits.js';
import { TerminalConnection, type ConnectionContext, type ConnectionHome } from './connection.js';
import { count } from './counters.js';

export interface TcpListenerOptions {
  readonly port: number;
  readonly host: string;
  /**
   * PEM texts; with `ca`, terminals must show a certificate that it signed. Absent: plain TCP.
   */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer; readonly ca?: string | Buffer };
}

/** Connections that the kernel keeps until they are accepted: a fleet that comes back at once. */
const backlog = 4096;
/** How often deadlines are looked at, ms of gateway time. */
const sweepMs = 1_000;
/** A TLS handshake takes three round trips; slow radio makes that seconds. */
const handshakeMs = 20_000;
/** Silence after which the kernel asks the peer. Only of terminals: a stranger is cut sooner, and this costs as much as accepting. */
const keepAliveMs = 60_000;

export class TerminalListeners implements ConnectionHome {
  readonly #connections = new Set<TerminalConnection>();
  readonly #servers: Server[] = [];
  readonly #addresses: AddressLimits;
  readonly #sweep: { cancel(): void };
  #nextId = 1;
  #closing = false;

  constructor(
    private readonly context: ConnectionContext,
    /** Begin of connection ids; unique among nodes and starts. */
    readonly idPrefix: string,
  ) {
    this.#addresses = new AddressLimits(context.limits);
    this.#sweep = context.clock.every(sweepMs, () => this.#tick());
  }

  get open(): number {
    return this.#connections.size;
  }

  /** Addresses remembered for their limits. */
  get addresses(): number {
    return this.#addresses.size;
  }

  /** Opens a port. @returns the port taken; rejects when it cannot be had or the certificate is wrong */
  async listen(options: TcpListenerOptions): Promise<number> {
    const transport = options.tls === undefined ? 'tcp' : 'tls';
    const server = options.tls === undefined ? this.#plain() : this.#secure(options.tls);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: options.port, host: options.host, backlog }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    server.on('error', (error) => this.context.log.error({ err: error, transport, msg: 'a listener failed' }));
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  /** Takes no new connections, ends those that are open, and resolves when all are gone. */
  async close(): Promise<void> {
    this.#closing = true;
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const connection of this.#connections) connection.session.close('shutdown');
    // Everything that was durable has been answered; who does not end now is cut.
    const cut = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy();
    }, this.context.limits.closingMs / this.context.clock.rate);
    await Promise.all(closed);
    clearTimeout(cut);
    this.#sweep.cancel();
  }

  #plain(): Server {
    const server = createServer({ noDelay: true });
    server.on('connection', (socket) => {
      if (this.#admit(socket)) this.#open(socket, 'tcp');
    });
    return server;
  }

  #secure(tls: NonNullable<TcpListenerOptions['tls']>): Server {
    const options: TlsOptions = {
      cert: tls.cert,
      key: tls.key,
      minVersion: 'TLSv1.2',
      handshakeTimeout: handshakeMs / this.context.clock.rate,
      noDelay: true,
      ...(tls.ca === undefined ? {} : { ca: tls.ca, requestCert: true, rejectUnauthorized: true }),
    };
    const server = createTlsServer(options);
    // Counted from the raw socket's first moment: a handshake costs more than anything that follows.
    const handshaking = new Set<string>();
    server.on('connection', (socket: Socket) => {
      if (!this.#admit(socket)) return;
      const peer = peerOf(socket);
      handshaking.add(peer);
      socket.on('close', () => {
        if (handshaking.delete(peer)) this.#addresses.closed(addressOf(socket), false);
      });
    });
    server.on('secureConnection', (socket) => {
      if (handshaking.delete(peerOf(socket))) this.#open(socket, 'tls');
      else socket.destroy();
    });
    server.on('tlsClientError', (error, socket) => {
      const { log, counters } = this.context;
      count(counters.closed, 'tlsHandshake');
      log.debug({ address: socket.remoteAddress, err: error, msg: 'TLS handshake failed' });
    });
    return server;
  }

  #admit(socket: Socket): boolean {
    const { counters, clock, log } = this.context;
    const address = addressOf(socket);
    const refusal = this.#closing ? 'tooManyConnections' : this.#addresses.accept(address, clock.now());
    if (refusal !== undefined) {
      counters.connectionsRefused++;
      log.debug({ address, refusal, msg: 'connection refused' });
      socket.resetAndDestroy();
      return false;
    }
    counters.connectionsAccepted++;
    return true;
  }

  #open(socket: Socket, transport: 'tcp' | 'tls'): void {
    const address = this.#addresses.same(addressOf(socket));
    this.#connections.add(new TerminalConnection(this.context, this, socket, this.#nextId++, address, transport));
    this.context.counters.connectionsOpen = this.#connections.size;
  }

  authenticated(connection: TerminalConnection): void {
    this.#addresses.authenticated(connection.address);
    connection.keepAlive(keepAliveMs);
  }

  gone(connection: TerminalConnection): void {
    this.#connections.delete(connection);
    this.context.counters.connectionsOpen = this.#connections.size;
    this.#addresses.closed(connection.address, connection.isAuthenticated);
    connection.ended();
  }

  #tick(): void {
    const nowMs = this.context.clock.now();
    for (const connection of this.#connections) connection.tick(nowMs);
    void this.context.registry.renew();
  }
}

/** Without port; an IPv4 peer on a dual-stack port looks like one on an IPv4 port. */
function addressOf(socket: Socket): string {
  const address = socket.remoteAddress ?? 'unknown';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}`;
}
