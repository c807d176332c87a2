import type { Command } from './model-commands.js';
import { converge } from './model-convergence.js';
import { happen } from './model-happenings.js';
import { SOUND_PARTS, type ModelParts } from './model-parts.js';
import type { Template } from './model-server.js';
import { ModelWorld } from './model-world.js';

let runs = 0;

/** One run: things happen, the invariants hold after each, and once all is mended ledger and device agree. */
export async function runModel(
  template: Template,
  commands: readonly Command[],
  parts: ModelParts = SOUND_PARTS,
): Promise<void> {
  const world = await ModelWorld.start(template, runs++, parts);
  try {
    for (const command of commands) await happen(world, command);
    await converge(world);
  } finally {
    await world.close();
  }
}
