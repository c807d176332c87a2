import { writeFileSync } from 'node:fs';
import { measure } from './measure.js';
import type { BenchSettings } from './settings.js';

/** One benchmark in a process of its own: $1 its id, $2 the settings as JSON, $3 the file for the outcome. */
const [id = '', settings = '{}', file = ''] = process.argv.slice(2);
const outcome = await measure(id, JSON.parse(settings) as BenchSettings);
writeFileSync(file, JSON.stringify(outcome));
