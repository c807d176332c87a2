// Runs test files with mocha in this process, with a mutant in the place of the code that it is of, or none. Arguments: the name of
// the mutant or '', test files. Mocha's own command loads tests in a way that module hooks do not see.
import Mocha from 'mocha';
import { register } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [mutant, ...files] = process.argv.slice(2);
if (mutant !== '') register(new URL('./mutant-hooks.mjs', import.meta.url), { data: mutant });
const mocha = new Mocha({ bail: true, timeout: 10_000, reporter: 'dot' });
mocha.suite.emit('pre-require', globalThis, null, mocha);
for (const file of files) await import(pathToFileURL(path.resolve(file)).href);
mocha.run((failures) => process.exit(failures > 0 ? 1 : 0));
