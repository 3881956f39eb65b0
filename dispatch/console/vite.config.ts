/** Builds the console into `dist/console`: hashed assets, no inline script or style, so that a strict CSP holds. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const root = fileURLToPath(new URL('.', import.meta.url));
/** Another folder for builds that must not disturb a gateway that serves the usual one. */
const outDir = process.env.LINECREW_CONSOLE ?? fileURLToPath(new URL('../../dist/console', import.meta.url));

/** Puts a `.br` and a `.gz` beside every text asset, so that the server never compresses while somebody waits. */
function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    closeBundle() {
      for (const entry of readdirSync(outDir, { recursive: true })) {
        const file = join(outDir, String(entry));
        if (!/\.(js|mjs|css|html|json|geojson|svg|webmanifest)$/.test(file) || statSync(file).size < 1024) continue;
        const bytes = readFileSync(file);
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
        writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } }));
      }
    },
  };
}

export default defineConfig({
  root,
  base: '/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es' },
  plugins: [precompress()],
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      input: { index: join(root, 'index.html'), 'crew-worker': join(root, 'src/crew-worker.ts') },
      output: {
        // The service worker needs a stable name at the top, because its folder is its scope.
        entryFileNames: (chunk) => (chunk.name === 'crew-worker' ? 'crew-worker.js' : 'assets/[name]-[hash].js'),
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
  server: { proxy: { '/api': process.env.LINECREW_DEV_API ?? 'http://127.0.0.1:8080' } },
});
