/**
 * The ways in which history fails, told apart by type: away (try again), refused (this row, until it is changed), fenced (this
 * writer, for good), schema (this program and this database do not fit). None carries a value of a row or a password.
 */

/** Postgres cannot be asked just now: connection trouble, a timeout, a shutdown, missing rights. Try again with backoff. */
export class HistoryUnavailable extends Error {
  override readonly name = 'HistoryUnavailable';
  readonly transient = true;
  /** SQLSTATE or system error code, where there was one. */
  readonly code: string | undefined;
  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

/** Postgres, or the mirror before it, will never take this row as it is. */
export class HistoryRefused extends Error {
  override readonly name = 'HistoryRefused';
  readonly transient = false;
  /** Column that the value was for; empty when Postgres did not say. */
  readonly column: string;
  readonly reason: string;
  constructor(column: string, reason: string) {
    super(column === '' ? `history refuses the row: ${reason}` : `history refuses column ${column}: ${reason}`);
    this.column = column;
    this.reason = reason;
  }
}

/** A later term writes this history; whoever gets this has to stop writing. */
export class HistoryFenced extends Error {
  override readonly name = 'HistoryFenced';
  readonly transient = false;
  readonly scope: string;
  readonly epoch: number;
  readonly current: number;
  constructor(scope: string, epoch: number, current: number) {
    super(
      `history of ${scope} is written in epoch ${current} by a later term; this one had epoch ${epoch} and may not write`,
    );
    this.scope = scope;
    this.epoch = epoch;
    this.current = current;
  }
}

/** The database's schema and this program's migrations do not fit; only a person can mend that. */
export class HistorySchemaError extends Error {
  override readonly name = 'HistorySchemaError';
  readonly transient = false;
}

/** SQLSTATEs (Postgres, appendix A) after which the same row will be refused again, in words without its values. */
const REFUSALS: Record<string, string> = {
  '22001': 'too long',
  '22003': 'number out of range',
  '22007': 'not a time',
  '22008': 'time out of range',
  '22021': 'not valid text',
  '22P02': 'not valid for the type of its column',
  '22P05': 'not valid text',
  '23502': 'missing',
  '23503': 'names a row that is not there',
  '23505': 'there already',
  '23514': 'outside its bounds',
  '54000': 'too long for an index',
  P0001: 'not what a trigger of the database lets in',
};
const REFUSAL_CLASSES = new Set(['21', '22', '23', '54', 'P0']);
/** deadlock_detected and serialization_failure: the same transaction, run again, may well pass. */
const RETRYABLE = new Set(['40001', '40P01']);

/** undefined_table, undefined_column; and of an ON CONFLICT that names no constraint, invalid_column_reference. */
export const NO_TABLE = '42P01';
const NO_COLUMN = '42703';
const NO_CONSTRAINT = '42P10';

interface PgFailure {
  message: string;
  code?: string;
  column?: string;
  table?: string;
  constraint?: string;
  errors?: unknown[];
}
const asFailure = (error: unknown): PgFailure =>
  error instanceof Error ? (error as Error & PgFailure) : { message: String(error) };

/** Was the transaction the victim of another one, so that running it again is the answer? */
export const isTransactionVictim = (error: unknown): boolean => RETRYABLE.has(asFailure(error).code ?? '');

/** Tables are kept by month; people know them without. */
const MONTH_OF_TABLE = /_(\d{4}_\d\d|other)$/;
/** Names of tables and constraints are ours, not the row's. */
const whereOf = ({ table, constraint }: PgFailure): string =>
  `${table === undefined ? '' : `table ${table.replace(MONTH_OF_TABLE, '')}, `}${constraint === undefined ? '' : `constraint ${constraint}, `}`;

/** Translates what `pg` threw. Row values that Postgres quotes in its message are left behind. */
export function fromPg(error: unknown): HistoryUnavailable | HistoryRefused {
  if (error instanceof HistoryUnavailable || error instanceof HistoryRefused) return error;
  const failure = asFailure(error);
  const code = failure.code ?? '';
  if (/^[0-9A-Z]{5}$/.test(code) && REFUSAL_CLASSES.has(code.slice(0, 2)))
    return new HistoryRefused(
      failure.column ?? '',
      `${REFUSALS[code] ?? 'not acceptable'} (${whereOf(failure)}SQLSTATE ${code})`,
    );
  if (code === NO_TABLE)
    return new HistoryUnavailable('the history tables are not there yet; the operator makes them when it starts', code);
  if (code === NO_COLUMN || code === NO_CONSTRAINT)
    return new HistoryUnavailable(
      'the history tables are of another version than this program; the operator of the newest version brings them up to date when it starts',
      code,
    );
  // Node reports one error for each address of a host; the first tells enough.
  const first = failure.errors?.[0];
  const text = failure.message === '' && first !== undefined ? asFailure(first).message : failure.message;
  return new HistoryUnavailable(`Postgres is not available: ${text}`, code === '' ? undefined : code);
}
