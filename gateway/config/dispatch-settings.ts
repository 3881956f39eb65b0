import { DEFAULT_SETTINGS, type DispatchSettings } from '../../dispatch/domain/settings.js';
import type { Config } from './settings.js';

/** What the configuration says about the rules of dispatch, over their defaults. */
export function dispatchSettings(config: Config): DispatchSettings {
  const base = DEFAULT_SETTINGS;
  return {
    ...base,
    timeZone: config.timeZone,
    language: config.language,
    trades: config.trades,
    categories: config.categories,
    queueLimit: config.queueLimit,
    oldCallMs: config.oldCallH * 3_600_000,
    arrival: { radiusM: config.arrivalRadiusM, speedKmh: config.arrivalSpeedKmh, standMs: config.arrivalStandS * 1000 },
    departure: { distanceM: config.departureM },
    eta: { detourFactor: config.etaDetourFactor, defaultSpeedKmh: config.etaSpeedKmh, workMin: config.etaWorkMin },
    delivery: { ...base.delivery, retryMs: config.retryS * 1000 },
  };
}
