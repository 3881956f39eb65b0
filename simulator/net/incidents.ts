import type { Random } from '../random.js';
import type { Incident } from '../scenario.js';
import type { Fleet } from './fleet.js';
import type { FleetTerminal } from './fleet-terminal.js';

/** Lets incidents happen to a fleet, each as often as the scenario says. `stop` ends them and heals what is broken. */
export class Incidents {
  readonly counts: Record<string, number> = {};
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;

  constructor(
    private readonly fleet: Fleet,
    incidents: readonly Incident[],
    private readonly random: Random,
  ) {
    for (const incident of incidents) this.#next(incident, random.stream(incident.what));
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #next(incident: Incident, random: Random): void {
    const meanMs = 3_600_000 / (incident.perVehicleHour * this.fleet.terminals.length);
    this.#after(random.exponential(meanMs), () => {
      this.#happen(incident, random.pick(this.fleet.terminals), random);
      this.#next(incident, random);
    });
  }

  #happen(incident: Incident, terminal: FleetTerminal, random: Random): void {
    this.counts[incident.what] = (this.counts[incident.what] ?? 0) + 1;
    const [from, to] = incident.forS ?? [10, 60];
    const forMs = random.between(from, to) * 1000;
    switch (incident.what) {
      case 'reboot':
        return terminal.reboot();
      case 'swap':
        return terminal.swap();
      case 'hangUp':
        return terminal.disconnect();
      case 'sos':
        terminal.sos(true);
        return this.#after(forMs, () => terminal.sos(false));
      case 'radioOff':
      case 'silence':
        terminal.radio.off({ silent: incident.what === 'silence' });
        return this.#after(forMs, () => terminal.radio.on());
    }
  }

  #after(gatewayMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#stopped) act();
    }, gatewayMs / this.fleet.clock.rate);
    this.#timers.add(timer);
  }
}
