/** Environment of the process, as far as it matters for how a command line is typed. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** `text` with its command lines as they can be typed here: in a clone of the repository nothing is installed, so they need pnpm before them. */
export function asTyped(text: string, env: Environment): string {
  const pnpm = /^pnpm\/(\S+)/.exec(env.npm_config_user_agent ?? '')?.[1];
  if (env.npm_package_name !== 'uemkit' || pnpm === undefined) return text;
  return text.replaceAll(/(^|: | {2}|&& |; )(device-emulator|lab-server) (?=[a-z])/gm, `$1npx -y pnpm@${pnpm} $2 `);
}
