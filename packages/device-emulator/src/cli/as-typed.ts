/** What to put before the name of a program so that a reader can type the line: in a clone of the repository nothing is installed. */
function prefix(env: Readonly<Record<string, string | undefined>>): string {
  const pnpm = /^pnpm\/(\S+)/.exec(env.npm_config_user_agent ?? '')?.[1];
  return env.npm_package_name === 'uemkit' && pnpm !== undefined ? `npx -y pnpm@${pnpm} ` : '';
}

/** `text` with its command lines as they can be typed here. Command lines begin with the name of a program, after white space or a colon. */
export function asTyped(text: string, env: Readonly<Record<string, string | undefined>>): string {
  const before = prefix(env);
  return text.replaceAll(/(^|: | {2})(device-emulator|lab-server) (?=[a-z])/gm, (_line, space: string, program: string) => `${space}${before}${program} `);
}
