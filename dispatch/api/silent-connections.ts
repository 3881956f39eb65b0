/**
 * Connections on which nothing was asked yet: a balancer opens them ahead. Node counts them neither as idle nor ends
 * them, so a server that closes would wait until the other side gives up.
 */
import type { Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

/** Keeps note of them; the result ends those that there are. */
export function watchSilentConnections(server: Pick<HttpServer, 'on'>): () => void {
  const silent = new Set<Socket>();
  const keep = (socket: Socket): void => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  };
  // With TLS the requests come on another socket than the connection: there `secureConnection` gives it.
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', keep);
  server.on('request', ({ socket }) => silent.delete(socket));
  return () => {
    for (const socket of silent) socket.destroy();
  };
}
