/** The gateway core in a process of its own, to be killed: `gateway-child.ts DIRECTORY PHONE…`. Says its port when ready. */
import { addVehicle, startGatewayWorld } from './gateway-world.js';

const [, , directory, ...phones] = process.argv;
const world = await startGatewayWorld({ directory: directory! });
for (const phone of phones) {
  if ((await world.dispatch.get('terminal', phone)) === undefined) await addVehicle(world.dispatch, phone);
}
process.send!({ port: world.port });
process.on('disconnect', () => process.exit(0));
