import { DAY } from '@curfew/shared';

/** In so many parts are the points at which something can go wrong: `npm test` tries one, another one each day, `npm run faults` all. */
const PARTS = 3;

/** 'all', or the number of a part. */
const { CURFEW_FAULTS: asked = String(Math.floor(Date.now() / DAY) % PARTS) } = process.env;
const part = asked === 'all' ? undefined : Number(asked);

/** Whether every point is to be tried. */
export const triesAll = part === undefined;

/** Those of the points that are to be tried now, evenly spread. */
export const shareOf = <T>(points: readonly T[]): T[] =>
  points.filter((_, index) => part === undefined || index % PARTS === part);

/** Each point with each of as many faults as there are parts; or now with one of them, so that in as many days each has been. */
export const withEach = <P, F>(points: readonly P[], faults: readonly F[]): { point: P; fault: F }[] =>
  points.flatMap((point, index) =>
    faults
      .filter((_, at) => part === undefined || (at + index) % faults.length === part)
      .map((fault) => ({ point, fault })),
  );
