import { everyPageIsSound } from '../support/page-checks.js';

describe('every page of the console in the light', function () {
  this.timeout(60_000);
  everyPageIsSound(false);
});
