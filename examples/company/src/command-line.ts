import { parseArgs } from 'node:util';

/** `--target` of the command line, the connection file of a lab that runs; ends the program when it is wrong or asks for help. */
export function commandLine(usage: string): { readonly target: string | undefined } {
  try {
    const { values } = parseArgs({ options: { target: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } } });
    if (!values.help) return { target: values.target };
    console.log(`${usage}\n\n  --target FILE   connection file of a lab that runs; unless set, the example has a lab of its own`);
    process.exit(0);
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    process.exit(2);
  }
}
