import { ensureSystem } from './system.js';

/** Once before all tests: what they need from the system. */
export default function setup(): void {
  ensureSystem();
}
