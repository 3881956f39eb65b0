import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two cores are what every machine that runs these has; real sockets and children share them.
    maxWorkers: 2,
    reporters: ['default'],
  },
});
