import { it } from 'vitest';
import { SHORT_DAY } from './day-script.js';
import { liveThrough } from './day.js';

it('a short day in the life: 90 orders, 30 crews, 3 repair centres', { timeout: 300_000 }, () =>
  liveThrough(SHORT_DAY),
);
