import assert from 'node:assert/strict';
import { isTimeZone, isWithinHours } from './hours-of-day.js';

describe('hours of the day', () => {
  const at = (text: string): number => Date.parse(text);
  for (const { name, days = [], from, to, timeZone = '', moment, within } of [
    { name: 'the first minute', from: '09:00', to: '17:00', moment: '2026-06-15T09:00:00Z', within: true },
    { name: 'the last minute', from: '09:00', to: '17:00', moment: '2026-06-15T16:59:59.999Z', within: true },
    { name: 'the end itself', from: '09:00', to: '17:00', moment: '2026-06-15T17:00:00Z', within: false },
    { name: 'another day', days: [2], from: '09:00', to: '17:00', moment: '2026-06-15T10:00:00Z', within: false },
    { name: 'a Sunday', days: [7], from: '09:00', to: '17:00', moment: '2026-06-14T10:00:00Z', within: true },
    { name: 'before midnight', days: [1], from: '22:00', to: '06:00', moment: '2026-06-15T23:30:00Z', within: true },
    { name: 'after midnight', days: [1], from: '22:00', to: '06:00', moment: '2026-06-16T05:59:00Z', within: true },
    {
      name: 'after midnight of another day',
      days: [1],
      from: '22:00',
      to: '06:00',
      moment: '2026-06-15T05:00:00Z',
      within: false,
    },
    {
      name: 'Sunday night into Monday',
      days: [7],
      from: '22:00',
      to: '06:00',
      moment: '2026-06-15T05:00:00Z',
      within: true,
    },
    {
      name: 'from and to alike: the whole day',
      days: [1],
      from: '00:00',
      to: '00:00',
      moment: '2026-06-15T23:59:00Z',
      within: true,
    },
    {
      name: 'a day that is another one there',
      days: [2],
      from: '00:00',
      to: '02:00',
      timeZone: 'Europe/Vienna',
      moment: '2026-06-15T23:00:00Z',
      within: true,
    },
    {
      name: 'a half-hour zone',
      from: '09:00',
      to: '09:30',
      timeZone: 'Asia/Kolkata',
      moment: '2026-06-15T03:45:00Z',
      within: true,
    },
    // 2026-03-29: 02:00 to 03:00 is left out in Vienna; 2026-10-25: it comes twice.
    {
      name: 'winter time',
      from: '08:00',
      to: '09:00',
      timeZone: 'Europe/Vienna',
      moment: '2026-03-28T07:30:00Z',
      within: true,
    },
    {
      name: 'summer time',
      from: '08:00',
      to: '09:00',
      timeZone: 'Europe/Vienna',
      moment: '2026-03-29T07:30:00Z',
      within: false,
    },
    {
      name: 'summer time, an hour sooner',
      from: '08:00',
      to: '09:00',
      timeZone: 'Europe/Vienna',
      moment: '2026-03-29T06:30:00Z',
      within: true,
    },
    {
      name: 'the hour that is left out',
      from: '02:00',
      to: '03:00',
      timeZone: 'Europe/Vienna',
      moment: '2026-03-29T01:00:00Z',
      within: false,
    },
    {
      name: 'the hour that comes twice, first',
      from: '02:00',
      to: '03:00',
      timeZone: 'Europe/Vienna',
      moment: '2026-10-25T00:30:00Z',
      within: true,
    },
    {
      name: 'the hour that comes twice, again',
      from: '02:00',
      to: '03:00',
      timeZone: 'Europe/Vienna',
      moment: '2026-10-25T01:30:00Z',
      within: true,
    },
  ])
    it(`${within ? 'hold' : 'leave out'} ${name}`, () => {
      assert.equal(isWithinHours([{ days, from, to, timeZone }], at(moment)), within);
    });

  it('are always when there are none, and any of them suffices', () => {
    assert.equal(isWithinHours([], 0), true);
    const [never, always] = [
      { days: [2], from: '01:00', to: '02:00', timeZone: '' },
      { days: [], from: '00:00', to: '00:00', timeZone: '' },
    ];
    assert.equal(isWithinHours([never, always], at('2026-06-15T10:00:00Z')), true);
  });

  it('are in zones that exist', () => {
    for (const name of ['', 'UTC', 'Europe/Vienna', 'America/New_York']) assert.equal(isTimeZone(name), true, name);
    for (const name of ['Mars/Olympus', 'Europe/Vienna ', '../etc']) assert.equal(isTimeZone(name), false, name);
  });
});
