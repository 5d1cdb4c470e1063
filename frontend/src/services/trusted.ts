// Under Trusted Types a worker's address needs a policy. Each policy here knows one address of the build and no other,
// so no text that came from elsewhere ever becomes a script.

interface Policy {
  createScriptURL(url: string): string;
}
interface Policies {
  createPolicy(name: string, rules: Policy): Policy;
}

/** `address` as the browser takes it for a script: named by `policy` where there are Trusted Types, else as it is. */
export function trusted(policy: string, address: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: Policies };
  const rules: Policy = { createScriptURL: (asked) => (asked === address ? asked : "") };
  return (trustedTypes?.createPolicy(policy, rules) ?? rules).createScriptURL(address);
}
