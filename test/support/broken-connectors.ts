import type { Connector, Person, Subject } from '@curfew/server/parts';

/** A connector with one deliberate fault, made from a sound one. `people` are those of the stage. */
export type BrokenConnector = (sound: Connector, people: readonly [Person, Person]) => Connector;

/** The sound connector, so that a fault has to say only where it differs. */
const asIs = (sound: Connector): Connector => ({
  describe: (signal) => sound.describe(signal),
  findSubject: (person, signal) => sound.findSubject(person, signal),
  has: (subject, signal) => sound.has(subject, signal),
  add: (subject, until, signal) => sound.add(subject, until, signal),
  remove: (subject, signal) => sound.remove(subject, signal),
  members: (signal) => sound.members(signal),
  close: () => sound.close(),
});

/** Says that it has taken the resource away, and has not. */
export const lostRemove: BrokenConnector = (sound) => ({ ...asIs(sound), remove: () => Promise.resolve() });

/** Gives to the one person what is meant for the other. */
export const wrongSubject: BrokenConnector = (sound, people) => ({
  ...asIs(sound),
  add: async (subject, until, signal) => {
    const others: Subject[] = [];
    for (const person of people) {
      const other = await sound.findSubject(person, signal);
      if (other !== undefined && other.id !== subject.id) others.push(other);
    }
    await sound.add(others[0] ?? subject, until, signal);
  },
});

/** Counts what it gives: what was given twice is listed twice, and has to be taken twice. */
export const addsTwice: BrokenConnector = (sound) => {
  const given = new Map<string, number>();
  return {
    ...asIs(sound),
    add: async (subject, until, signal) => {
      await sound.add(subject, until, signal);
      given.set(subject.id, (given.get(subject.id) ?? 0) + 1);
    },
    remove: async (subject, signal) => {
      const left = (given.get(subject.id) ?? 1) - 1;
      given.set(subject.id, Math.max(0, left));
      if (left <= 0) await sound.remove(subject, signal);
    },
    members: async (signal) =>
      (await sound.members(signal)).flatMap((member) =>
        Array.from({ length: Math.max(1, given.get(member.id) ?? 1) }, () => member),
      ),
  };
};

/** Every fault, by name. */
export const BROKEN_CONNECTORS: Readonly<Record<string, BrokenConnector>> = { lostRemove, wrongSubject, addsTwice };
