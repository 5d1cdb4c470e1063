// An environment with some of its members replaced.

import type { Environment } from "../environment";

export function altered(environment: Environment, members: Partial<Environment>): Environment {
  return {
    base: environment.base,
    now: () => environment.now(),
    random: () => environment.random(),
    timer: (ms, run) => environment.timer(ms, run),
    paint: (run) => environment.paint(run),
    fetch: (url, init) => environment.fetch(url, init),
    socket: (url, protocol, listener) => environment.socket(url, protocol, listener),
    online: () => environment.online(),
    visible: () => environment.visible(),
    signals: (listener) => environment.signals(listener),
    recall: (name) => environment.recall(name),
    remember: (name, text) => {
      environment.remember(name, text);
    },
    ...members,
  };
}
