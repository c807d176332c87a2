import { connectorRight } from './connector-right.js';
import { LIBRARIES } from './libraries.js';
import type { Place, Right } from './right.js';
import type { RightsOrder, RightsAnswer } from './rights-process-client.js';

// Gives and takes by a connector's library alone, or by the connector alone: as the server would, on its core, and with
// nothing of the server around it. Told what to do by its parent, and ends with it.

const opened = new Map<string, Promise<Right>>();

function rightOf(by: RightsOrder['by'], place: Place): Promise<Right> {
  const key = JSON.stringify([by, place]);
  const library = LIBRARIES[place.kind];
  if (library === undefined) throw new Error(`there is no library for ${place.kind}`);
  const right = opened.get(key) ?? (by === 'library' ? library(place) : connectorRight(place));
  opened.set(key, right);
  return right;
}

/** As the driver does: one call at a time at each place, all places at the same time. Gives how long it took, ms. */
async function work({ by, places, people, what }: RightsOrder): Promise<number> {
  const rights = await Promise.all(places.map((place) => rightOf(by, place)));
  const start = performance.now();
  await Promise.all(
    rights.map(async (right) => {
      for (const person of people) await right[what](person);
    }),
  );
  return performance.now() - start;
}

process.on('message', (order: RightsOrder) => {
  work(order).then(
    (ms) => process.send?.({ ms } satisfies RightsAnswer),
    (error: unknown) =>
      process.send?.({ problem: String(error instanceof Error ? error.stack : error) } satisfies RightsAnswer),
  );
});
process.once('disconnect', () => process.exit(0));
