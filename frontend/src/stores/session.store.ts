// Whether this browser is signed in, and how to become so with the one-time token of a sign-in link.

import { createSubscriber } from "svelte/reactivity";

import { realtimeService, type RealtimeService, type SignIn } from "../services/realtime.service";

export type { SignIn } from "../services/realtime.service";

export class Session {
  readonly #service: RealtimeService;
  readonly #updates = new Set<() => void>();
  readonly #look: () => void;
  #signedIn: boolean | undefined;

  constructor(service: RealtimeService) {
    this.#service = service;
    this.#look = createSubscriber((update) => {
      this.#updates.add(update);
      return () => this.#updates.delete(update);
    });
  }

  /** Undefined until it was asked, or when nobody answers. A link that was refused for it says no. */
  get signedIn(): boolean | undefined {
    this.#look();
    return this.#signedIn;
  }

  /** Asks the server. */
  async check(): Promise<boolean | undefined> {
    return this.#set(await this.#service.signedIn());
  }

  /** Spends the token; on success the page is signed in and connects. */
  async signIn(token: string): Promise<SignIn> {
    const outcome = await this.#service.signIn(token);
    if (outcome === "ok") this.#set(true);
    return outcome;
  }

  async signOut(): Promise<void> {
    await this.#service.signOut();
    this.#set(false);
  }

  #set(signedIn: boolean | undefined): boolean | undefined {
    this.#signedIn = signedIn;
    for (const update of this.#updates) update();
    return signedIn;
  }
}

export const session = new Session(realtimeService);
