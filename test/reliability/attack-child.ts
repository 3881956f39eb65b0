/** The attacker's process: runs one attack after another as it is told, and says what became of its connections. */
import { ATTACKS, type Running, type Target } from './attacks.js';

export type AttackOrder = { start: string; target: Target; scale: number } | { stop: true };

let running: Running | undefined;
process.on('message', (order: AttackOrder) => {
  if ('start' in order) {
    const attack = ATTACKS.find(({ name }) => name === order.start)!;
    running = attack.start(order.target, order.scale);
  } else {
    running?.stop();
    process.send!(running?.counts ?? { opened: 0, ended: 0 });
    running = undefined;
  }
});
process.on('disconnect', () => process.exit(0));
process.send!('ready');
