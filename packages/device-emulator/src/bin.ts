#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { LAB_COMMAND, serveLab } from './cli/lab-child.ts';
import { main } from './cli/main.ts';
import { nodeIo } from './cli/node-io.ts';
import { SITE_COMMAND, serveSite } from './cli/site-child.ts';

const argv = process.argv.slice(2);
if (argv[0] === LAB_COMMAND) await serveLab(argv.slice(1));
else if (argv[0] === SITE_COMMAND) await serveSite(argv.slice(1));
else process.exitCode = await main(argv, nodeIo(fileURLToPath(import.meta.url)));
