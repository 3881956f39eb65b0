import type { SiteClass } from './model.js';

/** What a customer would change about the rules; every value is validated configuration (domain.md). */
export interface DispatchSettings {
  timeZone: string;
  language: 'zh-CN' | 'en';
  trades: string[];
  categories: string[];
  queueLimit: number;
  /** Limits of the segments, minutes, for a town site; GH takes the difference of other site classes. */
  limitsMin: {
    AB: number;
    BC: number;
    CD: number;
    DE: number;
    DEsameOffice: number;
    EF: number;
    FG: number;
    GH: number;
  };
  /** The promise AH by site class, minutes. */
  promiseMin: Record<SiteClass, number>;
  /** Warning at this part of a segment's limit. */
  warnAtPart: number;
  arrival: { radiusM: number; speedKmh: number; standMs: number };
  departure: { distanceM: number };
  eta: { detourFactor: number; defaultSpeedKmh: number; workMin: number };
  clockOffsetNoteMs: number;
  lateMs: number;
  delivery: { retryMs: number; retries: number; unansweredEveryMs: number };
  escalation: {
    centreNotAcceptedMin: number;
    remindCrewMin: number;
    phoneCrewMin: number;
    secondManagerMin: number;
    nextCrewMin: number;
    unreachableS: number;
  };
  /** A break ends by itself after this, unless its end was given, minutes. */
  breakLimitMin: number;
  capacity: { threshold: number; days: number };
  callBackTries: number;
  /** A call that ended longer ago than this is confirmed expressly, ms: the promise counts from its end. */
  oldCallMs: number;
  menuIdRestMs: number;
}

export const DEFAULT_SETTINGS: DispatchSettings = {
  timeZone: 'Asia/Shanghai',
  language: 'zh-CN',
  trades: ['lowVoltage', '10kV', 'metering', 'cable'],
  categories: ['outage', 'lowVoltage', 'serviceDrop', 'meter', 'line10kV', 'transformer', 'cable', 'danger', 'other'],
  queueLimit: 20,
  limitsMin: { AB: 2, BC: 4, CD: 2, DE: 4, DEsameOffice: 2, EF: 2, FG: 3, GH: 28 },
  promiseMin: { town: 45, country: 90, remote: 120 },
  warnAtPart: 0.8,
  arrival: { radiusM: 100, speedKmh: 5, standMs: 30_000 },
  departure: { distanceM: 150 },
  eta: { detourFactor: 1.4, defaultSpeedKmh: 35, workMin: 40 },
  clockOffsetNoteMs: 60_000,
  lateMs: 60_000,
  delivery: { retryMs: 10_000, retries: 3, unansweredEveryMs: 300_000 },
  escalation: {
    centreNotAcceptedMin: 4,
    remindCrewMin: 2,
    phoneCrewMin: 4,
    secondManagerMin: 6,
    nextCrewMin: 8,
    unreachableS: 60,
  },
  breakLimitMin: 60,
  capacity: { threshold: 3, days: 7 },
  callBackTries: 3,
  oldCallMs: 86_400_000,
  menuIdRestMs: 86_400_000,
};
