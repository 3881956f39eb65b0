/** A balancer keeps connections ready on which it has not asked anything yet: they must not hold up a rolling restart. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { Service } from './support.js';

it('a gateway stops although somebody holds a connection on which nothing was asked', async () => {
  const service = await new Service().start();
  const { http } = service.gateway.ports;
  const silent = connect(http, '127.0.0.1');
  await once(silent, 'connect');
  // Answered on another connection, so the first one was accepted before.
  expect((await fetch(`http://127.0.0.1:${http}/healthz`)).ok).toBe(true);
  const closed = once(silent, 'close');
  silent.resume();
  await service.stop();
  await closed;
});
