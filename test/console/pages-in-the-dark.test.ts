import { everyPageIsSound } from '../support/page-checks.js';

describe('every page of the console in the dark', function () {
  this.timeout(60_000);
  everyPageIsSound(true);
});
