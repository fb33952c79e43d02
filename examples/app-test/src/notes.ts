import type { AuthorizeOptions, DynamicsRuntime } from '@uemkit/dynamics-sdk';

/** What the user sees. */
export type Screen =
  | { readonly name: 'activate' | 'notes' | 'password' | 'newPassword' | 'helpDesk' | 'wiped' }
  /** The organisation, or policy, has closed the app for now. */
  | { readonly name: 'blocked'; readonly message: string };

/** A small app for work: notes in the secure container, and one screen for each state that an administrator can bring it into. */
export class NotesApp {
  readonly #runtime: DynamicsRuntime;
  screen: Screen = { name: 'activate' };
  /** Every screen so far. */
  readonly shown: string[] = [];

  constructor(runtime: DynamicsRuntime) {
    this.#runtime = runtime;
    runtime.addEventListener('statechange', ({ detail: { state, code, block } }) => {
      if (state === 'authorized') this.#show({ name: 'notes' });
      else if (state === 'wiped') this.#show({ name: 'wiped' });
      else if (code === 'GDErrorIdleLockout') this.#show({ name: 'password' });
      else if (code === 'GDErrorPasswordChangeRequired') this.#show({ name: 'newPassword' });
      else if (code === 'GDErrorRemoteLockout') this.#show({ name: 'helpDesk' });
      else if (block !== undefined) this.#show({ name: 'blocked', message: block.message });
    });
  }

  /** The first screen, with the access key of the mail, and each later start. */
  async start(options: AuthorizeOptions): Promise<void> {
    const { error } = await this.#runtime.authorize(options);
    if (error !== undefined) throw error;
  }

  /** The screen `password`. */
  async unlock(password: string): Promise<void> {
    await this.#runtime.unlock(password);
  }

  /** The screen `helpDesk`: what the help desk says on the phone, and a new password. */
  async recover(unlockKey: string, newPassword: string): Promise<void> {
    await this.#runtime.recover(unlockKey, newPassword);
  }

  async write(name: string, text: string): Promise<void> {
    await this.#open().values.put(name, new TextEncoder().encode(text));
  }

  async read(name: string): Promise<string | undefined> {
    const bytes = await this.#open().values.get(name);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  }

  /** A locked app still has its container, so that it can work in the background; its user sees nothing of it. */
  #open() {
    const { container } = this.#runtime;
    if (this.screen.name !== 'notes' || container === undefined) throw new Error(`no notes on the screen "${this.screen.name}"`);
    return container;
  }

  #show(screen: Screen): void {
    this.screen = screen;
    this.shown.push(screen.name);
  }
}
