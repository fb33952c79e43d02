/**
 * Writes docs/openapi.json from the table of routes of the admin REST API, and the types that a foreign generator makes of it for examples/admin-scripts.
 * `--check` compares instead.
 */
import { join } from 'node:path';
import openapiTypes, { astToString } from 'openapi-typescript';
import { adminRestDocument } from '../packages/lab-server/src/index.ts';
import { generated, ROOT } from './lib/generated.mjs';

/** What examples/admin-scripts calls: types of all 100 paths are more than an editor or a linter likes to read for one script. */
const CALLED = [
  ...['/util/authorization', '/users', '/users/{guid}/activationPasswords', '/users/{guid}/userDevices', '/groups', '/groups/{group}/users'],
  ...['/deviceCommands', '/devices', '/events'],
];

const document = JSON.parse(JSON.stringify(adminRestDocument()));
generated(join(ROOT, 'docs/openapi.json'), `${JSON.stringify(document, null, 2)}\n`, 'pnpm docs:openapi');
const called = { ...document, paths: Object.fromEntries(CALLED.map((path) => [path, document.paths[path]])) };
generated(join(ROOT, 'examples/admin-scripts/src/generated/admin-api.d.ts'), astToString(await openapiTypes(called)), 'pnpm docs:openapi');
