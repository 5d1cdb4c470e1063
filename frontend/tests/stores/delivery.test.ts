import { expect, it } from "vitest";

import { DeliveryLag } from "../../src/services/delivery";

it("tells the 95th percentile of the newest 200 by nearest rank", () => {
  const lag = new DeliveryLag();
  expect(lag.p95).toBeUndefined();
  lag.note(40);
  expect(lag.p95).toBe(40);
  for (let ms = 1_001; ms <= 1_200; ms++) lag.note(ms);
  expect(lag.p95).toBe(1_190);
  lag.note(-5);
  expect(lag.p95).toBe(1_190);
});
