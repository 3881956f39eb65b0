/**
 * Notices changes of the alarm word in positions, so that dispatch hears of an alarm when it begins and when it ends and
 * not with every position. Holds only vehicles with a set bit; it starts from what dispatch knows to be active, and follows
 * the event log for what other nodes find.
 */
import type { ActiveAlarm, Alarms } from '../../dispatch/domain/model.js';
import type { TerminalReport } from '../../dispatch/domain/commands.js';
import type { DispatchPort } from '../../dispatch/ports.js';
import { alarmBits, type Location } from '../../protocol/index.js';
import type { Edition } from '../session/link.js';
import type { Origin } from '../translate/translation.js';

interface Known {
  /** Bits that are set, of those that the edition names. */
  word: number;
  /** Device time of the last change, ms UTC. */
  at: number;
  /** When that came, ms UTC. */
  toldAt: number;
}

const sosBit = 1;
/** A location this old is history: it says nothing about now. SOS is told however old it is. */
const historyMs = 15 * 60_000;
/** Changes of one vehicle are told at most so often: a loose contact must not fill the event log. SOS is told at once. */
const settleMs = 2_000;
/** A vehicle without alarms is forgotten so long after its last one ended. */
const forgetMs = 60_000;

/** Bits that have a meaning: small trackers use the reserved ones in their own way (reference 3.2). */
const masks: Record<Edition, number> = { 2011: maskOf(2011), 2013: maskOf(2013), 2019: maskOf(2019) };

function maskOf(edition: Edition): number {
  return Object.keys(alarmBits(edition)).reduce((mask, bit) => (mask | (1 << Number(bit))) >>> 0, 0);
}

/** What a position is read into; the part of a translation that alarms need. */
export interface AlarmReports {
  readonly reports: TerminalReport[];
}

export class AlarmWatch {
  readonly #known = new Map<string, Known>();
  #follow: { cancel(): void } | undefined;

  /** Vehicles with an alarm, or that had one a moment ago: at most those on file. */
  get size(): number {
    return this.#known.size;
  }

  /** Takes up what is active, and follows what all nodes find. */
  async start(dispatch: DispatchPort): Promise<void> {
    const after = await dispatch.store.lastPosition();
    let cursor: string | undefined;
    do {
      const page = await dispatch.scan({
        index: 'alarms.active',
        limit: 1_000,
        ...(cursor === undefined ? {} : { after: cursor }),
      });
      for (const { value } of page.items) {
        const { vehicleId, active } = value as Alarms;
        for (const alarm of Object.values(active)) this.#raised(vehicleId, alarm);
      }
      cursor = page.next;
    } while (cursor !== undefined);
    this.#follow = dispatch.follow(after, (events) => {
      for (const { type, vehicleId, data } of events) {
        if (vehicleId === undefined) continue;
        if (type === 'alarm.raised') this.#raised(vehicleId, (data as { alarm: ActiveAlarm }).alarm);
        else if (type === 'alarm.ended') this.#ended(vehicleId, (data as { bit: number }).bit);
      }
    });
  }

  stop(): void {
    this.#follow?.cancel();
  }

  /** True when the position may change something: the common case is false, and costs one look-up. */
  differs(vehicleId: string, word: number): boolean {
    return word !== 0 || (this.#known.size > 0 && this.#known.has(vehicleId));
  }

  /** One live position. Positions of a radio hole (0x0704 type 1) are not given here. */
  sample(origin: Origin, edition: Edition, location: Location, into: AlarmReports): void {
    const { vehicleId, receivedAt } = origin;
    const word = (location.alarm & masks[edition]) >>> 0;
    const known = this.#known.get(vehicleId);
    if (word === (known?.word ?? 0)) {
      if (word === 0 && known !== undefined && receivedAt - known.toldAt > forgetMs) this.#known.delete(vehicleId);
      return;
    }
    const at = Number.isNaN(location.deviceAt) ? receivedAt : location.deviceAt;
    const before = known?.word ?? 0;
    if (known !== undefined && at < known.at) return;
    if ((word & ~before & sosBit) === 0) {
      if (receivedAt - at > historyMs) return;
      if (known !== undefined && receivedAt - known.toldAt < settleMs) return;
    }
    this.#known.set(vehicleId, { word, at, toldAt: receivedAt });
    into.reports.push(reportOf(origin, edition, word, at, location));
  }

  #raised(vehicleId: string, { bit, since }: ActiveAlarm): void {
    const known = this.#known.get(vehicleId);
    if (known) known.word = (known.word | (1 << bit)) >>> 0;
    else this.#known.set(vehicleId, { word: (1 << bit) >>> 0, at: since, toldAt: since });
  }

  #ended(vehicleId: string, bit: number): void {
    const known = this.#known.get(vehicleId);
    if (known) known.word = (known.word & ~(1 << bit)) >>> 0;
  }
}

function reportOf(origin: Origin, edition: Edition, word: number, at: number, location: Location): TerminalReport {
  const names = alarmBits(edition);
  const alarms = [];
  for (let bit = 0; bit < 32; bit++) {
    if (((word >>> bit) & 1) === 0) continue;
    alarms.push({ bit, name: names[bit]! });
  }
  const place = (location.status & 2) === 0 ? {} : { place: { lat: location.latE6 / 1e6, lon: location.lonE6 / 1e6 } };
  // No window: a report says what is set now, and saying it twice changes nothing.
  return { ...origin, dedupKey: '', type: 'report.alarms', alarms, at, ...place };
}
