import type { AppConfig, AppLine } from './app-config.ts';
import { ended, type Network } from './namespaces.ts';
import { Program } from './program.ts';

/** The app's process on the machine outside. */
export class AppProcess {
  readonly #program: Program<AppLine>;

  constructor(network: Network, config: AppConfig) {
    this.#program = new Program(network, 'outside', 'app.ts', [JSON.stringify(config)]);
  }

  get processId(): number {
    return this.#program.processId;
  }

  done(): Promise<Extract<AppLine, { event: 'done' }>> {
    return this.#line('done');
  }

  /** All tasks are done; the link to the NOC stays open. */
  idle(): Promise<Extract<AppLine, { event: 'idle' }>> {
    return this.#line('idle');
  }

  paused(): Promise<Extract<AppLine, { event: 'paused' }>> {
    return this.#line('paused');
  }

  goOn(): void {
    this.#program.child.stdin?.write('\n');
  }

  async end(): Promise<void> {
    this.#program.child.stdin?.end();
    await ended(this.#program.child);
  }

  async #line<E extends AppLine['event']>(event: E): Promise<Extract<AppLine, { event: E }>> {
    const line = await this.#program.next();
    if (line.event !== event) throw new Error(`the app says ${line.event} and not ${event}`);
    return line as Extract<AppLine, { event: E }>;
  }
}
