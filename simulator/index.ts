/** The simulator for programs: tests, demos, trainers. */
export { startFleet } from './net/start-fleet.js';
export { ClockRateMismatch } from './net/clock.js';
export { Fleet } from './net/fleet.js';
export type { FleetOptions } from './net/fleet-options.js';
export { FleetTerminal } from './net/fleet-terminal.js';
export { City, cityGeoJson, defaultCentre } from './city.js';
export { diligent, habitsByName, human, type Habits } from './habits.js';
export { radioByName, type RadioConditions, type RadioName } from './radio.js';
export { makeRoster, type RosterEntry } from './roster.js';
export { formatReport, isSound, type Report } from './report.js';
export { profiles, type Profile, type ScreenOrder, type TerminalEvent } from './terminal/types.js';
export { Terminal } from './terminal/terminal.js';
export { Jt808Wire } from './terminal/jt808-wire.js';
export type { Jt808Options, TerminalOptions } from './terminal/options.js';
export { MqttWire } from './terminal/mqtt-wire.js';
export { Random } from './random.js';
export type { Place } from './geo.js';
