import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    noble: 'src/providers/noble/index.ts',
    node: 'src/providers/node/index.ts',
    testing: 'src/testing/index.ts',
    wire: 'src/wire/index.ts',
  },
  format: 'esm',
  target: 'node20',
  platform: 'neutral',
  external: [/^node:/],
  dts: true,
  clean: true,
  sourcemap: true,
  splitting: true,
  removeNodeProtocol: false,
});
