/**
 * What a push shows. The message is Declarative Web Push's, so a browser that knows that shows it without us. A later one about the same thing takes the place of
 * the earlier, by its tag; what is not critical does so without a sound. A browser that shows nothing for a push takes the right to push away, so a message that
 * cannot be read is shown too, as one that leads to the centre.
 */

export interface Pushed {
  readonly title: string;
  readonly options: Omit<NotificationOptions, "data"> & {
    readonly renotify: boolean;
    readonly data: { readonly address: string };
  };
}

const CENTRE = "/notifications";
const ICON = "/icons/icon-192.png";

const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** @param origin where this page is from; nothing pushed leads anywhere else */
export function pushed(message: string | undefined, origin: string): Pushed {
  const { notification, severity } = fieldsOf(parsed(message));
  const { title, body, navigate, tag, lang } = fieldsOf(notification);
  const critical = severity === "critical";
  return {
    title: textOf(title) ?? "Stockwire",
    options: {
      body: textOf(body) ?? "",
      lang: textOf(lang) ?? "",
      tag: textOf(tag) ?? CENTRE,
      icon: ICON,
      badge: ICON,
      renotify: critical,
      requireInteraction: critical,
      data: { address: ours(textOf(navigate), origin) },
    },
  };
}

function parsed(message: string | undefined): unknown {
  try {
    return JSON.parse(message ?? "");
  } catch {
    return undefined;
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return Object(value) as Readonly<Record<string, unknown>>;
}

/** The path of an address at this page: the server may be reached by another name than the one it knows itself by. */
function ours(address: string | undefined, origin: string): string {
  try {
    const { pathname, search } = new URL(address ?? CENTRE, origin);
    return origin + (pathname.startsWith("/") ? pathname + search : CENTRE);
  } catch {
    return origin + CENTRE;
  }
}
