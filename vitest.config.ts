import { defineConfig } from 'vitest/config';

/** Minutes of several processes at once: `npm run test:long` runs these, on a machine that does nothing else. */
const LONG = 'test/**/*.long.test.ts';
const runLong = process.env['LINECREW_LONG_TESTS'] === '1';

export default defineConfig({
  test: {
    include: runLong ? [LONG] : ['test/**/*.test.ts'],
    exclude: ['**/node_modules/**', ...(runLong ? [] : [LONG])],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Where machines are shared a fault test may lose a race against the clock once; what fails twice is broken.
    retry: process.env['CI'] ? 1 : 0,
    // Two cores are what every machine that runs these has; real sockets and children share them.
    maxWorkers: 2,
    reporters: ['default'],
  },
});
