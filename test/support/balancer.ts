/** A TCP load balancer for tests: each connection goes to the next target that takes it. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const HOST = '127.0.0.1';

export class Balancer {
  readonly #sockets = new Set<Socket>();
  /** By name of the node. */
  readonly #targets = new Map<string, number>();
  #turn = 0;

  private constructor(private readonly server: Server) {
    server.on('connection', (socket) => this.#forward(socket));
  }

  static async start(): Promise<Balancer> {
    const server = createServer({ noDelay: true });
    server.listen(0, HOST);
    await once(server, 'listening');
    return new Balancer(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  add(name: string, port: number): void {
    this.#targets.set(name, port);
  }

  remove(name: string): void {
    this.#targets.delete(name);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  #forward(client: Socket): void {
    this.#keep(client);
    const ports = [...this.#targets.values()];
    const first = this.#turn++;
    const attempt = (number: number): void => {
      if (number >= ports.length || client.destroyed) return void client.destroy();
      const target = connect({ port: ports[(first + number) % ports.length]!, host: HOST, noDelay: true });
      this.#keep(target);
      const next = (): void => attempt(number + 1);
      target.once('error', next);
      target.once('connect', () => {
        target.off('error', next);
        // What one side loses, the other must see at once.
        target.on('close', () => client.destroy());
        client.on('close', () => target.destroy());
        client.pipe(target).pipe(client);
      });
    };
    attempt(0);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
