// The ways on which notifications leave the page: channels, browsers that take pushes, and what could not be delivered.
// Read when a screen shows them and again after each change; nothing of it is followed.

import { createSubscriber } from "svelte/reactivity";

import { ask, path } from "../services/notifications.service";
import { ownSubscription, pushState, turnOff, turnOn, type PushState } from "../services/push.service";
import type { MomentText } from "./rows";

export type { PushState } from "../services/push.service";

export interface Channel {
  readonly channel_id: string;
  readonly kind: "webhook" | "apprise";
  readonly service: string;
  readonly name: string;
  readonly person: string;
  /** Shortened to its host. */
  readonly address: string;
  readonly language: "en" | "de";
  readonly enabled: boolean;
  /** Why it was turned off by itself. */
  readonly note: string | null;
  readonly waiting: number;
  readonly dead: number;
  readonly last_sent_at: MomentText | null;
  readonly last_error: string | null;
  readonly created_at: MomentText;
}

export interface Device {
  readonly subscription_id: string;
  readonly person: string;
  /** The host of the push service. */
  readonly service: string;
  readonly device: string | null;
  readonly language: string;
  readonly last_sent_at: MomentText | null;
  readonly last_error: string | null;
  readonly created_at: MomentText;
}

export interface Delivery {
  readonly delivery_id: number;
  readonly channel_id: string;
  readonly channel_name: string;
  readonly person: string;
  readonly happened: string;
  readonly notification_id: string | null;
  readonly subject: string;
  readonly state: "waiting" | "held" | "sending" | "sent" | "dead" | "digested" | "dropped";
  readonly due_at: MomentText;
  readonly attempts: number;
  readonly error: string | null;
  readonly created_at: MomentText;
  readonly finished_at: MomentText | null;
}

export interface NewChannel {
  readonly kind: Channel["kind"];
  readonly name: string;
  readonly address: string;
  readonly language: string;
}

export class Channels {
  #channels: readonly Channel[] = [];
  #devices: readonly Device[] = [];
  #dead: readonly Delivery[] = [];
  #push: PushState | undefined;
  #own: string | undefined;
  #loaded = false;
  readonly #updates = new Set<() => void>();
  readonly #look = createSubscriber((update) => {
    this.#updates.add(update);
    return () => this.#updates.delete(update);
  });

  get loaded(): boolean {
    this.#look();
    return this.#loaded;
  }

  get channels(): readonly Channel[] {
    this.#look();
    return this.#channels;
  }

  get devices(): readonly Device[] {
    this.#look();
    return this.#devices;
  }

  /** What could not be delivered, the newest first. */
  get dead(): readonly Delivery[] {
    this.#look();
    return this.#dead;
  }

  /** Whether this browser takes pushes; undefined until it is known. */
  get push(): PushState | undefined {
    this.#look();
    return this.#push;
  }

  /** The server's name of this browser among the devices. */
  get own(): string | undefined {
    this.#look();
    return this.#own;
  }

  /** @throws Refusal when the server does not tell */
  async refresh(): Promise<void> {
    const [{ channels }, { subscriptions }, { deliveries }] = (await Promise.all([
      ask("GET", "channels"),
      ask("GET", "push/subscriptions"),
      ask("GET", "deliveries?state=dead&limit=50"),
    ])) as [{ channels: Channel[] }, { subscriptions: Device[] }, { deliveries: Delivery[] }];
    this.#channels = channels;
    this.#devices = subscriptions;
    this.#dead = deliveries;
    this.#loaded = true;
    this.#tell();
    if (this.#push === undefined) void this.#lookAtPush();
  }

  /** Gives the secret of a webhook, which is shown this once. */
  async add(channel: NewChannel): Promise<string | null> {
    const { secret } = (await ask("POST", "channels", channel)) as { readonly secret: string | null };
    await this.refresh();
    return secret;
  }

  async change(id: string, change: Readonly<Record<string, unknown>>): Promise<void> {
    await ask("PUT", `channels/${path(id)}`, change);
    await this.refresh();
  }

  async remove(id: string): Promise<void> {
    await ask("DELETE", `channels/${path(id)}`);
    await this.refresh();
  }

  /** Sends a message to try the channel, and waits a while for what becomes of it. */
  async test(id: string): Promise<Delivery> {
    const delivery = (await ask("POST", `channels/${path(id)}/test`)) as Delivery;
    await this.refresh();
    return delivery;
  }

  async testDevice(id: string): Promise<Delivery> {
    return (await ask("POST", `push/subscriptions/${path(id)}/test`)) as Delivery;
  }

  async retry(id: number): Promise<void> {
    await ask("POST", `deliveries/${id}/retry`);
    await this.refresh();
  }

  async turnPush(on: boolean, language: string, device: string): Promise<void> {
    this.#push = on ? await turnOn(language, device) : await turnOff();
    await Promise.all([this.refresh(), this.#lookAtPush()]);
  }

  async #lookAtPush(): Promise<void> {
    this.#push = await pushState().catch(() => "unable" as const);
    this.#own = await ownSubscription().catch(() => undefined);
    this.#tell();
  }

  #tell(): void {
    for (const update of this.#updates) update();
  }
}
