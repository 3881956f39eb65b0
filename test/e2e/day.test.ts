import { it } from 'vitest';
import { liveThrough } from './day.js';

it('a day in the life: 300 orders, 30 crews, 3 repair centres', { timeout: 600_000 }, liveThrough);
