/** The simulator's door: its commands for the one binary, and the fleet that `linecrew demo` drives. */
export { registerSimulate } from './commands/register.js';
export { startFleet } from './net/start-fleet.js';
export { cityGeoJson } from './city.js';
export { formatReport } from './report.js';
