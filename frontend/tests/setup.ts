// What every test of the page starts with: matchers that speak of the document, and time for a busy machine.
import "@testing-library/jest-dom/vitest";

import { configure } from "@testing-library/svelte";

configure({ asyncUtilTimeout: 60_000 });
