/**
 * The ledger's migrations are written once, in SQLite's words. This says the same in PostgreSQL's. It knows the few forms
 * that migrations use, and refuses a trigger that it does not: a rule must not get lost on the way.
 */
export function translateSchema(statement: string): string {
  const text = statement.replace(/\s+/g, ' ').trim();
  if (/^create trigger/i.test(text) && !text.includes('execute function')) return translateTrigger(text);
  if (!/^(create table|alter table|create (unique )?index|insert into \S+ \()/i.test(text)) return text;
  return outsideOfTexts(text, translateTypes);
}

/** PostgreSQL's integer has 32 bits. Texts compare by their bytes, as SQLite's do, whatever the database is set to. */
const translateTypes = (code: string): string =>
  code
    .replace(/\binteger primary key autoincrement\b/g, 'bigint primary key')
    .replace(/\binteger\b/g, 'bigint')
    .replace(/\bblob\b/g, 'bytea')
    .replace(/\btext\b(?! collate)/g, 'text collate "C"')
    .replace(/\) without rowid\b/g, ')')
    .replace(/\bjson_valid\((\w+)\)/g, '($1 is null or $1::json is not null)')
    .replace(/\bjson_extract\(/g, 'json_text(')
    .replace(/\) virtual\b/g, ') stored')
    .replace(/\blower\(hex\(randomblob\(10\)\)\)/g, 'substr(md5(random()::text), 1, 20)');

/** Changes what is not inside of a text. */
function outsideOfTexts(statement: string, change: (code: string) => string): string {
  // Changed as a whole, with the texts out of the way: what is recognised may have one in it.
  const texts: string[] = [];
  const code = statement.replace(/'(?:[^']|'')*'/g, (text) => `'${texts.push(text) - 1}'`);
  return change(code).replace(/'(\d+)'/g, (_, at: string) => texts[Number(at)] ?? '');
}

const TRIGGER =
  /^create trigger (?<name>\w+) (?<time>before|after) (?<verb>insert|update|delete)(?<columns> of [\w, ]+?)? on (?<table>\w+)(?: when (?<condition>.+?))? begin (?<body>.+); end$/i;
const RAISE = /^select raise\(abort, '(\w+)'\)$/;

/** A trigger becomes a function with its condition in it: PostgreSQL's own conditions may not ask other tables. */
function translateTrigger(text: string): string {
  const { name, time, verb, columns = '', table, condition, body } = TRIGGER.exec(text)?.groups ?? {};
  if (name === undefined || time === undefined || verb === undefined || table === undefined || body === undefined)
    throw new Error(`a trigger of a form that is not known: ${text}`);
  const rule = RAISE.exec(body)?.[1];
  const act =
    rule === undefined ? `${body};` : `raise check_violation using message = '${rule}', constraint = '${rule}';`;
  const acts = condition === undefined ? act : `if ${conditionOf(condition)} then ${act} end if;`;
  const result = time === 'after' ? 'null' : verb === 'delete' ? 'old' : 'new';
  return `create function ${name}() returns trigger language plpgsql as $rule$ begin ${acts} return ${result}; end $rule$;
    create trigger ${name} ${time} ${verb}${columns} on ${table} for each row execute function ${name}()`;
}

const conditionOf = (condition: string): string =>
  condition.replace(/ is not (?!null)/g, ' is distinct from ').replace(/\b(new|old)\.(\w+)/g, '$1."$2"');
