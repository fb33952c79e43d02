/** Writes docs/openapi.json from the table of routes of the admin REST API. `--check` compares instead. */
import { join } from 'node:path';
import { adminRestDocument } from '../packages/lab-server/src/index.ts';
import { generated, ROOT } from './lib/generated.mjs';

generated(join(ROOT, 'docs/openapi.json'), `${JSON.stringify(adminRestDocument(), null, 2)}\n`, 'pnpm docs:openapi');
