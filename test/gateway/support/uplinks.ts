import { encodeUplink, type MqttPosition } from '../../../protocol/index.js';

/** A position as `positionUplink` makes it where nothing else is said: a fix in Beijing, standing, ignition on. */
export function mqttPosition(atMs: number, more: Partial<MqttPosition> = {}): MqttPosition {
  const fix = { lat: 39.9, lon: 116.4, altitudeM: 0, speedKmh: 0, headingDeg: 0, alarm: 0, status: 3 };
  return { atMs, ...fix, ...more };
}

/** Payload of an uplink with one position. */
export function positionUplink(sequence: number, atMs: number, more: Partial<MqttPosition> = {}): Buffer {
  const positions = [mqttPosition(atMs, more)];
  return Buffer.from(encodeUplink({ sequence, sentAtMs: atMs, body: { kind: 'positions', positions } }));
}
