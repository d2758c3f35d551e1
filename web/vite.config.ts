import { join } from 'node:path';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

try {
  process.loadEnvFile(join(import.meta.dirname, '..', '.env'));
} catch {
  // Without a .env the server listens where it does by default.
}
const server_url = `http://127.0.0.1:${process.env.PORT ?? 3000}`;

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), tailwindcss()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // The tokens use light-dark(), which these are the first to know.
    target: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
    // The content security policy allows no data: scripts and fonts, so nothing is inlined.
    assetsInlineLimit: 0,
    // React, the router, the query cache and the sign-in make up most of it; 183 kB gzipped.
    chunkSizeWarningLimit: 640,
  },
  server: {
    proxy: { '/api': server_url, '/auth': server_url },
  },
});
