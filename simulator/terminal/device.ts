/** What the device itself knows and does: its parameters, its attributes, its camera. */
import { encodeParameter, type Body, type Edition } from '../../protocol/index.js';
import { jpeg, type Colour } from './jpeg.js';

/** As a terminal leaves its maker, set up for this platform. */
const FACTORY: readonly (readonly [name: string, value: number | string])[] = [
  ['heartbeatInterval', 60],
  ['tcpReplyTimeout', 10],
  ['tcpRetransmissions', 3],
  ['mainApn', 'cmiot'],
  ['mainServer', 'gateway.example.org'],
  ['tcpPort', 7611],
  ['reportStrategy', 0],
  ['reportScheme', 0],
  ['intervalSleeping', 300],
  ['intervalEmergency', 2],
  ['intervalDefault', 10],
  ['cornerAngle', 30],
  ['platformPhone', '95598'],
  ['answering', 1],
  ['longestCall', 300],
  ['alarmMask', 0],
  ['speedLimit', 80],
  ['overspeedDuration', 10],
  ['continuousDriving', 14_400],
  ['minimumRest', 1_200],
];

/** Numbers of parameters that the terminal acts on. */
export const HEARTBEAT = 0x0001;
export const REPORT_INTERVAL = 0x0029;
/** A vendor's terminal keeps no more than its memory holds. */
const MOST_PARAMETERS = 200;

/** Values by number; kept in flash. */
export type Parameters = Map<number, Uint8Array>;

export function factoryParameters(plate: string, edition: Edition): Parameters {
  const all = [...FACTORY, ['plate', plate] as const].map(([name, value]) => encodeParameter(name, value, edition));
  return new Map(all.map(({ id, value }) => [id, value]));
}

/** False: there is no room for another one. */
export function setParameter(parameters: Parameters, id: number, value: Uint8Array): boolean {
  if (!parameters.has(id) && parameters.size >= MOST_PARAMETERS) return false;
  // The bytes belong to the frame that brought them.
  parameters.set(id, value.slice());
  return true;
}

/** A number of four bytes, or undefined. */
export function numberOf(value: Uint8Array | undefined): number | undefined {
  if (value?.length !== 4) return undefined;
  return new DataView(value.buffer, value.byteOffset, 4).getUint32(0);
}

/** Answer to 0x8104, or to 0x8106 with the numbers asked for; those that the terminal does not have are left out. */
export function parameterAnswer(
  parameters: Parameters,
  replySerial: number,
  ids?: readonly number[],
): Body<'parameters'> {
  const listed = ids ? ids.filter((id) => parameters.has(id)) : [...parameters.keys()].sort((a, b) => a - b);
  const items = listed.map((id) => ({ id, value: parameters.get(id)! }));
  return { replySerial, parameters: items, trailing: new Uint8Array(0) };
}

/** Answer to 0x8107. */
export function attributesOf(maker: string, model: string, terminalId: string, imei: string): Body<'attributes'> {
  const GPS_AND_BEIDOU = 0b11;
  const LTE = 0b1000;
  return {
    terminalType: 1,
    maker,
    model,
    terminalId,
    iccid: `8986${imei.padStart(16, '0').slice(-16)}`,
    hardware: 'SIM-HW 1.0',
    firmware: 'SIM-FW 1.0',
    gnss: GPS_AND_BEIDOU,
    radio: LTE,
  };
}

const COLUMNS = 40;
const ROWS = 30;
const DAY_MS = 86_400_000;
/** Hours that the sites' clocks are ahead of UTC. */
const ZONE_H = 8;

/**
 * What the camera sees: a road under a sky that is dark at night, a pole with its wires, and the truck's bonnet.
 * @param at gateway time, ms UTC
 */
export function picture(at: number): Uint8Array {
  const hour = (((at + ZONE_H * 3_600_000) % DAY_MS) / 3_600_000 + 24) % 24;
  const light = Math.max(0.15, Math.min(1, 1.2 - Math.abs(hour - 13) / 7));
  const lit = (colour: Colour): Colour => colour.map((one) => Math.round(one * light)) as unknown as Colour;
  return jpeg(COLUMNS, ROWS, (column, row) => lit(sceneAt(column, row)));
}

function sceneAt(column: number, row: number): Colour {
  const horizon = 14;
  if (row >= 26 && column > 5 && column < 34) return row === 26 ? [255, 190, 40] : [235, 140, 20];
  if (column === 29 && row > 3 && row < 22) return [92, 78, 66];
  if (row === 5 && column > 25 && column < 33) return [92, 78, 66];
  if ((row === 4 || row === 6) && column < 29) return [60, 64, 72];
  if (row < horizon) return [140 + row * 6, 180 + row * 4, 235];
  const width = 2 + (row - horizon) * 1.3;
  const fromMiddle = Math.abs(column - 19);
  if (fromMiddle < 0.6 && row % 4 < 2) return [240, 240, 230];
  if (fromMiddle < width) return [96, 98, 102];
  return [86, 132 - (row - horizon) * 2, 74];
}
