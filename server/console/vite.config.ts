import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** `npm run dev`: the fake API answers, so that no server is needed. */
function fakeApi(): Plugin {
  return {
    name: 'curfew-fake-api',
    apply: 'serve',
    async configureServer(server) {
      const { createFakeApi, createFakeHandler } = (await server.ssrLoadModule(
        '/fake-api/index.ts',
      )) as typeof import('./fake-api/index.js');
      const handler = createFakeHandler(createFakeApi());
      server.middlewares.use((request, response, next) => {
        if (!handler(request, response)) next();
      });
    },
  };
}

export const config = defineConfig({
  plugins: [react(), fakeApi()],
  server: { host: '127.0.0.1', port: 5173 },
  build: {
    target: 'es2022',
    // An inlined asset would be a data: address, which the page's policy allows for pictures only.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    modulePreload: { polyfill: false },
    // Says which files a page needs: a test measures them.
    manifest: 'manifest.json',
  },
});

export default config;
