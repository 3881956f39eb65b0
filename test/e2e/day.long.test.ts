import { it } from 'vitest';
import { FULL_DAY } from './day-script.js';
import { liveThrough } from './day.js';

it('a day in the life: 300 orders, 30 crews, 3 repair centres', { timeout: 300_000 }, () => liveThrough(FULL_DAY));
