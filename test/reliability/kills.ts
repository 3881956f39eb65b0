/**
 * kill -9 at random instants under load: real terminals on TCP send locations and business reports, a call centre makes
 * orders over HTTP; each keeps what was not confirmed and sends it again to the next process. In the end the API must
 * show everything that was ever confirmed, and nothing twice.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { GatewayProcess } from './gateway-process.js';
import { CallCentre, compare, confirmedMore, totalOf, WitnessTerminal, type Found } from './witnesses.js';

export interface KillOptions {
  times: number;
  terminals: number;
  /** Of the store; kept, so that a failed run can be looked at. */
  directory: string;
  /** Numbers in [0, 1): when to kill. */
  random: () => number;
  say?: (words: string) => void;
}

export interface KillFigures extends Found {
  kills: number;
  /** From the start of a process to `ready`, ms: median and longest, of the restarts. */
  restartMs: { median: number; max: number };
}

const DAY_MS = 86_400_000;
/** The load runs so long before the kill, ms. */
const SHORTEST_MS = 50;
const LONGEST_MS = 1_000;
/** Every so many kills comes whether the terminals are logged in again or not. */
const LOGIN_KILL = 5;

/** Runs everything; rejects only when the run itself fails, not when something was lost. */
export async function runKills({
  times,
  terminals,
  directory,
  random,
  say = () => {},
}: KillOptions): Promise<KillFigures> {
  const beginning = Math.floor(Date.now() / 1000) * 1000 - 4 * DAY_MS;
  const fleet = Array.from(
    { length: terminals },
    (_, i) => new WitnessTerminal(`138${String(i).padStart(8, '0')}`, beginning),
  );
  const centre = new CallCentre();
  const starts: number[] = [];

  let gateway = await GatewayProcess.start(directory);
  try {
    for (const { phone } of fleet) await gateway.addVehicle(phone, phone);
    for (let kill = 1; kill <= times; kill++) {
      let gone = false;
      const { tcp } = gateway.ports;
      const running = [...fleet.map((one) => one.run(tcp).catch(() => {})), centre.run(gateway, () => gone)];
      // Most kills meet a fleet at work, some meet its logins.
      if (kill % LOGIN_KILL !== 0) await confirmedMore(fleet);
      await pause(SHORTEST_MS + random() * (LONGEST_MS - SHORTEST_MS));
      gone = true;
      await gateway.kill();
      await Promise.all(running);
      gateway = await GatewayProcess.start(directory);
      starts.push(gateway.startMs);
      say(`kill ${kill}: ${totalOf(fleet)} messages and ${centre.confirmed.size} orders confirmed so far`);
    }
    const found = await compare(gateway, fleet, centre, beginning);
    const sorted = starts.sort((a, b) => a - b);
    const restartMs = { median: sorted[sorted.length >> 1] ?? 0, max: sorted.at(-1) ?? 0 };
    return { kills: times, ...found, restartMs };
  } finally {
    await gateway.stop();
  }
}
