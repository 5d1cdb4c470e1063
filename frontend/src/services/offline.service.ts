// Keeping the page for when there is no network: the worker of src/offline, registered once the page is there, and
// asked to hand over when a person takes a new build.

import { trusted } from "./trusted";

const WORKER = "/offline.js";
/** The first screen comes first: the page is kept this long after. */
const LATER = 3_000;

/** Has the browser keep the page. Where it cannot (no secure origin, or forbidden) the page needs its network. */
export async function keepPage(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  await new Promise((done) => setTimeout(done, LATER));
  try {
    await navigator.serviceWorker.register(trusted("stockwire-offline", WORKER), {
      scope: "/",
      updateViaCache: "none",
    });
  } catch {
    // Nothing is kept, and nothing else follows.
  }
}

/** Loads the newest build of the page, also where an older one is kept. */
export async function takeNewBuild(): Promise<void> {
  try {
    const registration = await navigator.serviceWorker?.getRegistration();
    registration?.waiting?.postMessage("take over");
  } catch {
    // The screen is asked of the network first, so reloading alone brings the new build.
  }
  window.location.reload();
}
