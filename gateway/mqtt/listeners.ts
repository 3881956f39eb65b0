/** The ports of the embedded broker: TCP, TLS, WebSocket. */
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { createWebSocketStream, WebSocketServer } from 'ws';
import type { MqttLimits } from './limits.js';

export interface BrokerListenOptions {
  readonly port: number;
  readonly host: string;
  readonly kind: 'tcp' | 'tls' | 'ws';
  /** PEM texts; needed for `tls`, used for `ws` where given. With `ca`, a terminal's certificate replaces its password. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer; readonly ca?: string | Buffer };
}

/** Gets each connection: the stream of MQTT, the socket below it, and the request of a WebSocket. */
export type OnConnection = (conn: Duplex, socket: Socket, request?: IncomingMessage) => void;

/** Connections that wait to be accepted: after a power cut a fleet comes back within a second. */
const BACKLOG = 4_096;

/** Opens a port. Rejects when it cannot be had or the certificate is wrong. */
export async function openListener(
  { port, host, kind, tls }: BrokerListenOptions,
  limits: Pick<MqttLimits, 'packetBytes'>,
  open: OnConnection,
): Promise<{ server: Server; port: number }> {
  const server = kind === 'ws' ? webSocketServer(tls, limits, open) : socketServer(kind, tls, open);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return { server, port: (server.address() as AddressInfo).port };
}

function socketServer(kind: 'tcp' | 'tls', tls: BrokerListenOptions['tls'], open: OnConnection): Server {
  const opened = (socket: Socket): void => open(socket, socket);
  if (kind === 'tcp') return createServer({ noDelay: true, keepAlive: true }, opened);
  // A certificate that does not verify is no certificate: the password decides then.
  const client = tls!.ca === undefined ? {} : { ca: tls!.ca, requestCert: true, rejectUnauthorized: false };
  return createTlsServer({ cert: tls!.cert, key: tls!.key, minVersion: 'TLSv1.2', noDelay: true, ...client }, opened);
}

function webSocketServer(
  tls: BrokerListenOptions['tls'],
  { packetBytes }: Pick<MqttLimits, 'packetBytes'>,
  open: OnConnection,
): Server {
  const http = tls ? createHttpsServer({ cert: tls.cert, key: tls.key }) : createHttpServer();
  const webSockets = new WebSocketServer({
    server: http,
    perMessageDeflate: false,
    maxPayload: packetBytes,
    handleProtocols: (protocols) => (protocols.has('mqtt') ? 'mqtt' : false),
  });
  webSockets.on('connection', (socket, request: IncomingMessage) => {
    open(createWebSocketStream(socket), request.socket, request);
  });
  return http;
}
